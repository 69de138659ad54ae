/*
 * ski_options.h - from the words of a command line to a guest of strategy ski.
 *
 * Shared by `hv run --strategy ski` and `hv ski`. Next: run_ski.c.
 */
#ifndef HV_CLI_SKI_OPTIONS_H
#define HV_CLI_SKI_OPTIONS_H

#include <limits.h>

#include "cli/cli.h"
#include "core/process.h"
#include "strategy/ski/ski.h"

/* The table for struct command's options; `--mem` is in launch_option_table, too. */
extern const struct option_desc ski_option_table[];

/* What is to run and how it is isolated. The strings stay the command line's or this structure's. */
struct ski_setup {
    struct ski_options options;
    struct process_spec spec;
    char *argv[ARGS_MAX + 1];
    char *envp[8];
    char apps[PATH_MAX];
    char path[2 * PATH_MAX];
    char term[64];
};

/* The program and its arguments are the words from `first` on. 0, or -errno with a sentence. */
int ski_read_options(struct ski_setup *setup, const struct args *args, unsigned first,
                     struct error *err);

/* Is there an option that nothing would come of? For a process those of a machine, for a machine (strategy
 * is not "ski") those of ski_option_table. 0, or -EINVAL with a sentence. */
int ski_check_options(const struct args *args, const char *strategy, struct error *err);

#endif
