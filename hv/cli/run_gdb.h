/* run_gdb.h - `hv run --gdb`; see run_gdb.c. */
#ifndef HV_CLI_RUN_GDB_H
#define HV_CLI_RUN_GDB_H

#include "cli/launch.h"

/* Serves a gdb at `where` (as gdb_serve()), then lets the machine run to its end: *result. A machine
 * that gdb killed has ended with RUN_STOPPED. 0 or -errno. */
int run_gdb(struct launch *launch, const struct launch_options *options, const char *where,
            struct run_result *result, struct error *err);

#endif
