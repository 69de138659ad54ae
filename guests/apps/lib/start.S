/*
 * start.S - where a program begins: rsp points to argc, argv[0], ... as Linux and minios (exec.c)
 * lay it out. Calls main(argc, argv, envp).
 */
    .text
    .globl _start
_start:
    xor %ebp, %ebp           /* a backtrace ends here */
    mov (%rsp), %rdi
    lea 8(%rsp), %rsi
    lea 16(%rsp,%rdi,8), %rdx
    call main
    mov %eax, %edi
    mov $60, %eax            /* exit(what main returned) */
    syscall
