/*
 * hypercalls.c - the table of hypercalls, and what each does that is not a file of its own.
 *
 * The rule for every one: the guest is hostile. What it points to is reached through its own page
 * tables (memory.c), what it names is checked (frames.c), and what is refused has changed nothing.
 *
 * paravirt.c calls paravirt_hypercall(); docs/gen/hypercalls.md is made of the table.
 */
#include <errno.h>
#include <string.h>

#include "isa/x86/cpu.h"
#include "strategy/paravirt/paravirt.h"
#include "tracer/record.h"

_Static_assert(HC_EPERM == EPERM && HC_EFAULT == EFAULT && HC_EBUSY == EBUSY &&
                   HC_EINVAL == EINVAL && HC_ENOSYS == ENOSYS,
               "errors go from frames.c to the guest as they are");

/* --- the machine --------------------------------------------------------------------------------- */

static int64_t
get_info(struct paravirt *pv, const uint64_t argument[3])
{
    struct hc_info info = {
        .version = HC_VERSION,
        .calls = HC_COUNT,
        .memory_size = pv->vm->ram.size,
    };

    return memory_write(pv, argument[0], &info, sizeof(info));
}

static int64_t
machine_off(struct paravirt *pv, const uint64_t argument[3])
{
    pv->vm->power = POWER_OFF;
    pv->vm->power_status = (int)(argument[0] & 0xff);
    return 0;
}

/* --- the console --------------------------------------------------------------------------------- */

static int64_t
console_write(struct paravirt *pv, const uint64_t argument[3])
{
    uint64_t from = argument[0], size = argument[1];
    uint8_t part[256];

    if (size > HC_CONSOLE_MAX)
        return -HC_EINVAL;
    if (memory_check(pv, from, size, false))
        return -HC_EFAULT;
    for (uint64_t done = 0, n; done < size; done += n) {
        n = size - done < sizeof(part) ? size - done : sizeof(part);
        if (memory_read(pv, from + done, part, n))
            return -HC_EFAULT;
        for (uint64_t i = 0; pv->vm->console && i < n; i++)
            console_put(pv->vm->console, part[i]);
    }
    return (int64_t)size;
}

static int64_t
console_read(struct paravirt *pv, const uint64_t argument[3])
{
    uint8_t bytes[PARAVIRT_INPUT];
    uint64_t size = argument[1] < sizeof(bytes) ? argument[1] : sizeof(bytes);

    if (argument[1] > HC_CONSOLE_MAX)
        return -HC_EINVAL;
    if (memory_check(pv, argument[0], size, true)) /* before the bytes are taken */
        return -HC_EFAULT;
    unsigned n = events_read(pv, bytes, (unsigned)size);
    return memory_write(pv, argument[0], bytes, n) ? -HC_EFAULT : (int64_t)n;
}

/* --- traps --------------------------------------------------------------------------------------- */

static int64_t
set_traps(struct paravirt *pv, const uint64_t argument[3])
{
    struct hc_trap trap[HC_TRAPS] = {0};
    uint64_t count = argument[1];

    if (count > HC_TRAPS)
        return -HC_EINVAL;
    if (memory_read(pv, argument[0], trap, count * sizeof(trap[0])))
        return -HC_EFAULT;
    for (uint64_t i = 0; i < count; i++)
        if (!x86_canonical(trap[i].address) || trap[i].reserved ||
            trap[i].flags & ~(uint32_t)(HC_TRAP_USER | HC_TRAP_MASKED))
            return -HC_EINVAL;
    memcpy(pv->trap, trap, sizeof(trap));
    return 0;
}

static int64_t
set_syscall(struct paravirt *pv, const uint64_t argument[3])
{
    if (!x86_canonical(argument[0]))
        return -HC_EINVAL;
    pv->syscall_entry = argument[0];
    return 0;
}

static int64_t
set_stack(struct paravirt *pv, const uint64_t argument[3])
{
    if (!x86_canonical(argument[0]))
        return -HC_EINVAL;
    pv->stack = argument[0];
    return 0;
}

static int64_t
set_base(struct paravirt *pv, const uint64_t argument[3])
{
    if (!x86_canonical(argument[1]))
        return -HC_EINVAL;
    switch (argument[0]) {
    case HC_BASE_FS: pv->regs.seg[X86_FS].base = argument[1]; return 0;
    case HC_BASE_GS: pv->regs.seg[X86_GS].base = argument[1]; return 0;
    case HC_BASE_GS_USER: pv->regs.kernel_gs_base = argument[1]; return 0;
    default: return -HC_EINVAL;
    }
}

static int64_t
iret(struct paravirt *pv, const uint64_t argument[3])
{
    (void)argument;
    return paravirt_iret(pv);
}

/* --- events -------------------------------------------------------------------------------------- */

static int64_t
set_shared(struct paravirt *pv, const uint64_t argument[3])
{
    int rc = frames_get(&pv->frames, argument[0], FRAME_WRITABLE);

    if (rc)
        return rc;
    if (pv->shared != NO_FRAME)
        frames_put(&pv->frames, pv->shared);
    pv->shared = argument[0];
    return 0;
}

/* There is nothing to do: to be here is enough, the run loop delivers before the next entry. */
static int64_t
take_events(struct paravirt *pv, const uint64_t argument[3])
{
    (void)pv;
    (void)argument;
    return 0;
}

static int64_t
block(struct paravirt *pv, const uint64_t argument[3])
{
    (void)argument;
    if (pv->shared == NO_FRAME)
        return -HC_EINVAL; /* it would sleep for ever */
    events_mask(pv, false);
    pv->vcpu->halted = true;
    return 0;
}

/* There is one guest: the VMM's own work, which the run loop does between exits, is all that the
 * time is given to. */
static int64_t
yield(struct paravirt *pv, const uint64_t argument[3])
{
    (void)argument;
    if (pv->vm->console)
        console_flush(pv->vm->console);
    return 0;
}

static int64_t
set_timer(struct paravirt *pv, const uint64_t argument[3])
{
    return events_set_timer(pv, argument[0], argument[1]);
}

/* --- page tables --------------------------------------------------------------------------------- */

static int64_t
set_root(struct paravirt *pv, const uint64_t argument[3])
{
    return memory_set_root(pv, argument[0]);
}

static int64_t
update(struct paravirt *pv, const uint64_t argument[3])
{
    /* The user's copy of the root must not keep what the root has no more. */
    if (argument[0] / PAGE_SIZE == pv->root / PAGE_SIZE)
        pv->user_stale = true;
    return frames_update(&pv->frames, argument[0], argument[1]);
}

static int64_t
update_linear(struct paravirt *pv, const uint64_t argument[3])
{
    uint64_t entry;
    int rc = memory_find_entry(pv, argument[0], &entry);

    return rc ? rc : frames_update(&pv->frames, entry, argument[1]);
}

/* Not before the first root: the map that the guest starts with has every frame writable. */
static int64_t
pin(struct paravirt *pv, const uint64_t argument[3])
{
    if (pv->root == NO_FRAME)
        return -HC_EINVAL;
    return frames_pin(&pv->frames, argument[0], argument[1]);
}

static int64_t
unpin(struct paravirt *pv, const uint64_t argument[3])
{
    return frames_unpin(&pv->frames, argument[0]);
}

/* --- the table ----------------------------------------------------------------------------------- */

static int64_t multicall(struct paravirt *pv, const uint64_t argument[3]);

/* clang-format off */
const struct hypercall paravirt_hypercalls[HC_COUNT] = {
    [HC_GET_INFO] = {"get-info", "linear", PART_MACHINE, false, get_info,
        "Fills struct hc_info."},
    [HC_SHUTDOWN] = {"shutdown", "status", PART_MACHINE, true, machine_off,
        "Ends the machine; the low 8 bits are its exit status."},
    [HC_CONSOLE_WRITE] = {"console-write", "linear, bytes", PART_CONSOLE, false, console_write,
        "Prints; gives the number of bytes."},
    [HC_CONSOLE_READ] = {"console-read", "linear, bytes", PART_CONSOLE, false, console_read,
        "Takes what was typed; gives the number of bytes, 0 if there is none."},
    [HC_SET_SHARED] = {"set-shared", "frame", PART_EVENTS, false, set_shared,
        "Makes the frame the shared page."},
    [HC_SET_TRAPS] = {"set-traps", "linear, count", PART_TRAPS, false, set_traps,
        "Replaces the table of trap handlers; entries behind count have none."},
    [HC_SET_SYSCALL] = {"set-syscall", "linear", PART_TRAPS, false, set_syscall,
        "Says where SYSCALL in user mode enters the kernel."},
    [HC_SET_STACK] = {"set-stack", "linear", PART_TRAPS, false, set_stack,
        "Says where the kernel's stack is at every entry from user mode."},
    [HC_SET_BASE] = {"set-base", "which, linear", PART_MACHINE, false, set_base,
        "Sets the base of FS, of GS, or of the user's GS."},
    [HC_IRET] = {"iret", "", PART_TRAPS, true, iret,
        "Goes back to the frame at RSP; returns only if the frame is no good."},
    [HC_EVENTS] = {"events", "", PART_EVENTS, true, take_events,
        "Delivers what is pending, if events are not masked."},
    [HC_BLOCK] = {"block", "", PART_EVENTS, true, block,
        "Unmasks events and sleeps until one comes."},
    [HC_YIELD] = {"yield", "", PART_MACHINE, true, yield,
        "Says that the kernel has nothing urgent to do."},
    [HC_SET_TIMER] = {"set-timer", "first, period", PART_EVENTS, false, set_timer,
        "Raises the timer's event in first ns, then every period ns; period 0: once; first 0: never."},
    [HC_SET_ROOT] = {"set-root", "frame", PART_TABLES, false, set_root,
        "Puts the page tables below this one in use."},
    [HC_UPDATE] = {"update", "entry, value", PART_TABLES, false, update,
        "Writes one entry of a page table."},
    [HC_UPDATE_LINEAR] = {"update-linear", "linear, value", PART_TABLES, false, update_linear,
        "Writes the entry of level 1 for the page at that address."},
    [HC_PIN] = {"pin", "frame, level", PART_TABLES, false, pin,
        "Keeps the frame a table of that level, though nothing leads to it."},
    [HC_UNPIN] = {"unpin", "frame", PART_TABLES, false, unpin,
        "Ends that."},
    [HC_MULTICALL] = {"multicall", "linear, count", PART_MACHINE, true, multicall,
        "Carries out an array of struct hc_call; each gets its result."},
};
/* clang-format on */

