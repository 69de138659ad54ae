/*
 * isa_retf.c - tests of far RET in protected and long mode (isa/x86/return.c).
 * Sections are the SDM's; 'vol. 2, RET' means the pseudo-code there.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define OK        (-1)
#define TOP       (M_STACK + 0x1000u) /* of ring 0's stack */
#define CODE_N(n) (A_P(n) | SEG_S | SEG_CODE | SEG_DB)
#define CONF(n)   (CODE_N(n) | SEG_CONFORMING)

struct ret_row {
    const char *name;
    unsigned cpl;
    uint16_t cs_attr, cs_rpl;
    int vector; /* with the selector */
};

/* Vol. 2, RET: the RPL of the return CS is the new CPL; never an inner ring. */
static void
test_return_code(void)
{
    static const struct ret_row rows[] = {
        {"same ring", 0, CODE_N(0), 0, OK},
        {"same ring 3", 3, CODE_N(3), 3, OK},
        {"inner ring", 3, CODE_N(0), 0, VEC_GP},
        {"RPL of an inner ring", 3, CODE_N(3), 2, VEC_GP},
        {"DPL is not RPL", 0, CODE_N(1), 0, VEC_GP},
        {"outer, DPL is not RPL", 0, CODE_N(0), 3, VEC_GP},
        {"conforming, DPL below RPL", 3, CONF(0), 3, OK},
        {"conforming, DPL over RPL", 0, CONF(3), 0, VEC_GP},
        {"not present", 0, CODE_N(0) & ~SEG_P, 0, VEC_NP},
        {"data", 0, A_DATA(0), 0, VEC_GP},
        {"TSS", 0, SEG_P | SYS_TSS, 0, VEC_GP},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        uint16_t selector = S_FREE(0) | rows[i].cs_rpl;
        machine_segment(m, S_FREE(0), 0, 0xffff, rows[i].cs_attr);
        machine_ring(m, rows[i].cpl);
        STACK(m, 4, 0x1234, 0xffff0000u | selector, 1, 2, 3);
        CODE(m, 0xca, 0x08, 0x00); /* retf 8 */
        if (rows[i].vector == OK) {
            uint64_t rsp = m->cpu.r.gpr[X86_RSP];
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
            EXPECT(rows[i].name, m->cpu.r.rip, 0x1234);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, selector);
            EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], rsp + 16);
            EXPECT(rows[i].name, m->cpu.r.seg[X86_DS].selector, S_DATA(rows[i].cpl));
        } else {
            EXPECT_FAULT(rows[i].name, m, rows[i].vector, S_FREE(0));
        }
        test_cpu_close(m);
    }

    struct machine *m = machine_open(M_PROT32);
    STACK(m, 4, 0x1234, 0x3);
    CODE(m, 0xcb);
    EXPECT_FAULT("null", m, VEC_GP, 0);
    machine_poke(m, (uint32_t)m->cpu.r.gpr[X86_RSP] + 4, 4, 0x1000);
    EXPECT_FAULT("outside the GDT", m, VEC_GP, 0x1000);
    machine_segment(m, S_FREE(0), 0, 0x1233, CODE_N(0));
    machine_poke(m, (uint32_t)m->cpu.r.gpr[X86_RSP] + 4, 4, S_FREE(0));
    EXPECT_FAULT("beyond the limit", m, VEC_GP, 0);
    m->cpu.r.seg[X86_SS].limit = (uint32_t)m->cpu.r.gpr[X86_RSP] + 6;
    machine_sync(m);
    EXPECT_FAULT("second slot outside the stack", m, VEC_SS, 0);
    test_cpu_close(m);
}

/* To an outer ring: SS:ESP behind the parameters, released on both stacks; the segments of inner
 * rings are dropped (vol. 2, RET, RETURN-TO-OUTER-PRIVILEGE-LEVEL). */
static void
test_return_outer(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_segment(m, S_FREE(0), 0, 0xffffffff, CONF(0) | SEG_READABLE | SEG_G);
    STACK(m, 4, 0x1234, S_CODE(3), 0xaa, 0xbb, M_STACK + 0x3000, S_DATA(3));
    m->cpu.r.seg[X86_ES] = m->cpu.r.seg[X86_SS]; /* DPL 0 */
    m->cpu.r.gpr[X86_RAX] = S_DATA(3);
    m->cpu.r.gpr[X86_RCX] = S_FREE(0);
    m->cpu.r.gpr[X86_RDX] = 2; /* null */
    CODE(m, 0x8e, 0xd8, 0x8e, 0xe1, 0x8e, 0xea, 0xca, 0x08, 0x00);
    for (unsigned i = 0; i < 4; i++) /* mov ds, ax; mov fs, cx; mov gs, dx; retf 8 */
        EXPECT("outer", machine_try(m), EMU_OK);
    EXPECT("outer", m->cpu.cpl, 3);
    EXPECT("outer", m->cpu.r.rip, 0x1234);
    EXPECT("outer", m->cpu.r.seg[X86_CS].selector, S_CODE(3));
    EXPECT("outer", m->cpu.r.seg[X86_SS].selector, S_DATA(3));
    EXPECT("outer", m->cpu.r.gpr[X86_RSP], M_STACK + 0x3008);
    EXPECT("DS of DPL 3", m->cpu.r.seg[X86_DS].selector, S_DATA(3));
    EXPECT("DS of DPL 3", m->cpu.r.seg[X86_DS].attr & SEG_P, SEG_P);
    EXPECT("ES of DPL 0", m->cpu.r.seg[X86_ES].selector, 0);
    EXPECT("ES of DPL 0", m->cpu.r.seg[X86_ES].attr & SEG_P, 0);
    EXPECT("FS with conforming code", m->cpu.r.seg[X86_FS].selector, S_FREE(0));
    EXPECT("null GS", m->cpu.r.seg[X86_GS].selector, 0);
    test_cpu_close(m);

    for (unsigned dpl = 0; dpl < 4; dpl++) { /* from ring 0 to 3: kept if DPL >= the new CPL */
        m = machine_open(M_PROT32);
        STACK(m, 4, 0x1234, S_CODE(3), M_STACK + 0x3000, S_DATA(3));
        m->cpu.r.gpr[X86_RAX] = S_DATA(dpl);
        CODE(m, 0x8e, 0xd8, 0xcb); /* mov ds, ax; retf */
        EXPECT("DPL", machine_try(m), EMU_OK);
        EXPECT("DPL", machine_try(m), EMU_OK);
        EXPECT("DPL", m->cpu.r.seg[X86_DS].selector, dpl == 3 ? S_DATA(3) : 0);
        test_cpu_close(m);
    }
}

