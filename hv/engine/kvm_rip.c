/*
 * kvm_rip.c - which instruction does a port exit belong to?
 *
 * At an OUT exit the instruction pointer stands on the instruction if KVM took it from the
 * hardware, and behind it if KVM's emulator executed it (real mode on older processors, OUTS,
 * KVM without hardware support). Nothing in struct kvm_run says which. The bytes at both places do,
 * almost always; where both could be it, what was true of the last clear case decides.
 * At an IN exit the instruction has not ended, and the pointer is right.
 *
 * Only recordings show this address, so it is worked out only while one is made: then KVM copies
 * the segment registers out at each exit too. Code pages are remembered; a stale entry can show a
 * wrong address in a recording, and nothing worse.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "core/ram.h"
#include "engine/engine.h"
#include "engine/kvm.h"

#define PAGE_MASK ((uint64_t)PAGE_SIZE - 1)

/* The host's address of the code page that holds a linear address; NULL: not in RAM or ROM. */
static const uint8_t *
code_page(struct vcpu *vcpu, uint64_t linear, bool paging, uint64_t cr3)
{
    struct engine_vcpu *v = vcpu->engine;
    uint64_t page = (linear / PAGE_SIZE) + 1;
    struct kvm_code_page *entry = &v->code[page % KVM_CODE_PAGES];
    bool writable;

    if (!paging)
        return ram_page(&vcpu->vm->ram, linear & ~PAGE_MASK, &writable);
    if (entry->page == page && entry->cr3 == cr3)
        return entry->host;
    struct kvm_translation t = {.linear_address = linear};
    if (ioctl(v->fd, KVM_TRANSLATE, &t) < 0 || !t.valid)
        return NULL;
    *entry = (struct kvm_code_page){
        .cr3 = cr3,
        .page = page,
        .host = ram_page(&vcpu->vm->ram, t.physical_address & ~PAGE_MASK, &writable),
    };
    return entry->host;
}

/* Up to len bytes from a linear address on. */
static unsigned
read_linear(struct vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t linear, uint8_t *bytes,
            unsigned len)
{
    unsigned done = 0;

    while (done < len) {
        uint64_t at = linear + done;
        if (!(sregs->efer & EFER_LMA))
            at &= 0xffffffff;
        const uint8_t *page = code_page(vcpu, at, sregs->cr0 & CR0_PG, sregs->cr3);
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

uint64_t
kvm_exit_rip(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    const struct kvm_run *run = v->run;
    const struct kvm_sregs *sregs = &run->s.regs.sregs;
    uint64_t rip = run->s.regs.regs.rip;
    const unsigned before = 4; /* OUT imm8 and two prefixes */
    uint8_t code[12];

    if (run->io.direction == KVM_EXIT_IO_IN || !(run->kvm_valid_regs & KVM_SYNC_X86_SREGS))
        return rip;
    uint64_t start = sregs->cs.base + rip - before;
    if (rip < before || read_linear(vcpu, sregs, start, code, sizeof(code)) < sizeof(code))
        return rip;

    bool code64 = sregs->cs.l && (sregs->efer & EFER_LMA);
    unsigned at = before; /* the opcode at rip, behind its prefixes */
    while (at < sizeof(code) - 2 && is_prefix(code[at], code64))
        at++;
    bool here = out_length(code + at, sizeof(code) - at, run->io.port, run->io.size);
    unsigned behind = 0; /* the length of the instruction that ends at rip */
    for (unsigned length = 2; !behind && length; length--)
        if (out_length(code + before - length, length, run->io.port, run->io.size) == length)
            behind = length;
    if (here != (behind != 0))
        v->out_style = here ? OUT_RIP_AT : OUT_RIP_BEHIND;
    if (!behind || v->out_style == OUT_RIP_AT)
        return rip;
    while (behind < before && is_prefix(code[before - behind - 1], code64))
        behind++;
    return rip - behind;
}
