/* pending.c - whoever adds his part takes the placeholder from here. */
#include "debugger/debugger.h"
#include <inttypes.h>
void
debugger_show_stop(struct debugger *debugger, const struct stop *stop)
{
    const struct machine *m = debugger->machine;
    fprintf(debugger->out, "stop %d exit %" PRIu64 " edge %d icount %" PRIu64 " %s\n", stop->why,
            m->now.exits, m->now.edge, m->now.icount, trace_kinds[m->exit.kind].name);
}
int
machine_open_recording(struct machine *machine, struct trace *trace, struct symbols *symbols,
                       struct error *err)
{
    (void)machine;
    (void)trace;
    (void)symbols;
    return error_set(err, 95, "recordings cannot be opened yet");
}
