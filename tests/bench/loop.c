/*
 * loop.c - how fast does the soft engine run a guest, next to Bochs and QEMU's TCG?
 *
 * All three boot the same floppy image (guest.S) as processes of their own. What counts is the CPU
 * time that a process used, user and system, less that of a run with no rounds of the loop: so
 * neither a start nor a busy machine counts. The three take turns; the median of each is compared.
 * Called by `make bench`. Next: emulator.c, which starts them.
 *
 * Usage: bench-loop HV BOOTSECTOR FOLDER [ROUNDS]. Status 1: soft is below its target, 2: an
 * emulator is not there or did not do what it should.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/bench/bench.h"
#include "tests/bench/emulator.h"

#define LOOP_INSTRUCTIONS 7u
#define TARGET            2.0 /* soft is at least that many times as fast as Bochs */

/* Rounds of the guest's loop: about a second for each emulator. */
static const struct {
    enum emulator which;
    const char *name;
    unsigned loops;
} contestants[] = {
    {EMULATOR_SOFT, "hv, engine soft", 20000000},
    {EMULATOR_BOCHS, "Bochs", 10000000},
    {EMULATOR_QEMU, "QEMU, TCG", 100000000},
};
#define CONTESTANTS (sizeof(contestants) / sizeof(contestants[0]))
enum { SOFT, BOCHS, QEMU }; /* rows of the table */

/* Nanoseconds an instruction. */
static double
measure(const struct emulator_files *files, unsigned n)
{
    unsigned loops = contestants[n].loops;
    double empty = emulator_run(files, contestants[n].which, 0);
    double full = emulator_run(files, contestants[n].which, loops);

    return (full - empty) * 1e9 / loops / LOOP_INSTRUCTIONS;
}

int
main(int argc, char **argv)
{
    struct samples ns[CONTESTANTS] = {0}, ratio = {.count = 0};
    unsigned rounds = argc > 4 ? bench_rounds(argv[4]) : 5;

    if (argc < 4) {
        fprintf(stderr, "usage: bench-loop HV BOOTSECTOR FOLDER [ROUNDS]\n");
        return 2;
    }
    struct emulator_files files = {.hv = argv[1], .boot_sector = argv[2], .folder = argv[3]};
    mkdir(files.folder, 0777);
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned n = 0; n < CONTESTANTS; n++)
            samples_add(&ns[n], measure(&files, n));
        samples_add(&ratio, ns[BOCHS].value[i] / ns[SOFT].value[i]);
    }

    printf("The same guest loop (load, add, store, call, ret, dec, jnz), CPU time, the median of "
           "%u rounds:\n",
           rounds);
    double soft = samples_median(&ns[SOFT]);
    for (unsigned n = 0; n < CONTESTANTS; n++) {
        double median = samples_median(&ns[n]);
        printf("  %-18s %7.2f ns an instruction   %6.2f to %.2f   %6.0f million a second   "
               "%5.2f x soft\n",
               contestants[n].name, median, samples_min(&ns[n]), samples_max(&ns[n]), 1e3 / median,
               soft / median);
    }
    double times = samples_median(&ratio);
    printf("  soft is %.1fx Bochs (round by round %.1f to %.1f)   target: at least %.1f   %s\n",
           times, samples_min(&ratio), samples_max(&ratio), TARGET,
           times >= TARGET ? "met" : "MISSED");
    return times < TARGET;
}
