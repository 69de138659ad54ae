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

/* #DB: r8 gets a byte more, how far it came; at the end of what is stepped, no further. r10 counts those
 * that DR6 calls a single step (BS), and from bit 8 on those with RF in the flags. */
    .globl trap_guest_debug
trap_guest_debug:
    push %rax
    mov %dr6, %rax
    shr $14, %eax
    and $1, %eax
    add %rax, %r10
    mov 24(%rsp), %eax
    shr $8, %eax
    and $0x100, %eax
    add %rax, %r10
    xor %eax, %eax
    mov %rax, %dr6
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
    test %r9, %r9 /* where the test wants to go on, if it does */
    jz 1f
    jmp *%r9
1:  mov $0xbad, %ebx
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
    shl $32, %r10
    or %r10, %rbx
    hlt

/* INT1 is #DB, too, behind the instruction, and no single step. */
    .globl trap_guest_int1
trap_guest_int1:
    .byte 0xf1
1:  lea 1b - first(%r10), %rbx
    sub %r8, %rbx
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

/* An interrupt comes, and there is no IDT. */
    .globl trap_guest_triple
trap_guest_triple:
    push $0
    push $0
    lidt (%rsp)
    sti
1:  jmp 1b

/* More instructions in a row that hold interrupts off than one exit may take turns. */
    .globl trap_guest_row
trap_guest_row:
    .rept 300
    mov %esi, %ss
    .endr
    mov $1, %ebx
    hlt

/* The last byte of the lower canonical half is CLI: what follows is #GP at 800000000000. The page at
 * 0 has 2 MiB and is mapped there a second time. */
    .globl trap_guest_edge
trap_guest_edge:
    mov %cr3, %rdi
    mov (%rdi), %rax
    mov %rax, 8 * 255(%rdi)
    and $-0x1000, %rax
    mov (%rax), %rcx
    mov %rcx, 8 * 511(%rax)
    and $-0x1000, %rcx
    mov (%rcx), %rdx
    mov %rdx, 8 * 511(%rcx)
    movb $0xfa, 0x1fffff
    lea 1f(%rip), %r9
    mov $0x7fffffffffff, %rax
    jmp *%rax
1:  inc %rax
    cmp %rax, 8(%rsp)
    sete %bl
    movzbl %bl, %ebx
    hlt

/* IRETQ with the monitor's own selectors, which this kernel's GDT does not have. */
    .globl trap_guest_selectors
trap_guest_selectors:
    push $0xfffb
    push %rsp
    pushfq
    push $0xfff3
    lea 1f(%rip), %rax
    push %rax
    lea 2f(%rip), %r9
    iretq
1:  ud2
2:  pop %rbx /* the error code */
    hlt

/* An interrupt behind the first iteration of REP STOSB, which STI holds it off for: RF and the rest of
 * the count. Gate 32 is a copy of gate 13. */
    .globl trap_guest_repeat
trap_guest_repeat:
    mov 0x200000 + 16 * 13, %rax
    mov %rax, 0x200000 + 16 * 32
    pushw $0
    pushq $0x200000
    pushw $0x20f
    lidt (%rsp)
    lea 1f(%rip), %r9
    mov $10, %ecx
    mov $0x280000, %edi
    sti
    rep stosb
1:  mov 16(%rsp), %ebx      /* RFLAGS */
    shr $16, %ebx
    and $1, %ebx
    shl $8, %ebx
    or %ecx, %ebx
    hlt

/* NT is a flag that POPF sets without an exit; CR8 is an exit. IRETQ with it is #GP. */
    .globl trap_guest_nested
trap_guest_nested:
    pushfq
    orl $0x4000, (%rsp)
    popfq
    xor %eax, %eax
    mov %rax, %cr8
    mov %rax, %cr8
    pushfq
    pop %rbx
    and $0x4000, %ebx
    lea 1f(%rip), %r9
    iretq
    xor %ebx, %ebx
1:  hlt

/* To 32-bit code, which this strategy does not run: a far return to a descriptor of such. */
    .globl trap_guest_compat
trap_guest_compat:
    lea gdt32(%rip), %rax
    mov %rax, pointer32 + 2(%rip)
    lgdt pointer32(%rip)
    push $0x08
    lea 1f(%rip), %rax
    push %rax
    lretq
1:  hlt
    .balign 8
gdt32:
    .quad 0, 0x00cf9b000000ffff
pointer32:
    .word 0x0f
    .quad 0

/* A program with CR0.AM and RFLAGS.AC reads a word across its boundary: #AC; its kernel may. The GDT
 * is the kernel's code and data at 10h and 18h (as at boot), the program's at 20h and 28h. */
    .globl trap_guest_alignment
trap_guest_alignment:
    mov %cr3, %rdi
    orl $4, (%rdi)          /* U/S down to the first 2 MiB */
    mov (%rdi), %rax
    and $-0x1000, %rax
    orl $4, (%rax)
    mov (%rax), %rax
    and $-0x1000, %rax
    orl $4, (%rax)
    orl $4, 8(%rax)         /* and the second, the stack */
    invlpg 1f(%rip)
    mov %cr0, %rax
    or $0x40000, %eax       /* AM */
    mov %rax, %cr0
    lea gdt(%rip), %rax
    mov %rax, pointer + 2(%rip)
    lgdt pointer(%rip)
    lea tss(%rip), %rax
    mov %ax, gdt + 0x30 + 2(%rip)
    shr $16, %eax
    mov %al, gdt + 0x30 + 4(%rip)
    mov $0x30, %eax
    ltr %ax
    mov $0x300000 - 0x1000, %rsp
    push $0x2b
    push %rsp
    push $0x40002           /* AC */
    push $0x23
    lea 1f(%rip), %rax
    push %rax
    pushfq
    orl $0x40000, (%rsp)
    popfq
    mov 1(%rsp), %rax       /* the kernel may */
    lea 2f(%rip), %r9
    iretq
1:  mov 1(%rsp), %rax
    ud2
2:  lea 1b(%rip), %rax      /* error code 0, rip */
    sub 8(%rsp), %rax
    or (%rsp), %rax
    lea 1(%rax), %rbx
    hlt
    .balign 8
gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00affb000000ffff, 0x00cff3000000ffff
    .quad 0x0000890000000067, 0
pointer:
    .word 0x3f
    .quad 0
    .balign 8
tss:
    .long 0
    .quad 0x2ff000 - 0x1000 /* RSP0 */
    .fill 92, 1, 0
trap_guest_end:

    .section .note.GNU-stack, "", @progbits
