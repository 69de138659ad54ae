/*
 * postmortem.c - a recording that looks like a machine: its exits can be walked both ways.
 *
 * Where it stands is an event: an exit (EDGE_OUT), the entry after it (EDGE_IN), or the hand-over of
 * an interrupt. It knows what the recording knows: of registers rip alone, of memory what the guest's
 * file has and the guest may not write.
 *
 * Called through machine_ops. Next: tracer/read.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "debugger/machine.h"
#include "loader/symbols.h"

#define BEGINNING   UINT64_MAX /* + 1 is the first event */
#define LOOK_AROUND 4096u      /* events between two looks at machine->interrupted */

struct past {
    uint64_t at; /* event, or BEGINNING, or the number of events: the end */
};

static uint64_t *
place(struct machine *machine)
{
    return &((struct past *)machine->own)->at;
}

/* --- standing at an event ------------------------------------------------------------------------------ */

/* What was read came back from the device after the exit: the last answer before event `end`. */
static void
add_answer(const struct trace *trace, uint64_t from, uint64_t end, struct vm_exit *exit)
{
    if ((exit->kind != TRACE_IO && exit->kind != TRACE_MMIO) || exit->access.write)
        return;
    for (uint64_t i = from; i < end; i++)
        if (trace->events[i].kind == TRACE_RETURN &&
            trace->events[i].address == exit->access.address)
            exit->access.value = trace->events[i].value;
}

/* How the run ended, as far as its last event tells. */
static void
read_end(struct machine *machine)
{
    static const enum run_end ends[TRACE_KIND_COUNT] = {
        [TRACE_IO] = RUN_POWER_OFF,        [TRACE_MMIO] = RUN_POWER_OFF,
        [TRACE_HYPERCALL] = RUN_POWER_OFF, [TRACE_HLT] = RUN_HALTED,
        [TRACE_SHUTDOWN] = RUN_SHUTDOWN,   [TRACE_SYSTEM_EVENT] = RUN_RESET,
        [TRACE_LIMIT] = RUN_LIMIT,         [TRACE_KICK] = RUN_STOPPED,
        [TRACE_DEBUG] = RUN_STOPPED,
    };
    const struct trace *trace = machine->trace;
    const struct trace_event *last = trace->count ? &trace->events[trace->count - 1] : NULL;

    machine->result = (struct run_result){.end = RUN_FAILED};
    if ((!last || last->kind != TRACE_END) && trace->closed) {
        machine->result.end = RUN_STOPPED;
        error_set(&machine->result.message, ENODATA,
                  "the recording stops here: its user left the debugger, or saved it");
        return;
    }
    if (!last || last->kind != TRACE_END) {
        error_set(&machine->result.message, ENODATA,
                  "the recording stops here: hv was killed, or it goes on still");
        return;
    }
    /* The table's zero is RUN_POWER_OFF, so ask which kinds it has. */
    if (last->address < TRACE_KIND_COUNT &&
        (ends[last->address] || last->address == TRACE_IO || last->address == TRACE_MMIO ||
         last->address == TRACE_HYPERCALL))
        machine->result.end = ends[last->address];
    machine->result.status = (int)last->value;
}

/* Stands at event `at`. */
static void
stand(struct machine *machine, uint64_t at)
{
    const struct trace *trace = machine->trace;
    uint64_t exit;

    *place(machine) = at;
    machine->now = (struct moment){0};
    machine->exit = (struct vm_exit){0};
    machine->ended = at >= trace->count && at != BEGINNING;
    machine->before_known = false;
    if (at == BEGINNING)
        return;
    uint64_t end = machine->ended ? trace->count : at + 1;
    machine->now.exits = trace_exits_before(trace, end);
    if (end)
        machine->now.icount = trace->events[end - 1].icount;
    if (machine->ended)
        read_end(machine);
    if (trace_find_exit(trace, machine->now.exits, &exit))
        return; /* before the first one */
    machine_exit_of_event(&machine->exit, &trace->events[exit]);
    machine->now.edge = exit == at ? EDGE_OUT : EDGE_IN;
    if (exit != at)
        add_answer(trace, exit, end, &machine->exit);
}

/* Does event i end the exit before it? What the host's kernel answers may come after exits of other
 * processes: then it ends none that one could stand at. */
static bool
is_entry(const struct trace *trace, uint64_t i)
{
    const struct trace_event *e = &trace->events[i];
    uint64_t at;

    return e->kind == TRACE_ENTRY || (e->kind == TRACE_HOST_RETURN &&
                                      !trace_find_exit(trace, trace_exits_before(trace, i), &at) &&
                                      trace->events[at].vcpu == e->vcpu);
}

/* --- moving -------------------------------------------------------------------------------------------- */

/* Is event i a place to stop at, for this goal? */
static bool
is_stop(const struct trace *trace, uint64_t i, const struct machine_goal *goal, struct stop *stop)
{
    const struct trace_event *e = &trace->events[i];

    if (e->kind == TRACE_INJECT && goal->injects) {
        *stop = (struct stop){.why = STOP_INJECT, .point = (unsigned)e->address};
        return true;
    }
    *stop = (struct stop){.why = STOP_EDGE};
    if (trace->kind[e->kind].class == TRACE_CLASS_EXIT)
        return goal->edges & EDGE_OUT;
    /* The entry with which the run began belongs to no exit. */
    return is_entry(trace, i) && goal->edges & EDGE_IN && trace_exits_before(trace, i);
}

