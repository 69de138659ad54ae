/*
 * record.h - writing a recording: a memory-mapped file of fixed-size events.
 *
 * The file is mapped MAP_SHARED and grows in large steps that are allocated on disk beforehand, so
 * recording an event is a store to memory: no system call, no formatting, no allocation. What was
 * recorded is in the file even if hv is killed with SIGKILL in the next instruction. When the disk
 * is full, events are counted as lost, never dropped in silence.
 */
#ifndef TRACER_RECORD_H
#define TRACER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/event.h"

struct recorder;

/* What the header says about the run. Strings are copied and cut to fit. */
struct trace_about {
    const char *engine, *strategy, *guest; /* guest: the path as given */
    const char *build_id;                  /* hexadecimal, or "" */
    const char *command;                   /* the command line of hv */
};

/* Creates path. 0, or -errno and a sentence in message (size bytes). */
int recorder_open(struct recorder **out, const char *path, const struct trace_about *about,
                  char *message, size_t size);
/* Cuts the file to what was recorded and closes it. 0 or -errno. recorder may be NULL. */
int recorder_close(struct recorder *recorder);

/* Names an actor (a device): returns its number, or TRACE_ACTOR_DISPATCHER if the table is full. */
uint8_t recorder_actor(struct recorder *recorder, const char *name, enum trace_domain domain);

/* A pointer to the next event, zeroed but for time; fill it, then commit it. Never NULL: if there
 * is no room the event lands in a scratch record and is counted as lost. */
struct trace_event *recorder_begin(struct recorder *recorder);
void recorder_commit(struct recorder *recorder);

/*
 * For a run that is taken back and repeated: the event that comes next. recorder_seek() says that it is
 * event `position` again; until recorder_count() is reached what is committed is there already, and is
 * dropped. recorder_truncate(): it will be another one from here on; what lies ahead is deleted.
 */
uint64_t recorder_position(const struct recorder *recorder);
void recorder_seek(struct recorder *recorder, uint64_t position);
void recorder_truncate(struct recorder *recorder);

/* For a run that stops and goes on: the recording's clock stands still in between, so that no event seems to
 * have taken as long as somebody thought about it. It goes at first; either may be called twice. */
void recorder_hold(struct recorder *recorder);
void recorder_go_on(struct recorder *recorder);

uint64_t recorder_count(const struct recorder *recorder);
uint64_t recorder_lost(const struct recorder *recorder);

#endif
