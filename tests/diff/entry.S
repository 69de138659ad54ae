/*
 * entry.S - the way into and out of the signal handler of tests/diff's child.
 *
 * A case may have changed what C relies on and the kernel leaves alone when it delivers a signal:
 * RFLAGS.AC and NT, the data segment registers, the base of FS (thread-local storage). They are
 * noted in diff_user, replaced by the child's own, and loaded from there again before the handler
 * returns to the kernel - the next case's, if diff_handle() has put them there.
 */
        .text
        .globl  diff_entry
        .type   diff_entry, @function
diff_entry:
        pushq   $0x202
        popfq
        movw    %ds, diff_user+0(%rip)
        movw    %es, diff_user+2(%rip)
        cmpl    $0, diff_fsgsbase(%rip)
        je      1f
        movw    %fs, diff_user+4(%rip)
        movw    %gs, diff_user+6(%rip)
        rdfsbase %rax
        movq    %rax, diff_user+8(%rip)
        rdgsbase %rax
        movq    %rax, diff_user+16(%rip)
        movq    diff_own_fs(%rip), %rax
        wrfsbase %rax
1:      subq    $8, %rsp
        call    diff_handle
        addq    $8, %rsp
        movw    diff_user+0(%rip), %ds
        movw    diff_user+2(%rip), %es
        cmpl    $0, diff_fsgsbase(%rip)
        je      2f
        movw    diff_user+4(%rip), %fs  /* loads a base as well, so it goes first */
        movw    diff_user+6(%rip), %gs
        movq    diff_user+8(%rip), %rax
        wrfsbase %rax
        movq    diff_user+16(%rip), %rax
        wrgsbase %rax
2:      ret
        .size   diff_entry, .-diff_entry
        .section .note.GNU-stack,"",@progbits