/* In steps of one event, forward or back, until a wanted stop. False: none. */
static bool
walk(struct machine *machine, const struct machine_goal *goal, uint64_t step, struct stop *stop)
{
    const struct trace *trace = machine->trace;
    uint64_t from = *place(machine);

    for (uint64_t i = from + step, n = 0; i < trace->count; i += step, n++) {
        if (n % LOOK_AROUND == 0 && machine->interrupted) {
            machine_forget_interrupt(machine);
            *stop = (struct stop){.why = STOP_INTERRUPTED};
            return true;
        }
        if (!is_stop(trace, i, goal, stop))
            continue;
        stand(machine, i);
        if (!goal->wanted || goal->wanted(goal->context, machine, stop))
            return true;
    }
    return false;
}

static int
no_instructions(struct error *err)
{
    return error_set(err, ENOTSUP,
                     "a recording has no instructions between its exits: use stepexit or "
                     "reverse-stepexit, or run the guest again with 'hv debug GUEST'");
}

static int
past_forward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
             struct error *err)
{
    if (goal->instructions)
        return no_instructions(err);
    if (!walk(machine, goal, 1, stop)) {
        stand(machine, machine->trace->count);
        *stop = (struct stop){.why = STOP_END};
    }
    return 0;
}

static int
past_backward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
              struct error *err)
{
    if (goal->instructions)
        return no_instructions(err);
    if (*place(machine) == BEGINNING || !walk(machine, goal, UINT64_MAX, stop)) {
        stand(machine, BEGINNING);
        *stop = (struct stop){.why = STOP_BEGINNING};
    }
    return 0;
}

/* The entry after exit event `at`; false: none before the next exit. */
static bool
find_entry(const struct trace *trace, uint64_t at, uint64_t *entry)
{
    for (uint64_t i = at + 1; i < trace->count; i++) {
        if (trace->kind[trace->events[i].kind].class == TRACE_CLASS_EXIT)
            return false;
        if (is_entry(trace, i)) {
            *entry = i;
            return true;
        }
    }
    return false;
}

static int
past_seek(struct machine *machine, const struct moment *moment, struct stop *stop,
          struct error *err)
{
    const struct trace *trace = machine->trace;
    uint64_t at;

    *stop = (struct stop){.why = STOP_DONE};
    if (!moment->exits && (moment->edge != EDGE_NONE || !moment->icount)) {
        stand(machine, BEGINNING);
        return 0;
    }
    if (moment->edge == EDGE_NONE)
        return no_instructions(err);
    if (trace_find_exit(trace, moment->exits, &at))
        return error_set(err, ERANGE, "the recording ends before that: with exit %" PRIu64,
                         trace->exits);
    if (moment->edge == EDGE_IN && !find_entry(trace, at, &at)) {
        if (moment->exits < trace->exits)
            return error_set(err, ERANGE, "no entry into the guest follows exit %" PRIu64,
                             moment->exits);
        at = trace->count; /* the run ended with it */
    }
    stand(machine, at);
    return 0;
}

/* --- looking -------------------------------------------------------------------------------------------- */

static int
past_get_regs(struct machine *machine, struct x86_regs *regs, struct error *err)
{
    (void)machine;
    (void)regs;
    return error_set(err, ENODATA,
                     "a recording has no registers but rip: run the guest again with 'hv debug "
                     "GUEST' and 'seek' the same exit");
}

static int
cannot_change(struct error *err)
{
    return error_set(err, ENOTSUP, "a recording cannot be changed: it has happened");
}

static int
past_set_regs(struct machine *machine, const struct x86_regs *regs, struct error *err)
{
    (void)machine;
    (void)regs;
    return cannot_change(err);
}

static int
past_read(struct machine *machine, enum machine_space space, uint64_t address, void *to,
          size_t size, struct error *err)
{
    if (space == SPACE_LINEAR && machine->symbols &&
        symbols_bytes(machine->symbols, address, to, size) == size)
        return 0;
    return error_set(err, EFAULT,
                     "a recording has no memory: 0x%" PRIx64 " can be told only if it is in the "
                     "guest's file and the guest cannot write it",
                     address);
}

static int
past_write(struct machine *machine, enum machine_space space, uint64_t address, const void *from,
           size_t size, struct error *err)
{
    (void)machine;
    (void)space;
    (void)address;
    (void)from;
    (void)size;
    return cannot_change(err);
}

static int
past_set_points(struct machine *machine, const struct stop_point *points, unsigned count,
                struct error *err)
{
    (void)machine;
    (void)points;
    return count
               ? error_set(err, ENOTSUP,
                           "a recording cannot stop at instructions or accesses: use 'catch exit'")
               : 0;
}

static void
past_close(struct machine *machine)
{
    free(machine->own);
    machine->own = NULL;
}

static const struct machine_ops past_ops = {
    .name = "recording",
    .forward = past_forward,
    .backward = past_backward,
    .seek = past_seek,
    .get_regs = past_get_regs,
    .set_regs = past_set_regs,
    .read = past_read,
    .write = past_write,
    .set_points = past_set_points,
    .close = past_close,
};

int
machine_open_recording(struct machine *machine, struct trace *trace, struct symbols *symbols,
                       struct error *err)
{
    struct past *past = calloc(1, sizeof(*past));

    if (!past)
        return error_set(err, ENOMEM, "no memory for the debugger");
    *machine = (struct machine){.ops = &past_ops,
                                .engine = trace->engine,
                                .strategy = trace->strategy,
                                .trace = trace,
                                .symbols = symbols,
                                .exits_seen = trace->exits,
                                .own = past};
    stand(machine, BEGINNING);
    return 0;
}
