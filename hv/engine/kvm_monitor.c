/*
 * kvm_monitor.c - the ring-0 stub by which a deprivileged guest's exceptions become exits.
 *
 * KVM shows no exception of a guest to user space. But a guest kernel that runs at CPL 3 needs a
 * ring 0 below it, and there we put a stub (engine/monitor.h): each gate of the real IDT pushes
 * its vector and writes to a port, which KVM does show. The frame that the processor pushed says
 * the rest. To go on the VMM sets registers; the stub never returns.
 *
 * A second piece of the stub is the way back in when page tables have changed: it loads CR3 with
 * what it is, which flushes the TLB, and goes to the guest by IRETQ.
 *
 * Called by kvm.c. Next: strategy/deprivilege.c, which built the window.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/engine.h"
#include "engine/kvm.h"
#include "engine/monitor.h"

/* A port that no device has, and that the guest cannot reach: IN and OUT fault at CPL 3. */
#define MONITOR_PORT 0xee

#define STUB_SIZE  16u    /* bytes of code a vector */
#define STUB_ENTER 0x800u /* the way back in */
#define VECTORS    32u

/* Exceptions for which the processor pushes an error code (SDM vol. 3, 6.13). */
#define WITH_ERROR_CODE 0x60227d00u /* 8, 10-14, 17, 21, 29, 30 */

