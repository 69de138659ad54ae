/* loader_util.h - what the loaders' tests share: a small machine, images in memory, mutations. */
#ifndef TESTS_UNIT_LOADER_UTIL_H
#define TESTS_UNIT_LOADER_UTIL_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/boot.h"
#include "loader/formats.h"
#include "tests/unit/unit.h"

/* What one load left behind. */
struct loaded {
    struct ram ram;
    struct x86_regs regs;
    bool bios;
    int rc;
    struct error err;
};

/* Loads image into a fresh machine. The file's bytes are copied to the end of a page behind which
 * nothing can be read: a loader that looks for a byte behind the file faults. Every refusal must have a sentence, every success a
 * state that a processor can be in. */
static inline void
load_image(struct loaded *l, const struct loader_ops *ops, const struct guest_image *given,
           uint64_t mem_size)
{
    struct guest_image image = *given;
    size_t pages = (given->size / PAGE_SIZE + 2) * PAGE_SIZE;
    uint8_t *block = mmap(NULL, pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CU_ASSERT_PTR_NOT_EQUAL_FATAL(block, MAP_FAILED);
    uint8_t *copy = block + pages - PAGE_SIZE - given->size;
    if (given->size)
        memcpy(copy, given->data, given->size);
    CU_ASSERT_FATAL(mprotect(block, pages, PROT_READ) == 0 &&
                    mprotect(block + pages - PAGE_SIZE, PAGE_SIZE, PROT_NONE) == 0);
    image.data = copy;
    image.path = "test.img";
    if (!image.command_line)
        image.command_line = "";
    memset(l, 0, sizeof(*l));
    CU_ASSERT_FATAL(ram_create(&l->ram, mem_size, &l->err) == 0);
    x86_regs_reset(&l->regs);
    l->rc = ops->load(&image, &l->ram, &l->regs, &l->bios, &l->err);
    if (l->rc) {
        CU_ASSERT(l->rc < 0 && strlen(l->err.message) > 20);
    } else {
        CU_ASSERT_PTR_NULL(x86_regs_invalid(&l->regs));
    }
    munmap(block, pages);
}

static inline void
loaded_free(struct loaded *l)
{
    ram_destroy(&l->ram);
}

/* Loads, expects `rc` and, in the sentence, `words`. */
static inline void
expect_refusal(const struct loader_ops *ops, const struct guest_image *image, uint64_t mem_size,
               int rc, const char *words)
{
    struct loaded l;
    load_image(&l, ops, image, mem_size);
    CU_ASSERT_EQUAL(l.rc, rc);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.err.message, words));
    loaded_free(&l);
}

/* The file cut off at every length, and every aligned 1, 2, 4 or 8 byte field in its first
 * `header` bytes set to extreme values: none may crash, hang or go unexplained. The number of
 * variants that were still accepted is returned. */
static inline unsigned
mutate(const struct loader_ops *ops, const struct guest_image *given, size_t header,
       uint64_t mem_size)
{
    const uint64_t values[] = {0,
                               1,
                               0x7f,
                               0x80,
                               UINT64_MAX,
                               0x7fffffff,
                               0x80000000,
                               0xffffffff,
                               0xfffff000,
                               INT64_MAX,
                               given->size,
                               given->size - 1,
                               given->size + 1,
                               mem_size - 1,
                               0x100};
    uint8_t *bytes = malloc(given->size);
    struct guest_image image = *given;
    struct loaded l;
    unsigned accepted = 0;

    image.data = bytes;
    memcpy(bytes, given->data, given->size);
    for (image.size = 0; image.size < given->size; image.size++) {
        load_image(&l, ops, &image, mem_size);
        accepted += !l.rc;
        loaded_free(&l);
    }
    for (size_t at = 0; at < header; at++)
        for (unsigned width = 1; width <= 8; width *= 2)
            for (unsigned v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
                if (at % width || at + width > given->size)
                    continue;
                memcpy(bytes + at, &values[v], width);
                load_image(&l, ops, &image, mem_size);
                accepted += !l.rc;
                loaded_free(&l);
                memcpy(bytes + at, given->data + at, width);
            }
    free(bytes);
    return accepted;
}

static inline uint64_t
peek(const struct loaded *l, uint64_t gpa, unsigned size)
{
    uint64_t value = 0;
    CU_ASSERT_EQUAL(ram_read(&l->ram, gpa, &value, size), 0);
    return value;
}

#endif
