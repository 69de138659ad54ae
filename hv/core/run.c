/*
 * run.c - the run loop: enter the guest, and deal with what it comes out for.
 *
 * Each turn: bring devices up to the guest's time, hand over an interrupt if one is due and the
 * guest can take it, enter, record the exit, let the strategy and then the exit table handle it,
 * record the entry. Called by hv/cli/cmd_run.c and the debugger. Next: dispatch.c.
 */
#include <errno.h>

#include "base/util.h"
#include "core/journal.h"
#include "core/recording.h"
#include "core/vm.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

/* How often the console is asked for input, in ns of guest time. */
#define INPUT_INTERVAL 5000000u

/* --- between exits ---------------------------------------------------------------------------- */

/* The next byte that was typed, or -1. It goes into the journal, or comes from there. */
static int
take_byte(struct vm *vm, struct vcpu *vcpu)
{
    uint64_t icount = vm->engine_ops->icount(vcpu);
    int byte;

    if (journal_replays(vm->journal, icount, vm->waits)) {
        const struct journal_entry *next = journal_next(vm->journal, icount, vm->waits);
        if (!next || next->what != JOURNAL_BYTE)
            return -1;
        vm->journal->at++;
        vm->console->bytes_in++;
        return (int)next->value;
    }
    byte = console_get(vm->console);
    if (byte >= 0 && vm->journal)
        journal_add(vm->journal,
                    (struct journal_entry){icount, vm->waits, (uint64_t)byte, JOURNAL_BYTE});
    return byte;
}

/* Moves what was typed to the guest's serial port, one byte an event. True if there was any. */
static bool
poll_input(struct vm *vm, struct vcpu *vcpu)
{
    bool any = false;
    int byte;

    while (vm->console && vm->input.room && vm->input.room(vm->input.ctx) &&
           (byte = take_byte(vm, vcpu)) >= 0) {
        vm->input.put(vm->input.ctx, (uint8_t)byte);
        any = true;
        if (vm->recorder) {
            struct trace_event *e = recording_begin(vm, vcpu, TRACE_INPUT, TRACE_ACTOR_DISPATCHER,
                                                    TRACE_ACTOR_DISPATCHER);
            e->value = (uint64_t)byte;
            recorder_commit(vm->recorder);
        }
    }
    if (vm->console && vm->console->quit)
        vm->asked = vm->stop = 1;
    return any;
}

/* Can bytes still come from the console? */
static bool
input_is_possible(const struct vm *vm)
{
    const struct console *con = vm->console;

    return con && vm->input.room && ((con->in >= 0 && !con->eof) || console_typed(con));
}

/* Is the console to be asked now and then? When the run may be repeated, always: what comes in later
 * must find the same points of time. */
static bool
input_is_polled(const struct vm *vm)
{
    return input_is_possible(vm) || (vm->journal && vm->console && vm->input.room);
}

/*
 * Brings devices and console up to the guest's time, if one of them is due. True if that may have
 * changed something that the guest can see.
 */
static bool
housekeeping(struct vm *vm, struct vcpu *vcpu)
{
    uint64_t now = vm->engine_ops->time(vcpu);
    bool due = false;

    vcpu->offered &= now < vm->next_device && (now < vm->next_input || !input_is_polled(vm));
    if (now >= vm->next_device) {
        bus_tick(&vm->bus, now);
        vm->next_known = false;
        due = true;
    }
    if (now >= vm->next_input && input_is_polled(vm)) {
        due |= poll_input(vm, vcpu);
        vm->next_input = now + INPUT_INTERVAL;
    }
    return due;
}

/* Can the guest take an interrupt now? The strategy knows, or else the processor. */
static bool
can_inject(struct vm *vm, struct vcpu *vcpu)
{
    if (vm->strategy->can_inject)
        return vm->strategy->can_inject(vcpu);
    return vm->engine_ops->can_inject(vcpu);
}

/* How the run ends when an interrupt could not be handed over. A strategy does so by the guest's own
 * tables, so that it is the guest that made it fail; -ESHUTDOWN is its triple fault. */
static enum run_end
failed_injection(const struct vm *vm, int rc)
{
    if (!vm->strategy->inject)
        return RUN_FAILED;
    return rc == -ESHUTDOWN ? RUN_SHUTDOWN : RUN_REFUSED;
}

/* The debugger wants to see this moment: INTR is asserted, and the guest can take it. */
static bool
about_to_inject(struct vm *vm, struct vcpu *vcpu)
{
    return vm->irq.pending && vm->irq.pending(vm->irq.ctx) && can_inject(vm, vcpu);
}

/*
 * INTR is asserted: give the vector to the guest now, or ask to be told when it can take it. Once
 * after each exit: a stop of the debugger's in between must not bring an interrupt in earlier, without the
 * INTR_WINDOW exit that the same run has without it.
 */
