/*
 * launch_process.h - the part of launching that is another for a process of the host (engine host).
 *
 * Called by launch.c in place of memory, loader and board. Next: engine/host_start.c.
 */
#ifndef HV_CLI_LAUNCH_PROCESS_H
#define HV_CLI_LAUNCH_PROCESS_H

#include "cli/launch.h"

/* Is there an option on the command line that needs the events of a process? */
bool launch_wants_events(const struct args *args);
/* --trace-level; without it all if there is something that the events are for, else off. */
int launch_read_trace_level(struct launch_options *options, const struct args *args,
                            struct error *err);
/* Finds the program, opens its files, and starts it: it stands at its first instruction. 0 or -errno;
 * launch_process_close() undoes what was done. */
int launch_process(struct launch *launch, const struct launch_options *options, struct error *err);
void launch_process_close(struct launch *launch);
/* The path of one of our own programs in the guests' folder apps/. False: there is none. */
bool launch_find_app(const char *name, char *path, size_t size);

#endif
