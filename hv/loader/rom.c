/*
 * rom.c - a firmware image, mapped where a PC's flash chip is; the processor starts in it.
 *
 * A PC's chip set shows the flash chip twice (Intel ICH data sheets, "Firmware Hub ranges"): whole,
 * ending at 4 GiB, where the first fetch after RESET goes (SDM vol. 3, 9.1.4), and its last
 * 128 KiB again below 1 MiB, where real-mode code reaches it.
 *
 *   e0000                100000                4 GiB - size             4 GiB
 *   | last 128 KiB again |                     | the whole image        |
 *                                                                       ^ 16 bytes below: start
 */
#include <errno.h>
#include <string.h>

#include "loader/formats.h"

#define ROM_MAX  (UINT64_C(16) << 20) /* the chip set decodes ff000000-ffffffff */
#define ROM_LOW  (UINT64_C(128) << 10)
#define FOUR_GIB (UINT64_C(1) << 32)

static bool
rom_probe(const struct guest_image *image)
{
    return image->firmware;
}

static int
rom_load(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
         struct error *err)
{
    uint64_t size = image->size, low = size < ROM_LOW ? size : ROM_LOW;

    (void)regs; /* the state after RESET is what firmware expects */
    *bios = false;
    if (!size || size > ROM_MAX || size % PAGE_SIZE)
        return error_set(
            err, EINVAL,
            "%s is no firmware image: it has %zu bytes; a ROM has a multiple of 4 KiB, "
            "at most 16 MiB",
            image->path, image->size);
    int rc = ram_add_rom(ram, FOUR_GIB - size, image->data, size, err);
    if (rc)
        return rc;
    return ram_add_rom(ram, MEMORY_HIGH - low, image->data + (size - low), low, err);
}

const struct loader_ops loader_rom = {
    .name = "rom",
    .summary = "firmware (--bios): ends at 4 GiB and at 1 MiB, starts at the reset vector",
    .probe = rom_probe,
    .load = rom_load,
};
