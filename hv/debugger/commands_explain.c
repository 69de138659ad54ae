/*
 * commands_explain.c - the command `explain`.
 *
 * Called through the table of commands. Next: explain.c.
 */
#include <errno.h>

#include "debugger/command.h"
#include "debugger/explain.h"

static int
run_explain(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint64_t number = debugger_this_exit(debugger);
    struct subject subject;
    int rc;

    if (*arguments) {
        rc = debug_count(debugger, arguments, &number, err);
        if (rc)
            return rc;
    } else if (debugger->machine->ended) {
        explain_machine_end(debugger);
        return 0;
    } else if (machine_at_inject(debugger->machine)) {
        explain_inject(debugger);
        return 0;
    }
    if (!number)
        return error_set(err, ENOENT, "there was no exit yet: 'stepexit' goes to the first one");
    rc = subject_open(&subject, debugger, number, err);
    if (!rc)
        explain_exit(&subject);
    return rc;
}

const struct debug_command commands_explain[] = {
    {
        .name = "explain",
        .group = "look",
        .arguments = "[N]",
        .summary = "Say why exit N happened and what the VMM does about it",
        .text = "Without N: the present exit, or the last one; at a stop of 'catch inject' the\n"
                "interrupt that is about to be handed over; when the machine has ended, why.\n"
                "What is said depends on the strategy: the same instruction leaves the guest for\n"
                "different reasons. A triple fault is walked back to the exception that was first\n"
                "and to the bit of the table that was bad.",
        .example = "explain 17",
        .complete = COMPLETE_EXPRESSION,
        .run = run_explain,
    },
    {0},
};
