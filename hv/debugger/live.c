/*
 * live.c - the machine that runs, moved forward: by instructions, by edges of exits, to stop points.
 *
 * It drives the two halves of core/run.c, vm_run_to_exit() and vm_handle_exit(), and stops between
 * them. Wherever it stops and however often, the guest takes the same way: that is what going back
 * (back.c) rests on.
 *
 * Called through machine_ops. Next: back.c, look.c.
 */
#include <errno.h>
#include <string.h>

#include "debugger/live.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

/* --- where the machine is ------------------------------------------------------------------------ */

/* After the machine moved: edge OUT and IN are told by the caller, who knows. */
static void
arrived(struct machine *machine, enum machine_edge edge)
{
    struct vm *vm = machine->vm;
    struct live *live = machine->own;

    machine->now = (struct moment){.exits = vm->exits,
                                   .icount = vm->engine_ops->icount(machine->vcpu),
                                   .waits = vm->waits,
                                   .edge = edge};
    if (vm->exits > machine->exits_seen)
        machine->exits_seen = vm->exits;
    journal_reached(&live->journal, machine->now.icount, machine->now.waits);
}

void
live_moved(struct machine *machine, const struct moment *to)
{
    struct live *live = machine->own;

    machine->now = *to;
    machine->ended = false;
    live->at_inject = false;
}

void
live_begin(struct machine *machine)
{
    struct x86_regs regs;

    machine->before_known = !live_get_regs(machine, &regs, NULL);
    if (machine->before_known)
        machine->before = regs;
}

/* --- stop points ----------------------------------------------------------------------------------- */

static int
arm(struct machine *machine, bool on, struct error *err)
{
    struct live *live = machine->own;
    const struct engine_ops *engine = machine->vm->engine_ops;

    on = on && live->points;
    if (on == live->armed)
        return 0;
    int rc = engine->set_stops(machine->vcpu, live->point, on ? live->points : 0, err);
    if (!rc)
        live->armed = on;
    return rc;
}

static int
live_set_points(struct machine *machine, const struct stop_point *points, unsigned count,
                struct error *err)
{
    struct live *live = machine->own;
    const struct engine_ops *engine = machine->vm->engine_ops;
    struct stop_point *copy = NULL;
    int rc;

    if (count && !engine->set_stops)
        return error_set(err, ENOTSUP, "engine %s has no breakpoints: use --engine soft",
                         engine->name);
    if (count && !(copy = malloc(count * sizeof(*copy))))
        return error_set(err, ENOMEM, "no memory for %u stop points", count);
    if (count)
        memcpy(copy, points, count * sizeof(*copy));
    /* Tried out now: an engine may have no room for so many. */
    if (engine->set_stops && (rc = engine->set_stops(machine->vcpu, copy, count, err))) {
        free(copy);
        engine->set_stops(machine->vcpu, live->point, live->armed ? live->points : 0, NULL);
        return rc;
    }
    free(live->point);
    live->point = copy;
    live->points = count;
    live->armed = count != 0;
    return 0;
}

/* Is the guest before an instruction that has a stop point? To go on it must get over it, from
 * there, *linear. */
static bool
at_execute_point(struct machine *machine, uint64_t *linear)
{
    struct live *live = machine->own;
    struct x86_regs regs;

    if (!live->armed || machine->vm->engine_ops->get_regs(machine->vcpu, &regs, NULL))
        return false;
    *linear = x86_regs_linear(&regs, X86_CS, regs.rip);
    for (unsigned i = 0; i < live->points; i++)
        if (live->point[i].kind == STOP_EXECUTE && live->point[i].address == *linear)
            return true;
    return false;
}

bool
live_has_ended(struct machine *machine)
{
    struct x86_regs regs;

    return !live_get_regs(machine, &regs, NULL) && regs.rip != machine->exit.rip;
}

/* Is it still before that one? Not if dealing with an exit was all that the instruction needed. */
static bool
still_there(struct machine *machine, uint64_t linear)
{
    uint64_t now;

    return at_execute_point(machine, &now) && now == linear;
}

/* --- forward --------------------------------------------------------------------------------------- */

/* The machine can go no further. The recording gets its last event, once. */
static void
ended(struct machine *machine, const struct run_result *result)
{
    struct live *live = machine->own;

    machine->ended = true;
    machine->result = *result;
    if (machine->vm->recorder)
        live->end_position = recorder_position(machine->vm->recorder);
    vm_end(machine->vm, result);
}

/* What the second half of an exit leaves; false: the machine has ended. */
static bool
handle(struct machine *machine)
{
    struct run_result result = {0};
    bool on = vm_handle_exit(machine->vm, machine->vcpu, &result);

    machine->exit = machine->vcpu->exit;
    arrived(machine, EDGE_IN);
    if (!on)
        ended(machine, &result);
    return on;
}

