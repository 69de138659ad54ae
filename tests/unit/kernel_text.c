/*
 * kernel_text.c - the kernel that runs under strategy trap is, byte for byte, the one that runs on
 * hardware: trap changes nothing in it, neither before nor while it runs. (A paravirtual kernel is
 * another file; it is not changed either.) And that the test would see a change.
 */
#include "tests/unit/kernel_text.h"
#include "tests/unit/suites.h"

#define INSTRUCTIONS 20000000u

static struct launch launch;

/* Runs a kernel with a program that faults, forks and ends; the sums afterwards. */
static void
run(const char *kernel, const char *strategy, struct text_sums *sums)
{
    static const struct args args;
    struct launch_options options = {
        .guest = kernel,
        .engine = "soft",
        .strategy = strategy,
        .mem = 8u << 20,
        .append = "quiet init=forkwait 3",
        .console = "null",
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
        .limits = {.instructions = INSTRUCTIONS},
    };
    struct run_result result;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(launch_open(&launch, &options, &args, &err), 0);
    vm_run(&launch.vm, &options.limits, &result);
    CU_ASSERT_EQUAL(result.end, RUN_POWER_OFF);
    CU_ASSERT_TRUE_FATAL(kernel_text_sums(&launch, sums));
    CU_ASSERT_TRUE(sums->bytes > 10000);
    CU_ASSERT_EQUAL(sums->memory, sums->file);
}

static void
test_same_bytes(void)
{
    struct text_sums hardware, trap, paravirt;

    run("minios", "hardware", &hardware);
    launch_close(&launch, NULL);
    run("minios", "trap", &trap);
    launch_close(&launch, NULL);
    CU_ASSERT_EQUAL(trap.memory, hardware.memory);
    CU_ASSERT_EQUAL(trap.bytes, hardware.bytes);
    run("minios-pv", "paravirt", &paravirt);
    launch_close(&launch, NULL);
    CU_ASSERT_NOT_EQUAL(paravirt.memory, hardware.memory);
}

/* One bit of one byte, as a binary translator would at least change it. */
static void
test_changed_byte(void)
{
    struct text_sums before, after;
    uint8_t *byte;

    run("minios", "trap", &before);
    byte = ram_at(&launch.vm.ram, launch.regs.rip, 1); /* the kernel's first instruction */
    CU_ASSERT_PTR_NOT_NULL_FATAL(byte);
    *byte ^= 1;
    CU_ASSERT_TRUE(kernel_text_sums(&launch, &after));
    CU_ASSERT_EQUAL(after.file, before.file);
    CU_ASSERT_NOT_EQUAL(after.memory, before.memory);
    launch_close(&launch, NULL);
}

static const struct unit_test tests[] = {
    {"under trap and hardware the same bytes", test_same_bytes},
    {"a changed byte is seen", test_changed_byte},
    {NULL, NULL},
};
const struct unit_suite suite_kernel_text = {"kernel_text", tests};
