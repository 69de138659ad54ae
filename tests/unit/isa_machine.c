/*
 * isa_machine.c - see isa_machine.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/isa_machine.h"
#include "tests/unit/unit.h"

/* --- memory ---------------------------------------------------------------------------------- */

uint64_t
machine_peek(const struct machine *m, uint32_t address, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, m->ram + address, size);
    return value;
}

void
machine_poke(struct machine *m, uint32_t address, unsigned size, uint64_t value)
{
    memcpy(m->ram + address, &value, size);
}

static struct x86_page
memory_page(void *ctx, uint64_t gpa)
{
    struct machine *m = ctx;

    if (gpa >= M_RAM || (gpa >= M_DEVICE && gpa < M_DEVICE + 0x20000))
        return (struct x86_page){.host = NULL};
    return (struct x86_page){.host = m->ram + (gpa & ~UINT64_C(0xfff)), .writable = true};
}

void
machine_code(struct machine *m, const uint8_t *bytes, unsigned count)
{
    memcpy(m->ram + M_CODE, bytes, count);
    m->cpu.r.rip = M_CODE - (uint32_t)m->cpu.r.seg[X86_CS].base;
}

void
machine_push(struct machine *m, unsigned size, const uint64_t *values, unsigned count)
{
    uint64_t *rsp = &m->cpu.r.gpr[X86_RSP];

    *rsp -= size * count;
    for (unsigned i = 0; i < count; i++)
        machine_poke(m, (uint32_t)*rsp + i * size, size, values[i]);
}

static void
hook_transfer(void *ctx, enum x86_transfer what, unsigned vector, unsigned from_cpl)
{
    struct machine *m = ctx;

    if (m->transfers < 16)
        m->transfer[m->transfers] = (struct machine_transfer){what, vector, from_cpl};
    m->transfers++;
}

/* --- tables ---------------------------------------------------------------------------------- */

static bool
is_long(const struct machine *m)
{
    return m->kind == M_COMPAT32 || m->kind == M_LONG;
}

static uint32_t
slot_address(uint16_t selector)
{
    return (selector & 4 ? M_LDT : M_GDT) + (selector & 0xfff8u);
}

void
machine_segment(struct machine *m, uint16_t selector, uint64_t base, uint32_t limit, uint16_t attr)
{
    uint64_t units = attr & SEG_G ? limit >> 12 : limit;
    uint64_t low = (units & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)attr << 40 |
                   (units & 0xf0000) << 32 | (base >> 24 & 0xff) << 56;

    machine_poke(m, slot_address(selector), 8, low);
    if (is_long(m) && !(attr & SEG_S))
        machine_poke(m, slot_address(selector) + 8, 8, base >> 32);
}

/* The common form of all gates (SDM vol. 3, figures 5-8, 5-9, 6-2, 6-8). */
static void
poke_gate(struct machine *m, uint32_t address, uint16_t attr, uint16_t target, uint64_t offset,
          unsigned count)
{
    machine_poke(m, address, 8,
                 (offset & 0xffff) | (uint64_t)target << 16 | (uint64_t)count << 32 |
                     (uint64_t)attr << 40 | (offset >> 16 & 0xffff) << 48);
    if (is_long(m))
        machine_poke(m, address + 8, 8, offset >> 32);
}

void
machine_call_gate(struct machine *m, uint16_t selector, uint16_t attr, uint16_t target,
                  uint64_t offset, unsigned params)
{
    poke_gate(m, slot_address(selector), attr, target, offset, params);
}

void
machine_int_gate(struct machine *m, unsigned vector, uint16_t attr, uint16_t target,
                 uint64_t offset, unsigned ist)
{
    poke_gate(m, M_IDT + vector * (is_long(m) ? 16 : 8), attr, target, offset, ist);
}

/* --- paging ---------------------------------------------------------------------------------- */

/* 32-bit paging: directory at M_PAGES, table behind it. Long mode: PML4, PDPT, PD, PT. */
static uint32_t
page_table(const struct machine *m)
{
    return M_PAGES + (is_long(m) ? 0x3000 : 0x1000);
}