/* --- in the recording: the dispatcher asks a part of the VMM ----------------------------------------- */

void
paravirt_name_parts(struct paravirt *pv)
{
    static const char *const names[PARTS] = {
        [PART_MACHINE] = "machine", [PART_CONSOLE] = "console",    [PART_TRAPS] = "traps",
        [PART_EVENTS] = "events",   [PART_TABLES] = "page tables",
    };

    for (unsigned i = 0; pv->vm->recorder && i < PARTS; i++)
        pv->actor[i] = recorder_actor(pv->vm->recorder, names[i], TRACE_VMM);
}

/* --- carrying them out ----------------------------------------------------------------------------- */

static int64_t
call(struct paravirt *pv, uint64_t number, const uint64_t argument[3])
{
    int64_t result = -HC_ENOSYS;

    if (number < HC_COUNT) {
        const struct hypercall *row = &paravirt_hypercalls[number];
        bool recorded = pv->vm->recorder && row->run != multicall; /* its calls are */
        if (recorded)
            vm_record_call(pv->vm, pv->vcpu, TRACE_CALL, pv->actor[row->part], argument[0],
                           argument[1], 0, true);
        pv->calls[number]++;
        result = row->run(pv, argument);
        if (recorded)
            vm_record_call(pv->vm, pv->vcpu, TRACE_RETURN, pv->actor[row->part], argument[0],
                           (uint64_t)result, 0, false);
    }
    pv->refused += result < 0;
    return result;
}

/* A result is written at once, so that a later call may even unmap the array. All of them are carried
 * out, whoever wants the machine to stop meanwhile: a run that is repeated does the same. */
static int64_t
multicall(struct paravirt *pv, const uint64_t argument[3])
{
    uint64_t at = argument[0], count = argument[1];
    struct hc_call c;

    if (count > HC_CALLS_MAX)
        return -HC_EINVAL;
    if (memory_check(pv, at, count * sizeof(c), true))
        return -HC_EFAULT;
    for (uint64_t i = 0; i < count; i++, at += sizeof(c)) {
        if (memory_read(pv, at, &c, sizeof(c)))
            return -HC_EFAULT;
        if (c.number < HC_COUNT && paravirt_hypercalls[c.number].alone)
            c.result = -HC_EINVAL;
        else
            c.result = call(pv, c.number, c.argument);
        pv->multicalled++;
        if (memory_write(pv, at + offsetof(struct hc_call, result), &c.result, sizeof(c.result)))
            return -HC_EFAULT;
    }
    return 0;
}

void
paravirt_hypercall(struct paravirt *pv)
{
    uint64_t *gpr = pv->regs.gpr, number = gpr[X86_RAX];
    const uint64_t argument[3] = {gpr[X86_RDI], gpr[X86_RSI], gpr[X86_RDX]};
    int64_t result = call(pv, number, argument);

    if (number != HC_IRET || result < 0) /* after IRET, RAX is what it came back with */
        gpr[X86_RAX] = (uint64_t)result;
}
