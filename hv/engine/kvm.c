/*
 * kvm.c - the engine that lets the processor run the guest, through Linux' KVM.
 *
 * kvm_run() is the short way from the VMM into the guest and back; the rest of the file is what an
 * engine must offer besides. On that way there is one system call, KVM_RUN itself: registers,
 * timer and interrupts are touched only when something about them has changed.
 *
 * What KVM does itself is never seen here: CPUID, control registers, page faults and exceptions of
 * the guest; hypercalls too: VMCALL and VMMCALL of a number that KVM does not know come back to
 * the guest with -1000 (KVM_ENOSYS) in RAX. A guest that wants to talk to this VMM on every engine
 * uses a port (guests/include/abi.h).
 *
 * Called through engine_kvm by core/run.c. Next: kvm_exits.c, then kvm_step.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "engine/engine.h"
#include "engine/engines.h"
#include "engine/kvm.h"
#include "isa/x86/cpu.h"

/* --- the deadline ----------------------------------------------------------------------------- */

/* KVM_RUN returns at once while immediate_exit is set, so it makes no difference whether the
 * signal comes before or after the thread is in the kernel. */
static void
set_immediate_exit(struct engine_vcpu *v, uint8_t value)
{
    *(volatile uint8_t *)&v->run->immediate_exit = value;
}

void
kvm_on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    if (info->si_code != SI_TIMER)
        return; /* kvm_kick() of another thread: what was to be done is done */
    struct engine_vcpu *v = info->si_value.sival_ptr;
    v->fired = 1;
    set_immediate_exit(v, 1);
}

static int
arm_timer(struct vcpu *vcpu, uint64_t deadline, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;

    if (!v->has_timer) {
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = KVM_SIGNAL};
        event.sigev_value.sival_ptr = v;
        event._sigev_un._tid = v->thread;
        if (timer_create(CLOCK_MONOTONIC, &event, &v->timer) < 0)
            return error_set(err, errno, "no timer for the deadline: %s", strerror(errno));
        v->has_timer = true;
    }
    uint64_t at = vcpu->vm->engine->start + deadline;
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)}};
    if (timer_settime(v->timer, TIMER_ABSTIME, &when, NULL) < 0)
        return error_set(err, errno, "the deadline's timer cannot be set: %s", strerror(errno));
    v->armed = deadline;
    return 0;
}

/* KVM_RUN was interrupted. True: for nothing; the timer fired, but for a deadline that has since
 * moved away. */
bool
kvm_interrupted_early(struct vcpu *vcpu, uint64_t deadline)
{
    struct engine_vcpu *v = vcpu->engine;
    bool only_timer = v->fired;

    /* In this order: whoever kicks between two of these lines is seen by the next one. */
    set_immediate_exit(v, 0);
    if (v->fired) {
        v->fired = 0;
        v->armed = KVM_NEVER;
    }
    if (v->kicked || vcpu->vm->stop)
        only_timer = false;
    v->kicked = 0;
    return only_timer && now_ns() - vcpu->vm->engine->start < deadline;
}

/* --- into the guest and back ------------------------------------------------------------------ */

int
kvm_enter(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_run *run = v->run;
    run->request_interrupt_window = vcpu->window_requested;
    run->kvm_valid_regs = vcpu->vm->recorder && vcpu->vm->engine->sync ? KVM_SYNC_X86_REGS : 0;
    v->halted = v->completing = v->injected = v->stale = v->state_known = false;
    int rc = ioctl(v->fd, KVM_RUN, 0);
    if (rc < 0 && errno != EINTR)
        return error_set(err, errno, "KVM_RUN failed: %s", strerror(errno));
    v->regs_known = run->kvm_valid_regs;
    return rc < 0 ? -EINTR : 0;
}

bool
kvm_still_halted(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;

    if (!v->halted || v->injected)
        return false;
    kvm_exit_plain(vcpu, TRACE_HLT);
    vcpu->exit.rip -= 1;
    return true;
}

