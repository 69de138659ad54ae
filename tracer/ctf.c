/*
 * ctf.c - see ctf.h. The metadata below and put_event() describe the same bytes.
 *
 *   packet   0xc1fc1fc1, stream id, sizes in bits, first and last time, events that were lost
 *   event    id = its kind, time | exit, icount, rip, address, value, from, to, vcpu, size, flags,
 *            extra
 *
 * Everything is little-endian and aligned to bytes. A packet holds up to PACKET_EVENTS events; its
 * sizes are known before it is written, because all events are equally long.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tracer/ctf.h"
#include "tracer/put.h"

#define CTF_MAGIC     0xc1fc1fc1u
#define PACKET_EVENTS 1024u
#define PACKET_HEADER 48u /* bytes before the first event */
#define EVENT_SIZE    56u

/* --- metadata ----------------------------------------------------------------------------------- */

static const char preamble[] =
    "/* CTF 1.8 */\n\n"
    "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
    "typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
    "typealias integer { size = 8; align = 8; signed = false; base = 16; } := hex8_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex64_t;\n\n"
    "trace {\n"
    "    major = 1;\n"
    "    minor = 8;\n"
    "    byte_order = le;\n"
    "    packet.header := struct { uint32_t magic; uint32_t stream_id; };\n"
    "};\n\n";

static const char stream_text[] =
    "typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; } := "
    "ns_t;\n\n"
    "stream {\n"
    "    id = 0;\n"
    "    packet.context := struct {\n"
    "        uint64_t packet_size;\n"
    "        uint64_t content_size;\n"
    "        ns_t timestamp_begin;\n"
    "        ns_t timestamp_end;\n"
    "        uint64_t events_discarded;\n"
    "    };\n"
    "    event.header := struct { enum kind id; ns_t timestamp; };\n"
    "};\n";

static const char event_text[] = "    fields := struct {\n"
                                 "        uint64_t exit;\n"
                                 "        uint64_t icount;\n"
                                 "        hex64_t rip;\n"
                                 "        hex64_t address;\n"
                                 "        hex64_t value;\n"
                                 "        enum actor from;\n"
                                 "        enum actor to;\n"
                                 "        uint8_t vcpu;\n"
                                 "        uint8_t size;\n"
                                 "        hex8_t flags;\n"
                                 "        hex8_t extra;\n"
                                 "    };\n"
                                 "};\n";

/* In quotes. Names are free of control characters (read.h). */
static void
put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', out);
}

/* A row of an enumeration, all of which have different names: readers insist. */
static void
put_label(FILE *out, const char *name, unsigned number, bool again)
{
    char text[TRACE_NAME_SIZE + 16];

    snprintf(text, sizeof(text), again ? "%s #%u" : "%s", name, number);
    fputs("    ", out);
    put_string(out, text);
    fprintf(out, " = %u,\n", number);
}

static bool
actor_is_named(const struct trace *t, unsigned below, const char *name)
{
    while (below--)
        if (!strcmp(t->actor[below].name, name))
            return true;
    return false;
}

static bool
kind_is_named(const struct trace *t, unsigned below, const char *name)
{
    while (below--)
        if (!strcmp(t->kind[below].name, name))
            return true;
    return false;
}

static void
put_enums(const struct trace *t, FILE *out)
{
    fputs("enum kind : uint16_t {\n", out);
    for (unsigned i = 0; i < t->kinds; i++)
        put_label(out, t->kind[i].name, i, kind_is_named(t, i, t->kind[i].name));
    fputs("};\n\nenum actor : uint8_t {\n", out);
    for (unsigned i = 0; i < t->actors; i++)
        put_label(out, t->actor[i].name, i, actor_is_named(t, i, t->actor[i].name));
    fputs("};\n\n", out);
}

/* The clock counts from the beginning of the recording. What would overflow readers' signed sums
 * (only a damaged file says so) begins in 1970. */
static uint64_t
clock_offset(const struct trace *t)
{
    return t->started <= INT64_MAX / 2 ? t->started : 0;
}

int
ctf_print_metadata(const struct trace *t, FILE *out)
{
    const struct {
        const char *name, *text;
    } about[] = {
        {"engine", t->engine},     {"strategy", t->strategy}, {"guest", t->guest},
        {"build_id", t->build_id}, {"command", t->command},
    };

    fputs(preamble, out);
    fputs("env {\n    domain = \"hv\";\n", out);
    for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++) {
        fprintf(out, "    %s = ", about[i].name);
        put_string(out, about[i].text);
        fputs(";\n", out);
    }
    fputs("};\n\n", out);
    put_enums(t, out);
    fprintf(out,
            "clock {\n    name = monotonic;\n    freq = 1000000000;\n"
            "    offset_s = %" PRIu64 ";\n    offset = %" PRIu64 ";\n};\n\n",
            clock_offset(t) / TRACE_CLOCK_HZ, clock_offset(t) % TRACE_CLOCK_HZ);
    fputs(stream_text, out);
    for (unsigned i = 0; i < t->kinds; i++) {
        fputs("\nevent {\n    name = ", out);
        put_string(out, t->kind[i].name);
        fprintf(out, ";\n    id = %u;\n    stream_id = 0;\n%s", i, event_text);
    }
    return ferror(out) ? (errno ? -errno : -EIO) : 0;
}

