/*
 * programs.S - the archive: the programs of guests/apps, as files inside the kernel. exec.c finds
 * them by name. The Makefile says which: PROGRAMS.
 */
    .section .rodata.programs, "a", @progbits
    .balign 8
    .globl programs
programs:

    .irp name, PROGRAMS
    .section .rodata
    .balign 16
file_\name:
    .incbin "apps/\name"
end_\name:
name_\name:
    .asciz "\name"
    .section .rodata.programs
    .quad name_\name, file_\name, end_\name
    .endr

    .quad 0, 0, 0
