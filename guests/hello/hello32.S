/*
 * hello32.S - a 32-bit protected-mode guest that prints one line on the serial port.
 *
 * The loader starts it at _start in flat protected mode, paging and interrupts off. It takes
 * nothing else from the loader, so that hv's ELF loader and any Multiboot 1 loader (QEMU's
 * -kernel, GRUB) can start the same file. Next: hello64.S.
 */
#define UART       0x3f8 /* COM1: a 16550 */
#define UART_LSR   (UART + 5)
#define LSR_THRE   0x20  /* the transmit holding register is empty: the next byte may be written */
#define DEBUG_EXIT 0xf4

#define MULTIBOOT_MAGIC 0x1badb002

    .section .multiboot, "a"
    .balign 4
    .long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC /* magic, flags, and what makes the sum zero */

    .code32
    .text
    .globl _start
_start:
    mov $stack_top, %esp
    cld
    mov $message, %esi
1:  lodsb
    test %al, %al
    jz 2f
    call uart_put
    jmp 1b
2:  xor %eax, %eax
    mov $DEBUG_EXIT, %dx
    out %al, %dx
3:  cli
    hlt
    jmp 3b

/* Sends al. Polls until the UART takes it; changes eax, edx and ecx. */
    .globl uart_put
uart_put:
    mov %al, %cl
    mov $UART_LSR, %dx
1:  in %dx, %al
    test $LSR_THRE, %al
    jz 1b
    mov %cl, %al
    mov $UART, %dx
    out %al, %dx
    ret

    .section .rodata
message:
    .asciz "hello32: protected mode, by polling the UART\n"

    .bss
    .balign 16
    .skip 1024
stack_top:
