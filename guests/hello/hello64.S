/*
 * hello64.S - a 64-bit guest that prints one line on the serial port.
 *
 * The loader starts it at _start in long mode, interrupts off (guests/include/abi.h says what
 * else may be relied on). In stock QEMU it is reached through boot/pvh.S. Next: minios/README.md.
 */
#define UART       0x3f8 /* COM1: a 16550 */
#define UART_LSR   (UART + 5)
#define LSR_THRE   0x20  /* the transmit holding register is empty: the next byte may be written */
#define DEBUG_EXIT 0xf4

    .code64
    .text
    .globl _start
_start:
    lea stack_top(%rip), %rsp
    cld
    lea message(%rip), %rsi
1:  lodsb
    test %al, %al
    jz 2f
    call uart_put
    jmp 1b
2:  xor %eax, %eax
    out %al, $DEBUG_EXIT
3:  cli
    hlt
    jmp 3b

/* Sends al. Polls until the UART takes it; changes rax, rdx and rcx. */
    .globl uart_put
uart_put:
    mov %al, %cl
    mov $UART_LSR, %edx
1:  in %dx, %al
    test $LSR_THRE, %al
    jz 1b
    mov %cl, %al
    mov $UART, %edx
    out %al, %dx
    ret

    .section .rodata
message:
    .asciz "hello64: long mode, by polling the UART\n"

    .bss
    .balign 16
    .skip 1024
stack_top:
