/*
 * count.c - computes, prints a line, lets others run; N times. `count N`
 *
 * The number it prints comes out right only if its registers survive every interruption.
 */
#include "lib.h"

#define ROUNDS 500000

/* Knuth's MMIX generator: each value follows from the one before. */
static uint64_t
compute(uint64_t x)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
    return x;
}

int
main(int argc, char **argv, char **envp)
{
    int64_t lines = argc > 1 ? number(argv[1]) : 1;
    uint64_t x = 1;
    (void)envp;
    for (int64_t i = 1; i <= lines; i++) {
        x = compute(x);
        say("%s: line %d of %d, computed %x\n", argv[0], i, lines, x);
        sys_call(SYS_SCHED_YIELD, 0, 0, 0);
    }
    return 0;
}
