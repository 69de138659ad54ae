/*
 * audit_guest.c - executes one probe in a virtual machine of 2 MiB without a device: a kernel with
 * its own GDT, IDT, TSS and LDT, and nothing in it but the probes.
 *
 * Called by cmd_audit.c. Next: strategy/deprivilege.c, on which the bare machine at CPL 3 stands.
 */
#include <errno.h>
#include <string.h>

#include "cli/audit.h"
#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/regs.h"
#include "strategy/deprivilege.h"
#include "strategy/strategy.h"

/* Page-table entries: present, writable, user; and a page of 2 MiB (SDM vol. 3, 4.5). */
#define PTE_PWU UINT64_C(0x07)
#define PDE_PS  UINT64_C(0x80)

/* Code and data descriptors in the format of SDM vol. 3, figure 3-8, with the accessed bit set. */
#define DESCRIPTOR_CODE64 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA   UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_DPL3   ((uint64_t)SEG_DPL << 40)

/* More than any probe needs, so that none can run for ever. */
#define EXITS_MAX        200
#define INSTRUCTIONS_MAX 10000

struct audit_machine {
    struct vm vm; /* first: the strategy's functions find the rest by it */
    const struct strategy_ops *inner;
    struct strategy_ops ops; /* inner, looked over its shoulder */
    const struct audit_probe *probe;
    struct audit_result *result;
};

static struct audit_machine *
machine_of(struct vcpu *vcpu)
{
    return (struct audit_machine *)vcpu->vm;
}

/* --- memory --------------------------------------------------------------------------------- */

static void
put64(uint8_t *ram, uint64_t at, uint64_t value)
{
    memcpy(ram + at, &value, sizeof(value));
}

