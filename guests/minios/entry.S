/*
 * entry.S - the ways into the kernel and out of it, and from one task to another.
 *
 * Every entry leaves a struct trap_frame (kernel.h) on the task's kernel stack. Read next: trap.c
 * for what comes through the IDT, syscall.c for SYSCALL, proc.c for proc_switch().
 */
#include "hw.h"
#include <priv.h>

    .macro push_registers
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

    .macro pop_registers
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    .endm

    .text

/*
 * One stub for each vector, 16 bytes apart. The processor has pushed ss, rsp, rflags, cs, rip and,
 * for some exceptions, an error code (SDM vol. 3, 6.13); for the others we push a 0 in its place.
 */
    .balign 16
    .globl trap_stubs
trap_stubs:
    .set vector, 0
    .rept VECTORS
    .balign 16
    .if vector != 8 && vector != 17 && (vector < 10 || vector > 14)
    push $0
    .endif
    push $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

trap_common:
    push_registers
    cld
    mov %rsp, %rdi
    call trap
    .globl trap_return       /* where a new task starts, too: proc.c */
trap_return:
    pop_registers
    add $16, %rsp            /* vector and error code */
    PRIV_IRET

/*
 * SYSCALL comes here: priv_set_syscall_entry().
 */
    .globl syscall_entry
syscall_entry:
    PRIV_SYSCALL_ENTER
    push $0
    push $VECTOR_SYSCALL
    push_registers
    cld
    mov %rsp, %rdi
    call syscall
    pop_registers
    add $16, %rsp
    PRIV_SYSCALL_LEAVE

/*
 * void proc_switch(uint64_t *save, uint64_t load): leaves this stack, its rsp in *save, and goes
 * on where the stack `load` was left. A C function expects only these registers to survive a call.
 */
    .globl proc_switch
proc_switch:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
    .balign 8
    .globl syscall_kernel_rsp
syscall_kernel_rsp:          /* top of the running task's kernel stack */
    .skip 8
syscall_user_rsp:
    .skip 8
