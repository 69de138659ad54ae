/*
 * read.c - opens a recording and checks every byte that others will rely on; see read.h.
 *
 * The order matters: first that the file is a recording at all, then that this hv knows its
 * version, then that sizes and counts fit the file (without overflow: the header is hostile), and
 * only then the tables and the events.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tracer/describe.h"
#include "tracer/read.h"

#define EXIT_STEP 256u /* exits between two entries of exit_index */

/* Where a sentence goes. */
struct complaint {
    const char *path;
    char *message;
    size_t size;
};

static int __attribute__((format(printf, 3, 4)))
complain(const struct complaint *to, int code, const char *format, ...)
{
    int n = snprintf(to->message, to->size, "'%s' ", to->path);

    if (n >= 0 && (size_t)n < to->size) {
        va_list args;
        va_start(args, format);
        vsnprintf(to->message + n, to->size - (size_t)n, format, args);
        va_end(args);
    }
    return -code;
}

/* Copies a text of the file. Both have `size` bytes, and from[] ends within them. */
static void
text_copy(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%s", from);
    describe_clean(to);
}

/* Is there a recording of a version that we know? */
static int
check_version(const struct trace_header *h, uint64_t file_size, const struct complaint *c)
{
    if (file_size < TRACE_MAGIC_SIZE || memcmp(h->magic, TRACE_MAGIC, TRACE_MAGIC_SIZE))
        return complain(c, EINVAL, "is not a recording of hv: make one with `hv run --trace FILE`");
    if (file_size < sizeof(*h))
        return complain(c, EINVAL,
                        "is cut off within its header: it has %" PRIu64 " of %zu bytes; copy it "
                        "again or record it again",
                        file_size, sizeof(*h));
    if (h->major != TRACE_MAJOR)
        return complain(c, EPROTONOSUPPORT,
                        "has format version %u.%u, this hv reads version %u: use the hv that "
                        "recorded it",
                        h->major, h->minor, TRACE_MAJOR);
    if (h->header_size != sizeof(*h) || h->event_size != sizeof(struct trace_event))
        return complain(c, EINVAL,
                        "is damaged: its header says %u bytes of header and %u of an event, not "
                        "%zu and %zu",
                        h->header_size, h->event_size, sizeof(*h), sizeof(struct trace_event));
    if (h->clock_hz != TRACE_CLOCK_HZ)
        return complain(c, EPROTONOSUPPORT,
                        "counts time in %" PRIu64 " units a second, this hv reads nanoseconds only",
                        h->clock_hz);
    return 0;
}

static int
check_sizes(const struct trace_header *h, uint64_t count, uint64_t file_size,
            const struct complaint *c)
{
    uint64_t room = (file_size - sizeof(*h)) / sizeof(struct trace_event);

    if (h->state != TRACE_STATE_OPEN && h->state != TRACE_STATE_CLOSED)
        return complain(c, EINVAL, "is damaged: its header has the unknown state %u", h->state);
    if (count > room)
        return complain(c, EINVAL,
                        "is cut off: it holds %" PRIu64 " of %" PRIu64 " events; copy it again or "
                        "record it again",
                        room, count);
    if (h->actor_count < TRACE_ACTOR_FIRST_FREE || h->actor_count > TRACE_ACTOR_MAX)
        return complain(c, EINVAL, "is damaged: its header says %u actors, not %u to %u",
                        h->actor_count, TRACE_ACTOR_FIRST_FREE, TRACE_ACTOR_MAX);
    if (h->kind_count == 0 || h->kind_count > TRACE_KIND_MAX ||
        (h->minor <= TRACE_MINOR && h->kind_count > TRACE_KIND_COUNT))
        return complain(c, EINVAL,
                        "is damaged: its header says %u kinds of event; version %u.%u has %u",
                        h->kind_count, h->major, h->minor, TRACE_KIND_COUNT);
    return 0;
}

