/*
 * kvm_regs.c - struct x86_regs <-> the six structures in which KVM keeps a processor's state.
 *
 * The conversions are pure functions (tests/unit/kvm.c takes them round); kvm_get_regs() and
 * kvm_set_regs() put the system calls around them. set_regs first asks x86_regs_invalid(): KVM
 * takes some impossible states without a word and answers with a failed VM entry much later.
 *
 * Called by kvm.c through engine_ops. Next: kvm_exits.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"
#include "core/ram.h"
#include "engine/engine.h"
#include "engine/kvm.h"

/* Numbers of MSRs (SDM vol. 4, 2.1; APM vol. 2, appendix A), and where x86_regs has them. */
#define MSR_TSC 0x10
static const struct msr_place {
    uint32_t index;
    uint16_t offset;
    const char *name;
} msr_places[KVM_MSRS] = {
    {0x00000174, offsetof(struct x86_regs, sysenter_cs), "IA32_SYSENTER_CS"},
    {0x00000175, offsetof(struct x86_regs, sysenter_esp), "IA32_SYSENTER_ESP"},
    {0x00000176, offsetof(struct x86_regs, sysenter_eip), "IA32_SYSENTER_EIP"},
    {0x000001a0, offsetof(struct x86_regs, misc_enable), "IA32_MISC_ENABLE"},
    {0x00000277, offsetof(struct x86_regs, pat), "IA32_PAT"},
    {0xc0000081, offsetof(struct x86_regs, star), "IA32_STAR"},
    {0xc0000082, offsetof(struct x86_regs, lstar), "IA32_LSTAR"},
    {0xc0000083, offsetof(struct x86_regs, cstar), "IA32_CSTAR"},
    {0xc0000084, offsetof(struct x86_regs, sfmask), "IA32_FMASK"},
    {0xc0000102, offsetof(struct x86_regs, kernel_gs_base), "IA32_KERNEL_GS_BASE"},
};
/* IA32_TSC_AUX stands apart: processors without RDTSCP do not have it. */
#define MSR_TSC_AUX 0xc0000103

/* --- segments --------------------------------------------------------------------------------- */

static struct x86_segment
segment_from_kvm(const struct kvm_segment *k)
{
    unsigned attr = (k->type & SEG_TYPE) | (k->s ? SEG_S : 0) | (k->dpl & 3u) << SEG_DPL_SHIFT |
                    (k->avl ? SEG_AVL : 0) | (k->l ? SEG_L : 0) | (k->db ? SEG_DB : 0) |
                    (k->g ? SEG_G : 0);

    if (k->present && !k->unusable)
        attr |= SEG_P;
    /* SVM may show a loaded segment as not accessed; VMX insists that it is, and so do we
     * (SDM vol. 3, 26.3.1.2). */
    if ((attr & SEG_P) && (attr & SEG_S))
        attr |= SEG_ACCESSED;
    return (struct x86_segment){
        .base = k->base, .limit = k->limit, .selector = k->selector, .attr = (uint16_t)attr};
}

static struct kvm_segment
segment_to_kvm(const struct x86_segment *s)
{
    return (struct kvm_segment){
        .base = s->base,
        .limit = s->limit,
        .selector = s->selector,
        .type = s->attr & SEG_TYPE,
        .s = !!(s->attr & SEG_S),
        .dpl = (s->attr & SEG_DPL) >> SEG_DPL_SHIFT,
        .present = !!(s->attr & SEG_P),
        .avl = !!(s->attr & SEG_AVL),
        .l = !!(s->attr & SEG_L),
        .db = !!(s->attr & SEG_DB),
        .g = !!(s->attr & SEG_G),
        .unusable = !(s->attr & SEG_P),
    };
}

/* --- the FPU ---------------------------------------------------------------------------------- */

/*
 * The FXSAVE image (SDM vol. 1, table 10-2), by byte offset:
 *   0 FCW  2 FSW  4 FTW(8)  6 FOP  8 FIP(64)  16 FDP(64)  24 MXCSR  28 MXCSR_MASK
 *   32 ST0-ST7, 16 bytes each   160 XMM0-XMM15   416 not used
 * MXCSR_MASK says what the processor can do; it is no register, and stays as it is.
 */
