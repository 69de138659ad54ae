/*
 * machine.c - the interpreter as a user program on Linux would find its processor.
 *
 * Builds, once, the little of a kernel's world that a program at CPL 3 can notice: page tables for
 * the pages of diff.h, a GDT with Linux's selectors, the LDT of diff_ldt, an IDT whose gates are
 * closed to user programs. Then runs one case at a time, one instruction at a time.
 *
 * Next: generate.c, where the cases come from.
 */
#include "tests/diff/diff.h"

#include <string.h>

#include "isa/x86/exec.h"

#define STEP_LIMIT 40000 /* of one case; the largest REP that memory allows is below it */

/* Guest-physical pages. */
/* clang-format off */
enum {
    PAGE_PML4, PAGE_PDPT, PAGE_PD, PAGE_PT_CODE, PAGE_PT_DATA,
    PAGE_SYS_PDPT, PAGE_SYS_PD, PAGE_SYS_PT, PAGE_TABLES, PAGE_IDT, PAGE_STACK,
    PAGE_HANDLERS,
    PAGE_CODE, PAGE_DATA = PAGE_CODE + 2,
};
/* clang-format on */
/* Linear address of the tables: the upper half, where a program may not look. */
#define SYSTEM     UINT64_C(0xffffffff80000000)
#define SYSTEM_GDT SYSTEM
#define SYSTEM_LDT (SYSTEM + 0x200)
#define SYSTEM_TSS (SYSTEM + 0x400)
#define SYSTEM_IDT (SYSTEM + 0x1000)
#define STACK_TOP  (SYSTEM + 0x3000) /* the stack that events switch to */
#define HANDLERS   (SYSTEM + 0x8000) /* handler n begins at + n * 16: HLT */
#define GDT_LIMIT  0x7fu             /* sixteen entries, as Linux has */
#define LDT_INDEX  10
#define TSS_INDEX  8
#define TSS_LIMIT  0x67u /* no I/O permission bitmap: every port is forbidden */

#define TSS_IOMAP 0x66u
#define TSS_RSP0  0x04u
#define KERNEL_CS UINT64_C(0x10)
/* Page-table entries (SDM vol. 3, 4.5): present, writable, user, accessed, dirty, no-execute. */
#define PTE_P  0x01u
#define PTE_W  0x02u
#define PTE_U  0x04u
#define PTE_A  0x20u
#define PTE_D  0x40u
#define PTE_NX (UINT64_C(1) << 63)

#define ATTR_DATA (SEG_S | SEG_P | SEG_DPL | SEG_WRITABLE | SEG_ACCESSED)
#define ATTR_CODE (SEG_S | SEG_P | SEG_DPL | SEG_CODE | SEG_READABLE | SEG_ACCESSED)

/* Linux's descriptors that a program can see, by index. */
static const struct {
    unsigned index;
    struct diff_segment segment;
} gdt[] = {
    {1, {0, 0xffffffff, (ATTR_CODE & ~SEG_DPL) | SEG_G | SEG_DB}},
    {2, {0, 0xffffffff, (ATTR_CODE & ~SEG_DPL) | SEG_G | SEG_L}},
    {3, {0, 0xffffffff, (ATTR_DATA & ~SEG_DPL) | SEG_G | SEG_DB}},
    {4, {0, 0xffffffff, ATTR_CODE | SEG_G | SEG_DB}},
    {5, {0, 0xffffffff, ATTR_DATA | SEG_G | SEG_DB}},
    {6, {0, 0xffffffff, ATTR_CODE | SEG_G | SEG_L}},
    {15,
     {0, 0, (ATTR_DATA & ~SEG_WRITABLE) | SEG_EXPAND | SEG_DB}}, /* its limit is the CPU's number */
};

/* --- building ------------------------------------------------------------------------------- */

/* A descriptor's first eight bytes (SDM vol. 3, 3.4.5). */
static uint64_t
pack_descriptor(const struct diff_segment *s)
{
    uint32_t limit = s->attr & SEG_G ? s->limit >> 12 : s->limit;

    return (limit & 0xffff) | (uint64_t)(s->base & 0xffffff) << 16 |
           (uint64_t)(s->attr & 0xf0ff) << 40 | (uint64_t)(limit >> 16 & 0xf) << 48 |
           (uint64_t)(s->base >> 24) << 56;
}

static void
put(struct diff_machine *m, unsigned page, unsigned index, uint64_t value)
{
    memcpy(&m->memory[page][index * 8], &value, sizeof(value));
}

