/*
 * bootsector.c - a boot sector, alone or at the start of a disk image, as a PC's BIOS starts it.
 *
 * The BIOS reads the first 512 bytes of the disk to 0000:7c00 and jumps there if they end with
 * 55 aa (BIOS Boot Specification 1.01, 6.5.1); DL holds the number of the drive. Services of the
 * BIOS are device/bios.c's.
 */
#include <errno.h>

#include "loader/boot.h"
#include "loader/formats.h"

#define SECTOR    512
#define SIGNATURE 510 /* 55 aa */
#define START     0x7c00
#define HARD_DISK 0x80 /* DL: the first hard disk */

static bool
bootsector_probe(const struct guest_image *image)
{
    return image->size >= SECTOR && image->data[SIGNATURE] == 0x55 &&
           image->data[SIGNATURE + 1] == 0xaa;
}

static int
bootsector_load(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
                struct error *err)
{
    uint64_t len = image->size < SECTOR ? image->size : SECTOR;

    /* Not boot_place(): nothing else of ours is in memory. 7dff is RAM in every machine. */
    if (ram_write(ram, START, image->data, len))
        return error_set(err, EFAULT, "%s: there is no RAM at 0000:7c00", image->path);
    boot_state_real(regs, 0, START);
    regs->gpr[X86_RDX] = HARD_DISK;
    regs->rflags |= FLAG_IF; /* the timer and the keyboard already work */
    *bios = true;
    return 0;
}

const struct loader_ops loader_bootsector = {
    .name = "bootsector",
    .summary = "a boot sector or disk image (55 aa at 510): real mode at 0000:7c00, with a BIOS",
    .probe = bootsector_probe,
    .load = bootsector_load,
};
