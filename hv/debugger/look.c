/*
 * look.c - registers and memory of a machine that runs, as the guest sees them; and changing them.
 *
 * A linear address goes through the guest's own page tables, those that it believes to use: under
 * strategy trap they are not the ones that the processor walks. Called through machine_ops. Next:
 * history.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/console.h"
#include "debugger/live.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

/* --- registers --------------------------------------------------------------------------------- */

int
live_get_regs(struct machine *machine, struct x86_regs *regs, struct error *err)
{
    const struct vm *vm = machine->vm;

    if (vm->strategy->get_regs)
        return vm->strategy->get_regs(machine->vcpu, regs, err);
    return vm->engine_ops->get_regs(machine->vcpu, regs, err);
}

/* What lay ahead, in the journal, the snapshots, the recording and on the screen, will not happen. */
static void
forget_future(struct machine *machine)
{
    struct vm *vm = machine->vm;
    struct live *live = machine->own;

    journal_forget_future(&live->journal, machine->now.icount, machine->now.waits);
    if (machine->history)
        history_forget_future(machine->history);
    if (vm->recorder)
        recorder_truncate(vm->recorder);
    if (vm->console)
        console_rewind(vm->console);
    machine->exits_seen = machine->now.exits;
}

/* Registers or memory were changed. */
static int
changed(struct machine *machine, struct error *err)
{
    machine->vcpu->offered = false; /* an interrupt may be possible now */
    forget_future(machine);
    return machine->history ? history_changed(machine->history, err) : 0;
}

/* Is the exit that nobody has dealt with yet behind its instruction? A write to a device has left the
 * processor, and HLT is over; all else is executed again. A strategy that decodes exceptions has
 * its instructions before it. */
static bool
has_retired(const struct machine *machine)
{
    const struct vm_exit *exit = &machine->vcpu->exit;
    bool access = exit->kind == TRACE_IO || exit->kind == TRACE_MMIO;

    return !machine->vm->strategy->set_regs &&
           ((access && exit->access.write) || exit->kind == TRACE_HLT);
}

int
live_set_regs(struct machine *machine, const struct x86_regs *regs, struct error *err)
{
    const struct vm *vm = machine->vm;
    int rc = vm->strategy->set_regs ? vm->strategy->set_regs(machine->vcpu, regs, err)
                                    : vm->engine_ops->set_regs(machine->vcpu, regs, err);

    if (rc)
        return rc;
    if (machine->vcpu->unhandled && !has_retired(machine)) { /* it was another instruction's */
        machine->vcpu->unhandled = false;
        machine->vcpu->resuming = true;
        machine->now.edge = EDGE_IN;
    }
    return changed(machine, err);
}

/* --- memory ------------------------------------------------------------------------------------ */

static struct x86_page
look_page(void *ctx, uint64_t gpa)
{
    struct x86_page page = {0};

    page.host = ram_page(ctx, gpa & ~UINT64_C(0xfff), &page.writable);
    return page;
}

/* A processor with the guest's registers, that walks its page tables and changes nothing. */
static int
open_eyes(struct machine *machine, struct error *err)
{
    struct live *live = machine->own;
    struct x86_regs regs;
    int rc = live_get_regs(machine, &regs, err);

    if (rc)
        return rc;
    if (!live->eyes) {
        if (!(live->eyes = aligned_alloc(64, (sizeof(*live->eyes) + 63) / 64 * 64)))
            return error_set(err, ENOMEM, "no memory to look at the guest's page tables");
        x86_cpu_init(live->eyes); /* once: looking goes past its TLB */
    }
    live->eyes->r = regs;
    live->eyes->mem = (struct x86_memory){
        .ctx = &machine->vm->ram, .page = look_page, .a20_mask = ~UINT64_C(0)};
    x86_update_mode(live->eyes);
    return 0;
}

static int
translate(struct x86_cpu *eyes, uint64_t linear, uint64_t *physical, struct error *err)
{
    struct x86_walk walk;

    if (!x86_page_look(eyes, linear & eyes->linear_mask, &walk))
        return error_set(err, EFAULT, "cannot reach linear address 0x%" PRIx64 ": it is not mapped",
                         linear);
    *physical = walk.gpa;
    return 0;
}

/* A process has linear addresses alone, and its engine reaches them: the tables are the host's. */
static int
process_memory(const struct machine *machine, enum machine_space space, struct error *err)
{
    if (space == SPACE_PHYSICAL)
        return error_set(err, ENOTSUP,
                         "engine %s runs a process: it has linear addresses, and which memory of "
                         "the host they are is the host's kernel's business",
                         machine->engine);
    return 0;
}