/* The first half did not come to an exit: why? True: it is a stop, or the end. */
static bool
no_exit(struct machine *machine, const struct run_result *result, struct stop *stop)
{
    const struct moment was = machine->now;
    const struct vm_exit *exit = &machine->vcpu->exit;
    struct vm *vm = machine->vm;

    arrived(machine, EDGE_NONE);
    if ((live_counts(machine) || result->end != RUN_DEBUG) &&
        moment_steps(&machine->now) == moment_steps(&was) && machine->now.exits == was.exits)
        machine->now.edge = was.edge; /* it has not moved */
    switch (result->end) {
    case RUN_LIMIT: return false;
    case RUN_DEBUG:
        *stop = exit->debug.at_point
                    ? (struct stop){STOP_POINT, exit->debug.point, exit->debug.address}
                    : (struct stop){.why = STOP_DONE};
        return true;
    case RUN_INJECT:
        ((struct live *)machine->own)->at_inject = true;
        *stop = (struct stop){.why = STOP_INJECT,
                              .point = vm->irq.vector ? vm->irq.vector(vm->irq.ctx) : 0};
        return true;
    case RUN_STOPPED:
        machine_resume(machine);
        if (vm->console)
            vm->console->quit = false;
        *stop = (struct stop){.why = STOP_INTERRUPTED};
        return true;
    default:
        ended(machine, result);
        *stop = (struct stop){.why = STOP_END};
        return true;
    }
}

/* How far the engine may run at once: to the bound, to the next snapshot, over a stop point. */
static void
set_limits(struct machine *machine, const struct machine_goal *goal, const struct live_bound *bound,
           bool pass, struct run_limits *limits)
{
    struct live *live = machine->own;
    uint64_t steps = moment_steps(&machine->now), until = bound->steps;
    const struct moment *m = bound->until;

    *limits = (struct run_limits){.injects = goal->injects && !live->at_inject};
    limits->step = pass || (bound->steps && !live_counts(machine));
    if (!live_counts(machine))
        return;
    if (m && m->edge == EDGE_NONE) {
        /* With waits unknown: there, if no wait comes in between; else it is asked again. */
        uint64_t there = m->waits == MOMENT_ANY ? steps + (m->icount - machine->now.icount)
                                                : moment_steps(m);
        if (!until || there < until)
            until = there;
    }
    const struct moment *change = machine->history ? history_next_change(machine->history) : NULL;
    if (change && change->edge == EDGE_NONE && (!until || moment_steps(change) < until))
        until = moment_steps(change);
    if (machine->history && (!until || history_due(machine->history) < until - steps))
        until = steps + history_due(machine->history);
    limits->instructions = until;
}

/* A step where instructions are not counted: has dealing with the exit ended the instruction? Then
 * the guest stands elsewhere; one that reads a device, or is to be tried again, is not over yet. */
static bool
has_stepped(struct machine *machine)
{
    struct x86_regs regs;

    return machine->now.edge == EDGE_IN && machine->before_known &&
           !live_get_regs(machine, &regs, NULL) && regs.rip != machine->before.rip;
}

/* Is the machine at the bound, or behind it? */
static bool
at_bound(struct machine *machine, const struct live_bound *bound)
{
    if (bound->steps && !live_counts(machine) && has_stepped(machine))
        return true;
    if (bound->steps && live_counts(machine) && moment_steps(&machine->now) >= bound->steps &&
        machine->now.edge != EDGE_OUT)
        return true;
    if (!bound->until)
        return false;
    if (bound->until->edge == EDGE_NONE && machine->now.edge == EDGE_OUT)
        return false; /* in the middle of an exit: no instruction's moment */
    if (bound->until->edge == EDGE_NONE && bound->until->waits != MOMENT_ANY)
        return moment_steps(&machine->now) >= moment_steps(bound->until);
    return moment_compare(&machine->now, bound->until) >= 0;
}

/* Half an exit forward. True: *stop says where it came to; the goal may or may not ask for it. */
static bool
move(struct machine *machine, const struct machine_goal *goal, const struct live_bound *bound,
     bool pass, struct stop *stop)
{
    struct live *live = machine->own;
    struct run_result result = {0};
    struct run_limits limits;
    struct vm *vm = machine->vm;

    *stop = (struct stop){.why = STOP_EDGE};
    if (machine->vcpu->unhandled) {
        if (!handle(machine)) {
            *stop = (struct stop){.why = STOP_END};
            return true;
        }
        return goal->edges & EDGE_IN;
    }
    set_limits(machine, goal, bound, pass, &limits);
    bool at_exit = vm_run_to_exit(vm, machine->vcpu, &limits, &result);
    /* Interrupted before the interrupt was offered, it stands before that still. */
    live->at_inject &= !at_exit && result.end == RUN_STOPPED && !machine->vcpu->offered;
    if (!at_exit)
        return no_exit(machine, &result, stop);
    machine->exit = machine->vcpu->exit;
    arrived(machine, EDGE_OUT);
    return goal->edges & EDGE_OUT;
}

