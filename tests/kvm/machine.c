/* machine.c - see machine.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ram.h"
#include "tests/kvm/machine.h"

static void
put64(struct machine *m, uint64_t gpa, uint64_t value)
{
    memcpy(m->vm.ram.host + gpa, &value, sizeof(value));
}

static void
check(struct machine *m, int rc)
{
    CU_ASSERT_EQUAL(rc, 0);
    if (rc)
        fprintf(stderr, "kvm: %s\n", m->err.message);
}

struct machine *
machine_open(struct guest guest)
{
    return machine_open_on(&engine_kvm, guest);
}

struct machine *
machine_open_long(struct guest guest)
{
    return machine_open_long_on(&engine_kvm, guest);
}

struct machine *
machine_open_on(const struct engine_ops *engine, struct guest guest)
{
    struct machine *m = calloc(1, sizeof(*m));
    struct x86_regs r;

    if (!m)
        abort();
    m->vm.engine_ops = engine;
    if (ram_create(&m->vm.ram, RAM_MIN, &m->err) || engine->open(&m->vm, &m->err)) {
        CU_FAIL("the machine cannot be opened");
        fprintf(stderr, "kvm: %s\n", m->err.message);
        ram_destroy(&m->vm.ram);
        free(m);
        return NULL;
    }
    m->vcpu = &m->vm.vcpu[0];
    m->exit = &m->vcpu->exit;
    memcpy(m->vm.ram.host + CODE, guest.start, (size_t)(guest.end - guest.start));
    x86_regs_reset(&r);
    r.seg[X86_CS].selector = 0;
    r.seg[X86_CS].base = 0;
    r.rip = CODE;
    r.gpr[X86_RSP] = STACK;
    machine_set_regs(m, &r);
    return m;
}

struct machine *
machine_open_long_on(const struct engine_ops *engine, struct guest guest)
{
    /* null, code 0, data 0, data 3 (RPL 3: 1b), code 3 (23), TSS in two words */
    static const uint64_t gdt[] = {0,
                                   0x00af9b000000ffff,
                                   0x00cf93000000ffff,
                                   0x00cff3000000ffff,
                                   0x00affb000000ffff,
                                   0x00008b0000000067 | (uint64_t)TSS << 16,
                                   0};
    struct machine *m = machine_open_on(engine, guest);

    if (!m)
        return NULL;
    for (unsigned i = 0; i < 7; i++)
        put64(m, GDT + 8 * i, gdt[i]);
    put64(m, TSS + 4, STACK); /* RSP0 */
    put64(m, PML4, PDPT | 7);
    put64(m, PDPT, PD | 7);
    put64(m, PD, 0x87); /* 2 MiB at 0: present, writable, user, large */

    struct x86_regs r = machine_regs(m);
    for (unsigned i = 0; i < X86_NSEG; i++)
        r.seg[i] = (struct x86_segment){.limit = 0xffffffff, .selector = 0x10, .attr = 0xc093};
    r.seg[X86_CS].selector = 0x08;
    r.seg[X86_CS].attr = 0xa09b;
    r.tr = (struct x86_segment){.base = TSS, .limit = 0x67, .selector = 0x28, .attr = 0x8b};
    r.gdtr = (struct x86_table){GDT, sizeof(gdt) - 1};
    r.idtr = (struct x86_table){IDT, 0xfff};
    r.cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_ET;
    r.cr3 = PML4;
    r.cr4 = CR4_PAE;
    r.efer = EFER_LME | EFER_LMA | EFER_SCE;
    machine_set_regs(m, &r);
    return m;
}

void
machine_close(struct machine *m)
{
    m->vm.engine_ops->close(&m->vm);
    ram_destroy(&m->vm.ram);
    free(m);
}

void
machine_gate(struct machine *m, unsigned vector, uint32_t handler, unsigned dpl)
{
    put64(m, IDT + 16 * vector,
          (handler & 0xffff) | 0x08 << 16 | (uint64_t)(0x8e00 | dpl << 13) << 32 |
              (uint64_t)(handler & 0xffff0000) << 32);
    put64(m, IDT + 16 * vector + 8, 0);
}

void
machine_ivt(struct machine *m, unsigned vector, uint16_t handler)
{
    const uint16_t entry[2] = {handler, 0};
    memcpy(m->vm.ram.host + 4 * vector, entry, sizeof(entry));
}

void
machine_run(struct machine *m)
{
    /* For what never ends; the emulated machine that this runs in may stand still for seconds. */
    uint64_t limit = m->vm.engine_ops->time(m->vcpu) + 60 * SECOND;
    check(m, m->vm.engine_ops->run(m->vcpu, limit, NO_BUDGET, &m->err));
}

void
machine_step(struct machine *m)
{
    check(m, m->vm.engine_ops->step(m->vcpu, &m->err));
}

struct x86_regs
machine_regs(struct machine *m)
{
    struct x86_regs r;
    check(m, m->vm.engine_ops->get_regs(m->vcpu, &r, &m->err));
    return r;
}

void
machine_set_regs(struct machine *m, const struct x86_regs *regs)
{
    check(m, m->vm.engine_ops->set_regs(m->vcpu, regs, &m->err));
}

void
machine_describe(struct machine *m)
{
    const struct vm_exit *e = m->exit;
    struct x86_regs r = machine_regs(m);

    fprintf(stderr, "%s: exit %s at %llx", m->vm.engine_ops->name, trace_kinds[e->kind].name,
            (unsigned long long)e->rip);
    if (e->kind == TRACE_IO || e->kind == TRACE_MMIO)
        fprintf(stderr, ", %s %llx, %u bytes, value %llx", e->access.write ? "write" : "read",
                (unsigned long long)e->access.address, e->access.size,
                (unsigned long long)e->access.value);
    if (e->kind == TRACE_INTERNAL_ERROR || e->kind == TRACE_FAIL_ENTRY || e->kind == TRACE_UNKNOWN)
        fprintf(stderr, ": %s", e->failure.text);
    fprintf(stderr, "; rip %llx, rflags %llx, shadow %u, rax %llx, rcx %llx, rsp %llx, r15 %llx\n",
            (unsigned long long)r.rip, (unsigned long long)r.rflags, r.shadow,
            (unsigned long long)r.gpr[X86_RAX], (unsigned long long)r.gpr[X86_RCX],
            (unsigned long long)r.gpr[X86_RSP], (unsigned long long)r.gpr[X86_R15]);
}

void
machine_expect(struct machine *m, enum trace_kind kind)
{
    machine_run(m);
    CU_ASSERT_EQUAL(m->exit->kind, kind);
    if (m->exit->kind != kind)
        machine_describe(m);
}

void
machine_expect_out(struct machine *m, uint16_t port, unsigned size, uint64_t value)
{
    machine_run(m);
    int right = m->exit->kind == TRACE_IO && m->exit->access.write &&
                m->exit->access.address == port && m->exit->access.size == size &&
                m->exit->access.value == value;
    CU_ASSERT(right);
    if (!right)
        machine_describe(m);
}
