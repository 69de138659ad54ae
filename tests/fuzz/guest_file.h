/* guest_file.h - guests of random code, as files that hv can load. */
#ifndef TESTS_FUZZ_GUEST_FILE_H
#define TESTS_FUZZ_GUEST_FILE_H

#include "tests/fuzz/kernels.h"

/* The guest of this seed, for that strategy: one that deprivileges the kernel gets 64-bit ones, three
 * kernels for one of plain bytes. Returns its size. */
uint64_t guest_file_make(uint8_t data[KERNEL_SIZE], uint64_t seed, const char *strategy);

#endif
