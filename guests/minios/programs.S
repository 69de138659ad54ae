/*
 * programs.S - the programs of guests/apps, as files inside the kernel; exec.c finds them by name.
 */
    .macro program name
    .section .rodata
    .balign 16
file_\name:
    .incbin "\name"
end_\name:
name_\name:
    .asciz "\name"
    .section .rodata.programs, "a", @progbits
    .quad name_\name, file_\name, end_\name
    .endm

    .section .rodata.programs, "a", @progbits
    .balign 8
    .globl programs
programs:
    program count
    program echo
    program lazy
    program nap
    program probe
    program wild
    .section .rodata.programs
    .quad 0, 0, 0
