/*
 * paravirt_user.c - a user program under strategy paravirt hears of its faults as on its own processor,
 * though the real one, without a gate in its IDT and without SYSCALL, faults otherwise.
 */
#include <string.h>

#include "base/util.h"
#include "isa/x86/cpu.h"
#include "tests/unit/paravirt_machine.h"
#include "tests/unit/suites.h"

#define HANDLERS   0x1000u /* behind PV_CODE; 16 bytes for each vector */
#define USER_FRAME 0x110000u
#define NO_ERROR   (-1)

/* Handler n is a jump to itself at HANDLERS + 16 * n: so RIP tells which one was called. */
static bool
open_machine(struct pv_machine *m)
{
    static uint8_t kernel[HANDLERS + 16 * HC_TRAPS];

    for (unsigned i = 0; i < HC_TRAPS; i++)
        memcpy(kernel + HANDLERS + 16 * i, "\xeb\xfe", 2);
    if (!pv_open(m, kernel, sizeof(kernel)) ||
        pv_call(m, HC_SET_ROOT, pv_make_tables(m, USER_FRAME, 2), 0))
        return false;
    for (unsigned i = 0; i < HC_TRAPS; i++)
        m->pv->trap[i].address = HC_BOOT_BASE + PV_CODE + HANDLERS + 16 * i;
    m->pv->stack = HC_BOOT_BASE + 0x140000;
    return true;
}

static void
test_faults(void)
{
    static const struct {
        uint8_t code[8];
        unsigned vector;
        int error;    /* NO_ERROR: it has none */
        unsigned rip; /* in the frame: how far behind the instruction's first byte */
    } cases[] = {
        {{0xf1}, VEC_DB, NO_ERROR, 1},             /* int1: a trap, whatever DPL is */
        {{0x66, 0xf1}, VEC_DB, NO_ERROR, 2},       /* ... with a prefix */
        {{0x0f, 0x07}, VEC_GP, 0, 0},              /* sysret */
        {{0x48, 0x0f, 0x07}, VEC_GP, 0, 0},        /* sysretq */
        {{0x0f, 0x34}, VEC_GP, 0, 0},              /* sysenter */
        {{0x9b}, VEC_NM, NO_ERROR, 0},             /* wait: CR0.TS and CR0.MP */
        {{0xdb, 0xe3}, VEC_NM, NO_ERROR, 0},       /* fninit */
        {{0x0f, 0x0b}, VEC_UD, NO_ERROR, 0},       /* ud2 */
        {{0xcc}, VEC_GP, VEC_BP * 8 + 2, 0},       /* int3, whose handler is not for users */
        {{0xcd, 0x01}, VEC_GP, VEC_DB * 8 + 2, 0}, /* int 1 is not int1 */
        {{0xcd, HC_VECTOR}, VEC_GP, HC_VECTOR * 8 + 2, 0}, /* no hypercalls for users */
        {{0xfa}, VEC_GP, 0, 0},                            /* cli */
    };
    static struct pv_machine m;
    uint64_t frame[2];

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        CU_ASSERT_TRUE_FATAL(open_machine(&m));
        memcpy(m.vm.ram.host + USER_FRAME, cases[i].code, sizeof(cases[i].code));
        m.pv->user = true;
        m.pv->regs.rip = PV_USER;
        CU_ASSERT_EQUAL_FATAL(paravirt_enter(m.pv, &m.err), 0);
        pv_run(&m, 10);
        CU_ASSERT_EQUAL(m.result.end, RUN_LIMIT);
        CU_ASSERT_EQUAL_FATAL(paravirt_sync(m.pv, &m.err), 0);
        CU_ASSERT_EQUAL(m.pv->regs.rip, HC_BOOT_BASE + PV_CODE + HANDLERS + 16 * cases[i].vector);
        CU_ASSERT_FALSE(m.pv->user);
        memcpy(frame, m.vm.ram.host + m.pv->regs.gpr[X86_RSP] - HC_BOOT_BASE, sizeof(frame));
        if (cases[i].error != NO_ERROR)
            CU_ASSERT_EQUAL(frame[0], cases[i].error);
        CU_ASSERT_EQUAL(frame[cases[i].error != NO_ERROR], PV_USER + cases[i].rip);
        pv_close(&m);
    }
}

static const struct unit_test tests[] = {
    {"faults of a user", test_faults},
    {NULL, NULL},
};
const struct unit_suite suite_paravirt_user = {"paravirt_user", tests};
