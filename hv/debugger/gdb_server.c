/*
 * gdb_server.c - the socket that gdb connects to: one client, one packet at a time.
 *
 * While the machine runs nobody reads the socket; a byte that comes in then (gdb's Ctrl-C) makes the
 * kernel send SIGIO, whose handler stops the machine. The default address is the loopback
 * interface: whoever can connect can read and write the guest.
 *
 * Called by cli/run_gdb.c (`hv run --gdb`) and the command `gdbserver`. Next: gdb_stub.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "debugger/gdb.h"
#include "debugger/session.h"

struct server {
    struct gdb_stub stub;
    struct gdb_input in;
    struct gdb_reply reply;
    char frame[GDB_PACKET + 5];
    size_t frame_size; /* of the last one, for when gdb asks for it again */
    uint8_t bytes[4096];
    size_t at, end; /* received and not yet looked at */
    int fd;
};

/* --- the address -------------------------------------------------------------------------------- */

static int
listen_unix(const char *path, int *out, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(err, ENAMETOOLONG, "gdb: the path '%s' is too long for a socket", path);
    strcpy(address.sun_path, path);
    /* A socket that an earlier run left behind; nothing else is removed. */
    if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
        unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, errno, "gdb: no socket: %s", strerror(errno));
    mode_t mask = umask(0077);
    int failed = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
    umask(mask);
    if (!failed && listen(fd, 1))
        failed = errno;
    if (failed) {
        close(fd);
        return error_set(err, failed, "gdb: cannot listen at '%s': %s", path, strerror(failed));
    }
    *out = fd;
    return 0;
}

/* ":1234", "localhost:1234", "[::1]:1234" */
static int
listen_tcp(const char *where, int *out, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    const char *colon = strrchr(where, ':'), *port = colon ? colon + 1 : where;
    char host[256] = "127.0.0.1";
    struct addrinfo *found;
    int fd = -1, failed = 0, one = 1;

    if (colon && colon > where) {
        size_t length = (size_t)(colon - where);
        bool bracket = where[0] == '[' && colon[-1] == ']';
        if (length >= sizeof(host))
            return error_set(err, EINVAL, "gdb: the host in '%s' is too long", where);
        snprintf(host, sizeof(host), "%.*s", (int)length - 2 * bracket, where + bracket);
    }
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc)
        return error_set(err, EINVAL,
                         "gdb: '%s' is no address: give :PORT, HOST:PORT or unix:PATH (%s)", where,
                         gai_strerror(rc));
    for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 1)) {
            failed = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0)
        return error_set(err, failed ? failed : EINVAL, "gdb: cannot listen at '%s': %s", where,
                         strerror(failed));
    *out = fd;
    return 0;
}

/* --- SIGIO -------------------------------------------------------------------------------------- */

/* Is there something to read now? */
static bool
readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* What the handler may touch; set before a signal can come. */
static struct machine *volatile signal_machine;
static volatile int signal_fd;

/* The signal says that something came in, but it may come late, for bytes that have been read: whoever
 * sent them queued them first and then was not run for a while. So it looks. */
static void
on_sigio(int number)
{
    int saved = errno;

    (void)number;
    if (signal_machine && readable(signal_fd))
        machine_disturb(signal_machine);
    errno = saved;
}

/* From now on a byte from gdb interrupts the machine, or no longer. */
static void
watch_socket(struct server *server, bool on)
{
    int flags = fcntl(server->fd, F_GETFL);

    signal_machine = on ? server->stub.debugger->machine : NULL;
    fcntl(server->fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC);
}

/* The handler stays for good: unhandled, a signal that comes late would end hv. No SA_RESTART: KVM_RUN
 * must come back. */
static void
handle_sigio(struct server *server)
{
    struct sigaction action = {.sa_handler = on_sigio};

    signal_fd = server->fd;
    sigaction(SIGIO, &action, NULL);
    fcntl(server->fd, F_SETOWN, getpid());
}

/* --- bytes -------------------------------------------------------------------------------------- */

static bool
user_asks(const struct debugger *debugger)
{
    return debugger->machine->vm->asked;
}

/* Until there is something at fd; false: the user wants hv to stop. A signal that comes between the
 * question and the waiting would be waited over, so it has to wait itself until ppoll() lets it in. */
static bool
wait_for(const struct debugger *debugger, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    sigset_t all, was;
    int ready = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    while (!user_asks(debugger) && (ready = ppoll(&p, 1, NULL, &was)) < 0 && errno == EINTR)
        ;
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return ready && !user_asks(debugger);
}