static int
offer_interrupt(struct vm *vm, struct vcpu *vcpu, uint64_t *handed, struct error *err)
{
    vcpu->offered = true;
    vcpu->window_requested = false;
    if (!vm->irq.pending || !vm->irq.pending(vm->irq.ctx))
        return 0;
    if (!can_inject(vm, vcpu)) {
        vcpu->window_requested = !vm->strategy->can_inject;
        return 0;
    }
    uint8_t vector = vm->irq.acknowledge(vm->irq.ctx);
    vcpu->halted = false;
    if (vm->engine_ops->caps & CAP_ICOUNT)
        *handed = vm->engine_ops->icount(vcpu);
    if (vm->recorder) {
        struct trace_event *e = recording_begin(vm, vcpu, TRACE_INJECT, TRACE_ACTOR_DISPATCHER,
                                                recording_guest(vcpu));
        e->address = vector;
        recorder_commit(vm->recorder);
    }
    if (vm->strategy->inject)
        return vm->strategy->inject(vcpu, vector, err);
    return vm->engine_ops->inject(vcpu, vector, err);
}

/* HLT in a part of the run that is repeated: time passes as it did, and nobody waits. */
static bool
idle_again(struct vm *vm, struct vcpu *vcpu, uint64_t next)
{
    const struct engine_ops *engine = vm->engine_ops;
    const struct journal_entry *was = journal_next(vm->journal, engine->icount(vcpu), vm->waits);

    vm->next_device = next;
    if (was && was->what != JOURNAL_BYTE) {
        vm->journal->at++;
        engine->idle_until(vcpu, was->value);
        if (was->what == JOURNAL_AWAKE)
            vm->next_input = 0;
    } else {
        engine->idle_until(vcpu, next);
    }
    return true;
}

/*
 * HLT, and no interrupt yet: let time pass until a device is due. An engine whose time is counted
 * jumps there, unless somebody may type meanwhile: then people's time passes. False: it will
 * never wake, because nothing is due, nobody can type, or interrupts are off.
 */
static bool
idle(struct vm *vm, struct vcpu *vcpu)
{
    const struct engine_ops *engine = vm->engine_ops;
    uint64_t now = engine->time(vcpu), next = bus_next(&vm->bus);
    bool counted = engine->caps & CAP_ICOUNT;

    if (journal_replays(vm->journal, engine->icount(vcpu), vm->waits))
        return idle_again(vm, vcpu, next);
    if (!can_inject(vm, vcpu) || (next == UINT64_MAX && !input_is_possible(vm)))
        return false;
    vm->next_device = next;
    if (vm->console && console_typed(vm->console)) {
        /* The debugger's user has typed: the guest's time stands still meanwhile. */
        vm->next_input = 0;
        if (vm->journal)
            journal_add(vm->journal, (struct journal_entry){engine->icount(vcpu), vm->waits, now,
                                                            JOURNAL_AWAKE});
    } else if (input_is_possible(vm) || !counted) {
        uint64_t start = now_ns(), wait = next > now ? next - now : 0;
        if (vm->console)
            console_flush(vm->console);
        bool input = vm->console ? console_wait(vm->console, wait) : sleep_ns(wait);
        uint64_t passed = now_ns() - start;
        uint64_t then = input || passed < wait ? now + passed : next;
        if (vm->journal)
            journal_add(vm->journal, (struct journal_entry){engine->icount(vcpu), vm->waits, then,
                                                            input ? JOURNAL_AWAKE : JOURNAL_WAIT});
        engine->idle_until(vcpu, then);
        if (input)
            vm->next_input = 0;
    } else {
        if (vm->paced && next > now)
            sleep_ns(next - now);
        engine->idle_until(vcpu, next);
    }
    return true;
}

/* --- the loop --------------------------------------------------------------------------------- */

static bool
end_run(struct run_result *result, enum run_end end)
{
    result->end = end;
    return false;
}

/*
 * Is the budget used up? If not, *budget is how many instructions are left. A wait in HLT counts
 * as one instruction each time that a device is due, else a guest that halts with its interrupts
 * masked would stay within its budget for ever.
 */
static bool
over_limit(struct vm *vm, struct vcpu *vcpu, const struct run_limits *limits, uint64_t *budget)
{
    uint64_t done = limits->instructions ? vm->engine_ops->icount(vcpu) + vm->waits : 0;

    *budget = limits->instructions ? limits->instructions - done : UINT64_MAX;
    return (limits->exits && vm->exits >= limits->exits) ||
           (limits->instructions && done >= limits->instructions);
}

/*
 * Enters the guest until it comes out for a reason that is worth a record: a kick after which no
 * device was due and nobody had typed is not. False: *result says how the run ended.
 *
 * An interrupt that was handed over after `handed` instructions is followed by one more, even if the user
 * wants to stop: else the guest would stand in its handler at the very moment (debugger/machine.h) at
 * which it stood before that.
 */
