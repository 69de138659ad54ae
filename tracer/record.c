/*
 * record.c - writing a recording; the contract is record.h, the bytes are format.h.
 *
 * The header stays mapped for the whole run; the events are written through a window of WINDOW
 * events that moves along the file. Each window is allocated on disk before it is mapped: a store
 * to a mapped page for which the file system finds no block would end hv with SIGBUS. It is also
 * filled with zeros: a store to a page that is in memory already costs half of one that is not.
 * After the first failure nothing more is recorded, so that a recording is always a run's whole
 * beginning.
 *
 * Called by core/run.c and the engines, from one thread. Next: read.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tracer/format.h"
#include "tracer/record.h"

#define WINDOW     16384u /* events: 768 KiB, some milliseconds of a busy guest */
#define WINDOW_MIN 64u    /* the last try before the disk is called full */

struct recorder {
    struct trace_event *next, *end; /* within the window; equal: no room */
    struct trace_header *header;
    uint64_t count, lost, start;
    uint64_t held;              /* when the clock was stopped; 0: it goes */
    uint64_t behind;            /* so many events of the end come once more: see recorder_seek() */
    struct trace_event scratch; /* takes the events that are lost */
    uint64_t allocated;         /* events that the file has room for */
    void *window;
    size_t window_size; /* bytes */
    void *zeros;        /* WINDOW events, all of them the kernel's one page of zeros */
    int fd;
    bool full, in_scratch;
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t
event_offset(uint64_t number)
{
    return sizeof(struct trace_header) + number * sizeof(struct trace_event);
}

/* Makes the file `size` bytes long, with blocks behind the bytes from `from` on. 0 or -errno. */
static int
file_allocate(int fd, uint64_t from, uint64_t size)
{
    struct rlimit limit;
    int rc;

    /* Beyond RLIMIT_FSIZE the kernel sends SIGXFSZ, which would end hv: so look first. */
    if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
        size > limit.rlim_cur)
        return -EFBIG;
    do
        rc = posix_fallocate(fd, (off_t)from, (off_t)(size - from));
    while (rc == EINTR);
    return -rc;
}

/* Writes zeros, at most a window of them: in one piece, as the kernel then takes large pages. 0 or
 * -errno. */
static int
file_fill(const struct recorder *recorder, uint64_t from, uint64_t size)
{
    while (from < size) {
        ssize_t done = pwrite(recorder->fd, recorder->zeros, (size_t)(size - from), (off_t)from);
        if (done < 0 && errno != EINTR)
            return -errno;
        from += done > 0 ? (uint64_t)done : 0;
    }
    return 0;
}

static void
window_unmap(struct recorder *recorder)
{
    if (recorder->window)
        munmap(recorder->window, recorder->window_size);
    recorder->window = NULL;
    recorder->next = recorder->end = NULL;
}

/* Maps the events that were allocated last. A page need not begin with an event. */
static int
window_map(struct recorder *recorder, uint64_t first, uint64_t events)
{
    uint64_t offset = event_offset(first);
    uint64_t slack = offset % (uint64_t)sysconf(_SC_PAGESIZE);
    size_t size = (size_t)(slack + events * sizeof(struct trace_event));
    void *window = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, recorder->fd,
                        (off_t)(offset - slack));

    if (window == MAP_FAILED)
        return -errno;
    recorder->window = window;
    recorder->window_size = size;
    recorder->next = (struct trace_event *)((char *)window + slack);
    recorder->end = recorder->next + events;
    return 0;
}

/* Moves the window on. A small rest of the disk is still used: halve the step till it fits. */
static int
window_advance(struct recorder *recorder)
{
    uint64_t first = recorder->allocated;
    int rc = -ENOSPC;

    window_unmap(recorder);
    for (uint64_t events = WINDOW; rc && events >= WINDOW_MIN; events /= 2) {
        uint64_t from = event_offset(first), end = event_offset(first + events);
        rc = file_allocate(recorder->fd, from, end);
        if (rc == 0)
            rc = file_fill(recorder, from, end);
        if (rc == 0)
            rc = window_map(recorder, first, events);
        if (rc == 0)
            recorder->allocated = first + events;
    }
    recorder->full = rc != 0;
    return rc;
}

