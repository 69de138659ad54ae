/* history.c - snapshots; see history.h. Not written yet. */
#include <errno.h>

#include "debugger/live.h"

int
history_open(struct history **out, struct machine *machine, uint64_t limit, struct error *err)
{
    (void)machine;
    (void)limit;
    *out = NULL;
    return error_set(err, ENOTSUP, "going back is not there yet");
}

void
history_close(struct history *history)
{
    (void)history;
}

void
history_visit(struct history *history)
{
    (void)history;
}

uint64_t
history_due(const struct history *history)
{
    (void)history;
    return UINT64_MAX;
}

void
history_forget_future(struct history *history)
{
    (void)history;
}

void
history_figures(const struct history *history, struct history_figures *figures)
{
    (void)history;
    *figures = (struct history_figures){0};
}