void
machine_page(struct machine *m, uint32_t address, uint64_t bits)
{
    unsigned size = is_long(m) ? 8 : 4;

    machine_poke(m, page_table(m) + (address >> 12) * size, size,
                 bits ? (address & ~0xfffu) | bits : 0);
    x86_tlb_flush_all(&m->cpu);
}

void
machine_paging(struct machine *m)
{
    struct x86_regs *r = &m->cpu.r;

    for (uint32_t page = 0; page < M_RAM; page += 0x1000)
        machine_page(m, page, 0x7);
    if (is_long(m)) {
        for (unsigned i = 0; i < 3; i++)
            machine_poke(m, M_PAGES + i * 0x1000, 8, (M_PAGES + (i + 1) * 0x1000) | 0x7);
        machine_poke(m, M_PAGES + 256 * 8, 8, (M_PAGES + 0x1000) | 0x7); /* M_HIGH */
        r->cr4 |= CR4_PAE;
        r->efer |= EFER_LME | EFER_LMA;
    } else {
        machine_poke(m, M_PAGES, 4, (M_PAGES + 0x1000) | 0x7);
    }
    r->cr3 = M_PAGES;
    r->cr0 |= CR0_PG | CR0_WP;
    machine_sync(m);
}

/* --- the machine ----------------------------------------------------------------------------- */

void
machine_sync(struct machine *m)
{
    x86_tlb_flush_all(&m->cpu);
    x86_update_mode(&m->cpu);
}

static struct x86_segment
flat(uint16_t selector, uint16_t attr)
{
    return (struct x86_segment){.limit = attr & SEG_G ? 0xffffffffu : 0xffff,
                                .selector = selector,
                                .attr = attr | SEG_ACCESSED};
}

/* Default attributes of the ring's code and data. */
static uint16_t
code_attr(const struct machine *m, unsigned n)
{
    switch (m->kind) {
    case M_LONG: return A_CODE64(n);
    case M_PROT16: return A_CODE(n) & ~SEG_DB;
    default: return A_CODE(n);
    }
}

static uint16_t
data_attr(const struct machine *m, unsigned n)
{
    return m->kind == M_PROT16 ? A_DATA(n) & ~SEG_DB : A_DATA(n);
}

void
machine_ring(struct machine *m, unsigned n)
{
    struct x86_regs *r = &m->cpu.r;

    r->seg[X86_CS] = flat(S_CODE(n), code_attr(m, n));
    r->seg[X86_SS] = r->seg[X86_DS] = r->seg[X86_ES] = flat(S_DATA(n), data_attr(m, n));
    r->gpr[X86_RSP] = M_STACK + (n + 1) * 0x1000;
    r->rip = M_CODE;
    machine_sync(m);
}

/* Rings 0 to 2 have stacks in the TSS; the 64-bit one has RSPs without selectors. */
static void
build_tss(struct machine *m)
{
    for (unsigned n = 0; n < 3; n++) {
        machine_poke(m, M_TSS + 4 + n * 8, 8, M_STACK + (n + 1) * 0x1000);
        if (!is_long(m))
            machine_poke(m, M_TSS + 8 + n * 8, 2, S_DATA(n));
    }
    m->cpu.r.tr = (struct x86_segment){
        .base = M_TSS, .limit = 0x67, .selector = S_TSS, .attr = SEG_P | SYS_TSS_BUSY};
    machine_segment(m, S_TSS, M_TSS, 0x67, SEG_P | SYS_TSS_BUSY);
}

static void
build_protected(struct machine *m)
{
    struct x86_regs *r = &m->cpu.r;

    r->cr0 |= CR0_PE;
    r->gdtr = (struct x86_table){M_GDT, M_GDT_LIMIT};
    r->idtr = (struct x86_table){M_IDT, is_long(m) ? 0xfff : 0x7ff};
    for (unsigned n = 0; n < 4; n++) {
        machine_segment(m, S_CODE(n), 0, 0xffffffff, code_attr(m, n) | SEG_ACCESSED);
        machine_segment(m, S_DATA(n), 0, 0xffffffff, data_attr(m, n) | SEG_ACCESSED);
    }
    build_tss(m);
    machine_segment(m, S_LDT, M_LDT, 0xfff, SEG_P | SYS_LDT);
    r->ldtr = (struct x86_segment){
        .base = M_LDT, .limit = 0xfff, .selector = S_LDT, .attr = SEG_P | SYS_LDT};
    machine_ring(m, 0);
    if (is_long(m))
        machine_paging(m);
}

