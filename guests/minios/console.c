/*
 * console.c - what is typed, until somebody reads it. What is printed goes out at once (print.c,
 * priv.h).
 *
 * trap.c calls console_interrupt(), syscall.c reads.
 */
#include "kernel.h"

#define RING 256

static char ring[RING];
static unsigned ring_in, ring_out; /* count bytes; modulo RING: an index. Equal: empty */

void
console_interrupt(void)
{
    int c;
    while ((c = priv_console_read()) >= 0)
        if (ring_in - ring_out < RING) /* else it is lost, as on a real terminal */
            ring[ring_in++ % RING] = c == '\r' ? '\n' : (char)c;
    proc_wake(TASK_READING);
}

int
console_get(void)
{
    return ring_in == ring_out ? -1 : (unsigned char)ring[ring_out++ % RING];
}
