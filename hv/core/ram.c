/*
 * ram.c - guest-physical memory: one anonymous mapping between two guard pages, and ROM over it.
 *
 * Called by the loaders, the engines and devices with a window of memory. Next: bus.c, the other
 * half of the physical address space.
 *
 *     gpa 0         a0000   c0000      100000                 size            e.g. ffff0000
 *      |  RAM ...    | VGA   |  (ROM)   |  RAM ...              |  no memory     |  ROM  |
 *
 * The VGA window a0000-bffff is ordinary RAM. On a PC the video card answers there and hides the
 * RAM behind; we have no video card, and a guest that writes its text screen at b8000 must read
 * back what it wrote. As RAM it does so without an exit for each cell, and tests, the debugger
 * and a later screen view find the text in place.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/ram.h"

/* Physical addresses have at most 52 bits (SDM vol. 3, 4.1.4). */
#define GPA_LIMIT (UINT64_C(1) << 52)

/* Is [at, at + len) within [0, size)? Free of overflow for every argument. */
static bool
within(uint64_t at, uint64_t len, uint64_t size)
{
    return at <= size && len <= size - at;
}

/* Do [a, a + a_len) and [b, b + b_len) share a byte? No sum is formed, so none overflows. */
static bool
overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    if (!a_len || !b_len)
        return false;
    return a <= b ? b - a < a_len : a - b < b_len;
}

/* size bytes of zeroes (a multiple of PAGE_SIZE) with a PROT_NONE page on either side; or NULL.
 * MAP_NORESERVE: the host gives a page only when the guest first touches it. */
