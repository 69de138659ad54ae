/*
 * go.c - see go.h: one movement of the machine under all that the user wants to stop at.
 *
 * Next: stops.c, which knows the user's stops.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/console.h"
#include "debugger/catch.h"
#include "debugger/explain.h"
#include "debugger/go.h"
#include "debugger/session.h"
#include "debugger/stops.h"
#include "loader/symbols.h"

/* What the machine asks about while it moves. */
struct going {
    struct debugger *debugger;
    const struct go *go;
    struct stop_entry *hit; /* forwards: what it stops at; NULL: not one of the user's */
};

/* The guest's output is in front of ours, and ours begins on a line of its own. */
void
debugger_flush_guest(struct debugger *debugger)
{
    struct console *con = debugger->machine->vm ? debugger->machine->vm->console : NULL;

    if (!con)
        return;
    console_flush(con);
    if (con->out == STDOUT_FILENO && con->last && con->last != '\n') {
        fputc('\n', debugger->out);
        con->last = '\n';
    }
}

/* `trace on`: "     17  io  write byte ... at console_put+0x1c" for each exit as it happens. */
static void
print_exit(struct debugger *debugger)
{
    struct machine *machine = debugger->machine;
    struct subject subject = {
        .debugger = debugger,
        .machine = machine,
        .number = machine->now.exits,
        .exit = machine->exit,
        .here = true,
        .edge = EDGE_OUT,
    };
    char operands[DECODE_SIZE], place[DECODE_SIZE];

    subject.has_regs = !machine->ops->get_regs(machine, &subject.regs, NULL);
    debugger_flush_guest(debugger);
    decode_exit(&subject, operands, sizeof(operands));
    fprintf(debugger->out, "%9" PRIu64 "  %s%s%s at %s\n", machine->now.exits,
            trace_kinds[machine->exit.kind].name, operands[0] ? ": " : "", operands,
            symbols_format(machine->symbols, machine->exit.rip, place, sizeof(place)));
}

/* --limit: is the run's budget used up? */
static bool
over_limit(const struct debugger *debugger)
{
    const struct run_limits *limits = &debugger->limits;
    const struct moment *now = &debugger->machine->now;

    return (limits->exits && now->exits >= limits->exits) ||
           (limits->instructions && now->icount + now->waits >= limits->instructions);
}

/* What is left of it, into the goal. */
static void
limit_goal(const struct debugger *debugger, struct machine_goal *goal)
{
    const struct moment *now = &debugger->machine->now;
    uint64_t limit = debugger->limits.instructions, done = now->icount + now->waits;

    if (debugger->limits.exits)
        goal->edges |= EDGE_OUT;
    if (limit && (!goal->instructions || goal->instructions > limit - done))
        goal->instructions = limit - done;
}

static int
limit_error(struct debugger *debugger, struct error *err)
{
    debugger_flush_guest(debugger); /* the sentence begins on a line of its own */
    return error_set(err, EDQUOT,
                     "the limit is used up, after %" PRIu64 " exits and %" PRIu64 " instructions",
                     debugger->machine->now.exits, debugger->machine->now.icount);
}

/* Is the machine where the command itself wanted to come? */
static bool
is_place(const struct going *going, struct machine *machine, const struct stop *stop)
{
    const struct go *go = going->go;
    const struct stops *stops = going->debugger->stops;

    if (stop->why == STOP_EDGE)
        return (go->edges & machine->now.edge) && !(go->skip_kinds >> machine->exit.kind & 1) &&
               (!go->here || go->here(go->context, machine));
    if (stop->why != STOP_POINT || !go->place || stop->point >= stops->points)
        return false;
    return stops->point[stop->point].address == go->place->address &&
           stops->point[stop->point].kind == go->place->kind &&
           (!go->here || go->here(go->context, machine));
}

/* machine_goal's question. */
static bool
wanted(void *context, struct machine *machine, const struct stop *stop)
{
    struct going *going = context;
    struct debugger *debugger = going->debugger;

    if (debugger->session->tracing && !going->go->back && stop->why == STOP_EDGE &&
        machine->now.edge == EDGE_OUT)
        print_exit(debugger);
    going->hit = going->go->own_points_only ? NULL : stops_hit(debugger, stop, going->go->back);
    if (!going->go->back && over_limit(debugger))
        return true;
    return going->hit || is_place(going, machine, stop);
}

/* A watchpoint holds behind the instruction that wrote. On the way back that is a place before which
 * nothing has changed yet; as in gdb we stand in front of the instruction, with what was overwritten
 * back in its place. (gdb itself would not believe the watchpoint else.) Who interrupts this last step
 * has been found a stop, and gets that; but what a script has behind it is not begun. */
