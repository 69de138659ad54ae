/*
 * apps.c - random programs as applications of minios: whatever they do at CPL 3, minios goes on to the
 * next one, and hv ends as it should.
 *
 *   fuzz_apps [FIRST [COUNT [STRATEGY]]]: seeds FIRST to FIRST + COUNT - 1 (default 0, 10000)
 *
 * A program is BATCH_SIZE bytes that depend on its seed alone: half of them pieces of code that mean
 * harm (code.h), half plain random bytes. BATCH_PROGRAMS of them go into one boot, in the data of
 * init.c, which runs each in a process of its own and says how it ended. For each boot:
 * - minios ends by itself, within a budget of instructions, with a line for every program and all of
 *   its pages back (else it panics), and no page of its image can be read by a program;
 * - what is not writable of the kernel is in memory as in its file: the checksum;
 * - another machine in this process, which takes turns with this one, has the same memory,
 *   registers and output as one that ran alone.
 * Called by `make fuzz`, with fewer seeds by `make check`. Guard pages: tests/unit/core_ram.c.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/guestdir.h"
#include "cli/launch.h"
#include "engine/engine.h"
#include "loader/symbols.h"
#include "strategy/strategy.h"
#include "tests/fuzz/batch.h"
#include "tests/fuzz/code.h"
#include "tests/fuzz/watchdog.h"
#include "tests/unit/kernel_text.h"

#define MEMORY      (UINT64_C(8) << 20)
#define BOOT        10000000u /* instructions of minios for itself, at most */
#define FOR_PROGRAM 4000000u  /* and for one program: ticks that it has, forks, its end */
#define TURN        50000u    /* instructions before the neighbour runs ... */
#define TURN_OTHER  3000u     /* ... for so many */
#define OTHER       600000u   /* the neighbour's in all: it boots, and forks */
#define SECONDS     300u      /* for one boot; it needs a few */
#define END_SIGNAL  128       /* a program's status, as init.c has it: ended by that signal */
#define STATUS_MAX  256

struct fuzz {
    const char *kernel, *strategy;
    int initrd;    /* a file that exists in memory only */
    uint8_t *file; /* init.c, as it will be in there */
    size_t size;
    struct batch *batch; /* in file */
    uint64_t arena;
    uint64_t alone; /* checksum of the neighbour that ran alone */
    uint64_t ends[STATUS_MAX];
    uint64_t exits, instructions;
};

/* --- the initrd ----------------------------------------------------------------------------------- */

/* init.c's file; its segments get all rights, so that programs can change all of it. */
static int
read_init(struct fuzz *f, struct error *err)
{
    char path[PATH_MAX];
    struct symbols *symbols;
    int rc;

    if (!guestdir_find(path, sizeof(path) - 32))
        return error_set(err, ENOENT, "there are no guests: make guests");
    strcat(path, "/.obj/fuzz-init");
    if ((rc = read_file(path, RAM_MAX, &f->file, &f->size, err)) ||
        (rc = symbols_open(path, &symbols, err)))
        return rc;
    bool found = symbols_address(symbols, "arena", &f->arena);
    symbols_close(symbols);
    f->batch = memmem(f->file, f->size, BATCH_MARKER, sizeof(BATCH_MARKER));
    if (!found || !f->batch)
        return error_set(err, ENOENT, "%s has no batch: make guests", path);
    Elf64_Phdr *p = (Elf64_Phdr *)(f->file + ((Elf64_Ehdr *)f->file)->e_phoff);
    for (unsigned i = 0; i < ((Elf64_Ehdr *)f->file)->e_phnum; i++)
        p[i].p_flags = PF_R | PF_W | PF_X;
    return 0;
}

static void
make_program(const struct fuzz *f, uint64_t seed, uint8_t program[BATCH_SIZE])
{
    struct code code;

    code_begin(&code, seed, program, BATCH_SIZE, f->arena + BATCH_START);
    if (seed % 8)
        code_fill(&code, code_program, NULL);
    else
        for (unsigned i = 0; i < BATCH_SIZE; i++)
            code_put(&code, code_random(&code) >> 24, 1);
}

