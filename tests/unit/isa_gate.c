/*
 * isa_gate.c - tests of call gates and of the stacks of inner rings (isa/x86/gate.c, stack.c).
 * Sections are the SDM's.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define OK        (-1)
#define TOP0      (M_STACK + 0x1000u)
#define TOP3      (M_STACK + 0x4000u)
#define GATE      S_FREE(0)
#define CODE_SLOT S_FREE(2) /* a gate of long mode takes two slots */

#define GATE32(dpl) (A_P(dpl) | SYS_CALL)
#define GATE16(dpl) (A_P(dpl) | SYS_CALL16)
#define CODE_N(n)   (A_P(n) | SEG_S | SEG_CODE | SEG_DB)
#define CONF(n)     (CODE_N(n) | SEG_CONFORMING)

/* jmp or call GATE | rpl; the offset is ignored */
static void
through_gate(struct machine *m, bool call, unsigned rpl)
{
    CODE(m, call ? 0x9a : 0xea, 0xff, 0xff, 0xff, 0xff, GATE | rpl, 0x00);
}

/* Vol. 3, 5.8.4: privilege of the gate and of the code. */
static void
test_privilege(void)
{
    static const struct {
        const char *name;
        unsigned cpl, rpl;
        uint16_t gate, code;
        int jump, call;   /* vector, or OK */
        bool names_code;  /* the error code is that of the code segment */
        unsigned new_cpl; /* of CALL */
    } rows[] = {
        {"ring 3 to 0", 3, 3, GATE32(3), CODE_N(0), VEC_GP, OK, true, 0},
        {"ring 3 to 1", 3, 0, GATE32(3), CODE_N(1), VEC_GP, OK, true, 1},
        {"ring 3 to 3", 3, 3, GATE32(3), CODE_N(3), OK, OK, false, 3},
        {"ring 0 to 0", 0, 0, GATE32(0), CODE_N(0), OK, OK, false, 0},
        {"conforming code", 3, 3, GATE32(3), CONF(0), OK, OK, false, 3},
        {"outer code", 0, 0, GATE32(0), CODE_N(3), VEC_GP, VEC_GP, true, 0},
        {"outer conforming code", 0, 0, GATE32(0), CONF(1), VEC_GP, VEC_GP, true, 0},
        {"gate's DPL below CPL", 3, 0, GATE32(0), CODE_N(0), VEC_GP, VEC_GP, false, 0},
        {"gate's DPL below RPL", 0, 3, GATE32(0), CODE_N(0), VEC_GP, VEC_GP, false, 0},
        {"gate not present", 3, 3, GATE32(3) & ~SEG_P, CODE_N(0), VEC_NP, VEC_NP, false, 0},
        {"gate's DPL, then presence", 3, 3, SYS_CALL, CODE_N(0), VEC_GP, VEC_GP, false, 0},
        {"code not present", 0, 0, GATE32(0), CODE_N(0) & ~SEG_P, VEC_NP, VEC_NP, true, 0},
        {"leads to data", 0, 0, GATE32(0), A_DATA(0), VEC_GP, VEC_GP, true, 0},
        {"leads to a gate", 0, 0, GATE32(0), GATE32(0), VEC_GP, VEC_GP, true, 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned call = 0; call < 2; call++) {
            struct machine *m = machine_open(M_PROT32);
            int vector = call ? rows[i].call : rows[i].jump;
            machine_segment(m, CODE_SLOT, 0, 0xffff, rows[i].code);
            machine_call_gate(m, GATE, rows[i].gate, CODE_SLOT | 3, 0x1234, 0);
            machine_ring(m, rows[i].cpl);
            through_gate(m, call, rows[i].rpl);
            if (vector == OK) {
                unsigned cpl = call ? rows[i].new_cpl : rows[i].cpl;
                EXPECT(rows[i].name, machine_try(m), EMU_OK);
                EXPECT(rows[i].name, m->cpu.r.rip, 0x1234);
                EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, CODE_SLOT | cpl);
                EXPECT(rows[i].name, m->cpu.cpl, cpl);
            } else {
                EXPECT_FAULT(rows[i].name, m, vector, rows[i].names_code ? CODE_SLOT : GATE);
            }
            test_cpu_close(m);
        }
}

/* What the gate names may be wrong in ways that have no descriptor. */
static void
test_target(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_call_gate(m, GATE, GATE32(3), 3, 0x1234, 0);
    machine_ring(m, 3);
    through_gate(m, true, 3);
    EXPECT_FAULT("null code selector", m, VEC_GP, 0);
    machine_call_gate(m, GATE, GATE32(3), 0x1003, 0x1234, 0);
    EXPECT_FAULT("code outside the GDT", m, VEC_GP, 0x1000);
    machine_segment(m, CODE_SLOT, 0, 0x1233, CODE_N(0));
    machine_call_gate(m, GATE, GATE32(3), CODE_SLOT, 0x1234, 0);
    EXPECT_FAULT("offset beyond the limit", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* Vol. 3, 5.8.5: the inner stack holds SS:ESP, parameters, CS:EIP; the parameter pushed first
 * stays the highest. RETF n undoes it. */
static void
test_parameters(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HANDLER, 3);
    machine_poke(m, M_HANDLER, 3, 0x000cca); /* retf 12 */
    machine_ring(m, 3);
    m->cpu.r.gpr[X86_RSP] = TOP3 - 12;
    for (unsigned i = 0; i < 3; i++)
        machine_poke(m, TOP3 - 12 + i * 4, 4, 0x11111111u * (i + 1));
    through_gate(m, true, 3);
    EXPECT("CALL", machine_try(m), EMU_OK);
    EXPECT("CALL", m->cpu.cpl, 0);
    EXPECT("CALL", m->cpu.r.gpr[X86_RSP], TOP0 - 28);
    EXPECT("CALL", m->cpu.r.seg[X86_SS].selector, S_DATA(0));
    EXPECT_STACK("CALL", m, TOP0 - 28, 4, M_CODE + 7, S_CODE(3), 0x11111111, 0x22222222, 0x33333333,
                 TOP3 - 12, S_DATA(3));
    EXPECT("RETF 12", machine_try(m), EMU_OK);
    EXPECT("RETF 12", m->cpu.cpl, 3);
    EXPECT("RETF 12", m->cpu.r.rip, M_CODE + 7);
    EXPECT("RETF 12", m->cpu.r.gpr[X86_RSP], TOP3);

    /* A 16-bit gate: words, and 16 bits of the offset. */
    machine_call_gate(m, GATE, GATE16(3), S_CODE(0), 0x77770000 | M_DATA, 2);
    m->cpu.r.gpr[X86_RSP] = TOP3 - 12;
    through_gate(m, true, 3);
    EXPECT("16-bit CALL", machine_try(m), EMU_OK);
    EXPECT("16-bit CALL", m->cpu.r.rip, M_DATA & 0xffff);
    EXPECT("16-bit CALL", m->cpu.r.gpr[X86_RSP], TOP0 - 12);
    EXPECT_STACK("16-bit CALL", m, TOP0 - 12, 2, (M_CODE + 7) & 0xffff, S_CODE(3), 0x1111, 0x1111,
                 (TOP3 - 12) & 0xffff, S_DATA(3));
    test_cpu_close(m);

    /* Parameters that lie outside the caller's stack: #SS(0). */
    m = machine_open(M_PROT32);
    machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HANDLER, 31);
    machine_ring(m, 3);
    m->cpu.r.seg[X86_SS].limit = TOP3 + 30 * 4 + 2;
    machine_sync(m);
    through_gate(m, true, 3);
    EXPECT_FAULT("parameter 31 outside", m, VEC_SS, 0);
    m->cpu.r.seg[X86_SS].limit++;
    machine_sync(m);
    EXPECT("parameter 31 inside", machine_try(m), EMU_OK);
    EXPECT("parameter 31 inside", m->cpu.r.gpr[X86_RSP], TOP0 - 35 * 4);
    test_cpu_close(m);
}

/* Same ring: CS:EIP alone, on the same stack, whatever the parameter count. */
static void
test_same_ring(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_call_gate(m, GATE, GATE32(0), S_CODE(0), M_HANDLER, 5);
    through_gate(m, true, 0);
    EXPECT("32-bit gate", machine_try(m), EMU_OK);
    EXPECT("32-bit gate", m->cpu.r.gpr[X86_RSP], TOP0 - 8);
    EXPECT_STACK("32-bit gate", m, TOP0 - 8, 4, M_CODE + 7, S_CODE(0));
    machine_call_gate(m, GATE, GATE16(0), S_CODE(0), M_HANDLER, 5);
    through_gate(m, true, 0);
    EXPECT("16-bit gate", machine_try(m), EMU_OK);
    EXPECT("16-bit gate", m->cpu.r.gpr[X86_RSP], TOP0 - 12);
    m->cpu.r.seg[X86_SS].limit = 0x100;
    machine_sync(m);
    through_gate(m, true, 0);
    EXPECT_FAULT("no stack", m, VEC_SS, 0);
    test_cpu_close(m);
}

