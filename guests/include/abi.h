/*
 * abi.h - what the host and its guests agree on: the one header that both include.
 *
 * First part: how the ELF loader (hv/loader/elf.c) starts a guest. The layout of struct boot_info
 * is the same for a 32-bit and a 64-bit compiler: every member lies at a multiple of its size.
 *
 * State at the entry point of an ELF file:
 *   ELF64: long mode, CPL 0. The first 4 GiB are mapped one to one, writable, by 2 MiB pages.
 *          RDI = address of struct boot_info: C's first argument.
 *   ELF32: 32-bit protected mode, flat, CPL 0, paging off. ESI = address of struct boot_info.
 *   Both:  RAX = BOOT_INFO_MAGIC, RSP = BOOT_STACK_TOP (one page of stack, 16-byte aligned),
 *          RFLAGS = 2 (interrupts off), no IDT (limit 0), A20 open, all else as after RESET.
 *          CS = BOOT_CS; DS, ES, SS, FS, GS = BOOT_DS, in the GDT at BOOT_GDT.
 *
 * The loader's own memory, where no segment of the file may lie:
 *   00000800  GDT (32 bytes)            00003000  stack, one page
 *   00001000  struct boot_info          00004000  page tables (ELF64): PML4, PDPT, 4 directories
 *   00002000  command line (<= 4095)    0000a000  end
 * It is the guest's to use again once the guest has its own tables, stack and copies.
 */
#ifndef HV_GUESTS_ABI_H
#define HV_GUESTS_ABI_H

#include <stdint.h>

#define BOOT_INFO_MAGIC 0x31307668u /* "hv01" */

#define BOOT_GDT          0x0800u
#define BOOT_INFO         0x1000u
#define BOOT_CMDLINE      0x2000u
#define BOOT_CMDLINE_MAX  4095u /* bytes, without the final zero */
#define BOOT_STACK_TOP    0x4000u
#define BOOT_PAGES        0x4000u
#define BOOT_RESERVED     0x0800u /* first byte that the loader uses, */
#define BOOT_RESERVED_END 0xa000u /* and the first behind them */

/* As Linux' boot protocol has them (Documentation/arch/x86/boot.rst). */
#define BOOT_CS 0x10u
#define BOOT_DS 0x18u

struct boot_info {
    uint32_t magic;        /* BOOT_INFO_MAGIC */
    uint32_t size;         /* of this structure: later versions append members */
    uint64_t memory_size;  /* bytes of RAM from address 0, a multiple of 4 KiB; a0000-fffff is not
                              for general use */
    uint64_t command_line; /* address of a string that ends with a zero byte; never 0 */
    uint64_t initrd_start; /* 0 when there is none */
    uint64_t initrd_size;  /* bytes */
};

#endif
