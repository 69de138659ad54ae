/*
 * save.c - a copy of a recording in a file of its own: what was committed when it was opened.
 *
 * Called by the debugger's `trace save`, while the machine still records. See read.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tracer/read.h"

/* The copy grows no more: it is closed. */
static bool
write_all(const struct trace *trace, FILE *out)
{
    struct trace_header header;

    memcpy(&header, trace->map, sizeof(header));
    header.header_size = sizeof(header);
    header.event_size = sizeof(struct trace_event);
    header.count = trace->count;
    header.lost = trace->lost;
    header.state = TRACE_STATE_CLOSED;
    return fwrite(&header, sizeof(header), 1, out) == 1 &&
           fwrite(trace->events, sizeof(struct trace_event), trace->count, out) == trace->count;
}

int
trace_check_output(const struct trace *trace, const char *path, char *message, size_t size)
{
    struct stat to, from;

    if (stat(path, &to) || fstat(trace->fd, &from) || to.st_dev != from.st_dev ||
        to.st_ino != from.st_ino)
        return 0;
    snprintf(message, size, "'%s' is the recording itself: choose another name", path);
    return -EINVAL;
}

int
trace_save(const struct trace *trace, const char *path, char *message, size_t size)
{
    FILE *out;
    int code = -trace_check_output(trace, path, message, size);

    if (code)
        return -code;
    if (!(out = fopen(path, "we"))) {
        code = errno;
        snprintf(message, size, "cannot write '%s': %s", path, strerror(code));
        return -code;
    }
    if (!write_all(trace, out))
        code = errno ? errno : EIO;
    if (fclose(out) && !code)
        code = errno;
    if (code)
        snprintf(message, size, "cannot write '%s': %s", path, strerror(code));
    return -code;
}
