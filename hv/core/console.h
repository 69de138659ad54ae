/*
 * console.h - the other end of the guest's serial line: a terminal, a pty, a file or a buffer.
 *
 * Output is gathered and written in one call: no system call happens per byte. Input is polled by
 * the run loop at points of guest time and recorded, so that a run can be repeated.
 */
#ifndef HV_CORE_CONSOLE_H
#define HV_CORE_CONSOLE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/error.h"

#define CONSOLE_BUFFER   4096
#define CONSOLE_INPUT    256
#define CONSOLE_KEEP_MAX (UINT64_C(64) << 20)

struct console {
    int in, out; /* file descriptors, -1: none */
    bool eof;    /* input has ended */
    bool quit;   /* the user typed Ctrl-A x: the run loop should stop */
    bool raw;    /* `in` is a terminal that was set to raw mode */
    bool prefix; /* Ctrl-A was typed, the next key is a command */
    bool close_fds;
    int peer;      /* pty: our own handle on the user's end, -1: none */
    char name[64]; /* pty: what the user attaches to, for the cli to print; else empty */
    struct termios saved;
    uint8_t buffer[CONSOLE_BUFFER]; /* output not yet written */
    size_t used;
    uint8_t input[CONSOLE_INPUT]; /* read from `in` but not yet taken */
    size_t input_at, input_end;
    /* Everything written since the start, when keep is set: for tests and comparisons. Up to
     * CONSOLE_KEEP_MAX bytes; what does not fit counts as lost. */
    bool keep;
    uint8_t *kept;
    size_t kept_size, kept_room;
    uint8_t last; /* the byte that was put out last: '\n' if a line is complete */
    uint64_t bytes_out, bytes_in;
    uint64_t shown; /* output below it was put out when this part of the run was run before */
    /* Typed at the debugger, not at `in`: taken first. */
    uint8_t *typed;
    size_t typed_at, typed_end;
    uint64_t write_errors; /* failed writes */
    uint64_t bytes_lost;   /* guest output that reached nobody because of them */
    int write_errno;       /* the first one's reason */
    /* The user wants to stop: for a reader that does not read nobody waits any more. NULL: nobody
     * could say so. */
    const volatile sig_atomic_t *stop;
};

/* "stdio", "stdout" (no input), "pty" (its name is put in con->name), "null", or "file:PATH"
 * (output only). * A terminal on stdin is set to raw mode: then Ctrl-A x sets con->quit and Ctrl-A Ctrl-A sends
 * one Ctrl-A, as in QEMU. 0 or -errno with a sentence. */
int console_open(struct console *con, const char *what, struct error *err);
/* Flushes, restores the terminal, closes what was opened. The counters stay for
 * console_status(); kept output stays until console_free(). May be called twice. */
void console_close(struct console *con);
void console_free(struct console *con);
/* After console_close(): 0, or -errno and a sentence that says how much output was lost. */
int console_status(const struct console *con, struct error *err);
/* One byte of output. Written to the host at a newline, when the buffer is full, and by every
 * function here that waits or looks for input. */
void console_put(struct console *con, uint8_t byte);
void console_flush(struct console *con);
/* The run has gone back, and another one begins here: what comes next is put out again. */
void console_rewind(struct console *con);
/* Adds bytes to the input, as if somebody had typed them. 0 or -ENOMEM. */
int console_type(struct console *con, const uint8_t *bytes, size_t size, struct error *err);
/* Is some of it still to be taken? */
static inline bool
console_typed(const struct console *con)
{
    return con->typed_at < con->typed_end;
}
/* The next byte that has come in, or -1 if there is none now. Never blocks. */
int console_get(struct console *con);
/* Sleeps until input comes, a signal arrives, or ns have passed, but 100 ms at most: a stop
 * signal just before the sleep must not be missed for long. True if there is input (or its end)
 * for console_get(). */
bool console_wait(struct console *con, uint64_t ns);

#endif