static void
test_return_stack(void)
{
    static const struct {
        const char *name;
        uint16_t selector, attr;
        int vector, error;
    } rows[] = {
        {"RPL is not that of CS", S_FREE(0) | 2, A_DATA(3), VEC_GP, S_FREE(0)},
        {"DPL is not that of CS", S_FREE(0) | 3, A_DATA(2), VEC_GP, S_FREE(0)},
        {"read-only", S_FREE(0) | 3, A_P(3) | SEG_S, VEC_GP, S_FREE(0)},
        {"code", S_FREE(0) | 3, A_CODE(3), VEC_GP, S_FREE(0)},
        {"not present", S_FREE(0) | 3, A_DATA(3) & ~SEG_P, VEC_SS, S_FREE(0)},
        {"null", 3, A_DATA(3), VEC_GP, 0},
        {"outside", 0x1003, A_DATA(3), VEC_GP, 0x1000},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_segment(m, S_FREE(0), 0, 0xffffffff, rows[i].attr);
        STACK(m, 4, 0x1234, S_CODE(3), M_STACK + 0x3000, rows[i].selector);
        CODE(m, 0xcb);
        EXPECT_FAULT(rows[i].name, m, rows[i].vector, rows[i].error);
        test_cpu_close(m);
    }

    struct machine *m = machine_open(M_PROT32);
    STACK(m, 4, 0x1234, S_CODE(3), M_STACK + 0x3000, S_DATA(3));
    m->cpu.r.seg[X86_SS].limit = (uint32_t)m->cpu.r.gpr[X86_RSP] + 13;
    machine_sync(m);
    CODE(m, 0xcb);
    EXPECT_FAULT("SS's slot outside the stack", m, VEC_SS, 0);
    test_cpu_close(m);

    /* With a 16-bit stack only SP is loaded. */
    m = machine_open(M_PROT32);
    machine_segment(m, S_FREE(0), 0, 0xffff, A_P(3) | SEG_S | SEG_WRITABLE);
    m->cpu.r.gpr[X86_RSP] = 0x00018000;
    STACK(m, 4, 0x1234, S_CODE(3), 0x55556666, S_FREE(0) | 3);
    CODE(m, 0xcb);
    EXPECT("16-bit stack", machine_try(m), EMU_OK);
    EXPECT("16-bit stack", m->cpu.r.gpr[X86_RSP], 0x00016666);
    test_cpu_close(m);
}

/* RETF with REX.W to ring 3, and the null SS that only 64-bit code above ring 3 may have. */
static void
test_return_long(void)
{
    struct machine *m = machine_open(M_LONG);

    STACK(m, 8, M_HIGH + 0x1234, S_CODE(3), 0x1111222233334440, S_DATA(3));
    CODE(m, 0x48, 0xcb);
    EXPECT("to ring 3", machine_try(m), EMU_OK);
    EXPECT("to ring 3", m->cpu.cpl, 3);
    EXPECT("to ring 3", m->cpu.r.rip, M_HIGH + 0x1234);
    EXPECT("to ring 3", m->cpu.r.gpr[X86_RSP], 0x1111222233334440); /* may be anything */
    machine_ring(m, 0);
    STACK(m, 8, 0x800000001234, S_CODE(0));
    CODE(m, 0x48, 0xcb);
    EXPECT_FAULT("rip not canonical", m, VEC_GP, 0);
    machine_ring(m, 0);
    STACK(m, 8, 0x1234, S_CODE(3), TOP, 3);
    CODE(m, 0x48, 0xcb);
    EXPECT_FAULT("null SS in ring 3", m, VEC_GP, 0);
    machine_ring(m, 0);
    STACK(m, 8, 0x1234, S_CODE(1), TOP, 1);
    CODE(m, 0x48, 0xcb);
    EXPECT("null SS in ring 1", machine_try(m), EMU_OK);
    EXPECT("null SS in ring 1", m->cpu.cpl, 1);
    machine_ring(m, 0);
    machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE(3));
    STACK(m, 8, 0xffffffff00001234, S_FREE(0) | 3, 0x1111222233334440, S_DATA(3));
    CODE(m, 0x48, 0xcb);
    EXPECT("to compatibility mode", machine_try(m), EMU_OK);
    EXPECT("to compatibility mode", m->cpu.mode, MODE_COMPAT);
    EXPECT("to compatibility mode", m->cpu.r.rip, 0x1234);
    EXPECT("to compatibility mode", m->cpu.r.gpr[X86_RSP], 0x33334440);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"code segment", test_return_code},
    {"to an outer ring", test_return_outer},
    {"stack segment", test_return_stack},
    {"long mode", test_return_long},
    {NULL, NULL},
};
const struct unit_suite suite_isa_retf = {"isa_retf", tests};
