/*
 * progress.h - how far a long command is, on the terminal.
 */
#ifndef HV_CLI_PROGRESS_H
#define HV_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "drawing" */
    bool terminal;    /* standard error is one: else nothing is said */
    bool shown;
    uint64_t since, last; /* ns */
};

void progress_begin(struct progress *progress, const char *what);
/* view.h's `progress`: context is a struct progress. Says nothing in the first second. */
void progress_say(void *context, uint64_t done, uint64_t total);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
