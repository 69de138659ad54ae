/*
 * kernel_text.h - is a guest's kernel in memory what its file says? Used by kernel_text.c's suite and
 * by fuzz/apps.c.
 */
#ifndef TESTS_UNIT_KERNEL_TEXT_H
#define TESTS_UNIT_KERNEL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/launch.h"

/* Checksums (FNV-1a) of all segments of an ELF64 guest that are not writable: as the file has them
 * and as guest memory has them now. False: the file is no ELF64, or has no such segment. */
struct text_sums {
    uint64_t file, memory;
    uint64_t bytes;
};
bool kernel_text_sums(const struct launch *launch, struct text_sums *sums);

/* FNV-1a, 64 bits (Fowler, Noll, Vo), over 8 bytes at a time; start with 0. */
uint64_t checksum(uint64_t sum, const void *data, uint64_t size);

#endif