static bool
write_initrd(struct fuzz *f, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        make_program(f, first + i, f->batch->program[i]);
    memcpy(&f->batch->count, &count, sizeof(count));
    return pwrite(f->initrd, f->file, f->size, 0) == (ssize_t)f->size;
}

/* --- machines --------------------------------------------------------------------------------------- */

static int
open_machine(const struct fuzz *f, struct launch *launch, const char *initrd, const char *append,
             struct error *err)
{
    static const struct args args;
    struct launch_options options = {
        .guest = f->kernel,
        .engine = "soft",
        .strategy = f->strategy,
        .mem = MEMORY,
        .initrd = initrd,
        .append = append,
        .console = "null",
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
        .limits = {.instructions = BOOT},
    };
    int rc = launch_open(launch, &options, &args, err);

    launch->console.keep = true;
    return rc;
}

static int
open_neighbour(const struct fuzz *f, struct launch *launch, struct error *err)
{
    return open_machine(f, launch, NULL, "noecho hz=1000 init=forkwait 1000", err);
}

static uint64_t
instructions(struct launch *launch)
{
    return launch->vm.engine_ops->icount(&launch->vm.vcpu[0]);
}

/* Everything that a machine has: memory, the VMM's own for it, registers, output. */
static uint64_t
machine_sum(struct launch *launch)
{
    struct vm *vm = &launch->vm;
    struct x86_regs regs;
    char text[1024] = "";
    struct error err;

    memset(&regs, 0, sizeof(regs));
    if (vm->engine_ops->get_regs(&vm->vcpu[0], &regs, &err))
        return 0;
    if (vm->strategy->describe)
        vm->strategy->describe(&vm->vcpu[0], text, sizeof(text));
    uint64_t sum = checksum(instructions(launch), vm->ram.host, vm->ram.size);
    sum = checksum(sum, vm->ram.private_host, vm->ram.private_size);
    sum = checksum(sum, &regs, sizeof(regs));
    sum = checksum(sum, text, sizeof(text));
    return checksum(sum, launch->console.kept, launch->console.kept_size);
}

static bool
run_neighbour_alone(struct fuzz *f, struct error *err)
{
    static struct launch launch;
    struct run_limits limits = {.instructions = OTHER};
    struct run_result result;

    if (open_neighbour(f, &launch, err))
        return false;
    vm_run(&launch.vm, &limits, &result);
    f->alone = machine_sum(&launch);
    bool useful = result.end == RUN_LIMIT && launch.vm.exits > 10;
    launch_close(&launch, NULL);
    if (!useful)
        error_set(err, EINVAL, "the neighbour does not run: %s", run_end_text(result.end));
    return useful;
}

/* --- a boot ------------------------------------------------------------------------------------------ */

/* The two machines take turns. */
static void
run_both(struct fuzz *f, struct launch *launch, struct launch *other, uint64_t programs,
         struct run_result *result)
{
    uint64_t budget = BOOT + programs * FOR_PROGRAM;
    struct run_limits limits = {0}, others = {0};
    struct run_result ignored;

    do {
        limits.instructions += TURN;
        vm_run(&launch->vm, &limits, result);
        if (others.instructions < OTHER) {
            others.instructions += TURN_OTHER;
            vm_run(&other->vm, &others, &ignored);
        }
    } while (result->end == RUN_LIMIT && limits.instructions < budget);
    others.instructions = OTHER;
    vm_run(&other->vm, &others, &ignored);
    f->exits += launch->vm.exits;
    f->instructions += instructions(launch);
}

/* "number status" for each program, in order. Counts the ends; which program has none? */
static uint64_t
read_ends(struct fuzz *f, const struct launch *launch, uint64_t count)
{
    const struct console *con = &launch->console;
    char line[64];
    size_t at = 0;

    for (uint64_t i = 0; i < count; i++) {
        unsigned number, status;
        size_t n = 0;
        while (at < con->kept_size && con->kept[at] != '\n' && n < sizeof(line) - 1)
            line[n++] = (char)con->kept[at++];
        line[n] = 0;
        at++;
        if (sscanf(line, "%u %u", &number, &status) != 2 || number != i || status >= STATUS_MAX)
            return i;
        f->ends[status]++;
    }
    return at == con->kept_size ? count : 0;
}

