/*
 * host_stops.c - tests of points to stop at under engine host: host_guest.S, written over the first
 * instructions of a process, runs into them.
 *
 * A virtual machine's hypervisor may not deliver debug traps to it: then nothing is tested, and
 * this is said.
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#undef PAGE_SIZE /* the C library has it there; ours is in core/ram.h */

#include "base/util.h"
#include "engine/engine.h"
#include "isa/x86/regs.h"
#include "tests/unit/host_run.h"
#include "unit.h"

extern const char host_guest_image[], host_guest_written[], host_guest_read[], host_guest_point[],
    host_guest_trap[], host_guest_threads[], host_guest_first[], host_guest_second[],
    host_guest_end[];

/* --- does this machine have them? -------------------------------------------------------------------- */

/* Without the engine: does a child that writes to `target` stop there? */
static bool
machine_traps(void)
{
    static volatile int target;
    const size_t dr = offsetof(struct user, u_debugreg);
    const unsigned long dr7 = 0xd0301; /* L0, LE, GE; writes of 4 bytes */
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        target = 1;
        _exit(0);
    }
    waitpid(pid, &status, 0);
    ptrace(PTRACE_POKEUSER, pid, dr, &target);
    ptrace(PTRACE_POKEUSER, pid, dr + 7 * 8, dr7);
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    bool traps = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
    if (WIFSTOPPED(status)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    if (!traps)
        printf("\nno debug traps on this machine: points of engine host were NOT TESTED\n");
    return traps;
}

/* --- a process that runs host_guest.S ---------------------------------------------------------------- */

static struct host_run run;
static struct vcpu *vcpu;
static uint64_t base; /* where host_guest_image lies in the process */

static uint64_t
address(const char *label)
{
    return base + (uint64_t)(label - host_guest_image);
}

static struct x86_regs
get_regs(void)
{
    struct x86_regs regs;

    memset(&regs, 0, sizeof(regs));
    CU_ASSERT_EQUAL(run.vm.engine_ops->get_regs(vcpu, &regs, &run.err), 0);
    return regs;
}

/* At the first exec, handled, with RIP at `start`. */
static void
open_guest(const char *start)
{
    char *const argv[] = {"true", NULL};
    struct run_limits limits = {0};
    size_t size = (size_t)(host_guest_end - host_guest_image);

    CU_ASSERT_EQUAL_FATAL(host_run_begin(&run, "/bin/busybox", argv, PROCESS_TRACE_DENIED), 0);
    vcpu = &run.vm.vcpu[0];
    CU_ASSERT_TRUE_FATAL(vm_run_to_exit(&run.vm, vcpu, &limits, &run.result));
    CU_ASSERT_TRUE_FATAL(vm_handle_exit(&run.vm, vcpu, &run.result));
    struct x86_regs regs = get_regs();
    base = regs.rip;
    regs.rip = address(start);
    CU_ASSERT_EQUAL_FATAL(run.vm.engine_ops->write(vcpu, base, host_guest_image, size, &run.err),
                          0);
    CU_ASSERT_EQUAL_FATAL(run.vm.engine_ops->set_regs(vcpu, &regs, &run.err), 0);
}

static int
set_stops(const struct stop_point *points, unsigned count)
{
    return run.vm.engine_ops->set_stops(vcpu, points, count, &run.err);
}

/* Goes on to a stop, or to the end. */
static enum run_end
go_on(bool step)
{
    struct run_limits limits = {.step = step};

    while (vm_run_to_exit(&run.vm, vcpu, &limits, &run.result) &&
           vm_handle_exit(&run.vm, vcpu, &run.result))
        ;
    return run.result.end;
}

static void
expect_point(unsigned id, uint64_t accessed, const char *rip)
{
    CU_ASSERT_EQUAL_FATAL(run.result.end, RUN_DEBUG);
    CU_ASSERT_TRUE(vcpu->exit.debug.at_point);
    CU_ASSERT_EQUAL(vcpu->exit.debug.point, id);
    CU_ASSERT_EQUAL(vcpu->exit.debug.address, accessed);
    CU_ASSERT_EQUAL(vcpu->exit.rip, address(rip));
    CU_ASSERT_EQUAL(get_regs().rip, address(rip));
}

static void
expect_end(int status)
{
    CU_ASSERT_EQUAL(go_on(false), RUN_POWER_OFF);
    CU_ASSERT_EQUAL(run.result.status, status);
    host_run_end(&run);
}

/* --- the tests ----------------------------------------------------------------------------------------- */

