/*
 * soft_stops.c - where engine soft stops for a debugger: engine_ops.set_stops and step, under strategies
 * hardware and trap. That stops change nothing else is tested in soft_state.c.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"
#include "tests/unit/soft_copy.h"
#include "tests/unit/soft_machine.h"
#include "tests/unit/suites.h"

#define TURNS 20u
#define NEVER (UINT64_C(1) << 40)

static struct soft_machine m;
static const char *const strategies[] = {"hardware", "trap"};

static uint64_t
icount(void)
{
    return m.vm.engine_ops->icount(&m.vm.vcpu[0]);
}

/* Handles exits until a stop of the debugger's: true, it is in vcpu->exit. False: the guest ended. */
static bool
go(bool step)
{
    struct run_limits limits = {.step = step};
    struct vcpu *vcpu = &m.vm.vcpu[0];
    struct run_result result = {0};

    while (vm_run_to_exit(&m.vm, vcpu, &limits, &result))
        if (!vm_handle_exit(&m.vm, vcpu, &result))
            return false;
    return result.end == RUN_DEBUG;
}

static int
set(const struct stop_point *points, unsigned count)
{
    struct error err;

    return m.vm.engine_ops->set_stops(&m.vm.vcpu[0], points, count, &err);
}

/* Before the instruction, each time; REP is one, however many iterations it has; a step goes on. */
static void
test_execute(void)
{
    const struct vm_exit *exit = &m.vm.vcpu[0].exit;
    struct stop_point points[] = {
        {soft_machine_address(soft_guest_repeat), 0, STOP_EXECUTE},
        {soft_machine_address(soft_guest_patched), 0, STOP_EXECUTE},
        {SM_PAGE + 0x800, 0, STOP_EXECUTE},
    };

    for (unsigned s = 0; s < ARRAY_SIZE(strategies); s++) {
        unsigned hits[3] = {0};
        soft_machine_open(&m, strategies[s], TURNS, 173);
        CU_ASSERT_EQUAL(set(points, 3), 0);
        while (go(false)) {
            CU_ASSERT_FATAL(exit->debug.at_point && exit->debug.point < 3);
            CU_ASSERT_EQUAL(exit->rip, points[exit->debug.point].address);
            CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, exit->rip);
            hits[exit->debug.point]++;
            uint64_t before = icount();
            CU_ASSERT(go(false)); /* no way on from there but a step */
            CU_ASSERT_EQUAL(icount(), before);
            CU_ASSERT(go(true));
            CU_ASSERT_EQUAL(exit->debug.at_point, false);
            CU_ASSERT(icount() > before);
        }
        CU_ASSERT_EQUAL(hits[1], TURNS);
        CU_ASSERT_EQUAL(hits[2], 2 * TURNS);
        /* Within REP only an interrupt brings it back, and its IRET sets RF. */
        CU_ASSERT_EQUAL(hits[0], TURNS);
        soft_machine_close(&m);
    }
}

/* After the instruction: of REP MOVSB the very iteration; CALL and interrupts write to the stack. */
static void
test_watch(void)
{
    const struct vm_exit *exit = &m.vm.vcpu[0].exit;
    static const struct stop_point points[] = {
        {SM_PAGE + 0x100 + 17, 2, STOP_WRITE}, /* rep movsb's 18th and 19th byte */
        {SM_PAGE + 30, 1, STOP_READ},          /* its 31st */
        {SM_ALIAS + 12, 1, STOP_ACCESS},       /* in the middle of mov %r11, 8(%r14) */
        {SM_STACK - 40, 40, STOP_WRITE},       /* an interrupt's frame, a CALL's, PUSH's */
    };

    for (unsigned s = 0; s < ARRAY_SIZE(strategies); s++) {
        unsigned hits[4] = {0};
        soft_machine_open(&m, strategies[s], TURNS, NEVER);
        CU_ASSERT_EQUAL(set(points, 4), 0);
        while (go(false)) {
            CU_ASSERT_FATAL(exit->debug.at_point && exit->debug.point < 4);
            const struct stop_point *p = &points[exit->debug.point];
            CU_ASSERT(exit->debug.address >= p->address &&
                      exit->debug.address - p->address < p->size);
            struct x86_regs regs = soft_machine_regs(&m);
            if (exit->debug.point == 0) {
                CU_ASSERT_EQUAL(regs.rip, soft_machine_address(soft_guest_repeat));
                CU_ASSERT_EQUAL(regs.gpr[X86_RDI], exit->debug.address + 1);
            } else if (exit->debug.point == 1) {
                CU_ASSERT_EQUAL(regs.gpr[X86_RSI], exit->debug.address + 1);
            }
            hits[exit->debug.point]++;
        }
        CU_ASSERT_EQUAL(hits[0], 2 * TURNS);
        CU_ASSERT_EQUAL(hits[1], TURNS);
        CU_ASSERT_EQUAL(hits[2], TURNS);
        /* Two calls, pushf, push; trap has a page fault for each use of the stale entry besides. */
        CU_ASSERT(s ? hits[3] >= 4 * TURNS : hits[3] == 4 * TURNS);
        soft_machine_close(&m);
    }
}

