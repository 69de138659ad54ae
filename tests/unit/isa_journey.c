/*
 * isa_journey.c - a whole program: real mode, protected mode, ring 3 and back by every road, long
 * mode, compatibility mode. It notes where it is; this compares the notes (isa_journey_guest.S).
 */
#include <string.h>

#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define START 0x8000u
#define LOG   0x600u

extern const uint8_t isa_journey_image[], isa_journey_end[];

/* R real mode, r INT, c far call, E end of it; P ring 0, T trap gate; U ring 3, G call gate with
 * parameters p q, T trap gate, S SYSENTER, s SYSEXIT, g CLI, d division, o INTO, 3 INT3, b BOUND,
 * g null FS, K ring 0; C compatibility mode, L 64-bit mode, u ring 3 by SYSRET, k SYSCALL, v back,
 * i #UD on its IST stack, f #PF, 2 with CR2; m 32-bit ring 3, h INT, n back, X call gate. */
static const char notes[] = "RrcEPTUGpqTSsgdo3bgKCLukvif2mhnX";

static void
test_journey(void)
{
    struct machine *m = machine_open(M_REAL);
    char log[sizeof(notes) + 8] = {0};
    int rc = EMU_OK;

    memcpy(m->ram + START, isa_journey_image, (size_t)(isa_journey_end - isa_journey_image));
    x86_load_segment(&m->cpu, X86_CS, 0);
    m->cpu.r.rip = START;
    m->cpu.r.idtr = (struct x86_table){0, 0x3ff};
    for (unsigned steps = 0; rc == EMU_OK && steps < 1000; steps++)
        rc = machine_step(m);
    memcpy(log, m->ram + LOG, sizeof(log) - 1);
    CU_ASSERT_STRING_EQUAL(log, notes);
    EXPECT("the end", rc, EMU_HALT);
    EXPECT("the end", m->cpu.cpl, 0);
    EXPECT("the end", m->cpu.mode, MODE_LONG64);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"through every mode and ring", test_journey},
    {NULL, NULL},
};
const struct unit_suite suite_isa_journey = {"isa_journey", tests};
