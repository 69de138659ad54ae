/*
 * loader.h - puts a guest into memory and sets the registers that it starts with.
 *
 * Every loader recognises its own format by its bytes, never by the file's name. Files are
 * untrusted: each length and offset is checked against the file before it is used.
 */
#ifndef HV_LOADER_LOADER_H
#define HV_LOADER_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/ram.h"
#include "isa/x86/regs.h"

/* What the user gave. */
struct guest_image {
    const char *path; /* for messages */
    const uint8_t *data;
    size_t size;
    const uint8_t *initrd; /* NULL: none */
    size_t initrd_size;
    const char *command_line; /* never NULL */
    bool firmware;            /* --bios: a ROM, whatever its bytes look like */
    bool entry_given;         /* --load-at: where a flat image goes and starts */
    uint64_t load_at;
};

/*
 * What lies where in guest-physical memory, as a PC's firmware tells it (int 15h, AX=E820; ACPI
 * 6.4, 15.1). The loaders and the BIOS device all give the guest this one map:
 *
 *   0        9fc00     a0000        f0000     100000             ram->size
 *   | usable | EBDA    | (not told) | BIOS    | usable           |
 */
#define MEMORY_AREAS    4
#define MEMORY_USABLE   1
#define MEMORY_RESERVED 2
#define MEMORY_LOW_END  UINT64_C(0x9fc00) /* conventional memory ends, the EBDA begins */
#define MEMORY_HIGH     UINT64_C(0x100000)
struct memory_area {
    uint64_t base, size;
    uint32_t type; /* MEMORY_USABLE, MEMORY_RESERVED */
};
/* Fills map for ram_size bytes of RAM, sorted by base; returns how many entries it has. */
unsigned memory_map(uint64_t ram_size, struct memory_area map[MEMORY_AREAS]);

struct loader_ops {
    const char *name;    /* "elf", "multiboot", "linux", "bootsector", "flat", "rom" */
    const char *summary; /* one line for `hv list` */
    /* Is this file of my format? Looks at the bytes only. */
    bool (*probe)(const struct guest_image *image);
    /* Fills ram, which is all zeroes, and regs, which are in the state after RESET. `bios` is set
     * if the guest expects BIOS services: the caller then adds device/bios.h's device. 0 or -errno
     * with a sentence; then ram and regs are not usable. */
    int (*load)(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
                struct error *err);
};

/* All loaders, the most particular first; ends with NULL (table.c). */
extern const struct loader_ops *const loader_table[];
/* The first whose probe says yes, or the one named `name` if it is not NULL. NULL with a sentence
 * if there is none of that name or the file is empty. */
const struct loader_ops *loader_find(const struct guest_image *image, const char *name,
                                     struct error *err);

#endif