/* --- the TSS and the stack that it names ------------------------------------------------------ */

/* Vol. 2, CALL, MORE-PRIVILEGE: all #TS and #SS. The same table serves interrupts, with EXT. */
static void
test_tss_stack(void)
{
    static const struct {
        const char *name;
        uint16_t selector, attr;
        uint32_t limit;
        unsigned tss_limit;
        int vector, error;
    } rows[] = {
        {"stack", S_FREE(4), A_DATA(0), 0xffffffff, 9, OK, 0},
        {"TSS too short", S_FREE(4), A_DATA(0), 0xffffffff, 8, VEC_TS, S_TSS},
        {"null", 0, A_DATA(0), 0xffffffff, 0x67, VEC_TS, 0},
        {"null, RPL 3", 3, A_DATA(0), 0xffffffff, 0x67, VEC_TS, 0},
        {"outside the GDT", 0x1000, A_DATA(0), 0xffffffff, 0x67, VEC_TS, 0x1000},
        {"outside the LDT", 0x1004, A_DATA(0), 0xffffffff, 0x67, VEC_TS, 0x1004},
        {"RPL is not the new CPL", S_FREE(4) | 3, A_DATA(0), 0xffffffff, 0x67, VEC_TS, S_FREE(4)},
        {"DPL is not the new CPL", S_FREE(4), A_DATA(3), 0xffffffff, 0x67, VEC_TS, S_FREE(4)},
        {"read-only", S_FREE(4), A_P(0) | SEG_S, 0xffff, 0x67, VEC_TS, S_FREE(4)},
        {"code", S_FREE(4), A_CODE(0), 0xffffffff, 0x67, VEC_TS, S_FREE(4)},
        {"system", S_FREE(4), SEG_P | SYS_LDT, 0xffff, 0x67, VEC_TS, S_FREE(4)},
        {"not present", S_FREE(4), A_DATA(0) & ~SEG_P, 0xffffffff, 0x67, VEC_SS, S_FREE(4)},
        {"room for the frame", S_FREE(4), A_P(0) | SEG_S | 6 | SEG_DB, TOP0 - 17, 0x67, OK, 0},
        {"no room", S_FREE(4), A_P(0) | SEG_S | 6 | SEG_DB, TOP0 - 16, 0x67, VEC_SS, S_FREE(4)},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_segment(m, S_FREE(4), 0, rows[i].limit, rows[i].attr);
        machine_poke(m, M_TSS + 8, 2, rows[i].selector);
        m->cpu.r.tr.limit = rows[i].tss_limit;
        machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HANDLER, 0);
        machine_ring(m, 3);
        through_gate(m, true, 3);
        if (rows[i].vector == OK) {
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
            EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], TOP0 - 16);
        } else {
            EXPECT_FAULT(rows[i].name, m, rows[i].vector, rows[i].error);
        }
        test_cpu_close(m);
    }
}

/* A 16-bit TSS has SP and SS at n * 4 + 2 (vol. 3, 7.6). */
static void
test_tss16(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.tr.attr = SEG_P | SYS_TSS16_BUSY;
    m->cpu.r.tr.limit = 9;
    machine_poke(m, M_TSS, 8, 0);
    machine_poke(m, M_TSS + 6, 2, TOP0);
    machine_poke(m, M_TSS + 8, 2, S_DATA(1));
    machine_segment(m, CODE_SLOT, 0, 0xffff, CODE_N(1));
    machine_call_gate(m, GATE, GATE32(3), CODE_SLOT, 0x1234, 0);
    machine_ring(m, 3);
    through_gate(m, true, 3);
    EXPECT("ring 1", machine_try(m), EMU_OK);
    EXPECT("ring 1", m->cpu.cpl, 1);
    EXPECT("ring 1", m->cpu.r.gpr[X86_RSP], TOP0 - 16);
    EXPECT("ring 1", m->cpu.r.seg[X86_SS].selector, S_DATA(1));
    machine_ring(m, 3);
    m->cpu.r.tr.limit = 8;
    through_gate(m, true, 3);
    EXPECT_FAULT("too short", m, VEC_TS, S_TSS);
    test_cpu_close(m);
}