static int
undo_write(struct machine *machine, struct error *err)
{
    const struct machine_goal goal = {.instructions = 1};
    const struct x86_regs before = machine->before; /* where the user came from */
    const bool known = machine->before_known;
    struct stop ignored;
    bool interrupted = false;
    int rc;

    while (!(rc = machine->ops->backward(machine, &goal, &ignored, err)) &&
           ignored.why == STOP_INTERRUPTED)
        interrupted = true;
    if (interrupted)
        machine_interrupt(machine);
    machine->before = before;
    machine->before_known = known;
    return rc;
}

/* Where somebody sits at a terminal, a guest that waits at its shell takes its time: it would else run
 * through hours of ticks, and record them, until Ctrl-C. */
static int
move(struct debugger *debugger, const struct go *go, struct machine_goal *goal, struct stop *stop,
     struct error *err)
{
    struct machine *machine = debugger->machine;
    int rc;

    if (go->back)
        return machine->ops->backward(machine, goal, stop, err);
    if (machine->vm)
        machine->vm->paced = debugger->interactive && !go->instructions;
    rc = machine->ops->forward(machine, goal, stop, err);
    if (machine->vm)
        machine->vm->paced = false;
    return rc;
}

int
debugger_go(struct debugger *debugger, const struct go *go, struct stop *stop, struct error *err)
{
    struct machine *machine = debugger->machine;
    struct going going = {.debugger = debugger, .go = go};
    struct machine_goal goal = {.wanted = wanted, .context = &going};
    struct session *session = debugger->session;
    int rc;

    session->hit = 0;
    debugger->started = true;
    debugger->stops->note.message[0] = 0;
    if (!go->back && over_limit(debugger))
        return limit_error(debugger, err);
    if ((rc = stops_prepare(debugger, go, &goal, err)))
        return rc;
    if (!go->back)
        limit_goal(debugger, &goal);
    fflush(debugger->out);
    memset(stop, 0, sizeof(*stop));
    if ((rc = move(debugger, go, &goal, stop, err)))
        return rc;
    if (machine->vm && machine->vm->console)
        console_flush(machine->vm->console);
    if (stop->why == STOP_DONE && !go->back && over_limit(debugger) &&
        goal.instructions != go->instructions)
        return limit_error(debugger, err);
    if (stop->why != STOP_POINT && stop->why != STOP_EDGE && stop->why != STOP_INJECT)
        return 0;
    if (!go->back && !going.hit && over_limit(debugger) && !is_place(&going, machine, stop))
        return limit_error(debugger, err);
    if (go->back) /* it was asked about more places than this one */
        going.hit = go->own_points_only ? NULL : stops_hit(debugger, stop, true);
    if (go->back && stop->why == STOP_POINT && going.hit &&
        (going.hit->type == WATCH_WRITE || going.hit->type == WATCH_ACCESS) &&
        (rc = undo_write(machine, err)))
        return rc;
    if (going.hit)
        session->hit = going.hit->number;
    if (stop->why == STOP_POINT && going.hit)
        stop->point = going.hit->number;
    else if (stop->why == STOP_POINT)
        *stop = (struct stop){.why = STOP_DONE};
    return 0;
}

void
debugger_stopped(struct debugger *debugger, const struct stop *stop)
{
    struct session *session = debugger->session;
    struct stop_entry *entry = session->hit ? stops_find(debugger->stops, session->hit, NULL)
                                            : NULL;
    const char *commands = entry ? entry->commands : NULL;
    bool silent = commands && !strncmp(commands, "silent\n", 7);

    debugger_flush_guest(debugger);
    free(session->pending);
    session->pending = NULL;
    if (entry && entry->type >= CATCH_EXIT && !silent)
        fprintf(debugger->out, "catchpoint %u (%s)\n", entry->number, entry->what);
    if (debugger->stops->note.message[0])
        fprintf(debugger->out, "%s\n", debugger->stops->note.message);
    if (!silent)
        debugger_show_stop(debugger, stop);
    if (!silent && entry && entry->type >= WATCH_WRITE && entry->type <= WATCH_ACCESS)
        stops_show_watched(debugger, entry);
    if (commands)
        session->pending = strdup(commands + (silent ? 7 : 0));
    if (entry)
        stops_used(debugger->stops, entry);
}

int
debugger_go_and_show(struct debugger *debugger, const struct go *go, struct error *err)
{
    struct stop stop;
    int rc = debugger_go(debugger, go, &stop, err);

    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}
