/*
 * console.c - what is typed: kept until somebody reads it, and made into lines.
 *
 * What arrives by interrupt goes into a ring. A process that reads gets a line at a time, so that
 * the typist can correct it; it is echoed while it is read, so that the console shows what belongs
 * to whom, whenever it was typed. What is printed goes out at once (print.c, priv.h).
 */
#include "kernel.h"

#define RING      256
#define LINE      128
#define BACKSPACE 0x08
#define DELETE    0x7f
#define CTRL_D    0x04

static char ring[RING];
static unsigned ring_in, ring_out; /* count bytes; modulo RING: an index. Equal: empty */

static char line[LINE];
static unsigned line_used, line_read;
static bool echo;

void
console_init(bool with_echo)
{
    echo = with_echo;
    priv_irq_enable(IRQ_CONSOLE);
    priv_console_listen();
}

/* What finds no room stays in the device, and who types there waits; it does not interrupt again. */
static void
receive(void)
{
    int c;
    while (ring_in - ring_out < RING && (c = priv_console_read()) >= 0)
        ring[ring_in++ % RING] = c == '\r' ? '\n' : (char)c;
}

void
console_interrupt(void)
{
    receive();
    proc_wake(ring);
}

/* The next byte that was typed. */
static char
next(void)
{
    for (;;) {
        if (ring_in == ring_out)
            receive();
        if (ring_in != ring_out)
            return ring[ring_out++ % RING];
        proc_sleep(ring);
    }
}

static void
show(const char *bytes, size_t count)
{
    if (echo)
        priv_console_write(bytes, count);
}

/* Fills `line`, until there is an end of line, Ctrl-D (which is not kept), or no room. False: there
 * was nothing but Ctrl-D. Two that read at once share the line somehow, but keep within it. */
static bool
read_line(void)
{
    char c = 0;
    line_used = line_read = 0;
    while (c != '\n') {
        if (line_used == LINE)
            break;
        c = next();
        if (c == CTRL_D)
            return line_used;
        if (c != BACKSPACE && c != DELETE) {
            if (line_used == LINE)
                break;
            show(&c, 1);
            line[line_used++] = c;
        } else if (line_used) {
            line_used--;
            show("\b \b", 3);
        }
    }
    return true;
}

bool
console_has_more(void)
{
    return line_read < line_used;
}

int
console_get(void)
{
    while (!console_has_more())
        if (!read_line())
            return -1;
    return (unsigned char)line[line_read++];
}