/* Pushes have the privilege of the new ring; reads of the TSS that of the supervisor; parameters
 * are read by the caller (vol. 3, 4.6.1). */
static void
test_pages(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_paging(m);
    machine_page(m, M_STACK, 0x3); /* ring 0's stack: supervisor */
    machine_page(m, M_TSS, 0x1);   /* supervisor, read-only */
    machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HANDLER, 1);
    machine_ring(m, 3);
    through_gate(m, true, 3);
    EXPECT("supervisor's pages", machine_try(m), EMU_OK);
    machine_ring(m, 3);
    m->cpu.r.gpr[X86_RSP] = M_STACK + 0x100; /* the caller's stack pointer in a supervisor page */
    through_gate(m, true, 3);
    EXPECT_FAULT("parameters of the supervisor", m, VEC_PF, PF_PRESENT | PF_USER);
    machine_ring(m, 3);
    machine_page(m, M_STACK, 0);
    through_gate(m, true, 3);
    EXPECT_FAULT("inner stack not mapped", m, VEC_PF, PF_WRITE);
    test_cpu_close(m);
}

/* --- long mode -------------------------------------------------------------------------------- */

/* Vol. 3, 5.8.3.1 and 5.8.5: 16-byte gates to 64-bit code, 8-byte pushes, null SS, no parameters. */
static void
test_long(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HIGH + M_HANDLER, 7);
    machine_poke(m, M_HANDLER, 2, 0xcb48); /* retf, REX.W */
    machine_poke(m, M_TSS + 4, 8, M_HIGH + TOP0 - 8);
    machine_ring(m, 3);
    machine_poke(m, M_DATA, 8, 0x1234);
    machine_poke(m, M_DATA + 4, 2, GATE | 3);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0xff, 0x1b); /* call far [rbx], m16:32 */
    EXPECT("CALL", machine_try(m), EMU_OK);
    EXPECT("CALL", m->cpu.cpl, 0);
    EXPECT("CALL", m->cpu.r.rip, M_HIGH + M_HANDLER);
    EXPECT("CALL", m->cpu.r.seg[X86_SS].selector, 0);
    EXPECT("CALL", m->cpu.r.seg[X86_SS].attr & SEG_P, 0);
    EXPECT("CALL, the stack is not aligned", m->cpu.r.gpr[X86_RSP], M_HIGH + TOP0 - 40);
    EXPECT_STACK("CALL", m, TOP0 - 40, 8, M_CODE + 2, S_CODE(3), TOP3, S_DATA(3));
    EXPECT("RETF", machine_try(m), EMU_OK);
    EXPECT("RETF", m->cpu.r.gpr[X86_RSP], TOP3);
    EXPECT("RETF", m->cpu.r.seg[X86_SS].selector, S_DATA(3));
    test_cpu_close(m);
}

static void
test_long_errors(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HIGH + M_HANDLER, 0);
    machine_poke(m, M_DATA + 4, 2, GATE | 3);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    machine_ring(m, 3);
    CODE(m, 0xff, 0x1b); /* call far [rbx] */
    machine_poke(m, M_TSS + 4, 8, 0x800000000008);
    EXPECT_FAULT("RSP of the TSS not canonical", m, VEC_SS, 0);
    m->cpu.r.tr.limit = 10;
    EXPECT_FAULT("TSS too short", m, VEC_TS, S_TSS);
    machine_call_gate(m, GATE, GATE16(3), S_CODE(0), M_HANDLER, 0);
    EXPECT_FAULT("16-bit gate", m, VEC_GP, GATE);
    machine_call_gate(m, GATE, GATE32(3), S_CODE(0), M_HANDLER, 0);
    machine_poke(m, M_GDT + GATE + 13, 1, 0x1f);
    EXPECT_FAULT("type in the second half", m, VEC_GP, GATE);
    machine_segment(m, CODE_SLOT, 0, 0xffffffff, A_CODE(0));
    machine_call_gate(m, GATE, GATE32(3), CODE_SLOT, M_HANDLER, 0);
    EXPECT_FAULT("32-bit code", m, VEC_GP, CODE_SLOT);
    machine_segment(m, CODE_SLOT, 0, 0xffffffff, A_CODE64(0) | SEG_DB);
    EXPECT_FAULT("L and D", m, VEC_GP, CODE_SLOT);
    machine_call_gate(m, GATE, GATE32(3), S_CODE(3), 0x800000000000, 0);
    EXPECT_FAULT("offset not canonical", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* The same gates from compatibility mode, to ring 0 and within ring 3. */
static void
test_long_compatibility(void)
{
    struct machine *m = machine_open(M_COMPAT32);

    machine_segment(m, CODE_SLOT, 0, 0xffffffff, A_CODE64(0));
    machine_call_gate(m, GATE, GATE32(3), CODE_SLOT, M_HIGH + M_HANDLER, 0);
    machine_poke(m, M_TSS + 4, 8, M_HIGH + TOP0 + 4); /* a slot lies in two pages */
    machine_ring(m, 3);
    through_gate(m, true, 3);
    EXPECT("compatibility mode", machine_try(m), EMU_OK);
    EXPECT("compatibility mode", m->cpu.mode, MODE_LONG64);
    EXPECT("compatibility mode", m->cpu.r.gpr[X86_RSP], M_HIGH + TOP0 - 28);
    EXPECT_STACK("compatibility mode", m, TOP0 - 28, 8, M_CODE + 7, S_CODE(3), TOP3, S_DATA(3));
    machine_segment(m, CODE_SLOT, 0, 0xffffffff, A_CODE64(3));
    machine_ring(m, 3);
    through_gate(m, true, 3);
    EXPECT("compatibility mode, same ring", machine_try(m), EMU_OK);
    EXPECT_STACK("compatibility mode, same ring", m, TOP3 - 16, 8, M_CODE + 7, S_CODE(3));
    machine_ring(m, 3);
    m->cpu.r.gpr[X86_RSP] = M_HIGH + TOP3;
    through_gate(m, true, 3);
    EXPECT("all of RSP counts", machine_try(m), EMU_OK);
    EXPECT("all of RSP counts", m->cpu.r.gpr[X86_RSP], M_HIGH + TOP3 - 16);
    test_cpu_close(m);
}

/* A 64-bit stack above 4 GiB, reached from compatibility mode; one slot lies in two pages, the
 * second of which has no counterpart below 4 GiB. */
static void
test_long_high_stack(void)
{
    struct machine *m = machine_open(M_COMPAT32);

    machine_poke(m, M_PAGES + 0x1000 + 4 * 8, 8, (M_PAGES + 0x5000) | 0x7);
    machine_poke(m, M_PAGES + 0x5000, 8, (M_PAGES + 0x6000) | 0x7);
    machine_poke(m, M_PAGES + 0x6000 + 0x100 * 8, 8, M_STACK | 0x7);
    machine_poke(m, M_PAGES + 0x6000 + 0x101 * 8, 8, (M_STACK + 0x1000) | 0x7);
    machine_poke(m, M_TSS + 4, 8, 0x100101004);
    machine_segment(m, CODE_SLOT, 0, 0xffffffff, A_CODE64(0));
    machine_call_gate(m, GATE, GATE32(3), CODE_SLOT, M_HANDLER, 0);
    machine_ring(m, 3);
    through_gate(m, true, 3);
    EXPECT("high stack", machine_try(m), EMU_OK);
    EXPECT("high stack", m->cpu.r.gpr[X86_RSP], 0x100101004 - 32);
    EXPECT_STACK("high stack", m, TOP0 - 28, 8, M_CODE + 7, S_CODE(3), TOP3, S_DATA(3));
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"privilege of gate and code", test_privilege},
    {"what the gate names", test_target},
    {"parameters across rings", test_parameters},
    {"within a ring", test_same_ring},
    {"the inner stack: #TS and #SS", test_tss_stack},
    {"16-bit TSS", test_tss16},
    {"page privilege", test_pages},
    {"long mode", test_long},
    {"long mode: from compatibility mode", test_long_compatibility},
    {"long mode: errors", test_long_errors},
    {"long mode: stack above 4 GiB", test_long_high_stack},
    {NULL, NULL},
};
const struct unit_suite suite_isa_gate = {"isa_gate", tests};
