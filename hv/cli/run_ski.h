/* run_ski.h - `hv run --strategy ski`: there is no machine to build, only a process to isolate. */
#ifndef HV_CLI_RUN_SKI_H
#define HV_CLI_RUN_SKI_H

#include "cli/cli.h"

/* Returns hv's exit status: the program's own, or 128 + its signal. */
int run_ski(const struct args *args);

#endif
