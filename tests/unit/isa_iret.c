/*
 * isa_iret.c - tests of IRET in every mode (isa/x86/iret.c). Sections are the SDM's.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define OK     (-1)
#define TOP(n) (M_STACK + ((n) + 1) * 0x1000u)

/* Vol. 2, IRET, REAL-ADDRESS-MODE: with a 32-bit operand, VM, VIF and VIP stay. */
static void
test_real(void)
{
    struct machine *m = machine_open(M_REAL);

    STACK(m, 2, 0x1234, 0x2000, 0xffff);
    m->cpu.r.nmi_blocked = 1;
    m->cpu.r.rflags |= FLAG_AC;
    CODE(m, 0xcf);
    EXPECT("16 bits", machine_try(m), EMU_OK);
    EXPECT("16 bits", m->cpu.r.rip, 0x1234);
    EXPECT("16 bits", m->cpu.r.seg[X86_CS].base, 0x20000);
    EXPECT("16 bits", m->cpu.r.rflags, 0x47fd7);
    EXPECT("16 bits", m->cpu.r.gpr[X86_RSP], TOP(0));
    EXPECT("16 bits", m->cpu.r.nmi_blocked, 0);
    EXPECT("16 bits", m->transfer[0].what, X86_T_IRET);
    test_cpu_close(m);

    m = machine_open(M_REAL);
    STACK(m, 4, 0x1234, 0xffff2000, 0xffffffff);
    CODE(m, 0x66, 0xcf);
    EXPECT("32 bits", machine_try(m), EMU_OK);
    EXPECT("32 bits", m->cpu.r.seg[X86_CS].selector, 0x2000);
    EXPECT("32 bits", m->cpu.r.rflags, 0x257fd7);
    test_cpu_close(m);

    m = machine_open(M_REAL);
    STACK(m, 4, 0x10000, 0x2000, 2);
    CODE(m, 0x66, 0xcf);
    EXPECT_FAULT("beyond the limit", m, VEC_GP, 0);
    m->cpu.r.gpr[X86_RSP] = 0xfffb;
    CODE(m, 0xcf);
    EXPECT_FAULT("slot across the end of the stack", m, VEC_SS, 0);
    test_cpu_close(m);
}

/* Vol. 2, IRET: who may change which flag. */
static void
test_flags(void)
{
    static const struct {
        const char *name;
        enum machine_kind kind;
        unsigned cpl, iopl, size;
        uint32_t before, image, after;
    } rows[] = {
        {"ring 0", M_PROT32, 0, 0, 4, 0x2, 0xfffdffff, 0x3d7fd7},
        {"ring 0, clear", M_PROT32, 0, 0, 4, 0x3d3ed7, 0, 0x2},
        {"ring 0, 16 bits", M_PROT32, 0, 0, 2, 0x2, 0xffff, 0x7fd7},
        {"ring 0, 16 bits, upper stays", M_PROT32, 0, 0, 2, 0x240002, 0, 0x240002},
        {"ring 3, IOPL 0", M_PROT32, 3, 0, 4, 0x2, 0xffffffff, 0x254dd7},
        {"ring 3, IOPL 3", M_PROT32, 3, 3, 4, 0x3002, 0xffffffff, 0x257fd7},
        {"ring 3, IOPL 3, clear", M_PROT32, 3, 3, 4, 0x3202, 0, 0x3002},
        {"ring 3, IOPL 2, clear", M_PROT32, 3, 2, 4, 0x2202, 0, 0x2202},
        {"ring 1, IOPL 1", M_PROT32, 1, 1, 4, 0x1002, 0x3200, 0x1202},
        {"64 bits, ring 0: no VM", M_LONG, 0, 0, 8, 0x2, 0xffffffff, 0x3d7fd7},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(rows[i].kind);
        unsigned cpl = rows[i].cpl;
        machine_ring(m, cpl);
        m->cpu.r.rflags = rows[i].before;
        if (rows[i].size == 8)
            STACK(m, 8, 0x1234, S_CODE(cpl), rows[i].image, TOP(0), S_DATA(cpl));
        else
            STACK(m, rows[i].size, 0x1234, S_CODE(cpl), rows[i].image);
        if (rows[i].size == 4)
            CODE(m, 0xcf);
        else
            CODE(m, rows[i].size == 2 ? 0x66 : 0x48, 0xcf);
        EXPECT(rows[i].name, machine_try(m), EMU_OK);
        EXPECT(rows[i].name, m->cpu.r.rflags, rows[i].after);
        EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], TOP(rows[i].size == 8 ? 0 : cpl));
        test_cpu_close(m);
    }
}

