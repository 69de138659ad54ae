/*
 * debugger_live.c - tests of going on from a stop point: over the instruction, and no further, whatever
 * it takes and whether the engine counts instructions or not.
 *
 * Engine kvm counts none. Here its place is taken by engine soft that does not tell how many.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "debugger/machine.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "tests/unit/soft_machine.h"
#include "tests/unit/suites.h"

#define TURNS 20u
#define NEVER (UINT64_C(1) << 40)

static struct soft_machine m;
static struct machine machine;
static struct engine_ops uncounted;
static struct error err;
static bool calling; /* the guest makes a hypercall each turn */

static uint64_t
count_nothing(struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

static void
begin(const char *strategy, bool counted, uint64_t period)
{
    static const uint8_t call[] = {0x0f, 0x01, 0xc1, 0x90}; /* VMCALL; NOP */

    soft_machine_open(&m, strategy, TURNS, period);
    uncounted = *m.vm.engine_ops;
    uncounted.caps &= ~CAP_ICOUNT;
    uncounted.icount = count_nothing;
    if (!counted)
        m.vm.engine_ops = &uncounted;
    if (calling)
        CU_ASSERT_EQUAL(
            ram_write(&m.vm.ram, soft_machine_address(soft_guest_sum), call, sizeof(call)), 0);
    CU_ASSERT_EQUAL_FATAL(machine_open_live(&machine, &m.vm, NULL, &err), 0);
}

static void
end(void)
{
    machine_close(&machine);
    soft_machine_close(&m);
}

static enum stop_why
go(const struct machine_goal *goal, unsigned *point)
{
    struct stop stop;

    CU_ASSERT_EQUAL_FATAL(machine.ops->forward(&machine, goal, &stop, &err), 0);
    *point = stop.point;
    return stop.why;
}

static bool
never(void *context, struct machine *stopped, const struct stop *stop)
{
    (void)stopped;
    ((unsigned *)context)[stop->point]++;
    return false;
}

/* Both instructions of a pair have a point: the second stops as the first one did, once each turn; for
 * who stops there as for who is only asked. */
static void
check_pair(const char *strategy, bool counted, uint64_t first, uint64_t second)
{
    const struct stop_point points[] = {{first, 0, STOP_EXECUTE}, {second, 0, STOP_EXECUTE}};
    unsigned hits[2] = {0}, point, wrong = 0;

    begin(strategy, counted, NEVER);
    CU_ASSERT_EQUAL(machine.ops->set_points(&machine, points, 2, &err), 0);
    for (unsigned i = 0; i < 2 * TURNS; i++) {
        CU_ASSERT_EQUAL_FATAL(go(&(struct machine_goal){.points = true}, &point), STOP_POINT);
        wrong += point != i % 2 || soft_machine_regs(&m).rip != points[point].address;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &point), STOP_END);
    end();

    begin(strategy, counted, NEVER);
    CU_ASSERT_EQUAL(machine.ops->set_points(&machine, points, 2, &err), 0);
    CU_ASSERT_EQUAL(
        go(&(struct machine_goal){.points = true, .wanted = never, .context = hits}, &point),
        STOP_END);
    CU_ASSERT_EQUAL(hits[0], TURNS);
    CU_ASSERT_EQUAL(hits[1], TURNS);
    end();
}

static void
check_pairs(uint64_t first, uint64_t second)
{
    for (unsigned counted = 0; counted < 2; counted++) {
        check_pair("hardware", counted, first, second);
        check_pair("trap", counted, first, second);
    }
}

static void
test_plain(void)
{
    uint64_t at = soft_machine_address(soft_guest_patched);

    check_pairs(at, at + 5); /* mov $0, %ebx; add %rbx, %r8 */
}

/* The instruction is an exit of its own: a device is written to, and under trap CLI is carried out by
 * the VMM, so that nothing is left of it for the step. */
static void
test_exit(void)
{
    check_pairs(soft_machine_address(soft_guest_out), soft_machine_address(soft_guest_out) + 2);
    check_pairs(soft_machine_address(soft_guest_start) + 1,
                soft_machine_address(soft_guest_start) + 2);
}

/* Of a hypercall the engine does the end, RAX and RIP, when it is entered again: that is all that is
 * left of the instruction, and what a step may do. */
static void
test_hypercall(void)
{
    uint64_t at = soft_machine_address(soft_guest_sum);

    calling = true;
    check_pair("hardware", true, at, at + 3);
    check_pair("hardware", false, at, at + 3);
    for (unsigned counted = 0; counted < 2; counted++) {
        unsigned n;
        begin("hardware", counted, NEVER);
        CU_ASSERT_EQUAL_FATAL(go(&(struct machine_goal){.edges = EDGE_OUT}, &n), STOP_EDGE);
        CU_ASSERT_EQUAL(machine.exit.kind, TRACE_HYPERCALL);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, at);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.instructions = 1}, &n), STOP_DONE);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, at + 3);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RAX], (uint64_t)-ENOSYS);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.instructions = 1}, &n), STOP_DONE);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, at + 4);
        end();
    }
    calling = false;
}

/* At the edge out of an exit whose instruction is over, the next instruction has not been come to yet:
 * its point stops, and then is gone over as any other. */
static void
test_behind_exit(void)
{
    uint64_t at = soft_machine_address(soft_guest_out);
    const struct stop_point point = {at + 2, 0, STOP_EXECUTE};
    unsigned n;

    for (unsigned counted = 0; counted < 2; counted++) {
        begin("hardware", counted, NEVER);
        do {
            CU_ASSERT_EQUAL_FATAL(go(&(struct machine_goal){.edges = EDGE_OUT}, &n), STOP_EDGE);
        } while (machine.exit.rip != at);
        const uint64_t exits = machine.now.exits;
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, point.address);
        CU_ASSERT_EQUAL(machine.ops->set_points(&machine, &point, 1, &err), 0);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_POINT);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, point.address);
        CU_ASSERT_EQUAL(machine.now.exits, exits);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_POINT);
        CU_ASSERT(machine.now.exits > exits);
        end();
    }
}