/* --- the stream --------------------------------------------------------------------------------- */

struct stream {
    struct put put;
    uint64_t first, last; /* times in the packet */
    unsigned events;      /* in it */
    uint8_t packet[PACKET_EVENTS * EVENT_SIZE];
};

/* Little-endian, as the host is (format.h). Returns the byte behind it. */
static uint8_t *
store(uint8_t *to, uint64_t value, size_t size)
{
    memcpy(to, &value, size);
    return to + size;
}

static void
put_packet(struct stream *s, uint64_t lost)
{
    uint8_t header[PACKET_HEADER], *at = header;
    uint64_t bits = 8 * (PACKET_HEADER + (uint64_t)s->events * EVENT_SIZE);

    at = store(at, CTF_MAGIC, 4);
    at = store(at, 0, 4);
    at = store(at, bits, 8);
    at = store(at, bits, 8);
    at = store(at, s->first, 8);
    at = store(at, s->last, 8);
    store(at, lost, 8);
    put_bytes(&s->put, header, sizeof(header));
    put_bytes(&s->put, s->packet, s->events * EVENT_SIZE);
    s->events = 0;
}

static int
ctf_begin(struct view *view)
{
    struct stream *s = malloc(sizeof(*s));

    if (!s)
        return -ENOMEM;
    view->state = s;
    s->first = s->last = 0;
    s->events = 0;
    put_begin(&s->put, view->options->out);
    return 0;
}

static int
ctf_event(struct view *view, const struct trace_event *e, uint64_t exit)
{
    struct stream *s = view->state;

    if (s->events == PACKET_EVENTS)
        put_packet(s, 0);
    /* A clock that goes backwards is held, and one beyond readers' signed sums: damaged files. */
    if (e->time > s->last)
        s->last = e->time <= INT64_MAX / 2 ? e->time : INT64_MAX / 2;
    if (s->events == 0)
        s->first = s->last;
    uint8_t *at = s->packet + s->events++ * EVENT_SIZE;
    at = store(at, e->kind, 2);
    at = store(at, s->last, 8);
    at = store(at, exit, 8);
    at = store(at, e->icount, 8);
    at = store(at, e->rip, 8);
    at = store(at, e->address, 8);
    at = store(at, e->value, 8);
    *at++ = e->from;
    *at++ = e->to;
    *at++ = e->vcpu;
    *at++ = e->size;
    *at++ = e->flags;
    *at = e->extra;
    return s->put.rc;
}

/* What the recording has lost was behind its last event. */
static int
ctf_end(struct view *view, bool failed)
{
    struct stream *s = view->state;
    int rc = 0;

    if (s && !failed) {
        put_packet(s, view->trace->lost);
        rc = put_end(&s->put);
    }
    free(s);
    return rc;
}

const struct view_ops view_ctf = {
    .name = "ctf",
    .help = "the stream of a CTF 1.8 trace",
    .sees_parts = true,
    .begin = ctf_begin,
    .event = ctf_event,
    .end = ctf_end,
};

/* --- the folder --------------------------------------------------------------------------------- */

static int
no_file(const char *path, char *message, size_t size)
{
    int rc = -errno;

    if (errno == EEXIST)
        snprintf(message, size, "'%s' is there already: a CTF trace needs a folder of its own",
                 path);
    else
        snprintf(message, size, "cannot write '%s': %s", path, strerror(errno));
    return rc;
}

/* "x": other files are not overwritten, for the user may have named any folder. */
static int
write_stream(const struct trace *trace, const struct view_options *options, const char *path,
             char *message, size_t size)
{
    struct view_options mine = *options;
    int rc;

    mine.out = fopen(path, "wxe");
    if (!mine.out)
        return no_file(path, message, size);
    rc = view_run(&view_ctf, trace, &mine, message, size);
    if (fclose(mine.out) && rc == 0)
        rc = no_file(path, message, size);
    if (rc)
        unlink(path);
    return rc;
}

static int
write_metadata(const struct trace *trace, const char *path, char *message, size_t size)
{
    FILE *out = fopen(path, "wxe");

    if (!out)
        return no_file(path, message, size);
    int rc = ctf_print_metadata(trace, out);
    if (fclose(out) && rc == 0)
        rc = -errno;
    if (rc) {
        errno = -rc;
        no_file(path, message, size);
        unlink(path);
    }
    return rc;
}

int
ctf_write(const struct trace *trace, const struct view_options *options, const char *path,
          char *message, size_t size)
{
    char *metadata = NULL, *stream = NULL;
    int rc = -ENOMEM;

    snprintf(message, size, "no memory for the trace");
    if (asprintf(&metadata, "%s/metadata", path) < 0)
        metadata = NULL;
    if (asprintf(&stream, "%s/stream", path) < 0)
        stream = NULL;
    if (metadata && stream) {
        bool made = mkdir(path, 0777) == 0;
        if (!made && errno != EEXIST)
            rc = no_file(path, message, size);
        else
            rc = write_metadata(trace, metadata, message, size);
        if (rc == 0 && (rc = write_stream(trace, options, stream, message, size)))
            unlink(metadata);
        if (rc && made)
            rmdir(path);
    }
    free(metadata);
    free(stream);
    return rc;
}