/* NT: return to another task; VM in the image: virtual-8086 mode. Both are left out, but NT is an
 * error in long mode, and VM means nothing to ring 3 (vol. 2, IRET). */
static void
test_left_out(void)
{
    struct machine *m = machine_open(M_PROT32);

    STACK(m, 4, 0x1234, S_CODE(0), FLAG_VM | 2, 0, 0, 0, 0, 0, 0);
    CODE(m, 0xcf);
    EXPECT("VM", machine_try(m), EMU_UNIMPLEMENTED);
    m->cpu.r.rflags |= FLAG_NT;
    EXPECT("NT", machine_try(m), EMU_UNIMPLEMENTED);
    machine_ring(m, 3);
    m->cpu.r.rflags = 2;
    STACK(m, 4, 0x1234, S_CODE(3), FLAG_VM | 2);
    EXPECT("VM in ring 3", machine_try(m), EMU_OK);
    EXPECT("VM in ring 3", m->cpu.r.rflags, 2);
    test_cpu_close(m);
    m = machine_open(M_LONG);
    STACK(m, 8, 0x1234, S_CODE(0), 2, TOP(0), S_DATA(0));
    m->cpu.r.rflags |= FLAG_NT;
    CODE(m, 0x48, 0xcf);
    EXPECT_FAULT("NT in long mode", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* --- protected mode --------------------------------------------------------------------------- */

#define CODE_N(n) (A_P(n) | SEG_S | SEG_CODE | SEG_DB)
#define CONF(n)   (CODE_N(n) | SEG_CONFORMING)

static void
test_code(void)
{
    static const struct {
        const char *name;
        unsigned cpl;
        uint16_t attr, selector;
        int vector, error;
    } rows[] = {
        {"same ring", 0, CODE_N(0), S_FREE(0), OK, 0},
        {"conforming, inner", 3, CONF(0), S_FREE(0) | 3, OK, 0},
        {"inner ring", 3, CODE_N(0), S_FREE(0), VEC_GP, S_FREE(0)},
        {"DPL is not RPL", 0, CODE_N(1), S_FREE(0), VEC_GP, S_FREE(0)},
        {"conforming, DPL over RPL", 0, CONF(1), S_FREE(0), VEC_GP, S_FREE(0)},
        {"data", 0, A_DATA(0), S_FREE(0), VEC_GP, S_FREE(0)},
        {"call gate", 0, SEG_P | SYS_CALL, S_FREE(0), VEC_GP, S_FREE(0)},
        {"not present", 0, CODE_N(0) & ~SEG_P, S_FREE(0), VEC_NP, S_FREE(0)},
        {"null", 0, CODE_N(0), 0, VEC_GP, 0},
        {"outside", 0, CODE_N(0), 0x1000, VEC_GP, 0x1000},
        {"LDT, outside", 0, CODE_N(0), 0x1004, VEC_GP, 0x1004},
        {"beyond the limit", 0, SEG_P | SEG_S | SEG_CODE, S_FREE(0), VEC_GP, 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_segment(m, S_FREE(0), 0, rows[i].attr & SEG_DB ? 0xffff : 0x1000, rows[i].attr);
        machine_ring(m, rows[i].cpl);
        STACK(m, 4, 0x1234, rows[i].selector, 2);
        CODE(m, 0xcf);
        if (rows[i].vector == OK) {
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, rows[i].selector);
            EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], TOP(rows[i].cpl));
        } else {
            EXPECT_FAULT(rows[i].name, m, rows[i].vector, rows[i].error);
        }
        test_cpu_close(m);
    }
}