static bool
text_ends(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

static int
read_strings(struct trace *t, const struct trace_header *h, const struct complaint *c)
{
    const struct {
        const char *name, *from;
        char *to;
        size_t size;
    } strings[] = {
        {"engine", h->engine, t->engine, sizeof(t->engine)},
        {"strategy", h->strategy, t->strategy, sizeof(t->strategy)},
        {"build-id", h->build_id, t->build_id, sizeof(t->build_id)},
        {"guest", h->guest, t->guest, sizeof(t->guest)},
        {"command", h->command, t->command, sizeof(t->command)},
    };
    static_assert(sizeof(t->guest) == sizeof(h->guest) && sizeof(t->command) == sizeof(h->command),
                  "trace and header hold the same texts");

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        if (!text_ends(strings[i].from, strings[i].size))
            return complain(c, EINVAL, "is damaged: the text '%s' of its header has no end",
                            strings[i].name);
        text_copy(strings[i].to, strings[i].from, strings[i].size);
    }
    return 0;
}

/* The tables of names. For kinds we know, the file must agree with us, else its numbers lie. */
static int
read_tables(struct trace *t, const struct trace_header *h, const struct complaint *c)
{
    for (unsigned i = 0; i < t->actors; i++) {
        const struct trace_file_name *row = &h->actors[i];
        if (!text_ends(row->name, sizeof(row->name)) || !row->name[0] ||
            row->group >= TRACE_DOMAIN_COUNT)
            return complain(c, EINVAL, "is damaged: row %u of its actors has no name or domain", i);
        if (i < TRACE_ACTOR_FIRST_FREE && row->group != trace_fixed_actors[i].domain)
            return complain(c, EINVAL, "is damaged: actor %u is not '%s'", i,
                            trace_fixed_actors[i].name);
        text_copy(t->actor[i].name, row->name, sizeof(row->name));
        t->actor[i].domain = row->group;
    }
    for (unsigned i = 0; i < t->kinds; i++) {
        const struct trace_file_name *row = &h->kinds[i];
        if (!text_ends(row->name, sizeof(row->name)) || !row->name[0] ||
            row->group > TRACE_CLASS_NOTE)
            return complain(c, EINVAL, "is damaged: row %u of its kinds has no name or class", i);
        if (i < TRACE_KIND_COUNT &&
            (row->group != trace_kinds[i].class || strcmp(row->name, trace_kinds[i].name)))
            return complain(c, EINVAL, "is damaged: kind %u is not '%s'", i, trace_kinds[i].name);
        text_copy(t->kind[i].name, row->name, sizeof(row->name));
        t->kind[i].class = row->group;
        t->kind[i].text = i < TRACE_KIND_COUNT ? trace_kinds[i].text
                                               : "A kind of event that a newer hv records.";
    }
    return 0;
}

/* Every event once: kind and actors must have rows. Builds the index of exits on the way. */
static int
check_events(struct trace *t, const struct complaint *c)
{
    bool is_exit[TRACE_KIND_MAX] = {false};
    uint64_t exits = 0;

    for (unsigned i = 0; i < t->kinds; i++)
        is_exit[i] = t->kind[i].class == TRACE_CLASS_EXIT;
    t->exit_index = malloc((size_t)(t->count / EXIT_STEP + 1) * sizeof(*t->exit_index));
    if (!t->exit_index)
        return complain(c, ENOMEM, "has %" PRIu64 " events: no memory for their index", t->count);
    for (uint64_t i = 0; i < t->count; i++) {
        const struct trace_event *e = &t->events[i];
        if (e->kind >= t->kinds)
            return complain(c, EINVAL, "is damaged: event %" PRIu64 " has the unknown kind %u",
                            i + 1, e->kind);
        if (e->from >= t->actors || e->to >= t->actors)
            return complain(c, EINVAL,
                            "is damaged: event %" PRIu64 " goes from actor %u to actor %u, and "
                            "there are %u",
                            i + 1, e->from, e->to, t->actors);
        if (!is_exit[e->kind])
            continue;
        if (exits % EXIT_STEP == 0)
            t->exit_index[exits / EXIT_STEP] = i;
        exits++;
    }
    t->exits = exits;
    return 0;
}