/* The frame of an interrupt that the engine, or the VMM in its place, delivers. */
static void
test_watch_interrupt(void)
{
    static const struct stop_point point = {SM_STACK - 40, 1, STOP_WRITE};

    for (unsigned s = 0; s < ARRAY_SIZE(strategies); s++) {
        unsigned hits = 0;
        soft_machine_open(&m, strategies[s], TURNS, 211);
        CU_ASSERT_EQUAL(set(&point, 1), 0);
        while (go(false))
            hits += soft_machine_regs(&m).rip == soft_machine_address(soft_guest_tick);
        struct x86_regs regs = soft_machine_regs(&m);
        CU_ASSERT(regs.gpr[X86_R12] > 3);
        CU_ASSERT_EQUAL(hits, regs.gpr[X86_R12]);
        soft_machine_close(&m);
    }
}

/* Another program in the kernel's place. */
static void
load(const uint8_t *code, size_t size)
{
    CU_ASSERT_EQUAL(ram_write(&m.vm.ram, soft_machine_address(soft_guest_start), code, size), 0);
}

/* An exception goes to handler, by a copy of #PF's gate. */
static void
send(unsigned vector, uint64_t handler)
{
    uint64_t gate;

    CU_ASSERT_EQUAL(ram_read(&m.vm.ram, SM_IDT + 16 * VEC_PF, &gate, sizeof(gate)), 0);
    gate = (gate & ~UINT64_C(0xffff00000000ffff)) | (handler & 0xffff) | (handler >> 16) << 48;
    CU_ASSERT_EQUAL(ram_write(&m.vm.ram, SM_IDT + 16 * vector, &gate, sizeof(gate)), 0);
}

/* LGDT reads its operand, and then faults, as the base is not canonical: nothing was read. It does so
 * in the processor, and under trap in the VMM. */
static void
test_watch_fault(void)
{
    static const uint8_t lgdt[] = {0x41, 0x0f, 0x01, 0x55, 0x00}; /* LGDT (%r13) */
    static const uint64_t operand[] = {UINT64_C(0xffff), UINT64_C(0x8000)};
    static const struct stop_point point = {SM_PAGE, 10, STOP_READ};
    const uint64_t halt = soft_machine_address(soft_guest_called) - 2; /* CLI; HLT */

    for (unsigned s = 0; s < ARRAY_SIZE(strategies); s++) {
        soft_machine_open(&m, strategies[s], TURNS, NEVER);
        load(lgdt, sizeof(lgdt));
        send(VEC_GP, halt);
        CU_ASSERT_EQUAL(ram_write(&m.vm.ram, SM_PAGE, operand, sizeof(operand)), 0);
        CU_ASSERT_EQUAL(set(&point, 1), 0);
        CU_ASSERT(!go(false));
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, halt + 2);
        soft_machine_close(&m);
    }
}

/* A store and INSB have written when the single step's #DB comes; INSB is carried out by the VMM. */
static void
test_watch_single_step(void)
{
    static const uint8_t code[] = {
        0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d, /* TF */
        0x49, 0x8d, 0x7d, 0x40,                               /* LEA 0x40(%r13), %rdi */
        0x41, 0x89, 0x7d, 0x48,                               /* MOV %edi, 0x48(%r13) */
        0x6c, 0x0f, 0x0b,                                     /* INSB; UD2 */
    };
    const struct stop_point points[] = {{SM_PAGE + 0x40, 1, STOP_WRITE},
                                        {SM_PAGE + 0x48, 4, STOP_WRITE}};

    for (unsigned s = 0; s < ARRAY_SIZE(strategies); s++) {
        soft_machine_open(&m, strategies[s], TURNS, NEVER);
        load(code, sizeof(code));
        send(VEC_DB, soft_machine_address(soft_guest_tick));
        send(VEC_UD, soft_machine_address(soft_guest_called) - 2); /* CLI; HLT */
        CU_ASSERT_EQUAL(set(points, 2), 0);
        for (unsigned hit = 2; hit--;) {
            CU_ASSERT(go(false));
            CU_ASSERT_EQUAL(m.vm.vcpu[0].exit.debug.address, points[hit].address);
        }
        CU_ASSERT(!go(false));
        CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_R12], 3); /* LEA, MOV, INSB */
        soft_machine_close(&m);
    }
}