static int
kvm_run(struct vcpu *vcpu, uint64_t deadline, uint64_t budget, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    int rc;

    (void)budget; /* KVM cannot count instructions */
    if (!v->thread)
        v->thread = (pid_t)syscall(SYS_gettid);
    if (vcpu->vm->engine->broken)
        return error_set(err, EIO, "the A20 gate moved and KVM refuses the new memory slots");
    /* 1. Hand over what the VMM answered to the last exit. */
    if (kvm_exit_answer(vcpu) || kvm_take_unread(vcpu) || kvm_still_halted(vcpu) ||
        kvm_watch_exit(vcpu))
        return 0;
    /* 2. What the debugger may have left, and a deadline nearer than the timer's. */
    if (v->stepping && (rc = kvm_set_debug(v, false, err)))
        return rc;
    for (;;) {
        if ((deadline < v->armed && (rc = arm_timer(vcpu, deadline, err))) ||
            (v->flush && (rc = kvm_monitor_enter(vcpu, err))))
            return rc;
        /* 3. Run the guest, and say why it stopped. */
        rc = kvm_enter(vcpu, err);
        if (rc == -EINTR && v->monitor)
            rc = kvm_monitor_interrupted(vcpu, err);
        if (rc == -EINTR && !kvm_interrupted_early(vcpu, deadline)) {
            kvm_exit_plain(vcpu, TRACE_KICK);
            return 0;
        }
        if (rc != -EINTR && (rc || kvm_exit_decode(vcpu)))
            return rc ? rc : kvm_monitor_exit(vcpu, err);
    }
}

int
kvm_finish(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;

    /* KVM ends the instruction whose access was answered, and then sees immediate_exit. */
    set_immediate_exit(v, 1);
    int rc = kvm_enter(vcpu, err);
    /* In this order: whoever kicks between the two lines sets it himself. */
    set_immediate_exit(v, 0);
    if (v->kicked || v->fired)
        set_immediate_exit(v, 1);
    return rc;
}

int
kvm_settle(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;

    if (!v->completing || !v->access.write || v->access.left)
        return 0;
    v->access = (struct kvm_access){0};
    int rc = kvm_finish(vcpu, err);
    if (rc == -EINTR)
        return kvm_end_rep(vcpu, err);
    /* An access may have a second part in another page; the end of a step is no news. */
    v->unread = !rc && v->run->exit_reason != KVM_EXIT_DEBUG;
    return rc;
}

bool
kvm_take_unread(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    bool unread = v->unread;

    v->unread = false;
    return unread && kvm_exit_decode(vcpu);
}

void
kvm_kick(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    int saved = errno; /* this may be a signal handler */

    v->kicked = 1;
    set_immediate_exit(v, 1);
    if (v->thread && v->thread != (pid_t)syscall(SYS_gettid))
        syscall(SYS_tgkill, getpid(), v->thread, KVM_SIGNAL);
    errno = saved;
}

/* --- interrupts ------------------------------------------------------------------------------- */

static bool
kvm_can_inject(struct vcpu *vcpu)
{
    const struct engine_vcpu *v = vcpu->engine;

    /* After registers were set nobody knows before the next entry: the VMM asks for a window, and
     * gets it at once if there is one. */
    return v->run->ready_for_interrupt_injection && !v->injected && !v->stale && !v->access.left;
}

static int
kvm_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_interrupt interrupt = {.irq = vector};

    if (ioctl(v->fd, KVM_INTERRUPT, &interrupt) < 0)
        return error_set(err, errno, "KVM refuses interrupt %u: %s", vector, strerror(errno));
    kvm_places_forget(v);
    v->injected = true;
    v->state_known = false;
    return 0;
}

/* --- intercepts ------------------------------------------------------------------------------- */

/* RDMSR and WRMSR of every MSR reach us, or (a filter that allows all) none. KVM refuses a filter
 * without a range, so one range of eight MSRs says again what the default says. */
static int
set_msr_exits(struct engine_vm *kvm, bool on, struct error *err)
{
    uint8_t allow = on ? 0x00 : 0xff;
    struct kvm_msr_filter filter = {
        .flags = on ? KVM_MSR_FILTER_DEFAULT_DENY : KVM_MSR_FILTER_DEFAULT_ALLOW,
        .ranges[0] = {.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
                      .nmsrs = 8,
                      .bitmap = &allow},
    };
    struct kvm_enable_cap cap = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
                                 .args[0] = on ? KVM_MSR_EXIT_REASON_FILTER : 0};

    if (ioctl(kvm->fd, KVM_ENABLE_CAP, &cap) < 0 ||
        ioctl(kvm->fd, KVM_X86_SET_MSR_FILTER, &filter) < 0)
        return error_set(err, errno, "KVM cannot make RDMSR and WRMSR exit: %s", strerror(errno));
    return 0;
}

