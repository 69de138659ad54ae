/*
 * hw.h - the numbers of the hardware that more than one file needs; #defines only, so that
 * assembly can include it too. SDM = Intel Software Developer's Manual.
 */
#ifndef MINIOS_HW_H
#define MINIOS_HW_H

/*
 * Virtual memory: the user has the lower half, the kernel the last 2 GiB. There every byte of RAM
 * (up to 1 GiB) is found at its physical address + KERNEL_BASE; the kernel's own image too.
 *
 *   0000000000400000  program              ffffffff80000000  physical 0
 *   00007ffffffef000  stack, 64 KiB        ffffffff80100000  this kernel (minios.ld)
 *   00007fffffffe000  USER_END             ffffffffc0000000  end of the map
 */
#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_LOAD 0x100000
#define USER_END    0x7fffffffe000 /* SYSRET to the very last page's end would fault: stay below */
#define PAGE        0x1000
#define LARGE_PAGE  0x200000

/*
 * Page table entry, all levels (SDM vol. 3, 4.5):
 *  63 62-52 51-12   11-9 8 7  6 5 4   3   2 1 0
 *  NX -     address -    G PS D A PCD PWT U W P
 */
#define PTE_P    0x001
#define PTE_W    0x002
#define PTE_U    0x004
#define PTE_PS   0x080 /* in a page directory: a page of 2 MiB */
#define PTE_G    0x100 /* stays in the TLB when CR3 changes */
#define PTE_NX   0x8000000000000000
#define PTE_ADDR 0x000ffffffffff000

/* Error code of a page fault (SDM vol. 3, 4.7). */
#define PF_PRESENT 0x01
#define PF_WRITE   0x02
#define PF_USER    0x04
#define PF_FETCH   0x10

/* Selectors. The order is SYSCALL's and SYSRET's wish: kernel data = kernel code + 8, user code =
 * user data + 8 (SDM vol. 3, 5.8.8). The low two bits are the privilege level. */
#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define USER_DS   0x1b
#define USER_CS   0x23
#define TSS_SEL   0x28

#define FLAG_ONE 0x00002 /* always set */
#define FLAG_TF  0x00100
#define FLAG_IF  0x00200
#define FLAG_DF  0x00400
#define FLAG_NT  0x04000
#define FLAG_AC  0x40000

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_TS 0x00000008
#define CR0_ET 0x00000010 /* always set */
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000

/* What ours is. TS: who touches the FPU gets #NM; no process may, so no state has to be kept. */
#define CR0_VALUE (CR0_PE | CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_TS)

#define CR4_PGE  0x000080
#define CR4_UMIP 0x000800
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000

#define MSR_EFER   0xc0000080
#define EFER_SCE   0x001 /* SYSCALL is on */
#define EFER_NXE   0x800 /* PTE_NX is on */
#define MSR_STAR   0xc0000081
#define MSR_LSTAR  0xc0000082
#define MSR_SFMASK 0xc0000084

/* Vectors: the processor's own are 0 to 31; the 8259 pair gets the 16 behind them. */
#define VECTOR_DE      0
#define VECTOR_NMI     2
#define VECTOR_BP      3
#define VECTOR_DF      8
#define VECTOR_PF      14
#define VECTOR_MC      18
#define VECTOR_IRQ     32
#define VECTORS        48
#define VECTOR_SYSCALL 256 /* in a trap frame only: SYSCALL has no vector */

#define TIMER_HZ_MIN 20
#define TIMER_HZ_MAX 10000

#define IRQ_TIMER   0
#define IRQ_CONSOLE 4

#define DEBUG_EXIT 0xf4 /* writing v ends the machine with status (v << 1) | 1 */

#endif
