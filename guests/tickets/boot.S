/*
 * boot.S - ticket 2: a loader without a format, to be started at 0000:7c00 in real mode. It loads its
 * GDT, enters protected mode and prints a line; every address in it is the one it was linked for.
 *
 * Built with another TEXT it is the same program for another address, which the ticket does not have.
 */
#define UART       0x3f8
#define UART_LSR   (UART + 5)
#define LSR_THRE   0x20
#define DEBUG_EXIT 0xf4
#define CR0_PE     1

    .code16
    .text
    .globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7000, %sp
    lidtl no_idt
    lgdtl gdtr
    mov %cr0, %eax
    or $CR0_PE, %al
    mov %eax, %cr0
    ljmpl $8, $protected

    .code32
    .globl protected
protected:
    mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    cld
    /* Sums its own bytes: an image that was changed says so. */
    mov $_start, %esi
    mov $end, %ecx
    sub %esi, %ecx
    xor %ebx, %ebx
1:  xor %eax, %eax
    lodsb
    rol $3, %ebx
    add %eax, %ebx
    loop 1b
    mov $message, %esi
2:  lodsb
    test %al, %al
    jz 3f
    call put
    jmp 2b
3:  mov $8, %ecx
4:  rol $4, %ebx
    mov %bl, %al
    and $15, %al
    add $'0', %al
    cmp $'9', %al
    jbe 5f
    add $'a' - '0' - 10, %al
5:  push %ecx
    call put
    pop %ecx
    loop 4b
    mov $'\n', %al
    call put
    xor %eax, %eax
    out %al, $DEBUG_EXIT
6:  cli
    hlt
    jmp 6b

/* Sends al; changes eax, edx and ebp. */
put:
    mov %eax, %ebp
    mov $UART_LSR, %dx
7:  in %dx, %al
    test $LSR_THRE, %al
    jz 7b
    mov %ebp, %eax
    mov $UART, %dx
    out %al, %dx
    ret

message:
    .asciz "till: protected mode, program complete, sum "
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* code, flat, 32 bits */
    .quad 0x00cf93000000ffff /* data */
gdtr:
    .word 23
    .long gdt
no_idt:
    .word 0
    .long 0
end:
