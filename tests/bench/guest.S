/*
 * guest.S - the guest of bench-loop: one boot sector that hv, Bochs and QEMU all start.
 *
 * It goes to 32-bit protected mode, runs LOOPS rounds of seven instructions (load, add, store,
 * call, ret, dec, jnz) and ends the run: "Shutdown" to port 8900h is Bochs' way, DONE to port f4h
 * is hv's and QEMU's. bench-loop writes the number of rounds over `loops`. Next: loop.c.
 */
#define DONE 0x21 /* becomes status (DONE << 1) | 1: an emulator that failed does not end so */

    .code16
    .globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdt gdtr
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmp $8, $protected

    .code32
protected:
    mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $0x80000, %esp
    mov $0x20000, %ebx
    mov loops, %ecx
    jecxz done

round:
    mov (%ebx), %eax
    add $3, %eax
    mov %eax, (%ebx)
    call empty
    dec %ecx
    jnz round

done:
    mov $shutdown, %esi
    mov $8, %ecx
    mov $0x8900, %dx
1:  lodsb
    out %al, %dx
    loop 1b
    mov $DONE, %al
    out %al, $0xf4
2:  hlt
    jmp 2b

empty:
    ret

shutdown:
    .ascii "Shutdown"
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff /* 8: code, flat, ring 0 */
    .quad 0x00cf92000000ffff /* 10h: data */
gdtr:
    .word 23
    .long gdt

    .org 506
loops:
    .long 0
    .word 0xaa55
