/*
 * progress.c - see progress.h.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/progress.h"

#define QUIET UINT64_C(1000000000) /* ns: what ends within them has no progress */
#define EVERY UINT64_C(200000000)

void
progress_begin(struct progress *p, const char *what)
{
    *p = (struct progress){.what = what, .terminal = isatty(STDERR_FILENO)};
    p->since = p->last = now_ns();
}

void
progress_say(void *context, uint64_t done, uint64_t total)
{
    struct progress *p = context;
    uint64_t now = p->terminal ? now_ns() : 0;

    if (!p->terminal || now - p->since < QUIET || now - p->last < EVERY)
        return;
    p->last = now;
    p->shown = true;
    fprintf(stderr, "\rhv: %s: %3u %%\033[K", p->what,
            (unsigned)(total ? 100.0 * (double)done / (double)total : 100));
    fflush(stderr);
}

void
progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
