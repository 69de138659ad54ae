/*
 * guests.S - small guests for tests/kvm: each does one thing and says so by its exits.
 *
 * A test copies the bytes between NAME and NAME_end to CODE (machine.h) and enters there, in real
 * mode or in long mode; nothing depends on where it was linked.
 */
    .section .rodata

    .macro GUEST name
    .globl \name, \name\()_end
    \name:
    .endm

/* --- real mode -------------------------------------------------------------------------------- */
    .code16

GUEST guest_out             /* sizes and forms of OUT */
    mov $0x11223344, %eax
    out %al, $0x40
    out %ax, $0x41
    out %eax, $0x42
    mov $0x1234, %dx
    out %al, %dx
    out %eax, %dx
    hlt
guest_out_end:

GUEST guest_in              /* what was read goes out again */
    mov $0x11223344, %eax
    in $0x40, %al
    out %eax, $0x80
    in $0x41, %ax
    out %eax, $0x80
    mov $0x1234, %dx
    in %dx, %eax
    out %eax, $0x80
    hlt
guest_in_end:

GUEST guest_string          /* OUTS and INS with REP */
    mov $0x2000, %si
    mov $0x1f0, %dx
    mov $5, %cx
    cld
    rep outsb
    mov $0x3000, %di
    mov $3, %cx
    rep insw
    mov %cx, %ax
    out %ax, $0x80          /* 0 */
    mov %di, %ax
    out %ax, $0x80          /* 3006 */
    hlt
guest_string_end:

GUEST guest_mmio            /* ffff:0010 is 100000, where RAM ends */
    mov $0xffff, %ax
    mov %ax, %ds
    movb $0x5a, 0x10
    movl $0x11223344, 0x14
    mov 0x18, %eax
    out %eax, $0x80
    mov 0x100d, %eax        /* 100ffd: three bytes of one page, one of the next */
    out %eax, $0x80
    movw $0x7788, 0xf       /* fffff: one byte of RAM, one beyond */
    hlt
guest_mmio_end:

GUEST guest_rom             /* a write to ROM reaches the VMM and changes nothing */
    mov $0xf000, %ax
    mov %ax, %ds
    mov 0, %al
    out %al, $0x80
    movb $0x5a, 0
    mov 0, %al
    out %al, $0x80
    hlt
guest_rom_end:

GUEST guest_a20             /* ffff:0510 and 0000:0500: one byte while A20 is closed */
    mov $0xffff, %ax
    mov %ax, %ds
    xor %ax, %ax
    mov %ax, %es
    movb $0x11, %es:0x500
    movb $0x22, 0x510
    mov %es:0x500, %al
    out %al, $0x80
    hlt
guest_a20_end:

GUEST guest_spin
    jmp guest_spin
guest_spin_end:

GUEST guest_irq             /* vector 20 counts in BX; the IVT points at guest_irq_handler */
    xor %bx, %bx
    sti
0:  hlt
    mov %bx, %ax
    out %ax, $0x80
    jmp 0b
    .globl guest_irq_handler
guest_irq_handler:
    inc %bx
    iret
guest_irq_end:

GUEST guest_window          /* interrupts open only between STI's successor and CLI */
    xor %bx, %bx
    cli
    mov $0x4000, %cx
    out %al, $0x81
    sti
    nop                     /* still in the shadow of STI */
0:  loop 0b                 /* long: a KVM that emulates looks up only now and then */
    cli
    mov %bx, %ax
    out %ax, $0x80
    hlt
    .globl guest_window_handler
guest_window_handler:
    inc %bx
    iret
guest_window_end:

GUEST guest_step            /* one of each that stepping might get wrong */
    nop
    out %al, $0x80
    nop
    in $0x80, %al
    mov $0x3000, %di
    mov $2, %cx
    rep stosb
    mov %ax, %es:(0xfff0)
    sti
    hlt
    nop
guest_step_end:

