/*
 * hello16.S - the smallest guest: a boot sector that prints one line through the BIOS.
 *
 * Real mode: the firmware has put these 512 bytes at 0000:7c00 and jumped there; it left the
 * drive's number in dl and nothing else that one may rely on. Next: hello32.S.
 */
#define DEBUG_EXIT 0xf4 /* writing v ends the machine with status (v << 1) | 1 */

    .code16
    .text
    .globl _start
_start:
    ljmp $0, $start /* some firmware jumps to 07c0:0000: agree on cs = 0 */
start:
    cli             /* no interrupt may come between ss and sp */
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7c00, %sp /* grows down from below this code */
    sti
    cld

    mov $message, %si
print:
    lodsb
    test %al, %al
    jz done
    mov $0x0e, %ah   /* int 10h, ah = 0e: teletype output of al */
    xor %bx, %bx     /* page 0 */
    int $0x10
    jmp print

done:
    xor %al, %al
    out %al, $DEBUG_EXIT
hang:
    cli              /* no such port: stop for good */
    hlt
    jmp hang

message:
    .asciz "hello16: real mode, by int 10h\r\n"

    .org 510
    .word 0xaa55     /* the mark by which a BIOS knows a boot sector */
