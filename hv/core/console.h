/*
 * console.h - the other end of the guest's serial line: a terminal, a pty, a file or a buffer.
 *
 * Output is gathered and written in one call: no system call happens per byte. Input is polled by
 * the run loop at points of guest time and recorded, so that a run can be repeated.
 */
#ifndef HV_CORE_CONSOLE_H
#define HV_CORE_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/error.h"

#define CONSOLE_BUFFER 4096

struct console {
    int in, out;          /* file descriptors, -1: none */
    bool eof;             /* input has ended */
    bool raw;             /* `in` is a terminal that was set to raw mode */
    bool close_fds;
    struct termios saved;
    uint8_t buffer[CONSOLE_BUFFER];
    size_t used;
    /* Everything written since the start, when keep is set: for tests and comparisons. */
    bool keep;
    uint8_t *kept;
    size_t kept_size, kept_room;
    uint64_t bytes_out, bytes_in, write_errors;
};

/* "stdio", "pty" (its name is printed to stderr), "null", or "file:PATH" (output only).
 * 0 or -errno with a sentence. */
int console_open(struct console *con, const char *what, struct error *err);
/* Flushes, restores the terminal, closes what was opened. */
void console_close(struct console *con);
void console_put(struct console *con, uint8_t byte);
void console_flush(struct console *con);
/* The next byte that has come in, or -1 if there is none now. Never blocks. */
int console_get(struct console *con);
/* Sleeps until input comes or ns have passed. True if there may be input. */
bool console_wait(struct console *con, uint64_t ns);

#endif
