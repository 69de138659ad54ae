/* kernels.h - kernels of random code that have what a kernel has, so that they live on after a fault. */
#ifndef TESTS_FUZZ_KERNELS_H
#define TESTS_FUZZ_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define KERNEL_BASE  0x100000u /* where its file is loaded, and mapped one to one at the start */
#define KERNEL_SIZE  0x10000u  /* bytes of it; the first page is left for the ELF header */
#define KERNEL_ENTRY (KERNEL_BASE + 0x1000u)

/* Fills a zeroed file: page tables, traps and stacks in working order, code of random pieces.
 * paravirt: for strategy paravirt, else for CPL 0. */
void kernel_make(uint8_t file[KERNEL_SIZE], uint64_t seed, bool paravirt);

#endif