GUEST guest_msr             /* IA32_PAT is read and written; 0x4000abcd does not exist: #GP */
    mov $0x277, %ecx
    rdmsr
    out %eax, $0x80
    mov $0x01010101, %eax
    mov $0x01010101, %edx
    wrmsr
    mov $0x4000abcd, %ecx
    rdmsr
    hlt
    .globl guest_msr_handler
guest_msr_handler:
    mov $0xd, %al
    out %al, $0x81
    hlt
guest_msr_end:

GUEST guest_outs_loop       /* for the exits' cost, and for their addresses */
    out %al, $0x80
    jmp guest_outs_loop
guest_outs_loop_end:

/* --- long mode -------------------------------------------------------------------------------- */
    .code64

GUEST guest64_int           /* INT, an exception, and back; vectors 20 and 6 have gates */
    mov $1, %al
    out %al, $0x80
    int $0x20
    ud2
guest64_after_ud2:
    mov $2, %al
    out %al, $0x80
    hlt
    .globl guest64_int_handler, guest64_ud_handler
guest64_int_handler:
    mov $3, %al
    out %al, $0x80
    iretq
guest64_ud_handler:
    mov $4, %al
    out %al, $0x80
    addq $2, (%rsp)         /* over UD2 */
    iretq
guest64_int_end:

GUEST guest64_user          /* to CPL 3 with IOPL 3, a port from there, and back by INT 20 */
    pushq $0x1b             /* SS */
    lea guest64_user(%rip), %rax
    add $0x4000, %rax
    pushq %rax              /* RSP */
    pushq $0x3002           /* RFLAGS: IOPL 3 */
    pushq $0x23             /* CS */
    lea 1f(%rip), %rax
    pushq %rax
    iretq
1:  mov $7, %al
    out %al, $0x80
    int $0x20
    .globl guest64_user_handler
guest64_user_handler:
    mov $8, %al
    out %al, $0x80
    hlt
guest64_user_end:

GUEST guest64_mmio          /* eight bytes at once, and eight across two pages */
    mov $0x100000, %rbx
    movabs $0x1122334455667788, %rax
    mov %rax, (%rbx)
    mov 0x8(%rbx), %rax
    out %eax, $0x80
    mov %rax, 0xffa(%rbx)
    hlt
guest64_mmio_end:

GUEST guest64_step          /* all that is hard to step */
    pushfq                  /* the debugger's TF is not in there */
    popq %rax
    pushq %rax
    popfq
    sti
    nop
    cli
    mov %ss, %ax
    mov %ax, %ss            /* the trap behind it comes late */
    nop
    int $0x20
    int3
    ud2
    xor %eax, %eax
    mov %rax, %rbx
    divl %ebx               /* #DE */
    nop
    mov $0x40000000, %eax
    mov (%rax), %ebx        /* #PF */
    mov $1, %eax
    ror $1, %rax
    mov (%rax), %ebx        /* #GP: not canonical */
    mov $3, %ecx
    lea 0x800(%rip), %rsi
    mov $0x80, %dx
    cld
    rep outsb
    movl $0x12345678, 0x100ffe /* two exits */
    out %al, $0x80
    out %al, $0x80
    in $0x80, %al
    sti
    hlt
    nop
    nop
    hlt
    /* The handlers count in R15; what faulted is left behind. */
    .globl guest64_step_error, guest64_step_trap, guest64_step_fault
guest64_step_error:
    add $8, %rsp            /* over the error code */
guest64_step_fault:         /* each of these instructions has two bytes */
    addq $2, (%rsp)
guest64_step_trap:
    inc %r15
    iretq
guest64_step_end:

GUEST guest64_triple        /* for an IDT that is empty */
    ud2
guest64_triple_end:

GUEST guest64_regs          /* every register, changed by one */
    inc %rax; inc %rcx; inc %rdx; inc %rbx; inc %rsp; inc %rbp; inc %rsi; inc %rdi
    inc %r8; inc %r9; inc %r10; inc %r11; inc %r12; inc %r13; inc %r14; inc %r15
    hlt
guest64_regs_end:

    .section .note.GNU-stack, "", @progbits
