/*
 * tracer_tape.h - recordings for the tests of tracer/: made by hand, with times that we choose.
 */
#ifndef TESTS_UNIT_TRACER_TAPE_H
#define TESTS_UNIT_TRACER_TAPE_H

#include "tracer/read.h"
#include "tracer/record.h"
#include "tracer/view.h"

struct tape {
    char path[64];
    struct recorder *recorder;
    uint64_t now; /* ns: the time of the next event */
};

/* A new file in the folder of temporary files. Ends the test run if that fails. */
void tape_start(struct tape *tape);
/* Records one event at tape->now and then lets `ns` pass. Returns it: more can be filled in until
 * the next call. */
struct trace_event *tape_put(struct tape *tape, enum trace_kind kind, unsigned from, unsigned to,
                             uint64_t ns);
/* Records an event of random bytes, many of them 0, with a kind and actors that there are. */
struct trace_event *tape_put_random(struct tape *tape, uint64_t *state);
void tape_close(struct tape *tape);
/* Opens what was recorded; asserts that it can be read. */
void tape_read(struct tape *tape, struct trace *trace);
void tape_remove(struct tape *tape);
/* Of a closed one: as a newer minor version of the format would write it, in which TRACE_KIND_COUNT is
 * an exit, "teleport". */
void tape_renew(const struct tape *tape);

/* A small kernel boots: it prints by the UART, sets up PIC and PIT, runs a user program that makes
 * system calls, sleeps in HLT. `lines`: how many lines it prints. */
void tape_boot(struct tape *tape, unsigned lines);
/* Two exits, one of them with a device, then the end: 9 events. Starts the tape itself. */
void tape_small(struct tape *tape);

/* What a view prints; asserts that it can. The caller frees it. */
char *tape_show(const struct view_ops *ops, const struct trace *trace, struct view_options options);
/* Runs every view, with options that depend on `choice`; asserts that each comes to its end. */
void tape_show_all(const struct trace *trace, struct view_options options, unsigned choice);
/* How often a word is in a text. */
unsigned tape_occurrences(const char *text, const char *word);

#endif
