/*
 * back.c - the machine that runs, taken back: to any moment, and to the last stop before now.
 *
 * There is one way to be earlier: a snapshot from before is put back, and the guest runs again from
 * there (history.h). To find the last stop before now, the part behind the nearest snapshot is run
 * again, noting stops; if there is none, the part behind the snapshot before that one; and so on.
 *
 * Called through machine_ops. Next: history.c.
 */
#include <errno.h>
#include <inttypes.h>

#include "debugger/live.h"

#define EDGES_BY_NUMBER 4u

static int
cannot(struct machine *machine, struct error *err)
{
    const char *why;

    machine_can_go_back(machine, &why);
    return error_set(err, ENOTSUP, "%s", why);
}

/* --- to a moment ------------------------------------------------------------------------------------- */

/* Does going forward from now lead there? */
static bool
lies_ahead(const struct machine *machine, const struct moment *m)
{
    const struct moment *now = &machine->now;

    if (m->edge != EDGE_NONE)
        return moment_compare(now, m) <= 0;
    if (m->waits == MOMENT_ANY)
        return now->icount < m->icount;
    return moment_steps(now) < moment_steps(m) ||
           (moment_steps(now) == moment_steps(m) && now->edge == EDGE_NONE);
}

/* Forward only: the machine stands before it, or is put there. */
static int
go_to(struct machine *machine, const struct moment *moment, struct stop *stop, struct error *err)
{
    if (!machine->history && !lies_ahead(machine, moment))
        return cannot(machine, err);
    if (machine->history &&
        (!lies_ahead(machine, moment) || history_is_nearer(machine->history, moment))) {
        int rc = history_restore(machine->history, moment, err);
        if (rc)
            return rc;
    }
    return live_go_to(machine, moment, stop, err);
}

/* Where the machine stands: the moment, and whether the interrupt that is about to be handed over there
 * has been shown already. */
struct stand {
    struct moment moment;
    bool at_inject;
};

static struct stand
stand_of(const struct machine *machine)
{
    return (struct stand){machine->now, ((struct live *)machine->own)->at_inject};
}

/* To where it stood before a search that was interrupted or failed: no second interruption keeps it
 * from there. */
static int
return_to(struct machine *machine, const struct stand *from, struct error *err)
{
    struct stop there;
    int rc;

    do
        rc = go_to(machine, &from->moment, &there, err);
    while (!rc && there.why == STOP_INTERRUPTED);
    ((struct live *)machine->own)->at_inject = from->at_inject;
    return rc;
}

int
live_seek(struct machine *machine, const struct moment *moment, struct stop *stop,
          struct error *err)
{
    const struct stand from = stand_of(machine);
    const struct moment to = *moment;
    int rc;

    if (to.edge == EDGE_NONE && !live_counts(machine))
        return error_set(err, ENOTSUP, "engine %s does not count instructions: seek an exit",
                         machine->engine);
    live_begin(machine);
    rc = go_to(machine, &to, stop, err);
    if (!rc && stop->why == STOP_INTERRUPTED && machine->history)
        return return_to(machine, &from, err); /* as if nothing had been asked */
    if (rc || stop->why != STOP_END || !moment_compare(&machine->now, &to))
        return rc;
    uint64_t exits = machine->now.exits, icount = machine->now.icount;
    if (machine->history && (rc = return_to(machine, &from, err)))
        return rc;
    return error_set(err, ERANGE,
                     "the machine ends before that: with exit %" PRIu64 ", after %" PRIu64
                     " instructions",
                     exits, icount);
}

static int
to_beginning(struct machine *machine, struct stop *stop)
{
    history_restore_first(machine->history);
    *stop = (struct stop){.why = STOP_BEGINNING};
    return 0;
}

/* --- n instructions back ------------------------------------------------------------------------------- */

/*
 * Instructions have moments: the first at which so many have retired. To the n-th of these before
 * now. In the middle of an exit, the moment before its instruction may have the same count as now;
 * behind an instruction that has ended (OUT) it has not, and the guest would seem to stand still.
 */
static int
steps_back(struct machine *machine, uint64_t n, struct stop *stop, struct error *err)
{
    const struct moment from = machine->now;
    uint64_t steps = moment_steps(&from);
    int rc = 0;

    if (from.edge != EDGE_NONE && !live_has_ended(machine)) {
        rc = go_to(machine, &(struct moment){.exits = from.exits, .icount = steps}, stop, err);
        if (rc || (stop->why != STOP_DONE && stop->why != STOP_END))
            return rc;
        /* STOP_END: the last instruction was counted and has no moment of its own (triple fault). */
        if (stop->why == STOP_DONE && moment_compare(&machine->now, &from) < 0 && !--n)
            return 0;
    }
    /* Now and then two are counted at once: then it is one more. */
    for (;; n++) {
        if (n > steps)
            return to_beginning(machine, stop);
        rc = go_to(machine, &(struct moment){.exits = from.exits, .icount = steps - n}, stop, err);
        if (rc || stop->why != STOP_DONE || moment_compare(&machine->now, &from) < 0)
            return rc;
    }
}

/* --- the last stop before now ---------------------------------------------------------------------------- */

