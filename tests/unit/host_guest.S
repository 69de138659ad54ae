/*
 * host_guest.S - programs for host_stops.c, which writes them over the first instructions of a
 * process. Each may be anywhere in memory, and ends by itself.
 */
#define CLONE_FLAGS 0x10f00 /* VM, FS, FILES, SIGHAND, THREAD: a thread */
#define SYS_CLONE   56
#define SYS_EXIT    60
#define SYS_GROUP   231

    .section .rodata
    .globl host_guest_image, host_guest_written, host_guest_read, host_guest_point
    .globl host_guest_trap, host_guest_threads, host_guest_first, host_guest_second, host_guest_end

/* Writes and reads the 8 bytes that lie 128 below the stack, then comes to a point. */
host_guest_image:
    and $-16, %rsp
    movq $7, -128(%rsp)
host_guest_written:
    mov -128(%rsp), %rax
host_guest_read:
    nop
host_guest_point:
    nop
    mov $SYS_GROUP, %eax
    xor %edi, %edi
    syscall

/* Asks for a trap behind an instruction itself (RFLAGS.TF): SIGTRAP, which it does not catch. */
host_guest_trap:
    pushf
    orl $0x100, (%rsp)
    popf
    nop
    mov $SYS_GROUP, %eax
    xor %edi, %edi
    syscall

/* Two threads; each comes to a point when both run. The first ends when the second is behind its own. */
host_guest_threads:
    sub $0x1000, %rsp
    and $-16, %rsp
    movl $0, (%rsp)
    mov $SYS_CLONE, %eax
    mov $CLONE_FLAGS, %edi
    lea -0x800(%rsp), %rsi
    syscall
    test %eax, %eax
    jz 3f
1:  pause
    cmpl $0, (%rsp)
    je 1b
host_guest_first:
    nop
2:  pause
    cmpl $2, (%rsp)
    jne 2b
    mov $SYS_GROUP, %eax
    xor %edi, %edi
    syscall
3:  movl $1, 0x800(%rsp)
host_guest_second:
    nop
    movl $2, 0x800(%rsp)
    mov $SYS_EXIT, %eax
    xor %edi, %edi
    syscall
host_guest_end:

    .section .note.GNU-stack, "", @progbits
