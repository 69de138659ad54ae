/*
 * trap_guest.S - kernels for strategy trap, each a few instructions that a hostile guest may try.
 *
 * trap.c copies all of it to 0x100000, where the loader's map is one to one, and starts one label.
 * Its IDT sends #DB to trap_guest_debug and all else to trap_guest_fault. Each ends with HLT while
 * interrupts are off; rbx is what it has found.
 */
#define SYSENTER_CS  0x174
#define SYSENTER_ESP 0x175
#define SYSENTER_EIP 0x176
#define FS_BASE      0xc0000100
#define SLOT         496 /* MONITOR_SLOT */
#define ALIAS        0xfffff80000000000

    .macro msr index, value
    mov $\index, %ecx
    lea \value, %rax
    xor %edx, %edx
    wrmsr
    .endm

    .section .rodata
    .balign 16
    .globl trap_guest_image, trap_guest_end
trap_guest_image:

/* #DB: r8 gets a byte more, how far it came; at the end of what is stepped, no further. */
    .globl trap_guest_debug
trap_guest_debug:
    push %rax
    lea first(%rip), %rax
    sub 8(%rsp), %rax
    neg %rax
    shl $8, %r8
    or %rax, %r8
    cmp $stepped - first, %rax
    pop %rax
    jne 1f
    andl $~0x100, 16(%rsp)
1:  iretq

    .globl trap_guest_fault
trap_guest_fault:
    mov $0xbad, %ebx
    hlt

/* SYSENTER with MSRs that name ring 0. */
    .globl trap_guest_sysenter
trap_guest_sysenter:
    msr SYSENTER_CS, 8
    msr SYSENTER_ESP, (%rsp)
    msr SYSENTER_EIP, 1f(%rip)
    sysenter
    ud2
1:  mov $1, %ebx
    hlt

/* Its own memory a second time in the monitor's slot: data, stack and code there. */
    .globl trap_guest_slot
trap_guest_slot:
    mov %cr3, %rdi
    mov (%rdi), %rax
    mov %rax, 8 * SLOT(%rdi)
    mov $ALIAS, %rsi
    lea value(%rip), %rdi
    mov (%rsi,%rdi), %rbx
    mov %rsp, %rdx
    add %rsi, %rsp
    push $0x22
    mov -8(%rdx), %rax
    add %rax, %rbx
    lea 1f(%rip), %rdi
    add %rsi, %rdi
    jmp *%rdi
1:  lea 2f(%rip), %rdi /* executed there: so is the address */
    mov %rdi, %rbp
    sub %rsi, %rdi
    jmp *%rdi
2:  hlt
value:
    .quad 0x11

/* Single steps over an instruction that is interpreted and leaves by a port. */
    .globl trap_guest_step
trap_guest_step:
    pushfq
    orl $0x100, (%rsp)
    popfq
first:
    out %al, $0x80
    nop
stepped:
    mov %r8, %rbx
    hlt

/* Never executes an instruction for real: IRETQ to itself. rdi and rsi: CS and SS. */
    .globl trap_guest_iret
trap_guest_iret:
    sub $40, %rsp
    lea 1f(%rip), %rax
    mov %rax, (%rsp)
    mov %rdi, 8(%rsp)
    movq $2, 16(%rsp)
    mov %rsp, 24(%rsp)
    mov %rsi, 32(%rsp)
1:  iretq

/* A null selector takes the base away (SDM vol. 3, 3.4.4). */
    .globl trap_guest_null
trap_guest_null:
    msr FS_BASE, 0x123456
    xor %eax, %eax
    mov %eax, %fs
    cli
    mov $FS_BASE, %ecx
    rdmsr
    mov %eax, %ebx
    hlt
trap_guest_end:

    .section .note.GNU-stack, "", @progbits