static bool
check_boot(struct fuzz *f, struct launch *launch, struct launch *other, uint64_t first,
           uint64_t count, const struct run_result *result)
{
    struct text_sums sums;
    uint64_t ended = read_ends(f, launch, count);
    bool good = true;

    if (result->end == RUN_POWER_OFF && result->status == (BATCH_OPEN << 1 | 1)) {
        printf("FAILED: seeds from %" PRIu64 ": a program can read the kernel\n", first);
        good = false;
    } else if (result->end != RUN_POWER_OFF || result->status != 1 || ended != count) {
        printf("FAILED: seed %" PRIu64 ": %s, status %d, %s\n%.*s\n", first + ended,
               run_end_text(result->end), result->status, result->message.message,
               (int)launch->console.kept_size, (const char *)launch->console.kept);
        good = false;
    }
    if (!kernel_text_sums(launch, &sums) || sums.file != sums.memory) {
        printf("FAILED: seeds from %" PRIu64 ": the kernel's text has changed\n", first);
        good = false;
    }
    if (machine_sum(other) != f->alone) {
        printf("FAILED: seeds from %" PRIu64 ": the other machine is not as if alone\n", first);
        good = false;
    }
    return good;
}

/* One boot of minios with some programs. False: something is wrong; it was said. */
static bool
run_boot(struct fuzz *f, uint64_t first, uint64_t count)
{
    static struct launch launch, other;
    struct run_result result;
    struct error err;
    char path[32];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->initrd);
    if (!write_initrd(f, first, count) ||
        open_machine(f, &launch, path, "quiet noecho hz=10000 ticks=1 init=initrd", &err)) {
        printf("FAILED: cannot be launched: %s\n", err.message);
        return false;
    }
    if (open_neighbour(f, &other, &err)) {
        launch_close(&launch, NULL);
        return false;
    }
    run_both(f, &launch, &other, count, &result);
    bool good = check_boot(f, &launch, &other, first, count, &result);
    launch_close(&launch, NULL);
    launch_close(&other, NULL);
    return good;
}

static void
say_ends(const struct fuzz *f)
{
    for (unsigned i = 0, exited = 0; i < STATUS_MAX; i++) {
        if (i <= END_SIGNAL)
            exited += (unsigned)f->ends[i];
        if (i == END_SIGNAL && exited)
            printf("%8u exited\n", exited);
        if (i > END_SIGNAL && f->ends[i])
            printf("%8" PRIu64 " ended by signal %u (%s)\n", f->ends[i], i - END_SIGNAL,
                   i - END_SIGNAL == SIGKILL ? "it did not end by itself"
                                             : strsignal((int)(i - END_SIGNAL)));
    }
    printf("%8" PRIu64 " exits, %" PRIu64 " million instructions\n", f->exits,
           f->instructions / 1000000);
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000;
    struct fuzz f = {.strategy = argc > 3 ? argv[3] : "hardware", .initrd = memfd_create("i", 0)};
    uint64_t passed = 0, failed = 0, n;
    struct error err = {""};

    f.kernel = strcmp(f.strategy, "paravirt") ? "minios" : "minios-pv";
    if (f.initrd < 0 || read_init(&f, &err) || !run_neighbour_alone(&f, &err)) {
        printf("fuzz_apps: %s\n", err.message);
        return 2;
    }
    for (uint64_t done = 0; done < count; done += n) {
        n = count - done < BATCH_PROGRAMS ? count - done : BATCH_PROGRAMS;
        watchdog_start(first + done, SECONDS);
        if (run_boot(&f, first + done, n))
            passed += n;
        else
            failed += n;
    }
    free(f.file);
    say_ends(&f);
    printf("apps, %s: %" PRIu64 " passed, %" PRIu64 " failed\n", f.strategy, passed, failed);
    return failed || !passed;
}
