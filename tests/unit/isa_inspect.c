/*
 * isa_inspect.c - tests of LAR LSL VERR VERW ARPL and of LDTR and TR (isa/x86/sysseg.c, segment.c).
 * Sections are the SDM's.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define OK        (-1)
#define DATA      (SEG_S | SEG_WRITABLE)
#define READ_ONLY SEG_S
#define CODE_X    (SEG_S | SEG_CODE)
#define CODE_XR   (SEG_S | SEG_CODE | SEG_READABLE)
#define CODE_CXR  (SEG_S | SEG_CODE | SEG_READABLE | SEG_CONFORMING)
#define DPL(n)    ((n) << SEG_DPL_SHIFT)

#define NO 0xdeadbeefu

struct inspect_row {
    const char *name;
    uint16_t attr;
    uint16_t selector_bits; /* RPL */
    uint8_t cpl;
    bool lar, lsl, verr, verw;
};

static void
run_inspect(enum machine_kind kind, const struct inspect_row *row)
{
    static const uint8_t code[4][3] = {
        {0x0f, 0x02, 0xc8}, {0x0f, 0x03, 0xc8}, {0x0f, 0x00, 0xe0}, {0x0f, 0x00, 0xe8}};
    const bool want[4] = {row->lar, row->lsl, row->verr, row->verw};

    for (unsigned i = 0; i < 4; i++) {
        struct machine *m = machine_open(kind);
        uint32_t dest = NO;
        machine_segment(m, S_FREE(0), 0xab000000, 0x12345fff, row->attr | SEG_G);
        machine_ring(m, row->cpl);
        m->cpu.r.gpr[X86_RAX] = S_FREE(0) | row->selector_bits;
        m->cpu.r.gpr[X86_RCX] = NO;
        m->cpu.r.rflags |= want[i] ? 0 : FLAG_ZF;
        machine_code(m, code[i], 3);
        EXPECT(row->name, machine_try(m), EMU_OK);
        EXPECT(row->name, !!(m->cpu.r.rflags & FLAG_ZF), want[i]);
        if (want[i] && i == 0) /* bits 19:16 of the limit, 1, are undefined in the manual */
            dest = 0x00810000u | (uint32_t)(row->attr & 0xff) << 8 | (row->attr & 0x7000u) << 8;
        if (want[i] && i == 1)
            dest = 0x12345fff;
        EXPECT(row->name, m->cpu.r.gpr[X86_RCX], dest);
        test_cpu_close(m);
    }
}

/* Vol. 2, LAR, LSL, VERR, VERW: which types, which privilege. */
static void
test_inspect(void)
{
    static const struct inspect_row rows[] = {
        /*                                                               lar  lsl  verr verw */
        {"data", SEG_P | DATA, 0, 0, true, true, true, true},
        {"read-only data", SEG_P | READ_ONLY, 0, 0, true, true, true, false},
        {"not present is no matter", DATA, 0, 0, true, true, true, true},
        {"code", SEG_P | CODE_X, 0, 0, true, true, false, false},
        {"readable code", SEG_P | CODE_XR, 0, 0, true, true, true, false},
        {"CPL over DPL", SEG_P | DATA, 0, 3, false, false, false, false},
        {"RPL over DPL", SEG_P | DATA | DPL(1), 2, 0, false, false, false, false},
        {"DPL 3", SEG_P | DATA | DPL(3), 3, 3, true, true, true, true},
        {"conforming code", SEG_P | CODE_CXR, 3, 3, true, true, true, false},
        {"conforming code, not readable", SEG_P | CODE_X | SEG_CONFORMING, 3, 3, true, true, false,
         false},
        {"LDT", SEG_P | SYS_LDT, 0, 0, true, true, false, false},
        {"LDT of an inner ring", SEG_P | SYS_LDT, 0, 3, false, false, false, false},
        {"TSS", SEG_P | SYS_TSS, 0, 0, true, true, false, false},
        {"busy TSS", SEG_P | SYS_TSS_BUSY, 0, 0, true, true, false, false},
        {"type 0", SEG_P, 0, 0, false, false, false, false},
        {"interrupt gate", SEG_P | SYS_INT, 0, 0, false, false, false, false},
        {"trap gate", SEG_P | SYS_TRAP, 0, 0, false, false, false, false},
        {"type 8", SEG_P | 8, 0, 0, false, false, false, false},
    };
    /* In long mode these five are no longer there (tables 3-52 and 3-61 of vol. 2). */
    static const struct inspect_row legacy[] = {
        {"TSS16", SEG_P | SYS_TSS16, 0, 0, true, true, false, false},
        {"busy TSS16", SEG_P | SYS_TSS16_BUSY, 0, 0, true, true, false, false},
        {"call gate 16", SEG_P | SYS_CALL16, 0, 0, true, false, false, false},
        {"task gate", SEG_P | SYS_TASK_GATE, 0, 0, true, false, false, false},
        {"call gate", SEG_P | SYS_CALL, 0, 0, true, false, false, false},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_inspect(M_PROT32, &rows[i]);
        run_inspect(M_LONG, &rows[i]);
        run_inspect(M_COMPAT32, &rows[i]);
    }
    for (unsigned i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++) {
        struct inspect_row in_long = legacy[i];
        run_inspect(M_PROT32, &legacy[i]);
        in_long.lar = legacy[i].attr == (SEG_P | SYS_CALL);
        in_long.lsl = false;
        run_inspect(M_LONG, &in_long);
    }
}

/* A selector that has no descriptor clears ZF; sizes of the result; a byte limit. */
static void
test_inspect_edges(void)
{
    static const struct {
        const char *name;
        uint16_t selector;
    } rows[] = {{"null", 0}, {"null, RPL 3", 3}, {"outside", 0xfff8}, {"no such LDT slot", 0xffc}};

    for (unsigned i = 0; i < 4; i++) {
        struct machine *m = machine_open(M_PROT32);
        m->cpu.r.ldtr.limit = 0x7f;
        m->cpu.r.gpr[X86_RAX] = rows[i].selector;
        m->cpu.r.rflags |= FLAG_ZF;
        CODE(m, 0x0f, 0x02, 0xc8); /* lar ecx, ax */
        EXPECT(rows[i].name, machine_try(m), EMU_OK);
        EXPECT(rows[i].name, m->cpu.r.rflags & FLAG_ZF, 0);
        test_cpu_close(m);
    }

    struct machine *m = machine_open(M_LONG);
    machine_segment(m, S_FREE(0), 0, 0x54321, SEG_P | DATA); /* no G: the limit is in bytes */
    m->cpu.r.gpr[X86_RAX] = S_FREE(0);
    m->cpu.r.gpr[X86_RCX] = ~UINT64_C(0);
    CODE(m, 0x66, 0x0f, 0x03, 0xc8, 0x48, 0x0f, 0x03, 0xc8); /* lsl cx, ax; lsl rcx, rax */
    EXPECT("LSL, 16 bits", machine_try(m), EMU_OK);
    EXPECT("LSL, 16 bits", m->cpu.r.gpr[X86_RCX], 0xffffffffffff4321);
    EXPECT("LSL, 64 bits", machine_try(m), EMU_OK);
    EXPECT("LSL, 64 bits", m->cpu.r.gpr[X86_RCX], 0x54321);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    machine_poke(m, M_DATA, 2, S_FREE(0));
    CODE(m, 0x66, 0x0f, 0x02, 0x0b); /* lar cx, [rbx] */
    EXPECT("LAR, 16 bits", machine_try(m), EMU_OK);
    EXPECT("LAR, 16 bits", m->cpu.r.gpr[X86_RCX], 0x50000 | (SEG_P | DATA) << 8);
    test_cpu_close(m);
}

/* Vol. 2, ARPL. */
static void
test_arpl(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.gpr[X86_RAX] = 0xffff0010;
    m->cpu.r.gpr[X86_RCX] = 0x0003;
    CODE(m, 0x63, 0xc8, 0x63, 0xc8); /* arpl ax, cx, twice */
    EXPECT("raised", machine_try(m), EMU_OK);
    EXPECT("raised", m->cpu.r.gpr[X86_RAX], 0xffff0013);
    EXPECT("raised", m->cpu.r.rflags & FLAG_ZF, FLAG_ZF);
    EXPECT("equal", machine_try(m), EMU_OK);
    EXPECT("equal", m->cpu.r.gpr[X86_RAX], 0xffff0013);
    EXPECT("equal", m->cpu.r.rflags & FLAG_ZF, 0);
    machine_poke(m, M_DATA, 4, 0xffff0021);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0x63, 0x0b); /* arpl [ebx], cx */
    EXPECT("memory", machine_try(m), EMU_OK);
    EXPECT("memory", machine_peek(m, M_DATA, 4), 0xffff0023);
    test_cpu_close(m);
}

/* --- LDTR and TR ------------------------------------------------------------------------------ */

struct system_row {
    const char *name;
    enum machine_kind kind;
    uint16_t selector, attr;
    uint64_t base;
    int vector, error;
};

