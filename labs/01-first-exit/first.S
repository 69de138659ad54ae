/*
 * first.S - the guest of lab 1: seven things that a guest cannot do alone, and one that it can.
 *
 *     cc -nostdlib -static -no-pie -Wl,-Ttext=0x100000 -o first first.S
 *     hv run --engine soft first
 *
 * hv starts it in 64-bit mode at CPL 0, with the first 4 GiB mapped one to one; RDI is the address of
 * struct boot_info, whose third member is the address of the command line.
 */
    .code64
    .text
    .globl _start
_start:
    mov 16(%rdi), %rbp          /* the command line */

    xor %eax, %eax
ask_cpu:
    cpuid                       /* which processor is this? */

    mov $0x1234, %eax
    push %rax
    pop %rbx                    /* memory of its own */

    xor %eax, %eax
clock_select:
    out %al, $0x70              /* register 0 of the clock: seconds */
clock_read:
    in $0x71, %al

    mov $0xfe000000, %ebx
nobody_there:
    mov (%rbx), %eax            /* memory that is none */

    mov $42, %eax
ask_vmm:
    vmcall

letters:
    movzbl (%rbp), %eax         /* the letters of the command line */
    test %al, %al
    jz bye
    mov $0x3f8, %edx
print_letter:
    out %al, %dx
    inc %rbp
    jmp letters

bye:
    xor %eax, %eax
power_off:
    out %al, $0xf4
1:  hlt
    jmp 1b
