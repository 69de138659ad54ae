/*
 * batch.h - random programs in the data of init.c, where apps.c puts them: what the two agree on.
 */
#ifndef TESTS_FUZZ_BATCH_H
#define TESTS_FUZZ_BATCH_H

#include <stdint.h>

#define BATCH_MARKER   "random programs" /* with its final zero 16 bytes: how apps.c finds it */
#define BATCH_PROGRAMS 100
#define BATCH_SIZE     512 /* bytes of a program */

/* A program is copied to this place in `arena`, where it may write and execute, and crosses a page. */
#define BATCH_ARENA 0x4000u
#define BATCH_START (0x1000u - BATCH_SIZE / 2)

/* What process 1 gives to exit() if a program could read the kernel's memory; all is well: 0. */
#define BATCH_OPEN 4

struct batch {
    char marker[16];
    uint64_t count; /* at most BATCH_PROGRAMS */
    uint8_t program[BATCH_PROGRAMS][BATCH_SIZE];
};

#endif
