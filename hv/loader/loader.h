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
    const char *path;        /* for messages */
    const uint8_t *data;
    size_t size;
    const uint8_t *initrd;   /* NULL: none */
    size_t initrd_size;
    const char *command_line; /* never NULL */
    bool firmware;           /* --bios: a ROM, whatever its bytes look like */
    bool entry_given;        /* --entry: a flat image's start address, and where it goes */
    uint64_t load_at;
};

struct loader_ops {
    const char *name;    /* "elf", "multiboot", "linux", "bootsector", "flat", "rom" */
    const char *summary; /* one line for `hv list` */
    /* Is this file of my format? Looks at the bytes only. */
    bool (*probe)(const struct guest_image *image);
    /* Fills ram, and regs (already in the state after RESET). `bios` is set if the guest expects
     * BIOS services. 0 or -errno with a sentence. */
    int (*load)(const struct guest_image *image, struct ram *ram, struct x86_regs *regs,
                bool *bios, struct error *err);
};

/* All loaders, the most particular first; ends with NULL (table.c). */
extern const struct loader_ops *const loader_table[];
/* The first whose probe says yes, or the one named `name` if it is not NULL. */
const struct loader_ops *loader_find(const struct guest_image *image, const char *name,
                                     struct error *err);

#endif
