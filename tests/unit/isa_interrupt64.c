/*
 * isa_interrupt64.c - tests of the delivery of interrupts and exceptions in long mode
 * (isa/x86/interrupt.c). Sections are those of the SDM, vol. 3, 6.14.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define TOP(n)   (M_STACK + ((n) + 1) * 0x1000u)
#define INT64(n) (A_P(n) | SYS_INT)
#define EXT      1u
#define IDT      2u

static int
deliver(struct machine *m, enum x86_event type, unsigned vector, int64_t error)
{
    struct x86_fault what = {
        .vector = (uint8_t)vector, .has_error = error >= 0, .error = (uint32_t)error};

    return x86_deliver_event(&m->cpu, type, &what, m->cpu.r.rip);
}

static void
test_long(void)
{
    static const struct {
        const char *name;
        enum machine_kind kind;
        unsigned cpl, ist;
        uint64_t rsp, top; /* before, and where the frame is pushed from */
        uint16_t ss;       /* after */
    } rows[] = {
        {"same ring", M_LONG, 0, 0, TOP(0), TOP(0), S_DATA(0)},
        {"same ring, aligned", M_LONG, 0, 0, TOP(0) - 1, TOP(0) - 16, S_DATA(0)},
        {"from ring 3: null SS", M_LONG, 3, 0, TOP(3), TOP(0), 0},
        {"from ring 1", M_LONG, 1, 0, TOP(3), TOP(0), 0},
        {"IST 1 in the same ring: SS stays", M_LONG, 0, 1, TOP(0), TOP(1), S_DATA(0)},
        {"IST 7 from ring 3", M_LONG, 3, 7, TOP(3), TOP(2) - 16, 0},
        {"from compatibility mode", M_COMPAT32, 3, 0, TOP(3), TOP(0), 0},
        {"compatibility mode in ring 0", M_COMPAT32, 0, 0, TOP(0), TOP(0), S_DATA(0)},
        {"all of RSP counts", M_COMPAT32, 0, 0, M_HIGH + TOP(0), M_HIGH + TOP(0), S_DATA(0)},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(rows[i].kind);
        machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE64(0));
        machine_int_gate(m, 14, INT64(0), S_FREE(0) | 3, M_HIGH + M_HANDLER, rows[i].ist);
        machine_poke(m, M_TSS + 0x24, 8, TOP(1));     /* IST1 */
        machine_poke(m, M_TSS + 0x54, 8, TOP(2) - 8); /* IST7, not aligned */
        machine_ring(m, rows[i].cpl);
        m->cpu.r.gpr[X86_RSP] = rows[i].rsp;
        m->cpu.r.rflags = FLAG_ONE | FLAG_IF;
        uint16_t old_ss = m->cpu.r.seg[X86_SS].selector, old_cs = m->cpu.r.seg[X86_CS].selector;
        EXPECT(rows[i].name, deliver(m, X86_EVENT_EXCEPTION, VEC_PF, 5), EMU_OK);
        EXPECT(rows[i].name, m->cpu.mode, MODE_LONG64);
        EXPECT(rows[i].name, m->cpu.cpl, 0);
        EXPECT(rows[i].name, m->cpu.r.rip, M_HIGH + M_HANDLER);
        EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, S_FREE(0));
        EXPECT(rows[i].name, m->cpu.r.seg[X86_SS].selector, rows[i].ss);
        EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], rows[i].top - 48);
        EXPECT(rows[i].name, m->cpu.r.rflags, FLAG_ONE);
        EXPECT_STACK(rows[i].name, m, (uint32_t)rows[i].top - 48, 8, 5, M_CODE, old_cs,
                     FLAG_ONE | FLAG_IF | FLAG_RF, rows[i].rsp, old_ss);
        test_cpu_close(m);
    }
}

static void
test_long_errors(void)
{
    struct machine *m = machine_open(M_LONG);

    machine_segment(m, S_FREE(0), 0, 0xffffffff, A_CODE(0));
    machine_segment(m, S_FREE(1), 0, 0xffffffff, A_CODE64(0) | SEG_DB);
    machine_int_gate(m, 0x30, INT64(3), S_FREE(0), M_HANDLER, 0);
    machine_int_gate(m, 0x31, INT64(3), S_FREE(1), M_HANDLER, 0);
    machine_int_gate(m, 0x32, A_P(3) | SYS_INT16, S_CODE(0), M_HANDLER, 0);
    machine_int_gate(m, 0x33, A_P(3) | SYS_TASK_GATE, S_CODE(0), M_HANDLER, 0);
    machine_int_gate(m, 0x34, INT64(3), S_CODE(0), 0x800000000000, 0);
    machine_int_gate(m, 0x35, INT64(3), S_CODE(0), M_HANDLER, 7);
    machine_int_gate(m, 0x36, INT64(3), S_CODE(0), M_HANDLER, 0);
    CODE(m, 0xcd, 0x30);
    EXPECT_FAULT("32-bit code", m, VEC_GP, S_FREE(0));
    CODE(m, 0xcd, 0x31);
    EXPECT_FAULT("L and D", m, VEC_GP, S_FREE(1));
    CODE(m, 0xcd, 0x32);
    EXPECT_FAULT("16-bit gate", m, VEC_GP, 0x32 * 8 | IDT);
    CODE(m, 0xcd, 0x33);
    EXPECT_FAULT("task gate", m, VEC_GP, 0x33 * 8 | IDT);
    CODE(m, 0xcd, 0x34);
    EXPECT_FAULT("offset not canonical", m, VEC_GP, 0);
    m->cpu.r.tr.limit = 7 * 8 + 0x1c + 6;
    CODE(m, 0xcd, 0x35);
    EXPECT_FAULT("IST7 outside the TSS", m, VEC_TS, S_TSS);
    EXPECT("IST7 outside the TSS, EXT", deliver(m, X86_EVENT_EXTERNAL, 0x35, -1), EMU_FAULT);
    EXPECT("IST7 outside the TSS, EXT", m->cpu.fault.error, S_TSS | EXT);
    m->cpu.r.tr.limit++;
    machine_poke(m, M_TSS + 0x54, 8, 0x800000000000 + 0x100);
    EXPECT_FAULT("IST7 not canonical", m, VEC_SS, 0);
    m->cpu.r.gpr[X86_RSP] = M_HIGH + 8;
    CODE(m, 0xcd, 0x36);
    EXPECT_FAULT("RSP leaves the canonical half", m, VEC_SS, 0);
    m->cpu.r.idtr.limit = 0x36 * 16 + 14;
    EXPECT_FAULT("outside the IDT", m, VEC_GP, 0x36 * 8 | IDT);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"frames, IST, alignment", test_long},
    {"faults on the way", test_long_errors},
    {NULL, NULL},
};
const struct unit_suite suite_isa_interrupt64 = {"isa_interrupt64", tests};
