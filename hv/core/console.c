/*
 * console.c - see console.h.
 *
 * The UART (device/uart16550.c) writes here; the run loop polls input and feeds it to the UART.
 * Output that cannot be delivered is dropped and counted: a guest must not stop because a reader
 * went away, and the user must hear of it (console_status).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/console.h"

#define PREFIX_KEY  0x01 /* Ctrl-A */
#define WAIT_MAX_NS UINT64_C(100000000)

/* ---- opening ---- */

/* Keys come one by one, without echo, Ctrl-C too: they belong to the guest. Output processing
 * stays on, so that a bare newline of ours still returns the carriage. A background job must not
 * touch the terminal: tcsetattr() would stop it (SIGTTOU). */
static void
make_raw(struct console *con)
{
    struct termios t;

    if (!isatty(con->in) || tcgetpgrp(con->in) != getpgrp() || tcgetattr(con->in, &con->saved))
        return;
    t = con->saved;
    t.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | INPCK | ISTRIP | IXON);
    t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
    t.c_cc[VMIN] = 1, t.c_cc[VTIME] = 0;
    con->raw = tcsetattr(con->in, TCSANOW, &t) == 0;
}

/* We keep the user's end open, raw: without it, output would be echoed back as the guest's input,
 * and reading would fail whenever the user's program goes away. The pair never blocks us: what
 * does not fit because nobody reads is lost, and counted. */
static int
open_pty(struct console *con, struct error *err)
{
    struct termios t;
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, con->name, sizeof(con->name)))
        goto fail;
    con->peer = open(con->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (con->peer < 0 || tcgetattr(con->peer, &t))
        goto fail;
    cfmakeraw(&t);
    if (tcsetattr(con->peer, TCSANOW, &t) || fcntl(fd, F_SETFL, O_NONBLOCK))
        goto fail;
    con->in = con->out = fd;
    con->close_fds = true;
    return 0;
fail:;
    int code = errno;
    if (con->peer >= 0)
        close(con->peer);
    if (fd >= 0)
        close(fd);
    con->peer = -1, con->name[0] = 0;
    return error_set(err, code, "cannot make a pty for the console: %s", strerror(code));
}

