/*
 * soft_guest.S - a kernel for the tests of engine soft (soft_state.c, soft_stops.c): each turn it does what
 * caches get wrong. Copied to 0x100000, mapped one to one; its IDT sends #PF to soft_guest_fault and
 * interrupts to soft_guest_tick. Ends with HLT while interrupts are off.
 *
 *   r15  the page table entry of r14     r13  the page that r14 is mapped to: data and code
 *   r11  turns left     r12  interrupts     r10  calls     r9  page faults
 */
#define ENTRY 0x390003 /* present, writable */

    .section .rodata
    .balign 16
    .globl soft_guest_image, soft_guest_end, soft_guest_fault, soft_guest_tick, soft_guest_called
    .globl soft_guest_start, soft_guest_repeat, soft_guest_patched, soft_guest_copied
    .globl soft_guest_moving, soft_guest_counting, soft_guest_moved
    .globl soft_guest_store, soft_guest_out, soft_guest_sum
soft_guest_image:

/* Under strategy trap a stale translation may go at any time: then the entry is put back. */
soft_guest_fault:
    inc %r9
    movq $ENTRY, (%r15)
    add $8, %rsp
    iretq

soft_guest_tick:
    inc %r12
    iretq

soft_guest_start:
    cld
1:  cli
    movq $ENTRY, (%r15)
    invlpg (%r14)
soft_guest_store:
    mov %r11, (%r14)            /* the TLB has it for writing */
    movq $0, (%r15)             /* gone, and the TLB is not told */
    lea 0x800(%r13), %rax
    call *%rax                  /* now code is decoded from the same page */
    mov %r11, 8(%r14)
    call *%rax
soft_guest_sum:                 /* four bytes: a test puts VMCALL here */
    add %r11, 16(%r14)
    mov (%r14), %rdx
    add %rdx, %r8
    sti
    nop
    add $3, %rdx
    mov $40, %ecx
    lea 0x100(%r13), %rdi
    mov %r13, %rsi
soft_guest_repeat:
    rep movsb
    incb soft_guest_patched + 1(%rip)
soft_guest_patched:
    mov $0, %ebx
    add %rbx, %r8
    pushf
    pop %rdx
    push %r8
    pop %rdx
soft_guest_out:
    out %al, $0x80
    dec %r11
    jnz 1b
    cli
    hlt

/* What lies in the page at r13, offset 0x800. */
soft_guest_called:
    inc %r10
    ret
soft_guest_copied:

/* Lies in the page at r14, which gets another frame while it is executed; the TLB loses the former one
 * to a page that has the same place there, and is told only at the end. In that frame is the same,
 * but for what is counted. */
soft_guest_moving:
    movq $ENTRY + 0x1000, (%r15)
    mov 0x105000, %rax
    out %al, $0x80
soft_guest_counting:
    inc %r10
    invlpg (%r14)
soft_guest_moved:
    inc %r12
    out %al, $0x80
    hlt
soft_guest_end:
    .section .note.GNU-stack, "", @progbits