static void
fpu_from_kvm(uint8_t fx[512], const struct kvm_fpu *fpu)
{
    memcpy(fx + 0, &fpu->fcw, 2);
    memcpy(fx + 2, &fpu->fsw, 2);
    fx[4] = fpu->ftwx;
    memcpy(fx + 6, &fpu->last_opcode, 2);
    memcpy(fx + 8, &fpu->last_ip, 8);
    memcpy(fx + 16, &fpu->last_dp, 8);
    memcpy(fx + 24, &fpu->mxcsr, 4);
    memcpy(fx + 32, fpu->fpr, sizeof(fpu->fpr));
    memcpy(fx + 160, fpu->xmm, sizeof(fpu->xmm));
}

static void
fpu_to_kvm(struct kvm_fpu *fpu, const uint8_t fx[512])
{
    memcpy(&fpu->fcw, fx + 0, 2);
    memcpy(&fpu->fsw, fx + 2, 2);
    fpu->ftwx = fx[4];
    memcpy(&fpu->last_opcode, fx + 6, 2);
    memcpy(&fpu->last_ip, fx + 8, 8);
    memcpy(&fpu->last_dp, fx + 16, 8);
    memcpy(&fpu->mxcsr, fx + 24, 4);
    memcpy(fpu->fpr, fx + 32, sizeof(fpu->fpr));
    memcpy(fpu->xmm, fx + 160, sizeof(fpu->xmm));
}

/* --- the whole state -------------------------------------------------------------------------- */

/* kvm_regs has the registers in an order of its own. */
static const uint16_t gpr_offset[16] = {
    [X86_RAX] = offsetof(struct kvm_regs, rax), [X86_RCX] = offsetof(struct kvm_regs, rcx),
    [X86_RDX] = offsetof(struct kvm_regs, rdx), [X86_RBX] = offsetof(struct kvm_regs, rbx),
    [X86_RSP] = offsetof(struct kvm_regs, rsp), [X86_RBP] = offsetof(struct kvm_regs, rbp),
    [X86_RSI] = offsetof(struct kvm_regs, rsi), [X86_RDI] = offsetof(struct kvm_regs, rdi),
    [X86_R8] = offsetof(struct kvm_regs, r8),   [X86_R9] = offsetof(struct kvm_regs, r9),
    [X86_R10] = offsetof(struct kvm_regs, r10), [X86_R11] = offsetof(struct kvm_regs, r11),
    [X86_R12] = offsetof(struct kvm_regs, r12), [X86_R13] = offsetof(struct kvm_regs, r13),
    [X86_R14] = offsetof(struct kvm_regs, r14), [X86_R15] = offsetof(struct kvm_regs, r15),
};

void
kvm_state_to_regs(const struct kvm_state *state, struct x86_regs *r)
{
    const struct kvm_sregs *s = &state->sregs;

    for (unsigned i = 0; i < 16; i++)
        memcpy(&r->gpr[i], (const char *)&state->regs + gpr_offset[i], 8);
    r->rip = state->regs.rip;
    r->rflags = state->regs.rflags;

    const struct kvm_segment *seg[X86_NSEG] = {&s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs};
    for (unsigned i = 0; i < X86_NSEG; i++)
        r->seg[i] = segment_from_kvm(seg[i]);
    r->ldtr = segment_from_kvm(&s->ldt);
    r->tr = segment_from_kvm(&s->tr);
    r->gdtr = (struct x86_table){s->gdt.base, s->gdt.limit};
    r->idtr = (struct x86_table){s->idt.base, s->idt.limit};
    r->cr0 = s->cr0, r->cr2 = s->cr2, r->cr3 = s->cr3, r->cr4 = s->cr4, r->cr8 = s->cr8;
    r->efer = s->efer;
    r->apic_base = s->apic_base;

    memcpy(r->dr, state->debug.db, sizeof(state->debug.db));
    r->dr[6] = state->debug.dr6;
    r->dr[7] = state->debug.dr7;
    fpu_from_kvm(r->fx, &state->fpu);
    for (unsigned i = 0; i < KVM_MSRS; i++)
        memcpy((char *)r + msr_places[i].offset, &state->msrs.entry[i].data, 8);

    /* SVM has one bit for both shadows and KVM then reports both; which one it was, IF tells well
     * enough: STI sets it. */
    unsigned shadow = state->events.interrupt.shadow;
    r->shadow = 0;
    if (shadow & KVM_X86_SHADOW_INT_STI && r->rflags & FLAG_IF)
        r->shadow = X86_SHADOW_STI;
    else if (shadow)
        r->shadow = X86_SHADOW_MOVSS;
    r->nmi_blocked = state->events.nmi.masked;
}

void
kvm_state_from_regs(struct kvm_state *state, const struct x86_regs *r)
{
    struct kvm_sregs *s = &state->sregs;

    for (unsigned i = 0; i < 16; i++)
        memcpy((char *)&state->regs + gpr_offset[i], &r->gpr[i], 8);
    state->regs.rip = r->rip;
    state->regs.rflags = r->rflags;

    struct kvm_segment *seg[X86_NSEG] = {&s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs};
    for (unsigned i = 0; i < X86_NSEG; i++)
        *seg[i] = segment_to_kvm(&r->seg[i]);
    s->ldt = segment_to_kvm(&r->ldtr);
    s->tr = segment_to_kvm(&r->tr);
    s->gdt = (struct kvm_dtable){.base = r->gdtr.base, .limit = r->gdtr.limit};
    s->idt = (struct kvm_dtable){.base = r->idtr.base, .limit = r->idtr.limit};
    s->cr0 = r->cr0, s->cr2 = r->cr2, s->cr3 = r->cr3, s->cr4 = r->cr4, s->cr8 = r->cr8;
    s->efer = r->efer;
    s->apic_base = r->apic_base;

    memcpy(state->debug.db, r->dr, sizeof(state->debug.db));
    state->debug.dr6 = r->dr[6];
    state->debug.dr7 = r->dr[7];
    fpu_to_kvm(&state->fpu, r->fx);
    state->msrs.head.nmsrs = KVM_MSRS;
    for (unsigned i = 0; i < KVM_MSRS; i++) {
        state->msrs.entry[i].index = msr_places[i].index;
        memcpy(&state->msrs.entry[i].data, (const char *)r + msr_places[i].offset, 8);
    }

    state->events.interrupt.shadow = (r->shadow & X86_SHADOW_STI ? KVM_X86_SHADOW_INT_STI : 0) |
                                     (r->shadow & X86_SHADOW_MOVSS ? KVM_X86_SHADOW_INT_MOV_SS : 0);
    state->events.nmi.masked = !!r->nmi_blocked;
    state->events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
}

/* --- with KVM --------------------------------------------------------------------------------- */

static int
call(struct engine_vcpu *v, unsigned long request, const char *name, void *data, struct error *err)
{
    if (ioctl(v->fd, request, data) >= 0)
        return 0;
    return error_set(err, errno, "%s failed: %s", name, strerror(errno));
}
#define CALL(request, data) call(v, request, #request, data, err)

int
kvm_get_msr(struct engine_vcpu *v, uint32_t index, uint64_t *value)
{
    struct kvm_msr_block block = {.head.nmsrs = 1, .entry[0].index = index};

    if (ioctl(v->fd, KVM_GET_MSRS, &block) != 1)
        return -EINVAL;
    *value = block.entry[0].data;
    return 0;
}

int
kvm_set_msr(struct engine_vcpu *v, uint32_t index, uint64_t value)
{
    struct kvm_msr_block block = {.head.nmsrs = 1, .entry[0] = {.index = index, .data = value}};

    v->state_known = false;
    return ioctl(v->fd, KVM_SET_MSRS, &block) == 1 ? 0 : -EINVAL;
}

/* All of it; what was read since the guest last ran is not asked for again. */
static int
read_state(struct engine_vcpu *v, struct kvm_state *state, struct error *err)
{
    int rc;

    if (v->state_known) {
        *state = *v->state;
        return 0;
    }
    state->msrs.head.nmsrs = KVM_MSRS;
    for (unsigned i = 0; i < KVM_MSRS; i++)
        state->msrs.entry[i] = (struct kvm_msr_entry){.index = msr_places[i].index};
    if ((rc = CALL(KVM_GET_REGS, &state->regs)) || (rc = CALL(KVM_GET_SREGS, &state->sregs)) ||
        (rc = CALL(KVM_GET_FPU, &state->fpu)) || (rc = CALL(KVM_GET_DEBUGREGS, &state->debug)) ||
        (rc = CALL(KVM_GET_VCPU_EVENTS, &state->events)))
        return rc;
    int got = ioctl(v->fd, KVM_GET_MSRS, &state->msrs);
    if (got != KVM_MSRS)
        return error_set(err, EIO, "KVM does not know %s",
                         msr_places[got < 0 ? 0 : got % KVM_MSRS].name);
    *v->state = *state;
    v->state_known = true;
    return 0;
}

/* PAE's four top entries: KVM reads them from memory whenever CR3 is set from outside, and shows
 * them to nobody before Linux 5.14; so we read them there too. */
