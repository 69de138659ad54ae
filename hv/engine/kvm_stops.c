/*
 * kvm_stops.c - points to stop at on KVM: the processor's own debug registers.
 *
 * KVM_SET_GUEST_DEBUG lends the debugger DR0 to DR3 and DR7; points.c says what fits into them. What
 * the guest has in its debug registers it still reads and writes, but they do not strike meanwhile.
 *
 * What the processor does not access it cannot see: an instruction that our interpreter carries out
 * (kvm_step.c, strategy trap) is looked at there, by the same list; one that KVM emulates for a device
 * goes unseen.
 *
 * Next: points.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/engine.h"
#include "engine/kvm.h"

/* --- what the processor is asked to look for -------------------------------------------------- */

/* A step begins at an instruction that it must not stop before: it looks for accesses alone. */
int
kvm_set_debug(struct engine_vcpu *v, bool step, struct error *err)
{
    struct kvm_guest_debug debug = {.control = step ? KVM_GUESTDBG_SINGLESTEP : 0};

    v->armed_points = 0;
    for (unsigned i = 0; i < v->points; i++) {
        const struct debug_point *p = &v->point[i];
        if (step && p->how == POINT_EXECUTE)
            continue;
        debug.arch.debugreg[i] = p->address;
        debug.arch.debugreg[7] |= debug_point_dr7(p, i);
        v->armed_points |= 1u << i;
    }
    if (v->armed_points)
        debug.control |= KVM_GUESTDBG_USE_HW_BP;
    if (debug.control)
        debug.control |= KVM_GUESTDBG_ENABLE;
    if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug) < 0)
        return error_set(err, errno, "KVM cannot step or stop a guest: %s", strerror(errno));
    v->stepping = step;
    return 0;
}

/* --- what it found ---------------------------------------------------------------------------- */

void
kvm_point_exit(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    uint64_t hit = v->run->debug.arch.dr6 & v->armed_points;

    if (!hit)
        return;
    const struct debug_point *p = &v->point[__builtin_ctzll(hit)];
    vcpu->exit.debug.at_point = true;
    vcpu->exit.debug.point = p->id;
    vcpu->exit.debug.address = p->how == POINT_EXECUTE ? 0 : p->address;
}

bool
kvm_watch_exit(struct vcpu *vcpu)
{
    struct x86_watches *watches = &vcpu->engine->watches;

    if (!watches->hit)
        return false;
    kvm_exit_plain(vcpu, TRACE_DEBUG);
    vcpu->exit.debug.at_point = true;
    vcpu->exit.debug.point = watches->id;
    vcpu->exit.debug.address = watches->address;
    watches->hit = false;
    return true;
}

/* --- setting them ----------------------------------------------------------------------------- */

int
kvm_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct debug_point fresh[DEBUG_POINTS];
    struct x86_watches *watches = &v->watches;
    int n = debug_points(points, count, fresh, ", or use --engine soft", err);

    if (n < 0)
        return n;
    memcpy(v->point, fresh, (unsigned)n * sizeof(*fresh));
    v->points = (unsigned)n;
    watches->count = 0;
    watches->hit = false;
    for (unsigned i = 0; i < v->points; i++)
        if (fresh[i].how != POINT_EXECUTE)
            watches->watch[watches->count++] = (struct x86_watch){
                .address = fresh[i].address,
                .size = debug_point_size(&fresh[i]),
                .read = fresh[i].how == POINT_ACCESS,
                .write = true,
                .id = fresh[i].id,
            };
    return kvm_set_debug(v, false, err);
}
