/*
 * run_gdb.c - `hv run --gdb WHERE`: the guest waits for a gdb, and goes on alone when it has gone.
 *
 * Called by cmd_run.c. Next: debugger/gdb_server.c.
 */
#include <stdio.h>
#include <string.h>

#include "cli/run_gdb.h"
#include "debugger/debugger.h"
#include "debugger/gdb.h"
#include "loader/symbols.h"

/* To the machine's end, without anybody watching. */
static int
run_alone(struct machine *machine, struct error *err)
{
    const struct machine_goal goal = {0};
    struct stop stop = {.why = STOP_END};

    if (machine->ended)
        return 0;
    machine_resume(machine); /* gdb's last bytes may have come just as it had stopped */
    int rc = machine->vm->asked ? 0 : machine->ops->forward(machine, &goal, &stop, err);
    if (!rc && (stop.why == STOP_INTERRUPTED || (machine->vm->asked && !machine->ended)))
        machine->result.end = RUN_STOPPED;
    return rc;
}

int
run_gdb(struct launch *launch, const struct launch_options *options, const char *where,
        struct run_result *result, struct error *err)
{
    struct machine machine;
    struct debugger debugger;
    bool killed = false;
    int rc = machine_open_live(&machine, &launch->vm, options->trace, err);

    if (rc)
        return rc;
    machine.symbols = NULL;
    rc = debugger_open(&debugger, &machine, stderr, err);
    if (!rc) {
        symbols_open(launch->path, &machine.symbols, NULL);
        fprintf(stderr, "hv: waiting for gdb: target remote %s\n",
                !strncmp(where, "unix:", 5) ? where + 5 : where);
        rc = gdb_serve(&debugger, where, &killed, err);
        if (!rc && killed)
            machine.result.end = RUN_STOPPED;
        else if (!rc)
            rc = run_alone(&machine, err);
        if (!rc)
            *result = machine.result;
        symbols_close(machine.symbols);
        debugger_close(&debugger);
    }
    machine_close(&machine);
    return rc;
}