/* To ring 3: SS:ESP, IF by the old CPL, data segments of ring 0 dropped. */
static void
test_outer(void)
{
    struct machine *m = machine_open(M_PROT32);

    STACK(m, 4, 0x1234, S_CODE(3), FLAG_IF | FLAG_IOPL | 2, M_STACK + 0x3456, S_DATA(3));
    m->cpu.r.gpr[X86_RAX] = S_DATA(3);
    CODE(m, 0x8e, 0xd8, 0xcf); /* mov ds, ax; iret */
    machine_try(m);
    EXPECT("ring 3", machine_try(m), EMU_OK);
    EXPECT("ring 3", m->cpu.cpl, 3);
    EXPECT("ring 3", m->cpu.r.rip, 0x1234);
    EXPECT("ring 3", m->cpu.r.gpr[X86_RSP], M_STACK + 0x3456);
    EXPECT("ring 3", m->cpu.r.rflags, FLAG_IF | FLAG_IOPL | 2);
    EXPECT("DS", m->cpu.r.seg[X86_DS].selector, S_DATA(3));
    EXPECT("ES", m->cpu.r.seg[X86_ES].selector, 0);
    EXPECT("hook", m->transfer[0].what, X86_T_IRET);
    EXPECT("hook", m->transfer[0].from_cpl, 0);
    machine_ring(m, 0);
    STACK(m, 4, 0x1234, S_CODE(3), 2, TOP(3), S_DATA(2));
    CODE(m, 0xcf);
    EXPECT_FAULT("SS of ring 2", m, VEC_GP, S_DATA(2) & ~3u);
    machine_segment(m, S_FREE(0), 0, 0xffff, A_DATA(3) & ~SEG_P);
    machine_poke(m, TOP(0) - 4, 4, S_FREE(0) | 3);
    EXPECT_FAULT("SS not present", m, VEC_SS, S_FREE(0));
    machine_poke(m, TOP(0) - 4, 4, 0);
    EXPECT_FAULT("null SS", m, VEC_GP, 0);
    m->cpu.r.seg[X86_SS].limit = TOP(0) - 2;
    machine_sync(m);
    EXPECT_FAULT("SS's slot outside the stack", m, VEC_SS, 0);
    test_cpu_close(m);
}

/* What an interrupt gate has pushed, IRET takes off again: every flag, ring and stack. */
static void
test_round_trip(void)
{
    for (unsigned kind = M_PROT32; kind <= M_LONG; kind++)
        for (unsigned cpl = 0; cpl < 4; cpl++) {
            struct machine *m = machine_open(kind);
            uint32_t flags = FLAG_IF | FLAG_DF | FLAG_OF | FLAG_AC | FLAG_ID | FLAG_ONE;
            machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE64(0));
            machine_int_gate(m, 0x30, A_P(0) | SYS_INT, kind == M_PROT32 ? S_CODE(0) : S_FREE(0),
                             M_HANDLER, 0);
            machine_poke(m, M_HANDLER, 2, kind == M_PROT32 ? 0xcf : 0xcf48);
            machine_ring(m, cpl);
            m->cpu.r.rflags = flags;
            machine_sync(m);
            struct x86_regs before = m->cpu.r;
            EXPECT("interrupt", x86_deliver_interrupt(&m->cpu, 0x30), EMU_OK);
            EXPECT("interrupt", m->cpu.cpl, 0);
            EXPECT("IRET", machine_try(m), EMU_OK);
            EXPECT("IRET", m->cpu.cpl, cpl);
            EXPECT("IRET", m->cpu.r.rip, before.rip);
            EXPECT("IRET", m->cpu.r.rflags, before.rflags);
            EXPECT("IRET", m->cpu.r.gpr[X86_RSP], before.gpr[X86_RSP]);
            EXPECT("IRET", m->cpu.r.seg[X86_CS].attr, before.seg[X86_CS].attr);
            EXPECT("IRET", m->cpu.r.seg[X86_SS].selector, before.seg[X86_SS].selector);
            EXPECT("IRET", m->cpu.r.seg[X86_DS].selector, before.seg[X86_DS].selector);
            test_cpu_close(m);
        }
}

/* --- long mode: vol. 3, 6.14.3 ------------------------------------------------------------------ */

static void
test_long(void)
{
    struct machine *m = machine_open(M_LONG);

    /* 64-bit mode pops SS:RSP to the same ring too, and SS may be null there. */
    STACK(m, 8, M_HIGH + 0x1234, S_CODE(0), 2, 0x123456789abcdef0, 0);
    m->cpu.r.seg[X86_GS].base = M_HIGH;
    CODE(m, 0x48, 0xcf);
    EXPECT("same ring", machine_try(m), EMU_OK);
    EXPECT("same ring", m->cpu.r.rip, M_HIGH + 0x1234);
    EXPECT("same ring", m->cpu.r.gpr[X86_RSP], 0x123456789abcdef0);
    EXPECT("same ring", m->cpu.r.seg[X86_SS].selector, 0);
    EXPECT("same ring", m->cpu.cpl, 0);

    machine_ring(m, 0);
    STACK(m, 8, 0x800000000000, S_CODE(0), 2, TOP(0), S_DATA(0));
    CODE(m, 0x48, 0xcf);
    EXPECT_FAULT("rip not canonical", m, VEC_GP, 0);
    machine_ring(m, 0);
    STACK(m, 8, 0x1234, S_CODE(3), 2, TOP(3), 3);
    CODE(m, 0x48, 0xcf);
    EXPECT_FAULT("null SS in ring 3", m, VEC_GP, 0);
    machine_ring(m, 0);
    machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE64(0) | SEG_DB);
    STACK(m, 8, 0x1234, S_FREE(0), 2, TOP(0), S_DATA(0));
    CODE(m, 0x48, 0xcf);
    EXPECT_FAULT("L and D", m, VEC_GP, S_FREE(0));

    /* IRETD in 64-bit mode: five slots of 4 bytes. A null FS keeps its base (it is not loaded). */
    machine_ring(m, 0);
    STACK(m, 4, 0x1234, S_CODE(3), 2, TOP(3), S_DATA(3));
    m->cpu.r.seg[X86_FS] = (struct x86_segment){.base = M_HIGH, .selector = 3};
    CODE(m, 0xcf);
    EXPECT("IRETD", machine_try(m), EMU_OK);
    EXPECT("IRETD", m->cpu.cpl, 3);
    EXPECT("IRETD", m->cpu.r.gpr[X86_RSP], TOP(3));
    EXPECT("IRETD, FS", m->cpu.r.seg[X86_FS].base, M_HIGH);
    EXPECT("IRETD, FS", m->cpu.r.seg[X86_FS].selector, 0);
    EXPECT("IRETD, DS of ring 0", m->cpu.r.seg[X86_DS].selector, 0);
    test_cpu_close(m);
}

/* To and within compatibility mode. */
static void
test_compat(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_segment(m, S_FREE(0), 0, 0xffff, A_P(3) | SEG_S | SEG_CODE | SEG_DB);
    machine_segment(m, S_FREE(1), 0, 0xffff, A_P(3) | SEG_S | SEG_WRITABLE);
    m->cpu.r.gpr[X86_RSP] = 0x17000;
    STACK(m, 8, 0x1234, S_FREE(0) | 3, 2, 0x5678, S_FREE(1) | 3);
    CODE(m, 0x48, 0xcf);
    EXPECT("to a 16-bit stack", machine_try(m), EMU_OK);
    EXPECT("to a 16-bit stack", m->cpu.mode, MODE_COMPAT);
    EXPECT("to a 16-bit stack", m->cpu.r.gpr[X86_RSP], 0x15678); /* only SP is loaded */
    machine_ring(m, 0);
    STACK(m, 8, 0x10000, S_FREE(0) | 3, 2, 0x5678, S_FREE(1) | 3);
    CODE(m, 0x48, 0xcf);
    EXPECT_FAULT("beyond the limit", m, VEC_GP, 0);
    test_cpu_close(m);

    /* In compatibility mode, the same ring pops three slots. */
    m = machine_open(M_COMPAT32);
    STACK(m, 4, 0x1234, S_CODE(0), 2);
    CODE(m, 0xcf);
    EXPECT("compatibility mode", machine_try(m), EMU_OK);
    EXPECT("compatibility mode", m->cpu.r.gpr[X86_RSP], TOP(0));
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"real mode", test_real},
    {"flags by CPL, IOPL and operand size", test_flags},
    {"NT and VM", test_left_out},
    {"code segment", test_code},
    {"to an outer ring", test_outer},
    {"interrupt and IRET, every ring", test_round_trip},
    {"64-bit mode", test_long},
    {"compatibility mode", test_compat},
    {NULL, NULL},
};
const struct unit_suite suite_isa_iret = {"isa_iret", tests};