static void
build_pages(struct diff_machine *m)
{
    const uint64_t table = PTE_P | PTE_W | PTE_U | PTE_A;
    const uint64_t leaf = PTE_P | PTE_U | PTE_A | PTE_D;

    /* DIFF_HIGH shares everything below the PML4 with the low addresses. */
    put(m, PAGE_PML4, 0, PAGE_PDPT << 12 | table);
    put(m, PAGE_PML4, DIFF_HIGH >> 39 & 511, PAGE_PDPT << 12 | table);
    put(m, PAGE_PDPT, 0, PAGE_PD << 12 | table);
    put(m, PAGE_PD, DIFF_CODE >> 21, PAGE_PT_CODE << 12 | table);
    put(m, PAGE_PD, DIFF_DATA >> 21, PAGE_PT_DATA << 12 | table);
    for (unsigned i = 0; i < DIFF_CODE_SIZE / 4096; i++)
        put(m, PAGE_PT_CODE, i, (PAGE_CODE + i) << 12 | leaf);
    for (unsigned i = 0; i < DIFF_DATA_SIZE / 4096; i++)
        put(m, PAGE_PT_DATA, i,
            (PAGE_DATA + i) << 12 | leaf | PTE_NX | (i < DIFF_RW_SIZE / 4096 ? PTE_W : 0));

    put(m, PAGE_PML4, 511, PAGE_SYS_PDPT << 12 | table);
    put(m, PAGE_SYS_PDPT, 510, PAGE_SYS_PD << 12 | table);
    put(m, PAGE_SYS_PD, 0, PAGE_SYS_PT << 12 | table);
    put(m, PAGE_SYS_PT, 0, PAGE_TABLES << 12 | ((leaf | PTE_W) & ~(uint64_t)PTE_U));
    put(m, PAGE_SYS_PT, 1, PAGE_IDT << 12 | ((leaf | PTE_W) & ~(uint64_t)PTE_U));
    put(m, PAGE_SYS_PT, 8, PAGE_HANDLERS << 12 | (leaf & ~(uint64_t)PTE_U));
    memset(m->memory[PAGE_HANDLERS], 0xf4, 4096);
    put(m, PAGE_SYS_PT, 2, PAGE_STACK << 12 | ((leaf | PTE_W) & ~(uint64_t)PTE_U));
}

/* Interrupt gates (SDM vol. 3, 6.14.1). Those of INT3 and INTO are open to programs, as under Linux;
 * from any other INT n they get #GP(n * 8 + 2). */
static void
build_idt(struct diff_machine *m)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t to = HANDLERS + i * 16;
        uint64_t attr = SEG_P | SYS_INT | (i == VEC_BP || i == VEC_OF ? SEG_DPL : 0);
        put(m, PAGE_IDT, i * 2,
            (to & 0xffff) | KERNEL_CS << 16 | attr << 40 | (to >> 16 & 0xffff) << 48);
        put(m, PAGE_IDT, i * 2 + 1, to >> 32);
    }
}

static void
build_tables(struct diff_machine *m)
{
    struct x86_regs *r = &m->cpu.r;
    struct diff_segment ldt = {(uint32_t)SYSTEM_LDT, DIFF_LDT_COUNT * 8 - 1, SYS_LDT | SEG_P};
    uint64_t stack = STACK_TOP;
    struct diff_segment tss = {(uint32_t)SYSTEM_TSS, TSS_LIMIT, SYS_TSS_BUSY | SEG_P};

    for (unsigned i = 0; i < sizeof(gdt) / sizeof(gdt[0]); i++)
        put(m, PAGE_TABLES, gdt[i].index, pack_descriptor(&gdt[i].segment));
    put(m, PAGE_TABLES, LDT_INDEX, pack_descriptor(&ldt));
    put(m, PAGE_TABLES, LDT_INDEX + 1, SYSTEM_LDT >> 32);
    put(m, PAGE_TABLES, TSS_INDEX, pack_descriptor(&tss));
    put(m, PAGE_TABLES, TSS_INDEX + 1, SYSTEM_TSS >> 32);
    for (unsigned i = 0; i < DIFF_LDT_COUNT; i++)
        put(m, PAGE_TABLES, (SYSTEM_LDT & 0xfff) / 8 + i, pack_descriptor(&diff_ldt[i]));
    /* Its I/O permission bitmap would begin behind its limit (SDM vol. 1, 19.5.2). */
    m->memory[PAGE_TABLES][(SYSTEM_TSS & 0xfff) + TSS_IOMAP] = TSS_LIMIT + 1;
    build_idt(m);
    memcpy(&m->memory[PAGE_TABLES][(SYSTEM_TSS & 0xfff) + TSS_RSP0], &stack, sizeof(stack));

    r->gdtr = (struct x86_table){SYSTEM_GDT, GDT_LIMIT};
    r->idtr = (struct x86_table){SYSTEM_IDT, 0xfff};
    r->ldtr = (struct x86_segment){SYSTEM_LDT, ldt.limit, LDT_INDEX * 8, ldt.attr};
    r->tr = (struct x86_segment){SYSTEM_TSS, tss.limit, TSS_INDEX * 8, tss.attr};
}