/* What lies on the monitor's stack when the stub writes to the port, from the lowest address. */
struct monitor_frame {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* What the way in finds there: RAX, then what IRETQ pops. */
struct enter_frame {
    uint64_t rax, rip, cs, rflags, rsp, ss;
};

static uint8_t *
stack_top(struct vcpu *vcpu)
{
    return vcpu->vm->ram.private_host + MONITOR_STACK + PAGE_SIZE;
}

/* One vector: an error code if the processor gives none, the vector, the port. */
static void
write_stub(uint8_t *code, unsigned vector)
{
    if (!(WITH_ERROR_CODE >> vector & 1)) {
        *code++ = 0x6a; /* push 0 */
        *code++ = 0;
    }
    *code++ = 0x6a; /* push vector */
    *code++ = (uint8_t)vector;
    *code++ = 0xe6; /* out %al, $MONITOR_PORT */
    *code++ = MONITOR_PORT;
    *code++ = 0x0f; /* ud2: nobody comes back */
    *code++ = 0x0b;
}

/* A 64-bit interrupt gate, DPL 0: INT n of the guest is #GP (SDM vol. 3, 6.14.1). */
static void
write_gate(uint8_t *gate, uint64_t offset)
{
    uint64_t low = (offset & 0xffff) | (uint64_t)MONITOR_CS << 16 | UINT64_C(0x8e) << 40 |
                   (offset >> 16 & 0xffff) << 48;
    uint64_t high = offset >> 32;

    memcpy(gate, &low, 8);
    memcpy(gate + 8, &high, 8);
}

/* What IRETQ of the way in loads; no other engine needs these two (SDM vol. 3, figure 3-8). */
static void
write_descriptors(uint8_t *gdt)
{
    const uint64_t code64 = 0x00affb000000ffff, data = 0x00cff3000000ffff; /* DPL 3 */

    memcpy(gdt + (MONITOR_CS64 & ~7u), &code64, sizeof(code64));
    memcpy(gdt + (MONITOR_DS & ~7u), &data, sizeof(data));
}

int
kvm_open_monitor(struct vcpu *vcpu, struct error *err)
{
    static const uint8_t enter[] = {
        0x0f, 0x20, 0xd8, /* mov %cr3, %rax */
        0x0f, 0x22, 0xd8, /* mov %rax, %cr3 */
        0x58,             /* pop %rax */
        0x48, 0xcf,       /* iretq */
    };
    uint8_t *window = vcpu->vm->ram.private_host;

    if (!window)
        return error_set(err, EINVAL, "the strategy has claimed no private memory for a monitor");
    for (unsigned v = 0; v < VECTORS; v++) {
        write_stub(window + MONITOR_STUB + v * STUB_SIZE, v);
        write_gate(window + MONITOR_IDT + v * 16, MONITOR_LINEAR + MONITOR_STUB + v * STUB_SIZE);
    }
    memcpy(window + MONITOR_STUB + STUB_ENTER, enter, sizeof(enter));
    write_descriptors(window + MONITOR_GDT);
    vcpu->engine->monitor = true;
    return 0;
}

int
kvm_monitor_exit(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct monitor_frame frame;
    struct kvm_sregs sregs;

    if (!v->monitor || vcpu->exit.kind != TRACE_IO || vcpu->exit.access.address != MONITOR_PORT)
        return 0;
    memcpy(&frame, stack_top(vcpu) - sizeof(frame), sizeof(frame));
    if (ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
        return error_set(err, errno, "KVM_GET_SREGS failed: %s", strerror(errno));
    /* Nobody answers the stub's OUT, and it need not end: set_regs() puts the processor elsewhere. */
    v->access = (struct kvm_access){0};
    v->completing = false;
    v->in_monitor = true;
    v->trapped_rip = frame.rip;
    v->trapped_rflags = frame.rflags;
    v->trapped_rsp = frame.rsp;
    vcpu->exit = (struct vm_exit){.kind = TRACE_EXCEPTION, .rip = frame.rip, .user = true};
    vcpu->exit.exception.vector = frame.vector % VECTORS;
    vcpu->exit.exception.has_error = WITH_ERROR_CODE >> vcpu->exit.exception.vector & 1;
    vcpu->exit.exception.error = (uint32_t)frame.error;
    vcpu->exit.exception.address = vcpu->exit.exception.vector == 14 ? sregs.cr2 : 0;
    return 0;
}

void
kvm_monitor_regs(const struct engine_vcpu *v, struct x86_regs *regs)
{
    if (!v->in_monitor)
        return;
    regs->rip = v->trapped_rip;
    regs->rflags = v->trapped_rflags;
    regs->gpr[X86_RSP] = v->trapped_rsp;
}

void
kvm_flush_tlb(struct vcpu *vcpu)
{
    vcpu->engine->flush = true;
}

int
kvm_monitor_enter(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_segment code = {.limit = 0xffffffff,
                               .selector = MONITOR_CS,
                               .type = 11,
                               .present = 1,
                               .s = 1,
                               .l = 1,
                               .g = 1};
    struct kvm_segment data = {.limit = 0xffffffff,
                               .selector = MONITOR_SS,
                               .type = 3,
                               .present = 1,
                               .s = 1,
                               .db = 1,
                               .g = 1};
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    v->flush = v->state_known = false;
    if (!v->monitor)
        return 0;
    if (ioctl(v->fd, KVM_GET_REGS, &regs) < 0 || ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
        return error_set(err, errno, "KVM's registers cannot be read: %s", strerror(errno));
    v->entered_regs = regs;
    v->entered_sregs = sregs;
    struct enter_frame frame = {regs.rax,    regs.rip, MONITOR_CS64,
                                regs.rflags, regs.rsp, MONITOR_DS};
    memcpy(stack_top(vcpu) - sizeof(frame), &frame, sizeof(frame));
    regs.rip = MONITOR_LINEAR + MONITOR_STUB + STUB_ENTER;
    regs.rsp = MONITOR_LINEAR + MONITOR_STACK + PAGE_SIZE - sizeof(frame);
    regs.rflags = 2;
    sregs.cs = code;
    sregs.ss = data;
    if (ioctl(v->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(v->fd, KVM_SET_REGS, &regs) < 0)
        return error_set(err, errno, "KVM's registers cannot be set: %s", strerror(errno));
    return 0;
}

/* The guest may jump to any address: CS tells it from the stub. */
unsigned
kvm_monitor_stub_offset(uint64_t rip, uint16_t cs)
{
    uint64_t offset = rip - (MONITOR_LINEAR + MONITOR_STUB);

    return cs == MONITOR_CS && offset < PAGE_SIZE ? (unsigned)offset : PAGE_SIZE;
}

int
kvm_monitor_interrupted(struct vcpu *vcpu, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    if (ioctl(v->fd, KVM_GET_REGS, &regs) < 0 || ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
        return error_set(err, errno, "KVM's registers cannot be read: %s", strerror(errno));
    unsigned offset = kvm_monitor_stub_offset(regs.rip, sregs.cs.selector);
    if (offset >= PAGE_SIZE)
        return -EINTR;
    if (offset < STUB_ENTER) { /* on the way out: three instructions to the port */
        *(volatile uint8_t *)&v->run->immediate_exit = 0;
        int rc = kvm_enter(vcpu, err);
        kvm_kick(vcpu);
        return rc == -EINTR ? kvm_monitor_interrupted(vcpu, err) : rc;
    }
    /* On the way in: the guest has not moved yet. */
    v->state_known = false;
    if (ioctl(v->fd, KVM_SET_SREGS, &v->entered_sregs) < 0 ||
        ioctl(v->fd, KVM_SET_REGS, &v->entered_regs) < 0)
        return error_set(err, errno, "KVM's registers cannot be set: %s", strerror(errno));
    v->run->s.regs.regs = v->entered_regs;
    v->regs_known = true;
    v->run->s.regs.sregs = v->entered_sregs;
    v->flush = true;
    return -EINTR;
}