int
machine_translate(struct machine *machine, uint64_t linear, uint64_t *physical, struct error *err)
{
    if (!machine->vm)
        return error_set(err, ENODATA, "a recording has no page tables: it knows the exits alone");
    if (machine->vm->engine_ops->read)
        return process_memory(machine, SPACE_PHYSICAL, err);
    int rc = open_eyes(machine, err);
    return rc ? rc : translate(((struct live *)machine->own)->eyes, linear, physical, err);
}

/* One page's worth, at a guest-physical address: read to `to`, or written from `from`, or (neither) it
 * is only asked whether it could be written. */
static int
transfer(struct ram *ram, uint64_t physical, void *to, const void *from, size_t size)
{
    if (to)
        return ram_read(ram, physical, to, size);
    if (from)
        return ram_write(ram, physical, from, size);
    return ram_at(ram, physical, size) ? 0 : -EFAULT;
}

/* As transfer(), page by page. */
static int
move_bytes(struct machine *machine, enum machine_space space, uint64_t address, uint8_t *to,
           const uint8_t *from, size_t size, struct error *err)
{
    struct live *live = machine->own;
    const struct strategy_ops *strategy = machine->vm->strategy;
    int rc = space == SPACE_LINEAR ? open_eyes(machine, err) : 0;
    size_t n;

    for (size_t done = 0; !rc && done < size; done += n) {
        uint64_t at = address + done, physical = at;
        n = PAGE_SIZE - at % PAGE_SIZE;
        if (n > size - done)
            n = size - done;
        if (space == SPACE_LINEAR && (rc = translate(live->eyes, at, &physical, err)))
            break;
        if (from && strategy->before_write &&
            (rc = strategy->before_write(machine->vcpu, physical, n, err)))
            break;
        if (transfer(&machine->vm->ram, physical, to ? to + done : NULL, from ? from + done : NULL,
                     n))
            return error_set(err, EFAULT,
                             "cannot %s 0x%" PRIx64 ": physical address 0x%" PRIx64 " is %s",
                             to ? "read" : "write to", at, physical,
                             to ? "no memory; a device there is not asked" : "not RAM");
    }
    return rc;
}

int
live_read(struct machine *machine, enum machine_space space, uint64_t address, void *to,
          size_t size, struct error *err)
{
    const struct engine_ops *engine = machine->vm->engine_ops;

    if (engine->read) {
        int rc = process_memory(machine, space, err);
        return rc ? rc : engine->read(machine->vcpu, address, to, size, err);
    }
    return move_bytes(machine, space, address, to, NULL, size, err);
}

/* As a whole or not at all: so it is tried first. The guest's page tables may be what was written:
 * what was derived from them is forgotten. */
int
live_write(struct machine *machine, enum machine_space space, uint64_t address, const void *from,
           size_t size, struct error *err)
{
    const struct vm *vm = machine->vm;
    int rc;

    if (vm->engine_ops->write) {
        if (!(rc = process_memory(machine, space, err)))
            rc = vm->engine_ops->write(machine->vcpu, address, from, size, err);
        return rc ? rc : changed(machine, err);
    }
    if ((rc = move_bytes(machine, space, address, NULL, NULL, size, err)) ||
        (rc = move_bytes(machine, space, address, NULL, from, size, err)))
        return rc;
    vm->engine_ops->flush_tlb(machine->vcpu);
    return changed(machine, err);
}

/* --- input, and the recording ------------------------------------------------------------------- */

/* Somebody types: a guest that halted for good, the one end that it may have come to, has something
 * to wait for now. */
static void
wake(struct machine *machine)
{
    struct live *live = machine->own;

    if (!machine->ended)
        return;
    if (machine->vm->recorder)
        recorder_seek(machine->vm->recorder, live->end_position);
    machine->ended = false;
}

int
machine_type(struct machine *machine, const void *bytes, size_t size, struct error *err)
{
    struct vm *vm = machine->vm;
    int rc;

    if (!vm)
        return error_set(err, ENOTSUP, "nobody reads what is typed: this is a recording");
    if (!vm->console || !vm->input.room)
        return error_set(err, ENOTSUP, "this guest has no serial line to type at");
    if (machine->ended && machine->result.end != RUN_HALTED)
        return error_set(err, ENOTSUP, "nobody reads what is typed: the machine has ended");
    rc = console_type(vm->console, bytes, size, err);
    if (rc)
        return rc;
    wake(machine);
    forget_future(machine);
    return 0;
}

int
machine_trace(struct machine *machine, struct trace *trace, struct trace **out, bool *close,
              struct error *err)
{
    struct live *live = machine->own;

    *close = false;
    *out = machine->trace;
    if (*out)
        return 0;
    if (!live->recording || !machine->vm->recorder)
        return error_set(err, ENOENT, "nothing is recorded: start hv with --trace FILE");
    int rc = trace_open(trace, live->recording, err->message, sizeof(err->message));
    if (rc)
        return rc;
    *out = trace;
    *close = true;
    return 0;
}