static int
go(struct machine *machine, const struct machine_goal *goal, const struct live_bound *bound,
   struct stop *stop, struct error *err)
{
    uint64_t from;
    int rc = arm(machine, goal->points, err);

    if (rc)
        return rc;
    /* At the edge out behind an instruction that is over, the guest has not come to the next one yet. */
    bool pass = !(machine->now.edge == EDGE_OUT && live_has_ended(machine)) &&
                at_execute_point(machine, &from);
    for (;;) {
        if (machine->ended) {
            *stop = (struct stop){.why = STOP_END};
            return 0;
        }
        if (machine->history)
            history_cross_change(machine->history);
        if (at_bound(machine, bound)) {
            *stop = (struct stop){.why = STOP_DONE};
            return 0;
        }
        /* A step ignores the point that it begins at; it may take an exit or two to be done. */
        pass = pass && still_there(machine, from);
        bool stopped = move(machine, goal, bound, pass, stop);
        if (machine->history && !machine->ended && machine->now.edge != EDGE_OUT)
            history_visit(machine->history);
        if (!stopped)
            continue;
        if (stop->why == STOP_DONE && !(bound->steps && !live_counts(machine))) {
            pass = false; /* over it: that was all this step was for */
            continue;
        }
        if (stop->why == STOP_DONE || stop->why == STOP_INTERRUPTED || stop->why == STOP_END ||
            !goal->wanted || goal->wanted(goal->context, machine, stop))
            return 0;
        if (stop->why == STOP_POINT)
            pass = at_execute_point(machine, &from);
    }
}

int
live_go(struct machine *machine, const struct machine_goal *goal, const struct live_bound *bound,
        struct stop *stop, struct error *err)
{
    struct recorder *recorder = machine->vm->recorder;
    int rc;

    if (recorder)
        recorder_go_on(recorder);
    rc = go(machine, goal, bound, stop, err);
    if (recorder)
        recorder_hold(recorder);
    return rc;
}

int
live_go_to(struct machine *machine, const struct moment *moment, struct stop *stop,
           struct error *err)
{
    const struct machine_goal nothing = {0};

    return live_go(machine, &nothing, &(struct live_bound){.until = moment}, stop, err);
}

static int
live_forward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
             struct error *err)
{
    uint64_t steps = goal->instructions ? moment_steps(&machine->now) + goal->instructions : 0;

    if (goal->instructions > 1 && !live_counts(machine))
        return error_set(err, ENOTSUP,
                         "engine %s does not count instructions: it can step one at a time only",
                         machine->engine);
    if (goal->instructions && !(machine->vm->engine_ops->caps & CAP_STEP))
        return error_set(err, ENOTSUP, "engine %s cannot step: use --engine soft", machine->engine);
    live_begin(machine);
    return live_go(machine, goal, &(struct live_bound){.steps = steps}, stop, err);
}

/* --- open and close ---------------------------------------------------------------------------------- */

static void
live_close(struct machine *machine)
{
    struct live *live = machine->own;

    if (machine->vm->engine && live->points && machine->vm->engine_ops->set_stops)
        machine->vm->engine_ops->set_stops(machine->vcpu, NULL, 0, NULL);
    machine->vm->journal = NULL;
    if (machine->history)
        history_close(machine->history);
    journal_free(&live->journal);
    free(live->point);
    free(live->recording);
    free(live->eyes);
    free(live);
    machine->own = NULL;
}

static const struct machine_ops live_ops = {
    .name = "live",
    .forward = live_forward,
    .backward = live_backward,
    .seek = live_seek,
    .get_regs = live_get_regs,
    .set_regs = live_set_regs,
    .read = live_read,
    .write = live_write,
    .set_points = live_set_points,
    .close = live_close,
};

bool
machine_at_inject(const struct machine *machine)
{
    return machine->ops == &live_ops && ((const struct live *)machine->own)->at_inject;
}

int
machine_open_live(struct machine *machine, struct vm *vm, const char *recording, struct error *err)
{
    struct live *live = calloc(1, sizeof(*live));

    if (!live || (recording && !(live->recording = strdup(recording)))) {
        free(live);
        return error_set(err, ENOMEM, "no memory for the debugger");
    }
    *machine = (struct machine){
        .ops = &live_ops,
        .engine = vm->engine_ops->name,
        .strategy = vm->strategy->name,
        .vm = vm,
        .vcpu = &vm->vcpu[0],
        .own = live,
    };
    machine->vcpu->resuming = true; /* as vm_run() begins */
    if (live_counts(machine) && vm->strategy->state && vm->engine_ops->state) {
        vm->journal = &live->journal;
        int rc = history_open(&machine->history, machine, err);
        if (rc) {
            machine_close(machine);
            return rc;
        }
    }
    return 0;
}
