/*
 * start.S - pagestress: entry, accesses that may fault, and the page-fault handler.
 *
 * Each probe_* touches one address and returns 1, or 0 if that faulted: the handler skips to
 * `faulted`, which is where every probe goes on. Next: pagestress.c.
 */
    .code64
    .text
    .globl _start
_start:
    lea stack_top(%rip), %rsp
    cld
    call stress_main
1:  cli
    hlt
    jmp 1b

/* int probe_read(uint64_t address, uint64_t *value) */
    .globl probe_read
probe_read:
    mov (%rdi), %rax
    mov %rax, (%rsi)
    mov $1, %eax
    ret

/* int probe_write(uint64_t address, uint64_t value) */
    .globl probe_write
probe_write:
    mov %rsi, (%rdi)
    mov $1, %eax
    ret

/* int probe_run(uint64_t address): calls it; a RET lies there */
    .globl probe_run
probe_run:
    mov %rsp, run_stack(%rip)
    call *%rdi
    movq $0, run_stack(%rip)
    mov $1, %eax
    ret

/* #PF: what was it, and on at `faulted`. A fault inside probe_run's call drops the return address. */
    .globl page_fault_entry
page_fault_entry:
    push %rax
    mov %cr2, %rax
    mov %rax, fault_address(%rip)
    mov 8(%rsp), %rax
    mov %rax, fault_error(%rip)
    incq fault_count(%rip)
    mov run_stack(%rip), %rax
    test %rax, %rax
    jz 1f
    mov %rax, 40(%rsp) /* the interrupted RSP */
    movq $0, run_stack(%rip)
1:  lea faulted(%rip), %rax
    mov %rax, 16(%rsp) /* the interrupted RIP */
    pop %rax
    add $8, %rsp
    iretq
faulted:
    xor %eax, %eax
    ret

/* Any other exception: its frame is a bug of ours or of the machine's. */
    .globl other_entry
other_entry:
    call stress_unexpected

    .bss
    .balign 16
    .globl fault_address, fault_error, fault_count
fault_address: .skip 8
fault_error:   .skip 8
fault_count:   .skip 8
run_stack:     .skip 8
    .skip 8192
stack_top:
