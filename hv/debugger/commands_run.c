/*
 * commands_run.c - letting the machine run, and going to a moment of it.
 *
 * Called through table.c. Next: go.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/command.h"
#include "debugger/go.h"
#include "debugger/session.h"
#include "debugger/stops.h"

/* --- run, starti ------------------------------------------------------------------------------ */

static int
no_arguments(const char *arguments, const char *name, struct error *err)
{
    return *arguments ? error_set(err, EINVAL, "'%s' takes no arguments", name) : 0;
}

/* Has it not done anything yet? */
static bool
is_new(const struct machine *machine)
{
    return !machine->now.exits && !machine->now.icount && !machine->now.edge && !machine->ended;
}

/* A machine as it was switched on. */
static int
start_anew(struct debugger *debugger, struct error *err)
{
    int rc;

    if (debugger->machine->vm->engine_ops->caps & CAP_ICOUNT ? is_new(debugger->machine)
                                                             : !debugger->started)
        return 0;
    if (!debugger->restart)
        return error_set(err, ENOTSUP, "this machine cannot be started again");
    if ((rc = debugger->restart(debugger, err)))
        return rc;
    debugger->started = false;
    debugger->stops->changed = true;
    debugger->session->checkpoints = 0; /* they were moments of the other run */
    return 0;
}

static int
run_run(struct debugger *debugger, const char *arguments, struct error *err)
{
    int rc = no_arguments(arguments, "run", err);

    if (!rc)
        rc = start_anew(debugger, err);
    return rc ? rc : debugger_go_and_show(debugger, &(struct go){0}, err);
}

static int
run_starti(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct stop stop = {.why = STOP_BEGINNING};
    int rc = no_arguments(arguments, "starti", err);

    if (rc || (rc = start_anew(debugger, err)))
        return rc;
    debugger->session->hit = 0;
    debugger_stopped(debugger, &stop);
    return 0;
}

/* --- continue --------------------------------------------------------------------------------- */

static int
run_continue(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct session *session = debugger->session;
    struct stop_entry *entry;
    uint64_t count;
    int rc = debug_count(debugger, arguments, &count, err);

    if (rc)
        return rc;
    /* N: as gdb counts, the stop where we are is ignored N - 1 times more. */
    if (count > 1) {
        entry = session->hit ? stops_find(debugger->stops, session->hit, NULL) : NULL;
        if (!entry)
            return error_set(err, EINVAL,
                             "'continue N' goes past the breakpoint where the machine stands, and "
                             "it stands at none");
        entry->ignore = count - 1;
    }
    return debugger_go_and_show(debugger, &(struct go){0}, err);
}

static int
run_reverse_continue(struct debugger *debugger, const char *arguments, struct error *err)
{
    int rc = no_arguments(arguments, "reverse-continue", err);

    return rc ? rc : debugger_go_and_show(debugger, &(struct go){.back = true}, err);
}

/* --- moments ---------------------------------------------------------------------------------- */

static int
go_to(struct debugger *debugger, const struct moment *moment, struct error *err)
{
    struct machine *machine = debugger->machine;
    struct stop stop = {.why = STOP_DONE};
    int rc;

    debugger->session->hit = 0;
    debugger->started = true;
    fflush(debugger->out);
    rc = machine->ops->seek(machine, moment, &stop, err);
    if (!rc)
        debugger_stopped(debugger, &stop);
    return rc;
}

static bool
at_exit(void *context, struct machine *machine)
{
    const struct moment *moment = context;

    return machine->now.exits >= moment->exits;
}

/* Towards a moment that lies ahead, as far as --limit lets it. An interruption ends it: *stop. */
static int
go_ahead(struct debugger *debugger, const struct moment *moment, struct stop *stop,
         struct error *err)
{
    const struct moment *now = &debugger->machine->now;
    int rc = 0;

    if (!debugger->limits.exits && !debugger->limits.instructions)
        return 0;
    while (!rc && stop->why == STOP_DONE &&
           (moment->edge ? moment_compare(now, moment) < 0 : now->icount < moment->icount)) {
        struct go go = {.own_points_only = true};
        if (moment->edge) {
            go.edges = moment->edge;
            go.here = at_exit;
            go.context = (void *)moment;
        } else {
            go.instructions = moment->icount - now->icount;
        }
        rc = debugger_go(debugger, &go, stop, err);
    }
    return rc;
}

static int
run_seek(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct moment moment = {0};
    struct stop stop = {.why = STOP_DONE};
    bool instructions = !strncmp(arguments, "icount", 6);
    struct value value;
    int rc;

    if (instructions) {
        arguments += 6;
        arguments += strspn(arguments, " \t");
        if (*arguments++ != '=')
            return error_set(err, EINVAL, "seek by instructions is 'seek icount=N'");
    }
    if (!*arguments)
        return error_set(err, EINVAL,
                         "seek what? 'seek N' goes to exit N, 'seek icount=N' to "
                         "where N instructions have been executed");
    if ((rc = expr_evaluate_all(debugger, arguments, &value, err)))
        return rc;
    if (value.bits > INT64_MAX)
        return error_set(err, EINVAL,
                         "'%s' is no moment: exits and instructions are counted from 0, "
                         "'reverse-stepexit N' goes back by N",
                         arguments);
    if (instructions) {
        moment.icount = value.bits;
        moment.waits = MOMENT_ANY;
    } else {
        moment.exits = value.bits;
        if (value.bits)
            moment.edge = debugger->settings.exit_edge & EDGE_OUT ? EDGE_OUT : EDGE_IN;
    }
    if ((rc = go_ahead(debugger, &moment, &stop, err)))
        return rc;
    if (stop.why == STOP_INTERRUPTED) {
        debugger_stopped(debugger, &stop);
        return 0;
    }
    return go_to(debugger, &moment, err);
}