/* It begins with exits that let it be tried again: trap's page faults for a shadow that is not there. */
static void
test_tried_again(void)
{
    uint64_t at = soft_machine_address(soft_guest_store);

    check_pairs(at, at + 3); /* mov %r11, (%r14), behind INVLPG */
}

/* It faults: then the guest's handler is next, and its first instruction has a point, too. The other
 * is not stopped at again: the handler returns to it with RF set (SDM vol. 3, 17.3.1.1). */
static void
test_fault(void)
{
    const struct stop_point points[] = {
        {soft_machine_address(soft_guest_store), 0, STOP_EXECUTE}, /* r14: not mapped yet */
        {soft_machine_address(soft_guest_fault), 0, STOP_EXECUTE},
    };
    const struct machine_goal goal = {.points = true};
    unsigned n;

    for (unsigned counted = 0; counted < 2; counted++) {
        begin("hardware", counted, NEVER);
        struct x86_regs regs = soft_machine_regs(&m);
        regs.rip = points[0].address;
        CU_ASSERT_EQUAL_FATAL(machine.ops->set_regs(&machine, &regs, &err), 0);
        CU_ASSERT_EQUAL(machine.ops->set_points(&machine, points, 2, &err), 0);
        CU_ASSERT_EQUAL(go(&goal, &n), STOP_POINT);
        CU_ASSERT_EQUAL(n, 1);
        CU_ASSERT_EQUAL(go(&goal, &n), STOP_POINT);
        CU_ASSERT_EQUAL(n, 0);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_R11], TURNS - 1);
        end();
    }
}

/* One step from a point is one, not the next instruction's as well. */
static void
test_step(void)
{
    uint64_t at = soft_machine_address(soft_guest_patched);
    const struct stop_point point = {at, 0, STOP_EXECUTE};
    unsigned n;

    for (unsigned counted = 0; counted < 2; counted++) {
        begin("hardware", counted, NEVER);
        CU_ASSERT_EQUAL(machine.ops->set_points(&machine, &point, 1, &err), 0);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_POINT);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true, .instructions = 1}, &n),
                        STOP_DONE);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, at + 5);
        end();
    }
    begin("hardware", true, NEVER); /* and three are three */
    CU_ASSERT_EQUAL(machine.ops->set_points(&machine, &point, 1, &err), 0);
    CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_POINT);
    CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true, .instructions = 3}, &n), STOP_DONE);
    CU_ASSERT_EQUAL(soft_machine_regs(&m).rip, at + 9); /* mov; add; pushf */
    end();
}

/* An instruction that jumps to itself is a new one each time. */
static void
test_itself(void)
{
    static const uint8_t code[] = {0xb9, 5, 0, 0, 0, 0xe2, 0xfe, 0xf4}; /* mov $5,%ecx; loop; hlt */
    const struct stop_point point = {SM_PAGE + 0xc05, 0, STOP_EXECUTE};
    unsigned n;

    for (unsigned counted = 0; counted < 2; counted++) {
        begin("hardware", counted, NEVER);
        CU_ASSERT_EQUAL(
            machine.ops->write(&machine, SPACE_PHYSICAL, SM_PAGE + 0xc00, code, 8, &err), 0);
        struct x86_regs regs = soft_machine_regs(&m);
        regs.rip = SM_PAGE + 0xc00;
        CU_ASSERT_EQUAL_FATAL(machine.ops->set_regs(&machine, &regs, &err), 0);
        CU_ASSERT_EQUAL(machine.ops->set_points(&machine, &point, 1, &err), 0);
        for (unsigned i = 5; i > 0; i--) {
            CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_POINT);
            CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RCX], i);
        }
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_END);
        end();
    }
}

/* Points are linear addresses: in real mode, 16 times CS and IP. */
static void
test_segment(void)
{
    static const uint8_t code[] = {0x40, 0x90, 0xeb, 0xfc}; /* 1: inc ax; nop; jmp 1b */
    const struct stop_point point = {0x20001, 0, STOP_EXECUTE};
    struct x86_regs regs;
    unsigned n;

    begin("hardware", true, NEVER);
    CU_ASSERT_EQUAL(machine.ops->write(&machine, SPACE_PHYSICAL, 0x20000, code, 4, &err), 0);
    x86_regs_reset(&regs);
    regs.seg[X86_CS].selector = 0x2000;
    regs.seg[X86_CS].base = 0x20000;
    regs.rip = 0;
    CU_ASSERT_EQUAL_FATAL(machine.ops->set_regs(&machine, &regs, &err), 0);
    CU_ASSERT_EQUAL(machine.ops->set_points(&machine, &point, 1, &err), 0);
    for (unsigned i = 1; i <= 3; i++) {
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.points = true}, &n), STOP_POINT);
        CU_ASSERT_EQUAL(soft_machine_regs(&m).gpr[X86_RAX] & 0xffff, i);
    }
    end();
}

static const struct unit_test tests[] = {
    {"over an instruction", test_plain},
    {"over one that is an exit", test_exit},
    {"over a hypercall", test_hypercall},
    {"behind an exit", test_behind_exit},
    {"over one that is tried again", test_tried_again},
    {"over one that faults", test_fault},
    {"over one that jumps to itself", test_itself},
    {"a step from there", test_step},
    {"with a segment's base", test_segment},
    {NULL, NULL},
};

const struct unit_suite suite_debugger_live = {"debugger_live", tests};
