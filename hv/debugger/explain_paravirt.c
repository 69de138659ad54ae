/*
 * explain_paravirt.c - what a paravirtual guest's exit means: a hypercall, a system call, an event,
 * or a fault that the kernel gets.
 *
 * Called by explain.c and context.c. Next: explain_end.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "strategy/paravirt/paravirt.h"

/* Is an #UD of a program its system call? The two bytes at rip tell. */
static bool
is_system_call(const struct subject *s)
{
    uint8_t bytes[X86_INSN_MAX];

    return s->exit.kind == TRACE_EXCEPTION && s->exit.user && s->exit.exception.vector == VEC_UD &&
           machine_fetch(s->machine, SPACE_LINEAR, s->exit.rip, bytes, NULL) >= 2 &&
           bytes[0] == 0x0f && bytes[1] == 0x05;
}

char *
explain_paravirt_cause(const struct subject *s, char *text, size_t size)
{
    text[0] = 0;
    if (s->exit.kind != TRACE_EXCEPTION)
        return text;
    if (is_system_call(s))
        snprintf(text, size, "cause: SYSCALL of a user program, for the guest's kernel");
    else
        snprintf(text, size, "cause: a fault or INT of the guest's, for its kernel");
    return text;
}

static void
say_hypercall(const struct subject *s)
{
    uint64_t number = s->exit.hypercall.number;
    const struct where *where = where_hypercall(number);
    const struct hypercall *row = number < HC_COUNT ? &paravirt_hypercalls[number] : NULL;
    char a[DECODE_SIZE], b[DECODE_SIZE];

    explain_say(s, "Why",
                "The kernel was built for a VMM: where it would need a privileged "
                "instruction it asks, by INT 82h with the number in RAX. The real IDT has "
                "no such gate, so the processor raises #GP with error code 82h * 8 + 2; "
                "that is the exit.");
    where_text(where_is(AT_PV_HYPERCALL), a, sizeof(a));
    if (!where || !row) {
        explain_say(s, "VMM", "%s knows no hypercall %" PRIu64 ": the result is -ENOSYS (-38).", a,
                    number);
        return;
    }
    explain_say(s, "VMM", "%s looks in its table, row %" PRIu64 ", '%s': %s does it.", a, number,
                row->name, where_text(where, b, sizeof(b)));
    explain_say(s, "", "%s(%s): %s", row->name, row->arguments, row->text);
    explain_say(s, "Guest",
                s->edge == EDGE_IN && s->has_regs && number != HC_IRET
                    ? "RAX is %" PRId64 ", the result; the other registers are as before."
                    : "RAX will hold the result, negative for an error; the other "
                      "registers stay.",
                s->has_regs ? (int64_t)s->regs.gpr[X86_RAX] : 0);
    explain_say(s, "Manual", "docs/HYPERCALLS.md; Barham et al. 2003 (Xen)");
}

static void
say_exception(const struct subject *s)
{
    bool call = is_system_call(s);
    char a[DECODE_SIZE], b[DECODE_SIZE];

    where_text(where_is(AT_PV_ON_EXIT), a, sizeof(a));
    if (call) {
        explain_say(s, "Why",
                    "A program executed SYSCALL. The real EFER.SCE is clear, so it is #UD, "
                    "and every exception reaches the VMM.");
        explain_say(s, "VMM",
                    "%s knows it by its two bytes; %s builds the frame on the kernel's "
                    "stack and enters the kernel where HC_SET_SYSCALL said.",
                    a, where_text(where_is(AT_PV_SYSCALL), b, sizeof(b)));
        explain_say(s, "Guest",
                    "Its kernel's system call entry runs; RCX and R11 are as SYSCALL "
                    "leaves them.");
        explain_say(s, "Manual", "SDM vol. 2, SYSCALL; docs/HYPERCALLS.md, Traps and system calls");
        return;
    }
    explain_say(s, "Why",
                "Every exception of a guest at CPL 3 reaches the VMM, for the guest has no "
                "IDT of its own.");
    explain_say(s, "VMM",
                "%s: if it is the kernel's, %s first asks whether it executed a privileged "
                "instruction, which would end the run.",
                a, where_text(where_is(AT_PV_CHECK_KERNEL), b, sizeof(b)));
    explain_say(s, "", "Then %s builds the frame and enters the handler of HC_SET_TRAPS.",
                where_text(where_is(AT_PV_TRAP), b, sizeof(b)));
    explain_say(s, "Guest", "Its handler runs with the frame that the processor would have built.");
    explain_say(s, "Manual", "docs/HYPERCALLS.md, Traps and system calls; SDM vol. 3, 6.14");
}

void
explain_paravirt(const struct subject *s)
{
    if (s->exit.kind == TRACE_HYPERCALL)
        say_hypercall(s);
    else if (s->exit.kind == TRACE_EXCEPTION)
        say_exception(s);
    else
        explain_hardware(s);
}
