/*
 * flat.c - bytes without any format: copied to an address and started there in real mode.
 *
 * The fallback. With interrupts off, unlike a boot sector: a few bytes that end with HLT then end
 * the run. BIOS services answer all the same, unless the image lies where the BIOS keeps its data.
 */
#include <errno.h>
#include <inttypes.h>

#include "loader/boot.h"
#include "loader/formats.h"

#define START    0x7c00
#define BIOS_END 0x500 /* interrupt vectors and BIOS data area end here */

static bool
flat_probe(const struct guest_image *image)
{
    (void)image;
    return true;
}

static int
flat_load(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
          struct error *err)
{
    uint64_t at = image->entry_given ? image->load_at : START;

    if (at >= MEMORY_HIGH)
        return error_set(err, EINVAL,
                         "%s cannot start at %#" PRIx64 ": a flat image starts in real mode, "
                         "which reaches addresses below 0x100000 only",
                         image->path, at);
    /* Not boot_place(): a flat image may lie anywhere, there is nothing of ours to be hit. */
    if (ram_write(ram, at, image->data, image->size))
        return error_set(err, EFBIG,
                         "%s has %zu bytes, too many from %#" PRIx64 " on: the guest's memory ends "
                         "at %#" PRIx64 "; give it more with --mem",
                         image->path, image->size, at, ram->size);
    /* CS = 0 as far as 16 bits of IP reach, which is what 0000:7c00 guests expect. */
    if (at <= 0xffff)
        boot_state_real(regs, 0, at);
    else
        boot_state_real(regs, at >> 4, at & 0xf);
    *bios = at >= BIOS_END && image->size <= MEMORY_LOW_END && at + image->size <= MEMORY_LOW_END;
    return 0;
}

const struct loader_ops loader_flat = {
    .name = "flat",
    .summary = "any other file: real mode at 0000:7c00 or --load-at ADDRESS, interrupts off",
    .probe = flat_probe,
    .load = flat_load,
};
