/*
 * commands_gdb.c - `gdbserver`: hands the machine to a gdb for a while, and takes it back.
 *
 * Called through table.c. Next: gdb_server.c.
 */
#include <string.h>

#include "debugger/command.h"
#include "debugger/gdb.h"

static int
run_gdbserver(struct debugger *debugger, const char *arguments, struct error *err)
{
    const char *where = *arguments ? arguments : ":1234";
    bool killed;
    int rc;

    fprintf(debugger->out, "waiting for gdb: target remote %s\n",
            !strncmp(where, "unix:", 5) ? where + 5 : where);
    fflush(debugger->out);
    if (!debugger->machine->interrupted) /* what stopped a command of this script before is over */
        machine_forget_interrupt(debugger->machine);
    rc = gdb_serve(debugger, where, &killed, err);
    machine_forget_interrupt(debugger->machine);
    if (rc)
        return rc;
    fprintf(debugger->out, killed ? "gdb has killed the machine\n" : "gdb is gone\n");
    debugger->quit = killed;
    return 0;
}

/* clang-format off */
const struct debug_command commands_gdb[] = {
    {"gdbserver", NULL, "session", "[:PORT|HOST:PORT|unix:PATH]", "Let a gdb debug the machine (:1234)",
     "Waits until a gdb has come and gone. Without a HOST only this computer can connect.\n"
     "In gdb: 'target remote :1234'; 'monitor COMMAND' executes a command of ours, after\n"
     "one that moves the machine say 'maintenance flush register-cache'.",
     "gdbserver unix:/tmp/hv.gdb", COMPLETE_FILE, COMMAND_LIVE, NULL, run_gdbserver},
    {0},
};
/* clang-format on */