static void
read_pdptes(const struct ram *ram, struct x86_regs *r)
{
    memset(r->pdpte, 0, sizeof(r->pdpte));
    if ((r->cr0 & CR0_PG) && (r->cr4 & CR4_PAE) && !(r->efer & EFER_LMA))
        ram_read(ram, r->cr3 & 0xffffffe0, r->pdpte, sizeof(r->pdpte));
}

int
kvm_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_state state = {0};
    int rc;

    if ((rc = kvm_settle(vcpu, err)) || (rc = read_state(v, &state, err)))
        return rc;
    memset(regs, 0, sizeof(*regs));
    kvm_state_to_regs(&state, regs);
    kvm_monitor_regs(v, regs);
    read_pdptes(&vcpu->vm->ram, regs);
    if (kvm_get_msr(v, MSR_TSC_AUX, &regs->tsc_aux))
        regs->tsc_aux = 0;
    regs->tsc_offset = v->tsc_offset;
    regs->halted = v->halted;
    return 0;
}

/* The TSC runs on by itself, so it is only moved by as much as the caller changed its offset. */
static int
move_tsc(struct engine_vcpu *v, uint64_t offset, struct error *err)
{
    uint64_t now;

    if (offset == v->tsc_offset)
        return 0;
    if (kvm_get_msr(v, MSR_TSC, &now) || kvm_set_msr(v, MSR_TSC, now + offset - v->tsc_offset))
        return error_set(err, EIO, "KVM refuses to set the time-stamp counter");
    v->tsc_offset = offset;
    return 0;
}

#define CHANGED(part) memcmp(&state->part, &old->part, sizeof(old->part))

/* Only what differs from what KVM has: each call costs as much as an exit. */
static int
write_state(struct engine_vcpu *v, const struct kvm_state *state, struct error *err)
{
    const struct kvm_state *old = v->state;
    struct kvm_state copy = *state; /* the calls take no const */
    int rc = 0;

    v->state_known = false;
    if ((CHANGED(sregs) && (rc = CALL(KVM_SET_SREGS, &copy.sregs))) ||
        (CHANGED(regs) && (rc = CALL(KVM_SET_REGS, &copy.regs))) ||
        (CHANGED(fpu) && (rc = CALL(KVM_SET_FPU, &copy.fpu))) ||
        (CHANGED(debug) && (rc = CALL(KVM_SET_DEBUGREGS, &copy.debug))) ||
        (CHANGED(events) && (rc = CALL(KVM_SET_VCPU_EVENTS, &copy.events))))
        return rc;
    if (!CHANGED(msrs))
        return 0;
    int set = ioctl(v->fd, KVM_SET_MSRS, &copy.msrs);
    if (set != KVM_MSRS)
        return error_set(err, EINVAL, "KVM refuses the value of %s",
                         msr_places[set < 0 ? 0 : set % KVM_MSRS].name);
    return 0;
}

int
kvm_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_state state = {0};
    const char *why = x86_regs_invalid(regs);
    int rc;

    if (why)
        return error_set(err, EINVAL, "the guest's state is not valid: %s", why);
    /* An instruction that waits for its access would end later and overwrite what is set now. */
    v->access = (struct kvm_access){0};
    v->unread = v->in_monitor = false;
    if (v->completing && (rc = kvm_finish(vcpu, err)) && rc != -EINTR)
        return rc;
    if ((rc = read_state(v, &state, err)))
        return rc;
    /* Somewhere else than where the pending event belongs to: it was another state's. An exception
     * comes again by itself if its instruction is executed again. */
    if (state.regs.rip != regs->rip)
        state.events.interrupt.injected = 0;
    state.events.exception.injected = state.events.exception.pending = 0;
    state.events.flags &= ~(uint32_t)KVM_VCPUEVENT_VALID_PAYLOAD;
    memset(state.sregs.interrupt_bitmap, 0, sizeof(state.sregs.interrupt_bitmap));
    kvm_state_from_regs(&state, regs);

    if ((rc = write_state(v, &state, err)))
        return rc;
    if (kvm_set_msr(v, MSR_TSC_AUX, regs->tsc_aux) && regs->tsc_aux)
        return error_set(err, EINVAL, "KVM does not know IA32_TSC_AUX on this processor");
    v->run->s.regs.regs = state.regs;
    v->regs_known = true;
    kvm_places_forget(v);
    v->halted = regs->halted;
    v->injected = state.events.interrupt.injected;
    v->stale = true;
    return move_tsc(v, regs->tsc_offset, err);
}