/* The next byte: 1; gdb is gone: 0; -EINTR: the user wants hv to stop. */
static int
next_byte(struct server *server, uint8_t *byte)
{
    while (server->at == server->end) {
        if (!wait_for(server->stub.debugger, server->fd))
            return -EINTR;
        ssize_t n = recv(server->fd, server->bytes, sizeof(server->bytes), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        server->at = 0;
        server->end = (size_t)n;
    }
    *byte = server->bytes[server->at++];
    return 1;
}

static bool
send_all(int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

static bool
send_reply(struct server *server)
{
    server->frame_size = gdb_frame(&server->reply, server->frame);
    return send_all(server->fd, server->frame, server->frame_size);
}

/* Text for the user, as an O packet: only while gdb waits for the machine to stop. */
static bool
send_note(struct server *server)
{
    struct gdb_reply note = {.size = 0};
    char frame[sizeof(server->frame)];

    if (!server->stub.note[0])
        return true;
    gdb_put(&note, "O", 1);
    gdb_put_hex(&note, server->stub.note, strlen(server->stub.note));
    server->stub.note[0] = 0;
    return send_all(server->fd, frame, gdb_frame(&note, frame));
}

/* --- one gdb ------------------------------------------------------------------------------------- */

/*
 * Lets the machine go until it stops. Bytes that came in meanwhile stopped it too soon if none of them
 * is Ctrl-C (an acknowledgement that was late): then it goes on.
 */
static void
run_machine(struct server *server)
{
    struct gdb_stub *stub = &server->stub;

    for (;;) {
        machine_resume(stub->debugger->machine);
        watch_socket(server, true);
        if (server->at < server->end ||
            readable(server->fd) || /* it came before the signal could */
            user_asks(stub->debugger))
            machine_disturb(stub->debugger->machine);
        server->reply.size = 0;
        gdb_go(stub, &server->reply);
        watch_socket(server, false);
        if (stub->last.why != STOP_INTERRUPTED || user_asks(stub->debugger))
            return;
        uint8_t byte;
        int got = 1;
        while ((server->at < server->end || readable(server->fd)) &&
               (got = next_byte(server, &byte)) > 0)
            if (byte == 0x03)
                return;
            else if (byte == '$') { /* a packet: what follows is for the loop of serve() */
                server->at--;
                return;
            }
        if (got <= 0) /* gdb is gone, or the user has interrupted hv itself */
            return;
    }
}

/* The reply to a packet. A `monitor` command may run the machine: gdb's leaving stops it. */
static enum gdb_next
answer(struct server *server)
{
    const struct gdb_input *in = &server->in;
    bool monitor = in->size > 6 && !memcmp(in->data, "qRcmd,", 6);
    enum gdb_next next;

    if (monitor) {
        machine_resume(server->stub.debugger->machine);
        watch_socket(server, true);
    }
    next = gdb_answer(&server->stub, in->data, in->size, &server->reply);
    if (monitor)
        watch_socket(server, false);
    return next;
}

/* Answers until gdb leaves. *killed as gdb_serve(). 0 or -EINTR. */
static int
serve(struct server *server, bool *killed)
{
    uint8_t byte;
    int got;

    while ((got = next_byte(server, &byte)) > 0) {
        enum gdb_token token = gdb_feed(&server->in, byte);
        if (token == GDB_AGAIN && !server->stub.no_ack &&
            !send_all(server->fd, server->frame, server->frame_size))
            return 0;
        if (token != GDB_A_PACKET && token != GDB_BAD)
            continue;
        if (!server->stub.no_ack && !send_all(server->fd, token == GDB_BAD ? "-" : "+", 1))
            return 0;
        if (token == GDB_BAD)
            continue;
        enum gdb_next next = answer(server);
        if (next == GDB_RUN)
            run_machine(server);
        *killed = next == GDB_KILL;
        if ((*killed && !server->reply.size) || !send_note(server) || !send_reply(server) ||
            next == GDB_DETACH || *killed)
            return 0;
    }
    return got;
}

/* Waits for gdb to connect. */
static int
accept_one(const struct debugger *debugger, int listener, int *fd, struct error *err)
{
    int one = 1;

    *fd = -1;
    do
        if (!wait_for(debugger, listener))
            return error_set(err, EINTR, "gdb: interrupted before a gdb had come");
    while ((*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0 && errno == EINTR);
    if (*fd < 0)
        return error_set(err, errno, "gdb: cannot accept a connection: %s", strerror(errno));
    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* fails on a unix socket */
    return 0;
}

int
gdb_serve(struct debugger *debugger, const char *where, bool *killed, struct error *err)
{
    bool is_unix = !strncmp(where, "unix:", 5);
    struct server *server;
    int listener, rc;

    *killed = false;
    if (debugger->session->served)
        return error_set(err, EBUSY, "a gdb has the machine already");
    rc = is_unix ? listen_unix(where + 5, &listener, err) : listen_tcp(where, &listener, err);
    if (rc)
        return rc;
    server = calloc(1, sizeof(*server));
    if (!server) {
        close(listener);
        return error_set(err, ENOMEM, "no memory to serve gdb");
    }
    server->stub.debugger = debugger;
    rc = accept_one(debugger, listener, &server->fd, err);
    close(listener);
    if (is_unix)
        unlink(where + 5);
    if (!rc) {
        debugger->session->served = true;
        handle_sigio(server);
        rc = serve(server, killed);
        debugger->session->served = false;
        close(server->fd);
        gdb_forget(&server->stub);
        if (rc)
            error_set(err, EINTR, "gdb: interrupted");
    }
    free(server);
    return rc;
}
