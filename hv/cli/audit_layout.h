/*
 * audit_layout.h - where the parts of the audit's little guest lie; shared with audit_probes.S.
 *
 * The code and what it writes lie at the same addresses in a child process of the host: the same
 * bytes run there (audit_host.c). Selectors are those of 64-bit Linux, so that they mean the same
 * on such a host.
 */
#ifndef HV_CLI_AUDIT_LAYOUT_H
#define HV_CLI_AUDIT_LAYOUT_H

#define AUDIT_CODE   0x100000 /* audit_probes.S */
#define AUDIT_OUT    0x108000 /* AUDIT_WORDS results and AUDIT_DONE */
#define AUDIT_STACK  0x10b000 /* tops of stacks, one page each: the probe's, */
#define AUDIT_KSTACK 0x10d000 /* the fault handler's (RSP0), */
#define AUDIT_USTACK 0x10f000 /* and where RET goes */
#define AUDIT_WINDOW 0x010000 /* bytes from AUDIT_CODE that a host's process needs */
#define AUDIT_GDT    0x110000 /* for a virtual machine only, from here on */
#define AUDIT_IDT    0x111000
#define AUDIT_TSS    0x112000
#define AUDIT_LDT    0x113000
#define AUDIT_TABLES 0x114000 /* PML4, PDPT, PD */
#define AUDIT_RAM    0x200000

#define AUDIT_WORDS 7
#define AUDIT_DONE  (8 * AUDIT_WORDS) /* the last word: 0, 1: the probe came to its end, or */
#define AUDIT_FAULT 0x100             /* + vector: the guest's own handler got a fault */

#define AUDIT_KERNEL_CS 0x10
#define AUDIT_KERNEL_DS 0x18
#define AUDIT_USER_DS   0x2b
#define AUDIT_USER_CS   0x33
#define AUDIT_TR        0x40 /* 16 bytes */
#define AUDIT_LDTR      0x50 /* 16 bytes */
#define AUDIT_GDT_SIZE  0x60

#define AUDIT_INT 0x80

#endif