/* The instruction that the snapshot stands before was patched again since: the old one runs. */
static void
test_decoded_again(void)
{
    struct stop_point point = {soft_machine_address(soft_guest_patched), 0, STOP_EXECUTE};
    struct machine_copy s;

    soft_machine_open(&m, "hardware", TURNS, NEVER);
    CU_ASSERT_EQUAL(set(&point, 1), 0);
    CU_ASSERT_FATAL(go(false)); /* the first turn: 1 */
    CU_ASSERT_EQUAL(set(NULL, 0), 0);
    copy_take(&s, &m.vm);
    CU_ASSERT(go(true));
    CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RBX], 1);
    CU_ASSERT(!go(false)); /* to the end */
    CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RBX], TURNS);
    copy_restore(&s, &m.vm);
    CU_ASSERT(go(true));
    CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RBX], 1);
    copy_free(&s);
    soft_machine_close(&m);
}

/* The TLB that comes back knew nothing of a point that was set since: it strikes all the same. */
static void
test_set_since(void)
{
    struct stop_point point = {soft_machine_address(soft_guest_patched), 0, STOP_EXECUTE};
    const struct stop_point watch = {SM_PAGE + 30, 1, STOP_READ};
    struct machine_copy s;
    unsigned hits = 0;

    soft_machine_open(&m, "hardware", TURNS, NEVER);
    CU_ASSERT_EQUAL(set(&point, 1), 0);
    CU_ASSERT_FATAL(go(false)); /* the first turn, which has read there */
    CU_ASSERT_EQUAL(set(NULL, 0), 0);
    copy_take(&s, &m.vm);
    CU_ASSERT_EQUAL(set(&watch, 1), 0);
    copy_restore(&s, &m.vm);
    while (go(false))
        hits++;
    CU_ASSERT_EQUAL(hits, TURNS - 1);
    copy_free(&s);
    soft_machine_close(&m);
}

/* Registers of the guest, not of the processor that runs it: read anywhere, and set. */
static void
test_registers(void)
{
    struct stop_point point = {soft_machine_address(soft_guest_patched), 0, STOP_EXECUTE};
    struct error err;

    for (unsigned s = 0; s < ARRAY_SIZE(strategies); s++) {
        soft_machine_open(&m, strategies[s], TURNS, NEVER);
        struct vcpu *vcpu = &m.vm.vcpu[0];
        CU_ASSERT_EQUAL(set(&point, 1), 0);
        CU_ASSERT_FATAL(go(false));
        struct x86_regs regs = soft_machine_regs(&m);
        CU_ASSERT_EQUAL(x86_cpl(&regs), 0);
        CU_ASSERT_EQUAL(regs.rflags & FLAG_IF, FLAG_IF);
        CU_ASSERT_EQUAL(regs.gpr[X86_R11], TURNS);
        regs.gpr[X86_R11] = 1; /* the last turn */
        int rc = (m.vm.strategy->set_regs ? m.vm.strategy->set_regs
                                          : m.vm.engine_ops->set_regs)(vcpu, &regs, &err);
        CU_ASSERT_EQUAL(rc, 0);
        regs.efer &= ~(uint64_t)EFER_LMA;
        rc = (m.vm.strategy->set_regs ? m.vm.strategy->set_regs
                                      : m.vm.engine_ops->set_regs)(vcpu, &regs, &err);
        CU_ASSERT_EQUAL(rc, -EINVAL);
        CU_ASSERT(go(true));
        CU_ASSERT(!go(false));
        CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_R11], 0);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RBX], 1);
        soft_machine_close(&m);
    }
}

/* What cannot be is refused, and nothing changes. */
static void
test_refused(void)
{
    static struct stop_point many[X86_WATCH_MAX + 1];
    const struct stop_point good = {soft_machine_address(soft_guest_patched), 0, STOP_EXECUTE};
    const struct stop_point bad[] = {{SM_PAGE, 0, STOP_WRITE}, {UINT64_MAX - 3, 5, STOP_READ}};

    for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (struct stop_point){SM_PAGE + i, 1, STOP_ACCESS};
    soft_machine_open(&m, "hardware", TURNS, NEVER);
    CU_ASSERT_EQUAL(set(&good, 1), 0);
    CU_ASSERT_EQUAL(set(&bad[0], 1), -EINVAL);
    CU_ASSERT_EQUAL(set(&bad[1], 1), -EINVAL);
    CU_ASSERT_EQUAL(set(many, ARRAY_SIZE(many)), -ENOSPC);
    CU_ASSERT(go(false));
    CU_ASSERT_EQUAL(m.vm.vcpu[0].exit.rip, good.address);
    soft_machine_close(&m);
}

static const struct unit_test tests[] = {
    {"before an instruction", test_execute},
    {"after an access", test_watch},
    {"the frame of an interrupt", test_watch_interrupt},
    {"an access of what faults", test_watch_fault},
    {"an access under single step", test_watch_single_step},
    {"taken back, code is decoded again", test_decoded_again},
    {"taken back, a point that was set since strikes", test_set_since},
    {"registers", test_registers},
    {"what is refused", test_refused},
    {NULL, NULL},
};
const struct unit_suite suite_soft_stops = {"soft_stops", tests};