static uint8_t *
guarded_map(uint64_t size)
{
    uint8_t *all = mmap(NULL, size + 2 * PAGE_SIZE, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    if (mprotect(all + PAGE_SIZE, size, PROT_READ | PROT_WRITE)) {
        munmap(all, size + 2 * PAGE_SIZE);
        return NULL;
    }
    return all + PAGE_SIZE;
}

static void
guarded_unmap(uint8_t *host, uint64_t size)
{
    munmap(host - PAGE_SIZE, size + 2 * PAGE_SIZE);
}

int
ram_create(struct ram *ram, uint64_t size, struct error *err)
{
    memset(ram, 0, sizeof(*ram));
    if (size < RAM_MIN || size > RAM_MAX)
        return error_set(err, EINVAL,
                         "a guest cannot have %" PRIu64 " bytes of memory: give it 1M to 3G", size);
    size = (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    ram->host = guarded_map(size);
    if (!ram->host)
        return error_set(err, ENOMEM,
                         "the host has no room for %" PRIu64 " MiB of guest memory: give it less",
                         size >> 20);
    ram->size = size;
    return 0;
}

void
ram_destroy(struct ram *ram)
{
    for (unsigned i = 0; i < ram->roms; i++)
        guarded_unmap(ram->rom[i].host, ram->rom[i].size);
    if (ram->host)
        guarded_unmap(ram->host, ram->size);
    if (ram->private_host)
        guarded_unmap(ram->private_host, ram->private_size);
    free(ram->dirty);
    free(ram->private_dirty);
    memset(ram, 0, sizeof(*ram));
}

/* The ROM that has any byte of [gpa, gpa + len), or NULL. */
static const struct rom_region *
rom_hit(const struct ram *ram, uint64_t gpa, uint64_t len)
{
    for (unsigned i = 0; i < ram->roms; i++)
        if (overlaps(gpa, len, ram->rom[i].gpa, ram->rom[i].size))
            return &ram->rom[i];
    return NULL;
}

int
ram_add_rom(struct ram *ram, uint64_t gpa, const void *image, uint64_t size, struct error *err)
{
    if (gpa % PAGE_SIZE || !size || !within(gpa, size, GPA_LIMIT))
        return error_set(err, EINVAL,
                         "a ROM of %" PRIu64 " bytes cannot lie at %#" PRIx64
                         ": it needs a page-aligned address below 2^52 and at least one byte",
                         size, gpa);
    uint64_t room = (size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    if (rom_hit(ram, gpa, room) || overlaps(gpa, room, RAM_PRIVATE, RAM_PRIVATE_MAX))
        return error_set(err, EINVAL,
                         "a ROM at %#" PRIx64 " would overlap another one, or the VMM's own memory",
                         gpa);
    if (ram->roms == ROM_REGIONS)
        return error_set(err, ENOMEM, "there are already %d ROMs", ROM_REGIONS);

    uint8_t *host = guarded_map(room);
    if (!host)
        return error_set(err, ENOMEM, "the host has no room for a ROM of %" PRIu64 " bytes", size);
    memset(host, 0xff, room); /* what an erased chip reads */
    memcpy(host, image, size);
    mprotect(host, room, PROT_READ); /* an error of ours that writes to ROM faults */
    ram->rom[ram->roms++] = (struct rom_region){.gpa = gpa, .size = room, .host = host};
    return 0;
}

int
ram_add_private(struct ram *ram, uint64_t size, struct error *err)
{
    if (ram->private_host)
        return error_set(err, EBUSY, "the VMM's private memory is claimed already");
    if (!size || size % PAGE_SIZE || size > RAM_PRIVATE_MAX)
        return error_set(err, EINVAL,
                         "%" PRIu64 " bytes of private memory: give whole pages, 256M "
                         "at most",
                         size);
    ram->private_host = guarded_map(size);
    if (!ram->private_host)
        return error_set(err, ENOMEM, "the host has no room for the VMM's private memory");
    ram->private_size = size;
    return 0;
}

void *
ram_at(const struct ram *ram, uint64_t gpa, uint64_t len)
{
    if (!within(gpa, len, ram->size) || rom_hit(ram, gpa, len))
        return NULL;
    return ram->host + gpa;
}

/* --- which pages were written ------------------------------------------------------------------- */

/* One word a page, of which 63 and 62 say that the page is in memory or swapped out (Linux, pagemap).
 * One that is neither was never touched, and there are many: so they need not be looked at. */
#define PAGEMAP       "/proc/self/pagemap"
#define PAGEMAP_THERE (UINT64_C(3) << 62)

/* Of `pages` pages from host on. False: the host does not tell. */
static bool
read_pagemap(int fd, const void *host, uint64_t *word, uint64_t pages)
{
    size_t size = pages * sizeof(*word);

    return pread(fd, word, size, (off_t)((uintptr_t)host / PAGE_SIZE * sizeof(*word))) ==
           (ssize_t)size;
}

static void
mark_touched(uint8_t *marks, const uint8_t *host, uint64_t pages)
{
    uint64_t word[512];
    int fd = sysconf(_SC_PAGESIZE) == PAGE_SIZE ? open(PAGEMAP, O_RDONLY | O_CLOEXEC) : -1;

    memset(marks, 1, pages);
    /* Does it tell the truth? The page that this stands in is there. */
    bool told = fd >= 0 && read_pagemap(fd, word, word, 1) && word[0] & PAGEMAP_THERE;
    for (uint64_t at = 0, n; told && at < pages; at += n) {
        n = pages - at < 512 ? pages - at : 512;
        if (!read_pagemap(fd, host + at * PAGE_SIZE, word, n))
            break;
        for (uint64_t i = 0; i < n; i++)
            marks[at + i] = (word[i] & PAGEMAP_THERE) != 0;
    }
    if (fd >= 0)
        close(fd);
}

int
ram_track(struct ram *ram, struct error *err)
{
    uint64_t pages = ram->size / PAGE_SIZE, private_pages = ram->private_size / PAGE_SIZE;

    if (ram->dirty)
        return 0;
    ram->dirty = malloc(pages);
    ram->private_dirty = private_pages ? malloc(private_pages) : NULL;
    if (!ram->dirty || (private_pages && !ram->private_dirty)) {
        free(ram->dirty);
        ram->dirty = NULL;
        return error_set(err, ENOMEM, "no memory to keep track of %" PRIu64 " pages", pages);
    }
    mark_touched(ram->dirty, ram->host, pages);
    if (private_pages)
        mark_touched(ram->private_dirty, ram->private_host, private_pages);
    return 0;
}

void
ram_clean(struct ram *ram)
{
    if (!ram->dirty)
        return;
    memset(ram->dirty, 0, ram->size / PAGE_SIZE);
    if (ram->private_dirty)
        memset(ram->private_dirty, 0, ram->private_size / PAGE_SIZE);
    if (ram->on_clean)
        ram->on_clean(ram->on_write_ctx);
}

uint8_t *
ram_mark(const struct ram *ram, uint64_t gpa)
{
    if (!ram->dirty)
        return NULL;
    if (gpa < ram->size)
        return &ram->dirty[gpa / PAGE_SIZE];
    if (gpa >= RAM_PRIVATE && gpa - RAM_PRIVATE < ram->private_size)
        return &ram->private_dirty[(gpa - RAM_PRIVATE) / PAGE_SIZE];
    return NULL;
}

void
ram_written(struct ram *ram, uint64_t gpa, uint64_t len)
{
    if (ram->dirty && len)
        for (uint64_t page = gpa / PAGE_SIZE; page <= (gpa + len - 1) / PAGE_SIZE; page++) {
            uint8_t *mark = ram_mark(ram, page * PAGE_SIZE);
            if (mark)
                *mark = 1;
        }
    if (ram->on_write && len)
        ram->on_write(ram->on_write_ctx, gpa, len);
}

uint8_t *
ram_page(const struct ram *ram, uint64_t gpa, bool *writable)
{
    uint64_t page = gpa & ~(uint64_t)(PAGE_SIZE - 1);
    const struct rom_region *rom = rom_hit(ram, page, PAGE_SIZE);

    *writable = false;
    if (rom)
        return rom->host + (page - rom->gpa);
    if (within(page, PAGE_SIZE, ram->size)) {
        *writable = true;
        return ram->host + page;
    }
    if (page >= RAM_PRIVATE && within(page - RAM_PRIVATE, PAGE_SIZE, ram->private_size)) {
        *writable = true;
        return ram->private_host + (page - RAM_PRIVATE);
    }
    return NULL;
}

int
ram_read(const struct ram *ram, uint64_t gpa, void *to, uint64_t len)
{
    bool writable;
    uint8_t *out = to;

    if (!within(gpa, len, GPA_LIMIT))
        return -EFAULT;
    /* First the check of every page, then the copy: half a read must not happen. */
    if (overlaps(gpa, len, RAM_PRIVATE, RAM_PRIVATE_MAX))
        return -EFAULT;
    for (uint64_t page = gpa / PAGE_SIZE; len && page <= (gpa + len - 1) / PAGE_SIZE; page++)
        if (!ram_page(ram, page * PAGE_SIZE, &writable))
            return -EFAULT;
    while (len) {
        uint64_t in_page = gpa % PAGE_SIZE, n = PAGE_SIZE - in_page;
        if (n > len)
            n = len;
        memcpy(out, ram_page(ram, gpa, &writable) + in_page, n);
        out += n, gpa += n, len -= n;
    }
    return 0;
}

int
ram_write(struct ram *ram, uint64_t gpa, const void *from, uint64_t len)
{
    void *host = ram_at(ram, gpa, len);

    if (!host)
        return -EFAULT;
    if (len)
        memcpy(host, from, len);
    ram_written(ram, gpa, len);
    return 0;
}
