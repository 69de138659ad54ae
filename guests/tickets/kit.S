/*
 * kit.S - entry in long mode (guests/include/abi.h), and a stub for each vector. Next: kit.c.
 */
    .code64
    .text
    .globl _start
_start:
    lea stack_top(%rip), %rsp
    cld
    call kit_main
1:  cli
    hlt
    jmp 1b

/* Stub n is at stubs + 16 n: pushes its number; where the processor pushes no error code, a zero. */
    .balign 16
    .globl stubs
stubs:
    .set vector, 0
    .rept 48
    .balign 16
    .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17))
    push $0
    .endif
    push $vector
    jmp common
    .set vector, vector + 1
    .endr

/* What C may change is saved; the frame is of no use to a handler, only to the message of a fault. */
common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    mov 72(%rsp), %rdi /* vector */
    mov 80(%rsp), %rsi /* error code */
    mov 88(%rsp), %rdx /* rip */
    mov %rsp, %rax
    and $-16, %rsp
    push %rax
    push %rax
    call kit_interrupt
    pop %rsp
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

    .bss
    .balign 16
    .skip 16384
stack_top:
