/*
 * isa_hostile.c - system instructions among descriptors, gates, stacks and pages of chance.
 *
 * Whatever a guest puts there, an instruction that does not succeed changes nothing (machine_try
 * checks that), and one that does leaves a state that a processor can be in: the checks of VM
 * entry (x86_regs_invalid; SDM vol. 3, 26.3.1), which know nothing of the code that is tested.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define SEEDS  12000u
#define TABLES 0x5000u /* GDT, IDT, TSS and LDT are below */

static uint32_t
chance(uint32_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % below;
}

/* Mostly slots that exist, with an RPL of chance; sometimes null or of the LDT. */
static uint16_t
some_selector(uint32_t *state)
{
    switch (chance(state, 8)) {
    case 0: return (uint16_t)chance(state, 4);
    case 1: return (uint16_t)(4 + 8 * chance(state, 8) + chance(state, 4));
    case 2: return (uint16_t)chance(state, 0x10000);
    case 3: return (uint16_t)S_CODE(chance(state, 4));
    case 4: return (uint16_t)S_DATA(chance(state, 4));
    default: return (uint16_t)(S_FREE(2 * chance(state, 6)) + chance(state, 4));
    }
}

static uint64_t
some_address(uint32_t *state)
{
    static const uint64_t addresses[] = {
        M_CODE,  M_HANDLER,  M_STACK + 0x1000, M_STACK + 0x3ffa,   M_DATA,         0xffff,
        0x10000, M_DEVICE,   M_HIGH + M_STACK, M_HIGH + 4,         0x7ffffffffff8, 0,
        5,       0xfffffffe, 0x800000000000u,  0x1234567890abcdefu};

    return addresses[chance(state, sizeof(addresses) / sizeof(addresses[0]))];
}

static void
random_tables(struct machine *m, uint32_t *state)
{
    static const uint32_t limits[] = {0, 7, 0xfff, 0xffff, 0xfffff, 0xffffffff};

    for (unsigned i = 0; i < 12; i++) {
        uint16_t slot = i < 6 ? S_FREE(2 * i) : 4 + 16 * (i - 6);
        uint16_t attr = (uint16_t)(chance(state, 0x100) | SEG_P | chance(state, 16) << 12);
        uint64_t base = chance(state, 2) ? 0 : some_address(state);
        if (!chance(state, 8))
            attr &= ~SEG_P;
        if (attr & SEG_S)
            machine_segment(m, slot, base, limits[chance(state, 6)], attr);
        else
            machine_call_gate(m, slot, attr & 0xff, some_selector(state), some_address(state),
                              chance(state, 32));
    }
    for (unsigned i = 0; i < 0x40; i++) {
        uint16_t attr = (uint16_t)(A_P(3) | (chance(state, 4) ? SYS_INT : chance(state, 32)));
        bool good = chance(state, 3); /* so that most exceptions arrive somewhere */
        machine_int_gate(m, i, attr, good ? S_CODE(0) : some_selector(state),
                         good ? M_HANDLER : some_address(state), good ? 0 : chance(state, 8));
    }
    for (unsigned i = 0; i < 0x68; i += 4)
        if (chance(state, 2))
            machine_poke(m, M_TSS + i, 4,
                         chance(state, 2) ? some_selector(state) : some_address(state));
}

static void
random_state(struct machine *m, uint32_t *state)
{
    struct x86_regs *r = &m->cpu.r;

    if (m->kind != M_REAL)
        machine_ring(m, chance(state, 4));
    if (chance(state, 2))
        r->gpr[X86_RSP] = some_address(state);
    for (unsigned i = 0; i < 10; i++)
        machine_poke(m, (uint32_t)(r->gpr[X86_RSP] & 0x3ffff) + 4 * i, 4,
                     chance(state, 2) ? some_selector(state) : some_address(state));
    r->rflags = FLAG_ONE | (chance(state, 0x400000) & (FLAGS_ALL & ~(FLAG_VM | FLAG_TF)));
    if (chance(state, 4))
        r->rflags &= ~(uint64_t)FLAG_NT;
    r->cr0 |= chance(state, 2) ? CR0_AM : 0;
    r->efer |= EFER_SCE;
    r->star = (uint64_t)some_selector(state) << 48 | (uint64_t)some_selector(state) << 32;
    r->sysenter_cs = some_selector(state);
    r->sfmask = chance(state, 0x400000);
    r->tr.limit = chance(state, 4) ? 0x67 : chance(state, 0x68);
    r->gpr[X86_RAX] = some_selector(state);
    r->gpr[X86_RCX] = some_address(state);
    r->gpr[X86_RDX] = some_address(state);
    r->gpr[X86_RBX] = M_DATA;
    r->gpr[X86_R11] = chance(state, 0x400000);
    machine_poke(m, M_DATA, 8, some_address(state));
    for (unsigned i = 2; i <= 8; i += 2)
        if (i != 6)
            machine_poke(m, M_DATA + i, 2, some_selector(state));
    if (r->cr0 & CR0_PG && !chance(state, 4))
        machine_page(m, chance(state, 16) << 12, chance(state, 8) & ~2u);
    machine_sync(m);
}