int
console_open(struct console *con, const char *what, struct error *err)
{
    memset(con, 0, sizeof(*con));
    con->in = con->out = con->peer = -1;
    if (!strcmp(what, "null"))
        return 0;
    if (!strcmp(what, "stdout")) { /* no input: the debugger reads it */
        con->out = STDOUT_FILENO;
        return 0;
    }
    if (!strcmp(what, "stdio")) {
        con->in = STDIN_FILENO, con->out = STDOUT_FILENO;
        make_raw(con);
        return 0;
    }
    if (!strcmp(what, "pty"))
        return open_pty(con, err);
    if (!strncmp(what, "file:", 5) && what[5]) {
        con->out = open(what + 5, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
        if (con->out < 0)
            return error_set(err, errno, "cannot write the console to '%s': %s", what + 5,
                             strerror(errno));
        con->close_fds = true;
        return 0;
    }
    return error_set(err, EINVAL, "'%s' is no console: use stdio, pty, null or file:PATH", what);
}

void
console_close(struct console *con)
{
    console_flush(con);
    if (con->raw)
        tcsetattr(con->in, TCSADRAIN, &con->saved);
    if (con->close_fds) {
        /* A full disk or a network file system may speak up only now. */
        if (con->out >= 0 && close(con->out) && errno != EINTR) {
            con->write_errors++;
            if (!con->write_errno)
                con->write_errno = errno;
        }
        if (con->in >= 0 && con->in != con->out)
            close(con->in);
        if (con->peer >= 0)
            close(con->peer);
    }
    con->raw = con->close_fds = false;
    con->in = con->out = con->peer = -1;
}

void
console_free(struct console *con)
{
    free(con->kept);
    free(con->typed);
    con->kept = con->typed = NULL;
    con->typed_at = con->typed_end = 0;
    con->kept_size = con->kept_room = 0;
}

int
console_status(const struct console *con, struct error *err)
{
    if (!con->write_errors)
        return 0;
    return error_set(err, con->write_errno,
                     "%" PRIu64 " of %" PRIu64 " bytes of console output were lost: %s",
                     con->bytes_lost, con->bytes_out, strerror(con->write_errno));
}

/* ---- output ---- */

static void
lose(struct console *con, size_t bytes, int code)
{
    con->write_errors++;
    con->bytes_lost += bytes;
    if (!con->write_errno)
        con->write_errno = code;
}

/* write() that cannot raise SIGPIPE. The signal is blocked for this thread only, and taken back if
 * the write raised it; whoever else in the process uses pipes keeps their own settings. */
static ssize_t
write_quietly(int fd, const void *data, size_t size)
{
    sigset_t pipe_set, old, pending;

    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
    ssize_t n = write(fd, data, size);
    int code = errno;
    if (n < 0 && code == EPIPE && !sigismember(&pending, SIGPIPE)) {
        static const struct timespec at_once;
        while (sigtimedwait(&pipe_set, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = code;
    return n;
}

/* A reader may pause (a pager), and hv with it, but not for a pty, whose reader may never come, nor for
 * a user who wants to stop: false. write() would wait, too, but not see a signal that came just before;
 * here it waits until ppoll() lets it in. */
static bool
wait_for_room(const struct console *con)
{
    struct pollfd p = {.fd = con->out, .events = POLLOUT};
    sigset_t all, was;
    int ready = poll(&p, 1, 0);

    if (ready > 0 || con->peer >= 0)
        return true; /* there is room; or write() says at once that there is none */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    while (ready <= 0 && !(con->stop && *con->stop))
        ready = ppoll(&p, 1, NULL, &was);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return ready > 0;
}

void
console_flush(struct console *con)
{
    size_t done = 0;

    while (done < con->used && con->out >= 0) {
        bool room = wait_for_room(con);
        ssize_t n = room ? write_quietly(con->out, con->buffer + done, con->used - done) : 0;
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && (errno == EINTR || (errno == EAGAIN && con->peer < 0))) {
            continue;
        } else if (!room) {
            lose(con, con->used - done, EINTR);
            break;
        } else {
            lose(con, con->used - done, n < 0 ? errno : EIO);
            break;
        }
    }
    con->used = 0;
}

static void
keep(struct console *con, uint8_t byte)
{
    if (con->kept_size == con->kept_room) {
        size_t room = con->kept_room ? 2 * con->kept_room : CONSOLE_BUFFER;
        uint8_t *grown = room <= CONSOLE_KEEP_MAX ? realloc(con->kept, room) : NULL;
        if (!grown) {
            lose(con, 1, ENOMEM);
            return;
        }
        con->kept = grown, con->kept_room = room;
    }
    con->kept[con->kept_size++] = byte;
}

void
console_put(struct console *con, uint8_t byte)
{
    if (con->bytes_out++ < con->shown)
        return;
    con->shown = con->bytes_out;
    if (con->keep)
        keep(con, byte);
    if (con->out < 0)
        return;
    con->buffer[con->used++] = con->last = byte;
    if (byte == '\n' || con->used == CONSOLE_BUFFER)
        console_flush(con);
}

void
console_rewind(struct console *con)
{
    con->shown = con->bytes_out;
    if (con->keep && con->kept_size > con->bytes_out)
        con->kept_size = con->bytes_out;
}

/* ---- input ---- */

/* Takes what has come in, without blocking. A terminal's or file's flags are not changed to
 * non-blocking for it: they are shared with the shell that started us. */
static void
fill_input(struct console *con)
{
    struct pollfd p = {.fd = con->in, .events = POLLIN};

    if (con->in < 0 || con->eof || poll(&p, 1, 0) <= 0)
        return;
    ssize_t n = read(con->in, con->input, sizeof(con->input));
    con->input_at = 0;
    con->input_end = n > 0 ? (size_t)n : 0;
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        con->eof = true;
}

/* Passes one key through the Ctrl-A prefix: the byte for the guest, or -1 if it was for us. */
static int
take_key(struct console *con, uint8_t byte)
{
    if (!con->raw)
        return byte;
    if (!con->prefix) {
        con->prefix = byte == PREFIX_KEY;
        return con->prefix ? -1 : byte;
    }
    con->prefix = false;
    if (byte == 'x' || byte == 'X')
        con->quit = true;
    return byte == PREFIX_KEY ? byte : -1;
}

int
console_type(struct console *con, const uint8_t *bytes, size_t size, struct error *err)
{
    size_t left = con->typed_end - con->typed_at;
    uint8_t *all = malloc(left + size + 1);

    if (!all)
        return error_set(err, ENOMEM, "no memory for %zu bytes of input", size);
    if (left)
        memcpy(all, con->typed + con->typed_at, left);
    memcpy(all + left, bytes, size);
    free(con->typed);
    con->typed = all;
    con->typed_at = 0;
    con->typed_end = left + size;
    return 0;
}

int
console_get(struct console *con)
{
    if (console_typed(con)) {
        con->bytes_in++;
        return con->typed[con->typed_at++];
    }
    if (con->input_at == con->input_end) {
        console_flush(con); /* a prompt without newline must be seen before it is answered */
        fill_input(con);
    }
    while (con->input_at < con->input_end) {
        int byte = take_key(con, con->input[con->input_at++]);
        if (byte >= 0) {
            con->bytes_in++;
            return byte;
        }
    }
    return -1;
}

bool
console_wait(struct console *con, uint64_t ns)
{
    struct pollfd p = {.fd = con->eof ? -1 : con->in, .events = POLLIN};
    struct timespec t = {.tv_nsec = (long)(ns < WAIT_MAX_NS ? ns : WAIT_MAX_NS - 1)};

    console_flush(con);
    if (con->input_at < con->input_end)
        return true;
    return ppoll(&p, 1, &t, NULL) > 0; /* a negative fd is ignored: a plain sleep */
}
