/*
 * source_step.c - see source_step.h: forwards.
 *
 * A line is left instruction by instruction. Where that enters a function that is not to be looked
 * into, or an interrupt came, the machine runs at full speed to the return address; the frame tells
 * whether it is this call that returned or a recursion's. All is made of debugger_go(), so that the
 * user's stops, Ctrl-C and the end of the machine count at every moment.
 *
 * Next: source_back.c.
 */
#include <errno.h>
#include <string.h>

#include "debugger/source_step.h"
#include "isa/x86/insn.h"

int
source_here(struct debugger *debugger, struct source_place *place, struct error *err)
{
    int rc = stack_first(debugger, &place->frame, err);

    if (rc)
        return rc;
    place->caller_known = stack_caller(debugger, &place->frame, &place->caller);
    if (!symbols_line(debugger->machine->symbols, place->frame.rip, &place->file, &place->line))
        place->file = NULL;
    return 0;
}

bool
source_same_call(const struct source_place *a, const struct source_place *b)
{
    if (a->caller_known != b->caller_known)
        return false;
    return !a->caller_known || a->caller.cfa == b->caller.cfa;
}

bool
source_same_line(const struct source_place *a, const struct source_place *b)
{
    return a->file && b->file && a->line == b->line && !strcmp(a->file, b->file) &&
           source_same_call(a, b);
}

int
source_one(struct debugger *debugger, bool back, struct stop *stop, struct error *err)
{
    const struct go go = {.back = back, .instructions = 1};

    return debugger_go(debugger, &go, stop, err);
}

/* --- to a return address -------------------------------------------------------------------------- */

/* Where a call returns to, and in which address space, for a user's code. */
struct target {
    const struct symbols_frame *caller;
    uint64_t cr3;
    bool user;
};

/* The stack is as high as where the frame ends: that call has returned (SDM vol. 2, RET). Behind an
 * interrupt it is what it was. */
static bool
has_returned(void *context, struct machine *machine)
{
    const struct target *target = context;
    const struct symbols_frame *caller = target->caller;
    struct x86_regs regs;

    if (machine->ops->get_regs(machine, &regs, NULL))
        return true;
    if (x86_cpl(&regs) == 3 && target->user && regs.cr3 != target->cr3)
        return false; /* another process, at the same address */
    if (caller->interrupted)
        return !(caller->known >> X86_RSP & 1) || regs.gpr[X86_RSP] == caller->gpr[X86_RSP];
    return regs.gpr[X86_RSP] >= caller->cfa;
}

int
source_run_to_caller(struct debugger *debugger, const struct symbols_frame *caller, bool back,
                     struct stop *stop, struct error *err)
{
    const struct stop_point place = {.address = caller->rip, .size = 1, .kind = STOP_EXECUTE};
    struct x86_regs regs;
    int rc = debugger->machine->ops->get_regs(debugger->machine, &regs, err);

    if (rc)
        return rc;
    /* An interrupt has left the user's address space as it was, as far as minios and Linux go. */
    struct target target = {caller, regs.cr3, x86_cpl(&regs) == 3 || caller->interrupted};
    const struct go go = {.back = back, .place = &place, .here = has_returned, .context = &target};
    return debugger_go(debugger, &go, stop, err);
}

int
source_finish(struct debugger *debugger, struct stop *stop, struct error *err)
{
    struct source_place here;
    int rc = source_here(debugger, &here, err);

    if (rc)
        return rc;
    if (!here.caller_known)
        return error_set(err, ENOENT, "nobody called this function, as far as the stack tells");
    return source_run_to_caller(debugger, &here.caller, false, stop, err);
}

/* --- to another line ------------------------------------------------------------------------------ */

/*
 * Has the last instruction called a function? Then the return address, a little behind that
 * instruction, is what the stack begins with: now->caller is made to say so, whatever is known of the
 * function's frame. Or did an interrupt or a system call come in between?
 */
static bool
was_called(struct debugger *debugger, const struct source_place *before, struct source_place *now)
{
    struct machine *m = debugger->machine;
    uint64_t rsp = now->frame.gpr[X86_RSP], top = before->frame.gpr[X86_RSP], back = 0;
    size_t size = top - rsp;

    if (now->caller_known && now->caller.interrupted && !source_same_call(before, now))
        return true;
    if ((size != 4 && size != 8) || now->frame.rip - before->frame.rip - 1 < X86_INSN_MAX ||
        m->ops->read(m, SPACE_LINEAR, rsp, &back, size, NULL) ||
        back - before->frame.rip - 1 >= X86_INSN_MAX)
        return false;
    now->caller = (struct symbols_frame){.rip = back, .called = true, .cfa = top};
    now->caller_known = true;
    return true;
}

/* In a function that was called: over it, or to its body. *done: that is the step. */
static int
in_callee(struct debugger *debugger, struct source_place *now, enum source_step how,
          struct stop *stop, bool *done, struct error *err)
{
    struct symbols *symbols = debugger->machine->symbols;
    uint64_t start, end;

    *done = false;
    if (how != SOURCE_INTO || now->caller.interrupted || !now->file ||
        !symbols_function(symbols, now->frame.rip, &start, &end) || start != now->frame.rip)
        return source_run_to_caller(debugger, &now->caller, false, stop, err);
    *done = true;
    const struct stop_point place = {
        .address = symbols_body(symbols, start), .size = 1, .kind = STOP_EXECUTE};
    const struct go go = {.place = &place};
    if (place.address != start)
        return debugger_go(debugger, &go, stop, err);
    return 0;
}

/* Is the step done, in the same call of the function as before or in an outer one? */
static bool
line_is_new(struct debugger *debugger, const struct source_place *begin,
            const struct source_place *now, enum source_step how)
{
    bool outer = begin->caller_known && now->frame.gpr[X86_RSP] >= begin->caller.cfa;

    if (!now->file)
        return false;
    if (outer) /* back in the caller, amid its line */
        return true;
    if (how == SOURCE_UNTIL && begin->file && now->frame.rip <= begin->frame.rip)
        return false;
    return !source_same_line(begin, now) &&
           symbols_line_begins(debugger->machine->symbols, now->frame.rip);
}

int
source_forward(struct debugger *debugger, enum source_step how, struct stop *stop,
               struct error *err)
{
    struct source_place begin, before, now;
    bool done = false;
    int rc = source_here(debugger, &begin, err);

    *stop = (struct stop){.why = STOP_DONE};
    now = begin;
    while (!rc && !done) {
        before = now;
        rc = source_one(debugger, false, stop, err);
        if (rc || stop->why != STOP_DONE || (rc = source_here(debugger, &now, err)))
            break;
        if (was_called(debugger, &before, &now)) {
            rc = in_callee(debugger, &now, how, stop, &done, err);
            if (rc || done || stop->why != STOP_DONE || (rc = source_here(debugger, &now, err)))
                break;
        }
        done = line_is_new(debugger, &begin, &now, how);
    }
    return rc;
}
