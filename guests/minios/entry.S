/*
 * entry.S - the ways into the kernel and out of it, and from one task to another.
 *
 * Every entry leaves a struct trap_frame (kernel.h) on the task's kernel stack. Read next: trap.c
 * for what comes through the IDT, syscall.c for SYSCALL, proc.c for proc_switch().
 */
#include "hw.h"
#include <priv.h>

/* The .cfi lines tell a debugger where the interrupted code's registers lie (DWARF 5, 6.4); they
 * are no instructions. The canonical frame address is the top of what the processor pushed. */
    .cfi_sections .debug_frame

    .macro push_registers
    .irp r, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    push %\r
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \r, 0
    .endr
    .endm

    .macro pop_registers
    .irp r, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
    pop %\r
    .cfi_adjust_cfa_offset -8
    .cfi_same_value \r
    .endr
    .endm

    .macro interrupted_frame size /* rsp points to this many bytes: at least rip to ss */
    .cfi_signal_frame
    .cfi_def_cfa rsp, \size
    .cfi_offset rip, -40
    .cfi_offset rsp, -16
    .endm

    .text

/*
 * One stub for each vector, 16 bytes apart. The processor has pushed ss, rsp, rflags, cs, rip and,
 * for some exceptions, an error code (SDM vol. 3, 6.13); for the others we push a 0 in its place.
 */
    .balign 16
    .globl trap_stubs
trap_stubs:
    .cfi_startproc
    .set vector, 0
    .rept VECTORS
    .balign 16
    .if vector != 8 && vector != 17 && (vector < 10 || vector > 14)
    interrupted_frame 40
    push $0
    .endif
    interrupted_frame 48
    push $vector
    .cfi_adjust_cfa_offset 8
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
    .cfi_adjust_cfa_offset -16
    PRIV_IRET
    .cfi_endproc

/*
 * SYSCALL comes here: priv_set_syscall_entry().
 */
    .globl syscall_entry
syscall_entry:
    .cfi_startproc
    PRIV_SYSCALL_ENTER
    interrupted_frame 40
    push $0
    .cfi_adjust_cfa_offset 8
    push $VECTOR_SYSCALL
    .cfi_adjust_cfa_offset 8
    push_registers
    cld
    mov %rsp, %rdi
    call syscall
    pop_registers
    add $16, %rsp
    .cfi_adjust_cfa_offset -16
    PRIV_SYSCALL_LEAVE
    .cfi_endproc

/*
 * void proc_switch(uint64_t *save, uint64_t load): leaves this stack, its rsp in *save, and goes
 * on where the stack `load` was left. A C function expects only these registers to survive a call.
 */
    .globl proc_switch
proc_switch:
    .cfi_startproc
    .irp r, rbx, rbp, r12, r13, r14, r15
    push %\r
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset \r, 0
    .endr
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    .irp r, r15, r14, r13, r12, rbp, rbx
    pop %\r
    .cfi_adjust_cfa_offset -8
    .cfi_same_value \r
    .endr
    ret
    .cfi_endproc

    .bss
    .balign 8
    .globl syscall_kernel_rsp
syscall_kernel_rsp:          /* top of the running task's kernel stack */
    .skip 8
syscall_user_rsp:
    .skip 8