static void
random_code(struct machine *m, uint32_t *state)
{
    static const uint8_t codes[][4] = {
        {0xcf},
        {0x48, 0xcf},
        {0x66, 0xcf},
        {0xcb},
        {0x48, 0xcb},
        {0x66, 0xcb},
        {0xca, 8, 0},
        {0x8e, 0xd8},
        {0x8e, 0xd0},
        {0x8e, 0xe8},
        {0xff, 0x1b},
        {0xff, 0x2b},
        {0x66, 0xff, 0x1b},
        {0x48, 0xff, 0x1b},
        {0x48, 0xff, 0x2b},
        {0x0f, 0xb2, 0x0b},
        {0xc4, 0x0b},
        {0x1f},
        {0x17},
        {0x0f, 0xa1},
        {0x0f, 0x00, 0xd0},
        {0x0f, 0x00, 0xd8},
        {0x0f, 0x02, 0xc8},
        {0x0f, 0x03, 0xc8},
        {0x0f, 0x00, 0xe0},
        {0x0f, 0x00, 0xe8},
        {0x0f, 0x05},
        {0x48, 0x0f, 0x07},
        {0x0f, 0x07},
        {0x0f, 0x34},
        {0x0f, 0x35},
        {0x48, 0x0f, 0x35},
        {0xcc},
        {0xce},
        {0xcd, 0x30},
        {0xcd, 0x0e},
        {0xf1},
        {0x0f, 0x0b},
        {0x16},
        {0x0f, 0x01, 0xf8},
    };
    unsigned which = chance(state, sizeof(codes) / sizeof(codes[0]) + 8);
    uint16_t selector = some_selector(state);
    uint32_t offset = (uint32_t)some_address(state);

    if (which < sizeof(codes) / sizeof(codes[0]))
        machine_code(m, codes[which], 4);
    else
        CODE(m, which & 1 ? 0x9a : 0xea, offset & 0xff, offset >> 8 & 0xff, offset >> 16 & 0xff,
             offset >> 24, selector & 0xff, selector >> 8);
}

static void
run_seed(struct machine *m, uint32_t seed, unsigned outcomes[EMU_SHUTDOWN + 1])
{
    uint32_t state = seed * 2654435761u + 1;
    char row[48];
    const char *why;

    snprintf(row, sizeof(row), "machine %u, seed %u", m->kind, seed);
    if (m->kind != M_REAL)
        random_tables(m, &state);
    random_state(m, &state);
    random_code(m, &state);
    int rc = machine_step(m);
    outcomes[rc]++;
    why = x86_regs_invalid(&m->cpu.r);
    if (why)
        CU_assertImplementation(CU_FALSE, __LINE__, why, __FILE__, "", CU_FALSE);
    EXPECT(row, why != NULL, false);
    EXPECT(row, m->cpu.cpl, x86_cpl(&m->cpu.r));
}

static void
test_hostile(void)
{
    unsigned outcomes[EMU_SHUTDOWN + 1] = {0};

    for (unsigned kind = M_REAL; kind <= M_LONG; kind++) {
        struct machine *m = machine_open(kind);
        struct x86_cpu cpu = m->cpu;
        static uint8_t tables[TABLES];
        memcpy(tables, m->ram, TABLES);
        for (uint32_t seed = 0; seed < SEEDS / 5; seed++) {
            run_seed(m, seed, outcomes);
            memcpy(m->ram, tables, TABLES);
            m->cpu = cpu;
            if (cpu.r.cr0 & CR0_PG)
                for (unsigned page = 0; page < 16; page++)
                    machine_page(m, page << 12, 0x7);
        }
        test_cpu_close(m);
    }
    /* Chance has reached every way for an instruction to end. */
    CU_ASSERT(outcomes[EMU_OK] > SEEDS / 4);
    CU_ASSERT(outcomes[EMU_SHUTDOWN] > 0);
    CU_ASSERT(outcomes[EMU_MMIO] > 0);
    CU_ASSERT(outcomes[EMU_UNIMPLEMENTED] > 0);
    CU_ASSERT_EQUAL(outcomes[EMU_FAULT] + outcomes[EMU_HYPERCALL] + outcomes[EMU_INTERCEPT], 0);
}

static const struct unit_test tests[] = {
    {"tables, stacks and pages of chance", test_hostile},
    {NULL, NULL},
};
const struct unit_suite suite_isa_hostile = {"isa_hostile", tests};