static bool
enter_guest(struct vm *vm, struct vcpu *vcpu, const struct run_limits *limits,
            struct run_result *result)
{
    uint64_t handed = UINT64_MAX;

    for (;;) {
        uint64_t budget, deadline;
        int rc;

        if (vm->stop && vm->engine_ops->icount(vcpu) != handed)
            return end_run(result, RUN_STOPPED);
        if (over_limit(vm, vcpu, limits, &budget))
            return end_run(result, RUN_LIMIT);
        if (!vcpu->offered && limits->injects && about_to_inject(vm, vcpu))
            return end_run(result, RUN_INJECT);
        if (!vcpu->offered && (rc = offer_interrupt(vm, vcpu, &handed, &result->message)))
            return end_run(result, failed_injection(vm, rc));
        if (vcpu->halted) {
            if (!idle(vm, vcpu))
                return end_run(result, RUN_HALTED);
            vm->waits++;
            housekeeping(vm, vcpu);
            vcpu->offered = false;
            continue;
        }
        /* The engine comes back with KICK when a device is due: no need to look at the time here. */
        if (!vm->next_known)
            vm->next_device = bus_next(&vm->bus);
        vm->next_known = true;
        deadline = vm->next_device;
        if (input_is_polled(vm) && vm->next_input < deadline)
            deadline = vm->next_input;
        if (vm->recorder && vcpu->resuming && !vcpu->exit.no_entry)
            recording_entry(vm, vcpu);
        vcpu->resuming = false;
        /* A step must not take the place of the exit that a device is due for. */
        bool last = vm->stop, step = limits->step && vm->engine_ops->time(vcpu) < deadline;
        if (step ? vm->engine_ops->step(vcpu, &result->message)
                 : vm->engine_ops->run(vcpu, deadline, last ? 1 : budget, &result->message))
            return end_run(result, RUN_FAILED);
        if (vm->strategy->in_user)
            vcpu->exit.user = vm->strategy->in_user(vcpu);
        if (vm->strategy->refine && vcpu->exit.kind != TRACE_DEBUG)
            vm->strategy->refine(vcpu);
        if (vcpu->exit.kind == TRACE_LIMIT)
            return end_run(result, last ? RUN_STOPPED : RUN_LIMIT);
        if (vcpu->exit.kind == TRACE_DEBUG)
            return end_run(result, RUN_DEBUG);
        if (vcpu->exit.kind == TRACE_KICK && vm->power != POWER_NONE) { /* a process has ended */
            result->status = vm->power_status;
            vcpu->exit.kind = TRACE_PROCESS_END;
            return end_run(result, RUN_POWER_OFF);
        }
        if (vcpu->exit.kind == TRACE_KICK && vm->stop)
            continue; /* to the top; what is due remains so */
        if (vcpu->exit.kind != TRACE_KICK || housekeeping(vm, vcpu))
            return true;
    }
}

bool
vm_run_to_exit(struct vm *vm, struct vcpu *vcpu, const struct run_limits *limits,
               struct run_result *result)
{
    if (!enter_guest(vm, vcpu, limits, result))
        return false;
    vm->exits++;
    vm->exits_by_kind[vcpu->exit.kind]++;
    vcpu->offered = false;
    vcpu->unhandled = true;
    if (vm->recorder)
        recording_exit(vm, vcpu);
    return true;
}

bool
vm_handle_exit(struct vm *vm, struct vcpu *vcpu, struct run_result *result)
{
    /* The strategy looks first, then the exit table. */
    enum strategy_verdict verdict = vm->strategy->on_exit(vcpu, result);

    vcpu->unhandled = false;
    if (verdict == STRATEGY_END)
        return false;
    if (verdict == STRATEGY_PASS && !vm_dispatch_exit(vm, vcpu, result))
        return false;

    /* A device may have ended it. */
    if (vm->power != POWER_NONE) {
        result->status = vm->power_status;
        return end_run(result, vm->power == POWER_OFF ? RUN_POWER_OFF : RUN_RESET);
    }
    vcpu->resuming = true;
    vcpu->handled = verdict == STRATEGY_HANDLED;
    return true;
}

void
vm_end(struct vm *vm, const struct run_result *result)
{
    if (vm->recorder)
        recording_end(vm, result);
    if (vm->console)
        console_flush(vm->console);
}

void
vm_run(struct vm *vm, const struct run_limits *limits, struct run_result *result)
{
    struct vcpu *vcpu = &vm->vcpu[0];

    *result = (struct run_result){0};
    vcpu->resuming = true;
    vcpu->offered = false;
    while (vm_run_to_exit(vm, vcpu, limits, result) && vm_handle_exit(vm, vcpu, result))
        ;
    vm_end(vm, result);
}