/* "exit 17, its edge out, after 1538 instructions" */
static void
print_moment(FILE *out, const struct moment *moment)
{
    fprintf(out, "exit %" PRIu64, moment->exits);
    if (moment->edge)
        fprintf(out, ", its edge %s", moment->edge == EDGE_OUT ? "out" : "in");
    if (moment->icount || moment->edge == EDGE_NONE)
        fprintf(out, ", after %" PRIu64 " instructions", moment->icount);
}

static int
run_when(struct debugger *debugger, const char *arguments, struct error *err)
{
    const struct machine *machine = debugger->machine;
    int rc = no_arguments(arguments, "when", err);

    if (rc)
        return rc;
    print_moment(debugger->out, &machine->now);
    if (machine->exits_seen > machine->now.exits)
        fprintf(debugger->out, "; the run is known up to exit %" PRIu64, machine->exits_seen);
    if (machine->ended)
        fprintf(debugger->out, "; %s", run_end_text(machine->result.end));
    fputc('\n', debugger->out);
    return 0;
}

void
session_print_checkpoints(const struct debugger *debugger)
{
    for (unsigned i = 0; i < debugger->session->checkpoints; i++) {
        fprintf(debugger->out, "checkpoint %u: ", i + 1);
        print_moment(debugger->out, &debugger->session->checkpoint[i]);
        fputc('\n', debugger->out);
    }
}

static int
run_checkpoint(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct session *session = debugger->session;
    int rc = no_arguments(arguments, "checkpoint", err);
    struct moment *all;

    if (rc)
        return rc;
    all = realloc(session->checkpoint, (session->checkpoints + 1) * sizeof(*all));
    if (!all)
        return error_set(err, ENOMEM, "no memory for a checkpoint");
    session->checkpoint = all;
    all[session->checkpoints++] = debugger->machine->now;
    fprintf(debugger->out, "checkpoint %u: ", session->checkpoints);
    print_moment(debugger->out, &debugger->machine->now);
    fputc('\n', debugger->out);
    return 0;
}

static int
run_restart(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct session *session = debugger->session;
    uint64_t number;
    int rc = debug_count(debugger, arguments, &number, err);

    if (rc)
        return rc;
    if (!session->checkpoints)
        return error_set(err, ENOENT,
                         "there is no checkpoint: 'checkpoint' makes one, 'run' "
                         "starts the machine again");
    if (number > session->checkpoints)
        return error_set(err, ENOENT, "there are checkpoints 1 to %u", session->checkpoints);
    return go_to(debugger, &session->checkpoint[number - 1], err);
}

/* clang-format off */
const struct debug_command commands_run[] = {
    {"run", "r", "run", "", "Start the machine again, and let it run",
     "All stops hold; what was typed into the guest is not typed again.",
     "run", COMPLETE_NOTHING, COMMAND_LIVE, NULL, run_run},
    {"starti", NULL, "run", "", "Start the machine again, and stand before its first instruction", NULL,
     "starti", COMPLETE_NOTHING, COMMAND_LIVE, NULL, run_starti},
    {"continue", "c", "run", "[N]", "Run until a stop, the end, or Ctrl-C",
     "With N: go past the present stop N - 1 times.",
     "continue", COMPLETE_EXPRESSION, COMMAND_REPEATS, NULL, run_continue},
    {"reverse-continue", "rc", "run", "", "Run backwards until a stop, or the beginning",
     "Needs an engine that counts instructions (soft), or a recording.",
     "reverse-continue", COMPLETE_NOTHING, COMMAND_REPEATS | COMMAND_BACK, NULL, run_reverse_continue},
    {"seek", NULL, "run", "N | icount=N", "Go to exit N, or to where N instructions were executed",
     "Forwards or backwards. Exits are numbered from 1, as in 'hv trace' and in every\n"
     "picture; 0 is where the machine was switched on. No stop holds on the way.",
     "seek 17", COMPLETE_EXPRESSION, 0, NULL, run_seek},
    {"when", NULL, "run", "", "Where the machine is: exit, edge, instructions", NULL,
     "when", COMPLETE_NOTHING, 0, NULL, run_when},
    {"checkpoint", NULL, "run", "", "Remember this moment, for 'restart'", NULL,
     "checkpoint", COMPLETE_NOTHING, 0, NULL, run_checkpoint},
    {"restart", NULL, "run", "[N]", "Go to checkpoint N (1)", "'info checkpoints' lists them.",
     "restart 2", COMPLETE_EXPRESSION, 0, NULL, run_restart},
    {0},
};
/* clang-format on */
