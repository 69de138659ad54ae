/*
 * kvm_rip.c - which instruction, and which privilege level, does an exit belong to?
 *
 * Only recordings show it, so it is worked out only while one is made; and KVM says neither at an
 * exit without a further system call, or a copy of all segment registers, each of which would cost
 * a good part of the exit itself. So what was found at a place is remembered:
 *   - the privilege level. A place is a page of code and a region of the stack: kernel and programs
 *     do not share both. What is remembered ends with the next interrupt.
 *   - where an OUT begins. The instruction pointer stands on it if KVM took it from the hardware,
 *     and behind it if KVM's emulator executed it (real mode on older processors, OUTS, KVM without
 *     hardware support). The bytes at both places tell, almost always; where both could be it, what
 *     was true of the last clear case decides. At an IN exit the instruction has not ended, and the
 *     pointer is right.
 *
 * Called by kvm_exits.c. Next: kvm_step.c.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "core/ram.h"
#include "engine/engine.h"
#include "engine/kvm.h"

#define PAGE_MASK ((uint64_t)PAGE_SIZE - 1)

void
kvm_places_forget(struct engine_vcpu *v)
{
    memset(&v->places, 0, sizeof(v->places));
}

bool
kvm_exit_user(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    const struct kvm_regs *regs = kvm_exit_regs(vcpu);
    uint64_t code = (regs->rip / PAGE_SIZE) + 1, stack = regs->rsp >> 20;
    unsigned i = code % KVM_PLACES;
    struct kvm_sregs sregs;

    if (v->places.page[i].code != code || v->places.page[i].stack != stack) {
        if (ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0)
            return false;
        v->places.page[i].code = code;
        v->places.page[i].stack = stack;
        v->places.page[i].user = sregs.ss.dpl == 3;
    }
    return v->places.page[i].user;
}

/* The host's address of the code page that holds a linear address; NULL: not in RAM or ROM. */
static const uint8_t *
code_page(struct vcpu *vcpu, uint64_t linear, bool paging)
{
    struct kvm_translation t = {.linear_address = linear};
    bool writable;

    if (!paging)
        return ram_page(&vcpu->vm->ram, linear & ~PAGE_MASK, &writable);
    if (ioctl(vcpu->engine->fd, KVM_TRANSLATE, &t) < 0 || !t.valid)
        return NULL;
    return ram_page(&vcpu->vm->ram, t.physical_address & ~PAGE_MASK, &writable);
}

/* Up to len bytes from a linear address on; how many could be read. */
static unsigned
read_linear(struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t linear, uint8_t *bytes,
            unsigned len)
{
    unsigned done = 0;

    while (done < len) {
        uint64_t at = linear + done;
        if (!(sregs->efer & EFER_LMA))
            at &= 0xffffffff;
        const uint8_t *page = code_page(vcpu, at, sregs->cr0 & CR0_PG);
        if (!page)
            break;
        unsigned part = PAGE_SIZE - (unsigned)(at & PAGE_MASK);
        if (part > len - done)
            part = len - done;
        memcpy(bytes + done, page + (at & PAGE_MASK), part);
        done += part;
    }
    return done;
}

/*
 * OUT imm8: e6 e7; OUT DX: ee ef; OUTS: 6e 6f. Even: a byte; odd: 2 or 4 bytes.
 * Is there one for this port and size whose opcode is code[0]? Its length, or 0.
 */
static unsigned
out_length(const uint8_t *code, unsigned len, uint16_t port, unsigned size)
{
    if (!len || (code[0] & 1) != (size > 1))
        return 0;
    switch (code[0] | 1) {
    case 0xe7: return len > 1 && code[1] == port ? 2 : 0;
    case 0xef:
    case 0x6f: return 1;
    default: return 0;
    }
}

/* Of those that can stand before OUT and OUTS: sizes, REP, segments; REX in 64-bit code. */
static bool
is_prefix(uint8_t byte, bool code64)
{
    switch (byte) {
    case 0x66:
    case 0x67:
    case 0xf2:
    case 0xf3:
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65: return true;
    default: return code64 && (byte & 0xf0) == 0x40;
    }
}

/* The length of the OUT that ends at rip and belongs to this exit, with its prefixes; 0: it begins
 * at rip. code: the bytes around rip, `before` of them below it. */
static unsigned
out_behind(struct engine_vcpu *v, const uint8_t *code, unsigned before, unsigned len, bool code64)
{
    uint16_t port = v->run->io.port;
    unsigned size = v->run->io.size;
    unsigned at = before; /* the opcode at rip, behind its prefixes */
    while (at < len - 2 && is_prefix(code[at], code64))
        at++;
    bool here = out_length(code + at, len - at, port, size);
    unsigned behind = 0; /* the length of the instruction that ends at rip */
    for (unsigned length = 2; !behind && length; length--)
        if (out_length(code + before - length, length, port, size) == length)
            behind = length;
    if (here != (behind != 0))
        v->out_behind = !here;
    if (!behind || !v->out_behind)
        return 0;
    while (behind < before && is_prefix(code[before - behind - 1], code64))
        behind++;
    return behind;
}

uint64_t
kvm_exit_rip(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    uint64_t rip = kvm_exit_regs(vcpu)->rip;
    unsigned i = rip % KVM_OUTS;
    const unsigned before = 4; /* OUT imm8 and two prefixes */
    struct kvm_sregs sregs;
    uint8_t code[12];

    if (v->run->io.direction == KVM_EXIT_IO_IN)
        return rip;
    if (v->places.out[i].rip == rip + 1)
        return rip - v->places.out[i].back;
    if (rip < before || ioctl(v->fd, KVM_GET_SREGS, &sregs) < 0 ||
        read_linear(vcpu, &sregs, sregs.cs.base + rip - before, code, sizeof(code)) < sizeof(code))
        return rip;
    bool code64 = sregs.cs.l && (sregs.efer & EFER_LMA);
    v->places.out[i].rip = rip + 1;
    v->places.out[i].back = (uint8_t)out_behind(v, code, before, sizeof(code), code64);
    return rip - v->places.out[i].back;
}