/* A system descriptor of 16 bytes (SDM vol. 3, figure 8-4). */
static void
put_system(uint8_t *ram, unsigned selector, uint64_t base, uint32_t limit, unsigned type)
{
    put64(ram, AUDIT_GDT + selector,
          (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(SEG_P | type) << 40 |
              (base >> 24 & 0xff) << 56);
    put64(ram, AUDIT_GDT + selector + 8, base >> 32);
}

/* Interrupt gates of 64-bit mode (SDM vol. 3, figure 6-8). */
static void
put_gate(uint8_t *ram, unsigned vector, uint64_t offset, unsigned dpl)
{
    put64(ram, AUDIT_IDT + 16 * vector,
          (offset & 0xffff) | AUDIT_KERNEL_CS << 16 |
              (uint64_t)(SEG_P | dpl << SEG_DPL_SHIFT | SYS_INT) << 40 |
              (offset >> 16 & 0xffff) << 48);
    put64(ram, AUDIT_IDT + 16 * vector + 8, offset >> 32);
}

/* The segments, in the guest's own GDT or in one that a VMM made of it. */
static void
put_segments(uint8_t *gdt, uint64_t kernel_dpl)
{
    put64(gdt, AUDIT_KERNEL_CS, DESCRIPTOR_CODE64 | kernel_dpl);
    put64(gdt, AUDIT_KERNEL_DS, DESCRIPTOR_DATA | kernel_dpl);
    put64(gdt, AUDIT_USER_DS & ~3, DESCRIPTOR_DATA | DESCRIPTOR_DPL3);
    put64(gdt, AUDIT_USER_CS & ~3, DESCRIPTOR_CODE64 | DESCRIPTOR_DPL3);
}

static void
fill_memory(uint8_t *ram)
{
    memcpy(ram + AUDIT_CODE, audit_start, audit_size);
    put_segments(ram + AUDIT_GDT, 0);
    put_system(ram, AUDIT_TR, AUDIT_TSS, 0x67, SYS_TSS_BUSY);
    put_system(ram, AUDIT_LDTR, AUDIT_LDT, 0xf, SYS_LDT);
    put64(ram, AUDIT_TSS + 4, AUDIT_KSTACK); /* RSP0 */
    for (unsigned v = 0; v < 32; v++)
        put_gate(ram, v, audit_address(audit_faults) + 16 * v, 0);
    put_gate(ram, AUDIT_INT, audit_address(audit_int80), 0);
    /* One page of 2 MiB at address 0, for kernel and user. */
    put64(ram, AUDIT_TABLES, (AUDIT_TABLES + 0x1000) | PTE_PWU);
    put64(ram, AUDIT_TABLES + 0x1000, (AUDIT_TABLES + 0x2000) | PTE_PWU);
    put64(ram, AUDIT_TABLES + 0x2000, PTE_PWU | PDE_PS);
}

/* --- registers ------------------------------------------------------------------------------ */

static struct x86_segment
segment(unsigned selector, bool code, unsigned dpl)
{
    unsigned attr = SEG_P | SEG_S | SEG_G | SEG_ACCESSED | dpl << SEG_DPL_SHIFT;

    attr |= code ? SEG_CODE | SEG_READABLE | SEG_L : SEG_WRITABLE | SEG_DB;
    return (struct x86_segment){
        .limit = 0xffffffff, .selector = (uint16_t)selector, .attr = (uint16_t)attr};
}

/* The guest's processor, as it would be without a VMM. */
static void
fill_regs(struct x86_regs *r, const struct audit_probe *probe, bool umip)
{
    unsigned dpl = probe->user ? 3 : 0;
    unsigned data = probe->user ? AUDIT_USER_DS : AUDIT_KERNEL_DS;

    x86_regs_reset(r);
    r->rip = audit_address(probe->start);
    r->gpr[X86_RSP] = AUDIT_STACK;
    r->gpr[X86_RDI] = AUDIT_OUT;
    r->rflags = FLAG_ONE | (probe->interrupts ? FLAG_IF : 0);
    r->seg[X86_CS] = segment(probe->user ? AUDIT_USER_CS : AUDIT_KERNEL_CS, true, dpl);
    r->seg[X86_SS] = r->seg[X86_DS] = r->seg[X86_ES] = segment(data, false, dpl);
    r->seg[X86_FS] = r->seg[X86_GS] = (struct x86_segment){0};
    r->tr = (struct x86_segment){AUDIT_TSS, 0x67, AUDIT_TR, SEG_P | SYS_TSS_BUSY};
    r->ldtr = (struct x86_segment){AUDIT_LDT, 0xf, AUDIT_LDTR, SEG_P | SYS_LDT};
    r->gdtr = (struct x86_table){AUDIT_GDT, AUDIT_GDT_SIZE - 1};
    r->idtr = (struct x86_table){AUDIT_IDT, 0xfff};
    r->cr0 = CR0_PG | CR0_NE | CR0_ET | CR0_PE; /* WP clear: a VMM would set it */
    r->cr3 = AUDIT_TABLES;
    r->cr4 = CR4_PAE | (umip ? CR4_UMIP : 0);
    r->efer = EFER_LME | EFER_LMA | EFER_NXE;
}

/* --- under no strategy: the bare processor at CPL 3 ------------------------------------------- */

static int
bare_prepare(struct vm *vm, struct error *err)
{
    return deprivilege_prepare(vm, 0, err);
}

static int
bare_attach(struct vcpu *vcpu, struct error *err)
{
    struct audit_machine *m = machine_of(vcpu);
    struct vm *vm = &m->vm;
    struct x86_regs guest, real;
    int rc = deprivilege_attach(vcpu, err);

    if (rc || (rc = vm->engine_ops->get_regs(vcpu, &guest, err)))
        return rc;
    /* Gates and system descriptors of the guest's stay out: they would lead to the VMM's level. */
    put_segments(vm->ram.private_host + MONITOR_GDT, DESCRIPTOR_DPL3);
    put64(vm->ram.host, AUDIT_TABLES + 8 * MONITOR_SLOT, deprivilege_root_entry());
    ram_written(&vm->ram, AUDIT_TABLES + 8 * MONITOR_SLOT, 8);

    deprivilege_regs(&real, &guest, guest.cr3);
    for (unsigned s = X86_ES; s <= X86_DS; s++) {
        real.seg[s] = guest.seg[s];
        real.seg[s].attr |= SEG_DPL;
    }
    real.seg[X86_CS].selector |= 3; /* RPL of CS and SS is the CPL */
    real.seg[X86_SS].selector |= 3;
    rc = vm->engine_ops->set_regs(vcpu, &real, err);
    if (!rc && vm->engine_ops->flush_tlb)
        vm->engine_ops->flush_tlb(vcpu);
    return rc;
}

static enum strategy_verdict
bare_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct audit_machine *m = machine_of(vcpu);
    uint64_t rip = vcpu->exit.rip;

    (void)result;
    if (vcpu->exit.kind == TRACE_EXCEPTION && rip != audit_address(m->probe->end)) {
        m->result->end = AUDIT_TRAPPED;
        m->result->vector = vcpu->exit.exception.vector;
        m->result->elsewhere = rip != audit_address(m->probe->at);
    }
    result->end = RUN_HALTED;
    return STRATEGY_END;
}

static const struct strategy_ops bare = {
    .abi = STRATEGY_ABI,
    .name = "none",
    .summary = "no strategy: the guest's kernel at CPL 3, and nobody to help it",
    .needs = CAP_GUEST_KERNEL | CAP_DEPRIVILEGE,
    .prepare = bare_prepare,
    .attach = bare_attach,
    .on_exit = bare_on_exit,
};

/* --- under a strategy ----------------------------------------------------------------------- */

/* Counts the exits that the instruction causes, here or in a handler that it leads to. Not those of
 * what goes before it, of the HLT at the end, and of shadow paging, which would come with any
 * instruction. */
static enum strategy_verdict
watch_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct audit_machine *m = machine_of(vcpu);
    const struct vm_exit *exit = &vcpu->exit;
    uint64_t start = audit_address(m->probe->start), at = audit_address(m->probe->at);
    uint64_t faults = audit_address(audit_faults), handler = audit_address(audit_int80);
    bool before = exit->rip >= start && exit->rip < at;
    bool halt = exit->rip == audit_address(m->probe->end) ||
                (exit->rip >= faults && exit->rip < handler);
    bool paging = exit->kind == TRACE_EXCEPTION && exit->exception.vector == VEC_PF;

    m->result->exits += !before && !halt && !paging;
    return m->inner->on_exit(vcpu, result);
}

/* --- one run ----------------------------------------------------------------------------------- */

static int
build(struct audit_machine *m, const struct engine_ops *engine, bool umip, struct error *err)
{
    struct vm *vm = &m->vm;
    struct vcpu *vcpu = &vm->vcpu[0];
    struct x86_regs regs;
    int rc;

    vm->engine_ops = engine;
    vm->strategy = &m->ops;
    if ((rc = strategy_check(m->inner, engine, err)) || (rc = vm_create(vm, AUDIT_RAM, err)))
        return rc;
    fill_memory(vm->ram.host);
    fill_regs(&regs, m->probe, umip);
    if (m->ops.prepare && (rc = m->ops.prepare(vm, err)))
        return rc;
    if ((rc = engine->open(vm, err)) || (rc = engine->set_regs(vcpu, &regs, err)))
        return rc;
    return m->ops.attach(vcpu, err);
}

static bool
interrupts_are_on(struct audit_machine *m)
{
    struct vcpu *vcpu = &m->vm.vcpu[0];
    struct x86_regs regs;

    if (m->ops.can_inject)
        return m->ops.can_inject(vcpu);
    return !m->vm.engine_ops->get_regs(vcpu, &regs, NULL) && regs.rflags & FLAG_IF;
}

static void
run(struct audit_machine *m)
{
    struct run_limits limits = {.exits = EXITS_MAX};
    struct audit_result *result = m->result;
    struct run_result how;
    uint64_t done = 0;

    if (m->vm.engine_ops->caps & CAP_ICOUNT)
        limits.instructions = INSTRUCTIONS_MAX;
    result->no_flag = m->probe->interrupts && m->ops.can_inject && !interrupts_are_on(m);
    vm_run(&m->vm, &limits, &how);
    ram_read(&m->vm.ram, AUDIT_OUT, result->word, sizeof(result->word));
    ram_read(&m->vm.ram, AUDIT_OUT + AUDIT_DONE, &done, sizeof(done));
    result->interrupts = interrupts_are_on(m);
    if (result->end == AUDIT_TRAPPED)
        return;
    if (done & AUDIT_FAULT) {
        result->end = AUDIT_FAULTED;
        result->vector = (uint8_t)done;
    } else if (done != 1) {
        result->end = AUDIT_BROKE;
        result->message = how.message;
    }
}

int
audit_run_guest(const struct engine_ops *engine, const struct strategy_ops *strategy,
                const struct audit_probe *probe, bool umip, struct audit_result *result,
                struct error *err)
{
    struct audit_machine m = {
        .inner = strategy ? strategy : &bare,
        .probe = probe,
        .result = result,
    };

    *result = (struct audit_result){.end = AUDIT_ENDED};
    m.ops = *m.inner;
    if (strategy)
        m.ops.on_exit = watch_exit;
    int rc = build(&m, engine, umip, err);
    if (!rc) {
        run(&m);
        if (m.ops.detach)
            m.ops.detach(&m.vm.vcpu[0]);
    }
    if (m.vm.engine)
        engine->close(&m.vm);
    vm_destroy(&m.vm);
    return rc;
}