static int
kvm_intercept(struct vcpu *vcpu, uint32_t instructions, uint32_t exceptions, struct error *err)
{
    struct engine_vm *kvm = vcpu->vm->engine;

    if ((exceptions && !vcpu->engine->monitor) || (instructions & ~INTERCEPT_MSR))
        return error_set(err, ENOTSUP,
                         "KVM handles these instructions and exceptions itself and shows no exit "
                         "for them: use --engine soft");
    if (instructions && !kvm->msr_exits)
        return error_set(err, ENOTSUP,
                         "this KVM cannot make RDMSR and WRMSR exit: use Linux 5.10 or later, or "
                         "--engine soft");
    return kvm->msr_exits ? set_msr_exits(kvm, instructions != 0, err) : 0;
}

/*
 * The exit table's answer to an intercepted RDMSR or WRMSR: what KVM would have done. KVM trusts
 * the VMM more than a guest, so what only it would catch is caught here: LME may not change while
 * paging is on (SDM vol. 3, 9.8.5). An MSR that KVM does not know is #GP for the guest.
 */
static int
kvm_emulate(struct vcpu *vcpu, struct error *err)
{
    const uint32_t msr_efer = 0xc0000080;
    struct engine_vcpu *v = vcpu->engine;
    struct vm_exit *exit = &vcpu->exit;
    struct kvm_sregs sregs;

    if (exit->kind != TRACE_MSR)
        return error_set(err, ENOTSUP, "kvm: there is nothing to emulate for this exit");
    if (!exit->msr.write) {
        exit->msr.refused = kvm_get_msr(v, exit->msr.index, &exit->msr.value) != 0;
        return 0;
    }
    if (exit->msr.index == msr_efer) {
        if (ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
            return error_set(err, errno, "KVM_GET_SREGS failed: %s", strerror(errno));
        exit->msr.refused = (sregs.cr0 & CR0_PG) && ((sregs.efer ^ exit->msr.value) & EFER_LME);
    }
    if (!exit->msr.refused)
        exit->msr.refused = kvm_set_msr(v, exit->msr.index, exit->msr.value) != 0;
    return 0;
}

/* --- the rest --------------------------------------------------------------------------------- */

static void
kvm_set_a20(struct vm *vm, bool open)
{
    struct engine_vm *kvm = vm->engine;

    if (kvm->a20_closed == !open ||
        vm->ram.private_host) /* as soft.c: not for page tables of ours */
        return;
    kvm->a20_closed = !open;
    kvm->broken = kvm_map_memory(vm, NULL) != 0; /* the next run() says so */
}

static uint64_t
kvm_time(struct vcpu *vcpu)
{
    return now_ns() - vcpu->vm->engine->start;
}

static uint64_t
kvm_icount(struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

/* Host time passes by itself. */
static void
kvm_idle_until(struct vcpu *vcpu, uint64_t t)
{
    (void)vcpu, (void)t;
}

#define SHOWS(kind) (UINT64_C(1) << TRACE_##kind)

const struct engine_ops engine_kvm = {
    .name = "kvm",
    .summary = "the processor itself, through Linux' KVM: fast, needs VT-x or SVM",
    .caps = CAP_GUEST_KERNEL | CAP_STEP | CAP_MSR_EXIT | CAP_DEPRIVILEGE,
    .exits = SHOWS(IO) | SHOWS(MMIO) | SHOWS(EXCEPTION) | SHOWS(HLT) | SHOWS(MSR) |
             SHOWS(INTR_WINDOW) | SHOWS(SHUTDOWN) | SHOWS(DEBUG) | SHOWS(KICK) | SHOWS(FAIL_ENTRY) |
             SHOWS(INTERNAL_ERROR) | SHOWS(SYSTEM_EVENT) | SHOWS(UNKNOWN),
    .probe = kvm_probe,
    .open = kvm_open,
    .close = kvm_close,
    .run = kvm_run,
    .step = kvm_step,
    .emulate = kvm_emulate,
    .get_regs = kvm_get_regs,
    .set_regs = kvm_set_regs,
    .set_stops = kvm_set_stops,
    .can_inject = kvm_can_inject,
    .inject = kvm_inject,
    .intercept = kvm_intercept,
    .open_monitor = kvm_open_monitor,
    .flush_tlb = kvm_flush_tlb,
    .set_a20 = kvm_set_a20,
    .kick = kvm_kick,
    .time = kvm_time,
    .icount = kvm_icount,
    .idle_until = kvm_idle_until,
};