static struct x86_page
machine_page(void *ctx, uint64_t gpa)
{
    struct diff_machine *m = ctx;

    if (gpa >> 12 >= MACHINE_PAGES)
        return (struct x86_page){0};
    return (struct x86_page){.host = m->memory[gpa >> 12], .writable = true};
}

void
machine_init(struct diff_machine *m)
{
    struct x86_regs *r = &m->cpu.r;

    memset(m, 0, sizeof(*m));
    x86_cpu_init(&m->cpu);
    m->code = m->memory[PAGE_CODE];
    m->data = m->memory[PAGE_DATA];
    m->stack = m->memory[PAGE_STACK];
    memset(m->code, DIFF_FILL, DIFF_CODE_SIZE);
    build_pages(m);
    build_tables(m);
    r->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    r->cr3 = PAGE_PML4 << 12;
    r->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_UMIP | CR4_DE;
    r->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    m->cpu.mem = (struct x86_memory){.ctx = m, .page = machine_page, .a20_mask = ~UINT64_C(0)};
}

/* --- running -------------------------------------------------------------------------------- */

/* What a segment register holds after this selector was loaded: one of ours, or a null one. */
static struct x86_segment
load_selector(uint16_t selector)
{
    const struct diff_segment *s = NULL;
    struct x86_segment seg = {.selector = selector};

    if (selector & 4 && selector / 8 < DIFF_LDT_COUNT)
        s = &diff_ldt[selector / 8];
    for (unsigned i = 0; i < sizeof(gdt) / sizeof(gdt[0]); i++)
        if (!(selector & 4) && gdt[i].index == selector / 8u)
            s = &gdt[i].segment;
    if (s) {
        seg.base = s->base;
        seg.limit = s->limit;
        seg.attr = s->attr;
    }
    return seg;
}

void
machine_registers(struct x86_regs *r, const struct diff_regs *in)
{
    memcpy(r->gpr, in->gpr, sizeof(r->gpr));
    r->rip = in->rip;
    r->rflags = in->rflags | FLAG_ONE | FLAG_IF;
    for (unsigned i = 0; i < X86_NSEG; i++)
        r->seg[i] = load_selector(in->seg[i]);
    r->seg[X86_FS].base = in->fs_base;
    r->seg[X86_GS].base = in->gs_base;
    r->shadow = r->halted = 0;
    r->cr2 = 0;
    r->dr[6] = DR6_INIT;
    memcpy(r->fx, &in->fpu, sizeof(in->fpu));
}

static void
machine_store(const struct x86_regs *r, struct diff_regs *out)
{
    memcpy(out->gpr, r->gpr, sizeof(out->gpr));
    out->rip = r->rip;
    out->rflags = r->rflags;
    for (unsigned i = 0; i < X86_NSEG; i++)
        out->seg[i] = r->seg[i].selector;
    out->fs_base = r->seg[X86_FS].base;
    out->gs_base = r->seg[X86_GS].base;
    memcpy(&out->fpu, r->fx, sizeof(out->fpu));
}

/* The instruction of the case that is at rip; NULL if rip is anywhere else (a wild jump). */
static const struct diff_insn *
at_insn(const struct diff_machine *m, const struct diff_case *c)
{
    uint64_t offset = m->cpu.r.rip - diff_code_base(c) - c->start;

    for (unsigned i = 0; i < c->ninsns; i++)
        if (c->insn[i].at == offset)
            return &c->insn[i];
    return NULL;
}

/* The flags that this instruction is about to leave undefined, added to those that are. */
static uint32_t
next_undefined(const struct diff_machine *m, const struct diff_insn *insn,
               const struct x86_insn *in)
{
    uint32_t undefined = m->undefined & ~rule_defines(insn->row->op);
    int count = (int)(in->imm & 0xff);

    for (unsigned i = 0; i < in->noperands; i++)
        if (in->operand[i].kind == OPERAND_GPR && in->operand[i].size == 1 &&
            in->operand[i].reg == X86_RCX && strstr(insn->row->op->operands, "CL"))
            count = (int)(m->cpu.r.gpr[X86_RCX] & 0xff);
    return undefined |
           rule_undefined(insn->row->op, in->noperands ? in->operand[0].size : 0, count);
}

