/* host.h - what the files of the host's side share: a run of the attacks, and what they are after. */
#ifndef TESTS_SKI_HOST_H
#define TESTS_SKI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/ski/bait.h"

#define ROWS 64

struct table {
    struct row row[ROWS];
    unsigned rows;
    int status; /* of the run */
};

struct host {
    const char *hv, *attacks;
    const char *level; /* --trace-level; NULL: not traced */
    struct bait bait;
    unsigned passed, failed, skipped;
};

/* host.c: counts and prints; runs the guest without a layer (NULL: with all); starts one that sleeps. */
void verdict(struct host *host, bool good, const char *what);
void run_guest(struct host *host, const char *without, struct table *table, long forks,
               long megabytes);
pid_t start_sleeper(struct host *host, int *out);

/* host_left.c: what was there before, so that it can be seen what is left behind. On this host others may start
 * and kill hv meanwhile, whose cgroups are theirs: those that count belong to a `hv` that was noted. */
struct before {
    char mounts[1 << 18];
    size_t size;
    unsigned files;
};
void note_hv(pid_t pid);
void look_before(const struct host *host, struct before *before);
void check_nothing_left(struct host *host, const struct before *before);
/* `count` starts and kills. */
void lifecycle(struct host *host, unsigned count);

#endif