/* Behind the instruction that writes; that reads; before the one at the point (SDM vol. 3, 17.3.1). */
static void
test_points(void)
{
    if (!machine_traps())
        return;
    open_guest(host_guest_image);
    uint64_t cell = (get_regs().gpr[X86_RSP] & ~UINT64_C(15)) - 128, value = 0;
    const struct stop_point points[] = {{address(host_guest_point), 0, STOP_EXECUTE},
                                        {cell + 4, 2, STOP_WRITE},
                                        {cell, 1, STOP_ACCESS},
                                        {cell - 8, 8, STOP_ACCESS}};

    CU_ASSERT_EQUAL(set_stops(points, 4), 0);
    go_on(false);
    expect_point(1, cell + 4, host_guest_written);
    CU_ASSERT_EQUAL(run.vm.engine_ops->read(vcpu, cell, &value, 8, &run.err), 0);
    CU_ASSERT_EQUAL(value, 7);
    go_on(false);
    expect_point(2, cell, host_guest_read);
    go_on(false);
    expect_point(0, 0, host_guest_point);
    CU_ASSERT_EQUAL(go_on(true), RUN_DEBUG); /* the point does not hold who steps from it */
    CU_ASSERT_FALSE(vcpu->exit.debug.at_point);
    CU_ASSERT_EQUAL(get_regs().rip, address(host_guest_point) + 1);
    expect_end(0);
}

/* A step stops where an access does, and says so; not before an instruction with a point. */
static void
test_steps(void)
{
    if (!machine_traps())
        return;
    open_guest(host_guest_image);
    uint64_t cell = (get_regs().gpr[X86_RSP] & ~UINT64_C(15)) - 128;
    const struct stop_point points[] = {{address(host_guest_image), 0, STOP_EXECUTE},
                                        {cell, 8, STOP_WRITE},
                                        {address(host_guest_point), 0, STOP_EXECUTE}};

    CU_ASSERT_EQUAL(set_stops(points, 3), 0);
    CU_ASSERT_EQUAL(go_on(true), RUN_DEBUG);
    CU_ASSERT_FALSE(vcpu->exit.debug.at_point);
    go_on(true);
    expect_point(1, cell, host_guest_written);
    go_on(true);
    CU_ASSERT_FALSE(vcpu->exit.debug.at_point);
    CU_ASSERT_EQUAL(get_regs().rip, address(host_guest_read));
    go_on(false);
    expect_point(2, 0, host_guest_point);
    expect_end(0);
}

/* Who is interrupted before a step, as it begins, or in between, makes no step more and none longer. */
static void
test_kicked_steps(void)
{
    static const char *const places[] = {host_guest_written, host_guest_read, host_guest_point};

    if (!machine_traps())
        return;
    open_guest(host_guest_image);
    CU_ASSERT_EQUAL(go_on(true), RUN_DEBUG);
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        run.vm.engine_ops->kick(vcpu);
        if (i == 1) { /* by the user, who is told so, and steps again */
            run.vm.stop = 1;
            CU_ASSERT_EQUAL(go_on(true), RUN_STOPPED);
            run.vm.stop = 0;
        }
        CU_ASSERT_EQUAL_FATAL(go_on(true), RUN_DEBUG);
        CU_ASSERT_FALSE(vcpu->exit.debug.at_point);
        CU_ASSERT_EQUAL(get_regs().rip, address(places[i]));
    }
    expect_end(0);
}

/* Points that were changed while another thread ran with the former ones: of those it says nothing,
 * and those that remain have the numbers of today. */
static void
test_changed(void)
{
    if (!machine_traps())
        return;
    for (unsigned kept = 0; kept < 2; kept++) {
        open_guest(host_guest_threads);
        const struct stop_point points[] = {{address(host_guest_end), 0, STOP_EXECUTE},
                                            {address(host_guest_first), 0, STOP_EXECUTE},
                                            {address(host_guest_second), 0, STOP_EXECUTE}};

        CU_ASSERT_EQUAL(set_stops(points + 1, 2), 0);
        go_on(false);
        unsigned id = vcpu->exit.debug.point;
        expect_point(id, 0, id == 0 ? host_guest_first : host_guest_second);
        CU_ASSERT_EQUAL(set_stops(points, kept ? 3 : 0), 0);
        CU_ASSERT_EQUAL(go_on(true), RUN_DEBUG);
        if (kept) {
            go_on(false);
            expect_point(id == 0 ? 2 : 1, 0, id == 0 ? host_guest_second : host_guest_first);
        }
        expect_end(0);
    }
}

/* A program that traces itself gets its own SIGTRAP, points or not. */
static void
test_own_trap(void)
{
    open_guest(host_guest_trap);
    expect_end(128 + SIGTRAP);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_HOST_FAULT], 1);
}

static const struct unit_test tests[] = {
    {"execute, write, access", test_points},
    {"steps, and points on the way", test_steps},
    {"steps, and who is kicked", test_kicked_steps},
    {"points that change while a thread runs", test_changed},
    {"a program that sets TF itself", test_own_trap},
    {NULL, NULL},
};

const struct unit_suite suite_host_stops = {"host_stops", tests};
