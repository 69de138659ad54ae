/*
 * back.c - the machine that runs, taken back. See history.h for how.
 *
 * Called through machine_ops. Next: history.c.
 */
#include <errno.h>

#include "debugger/live.h"

static int
cannot(struct machine *machine, struct error *err)
{
    const char *why;

    machine_can_go_back(machine, &why);
    return error_set(err, ENOTSUP, "%s", why);
}

int
live_backward(struct machine *machine, const struct machine_goal *goal, struct stop *stop,
              struct error *err)
{
    (void)goal;
    (void)stop;
    return cannot(machine, err);
}

int
live_seek(struct machine *machine, const struct moment *moment, struct stop *stop,
          struct error *err)
{
    if (moment_compare(&machine->now, moment) > 0)
        return cannot(machine, err);
    live_begin(machine);
    return live_go_to(machine, moment, stop, err);
}
