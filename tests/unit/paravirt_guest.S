/*
 * paravirt_guest.S - a kernel for strategy paravirt and its program, for paravirt.c.
 *
 * Copied to 0x100000, entered at HC_BOOT_BASE + 0x100000. The test has made page tables at
 * 0x180000 that map RAM at HC_BOOT_BASE, and the program's two pages (guest_user, 0x110000) at
 * 0x400000. Each trap appends a record to the log at 0x120000 (struct record in paravirt.c) and
 * steps over r12 bytes; the program sets r12 before each thing it does. A system call with rax = 0
 * ends the machine.
 */
#include "guests/include/hypercall.h"

#define HIGH(x) (HC_BOOT_BASE + (x))
#define A(x)    (HIGH(0x100000) + (x) - image) /* where a label is at run time */
#define LOG     0x120000
#define SHARED  0x130000
#define STACK   0x140000
#define ROOT    0x180000
#define USER    0x400000

    .macro hypercall number, a=0, b=0
    mov $\number, %eax
    mov $\a, %rdi
    mov $\b, %rsi
    int $HC_VECTOR
    .endm

    .section .rodata
    .balign 16
    .globl paravirt_guest_image, paravirt_guest_end, paravirt_guest_user
paravirt_guest_image:
image:
    mov $HIGH(STACK), %rsp
    mov $HIGH(LOG) + 8, %rbx         /* rbx: the log's end; kept by the program, too */
    movb $1, HIGH(SHARED)
    hypercall HC_SET_SHARED, SHARED
    lea traps(%rip), %rdi
    mov $HC_SET_TRAPS, %eax
    mov $34, %esi
    int $HC_VECTOR
    lea syscall_entry(%rip), %rdi
    mov $HC_SET_SYSCALL, %eax
    int $HC_VECTOR
    hypercall HC_SET_STACK, HIGH(STACK) + 8     /* not a multiple of 16: must be made one */
    hypercall HC_SET_ROOT, ROOT
    hypercall HC_SET_BASE, HC_BASE_GS, HIGH(SHARED) + 0x100
    hypercall HC_SET_BASE, HC_BASE_GS_USER, USER + 0x1000
    movq $0x1111, HIGH(SHARED) + 0x100          /* gs:0 of the kernel */

    /* A trap of the kernel's own: the frame is below the stack that it has. */
    mov $2, %r12d
    ud2

    /* To the program, events unmasked: struct hc_iret. */
    pushq $HC_USER_SS
    pushq $USER + 0x2000
    pushq $0x202
    pushq $HC_USER_CS
    pushq $USER
    pushq $0x77                                 /* rax */
    mov $HC_IRET, %eax
    int $HC_VECTOR
    hlt

    .macro stub vector, error
    .balign 8
stub\vector:
    .if !\error
    push $0
    .endif
    push $\vector
    jmp common
    .endm
    stub 3, 0
    stub 6, 0
    stub 13, 1
    stub 14, 1
    stub 33, 0
syscall_entry:
    push $0
    push $256
common:
    .set i, 0
    .rept 7                                     /* vector error rip cs rflags rsp ss */
    mov 8 * i(%rsp), %rax
    mov %rax, 8 * i(%rbx)
    .set i, i + 1
    .endr
    mov HIGH(SHARED) + 0x20, %rax               /* struct hc_shared.fault_address */
    mov %rax, 56(%rbx)
    mov %gs:0, %rax                             /* the kernel's */
    mov %rax, 64(%rbx)
    mov %rcx, 72(%rbx)
    mov %r11, 80(%rbx)
    movzbl HIGH(SHARED), %eax                   /* masked? */
    mov %rax, 88(%rbx)
    mov %rsp, 96(%rbx)
    mov %r13, 104(%rbx)
    add $112, %rbx
    mov %rbx, HIGH(LOG)
    cmpq $0, %r14                               /* the program's way to say: end */
    jne 1f
    add %r12, 16(%rsp)
    add $16, %rsp
    pushq $0x99                                 /* rax */
    mov $HC_IRET, %eax
    int $HC_VECTOR
    ud2
1:  hypercall HC_SHUTDOWN, 0x107

    .balign 16
traps:
    .set v, 0
    .rept 34
    .if v == 3
    .quad A(stub3), HC_TRAP_USER
    .elseif v == 6
    .quad A(stub6), 0
    .elseif v == 13
    .quad A(stub13), HC_TRAP_MASKED
    .elseif v == 14
    .quad A(stub14), HC_TRAP_MASKED
    .elseif v == 33
    .quad A(stub33), 0
    .else
    .quad 0, 0
    .endif
    .set v, v + 1
    .endr

/* --- the program, at 0x400000 ---------------------------------------------------------------- */

    .balign 16
paravirt_guest_user:
    xor %r14d, %r14d
    mov %gs:0, %r13             /* the user's GS */
    xor %r12d, %r12d
    syscall                     /* 1: returns behind itself */
    mov $2, %r12d
    mov $HC_SHUTDOWN, %eax
    int $HC_VECTOR              /* 2: no hypercall here */
    mov $3, %r12d
    mov $HIGH(0x100000), %rsi
    mov (%rsi), %rdx            /* 3: the kernel is there, but not for us */
    mov $HC_BOOT_BASE + 0x40000000, %rsi
    mov (%rsi), %rdx            /* 4: and there is nothing */
    mov $1, %r12d
    cli                         /* 5 */
    hlt                         /* 6 */
    xor %r12d, %r12d
    int3                        /* 7: allowed, a trap */
    mov $2, %r12d
    int $14                     /* 8: not allowed */
    mov $3, %r12d
    mov $0xfffff80000000000, %rsi
    mov (%rsi), %rdx            /* 9: the VMM */
    inc %r14
    rex64 syscall               /* 10: with a prefix, as compilers never write it */
paravirt_guest_end:

    .section .note.GNU-stack, "", @progbits
