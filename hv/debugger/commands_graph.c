/*
 * commands_graph.c - `graph`: the pictures of hv graph, of the run so far.
 *
 * The text of a picture is made in tracer/view_*.c; here the card of one exit gets what a recording
 * does not hold, the registers before and after. Called through the table of commands_output.c.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "debugger/graph.h"
#include "debugger/recording.h"
#include "tracer/card.h"
#include "tracer/dot.h"

#define LADDER_EXITS 20 /* up to the present one, if nothing else is asked for */

extern char **environ;

/* --- registers at an exit --------------------------------------------------------------------- */

struct registers {
    struct x86_regs before, after;
    bool before_known, after_known;
};

/* The registers at one edge: where the machine stands, or by going there. */
static bool
registers_at(struct debugger *debugger, uint64_t exit, enum machine_edge edge,
             struct x86_regs *regs, bool *interrupted)
{
    struct machine *machine = debugger->machine;
    struct moment moment = {.exits = exit, .edge = edge};
    struct stop stop = {.why = STOP_DONE};
    int rc;

    if (*interrupted)
        return false;
    if (!machine->vm || (!machine_can_go_back(machine, NULL) &&
                         (machine->now.exits != exit || machine->now.edge != edge)))
        return false;
    if (machine->now.exits != exit || machine->now.edge != edge) {
        rc = machine->ops->seek(machine, &moment, &stop, NULL);
        *interrupted = !rc && stop.why == STOP_INTERRUPTED;
        if (rc || machine->now.exits != exit || machine->now.edge != edge)
            return false;
    }
    return !machine->ops->get_regs(machine, regs, NULL);
}

/* Both edges, and back to where the machine was, whoever interrupts. -EINTR: somebody did. */
static int
read_registers(struct debugger *debugger, uint64_t exit, struct registers *r, struct error *err)
{
    struct machine *machine = debugger->machine;
    const struct moment was = machine->now;
    const struct x86_regs before = machine->before;
    const bool before_known = machine->before_known;
    bool interrupted = false;
    struct stop stop;
    int rc = 0;

    r->before_known = registers_at(debugger, exit, EDGE_OUT, &r->before, &interrupted);
    r->after_known = registers_at(debugger, exit, EDGE_IN, &r->after, &interrupted);
    while (!rc && machine->vm && moment_compare(&machine->now, &was)) {
        rc = machine->ops->seek(machine, &was, &stop, err);
        interrupted |= !rc && stop.why == STOP_INTERRUPTED;
    }
    machine->before = before;
    machine->before_known = before_known;
    return !rc && interrupted ? error_set(err, EINTR, "interrupted: there is no picture") : rc;
}

/* What the card's callbacks are given. */
struct graph {
    struct view_options inner; /* as recording_view() filled it */
    const struct registers *registers;
};

static void
add_card(void *context, struct card *card, const struct trace_event *exit)
{
    const struct graph *graph = context;
    const struct registers *r = graph->registers;

    if (graph->inner.card)
        graph->inner.card(graph->inner.context, card, exit);
    if (!r->before_known && !r->after_known)
        return;
    for (unsigned i = 0; i < x86_reg_count; i++) {
        const struct reg_desc *d = &x86_reg_table[i];
        char before[32], after[32];
        uint64_t a = x86_reg_value(&r->before, d), b = x86_reg_value(&r->after, d);
        bool general = !strcmp(d->group, "general"), differ = a != b;
        if (!general && !(r->before_known && r->after_known && differ))
            continue;
        snprintf(before, sizeof(before), "%0*" PRIx64, 2 * d->size, a);
        snprintf(after, sizeof(after), "%0*" PRIx64, 2 * d->size, b);
        card_add_register(card, d->name, r->before_known ? before : NULL,
                          r->after_known ? after : NULL);
    }
}

static void
resolve(void *context, uint64_t rip, char *text, size_t size)
{
    const struct graph *graph = context;

    graph->inner.resolve(graph->inner.context, rip, text, size);
}

/* --- arguments -------------------------------------------------------------------------------- */

/* "[RANGE] [FILE]": RANGE is N or FIRST:LAST without blanks, and begins with a digit or '$'. */
static int
parse_arguments(struct debugger *debugger, const char *text, struct view_options *o,
                const char **file, struct error *err)
{
    size_t n = strcspn(text, " \t");
    char range[64], *colon;
    struct value first, last;
    int rc;

    *file = text;
    if (!isdigit((unsigned char)*text) && *text != '$')
        return 0;
    if (n >= sizeof(range))
        return error_set(err, EINVAL, "a range is FIRST:LAST, as in 10:20");
    memcpy(range, text, n);
    range[n] = 0;
    if ((colon = strchr(range, ':')))
        *colon++ = 0;
    if ((rc = expr_evaluate_all(debugger, range, &first, err)) ||
        (rc = expr_evaluate_all(debugger, colon ? colon : range, &last, err)))
        return rc;
    if (!first.bits || last.bits < first.bits)
        return error_set(err, ERANGE,
                         "a range is FIRST:LAST, as in 10:20; exits are numbered from 1");
    o->from = first.bits;
    o->limit = last.bits - first.bits + 1;
    *file = text + n + strspn(text + n, " \t");
    return 0;
}