struct machine *
machine_open(enum machine_kind kind)
{
    struct machine *m = calloc(1, sizeof(*m));

    if (!m || !(m->ram = aligned_alloc(0x1000, M_RAM)))
        abort();
    memset(m->ram, 0, M_RAM);
    m->kind = kind;
    x86_cpu_init(&m->cpu);
    x86_regs_fninit(&m->cpu.r);
    m->cpu.mem.ctx = m;
    m->cpu.mem.page = memory_page;
    m->cpu.hooks = (struct x86_hooks){.ctx = m, .transfer = hook_transfer};
    if (kind == M_REAL) {
        for (unsigned i = 0; i < X86_NSEG; i++)
            x86_load_segment(&m->cpu, i, 0);
        m->cpu.r.seg[X86_CS].selector = M_CODE >> 4;
        m->cpu.r.seg[X86_CS].base = M_CODE;
        m->cpu.r.gpr[X86_RSP] = M_STACK + 0x1000;
        m->cpu.r.rip = 0;
        machine_sync(m);
    } else {
        build_protected(m);
    }
    return m;
}

void
test_cpu_close(struct machine *m)
{
    free(m->ram);
    free(m);
}

/* --- execution ------------------------------------------------------------------------------- */

/* Stacks, code and data: what an instruction that fails must not have written. Accessed and busy
 * bits, which may be set, are below; those of page tables above. */
#define GUARDED_FROM M_STACK
#define GUARDED_SIZE (M_PAGES - M_STACK)

int
machine_try(struct machine *m)
{
    struct x86_regs before = m->cpu.r;
    uint8_t *memory = malloc(GUARDED_SIZE);
    int rc;

    if (!memory)
        abort();
    memcpy(memory, m->ram + GUARDED_FROM, GUARDED_SIZE);
    rc = x86_emulate_one(&m->cpu);
    if (rc == EMU_FAULT && !m->cpu.fault.trap) {
        CU_ASSERT_EQUAL(memcmp(&before, &m->cpu.r, sizeof(before)), 0);
        CU_ASSERT_EQUAL(memcmp(memory, m->ram + GUARDED_FROM, GUARDED_SIZE), 0);
    }
    free(memory);
    return rc;
}

int
machine_step(struct machine *m)
{
    int rc = machine_try(m);

    return rc == EMU_FAULT ? x86_deliver_fault(&m->cpu) : rc;
}

/* --- expectations ---------------------------------------------------------------------------- */

void
machine_expect(const char *file, unsigned line, const char *row, const char *what, uint64_t got,
               uint64_t want)
{
    char text[256];

    snprintf(text, sizeof(text), "%s: %s is 0x%llx, should be 0x%llx", row, what,
             (unsigned long long)got, (unsigned long long)want);
    CU_assertImplementation(got == want, line, text, file, "", CU_FALSE);
}

void
machine_expect_fault(const char *file, unsigned line, const char *row, struct machine *m,
                     unsigned vector, int64_t error)
{
    int rc = machine_try(m);

    machine_expect(file, line, row, "result", (uint64_t)rc, EMU_FAULT);
    if (rc != EMU_FAULT)
        return;
    machine_expect(file, line, row, "vector", m->cpu.fault.vector, vector);
    machine_expect(file, line, row, "has_error", m->cpu.fault.has_error, error >= 0);
    if (error >= 0)
        machine_expect(file, line, row, "error code", m->cpu.fault.error, (uint64_t)error);
}

void
machine_expect_stack(const char *file, unsigned line, const char *row, struct machine *m,
                     uint32_t sp, unsigned size, const uint64_t *want, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char what[32];
        snprintf(what, sizeof(what), "stack slot %u", i);
        machine_expect(file, line, row, what, machine_peek(m, sp + i * size, size), want[i]);
    }
}
