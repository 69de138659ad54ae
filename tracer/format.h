/*
 * format.h - what a recording looks like on disk: one header, then an array of events.
 *
 * Written by record.c, checked and read by read.c; docs/RECORDING.md draws it. Little-endian, no
 * padding that the compiler chooses, nothing that depends on the processor that is recorded.
 */
#ifndef TRACER_FORMAT_H
#define TRACER_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/event.h"

#define TRACE_MAGIC      "hvtrace\n"
#define TRACE_MAGIC_SIZE 8u
#define TRACE_MAJOR      1u /* changes when an old reader would misread the file */
#define TRACE_MINOR      1u /* changes when kinds were added: the file names them itself */
#define TRACE_CLOCK_HZ   1000000000u
#define TRACE_KIND_MAX   128u
#define TRACE_NAME_SIZE  31u

enum trace_state { TRACE_STATE_OPEN = 1, TRACE_STATE_CLOSED = 2 };

/* One row of the tables of actors and of kinds. */
struct trace_file_name {
    char name[TRACE_NAME_SIZE]; /* ends with a zero byte */
    uint8_t group;              /* actors: enum trace_domain; kinds: enum trace_class */
};

/*
 * count and lost change with every event, so they have a cache line of their own. count is stored
 * (release) after its event is complete: what it covers is always valid, even after SIGKILL.
 */
struct trace_header {
    char magic[TRACE_MAGIC_SIZE]; /* 0x0000 */
    uint16_t major, minor;        /* 0x0008 */
    uint32_t header_size;         /* 0x000c  offset of the first event */
    uint32_t event_size;          /* 0x0010 */
    uint32_t actor_count;         /* 0x0014 */
    uint32_t kind_count;          /* 0x0018 */
    uint32_t state;               /* 0x001c  enum trace_state */
    uint64_t clock_hz;            /* 0x0020  units of trace_event.time in a second */
    uint64_t started;             /* 0x0028  wall clock, ns since 1970 */
    uint64_t reserved0[2];        /* 0x0030 */
    uint64_t count;               /* 0x0040  events committed */
    uint64_t lost;                /* 0x0048  events that found no room after them */
    uint64_t reserved1[6];        /* 0x0050 */
    char engine[32];              /* 0x0080  the strings end with a zero byte */
    char strategy[32];            /* 0x00a0 */
    char build_id[64];            /* 0x00c0 */
    char guest[512];              /* 0x0100 */
    char command[1024];           /* 0x0300 */
    struct trace_file_name actors[TRACE_ACTOR_MAX]; /* 0x0700 */
    struct trace_file_name kinds[TRACE_KIND_MAX];   /* 0x0f00 */
    uint8_t reserved2[256];                         /* 0x1f00 */
};

static_assert(sizeof(struct trace_event) == 48, "an event has 48 bytes on disk");
static_assert(sizeof(struct trace_header) == 0x2000, "the header has 8192 bytes on disk");
static_assert(offsetof(struct trace_header, count) == 0x40, "count has its own cache line");
static_assert(offsetof(struct trace_header, actors) == 0x700, "as docs/RECORDING.md draws it");
static_assert(TRACE_KIND_COUNT <= TRACE_KIND_MAX, "the header has room for every kind");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a recording is little-endian");

#endif