struct trace_event *
recorder_begin(struct recorder *recorder)
{
    struct trace_event *event = recorder->next;

    if (recorder->behind) {
        memset(&recorder->scratch, 0, sizeof(recorder->scratch));
        return &recorder->scratch;
    }
    recorder->in_scratch = false;
    if (event == recorder->end) {
        if (recorder->full || window_advance(recorder)) {
            event = &recorder->scratch;
            recorder->in_scratch = true;
        } else {
            event = recorder->next;
        }
    }
    memset(event, 0, sizeof(*event));
    event->time = (recorder->held ? recorder->held : clock_ns(CLOCK_MONOTONIC)) - recorder->start;
    return event;
}

void
recorder_hold(struct recorder *recorder)
{
    if (!recorder->held)
        recorder->held = clock_ns(CLOCK_MONOTONIC);
}

void
recorder_go_on(struct recorder *recorder)
{
    if (recorder->held)
        recorder->start += clock_ns(CLOCK_MONOTONIC) - recorder->held;
    recorder->held = 0;
}

void
recorder_commit(struct recorder *recorder)
{
    if (recorder->behind) {
        recorder->behind--;
        return;
    }
    if (recorder->in_scratch) {
        __atomic_store_n(&recorder->header->lost, ++recorder->lost, __ATOMIC_RELEASE);
        return;
    }
    recorder->next++;
    __atomic_store_n(&recorder->header->count, ++recorder->count, __ATOMIC_RELEASE);
}

/* Events that were lost have positions too. */
uint64_t
recorder_position(const struct recorder *recorder)
{
    return recorder->count + recorder->lost - recorder->behind;
}

void
recorder_seek(struct recorder *recorder, uint64_t position)
{
    recorder->behind = recorder->count + recorder->lost - position;
}

void
recorder_truncate(struct recorder *recorder)
{
    uint64_t position = recorder_position(recorder);

    recorder->behind = 0;
    if (position >= recorder->count) {
        recorder->lost = position - recorder->count;
        __atomic_store_n(&recorder->header->lost, recorder->lost, __ATOMIC_RELEASE);
        return;
    }
    recorder->count = recorder->allocated = position;
    recorder->lost = 0;
    __atomic_store_n(&recorder->header->count, position, __ATOMIC_RELEASE);
    __atomic_store_n(&recorder->header->lost, 0, __ATOMIC_RELEASE);
    window_advance(recorder); /* if it fails the next event is the first that is lost */
}

uint64_t
recorder_count(const struct recorder *recorder)
{
    return recorder->count;
}

uint64_t
recorder_lost(const struct recorder *recorder)
{
    return recorder->lost;
}

uint8_t
recorder_actor(struct recorder *recorder, const char *name, enum trace_domain domain)
{
    struct trace_header *header = recorder->header;
    struct trace_file_name row = {.group = (uint8_t)domain};
    uint32_t n = header->actor_count;

    snprintf(row.name, sizeof(row.name), "%s", name);
    for (uint32_t i = 0; i < n; i++)
        if (!memcmp(&header->actors[i], &row, sizeof(row)))
            return (uint8_t)i;
    if (n == TRACE_ACTOR_MAX)
        return TRACE_ACTOR_DISPATCHER;
    header->actors[n] = row;
    __atomic_store_n(&header->actor_count, n + 1, __ATOMIC_RELEASE);
    return (uint8_t)n;
}