/* What is drawn if nobody says. */
static void
default_range(const struct debugger *debugger, const struct view_ops *view,
              const struct trace *trace, struct view_options *o)
{
    uint64_t now = debugger_this_exit(debugger);

    if (o->from)
        return;
    if (!now)
        now = trace->exits ? 1 : 0;
    if (view == &view_card) {
        o->from = now;
        o->limit = 1;
    } else if (view == &view_ladder) {
        o->from = now > LADDER_EXITS ? now - LADDER_EXITS + 1 : now ? 1 : 0;
        o->limit = LADDER_EXITS;
    }
}

/* --- showing ---------------------------------------------------------------------------------- */

/* `set graph-viewer`: the shell starts it and does not wait. Whether it works is its own matter. */
static void
show_picture(struct debugger *debugger, const char *file)
{
    char command[sizeof(debugger->settings.graph_viewer) + 64];
    char *arguments[] = {"sh", "-c", command, "sh", (char *)file, NULL};
    pid_t child;

    if (!debugger->settings.graph_viewer[0])
        return;
    snprintf(command, sizeof(command), "%s \"$1\" </dev/null >/dev/null 2>&1 &",
             debugger->settings.graph_viewer);
    fflush(debugger->out);
    if (!posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ))
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
}

static int
draw_trace(struct debugger *debugger, const struct view_ops *view, const char *arguments,
           const struct trace *trace, struct error *err)
{
    struct view_options options = {.out = debugger->out};
    struct registers registers = {.before_known = false};
    struct graph graph;
    const char *file;
    char name[64];
    int rc = parse_arguments(debugger, arguments, &options, &file, err);

    if (rc)
        return rc;
    if (!trace->exits)
        return error_set(err, ENODATA, "there was no exit yet: 'stepexit' goes on to the next");
    default_range(debugger, view, trace, &options);
    if (view == &view_card && (rc = read_registers(debugger, options.from, &registers, err)))
        return rc;
    if (!*file && view == &view_card)
        snprintf(name, sizeof(name), "hv-card-%" PRIu64 ".svg", options.from);
    else if (!*file)
        snprintf(name, sizeof(name), "hv-%s.svg", view->name);
    if (!*file)
        file = name;
    recording_view(&options, trace, debugger->machine->symbols);
    graph = (struct graph){.inner = options, .registers = &registers};
    options.context = &graph;
    options.resolve = resolve;
    options.card = add_card;
    rc = dot_write(view, trace, &options, file, err->message, sizeof(err->message));
    if (rc)
        return rc;
    fprintf(debugger->out, "%s\n", file);
    show_picture(debugger, file);
    return 0;
}

int
debug_graph(struct debugger *debugger, const struct view_ops *view, const char *arguments,
            struct error *err)
{
    struct trace own, *trace;
    bool close;
    int rc = machine_trace(debugger->machine, &own, &trace, &close, err);

    if (rc)
        return rc;
    rc = draw_trace(debugger, view, arguments, trace, err);
    if (close)
        trace_close(trace);
    return rc;
}

static int
run_state(struct debugger *debugger, const char *arguments, struct error *err)
{
    return debug_graph(debugger, &view_state, arguments, err);
}

static int
run_ladder(struct debugger *debugger, const char *arguments, struct error *err)
{
    return debug_graph(debugger, &view_ladder, arguments, err);
}

static int
run_card(struct debugger *debugger, const char *arguments, struct error *err)
{
    return debug_graph(debugger, &view_card, arguments, err);
}

static int
run_timeline(struct debugger *debugger, const char *arguments, struct error *err)
{
    return debug_graph(debugger, &view_timeline, arguments, err);
}

static int
run_flame(struct debugger *debugger, const char *arguments, struct error *err)
{
    return debug_graph(debugger, &view_flame, arguments, err);
}

#define RANGE_TEXT                                                                                 \
    "RANGE is FIRST:LAST, numbers of exits. FILE ends with .svg, .png, .pdf or .dot;\n"            \
    "without it the picture goes into the working folder. 'set graph-viewer' says\n"               \
    "which program shows it."

/* clang-format off */
const struct debug_command commands_graph[] = {
    {"state", NULL, "output", "[RANGE] [FILE]", "Who hands control to whom, why, how often, at what cost",
     RANGE_TEXT, "graph state 1:200 boot.svg", COMPLETE_FILE, 0, NULL, run_state},
    {"ladder", NULL, "output", "[RANGE] [FILE]", "One transfer after the other; the last 20 exits",
     RANGE_TEXT, "graph ladder 10:30", COMPLETE_FILE, 0, NULL, run_ladder},
    {"card", NULL, "output", "[N] [FILE]", "All that is known of one exit; the present one",
     "With registers before and after where the machine can go to both edges.",
     "graph card 17", COMPLETE_FILE, 0, NULL, run_card},
    {"timeline", NULL, "output", "[RANGE] [FILE]", "The run from left to right: where control was",
     RANGE_TEXT, "graph timeline", COMPLETE_FILE, 0, NULL, run_timeline},
    {"flame", NULL, "output", "[RANGE] [FILE]", "Exits by domain, reason and function", RANGE_TEXT,
     "graph flame", COMPLETE_FILE, 0, NULL, run_flame},
    {0},
};
/* clang-format on */
