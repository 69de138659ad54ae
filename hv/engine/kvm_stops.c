/*
 * kvm_stops.c - points to stop at on KVM: the processor's own debug registers.
 *
 * KVM_SET_GUEST_DEBUG lends the debugger DR0 to DR3 and DR7 (SDM vol. 3, 17.2): four points in all, of 1,
 * 2, 4 or 8 aligned bytes; others are cut into such pieces. The processor cannot watch reads alone. What
 * the guest has in its debug registers it still reads and writes, but they do not strike meanwhile.
 *
 * What the processor does not access it cannot see: an instruction that our interpreter carries out
 * (kvm_step.c, strategy trap) is looked at there, by the same list; one that KVM emulates for a device
 * goes unseen.
 *
 *   DR7:  31-16 for each point, 4 bits: 3-2 LEN (0: 1, 1: 2, 3: 4, 2: 8), 1-0 R/W (0 execute, 1 write,
 *         3 access)    9 GE  8 LE   7-0 for each point, 2 bits: G, L
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/engine.h"
#include "engine/kvm.h"

#define DR7_LE_GE 0x300u

/* --- what the processor is asked to look for -------------------------------------------------- */

/* A step begins at an instruction that it must not stop before: it looks for accesses alone. */
int
kvm_set_debug(struct engine_vcpu *v, bool step, struct error *err)
{
    struct kvm_guest_debug debug = {.control = step ? KVM_GUESTDBG_SINGLESTEP : 0};
    uint64_t dr7 = 0;

    v->armed_points = 0;
    for (unsigned i = 0; i < v->points; i++) {
        const struct kvm_point *p = &v->point[i];
        if (step && !p->how)
            continue;
        debug.arch.debugreg[i] = p->address;
        dr7 |= UINT64_C(3) << (2 * i) | (uint64_t)(p->length << 2 | p->how) << (16 + 4 * i);
        v->armed_points |= 1u << i;
    }
    if (v->armed_points) {
        debug.control |= KVM_GUESTDBG_USE_HW_BP;
        debug.arch.debugreg[7] = dr7 | DR7_LE_GE;
    }
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
    const struct kvm_point *p = &v->point[__builtin_ctzll(hit)];
    vcpu->exit.debug.at_point = true;
    vcpu->exit.debug.point = p->id;
    vcpu->exit.debug.address = p->how ? p->address : 0;
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

/* The largest piece that begins at address and has room in size. */
static unsigned
piece_size(uint64_t address, uint64_t size)
{
    unsigned piece = 8;

    while (piece > size || address & (piece - 1))
        piece /= 2;
    return piece;
}

/* Adds one point, in pieces. 0 or -ENOSPC. */
unsigned
kvm_point_pieces(const struct stop_point *p, unsigned id, struct kvm_point *to, unsigned room)
{
    static const uint8_t length[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    uint64_t address = p->address, left = p->kind == STOP_EXECUTE ? 1 : p->size;
    unsigned n = 0;

    for (unsigned piece; left; address += piece, left -= piece) {
        piece = p->kind == STOP_EXECUTE ? 1 : piece_size(address, left);
        if (n == room)
            return room + 1;
        to[n++] = (struct kvm_point){.address = address,
                                     .length = length[piece],
                                     .how = p->kind == STOP_EXECUTE ? 0
                                            : p->kind == STOP_WRITE ? 1
                                                                    : 3,
                                     .id = id};
    }
    return n;
}

int
kvm_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_point fresh[KVM_POINTS];
    struct x86_watches *watches = &v->watches;
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct stop_point *p = &points[i];
        if (p->kind == STOP_READ)
            return error_set(err, ENOTSUP,
                             "the processor cannot watch for reads alone: watch for accesses, or "
                             "use --engine soft");
        if (p->kind != STOP_EXECUTE && (!p->size || p->address + (p->size - 1) < p->address))
            return error_set(err, EINVAL,
                             "a watch point needs at least one byte, and an end that "
                             "is not behind the end of the address space");
        n += kvm_point_pieces(p, i, fresh + n, KVM_POINTS - n);
        if (n > KVM_POINTS)
            return error_set(err, ENOSPC,
                             "the processor has four points, of at most 8 aligned bytes each: "
                             "delete some, or use --engine soft");
    }
    memcpy(v->point, fresh, n * sizeof(*fresh));
    v->points = n;
    watches->count = 0;
    watches->hit = false;
    for (unsigned i = 0; i < n; i++)
        if (fresh[i].how)
            watches->watch[watches->count++] = (struct x86_watch){
                .address = fresh[i].address,
                .size = UINT64_C(1) << (fresh[i].length == 2   ? 3
                                        : fresh[i].length == 3 ? 2
                                                               : fresh[i].length),
                .read = fresh[i].how == 3,
                .write = true,
                .id = fresh[i].id,
            };
    return kvm_set_debug(v, false, err);
}