static void
run_system_rows(const struct system_row *row, unsigned rows, uint8_t modrm, bool tr)
{
    for (; rows--; row++) {
        struct machine *m = machine_open(row->kind);
        const struct x86_segment *seg = tr ? &m->cpu.r.tr : &m->cpu.r.ldtr;
        machine_segment(m, S_FREE(0), row->base, 0x1ff, row->attr);
        m->cpu.r.gpr[X86_RAX] = row->selector;
        CODE(m, 0x0f, 0x00, modrm);
        if (row->vector != OK) {
            EXPECT_FAULT(row->name, m, row->vector, row->error);
            EXPECT(row->name, machine_peek(m, M_GDT + S_FREE(0) + 5, 1), row->attr);
        } else {
            EXPECT(row->name, machine_try(m), EMU_OK);
            EXPECT(row->name, seg->selector, row->selector);
            EXPECT(row->name, seg->base, row->base);
            EXPECT(row->name, seg->limit, 0x1ff);
            EXPECT(row->name, seg->attr, row->attr | (tr ? 2 : 0));
            EXPECT(row->name, machine_peek(m, M_GDT + S_FREE(0) + 5, 1), row->attr | (tr ? 2 : 0));
        }
        test_cpu_close(m);
    }
}

/* Vol. 2, LLDT. */
static void
test_lldt(void)
{
    static const struct system_row rows[] = {
        {"LDT", M_PROT32, S_FREE(0), SEG_P | SYS_LDT, 0x80001000, OK, 0},
        {"RPL does not matter", M_PROT32, S_FREE(0) | 3, SEG_P | SYS_LDT, 0x1000, OK, 0},
        {"LDT with 64-bit base", M_LONG, S_FREE(0), SEG_P | SYS_LDT, M_HIGH + 0x1000, OK, 0},
        {"base not canonical", M_LONG, S_FREE(0), SEG_P | SYS_LDT, 0x800000000000, VEC_GP,
         S_FREE(0)},
        {"selector of the LDT", M_PROT32, 0x24, SEG_P | SYS_LDT, 0, VEC_GP, 0x24},
        {"wrong type", M_PROT32, S_FREE(0), SEG_P | SYS_TSS, 0, VEC_GP, S_FREE(0)},
        {"data of type 2", M_PROT32, S_FREE(0), SEG_P | SEG_S | 2, 0, VEC_GP, S_FREE(0)},
        {"not present", M_PROT32, S_FREE(0), SYS_LDT, 0, VEC_NP, S_FREE(0)},
        {"outside", M_PROT32, 0x1000, SYS_LDT, 0, VEC_GP, 0x1000},
    };

    run_system_rows(rows, sizeof(rows) / sizeof(rows[0]), 0xd0, false);

    struct machine *m = machine_open(M_PROT32);
    m->cpu.r.gpr[X86_RAX] = 1;
    CODE(m, 0x0f, 0x00, 0xd0, 0x8e, 0xd9); /* lldt ax; mov ds, cx */
    EXPECT("null", machine_try(m), EMU_OK);
    EXPECT("null", m->cpu.r.ldtr.attr & SEG_P, 0);
    m->cpu.r.gpr[X86_RCX] = 0x27;
    EXPECT_FAULT("use of a null LDT", m, VEC_GP, 0x24);
    machine_segment(m, 0x24, 0x1000, 0xfff, SEG_P | SYS_LDT); /* one that the LDT has */
    m->cpu.r.ldtr = (struct x86_segment){
        .base = M_LDT, .limit = 0xfff, .selector = S_LDT, .attr = SEG_P | SYS_LDT};
    m->cpu.r.gpr[X86_RAX] = 0x24;
    CODE(m, 0x0f, 0x00, 0xd0);
    EXPECT_FAULT("an LDT in the LDT", m, VEC_GP, 0x24);
    machine_ring(m, 3);
    CODE(m, 0x0f, 0x00, 0xd0);
    EXPECT_FAULT("LLDT in ring 3", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* Vol. 2, LTR; vol. 3, 7.2.3 (the second half's type must be 0), 7.7. */
static void
test_ltr(void)
{
    static const struct system_row rows[] = {
        {"TSS", M_PROT32, S_FREE(0), SEG_P | SYS_TSS, 0x80001000, OK, 0},
        {"TSS16", M_PROT32, S_FREE(0), SEG_P | SYS_TSS16, 0x1000, OK, 0},
        {"TSS with 64-bit base", M_LONG, S_FREE(0), SEG_P | SYS_TSS, M_HIGH, OK, 0},
        {"TSS16 in long mode", M_LONG, S_FREE(0), SEG_P | SYS_TSS16, 0, VEC_GP, S_FREE(0)},
        {"busy", M_PROT32, S_FREE(0), SEG_P | SYS_TSS_BUSY, 0, VEC_GP, S_FREE(0)},
        {"LDT", M_PROT32, S_FREE(0), SEG_P | SYS_LDT, 0, VEC_GP, S_FREE(0)},
        {"null", M_PROT32, 0, SEG_P | SYS_TSS, 0, VEC_GP, 0},
        {"selector of the LDT", M_PROT32, 0x24, SEG_P | SYS_TSS, 0, VEC_GP, 0x24},
        {"not present", M_PROT32, S_FREE(0), SYS_TSS, 0, VEC_NP, S_FREE(0)},
        {"base not canonical", M_LONG, S_FREE(0), SEG_P | SYS_TSS, 0x1000000000000000, VEC_GP,
         S_FREE(0)},
    };

    run_system_rows(rows, sizeof(rows) / sizeof(rows[0]), 0xd8, true);

    struct machine *m = machine_open(M_LONG);
    machine_segment(m, S_FREE(0), 0, 0x67, SEG_P | SYS_TSS);
    m->cpu.r.gpr[X86_RAX] = S_FREE(0);
    m->cpu.r.gdtr.limit = S_FREE(0) + 14;
    CODE(m, 0x0f, 0x00, 0xd8);
    EXPECT_FAULT("second half outside the GDT", m, VEC_GP, S_FREE(0));
    m->cpu.r.gdtr.limit = S_FREE(0) + 15;
    machine_poke(m, M_GDT + S_FREE(0) + 13, 1, 0x01);
    EXPECT_FAULT("type in the second half", m, VEC_GP, S_FREE(0));
    machine_poke(m, M_GDT + S_FREE(0) + 13, 1, 0xe0);
    EXPECT("other bits do not matter", machine_try(m), EMU_OK);
    test_cpu_close(m);
}

/* Vol. 2, SLDT and STR: 16 bits to memory, zero-extended to a register; CR4.UMIP. */
static void
test_store_selectors(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_ring(m, 3);
    m->cpu.r.gpr[X86_RCX] = m->cpu.r.gpr[X86_RDX] = m->cpu.r.gpr[X86_RSI] = ~UINT64_C(0);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    machine_poke(m, M_DATA, 8, ~UINT64_C(0));
    CODE(m, 0x0f, 0x00, 0xc1, 0x66, 0x0f, 0x00, 0xca, 0x48, 0x0f, 0x00, 0xce, 0x48, 0x0f, 0x00,
         0x03, 0x48, 0x8c, 0x5b, 0x04); /* sldt ecx; str dx; str rsi; sldt [rbx]; mov [rbx+4], ds */
    for (unsigned i = 0; i < 5; i++)
        EXPECT("SLDT, STR", machine_try(m), EMU_OK);
    EXPECT("sldt ecx", m->cpu.r.gpr[X86_RCX], S_LDT);
    EXPECT("str dx", m->cpu.r.gpr[X86_RDX], 0xffffffffffff0000 | S_TSS);
    EXPECT("str rsi", m->cpu.r.gpr[X86_RSI], S_TSS);
    EXPECT("sldt [rbx], mov [rbx+4], ds", machine_peek(m, M_DATA, 8),
           0xffff0000ffff0000 | S_LDT | (uint64_t)S_DATA(3) << 32);
    m->cpu.r.cr4 |= CR4_UMIP;
    CODE(m, 0x0f, 0x00, 0xc1);
    EXPECT_FAULT("SLDT with UMIP", m, VEC_GP, 0);
    CODE(m, 0x0f, 0x00, 0xc9);
    EXPECT_FAULT("STR with UMIP", m, VEC_GP, 0);
    machine_ring(m, 0);
    CODE(m, 0x0f, 0x00, 0xc1);
    EXPECT("SLDT in ring 0", machine_try(m), EMU_OK);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"LAR LSL VERR VERW by type and privilege", test_inspect},
    {"LAR LSL without a descriptor, result sizes", test_inspect_edges},
    {"ARPL", test_arpl},
    {"LLDT", test_lldt},
    {"LTR", test_ltr},
    {"SLDT STR", test_store_selectors},
    {NULL, NULL},
};
const struct unit_suite suite_isa_inspect = {"isa_inspect", tests};