/*
 * An event has been delivered: the frame on the kernel's stack (SDM vol. 3, figure 6-9) says what the
 * program's registers were, as Linux reads them on the other side.
 */
void
machine_frame(const struct x86_regs *r, const uint8_t *stack, struct diff_end *end)
{
    uint64_t frame[6] = {0};
    uint64_t offset = r->gpr[X86_RSP] - (STACK_TOP - 4096);

    machine_store(r, &end->regs);
    end->stop = (uint32_t)((r->rip - HANDLERS) / 16);
    if (offset <= 4096 - 5 * 8)
        memcpy(frame, stack + offset, 4096 - offset < 48 ? 4096 - offset : 48);
    unsigned n = offset == 4096 - 6 * 8; /* with an error code */
    end->error = n ? (uint32_t)frame[0] : 0;
    end->address = r->cr2;
    end->regs.rip = frame[n];
    end->regs.seg[X86_CS] = (uint16_t)frame[n + 1];
    end->regs.rflags = frame[n + 2];
    end->regs.gpr[X86_RSP] = frame[n + 3];
    end->regs.seg[X86_SS] = (uint16_t)frame[n + 4];
}

/* What stopped the case, if `result` did. True if the case goes on. */
static bool
goes_on(struct diff_machine *m, int result, struct diff_end *end)
{
    struct x86_cpu *cpu = &m->cpu;

    if (result == EMU_FAULT)
        result = x86_deliver_fault(cpu);
    if (result == EMU_OK && cpu->cpl == 3)
        return true;
    if (result == EMU_OK) {
        machine_frame(&cpu->r, m->memory[PAGE_STACK], end);
        return false;
    }
    m->unimplemented = cpu->unimplemented;
    end->stop = result == EMU_UNIMPLEMENTED ? STOP_UNIMPLEMENTED : STOP_OTHER;
    end->error = (uint32_t)result;
    machine_store(&cpu->r, &end->regs);
    return false;
}

/* CMPS and SCAS under REP that fault, or trap between two iterations: "EFLAGS is restored to the state prior to the execution of the
 * instruction" (SDM vol. 2, REP); we, and the SDM's pseudo-code, execute one iteration a time. */
static bool
loses_flags(const struct x86_insn *in)
{
    return in->prefixes & (PREFIX_REP | PREFIX_REPNE) &&
           (in->op->exec == exec_cmps || in->op->exec == exec_scas);
}

/* One instruction; true if the case goes on. */
static bool
step(struct diff_machine *m, const struct diff_case *c, struct diff_end *end, machine_hook hook,
     void *ctx)
{
    static const unsigned code_size[DIFF_MODES] = {8, 4, 2};
    const struct diff_insn *insn = at_insn(m, c);
    struct x86_insn in = {0};
    uint32_t undefined = m->undefined;
    uint64_t rip = m->cpu.r.rip;

    if (insn && x86_decode(c->code + insn->at, insn->length, code_size[c->mode], &in) > 0)
        undefined = next_undefined(m, insn, &in);
    int result = x86_emulate_one(&m->cpu);
    bool committed = result == EMU_OK || (result == EMU_FAULT && m->cpu.fault.trap);
    if (committed)
        m->undefined = undefined;
    if (result == EMU_FAULT && in.op && loses_flags(&in) && m->cpu.r.rip == rip)
        m->undefined = FLAGS_ARITH;
    if (insn && hook && (!committed || m->cpu.r.rip != rip))
        hook(ctx, insn->row, !committed);
    return goes_on(m, result, end);
}

void
machine_run(struct diff_machine *m, const struct diff_case *c, struct diff_end *end,
            machine_hook hook, void *ctx)
{
    unsigned steps = 0;

    memset(end, 0, sizeof(*end)); /* ends are compared as bytes too */
    end->stop = STOP_TIMEOUT;
    memcpy(m->code + c->start, c->code, c->length);
    machine_registers(&m->cpu.r, &c->in);
    x86_replay_reset(&m->cpu);
    x86_update_mode(&m->cpu);
    m->cpu.fetch.page = X86_TLB_NONE;
    m->undefined = 0;
    while (steps < STEP_LIMIT && step(m, c, end, hook, ctx))
        steps++;
    m->steps += steps;
    end->memory = diff_hash(m->data, DIFF_RW_SIZE);
    memset(m->code + c->start, DIFF_FILL, c->length);
}
