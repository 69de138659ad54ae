/*
 * file.c - what a process reads and writes by number: the console, and pipes.
 *
 * A process has a table of files; after fork() and dup2() several entries, of several processes,
 * lead to the same file, which counts them. A pipe is a ring of bytes between two files: one only
 * reads, one only writes, and each end sees when the other is gone. Called by syscall.c and proc.c.
 */
#include "kernel.h"

#define MAX_OPEN  64 /* files, of all processes */
#define PIPE_SIZE 2048

struct pipe { /* has a page of its own */
    bool reader, writer;
    unsigned in, out; /* count bytes; modulo PIPE_SIZE: an index. Equal: empty */
    char bytes[PIPE_SIZE];
};

struct file {
    unsigned users; /* entries of the processes' tables; 0: the file is free */
    bool read, write;
    struct pipe *pipe; /* NULL: the console */
};

static struct file files[MAX_OPEN];

/* --- the tables -------------------------------------------------------------------------------- */

static struct file *
file_new(bool read, bool write, struct pipe *pipe)
{
    for (struct file *f = files; f < files + MAX_OPEN; f++)
        if (!f->users) {
            *f = (struct file){1, read, write, pipe};
            return f;
        }
    return NULL;
}

static void
release(struct file *f)
{
    struct pipe *p = f->pipe;
    if (--f->users || !p)
        return;
    if (f->read)
        p->reader = false;
    else
        p->writer = false;
    if (!p->reader && !p->writer)
        pmm_free(p);
    else
        proc_wake(p); /* who waits at the other end has waited for nothing */
}

static int
free_number(struct file *const table[MAX_FILES], int from)
{
    while (from < MAX_FILES && table[from])
        from++;
    return from < MAX_FILES ? from : -EMFILE;
}

static struct file *
file_at(struct file *const table[MAX_FILES], uint64_t fd)
{
    return fd < MAX_FILES ? table[fd] : NULL;
}

void
file_open_console(struct file *table[MAX_FILES])
{
    struct file *f = file_new(true, true, NULL);
    f->users = 3;
    table[0] = table[1] = table[2] = f;
}

void
file_share_all(struct file *to[MAX_FILES], struct file *const from[MAX_FILES])
{
    for (int i = 0; i < MAX_FILES; i++) {
        to[i] = from[i];
        if (to[i])
            to[i]->users++;
    }
}

int
file_close(struct file *table[MAX_FILES], uint64_t fd)
{
    struct file *f = file_at(table, fd);
    if (!f)
        return -EBADF;
    table[fd] = NULL;
    release(f);
    return 0;
}

void
file_close_all(struct file *table[MAX_FILES])
{
    for (int i = 0; i < MAX_FILES; i++)
        file_close(table, i);
}

int
file_dup2(struct file *table[MAX_FILES], uint64_t from, uint64_t to)
{
    struct file *f = file_at(table, from);
    if (!f || to >= MAX_FILES)
        return -EBADF;
    if (from == to)
        return (int)to;
    file_close(table, to);
    f->users++;
    table[to] = f;
    return (int)to;
}

int
file_pipe(struct file *table[MAX_FILES], int fds[2])
{
    struct pipe *p;
    struct file *in, *out;

    fds[0] = free_number(table, 0);
    fds[1] = fds[0] < 0 ? fds[0] : free_number(table, fds[0] + 1);
    if (fds[1] < 0)
        return -EMFILE;
    p = pmm_alloc();
    if (!p)
        return -ENOMEM;
    in = file_new(true, false, p);
    out = in ? file_new(false, true, p) : NULL;
    if (!out) {
        if (in)
            in->users = 0;
        pmm_free(p);
        return -ENFILE;
    }
    p->reader = p->writer = true;
    table[fds[0]] = in;
    table[fds[1]] = out;
    return 0;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* How many bytes lie (or fit) between index `at` and the end of the ring, but not over `a`, `b`. */
static unsigned
piece(unsigned at, uint64_t a, uint64_t b)
{
    uint64_t n = PIPE_SIZE - at % PIPE_SIZE;
    n = n < a ? n : a;
    return (unsigned)(n < b ? n : b);
}

static int64_t
pipe_read(struct pipe *p, uint64_t to, uint64_t size)
{
    uint64_t done = 0;
    while (p->in == p->out) {
        if (!p->writer)
            return 0;
        proc_sleep(p);
    }
    while (done < size && p->in != p->out) {
        unsigned n = piece(p->out, p->in - p->out, size - done);
        int error = space_copy_out(&current->space, to + done, &p->bytes[p->out % PIPE_SIZE], n);
        if (error)
            return done ? (int64_t)done : error;
        p->out += n;
        done += n;
    }
    proc_wake(p); /* there is room now */
    return done;
}

static int64_t
console_read(uint64_t to, uint64_t size)
{
    uint64_t done = 0;
    do {
        int byte = console_get();
        char c = (char)byte;
        int error = byte < 0 ? 0 : space_copy_out(&current->space, to + done, &c, 1);
        if (byte < 0 || error)
            return done ? (int64_t)done : error;
        done++;
    } while (done < size && console_has_more());
    return done;
}

int64_t
file_read(struct file *const table[MAX_FILES], uint64_t fd, uint64_t to, uint64_t size)
{
    struct file *f = file_at(table, fd);
    if (!f || !f->read)
        return -EBADF;
    if (size == 0)
        return 0;
    return f->pipe ? pipe_read(f->pipe, to, size) : console_read(to, size);
}

/* --- writing ----------------------------------------------------------------------------------- */

static int64_t
pipe_write(struct pipe *p, uint64_t from, uint64_t size)
{
    uint64_t done = 0;
    while (done < size) {
        unsigned n = piece(p->in, PIPE_SIZE - (p->in - p->out), size - done);
        int error;
        if (!p->reader)
            proc_kill(SIGPIPE, "nobody reads the pipe");
        if (n == 0) {
            proc_sleep(p);
            continue;
        }
        error = space_copy_in(&current->space, &p->bytes[p->in % PIPE_SIZE], from + done, n);
        if (error)
            return done ? (int64_t)done : error;
        p->in += n;
        done += n;
        proc_wake(p);
    }
    return done;
}

/* Interrupts are off, so one call's bytes stay together. */
static int64_t
console_write(uint64_t from, uint64_t size)
{
    char part[128];
    uint64_t done = 0;
    while (done < size) {
        size_t n = size - done < sizeof(part) ? size - done : sizeof(part);
        int error = space_copy_in(&current->space, part, from + done, n);
        if (error)
            return done ? (int64_t)done : error;
        priv_console_write(part, n);
        done += n;
    }
    return done;
}

int64_t
file_write(struct file *const table[MAX_FILES], uint64_t fd, uint64_t from, uint64_t size)
{
    struct file *f = file_at(table, fd);
    if (!f || !f->write)
        return -EBADF;
    return f->pipe ? pipe_write(f->pipe, from, size) : console_write(from, size);
}
