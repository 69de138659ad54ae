/*
 * pvh.S - lets QEMU's -kernel start an ELF64 guest: the way there that hv's loader spares us.
 *
 * hv enters an ELF64 guest at _start in long mode (include/abi.h). QEMU does not; but it starts
 * an ELF64 file that has a PVH note: in 32-bit protected mode, flat, paging and interrupts off,
 * ebx = a struct hvm_start_info (Xen's docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm).
 * This file brings about the state that abi.h promises, then jumps to _start.
 * Under hv not one instruction of it is executed.
 */

/* struct hvm_start_info and its memory map's entries */
#define START_CMDLINE_LO 0x18 /* physical addresses, 64 bits each; ours are below 4 GiB */
#define START_MEMMAP_LO  0x28
#define START_MEMMAP_N   0x30
#define MAP_ADDR_LO      0x00
#define MAP_SIZE_LO      0x08
#define MAP_ENTRY_SIZE   0x18

#define BOOT_INFO_MAGIC 0x31307668 /* these three as in include/abi.h */
#define BOOT_CS         0x10
#define BOOT_DS         0x18

#define CR0_PE    0x00000001
#define CR0_PG    0x80000000
#define CR4_PAE   0x20
#define MSR_EFER  0xc0000080
#define EFER_LME  0x100
#define PTE_P_RW  0x003
#define PTE_LARGE 0x083 /* present, writable, and in a directory: a page of 2 MiB */

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18        /* bytes of name, bytes of value, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad pvh_start

    .section .pvh.text, "ax", @progbits
    .code32
    .globl pvh_start
pvh_start:
    cld
    /* struct boot_info; RAM is taken to end where the map's entry that starts at 1 MiB ends. */
    movl $BOOT_INFO_MAGIC, info
    movl $info_end - info, info + 4
    mov START_CMDLINE_LO(%ebx), %eax
    test %eax, %eax
    jnz 1f
    mov $empty, %eax
1:  mov %eax, info + 16
    mov START_MEMMAP_LO(%ebx), %esi
    mov START_MEMMAP_N(%ebx), %ecx
2:  cmpl $0x100000, MAP_ADDR_LO(%esi)
    je 3f
    add $MAP_ENTRY_SIZE, %esi
    loop 2b
3:  mov MAP_SIZE_LO(%esi), %eax
    add $0x100000, %eax
    and $0xfffff000, %eax
    mov %eax, info + 8

    /* 4 GiB one to one: 2048 pages of 2 MiB in four directories. */
    mov $pvh_directories, %edi
    mov $PTE_LARGE, %eax
4:  mov %eax, (%edi)
    add $8, %edi
    add $0x200000, %eax
    jnc 4b
    movl $pvh_pdpt + PTE_P_RW, pvh_pml4
    mov $pvh_pdpt, %edi
    mov $pvh_directories + PTE_P_RW, %eax
    mov $4, %ecx
5:  mov %eax, (%edi)
    add $8, %edi
    add $0x1000, %eax
    loop 5b

    /* Into long mode: PAE, the tables, LME, paging (SDM vol. 3, 9.8.5). */
    mov $CR4_PAE, %eax
    mov %eax, %cr4
    mov $pvh_pml4, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $EFER_LME, %eax
    wrmsr
    mov $CR0_PG | CR0_PE, %eax
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $BOOT_CS, $5f

    .code64
5:  mov $BOOT_DS, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    mov $pvh_stack_top, %esp
    mov $info, %edi
    mov $BOOT_INFO_MAGIC, %eax
    jmp _start

    .section .pvh.data, "aw", @progbits
    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff /* BOOT_CS: 64-bit code, CPL 0 */
    .quad 0x00cf93000000ffff /* BOOT_DS: flat data */
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .long gdt
    .balign 8
info:                        /* struct boot_info */
    .skip 40
info_end:
empty:
    .byte 0

    .section .pvh.bss, "aw", @nobits
    .balign 0x1000
pvh_pml4:
    .skip 0x1000
pvh_pdpt:
    .skip 0x1000
pvh_directories:
    .skip 0x4000
pvh_stack:
    .skip 0x1000
pvh_stack_top:
