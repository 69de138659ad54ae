/*
 * isa_journey_guest.S - a program that goes through every mode and ring, for isa_journey.c.
 *
 * It is copied to 0x8000 and started there in real mode. At each station it writes a letter to
 * the log (STOSB: DI points into the log all the time); isa_journey.c knows the order. Handlers
 * of faults step over the instruction and write a letter of their own.
 */
#define BASE  0x8000
#define A(x)  ((x) - image + BASE)
#define LOG   0x600
#define PAGES 0x40000

#define KCODE  0x08
#define KDATA  0x10
#define UCODE  0x1b
#define UDATA  0x23
#define TSS32  0x28
#define GATE   0x33 /* call gate of DPL 3 to ring 0, 32-bit, two parameters */
#define KCODE64 0x40 /* SYSCALL: CS, then SS */
#define KDATA64 0x48
#define UCODE32 0x53 /* SYSRET: 32-bit CS, SS, 64-bit CS */
#define UDATA64 0x5b
#define UCODE64 0x63
#define TSS64  0x68 /* 16 bytes */
#define GATE64 0x7b /* 16 bytes */

    .macro note letter
    movb $\letter, %al
    stosb
    .endm

    .section .rodata
    .balign 16
    .globl isa_journey_image, isa_journey_end
isa_journey_image:
image:

/* --- real mode ------------------------------------------------------------------------------ */
    .code16
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7000, %sp
    movl $LOG, %edi
    movw $A(real_int), 0x21 * 4
    movw %ax, 0x21 * 4 + 2
    note 'R'
    int $0x21
    lcall $BASE >> 4, $(real_call - image)
    note 'E'
    lgdtl A(gdt_pointer)
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $KCODE, $A(protected)

real_int:
    note 'r'
    iret
real_call:
    note 'c'
    lret

/* --- protected mode, ring 0 ------------------------------------------------------------------ */
    .code32
protected:
    movw $UDATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw $KDATA, %ax
    movw %ax, %ss
    movl $0x7000, %esp
    lidtl A(idt_pointer)
    movw $TSS32, %ax
    ltr %ax
    movl $0x174, %ecx /* IA32_SYSENTER_CS: needs KCODE, KDATA, UCODE, UDATA in a row */
    movl $KCODE, %eax
    xorl %edx, %edx
    wrmsr
    incl %ecx
    movl $0x7000, %eax
    wrmsr
    incl %ecx
    movl $A(sysenter_entry), %eax
    wrmsr
    note 'P'
    int $0x30
    pushl $UDATA
    pushl $0x7800
    pushl $0x202
    pushl $UCODE
    pushl $A(user)
    iret

/* --- protected mode, ring 3 ------------------------------------------------------------------ */
user:
    note 'U'
    pushl $'p'
    pushl $'q'
    lcall $GATE, $0
    int $0x30
    movl %esp, %ecx
    movl $A(after_sysenter), %edx
    sysenter
after_sysenter:
    note 's'
    cli            /* #GP: IOPL is 0 */
    xorl %ebx, %ebx
    divb %bl       /* #DE */
    movb $0x7f, %al
    addb $1, %al
    into           /* #OF */
    int3
    boundl %ebx, A(bounds) /* #BR */
    movw %bx, %fs
    movb %fs:(%ebx), %al   /* #GP: null selector */
    int $0x31
    note '?'

/* Handlers. #DE, #GP and #BR step over two bytes, one, six, or three, as the stack says. */
trap30:
    note 'T'
    iret
on_divide:
    note 'd'
    addl $2, (%esp)
    iret
on_overflow:
    note 'o'
    iret
on_breakpoint:
    note '3'
    iret
on_bound:
    note 'b'
    addl $6, (%esp)
    iret
on_protection:
    note 'g'
    movl 4(%esp), %eax
    cmpb $0x64, (%eax) /* an FS prefix: movb %fs:(%ebx), %al has three bytes, CLI one */
    jne 1f
    addl $2, 4(%esp)
1:  incl 4(%esp)
    addl $4, %esp
    iret
gate_entry:
    note 'G'
    movb 12(%esp), %al /* pushed first, so it lies higher */
    stosb
    movb 8(%esp), %al
    stosb
    lret $8
sysenter_entry:
    note 'S'
    sysexit

/* --- to long mode ----------------------------------------------------------------------------- */
trap31:
    note 'K'
    movl $0x7000, %esp
    movl $(PAGES + 0x1007), PAGES
    movl $(PAGES + 0x2007), PAGES + 0x1000
    movl $0x87, PAGES + 0x2000 /* one page of 2 MiB, for all */
    movl $PAGES, %eax
    movl %eax, %cr3
    movl $0x20, %eax /* PAE */
    movl %eax, %cr4
    movl $0xc0000080, %ecx
    movl $0x101, %eax /* LME, SCE */
    xorl %edx, %edx
    wrmsr
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    note 'C'
    ljmp $KCODE64, $A(long_mode)

    .code64
