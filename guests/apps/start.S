/* start.S - where a program begins: rsp points to argc, argv[0], ... (exec.c of minios, or Linux). */
    .text
    .globl _start
_start:
    xor %ebp, %ebp
    mov (%rsp), %rdi
    lea 8(%rsp), %rsi
    call main
    mov %eax, %edi
    mov $60, %eax   /* exit(what main returned) */
    syscall
