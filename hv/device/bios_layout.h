/*
 * bios_layout.h - the addresses and numbers that bios_rom.S and bios.c share; only #defines, since
 * the assembler reads it too.
 *
 * A service call goes: INT n -> stub in ROM -> registers into the block -> OUT -> bios.c works on
 * the block -> stub loads the registers from it -> IRET. The block lies in the EBDA, 1 KiB of RAM
 * below a0000 that a BIOS keeps for itself; the stub runs with interrupts off, so one is enough.
 */
#ifndef HV_DEVICE_BIOS_LAYOUT_H
#define HV_DEVICE_BIOS_LAYOUT_H

/* A doubleword write here asks for a service: vector << 16 | AX, so that a recording shows which. */
#define BIOS_PORT  0xb100
#define BIOS_PORTS 4

#define BIOS_ROM        0xff000 /* f000:f000, the last page below 1 MiB */
#define BIOS_ROM_SIZE   0x1000
#define BIOS_ROM_SEG    0xf000
#define BIOS_ROM_OFFSET 0xf000 /* of the ROM's first byte in that segment */

#define BIOS_EBDA     0x9fc00 /* its first byte says how many KiB it has: 1 */
#define BIOS_EBDA_SEG 0x9fc0

/* The block, by offsets in the EBDA; struct bios_block in bios.h. */
#define BLOCK        0x10
#define BLOCK_EAX    0x10
#define BLOCK_EBX    0x14
#define BLOCK_ECX    0x18
#define BLOCK_EDX    0x1c
#define BLOCK_ESI    0x20
#define BLOCK_EDI    0x24
#define BLOCK_EBP    0x28
#define BLOCK_DS     0x2c
#define BLOCK_ES     0x2e
#define BLOCK_FLAGS  0x30 /* the caller's; the service changes CF and ZF */
#define BLOCK_VECTOR 0x32
#define BLOCK_IP     0x34 /* where INT returns to */
#define BLOCK_CS     0x36
#define BLOCK_RESULT 0x38 /* RESULT_*, a word, from bios.c */
#define BLOCK_END    0x3c

#define RESULT_DONE 0 /* IRET */
#define RESULT_WAIT 1 /* no key yet: sleep until an interrupt, then ask again */
#define RESULT_BOOT 2 /* the boot sector is at 0000:7c00: jump there */
#define RESULT_HALT 3 /* nothing more to do */

/* The BIOS data area (IBM PC/AT Technical Reference, "BIOS Data Area"), what of it we keep. */
#define BDA_COM1             0x400
#define BDA_EBDA             0x40e
#define BDA_EQUIPMENT        0x410
#define BDA_MEMORY           0x413
#define BDA_KEY_HEAD         0x41a
#define BDA_KEY_TAIL         0x41c
#define BDA_VIDEO_MODE       0x449
#define BDA_COLUMNS          0x44a
#define BDA_PAGE_SIZE        0x44c
#define BDA_CURSOR           0x450 /* column, row */
#define BDA_SHAPE            0x460
#define BDA_CRTC             0x463
#define BDA_TICKS            0x46c
#define BDA_MIDNIGHT         0x470
#define BDA_HARD_DISK_STATUS 0x474
#define BDA_HARD_DISKS       0x475
#define BDA_KEY_START        0x480
#define BDA_KEY_END          0x482
#define BDA_LAST_ROW         0x484
#define BDA_CHAR_HEIGHT      0x485

#define BIOS_COLUMNS 80
#define BIOS_ROWS    25

#endif
