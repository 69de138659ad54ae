/*
 * audit_probes.S - one short program for each row of audit.def. They are bytes of data to hv:
 * copied to AUDIT_CODE of a guest, or of a child process of the host, and executed there.
 *
 * RDI is AUDIT_OUT. A probe executes its instruction at audit_<id>_at, stores what it saw, and ends
 * by the word AUDIT_DONE and HLT, which stops a kernel and faults at CPL 3: both end it.
 * Next: audit_guest.c, audit_host.c.
 */
#include "cli/audit_layout.h"

#define IF_AND_IOPL 0x3200
#define EFER        0xc0000080
/* The address of a label where the code will run. */
#define AT(label)   (AUDIT_CODE + (label) - audit_start)

.macro  PROBE id
        .globl  audit_\id, audit_\id\()_at, audit_\id\()_end
        .balign 16
audit_\id:
.endm

/* The instruction that it is about. */
.macro  TEST id
audit_\id\()_at:
.endm

.macro  DONE id
        movq    $1, AUDIT_DONE(%rdi)
audit_\id\()_end:
        hlt
.endm

/* For LAR and LSL: result and ZF of selector %ecx, at out[n] and out[n + 1]. */
.macro  STORE_WITH_ZF n
        sete    %dl
        movzbl  %dl, %edx
        movq    %rax, 8*\n(%rdi)
        movq    %rdx, 8*(\n+1)(%rdi)
.endm

        .section .rodata
        .globl  audit_start, audit_size, audit_faults, audit_int80
        .balign 16
audit_start:

PROBE sgdt
TEST sgdt
        sgdt    (%rdi)
DONE sgdt

PROBE sidt
TEST sidt
        sidt    (%rdi)
DONE sidt

PROBE sldt
        xorl    %eax, %eax
TEST sldt
        sldt    %eax
        movq    %rax, (%rdi)
DONE sldt

PROBE smsw
        xorl    %eax, %eax
TEST smsw
        smsw    %eax
        movq    %rax, (%rdi)
DONE smsw

PROBE pushf
TEST pushf
        pushfq
        popq    %rax
        andl    $IF_AND_IOPL, %eax
        movq    %rax, (%rdi)
DONE pushf

/* Whether IF is clear afterwards is seen from outside. */
PROBE popf
        pushq   $0x2
TEST popf
        popfq
DONE popf

PROBE lar
        xorl    %eax, %eax
        movl    $AUDIT_KERNEL_CS, %ecx
TEST lar
        lar     %ecx, %eax
        STORE_WITH_ZF 0
        xorl    %eax, %eax
        movl    $AUDIT_KERNEL_CS + 3, %ecx
        lar     %ecx, %eax
        STORE_WITH_ZF 2
DONE lar

PROBE lsl
        xorl    %eax, %eax
        movl    $AUDIT_TR, %ecx
TEST lsl
        lsl     %ecx, %eax
        STORE_WITH_ZF 0
        xorl    %eax, %eax
        movl    $AUDIT_KERNEL_DS + 3, %ecx
        lsl     %ecx, %eax
        STORE_WITH_ZF 2
DONE lsl

PROBE verr
        xorl    %eax, %eax
        movl    $AUDIT_KERNEL_DS, %ecx
TEST verr
        verr    %cx
        STORE_WITH_ZF 0
        movl    $AUDIT_KERNEL_DS + 3, %ecx
        verr    %cx
        STORE_WITH_ZF 2
DONE verr

PROBE verw
        xorl    %eax, %eax
        movl    $AUDIT_KERNEL_DS, %ecx
TEST verw
        verw    %cx
        STORE_WITH_ZF 0
        movl    $AUDIT_KERNEL_DS + 3, %ecx
        verw    %cx
        STORE_WITH_ZF 2
DONE verw

PROBE pop
        pushq   $AUDIT_KERNEL_DS
TEST pop
        popq    %gs
        movl    %gs, %eax
        movq    %rax, (%rdi)
DONE pop

/* PUSH CS does not exist in 64-bit mode; FS and GS are left. */
PROBE push
        movl    $AUDIT_USER_DS, %eax
        movl    %eax, %gs
TEST push
        pushq   %gs
        popq    %rax
        movq    %rax, (%rdi)
DONE push

/* The 32-bit form, which both vendors have: it pushes two words of 4 bytes. */
PROBE call
TEST call
        lcall   *call_target(%rip)
call_here:
        movzwl  4(%rsp), %eax
        movq    %rax, (%rdi)
DONE call
call_target:
        .long   AT(call_here)
        .word   AUDIT_KERNEL_CS

PROBE jmp
TEST jmp
        ljmp    *jmp_target(%rip)
jmp_here:
        movl    %cs, %eax
        movq    %rax, (%rdi)
DONE jmp
jmp_target:
        .long   AT(jmp_here)
        .word   AUDIT_KERNEL_CS

/* On a 64-bit Linux that is system call -1 of the 32-bit kind, which there is not. */
PROBE intn
        movl    $-1, %eax
TEST intn
        int     $AUDIT_INT
DONE intn

/* A return to a lower privilege takes the stack from the stack; one to the same does not. */
PROBE ret
        pushq   $AUDIT_USER_DS
        pushq   $AUDIT_USTACK
        pushq   $AUDIT_USER_CS
        pushq   $AT(ret_here)
TEST ret
        lretq
ret_here:
        movq    %rsp, (%rdi)
DONE ret

PROBE str
        xorl    %eax, %eax
TEST str
        str     %eax
        movq    %rax, (%rdi)
DONE str

PROBE mov
TEST mov
        movl    %cs, %eax
        movq    %rax, (%rdi)
DONE mov

PROBE cli
TEST cli
        cli
DONE cli

PROBE rdcr3
TEST rdcr3
        movq    %cr3, %rax
        movq    %rax, (%rdi)
DONE rdcr3

PROBE rdmsr
        movl    $EFER, %ecx
TEST rdmsr
        rdmsr
        movl    %eax, (%rdi)
        movl    %edx, 4(%rdi)
DONE rdmsr

/* The guest's own handlers: of exceptions 0 to 31, 16 bytes each ... */
        .balign 16
audit_faults:
vector = 0
        .rept   32
        .balign 16
        pushq   $vector
        jmp     fault
vector = vector + 1
        .endr
fault:
        popq    %rax
        orl     $AUDIT_FAULT, %eax
        cmpq    $0, AUDIT_OUT + AUDIT_DONE
        jne     1f
        movq    %rax, AUDIT_OUT + AUDIT_DONE
1:      hlt
        jmp     1b

/* ... and of INT 80h. */
audit_int80:
        movq    $1, AUDIT_OUT
        iretq
audit_end:

        .balign 8
audit_size:
        .quad   audit_end - audit_start

        .section .note.GNU-stack, "", @progbits
