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
#include "tests/fuzz/kernels.h"

#define GUEST_SIZE   4096u
#define INSTRUCTIONS 20000u
#define SECONDS      60u /* for one guest; it needs a few milliseconds */

/* Seeds take turns. */
enum shape { SHAPE_RAW, SHAPE_BOOT_SECTOR, SHAPE_ELF32, SHAPE_ELF64, SHAPE_KERNEL, SHAPES };

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016). */
static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* Every other guest is rich in what matters to a VMM: prefixes, two-byte opcodes, ports, INT,
 * flags, segment loads, far transfers, HLT. Equally likely bytes mostly are arithmetic. */
static void
fill(uint8_t *data, uint64_t seed)
{
    static const uint8_t rich[] = {
        0x0f, 0x0f, 0x0f, 0x01, 0x20, 0x22, 0x30, 0x32, 0xa2, 0x00, 0x66, 0x67, 0xf0, 0xf3,
        0x2e, 0x64, 0x8e, 0x8c, 0xcd, 0xcc, 0xcf, 0xce, 0xcb, 0xca, 0xea, 0x9a, 0xff, 0xe4,
        0xe6, 0xec, 0xee, 0x6c, 0x6e, 0xf4, 0xfa, 0xfb, 0x9c, 0x9d, 0x07, 0x17, 0xa4, 0xa5,
        0xab, 0xc4, 0xc5, 0x62, 0x63, 0xc8, 0xc9, 0x05, 0x07, 0x34, 0x35, 0xc7, 0x48, 0x4c,
    };
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < GUEST_SIZE; i++) {
        uint64_t r = random_next(&state) >> 16;
        data[i] = seed / SHAPES % 2 && r & 0x300 ? rich[r % ARRAY_SIZE(rich)] : (uint8_t)(r >> 20);
    }
}

static void
put(uint8_t *at, uint64_t value, unsigned size)
{
    memcpy(at, &value, size);
}

/* An ELF header and one program header that loads the whole file at 1 MiB and starts at
 * `entry`, or behind them; the rest stays as it is. (System V ABI, "Object Files"; fields as in <elf.h>) */
static void
make_elf(uint8_t *data, uint64_t size, bool is64, uint64_t entry)
{
    unsigned word = is64 ? 8 : 4, header = is64 ? 64 : 52, program = is64 ? 56 : 32;
    uint64_t base = 0x100000;
    uint8_t *p = data + header;

    memset(data, 0, header + program);
    memcpy(data, "\177ELF", 4);
    data[4] = is64 ? 2 : 1;
    data[5] = data[6] = 1;
    put(data + 16, 2, 2);             /* ET_EXEC */
    put(data + 18, is64 ? 62 : 3, 2); /* EM_X86_64, EM_386 */
    put(data + 20, 1, 4);
    put(data + 24, entry ? entry : base + header + program, word);
    put(data + 24 + word, header, word); /* e_phoff */
    put(data + header - 12, header, 2);
    put(data + header - 10, program, 2);
    put(data + header - 8, 1, 2);
    put(p, 1, 4); /* PT_LOAD; offset 0 */
    put(p + (is64 ? 4 : 24), 7, 4);
    put(p + 8 + (is64 ? 8 : 0), base, word);
    put(p + (is64 ? 24 : 12), base, word);
    put(p + (is64 ? 32 : 16), size, word);
    put(p + (is64 ? 40 : 20), size + GUEST_SIZE, word);
}

/* The guest of this seed; its size. */
static uint64_t
make_guest(uint8_t data[KERNEL_SIZE], uint64_t seed, const char *strategy)
{
    bool only64 = strcmp(strategy, "hardware") != 0;
    enum shape shape = seed % SHAPES;

    if (only64)
        shape = seed % 4 ? SHAPE_KERNEL : SHAPE_ELF64;
    if (shape == SHAPE_KERNEL) {
        memset(data, 0, KERNEL_SIZE);
        kernel_make(data, seed, !strcmp(strategy, "paravirt"));
        make_elf(data, KERNEL_SIZE, true, KERNEL_ENTRY);
        return KERNEL_SIZE;
    }
    fill(data, seed);
    switch (shape) {
    case SHAPE_BOOT_SECTOR: data[510] = 0x55, data[511] = 0xaa; break;
    case SHAPE_ELF32: make_elf(data, GUEST_SIZE, false, 0); break;
    case SHAPE_ELF64: make_elf(data, GUEST_SIZE, true, 0); break;
    default: break;
    }
    return GUEST_SIZE;
}

static uint64_t seed_now; /* for the alarm */

static void
on_alarm(int number)
{
    char text[96];

    (void)number;
    int n = snprintf(text, sizeof(text), "\nFAILED: seed %llu does not end\n",
                     (unsigned long long)seed_now);
    if (write(STDOUT_FILENO, text, (size_t)n) != n)
        _exit(3);
    _exit(2);
}

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

    for (uint64_t at = 0; at < ram->size; at += 8)
        put(ram->host + at, random_next(&state), 8);
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
    signal(SIGALRM, on_alarm);
    for (uint64_t seed = first; seed < first + count; seed++) {
        uint64_t size = make_guest(data, seed, strategy);
        if (ftruncate(fd, (off_t)size) || pwrite(fd, data, size, 0) != (ssize_t)size)
            return 2;
        seed_now = seed;
        alarm(SECONDS);
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
