/*
 * boot.S - from the loader's long mode to kmain() at its own address.
 *
 * The loader has set rdi = struct boot_info and mapped the first 4 GiB one to one
 * (include/abi.h). The kernel is linked to the last 2 GiB of the address space, so these few
 * instructions, linked low, load tables that map the first GiB of RAM at both places, and jump.
 * vm_init() replaces the tables. Next: main.c.
 */
#include "hw.h"
#include <priv.h>

    .section .boot.text, "ax", @progbits
    .globl _start
_start:
    mov $boot_pml4, %eax
    PRIV_SET_TABLES
    mov $boot_stack_top, %rsp
    xor %ebp, %ebp          /* a backtrace ends here */
    mov $kmain, %rax
    jmp *%rax

    .section .boot.data, "aw", @progbits
    .balign PAGE
boot_pml4:                  /* entry 0: address 0; entry 511: the last 512 GiB */
    .quad boot_pdpt + PTE_P + PTE_W
    .fill 510, 8, 0
    .quad boot_pdpt + PTE_P + PTE_W
boot_pdpt:                  /* used for both: entry 0 is the first GiB, 510 the last but one */
    .quad boot_pd + PTE_P + PTE_W
    .fill 509, 8, 0
    .quad boot_pd + PTE_P + PTE_W, 0
boot_pd:
    .set i, 0
    .rept 512
    .quad i * LARGE_PAGE + PTE_P + PTE_W + PTE_PS
    .set i, i + 1
    .endr

    .bss
    .balign 16
    .skip 2 * PAGE
    .globl boot_stack_top
boot_stack_top:             /* kmain() and, from then on, the scheduler run on this stack */