struct search {
    const struct machine_goal *goal;
    struct moment end; /* stops before it, or at it if `inclusive` */
    bool inclusive, found;
    struct moment at;
    struct stop stop;
};

/* A stop on the way: remember it, and go on, unless the end is reached. */
static bool
note(void *context, struct machine *machine, const struct stop *stop)
{
    struct search *search = context;
    int by = moment_compare(&machine->now, &search->end);

    if (by > 0 || (by == 0 && !search->inclusive))
        return true;
    if (!search->goal->wanted || search->goal->wanted(search->goal->context, machine, stop)) {
        search->found = true;
        search->at = machine->now;
        search->stop = *stop;
    }
    return false;
}

/* Runs from where the machine stands to the end of the search. */
static int
scan(struct machine *machine, struct search *search, const struct moment *from, struct stop *stop,
     struct error *err)
{
    struct machine_goal goal = *search->goal;
    struct live_bound bound = {.until = from};

    goal.wanted = note;
    goal.context = search;
    /* What stops right at the end shows when the guest would go on from there. */
    if (search->inclusive)
        bound.steps = moment_steps(&search->end) + 1;
    return live_go(machine, &goal, &bound, stop, err);
}

/* The last stop behind `floor` (NULL: the beginning). Sets search->found. */
static int
find_last(struct machine *machine, struct search *search, const struct moment *floor,
          struct stop *stop, struct error *err)
{
    const struct moment from = machine->now;

    search->end = from;
    for (;;) {
        if (history_restore_before(machine->history, &search->end))
            return 0;
        const struct moment start = machine->now;
        int rc = scan(machine, search, &from, stop, err);
        if (rc || search->found || stop->why == STOP_INTERRUPTED)
            return rc;
        if (floor && moment_compare(&start, floor) <= 0)
            return 0;
        search->end = start;
        search->inclusive = true;
    }
}

/* Edges without a condition: which one it is can be told by its number. */
static int
edge_back(struct machine *machine, unsigned edges, struct stop *stop, struct error *err)
{
    struct moment to = {.exits = machine->now.exits};
    int rc;

    if (machine->now.edge == EDGE_OUT) {
        to.exits -= to.exits != 0;
        to.edge = edges & EDGE_IN ? EDGE_IN : EDGE_OUT;
    } else if (machine->now.edge == EDGE_IN) {
        to.edge = EDGE_OUT;
        if (!(edges & EDGE_OUT)) {
            to.exits -= to.exits != 0;
            to.edge = EDGE_IN;
        }
    } else {
        to.edge = edges & EDGE_IN ? EDGE_IN : EDGE_OUT;
    }
    if (!to.exits)
        return to_beginning(machine, stop);
    rc = go_to(machine, &to, stop, err);
    if (!rc && stop->why == STOP_DONE)
        stop->why = STOP_EDGE;
    return rc;
}

static int
search_back(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
            struct error *err)
{
    const struct moment from = machine->now;
    struct search search = {.goal = goal};
    struct moment floor = {0};
    struct stop floor_stop = {.why = STOP_BEGINNING};
    int rc;

    if (goal->instructions) {
        rc = steps_back(machine, goal->instructions, &floor_stop, err);
        floor = machine->now;
        *stop = floor_stop;
        if (!rc && stop->why != STOP_INTERRUPTED)
            rc = go_to(machine, &from, stop, err);
        if (rc || stop->why == STOP_INTERRUPTED)
            return rc;
    }
    rc = find_last(machine, &search, goal->instructions ? &floor : NULL, stop, err);
    if (rc || stop->why == STOP_INTERRUPTED)
        return rc;
    if (search.found && moment_compare(&search.at, &floor) > 0) {
        rc = go_to(machine, &search.at, stop, err);
        if (!rc && stop->why == STOP_DONE)
            *stop = search.stop;
        ((struct live *)machine->own)->at_inject = stop->why == STOP_INJECT;
        return rc;
    }
    if (!goal->instructions)
        return to_beginning(machine, stop);
    rc = go_to(machine, &floor, stop, err);
    if (!rc && stop->why == STOP_DONE)
        *stop = floor_stop;
    return rc;
}

static int
backward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
         struct error *err)
{
    if (!goal->edges && !goal->points && !goal->injects)
        return goal->instructions ? steps_back(machine, goal->instructions, stop, err)
                                  : to_beginning(machine, stop);
    if (!goal->points && !goal->injects && !goal->instructions) {
        /* The next few edges are found by number; behind them it is cheaper to look at all. */
        for (unsigned i = 0; i < EDGES_BY_NUMBER; i++) {
            int rc = edge_back(machine, goal->edges, stop, err);
            if (rc || stop->why != STOP_EDGE || !goal->wanted ||
                goal->wanted(goal->context, machine, stop))
                return rc;
        }
    }
    return search_back(machine, goal, stop, err);
}

int
live_backward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
              struct error *err)
{
    const struct stand from = stand_of(machine);
    int rc;

    if (!machine->history)
        return cannot(machine, err);
    live_begin(machine);
    rc = backward(machine, goal, stop, err);
    /* Interrupted on the search, the machine stands anywhere: nothing has happened, for the user. */
    if (!rc && stop->why == STOP_INTERRUPTED)
        rc = return_to(machine, &from, err);
    return rc;
}
