/*
 * crash64.S - a 64-bit guest with a bug, to be found backwards (docs/tutorial/backwards.hv).
 *
 * It means to catch a division by zero and to go on. Something takes its handler away before: the
 * division then ends the machine by a triple fault, far from the mistake. Read on only when you
 * have found it. Started as hello64 is; in stock QEMU through boot/pvh.S.
 */
#define UART       0x3f8 /* COM1: a 16550 */
#define UART_LSR   (UART + 5)
#define LSR_THRE   0x20  /* the transmit holding register is empty: the next byte may be written */
#define DEBUG_EXIT 0xf4

#define COUNTERS  4
#define GATE_INT  0x8e00 /* P, DPL 0, 64-bit interrupt gate (SDM vol. 3, 7.14.1) */
#define DIV_BYTES 2      /* of "div %ecx" */

    .code64
    .text
    .globl _start
_start:
    lea stack_top(%rip), %rsp
    cld
    call set_handler
    lea hello(%rip), %rsi
    call print
    call clear_counters
    lea dividing(%rip), %rsi
    call print
    mov $1, %eax
    xor %edx, %edx
    xor %ecx, %ecx
    div %ecx
    lea survived(%rip), %rsi
    call print
    xor %eax, %eax
    out %al, $DEBUG_EXIT
1:  cli
    hlt
    jmp 1b

/* Vector 0, #DE, leads to divide_error. A gate has its handler's address in three parts. */
    .globl set_handler
set_handler:
    lea idt(%rip), %rdi
    lea divide_error(%rip), %rax
    mov %ax, (%rdi)
    mov %cs, 2(%rdi)
    movw $GATE_INT, 4(%rdi)
    shr $16, %rax
    mov %ax, 6(%rdi)
    shr $16, %rax
    mov %eax, 8(%rdi)
    lidt idtr(%rip)
    ret

/* #DE is a fault: the saved RIP is that of the DIV. Goes on behind it. */
    .globl divide_error
divide_error:
    addq $DIV_BYTES, (%rsp)
    iretq

    .globl clear_counters
clear_counters:
    lea counters(%rip), %rdi
    xor %ecx, %ecx
1:  movq $0, (%rdi, %rcx, 8)
    inc %ecx
    cmp $COUNTERS, %ecx
    jbe 1b
    ret

/* Prints the string at rsi; changes rax, rdx and rsi. */
    .globl print
print:
    mov $UART_LSR, %edx
1:  in %dx, %al
    test $LSR_THRE, %al
    jz 1b
    lodsb
    test %al, %al
    jz 2f
    mov $UART, %edx
    out %al, %dx
    jmp print
2:  ret

    .section .rodata
hello:
    .asciz "crash64: a division by zero is nothing to be afraid of\n"
dividing:
    .asciz "crash64: dividing\n"
survived:
    .asciz "crash64: survived\n"
idtr:
    .word 16 - 1
    .quad idt

    .bss
    .balign 16
    .globl counters, idt
counters:
    .skip 8 * COUNTERS
idt:
    .skip 16
    .skip 1024
stack_top:
