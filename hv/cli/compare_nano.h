/*
 * compare_nano.h - what compare_nano.c measures and compare_nano_table.c prints.
 */
#ifndef HV_CLI_COMPARE_NANO_H
#define HV_CLI_COMPARE_NANO_H

#include "cli/compare.h"

#define NANO_OPERATIONS 8

struct nano_operation {
    const char *name;
    const char *before, *after; /* minios' command line: before, the count, after */
    unsigned divide;            /* it is so dear that count / divide is enough */
    /* Cycles, or what stands there: native, software VMM (binary translation), hardware VMM of the
     * first generation. */
    const char *paper[3];
    int cheaper; /* of the two VMMs: -1 the software one, 1 the hardware one */
};
extern const struct nano_operation nano_operations[NANO_OPERATIONS];

/* What one operation costs under one strategy. */
struct nano_cost {
    double exits, instructions;
    struct compare_spread ps; /* processor time, in picoseconds: some take less than a ns */
};

struct nano {
    const struct compare_job *job;
    const char *const *strategies;
    unsigned count, rounds;
    uint64_t operations;
    bool times;
    bool counted; /* the engine counts instructions */
    struct nano_cost cost[NANO_OPERATIONS][COMPARE_STRATEGIES];
};

void nano_print(const struct nano *nano);
void nano_print_json(const struct nano *nano);

#endif
