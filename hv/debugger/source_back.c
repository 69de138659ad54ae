/*
 * source_back.c - see source_step.h: backwards.
 *
 * To the beginning of the line before: instruction by instruction, until one that does not belong to
 * it, and forward again by one. Behind a function that was called lies its RET; over it, the machine
 * goes back to the function's first instruction at full speed, and by one more to the call.
 *
 * Next: commands_source.c.
 */
#include <errno.h>

#include "debugger/source_step.h"

/* The first instruction of that very call of a function: the return address is on top. */
static bool
at_entry(void *context, struct machine *machine)
{
    const struct symbols_frame *caller = context;
    struct x86_regs regs;

    if (machine->ops->get_regs(machine, &regs, NULL))
        return true;
    return regs.gpr[X86_RSP] == caller->cfa - x86_code_size(&regs);
}

/* From within a call of a function to before it, or to where an interrupt came. */
static int
over_call(struct debugger *debugger, struct source_place *now, struct stop *stop, struct error *err)
{
    uint64_t start, end;

    if (!now->caller_known)
        return error_set(err, ENOENT, "nobody called this function, as far as the stack tells");
    if (now->caller.interrupted)
        return source_run_to_caller(debugger, &now->caller, true, stop, err);
    if (!symbols_function(debugger->machine->symbols, now->frame.rip, &start, &end))
        return error_set(err, ENOENT, "it is not known where this function begins");
    if (now->frame.rip != start) {
        const struct stop_point place = {.address = start, .size = 1, .kind = STOP_EXECUTE};
        const struct go go = {
            .back = true, .place = &place, .here = at_entry, .context = &now->caller};
        int rc = debugger_go(debugger, &go, stop, err);
        if (rc || stop->why != STOP_DONE)
            return rc;
    }
    return source_one(debugger, true, stop, err);
}

int
source_back_to_call(struct debugger *debugger, struct stop *stop, struct error *err)
{
    struct source_place here;
    int rc = source_here(debugger, &here, err);

    return rc ? rc : over_call(debugger, &here, stop, err);
}

/* Back over a RET or IRET: now is deeper than where the stack was. */
static bool
went_deeper(const struct source_place *after, const struct source_place *now)
{
    if (!now->caller_known || source_same_call(after, now))
        return false;
    return now->caller.interrupted || now->caller.cfa <= after->frame.gpr[X86_RSP];
}

int
source_backward(struct debugger *debugger, enum source_step how, struct stop *stop,
                struct error *err)
{
    struct source_place after, now, target;
    int rc = source_here(debugger, &now, err);
    /* Amid a line: to its beginning. At its beginning: to that of the line before. A line's code may
     * be jumped into where no statement of it begins: that is a beginning, too, or no step would
     * ever leave it. */
    bool known = false;
    bool amid = now.file && !symbols_line_begins(debugger->machine->symbols, now.frame.rip);

    *stop = (struct stop){.why = STOP_DONE};
    target = now;
    while (!rc) {
        after = now;
        rc = source_one(debugger, true, stop, err);
        if (rc || stop->why != STOP_DONE || (rc = source_here(debugger, &now, err)))
            break;
        if (went_deeper(&after, &now)) {
            if (how == SOURCE_INTO && now.file && !now.caller.interrupted) {
                target = now; /* its last line */
                known = true;
                amid = false;
                continue;
            }
            rc = over_call(debugger, &now, stop, err);
            if (rc || stop->why != STOP_DONE || (rc = source_here(debugger, &now, err)))
                break;
        }
        known = known || (amid && source_same_line(&target, &now));
        amid = false;
        if (!known && now.file) {
            target = now;
            known = true;
        } else if (known && !source_same_line(&target, &now)) {
            return source_one(debugger, false, stop, err);
        }
    }
    return rc;
}