/* Maps the file. The shared lock keeps a new recording from emptying it under us; if the recorder
 * itself holds the lock, the file only grows, and ends by being cut behind the last event. */
static int
map_file(struct trace *t, const struct complaint *c)
{
    struct stat st;

    t->fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0)
        return complain(c, errno, "cannot be opened: %s", strerror(errno));
    if (fstat(t->fd, &st) || !S_ISREG(st.st_mode))
        return complain(c, EINVAL, "is not a regular file: a recording is one");
    if ((uint64_t)st.st_size < TRACE_MAGIC_SIZE || (uint64_t)st.st_size > SIZE_MAX)
        return complain(c, EINVAL, "is not a recording of hv: make one with `hv run --trace FILE`");
    (void)flock(t->fd, LOCK_SH | LOCK_NB);
    t->map_size = (size_t)st.st_size;
    t->map = mmap(NULL, t->map_size, PROT_READ, MAP_SHARED, t->fd, 0);
    if (t->map == MAP_FAILED) {
        t->map = NULL;
        return complain(c, errno, "cannot be read: %s", strerror(errno));
    }
    return 0;
}

static int
open_and_check(struct trace *t, const struct complaint *c)
{
    const struct trace_header *h;
    int rc = map_file(t, c);

    if (rc)
        return rc;
    h = t->map;
    rc = check_version(h, t->map_size, c);
    if (rc)
        return rc;
    /* A running recorder adds events, and actors before the events that name them. */
    t->count = __atomic_load_n(&h->count, __ATOMIC_ACQUIRE);
    t->lost = h->lost;
    rc = check_sizes(h, t->count, t->map_size, c);
    if (rc)
        return rc;
    t->actors = h->actor_count;
    t->kinds = h->kind_count;
    t->closed = h->state == TRACE_STATE_CLOSED;
    t->started = h->started;
    t->events = (const struct trace_event *)(h + 1);
    rc = read_strings(t, h, c);
    if (rc == 0)
        rc = read_tables(t, h, c);
    return rc ? rc : check_events(t, c);
}

int
trace_open(struct trace *trace, const char *path, char *message, size_t size)
{
    const struct complaint c = {path, message, size};
    int rc;

    memset(trace, 0, sizeof(*trace));
    trace->fd = -1;
    rc = open_and_check(trace, &c);
    if (rc)
        trace_close(trace);
    return rc;
}

void
trace_close(struct trace *trace)
{
    free(trace->exit_index);
    if (trace->map)
        munmap(trace->map, trace->map_size);
    if (trace->fd >= 0)
        close(trace->fd);
    memset(trace, 0, sizeof(*trace));
    trace->fd = -1;
}

int
trace_find_exit(const struct trace *trace, uint64_t number, uint64_t *event)
{
    if (number == 0 || number > trace->exits)
        return -ENOENT;
    uint64_t i = trace->exit_index[(number - 1) / EXIT_STEP];
    uint64_t left = (number - 1) % EXIT_STEP;
    for (;; i++) {
        if (trace->kind[trace->events[i].kind].class != TRACE_CLASS_EXIT)
            continue;
        if (left-- == 0)
            break;
    }
    *event = i;
    return 0;
}

uint64_t
trace_exits_before(const struct trace *trace, uint64_t event)
{
    uint64_t low = 0, high = trace->exits ? (trace->exits - 1) / EXIT_STEP + 1 : 0;
    uint64_t number, i;

    /* The last entry of the index that lies before the event. */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (trace->exit_index[middle] < event)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    number = (low - 1) * EXIT_STEP;
    for (i = trace->exit_index[low - 1]; i < event && i < trace->count; i++)
        number += trace->kind[trace->events[i].kind].class == TRACE_CLASS_EXIT;
    return number;
}
