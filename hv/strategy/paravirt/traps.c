/*
 * traps.c - into the guest's kernel and back: what the processor does by IDT, TSS, IRET, SYSCALL
 * and SWAPGS for a kernel at CPL 0, the VMM does for one at CPL 3.
 *
 * The frame that a trap leaves on the kernel's stack is the processor's (SDM vol. 3, 6.14.2):
 *
 *   from the user: stack of HC_SET_STACK        from the kernel: below RSP, aligned to 16
 *     ss  rsp  rflags  cs  rip  [error]  <- RSP
 *
 * Called by paravirt.c and hypercalls.c. Next: events.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "isa/x86/cpu.h"
#include "strategy/paravirt/paravirt.h"

/* Flags that a handler starts without, as behind an interrupt gate; SYSCALL clears two more, as
 * a kernel would have it do by SFMASK. */
#define FLAGS_TRAP    (FLAG_TF | FLAG_NT | FLAG_RF)
#define FLAGS_SYSCALL (FLAGS_TRAP | FLAG_DF | FLAG_AC)
/* Flags that HC_IRET takes from a frame; IF is the event mask. */
#define FLAGS_IRET (FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_RF | FLAG_AC | FLAG_ID)

/* Kernel and user each have their GS: what SWAPGS is for. */
static void
change_mode(struct paravirt *pv, bool user)
{
    uint64_t base = pv->regs.seg[X86_GS].base;

    if (pv->user == user)
        return;
    pv->regs.seg[X86_GS].base = pv->regs.kernel_gs_base;
    pv->regs.kernel_gs_base = base;
    pv->user = user;
}

/* Builds the frame and goes to `handler`. */
static int
enter_kernel(struct paravirt *pv, uint64_t handler, const uint32_t *error, uint64_t cleared,
             const char *what, struct error *err)
{
    struct x86_regs *r = &pv->regs;
    uint64_t rflags = (r->rflags & ~(uint64_t)FLAG_IF) | (events_masked(pv) ? 0 : FLAG_IF);
    uint64_t words[6] = {
        error ? *error : 0,
        r->rip,
        pv->user ? HC_USER_CS : HC_KERNEL_CS,
        rflags,
        r->gpr[X86_RSP],
        pv->user ? HC_USER_SS : HC_KERNEL_SS,
    };
    uint64_t size = error ? sizeof(words) : sizeof(words) - 8;
    uint64_t sp = ((pv->user ? pv->stack : r->gpr[X86_RSP]) & ~UINT64_C(15)) - size;
    uint64_t from = r->rip;

    if (!handler)
        return error_set(err, EFAULT,
                         "the guest's kernel has no handler for %s at rip 0x%" PRIx64
                         ": it must register one by hypercall (docs/HYPERCALLS.md)",
                         what, from);
    change_mode(pv, false);
    if (memory_write(pv, sp, error ? words : words + 1, size))
        return error_set(err, EFAULT,
                         "the guest's kernel has no stack for %s at rip 0x%" PRIx64 ": 0x%" PRIx64
                         " is not writable",
                         what, from, sp);
    r->rip = handler;
    r->gpr[X86_RSP] = sp;
    r->rflags &= ~cleared;
    return 0;
}

int
paravirt_trap(struct paravirt *pv, unsigned vector, const uint32_t *error, struct error *err)
{
    const struct hc_trap *trap = &pv->trap[vector];
    const char *name = x86_vector_name(vector);
    char number[16];

    snprintf(number, sizeof(number), "trap %u", vector);
    int rc = enter_kernel(pv, trap->address, error, FLAGS_TRAP, name ? name : number, err);
    if (!rc && (trap->flags & HC_TRAP_MASKED || vector >= HC_EVENT_TRAP))
        events_mask(pv, true);
    pv->traps++;
    return rc;
}

int
paravirt_syscall(struct paravirt *pv, struct error *err)
{
    /* SYSCALL leaves these in registers; a program may look (SDM vol. 2, SYSCALL). */
    pv->regs.gpr[X86_RCX] = pv->regs.rip;
    pv->regs.gpr[X86_R11] = pv->regs.rflags | (events_masked(pv) ? 0 : FLAG_IF);
    int rc = enter_kernel(pv, pv->syscall_entry, NULL, FLAGS_SYSCALL, "SYSCALL", err);
    events_mask(pv, true);
    pv->syscalls++;
    return rc;
}

int64_t
paravirt_iret(struct paravirt *pv)
{
    struct x86_regs *r = &pv->regs;
    struct hc_iret to;

    if (memory_read(pv, r->gpr[X86_RSP], &to, sizeof(to)))
        return -HC_EFAULT;
    bool user = (to.frame.cs & 3) == 3;
    if ((!user && to.frame.cs & 3) || !x86_canonical(to.frame.rip) ||
        (user && pv->root == NO_FRAME))
        return -HC_EINVAL;
    r->gpr[X86_RAX] = to.rax;
    r->gpr[X86_RSP] = to.frame.rsp;
    r->rip = to.frame.rip;
    r->rflags = (to.frame.rflags & FLAGS_IRET) | FLAG_ONE;
    events_mask(pv, !(to.frame.rflags & FLAG_IF));
    change_mode(pv, user);
    return 0;
}
