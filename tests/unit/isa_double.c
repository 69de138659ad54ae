/*
 * isa_double.c - tests of faults during the delivery of an event: tables 6-4 and 6-5 of the SDM,
 * vol. 3, 6.15, row by row, and the triple fault (isa/x86/interrupt.c).
 */
#include <stdio.h>

#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define INTERRUPT 0x30u
#define IST_TOP   (M_STACK + 0x2000u)
#define EXT       1u

/* How the delivery of a vector is made to fault, in long mode. */
enum obstacle {
    OBSTACLE_NP, /* the gate is not present */
    OBSTACLE_GP, /* the gate leads to a null selector */
    OBSTACLE_TS, /* the gate's IST lies outside the TSS */
    OBSTACLE_SS, /* the gate's IST is not canonical */
    OBSTACLE_PF, /* the gate's IST is not mapped */
    OBSTACLES,
};
static const uint8_t obstacle_vector[OBSTACLES] = {VEC_NP, VEC_GP, VEC_TS, VEC_SS, VEC_PF};

static uint32_t
obstacle_error(enum obstacle what, unsigned vector)
{
    switch (what) {
    case OBSTACLE_NP: return vector * 8 | 2 | EXT;
    case OBSTACLE_GP: return EXT;
    case OBSTACLE_TS: return S_TSS | EXT;
    case OBSTACLE_SS: return EXT;
    default: return PF_WRITE;
    }
}

static void
obstruct(struct machine *m, unsigned vector, enum obstacle what)
{
    unsigned ist = 0;
    uint16_t attr = A_P(0) | SYS_INT, target = S_CODE(0);

    switch (what) {
    case OBSTACLE_NP: attr &= ~SEG_P; break;
    case OBSTACLE_GP: target = 0; break;
    case OBSTACLE_TS: ist = 7; break;
    case OBSTACLE_SS: ist = 2; break;
    case OBSTACLE_PF: ist = 3; break;
    default: break;
    }
    machine_int_gate(m, vector, attr, target, M_HANDLER + vector, ist);
}

/* Every gate is good, with its stack in IST1; IST2 and IST3 are the obstacles' stacks. */
static struct machine *
open_machine(void)
{
    struct machine *m = machine_open(M_LONG);

    for (unsigned i = 0; i < 0x40; i++)
        machine_int_gate(m, i, A_P(0) | SYS_INT, S_CODE(0), M_HANDLER + i, 1);
    machine_poke(m, M_TSS + 0x24, 8, IST_TOP);
    machine_poke(m, M_TSS + 0x2c, 8, 0x8000000000000000);
    machine_poke(m, M_TSS + 0x34, 8, M_DATA + 0x1000);
    machine_page(m, M_DATA, 0);
    m->cpu.r.tr.limit = 0x53; /* up to IST6 */
    machine_ring(m, 3);
    return m;
}

/* Starts with vector `first`: an exception of the program, or an interrupt if it is INTERRUPT. */
static int
begin(struct machine *m, unsigned first)
{
    if (first == INTERRUPT)
        return x86_deliver_interrupt(&m->cpu, INTERRUPT);
    m->cpu.fault = (struct x86_fault){.vector = (uint8_t)first,
                                      .has_error = first == VEC_DF || (first >= 10 && first <= 14)};
    return x86_deliver_fault(&m->cpu);
}

/* Which handler runs after `first` met `second`: table 6-5. 0: shutdown. */
static unsigned
expected(unsigned first, unsigned second)
{
    static const struct {
        uint8_t first;
        bool contributory, page_fault; /* does a second of that class make a double fault? */
    } table[] = {
        {VEC_DE, true, false},  {VEC_DB, false, false}, {VEC_NMI, false, false},
        {VEC_BP, false, false}, {VEC_OF, false, false}, {VEC_BR, false, false},
        {VEC_UD, false, false}, {VEC_NM, false, false}, {VEC_TS, true, false},
        {VEC_NP, true, false},  {VEC_SS, true, false},  {VEC_GP, true, false},
        {VEC_PF, true, true},   {VEC_MF, false, false}, {VEC_AC, false, false},
        {VEC_MC, false, false}, {VEC_XM, false, false}, {INTERRUPT, false, false},
    };

    if (first == VEC_DF)
        return 0;
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].first == first)
            return (second == VEC_PF ? table[i].page_fault : table[i].contributory) ? VEC_DF
                                                                                    : second;
    return 0;
}

static const uint8_t firsts[] = {VEC_DE, VEC_DB, VEC_NMI, VEC_BP, VEC_OF,   VEC_BR, VEC_UD,
                                 VEC_NM, VEC_DF, VEC_TS,  VEC_NP, VEC_SS,   VEC_GP, VEC_PF,
                                 VEC_MF, VEC_AC, VEC_MC,  VEC_XM, INTERRUPT};

static void
test_table(void)
{
    for (unsigned i = 0; i < sizeof(firsts); i++)
        for (unsigned o = 0; o < OBSTACLES; o++) {
            struct machine *m = open_machine();
            unsigned first = firsts[i], second = obstacle_vector[o];
            unsigned want = expected(first, second);
            uint32_t error = want == VEC_DF ? 0 : obstacle_error(o, first);
            char row[64];
            snprintf(row, sizeof(row), "vector %u, then %u", first, second);
            obstruct(m, first, o);
            if (first == second) /* its second occurrence meets the same obstacle */
                want = want == VEC_DF ? VEC_DF : 0;
            if (!want) {
                EXPECT(row, begin(m, first), EMU_SHUTDOWN);
                EXPECT(row, m->cpu.r.rip, M_CODE);
                EXPECT(row, m->transfers, 0);
                test_cpu_close(m);
                continue;
            }
            EXPECT(row, begin(m, first), EMU_OK);
            EXPECT(row, m->cpu.r.rip, M_HANDLER + want);
            EXPECT_STACK(row, m, IST_TOP - 48, 8, error, M_CODE, S_CODE(3));
            EXPECT(row, m->transfers, 1);
            EXPECT(row, m->transfer[0].vector, want);
            if (second == VEC_PF)
                EXPECT(row, m->cpu.r.cr2, M_DATA + 0xff8);
            test_cpu_close(m);
        }
}

/* A first fault, a second, #DF, and what happens if #DF's gate is no better: shutdown. */
static void
test_triple(void)
{
    static const struct {
        const char *name;
        uint8_t first;
        enum obstacle of_first, of_double;
    } rows[] = {
        {"#GP, #NP, #DF, #NP", VEC_GP, OBSTACLE_NP, OBSTACLE_NP},
        {"#GP, #TS, #DF, #PF", VEC_GP, OBSTACLE_TS, OBSTACLE_PF},
        {"#PF, #PF, #DF, #GP", VEC_PF, OBSTACLE_PF, OBSTACLE_GP},
        {"#DE, #SS, #DF, #SS", VEC_DE, OBSTACLE_SS, OBSTACLE_SS},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = open_machine();
        obstruct(m, rows[i].first, rows[i].of_first);
        obstruct(m, VEC_DF, rows[i].of_double);
        struct x86_regs before = m->cpu.r;
        EXPECT(rows[i].name, begin(m, rows[i].first), EMU_SHUTDOWN);
        EXPECT(rows[i].name, m->cpu.fault.vector, rows[i].first);
        EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], before.gpr[X86_RSP]);
        EXPECT(rows[i].name, m->cpu.r.seg[X86_CS].selector, before.seg[X86_CS].selector);
        test_cpu_close(m);
    }
}

/* Longer chains: an interrupt, #PF, then #GP makes #DF; #NP then #PF are delivered one after the
 * other, and #PF then #NP make #DF. */
static void
test_chains(void)
{
    struct machine *m = open_machine();

    obstruct(m, INTERRUPT, OBSTACLE_PF);
    obstruct(m, VEC_PF, OBSTACLE_GP);
    EXPECT("interrupt, #PF, #GP", begin(m, INTERRUPT), EMU_OK);
    EXPECT("interrupt, #PF, #GP", m->cpu.r.rip, M_HANDLER + VEC_DF);
    test_cpu_close(m);

    m = open_machine();
    obstruct(m, VEC_UD, OBSTACLE_NP);
    obstruct(m, VEC_NP, OBSTACLE_PF);
    EXPECT("#UD, #NP, #PF", begin(m, VEC_UD), EMU_OK);
    EXPECT("#UD, #NP, #PF", m->cpu.r.rip, M_HANDLER + VEC_PF);
    test_cpu_close(m);

    m = open_machine();
    obstruct(m, VEC_NP, OBSTACLE_PF);
    obstruct(m, VEC_PF, OBSTACLE_NP);
    EXPECT("#NP, #PF, #NP", begin(m, VEC_NP), EMU_OK);
    EXPECT("#NP, #PF, #NP", m->cpu.r.rip, M_HANDLER + VEC_DF);
    test_cpu_close(m);
}

/* INT n is benign: a fault on its way is delivered as itself, with the address of INT n and
 * without EXT. */
static void
test_software(void)
{
    struct machine *m = open_machine();

    machine_int_gate(m, 0x30, A_P(3) | SYS_INT, 0, M_HANDLER, 0);
    CODE(m, 0xcd, 0x30);
    EXPECT("INT 30h", machine_step(m), EMU_OK);
    EXPECT("INT 30h", m->cpu.r.rip, M_HANDLER + VEC_GP);
    EXPECT_STACK("INT 30h", m, IST_TOP - 48, 8, 0, M_CODE, S_CODE(3));
    test_cpu_close(m);
}

/* Real mode: an IDT without entries ends every event in a shutdown, as boot code that resets the
 * machine by a triple fault knows (vol. 3, 6.15). */
static void
test_real(void)
{
    struct machine *m = machine_open(M_REAL);

    m->cpu.r.idtr.limit = 0;
    CODE(m, 0xcc);
    EXPECT("INT3", machine_step(m), EMU_SHUTDOWN);
    EXPECT("INT3", m->cpu.r.rip, 0);
    m->cpu.r.idtr.limit = 8 * 4 + 3; /* room for #DF, not for #GP */
    machine_poke(m, 8 * 4, 4, 0x20001234);
    CODE(m, 0xcd, 0x21);
    EXPECT("INT 21h, #GP, #GP: #DF", machine_step(m), EMU_OK);
    EXPECT("INT 21h, #GP, #GP: #DF", m->cpu.r.seg[X86_CS].base, 0x20000);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"table 6-5: every first event, every second", test_table},
    {"triple faults", test_triple},
    {"longer chains", test_chains},
    {"INT n", test_software},
    {"real mode without an IVT", test_real},
    {NULL, NULL},
};
const struct unit_suite suite_isa_double = {"isa_double", tests};
