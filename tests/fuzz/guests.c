/*
 * guests.c - guests of random code: whatever they do, hv must end them in a way that has a name.
 *
 *   fuzz_guests [FIRST [COUNT [STRATEGY]]]: seeds FIRST to FIRST + COUNT - 1 (default 0, 10000)
 *
 * A guest depends on its seed alone: 4 KiB of random bytes, or a kernel of random code that has page
 * tables, traps and a user (kernels.c). It is launched as `hv run` would do it, from a file, and
 * has INSTRUCTIONS instructions. It may power off, reset, halt, triple-fault, use up
 * its budget, or use what the interpreter leaves out and says so. Anything else is a defect of
 * ours: a crash, a sanitizer's report, an end without a sentence, or no end at all (an alarm
 * stops that and names the seed). A strategy that deprivileges the guest's kernel (trap, paravirt)
 * gets 64-bit guests only, three kernels for one of plain bytes. Beside each guest lies the memory of another machine, which must stay
 * as it was. Called by `make fuzz`, with fewer seeds by `make check`.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/launch.h"
#include "engine/engine.h"
#include "tests/fuzz/guest_file.h"
#include "tests/fuzz/watchdog.h"
#include "tests/random.h"

#define INSTRUCTIONS 20000u
#define SECONDS      60u /* for one guest; it needs a few milliseconds */

/* Launches and runs one. False: hv did something that it must never do; it was said. */
static bool
run_guest(int fd, uint64_t seed, const char *strategy, unsigned ends[], struct run_limits *counted)
{
    char path[32];
    static struct launch launch;
    struct args args = {0};
    struct launch_options options = {
        .guest = path,
        .engine = "soft",
        .strategy = strategy,
        .mem = 4u << 20,
        .append = "",
        .console = "null",
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
        .limits = {.instructions = INSTRUCTIONS},
    };
    struct run_result result;
    struct error err = {""};

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (launch_open(&launch, &options, &args, &err)) {
        printf("FAILED: seed %llu cannot be launched: %s\n", (unsigned long long)seed, err.message);
        return false;
    }
    vm_run(&launch.vm, &options.limits, &result);
    bool named = result.end != RUN_STOPPED &&
                 (result.end != RUN_FAILED || strstr(result.message.message, "unimplemented") ||
                  strstr(result.message.message, "has left 64-bit mode"));
    if (!named)
        printf("FAILED: seed %llu: %s: %s\n", (unsigned long long)seed, run_end_text(result.end),
               result.message.message);
    ends[result.end]++;
    counted->exits += launch.vm.exits;
    counted->instructions += launch.vm.engine_ops->icount(&launch.vm.vcpu[0]);
    launch_close(&launch, NULL);
    return named;
}

/* Another machine's memory: filled once, and compared at the end. */
static void
fill_neighbour(struct ram *ram)
{
    uint64_t state = 1;

    for (uint64_t at = 0; at < ram->size; at += 8) {
        uint64_t value = random_next(&state);
        memcpy(ram->host + at, &value, 8);
    }
}

static bool
neighbour_is_whole(const struct ram *ram)
{
    uint64_t state = 1, value;

    for (uint64_t at = 0; at < ram->size; at += 8) {
        memcpy(&value, ram->host + at, 8);
        if (value != random_next(&state))
            return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000;
    const char *strategy = argc > 3 ? argv[3] : "hardware";
    struct ram neighbour;
    struct run_limits counted = {0};
    unsigned ends[RUN_REFUSED + 1] = {0}, passed = 0, failed = 0;
    static uint8_t data[KERNEL_SIZE];
    int fd = memfd_create("guest", 0);

    if (fd < 0 || ram_create(&neighbour, RAM_MIN, NULL)) {
        perror("fuzz_guests");
        return 2;
    }
    fill_neighbour(&neighbour);
    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t size = guest_file_make(data, seed, strategy);
        if (ftruncate(fd, (off_t)size) || pwrite(fd, data, size, 0) != (ssize_t)size)
            return 2;
        watchdog_start(seed, SECONDS);
        if (run_guest(fd, seed, strategy, ends, &counted))
            passed++;
        else
            failed++;
    }
    if (!neighbour_is_whole(&neighbour)) {
        printf("FAILED: a guest has changed another machine's memory\n");
        failed++;
    }
    ram_destroy(&neighbour);
    for (unsigned end = 0; end <= RUN_REFUSED; end++)
        if (ends[end])
            printf("%8u %s\n", ends[end], run_end_text(end));
    printf("%8" PRIu64 " exits, %" PRIu64 " thousand instructions\n", counted.exits,
           counted.instructions / 1000);
    printf("fuzz: %u passed, %u failed\n", passed, failed);
    return failed || !passed;
}
