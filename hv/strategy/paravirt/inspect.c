/*
 * inspect.c - for who looks at a paravirtual guest: a debugger, a snapshot, `info strategy`.
 *
 * Called through strategy_ops (paravirt.c). Next: hypercalls.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "engine/monitor.h"
#include "isa/x86/cpu.h"
#include "strategy/deprivilege.h"
#include "strategy/paravirt/paravirt.h"

/* Behind what is in text: the page that both sides read and write (struct hc_shared). */
static void
describe_shared(const struct paravirt *pv, char *text, size_t size)
{
    size_t used = strlen(text);
    struct hc_shared page;

    if (pv->shared == NO_FRAME || ram_read(&pv->vm->ram, pv->shared, &page, sizeof(page)))
        snprintf(text + used, size - used, "shared page: none yet, so events are masked\n");
    else
        snprintf(text + used, size - used,
                 "shared page at %#" PRIx64 ": masked %u, pending %u, version %" PRIu32
                 ", time %" PRIu64 " ns, fault address %#" PRIx64 "\n",
                 pv->shared, page.masked, page.pending, page.version, page.time,
                 page.fault_address);
}

void
paravirt_describe(struct vcpu *vcpu, char *text, size_t size)
{
    const struct paravirt *pv = paravirt_of(vcpu);
    uint64_t calls = 0, tables = 0, writable = 0;

    for (unsigned i = 0; i < HC_COUNT; i++)
        calls += pv->calls[i];
    for (uint64_t i = 0; i < pv->frames.count; i++) {
        tables += pv->frames.frame[i].type >= TABLE_1 && pv->frames.frame[i].type <= TABLE_4;
        writable += pv->frames.frame[i].type == FRAME_WRITABLE;
    }
    snprintf(text, size,
             "in %s, events %s (virtual IF %u), root (virtual CR3) %#" PRIx64
             ", kernel stack %#" PRIx64 "\n"
             "privileged instructions %" PRIu64 "\n"
             "hypercalls %" PRIu64 ", of them in multicalls %" PRIu64 ", refused %" PRIu64 "\n"
             "system calls %" PRIu64 ", traps and events delivered %" PRIu64
             ", of them events %" PRIu64 "\n"
             "frames: tables %" PRIu64 ", writable %" PRIu64 ", entries checked %" PRIu64 "\n",
             pv->user ? "user mode" : "the kernel", events_masked(pv) ? "masked" : "open",
             !events_masked(pv), pv->root == NO_FRAME ? 0 : pv->root, pv->stack, pv->privileged,
             calls, pv->multicalled, pv->refused, pv->syscalls, pv->traps, pv->delivered, tables,
             writable, pv->frames.checked);
    describe_shared(pv, text, size);
}

/* As a processor would have it, so that a debugger need not know of hypercalls: IF, CS, SS and CR3 say
 * what the shared page, `user` and the root in use mean. */
int
paravirt_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err)
{
    const struct paravirt *pv = paravirt_of(vcpu);
    struct x86_regs real;

    *regs = pv->regs;
    if (!pv->synced) {
        int rc = pv->vm->engine_ops->get_regs(vcpu, &real, err);
        if (rc)
            return rc;
        deprivilege_readback(regs, &real);
    }
    regs->rflags = (regs->rflags & ~(uint64_t)FLAG_IF) | (events_masked(pv) ? 0 : FLAG_IF);
    regs->seg[X86_CS].selector = pv->user ? HC_USER_CS : HC_KERNEL_CS;
    regs->seg[X86_SS].selector = pv->user ? HC_USER_SS : HC_KERNEL_SS;
    for (unsigned i = X86_CS; i <= X86_SS; i++)
        regs->seg[i].attr = (uint16_t)((regs->seg[i].attr & ~SEG_DPL) | (pv->user ? SEG_DPL : 0));
    regs->cr3 = pv->root == NO_FRAME ? RAM_PRIVATE + MONITOR_END : pv->root;
    regs->efer |= EFER_NXE; /* its tables may say NX: they are what the processor walks */
    return 0;
}

/* Only what the guest could change without a hypercall, and IF. */
int
paravirt_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err)
{
    struct paravirt *pv = paravirt_of(vcpu);
    struct x86_regs now;
    int rc = paravirt_get_regs(vcpu, &now, err);

    if (rc)
        return rc;
    if (regs->cr0 != now.cr0 || regs->cr3 != now.cr3 || regs->cr4 != now.cr4 ||
        regs->efer != now.efer || regs->seg[X86_CS].selector != now.seg[X86_CS].selector)
        return error_set(err, EINVAL,
                         "under strategy paravirt the control registers and CS belong to the VMM: "
                         "only a hypercall changes them");
    if (!x86_canonical(regs->rip))
        return error_set(err, EINVAL, "rip 0x%" PRIx64 " is not in the address space", regs->rip);
    deprivilege_readback(&pv->regs, regs);
    events_mask(pv, !(regs->rflags & FLAG_IF));
    pv->synced = true;
    return paravirt_enter(pv, err);
}

unsigned
paravirt_state(struct vcpu *vcpu, struct state_part *parts)
{
    struct paravirt *pv = paravirt_of(vcpu);

    parts[0] = state_between(&pv->regs, &pv->user, false);
    parts[1] = state_between(&pv->user, &pv->root, true);
    parts[2] = state_between(&pv->root, pv + 1, true);
    parts[3] = state_between(pv->frames.frame, pv->frames.frame + pv->frames.count, false);
    return 4;
}

/* The processor walks the guest's tables as they are: nobody changes one unchecked. */
int
paravirt_before_write(struct vcpu *vcpu, uint64_t gpa, size_t size, struct error *err)
{
    const struct frames *frames = &paravirt_of(vcpu)->frames;
    uint64_t frame = gpa / PAGE_SIZE;

    (void)size;
    if (frame < frames->count && frames->frame[frame].type >= TABLE_1 &&
        frames->frame[frame].type <= TABLE_4)
        return error_set(err, EPERM,
                         "0x%" PRIx64 " is in a page table: under strategy paravirt only a checked "
                         "hypercall changes one",
                         gpa);
    return 0;
}