static void
header_fill(struct trace_header *h, const struct trace_about *about)
{
    memcpy(h->magic, TRACE_MAGIC, TRACE_MAGIC_SIZE);
    h->major = TRACE_MAJOR;
    h->minor = TRACE_MINOR;
    h->header_size = sizeof(*h);
    h->event_size = sizeof(struct trace_event);
    h->actor_count = TRACE_ACTOR_FIRST_FREE;
    h->kind_count = TRACE_KIND_COUNT;
    h->state = TRACE_STATE_OPEN;
    h->clock_hz = TRACE_CLOCK_HZ;
    h->started = clock_ns(CLOCK_REALTIME);
    snprintf(h->engine, sizeof(h->engine), "%s", about->engine ? about->engine : "");
    snprintf(h->strategy, sizeof(h->strategy), "%s", about->strategy ? about->strategy : "");
    snprintf(h->build_id, sizeof(h->build_id), "%s", about->build_id ? about->build_id : "");
    snprintf(h->guest, sizeof(h->guest), "%s", about->guest ? about->guest : "");
    snprintf(h->command, sizeof(h->command), "%s", about->command ? about->command : "");
    for (unsigned i = 0; i < TRACE_ACTOR_FIRST_FREE; i++) {
        snprintf(h->actors[i].name, TRACE_NAME_SIZE, "%s", trace_fixed_actors[i].name);
        h->actors[i].group = (uint8_t)trace_fixed_actors[i].domain;
    }
    for (unsigned i = 0; i < TRACE_KIND_COUNT; i++) {
        snprintf(h->kinds[i].name, TRACE_NAME_SIZE, "%s", trace_kinds[i].name);
        h->kinds[i].group = (uint8_t)trace_kinds[i].class;
    }
}

/* Opens path, empty and ours alone. Returns the descriptor, or -errno with a sentence. */
static int
file_create(const char *path, char *message, size_t size)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    int rc;

    if (fd < 0) {
        rc = -errno;
        snprintf(message, size, "cannot create the recording '%s': %s", path, strerror(errno));
        return rc;
    }
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        rc = -EINVAL;
        snprintf(message, size, "'%s' is not a regular file: a recording needs one", path);
    } else if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        rc = -EBUSY;
        snprintf(message, size, "'%s' is in use by another hv: choose another name", path);
    } else if (ftruncate(fd, 0)) {
        rc = -errno;
        snprintf(message, size, "cannot empty '%s': %s", path, strerror(errno));
    } else {
        return fd;
    }
    close(fd);
    return rc;
}

static int
recorder_start(struct recorder *recorder, const struct trace_about *about)
{
    int rc = file_allocate(recorder->fd, 0, sizeof(struct trace_header));
    void *header, *zeros;

    if (rc)
        return rc;
    header = mmap(NULL, sizeof(struct trace_header), PROT_READ | PROT_WRITE, MAP_SHARED,
                  recorder->fd, 0);
    if (header == MAP_FAILED)
        return -errno;
    recorder->header = header;
    zeros = mmap(NULL, WINDOW * sizeof(struct trace_event), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    if (zeros == MAP_FAILED)
        return -errno;
    recorder->zeros = zeros;
    header_fill(recorder->header, about);
    recorder->start = clock_ns(CLOCK_MONOTONIC);
    return window_advance(recorder);
}

int
recorder_open(struct recorder **out, const char *path, const struct trace_about *about,
              char *message, size_t size)
{
    int fd = file_create(path, message, size);
    int rc;

    *out = NULL;
    if (fd < 0)
        return fd;
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder) {
        close(fd);
        snprintf(message, size, "no memory for the recording '%s'", path);
        return -ENOMEM;
    }
    recorder->fd = fd;
    rc = recorder_start(recorder, about);
    if (rc) {
        snprintf(message, size, "no room for the recording '%s': %s", path, strerror(-rc));
        recorder_close(recorder);
        return rc;
    }
    *out = recorder;
    return 0;
}

int
recorder_close(struct recorder *recorder)
{
    int rc = 0;

    if (!recorder)
        return 0;
    window_unmap(recorder);
    if (recorder->header) {
        if (ftruncate(recorder->fd, (off_t)event_offset(recorder->count)))
            rc = -errno;
        __atomic_store_n(&recorder->header->state, TRACE_STATE_CLOSED, __ATOMIC_RELEASE);
        munmap(recorder->header, sizeof(*recorder->header));
    }
    if (recorder->zeros)
        munmap(recorder->zeros, WINDOW * sizeof(struct trace_event));
    if (close(recorder->fd) && rc == 0)
        rc = -errno;
    free(recorder);
    return rc;
}
