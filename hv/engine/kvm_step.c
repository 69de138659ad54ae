/*
 * kvm_step.c - one instruction on KVM, with its peculiarities hidden.
 *
 * KVM steps by the trap flag, and that shows in places (docs/ARCHITECTURE.md, section 5):
 *   - an instruction that accesses a port or a device exits for that *instead of* the step; where
 *     KVM emulated it, the step's trap is lost, and going on would execute one instruction more.
 *     So the instruction is ended without entering the guest (kvm_finish), and that is the step.
 *   - HLT may be stepped over as if it were a NOP: it is recognized by its byte.
 *
 * Called through engine_kvm by the debugger. Next: kvm_regs.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/engine.h"
#include "engine/kvm.h"

int
kvm_set_stepping(struct vcpu *vcpu, bool on, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_guest_debug debug = {.control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP
                                                  : 0};

    if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug) < 0)
        return error_set(err, errno, "KVM cannot single-step: %s", strerror(errno));
    v->stepping = on;
    return 0;
}

/* The instruction of the last exit has its answer and ends here. */
static int
step_to_end(struct vcpu *vcpu, struct error *err)
{
    int rc = kvm_finish(vcpu, err);

    if (rc && rc != -EINTR)
        return rc;
    if (rc == -EINTR || !kvm_exit_decode(vcpu))
        kvm_exit_plain(vcpu, TRACE_DEBUG);
    return 0;
}

/* Is the next instruction a HLT that this code may execute? *rip gets where it is. */
static bool
at_hlt(struct vcpu *vcpu, uint64_t *rip)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    uint8_t byte;

    if (ioctl(v->fd, KVM_GET_REGS, &regs) < 0 || ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
        return false;
    *rip = regs.rip;
    return kvm_code_read(vcpu, &regs, &sregs, &byte, 1) == 1 && byte == 0xf4;
}

int
kvm_step(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    uint64_t rip = 0;
    int rc;

    if (kvm_exit_answer(vcpu) || kvm_take_unread(vcpu) || kvm_still_halted(vcpu))
        return 0;
    if (!v->stepping && (rc = kvm_set_stepping(vcpu, true, err)))
        return rc;
    if ((rc = kvm_settle(vcpu, err)))
        return rc;
    if (kvm_take_unread(vcpu))
        return 0;
    if (v->completing)
        return step_to_end(vcpu, err);

    bool hlt = at_hlt(vcpu, &rip);
    do {
        rc = kvm_enter(vcpu, err);
        if (rc == -EINTR && !kvm_interrupted_early(vcpu, KVM_NEVER)) {
            kvm_exit_plain(vcpu, TRACE_KICK);
            return 0;
        }
    } while (rc == -EINTR || (!rc && !kvm_exit_decode(vcpu)));
    if (!rc && hlt && vcpu->exit.kind == TRACE_DEBUG && vcpu->exit.rip == rip + 1) {
        kvm_exit_plain(vcpu, TRACE_HLT);
        vcpu->exit.rip = rip;
        v->halted = true;
    }
    return rc;
}