long_mode:
    note 'L'
    lidt A(idt64_pointer)
    movw $TSS64, %ax
    ltr %ax
    movl $0xc0000081, %ecx /* STAR, LSTAR, SFMASK */
    movl $((UCODE32 << 16) | KCODE64), %edx
    xorl %eax, %eax
    wrmsr
    incl %ecx
    xorl %edx, %edx
    movl $A(syscall_entry), %eax
    wrmsr
    movl $0xc0000084, %ecx
    movl $0x200, %eax
    wrmsr
    movl $0xc0000102, %ecx /* KERNEL_GS_BASE */
    movl $A(kernel_data), %eax
    wrmsr
    movl $A(user64), %ecx
    movl $0x202, %r11d
    movl $0x7800, %esp
    sysretq

user64:
    note 'u'
    syscall
    note 'v'
    ud2                        /* its handler has an IST stack */
    movb 0x200000, %al         /* #PF: not mapped */
    pushq $UCODE32
    pushq $A(compat)
    lretq                      /* to compatibility mode, same ring */

syscall_entry:
    swapgs
    movb %gs:0, %al
    stosb
    swapgs
    sysretq
on_undefined:
    note 'i'
    addq $2, (%rsp)
    iretq
on_page_fault:
    note 'f'
    movq %cr2, %rax
    cmpq $0x200000, %rax
    jne 1f
    note '2'
1:  addq $7, 8(%rsp)
    addq $8, %rsp
    iretq

    .code32
compat:
    note 'm'
    int $0x32
    note 'n'
    lcall $GATE64, $0
    note '?'

    .code64
trap32:
    note 'h'
    iretq
gate64_entry:
    note 'X'
    hlt

/* --- tables ----------------------------------------------------------------------------------- */
    .balign 8
bounds:
    .long 1, 2
kernel_data:
    .byte 'k'

    .macro segment access, flags /* flat, with the limit in 4-KiB units */
    .word 0xffff, 0
    .byte 0, \access, 0xf | \flags, 0
    .endm
    .macro gate32 selector, access, count, target
    .word A(\target), \selector
    .byte \count, \access
    .word 0
    .endm
    .macro gate64 selector, access, ist, target
    gate32 \selector, \access, \ist, \target
    .quad 0
    .endm
    .macro tss base
    .word 0x67, A(\base)
    .byte 0, 0x89, 0, 0
    .endm

    .balign 8
gdt:
    .quad 0
    segment 0x9a, 0xc0 /* KCODE */
    segment 0x92, 0xc0 /* KDATA */
    segment 0xfa, 0xc0 /* UCODE */
    segment 0xf2, 0xc0 /* UDATA */
    tss tss32          /* TSS32 */
    gate32 KCODE, 0xec, 2, gate_entry
    .quad 0
    segment 0x9a, 0xa0 /* KCODE64 */
    segment 0x92, 0xc0 /* KDATA64 */
    segment 0xfa, 0xc0 /* UCODE32 */
    segment 0xf2, 0xc0 /* UDATA64 */
    segment 0xfa, 0xa0 /* UCODE64 */
    tss tss64          /* TSS64 */
    .quad 0
    gate64 KCODE64, 0xec, 0, gate64_entry
gdt_end:

idt:
    gate32 KCODE, 0x8e, 0, on_divide
    .quad 0, 0
    gate32 KCODE, 0xee, 0, on_breakpoint
    gate32 KCODE, 0xef, 0, on_overflow
    gate32 KCODE, 0x8e, 0, on_bound
    .fill 7, 8, 0
    gate32 KCODE, 0x8f, 0, on_protection
    .fill 34, 8, 0
    gate32 KCODE, 0xef, 0, trap30
    gate32 KCODE, 0xee, 0, trap31
idt_end:

idt64:
    .fill 12, 8, 0
    gate64 KCODE64, 0x8e, 1, on_undefined
    .fill 14, 8, 0
    gate64 KCODE64, 0x8e, 0, on_page_fault
    .fill 70, 8, 0
    gate64 KCODE64, 0xee, 0, trap32
idt64_end:

tss32: /* ESP0, SS0 */
    .long 0, 0x7000, KDATA
    .fill 23, 4, 0
tss64: /* RSP0; IST1 */
    .long 0, 0x7000, 0
    .fill 6, 4, 0
    .long 0x6800
    .fill 16, 4, 0

gdt_pointer:
    .word gdt_end - gdt - 1
    .long A(gdt)
idt_pointer:
    .word idt_end - idt - 1
    .long A(idt)
idt64_pointer:
    .word idt64_end - idt64 - 1
    .quad A(idt64)
isa_journey_end:

    .section .note.GNU-stack, "", @progbits
