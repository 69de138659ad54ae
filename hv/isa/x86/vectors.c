/*
 * vectors.c - the names of the exceptions, for what people read: tables, the debugger, errors.
 */
#include <stddef.h>

#include "isa/x86/cpu.h"

/* SDM vol. 3, 6.3.1, table 6-1. Vector 9 belonged to the 80387, 15 and the rest are reserved. */
static const char *const names[32] = {
    [0] = "#DE divide error",
    [1] = "#DB debug",
    [2] = "NMI",
    [3] = "#BP breakpoint",
    [4] = "#OF overflow",
    [5] = "#BR bound range",
    [6] = "#UD invalid opcode",
    [7] = "#NM no FPU",
    [8] = "#DF double fault",
    [9] = "FPU segment overrun",
    [10] = "#TS invalid TSS",
    [11] = "#NP segment not present",
    [12] = "#SS stack fault",
    [13] = "#GP general protection",
    [14] = "#PF page fault",
    [16] = "#MF FPU error",
    [17] = "#AC alignment check",
    [18] = "#MC machine check",
    [19] = "#XM SIMD error",
    [20] = "#VE virtualization",
    [21] = "#CP control protection",
};

const char *
x86_vector_name(unsigned vector)
{
    return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : NULL;
}
