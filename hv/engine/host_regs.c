/*
 * host_regs.c - the registers of a traced process, in the form that all engines share.
 *
 * The kernel lets a tracer see what a program at CPL 3 can: control registers, tables and MSRs stay 0.
 * That the processor is in long mode (or, in a 32-bit program, in its compatibility mode) is said in the
 * attributes of CS and in EFER, for who disassembles.
 *
 * At the first stop of a system call RAX holds -ENOSYS already and RIP is behind the instruction. What is
 * shown is the state before it, as at the exits of the other engines.
 *
 * Next: host_memory.c.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>

#include "engine/host.h"
#include "isa/x86/regs.h"

#define CALL_LEN     2u    /* bytes of SYSCALL and of INT 80 */
#define USER_CS64    0x33u /* the kernel's selector of 64-bit user code */
#define USER_SEGMENT (SEG_G | SEG_P | SEG_DPL | SEG_S | SEG_ACCESSED | SEG_WRITABLE)

/* struct x86_regs' general registers in the order of their encoding, and ptrace's. */
static const uint16_t offsets[16] = {
    [X86_RAX] = offsetof(struct user_regs_struct, rax),
    [X86_RCX] = offsetof(struct user_regs_struct, rcx),
    [X86_RDX] = offsetof(struct user_regs_struct, rdx),
    [X86_RBX] = offsetof(struct user_regs_struct, rbx),
    [X86_RSP] = offsetof(struct user_regs_struct, rsp),
    [X86_RBP] = offsetof(struct user_regs_struct, rbp),
    [X86_RSI] = offsetof(struct user_regs_struct, rsi),
    [X86_RDI] = offsetof(struct user_regs_struct, rdi),
    [X86_R8] = offsetof(struct user_regs_struct, r8),
    [X86_R9] = offsetof(struct user_regs_struct, r9),
    [X86_R10] = offsetof(struct user_regs_struct, r10),
    [X86_R11] = offsetof(struct user_regs_struct, r11),
    [X86_R12] = offsetof(struct user_regs_struct, r12),
    [X86_R13] = offsetof(struct user_regs_struct, r13),
    [X86_R14] = offsetof(struct user_regs_struct, r14),
    [X86_R15] = offsetof(struct user_regs_struct, r15),
};

static void
set_segment(struct x86_segment *to, uint64_t selector, uint64_t base, bool code, bool wide)
{
    to->selector = (uint16_t)selector;
    to->base = base;
    to->limit = UINT32_MAX;
    to->attr = (uint16_t)(USER_SEGMENT | (code ? SEG_CODE : 0) | (code && wide ? SEG_L : SEG_DB));
}

static void
set_mode(struct x86_regs *r, const struct user_regs_struct *from)
{
    bool wide = from->cs == USER_CS64;

    set_segment(&r->seg[X86_CS], from->cs, 0, true, wide);
    set_segment(&r->seg[X86_SS], from->ss, 0, false, wide);
    set_segment(&r->seg[X86_DS], from->ds, 0, false, wide);
    set_segment(&r->seg[X86_ES], from->es, 0, false, wide);
    set_segment(&r->seg[X86_FS], from->fs, from->fs_base, false, wide);
    set_segment(&r->seg[X86_GS], from->gs, from->gs_base, false, wide);
    r->efer = EFER_LMA | EFER_LME | EFER_SCE | EFER_NXE;
    r->cr0 = CR0_PE | CR0_PG;
    r->cr4 = CR4_PAE;
}

/* A task that the kernel still has: of its registers, what its call has told. */
static void
from_call(const struct host_task *task, struct user_regs_struct *to)
{
    const struct __ptrace_syscall_info *info = &task->call;

    memset(to, 0, sizeof(*to));
    to->cs = USER_CS64;
    to->rip = info->instruction_pointer;
    to->rsp = info->stack_pointer;
    to->orig_rax = info->entry.nr;
    to->rdi = info->entry.args[0];
    to->rsi = info->entry.args[1];
    to->rdx = info->entry.args[2];
    to->r10 = info->entry.args[3];
    to->r8 = info->entry.args[4];
    to->r9 = info->entry.args[5];
}

static int
no_task(struct error *err)
{
    return error_set(err, ESRCH, "the process is gone: there are no registers and no memory");
}

int
host_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err)
{
    const struct host_task *task = vcpu->engine->current;
    struct user_regs_struct r;
    bool before;

    if (!task)
        return no_task(err);
    before = task->at_call || !task->stopped;
    if (!task->stopped)
        from_call(task, &r);
    else if (ptrace(PTRACE_GETREGS, task->tid, 0, &r))
        return no_task(err);
    memset(regs, 0, sizeof(*regs));
    for (unsigned i = 0; i < 16; i++)
        memcpy(&regs->gpr[i], (const char *)&r + offsets[i], sizeof(regs->gpr[i]));
    regs->rip = r.rip;
    regs->rflags = r.eflags;
    if (before) {
        regs->gpr[X86_RAX] = r.orig_rax;
        regs->rip -= CALL_LEN;
    }
    if (vcpu->exit.kind == TRACE_EXEC) /* not back from execve() yet, whose result it will be */
        regs->gpr[X86_RAX] = 0;
    set_mode(regs, &r);
    static_assert(sizeof(struct user_fpregs_struct) == sizeof(regs->fx), "an FXSAVE image");
    if (task->stopped)
        ptrace(PTRACE_GETFPREGS, task->tid, 0, regs->fx);
    return 0;
}

int
host_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err)
{
    const struct host_task *task = vcpu->engine->current;
    struct user_regs_struct r;
    struct x86_regs was;
    int rc = host_get_regs(vcpu, &was, err);

    if (rc)
        return rc;
    if (!task->stopped)
        return error_set(err, EBUSY,
                         "the kernel has this process: its registers can be changed when the "
                         "system call has ended");
    if (ptrace(PTRACE_GETREGS, task->tid, 0, &r))
        return no_task(err);
    for (unsigned i = 0; i < 16; i++)
        memcpy((char *)&r + offsets[i], &regs->gpr[i], sizeof(regs->gpr[i]));
    r.rip = regs->rip;
    r.eflags = regs->rflags;
    r.fs_base = regs->seg[X86_FS].base;
    r.gs_base = regs->seg[X86_GS].base;
    if (task->at_call && regs->rip == was.rip) { /* another call, perhaps, or another argument */
        r.orig_rax = regs->gpr[X86_RAX];
        r.rip += CALL_LEN;
    } else if (task->at_call) {
        r.orig_rax = UINT64_MAX; /* the program goes on elsewhere: no call */
    }
    if (ptrace(PTRACE_SETREGS, task->tid, 0, &r))
        return error_set(err, EINVAL,
                         "the kernel refuses these registers: a program at CPL 3 cannot have "
                         "them");
    ptrace(PTRACE_SETFPREGS, task->tid, 0, regs->fx);
    return 0;
}
