/*
 * ram.h - guest-physical memory: RAM from address 0, and ROM images mapped over or above it.
 *
 * All host code that touches guest memory goes through ram_at(), ram_read() or ram_write(), which
 * check bounds: a guest cannot name a byte outside its own memory. The mapping lies between two
 * inaccessible guard pages, so that an error of ours faults instead of corrupting.
 */
#ifndef HV_CORE_RAM_H
#define HV_CORE_RAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define PAGE_SIZE   4096u
#define RAM_MIN     (UINT64_C(1) << 20) /* 1 MiB: the real-mode world */
#define RAM_MAX     (UINT64_C(3) << 30) /* above it lie device windows and the ROM */
#define ROM_REGIONS 4

/*
 * Memory of the VMM's own that the processor can reach while a guest runs: shadow page tables,
 * the real descriptor tables of a deprivileged guest. It lies above RAM_MAX, so no address that a
 * guest may use for its own memory names it, and ram_at(), ram_read() and ram_write() refuse it:
 * only a strategy that claimed it maps it, and never for the guest to write.
 */
#define RAM_PRIVATE     UINT64_C(0xd0000000)
#define RAM_PRIVATE_MAX (UINT64_C(256) << 20)

struct rom_region {
    uint64_t gpa, size;
    uint8_t *host; /* page-aligned, owned by struct ram */
};

struct ram {
    uint8_t *host; /* guest-physical address 0 */
    uint64_t size; /* bytes, a multiple of PAGE_SIZE */
    struct rom_region rom[ROM_REGIONS];
    unsigned roms;
    uint8_t *private_host; /* guest-physical address RAM_PRIVATE; NULL: not claimed */
    uint64_t private_size;
    /* Told of every write that the host makes for a guest (loader, devices): an engine that caches
     * decoded code sets it. */
    void (*on_write)(void *ctx, uint64_t gpa, uint64_t len);
    /* Told by ram_clean(): the next write to any page must be marked again. */
    void (*on_clean)(void *ctx);
    void *on_write_ctx;
    /* Which pages were written since ram_clean(), a byte each; NULL: nobody asks. */
    uint8_t *dirty, *private_dirty;
};

/* Allocates size bytes (RAM_MIN to RAM_MAX, rounded up to a page) of zeroes. 0, -EINVAL, -ENOMEM. */
int ram_create(struct ram *ram, uint64_t size, struct error *err);
void ram_destroy(struct ram *ram);

/* Copies an image into a new read-only region at gpa; it hides RAM that is there. The size is
 * rounded up to a page and padded with ff. 0, -EINVAL (not page-aligned, overlap) or -ENOMEM. */
int ram_add_rom(struct ram *ram, uint64_t gpa, const void *image, uint64_t size, struct error *err);

/* Claims size bytes (a multiple of PAGE_SIZE, at most RAM_PRIVATE_MAX) of zeroes at RAM_PRIVATE,
 * once, before the engine opens. 0, -EBUSY, -EINVAL or -ENOMEM. */
int ram_add_private(struct ram *ram, uint64_t size, struct error *err);

/* Host address of [gpa, gpa + len) in RAM; NULL if any byte of it is outside or hidden by a ROM.
 * For reading; who writes through it, or to private_host, must call ram_written() afterwards. */
void *ram_at(const struct ram *ram, uint64_t gpa, uint64_t len);
void ram_written(struct ram *ram, uint64_t gpa, uint64_t len);

/*
 * Marks pages that are written, from now on: `dirty` has a byte for each page of RAM, private_dirty for
 * each of private memory. At first all are marked that may hold something but zeros. 0 or -ENOMEM.
 * Engines with CAP_ICOUNT alone.
 */
int ram_track(struct ram *ram, struct error *err);
/* Takes all marks away. */
void ram_clean(struct ram *ram);
/* The mark of the page that holds gpa; NULL: nobody asks, or it is no memory that can be written. */
uint8_t *ram_mark(const struct ram *ram, uint64_t gpa);

/* Copies out of RAM or ROM / into RAM (a ROM is "outside" then). 0, or -EFAULT if any byte is
 * outside: then nothing moved. */
int ram_read(const struct ram *ram, uint64_t gpa, void *to, uint64_t len);
int ram_write(struct ram *ram, uint64_t gpa, const void *from, uint64_t len);

/* The page that holds gpa, as the processor sees it: its host address and whether it is writable;
 * NULL: no memory. */
uint8_t *ram_page(const struct ram *ram, uint64_t gpa, bool *writable);

#endif
