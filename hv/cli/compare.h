/*
 * compare.h - one program under several strategies: the parts of `hv compare`.
 *
 *   compare_round.c  runs it once, in a child process, and measures
 *   compare_sum.c    makes one result of several rounds: what is the same in each, and the spread
 *   compare_table.c  prints them side by side, as text and as JSON
 *   compare_nano.c   `hv compare --nano`: the table of Adams & Agesen (ASPLOS 2006)
 *   cmd_compare.c    the command
 */
#ifndef HV_CLI_COMPARE_H
#define HV_CLI_COMPARE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/launch.h"
#include "core/vm.h"
#include "tracer/read.h"

#define COMPARE_STRATEGIES 8 /* besides the native run */
#define COMPARE_ROUNDS     99

/* What is run: the same for all strategies but for the kernel. */
struct compare_job {
    const struct args *args;
    struct launch_options options; /* guest, append and strategy are set for each run */
    const char *guest;             /* as typed, or "minios" for an app */
    char append[4096];
    char app[PATH_MAX];   /* the app's file, for the native run; "": it is a guest */
    char *argv[ARGS_MAX]; /* the app's, ends with NULL */
    const char *input;    /* file to be typed on the console; NULL: none */
};

/* One run. Everything is plain data: it comes through a pipe. */
struct compare_sample {
    struct error failed; /* "": it was run */
    enum run_end end;
    int status;
    struct error message;
    uint64_t exits, by_kind[TRACE_KIND_COUNT];
    uint64_t instructions; /* 0: the engine does not count */
    /* Host time, ns: the whole run; of it inside the guest; and waiting in HLT. The rest is the
     * VMM's. */
    uint64_t total_ns, guest_ns, waiting_ns;
    uint64_t cpu_ns; /* processor time of the whole run: other processes of the host do not count */
    uint64_t start_ns;     /* from nothing to the first instruction of a user program; 0: unknown */
    uint64_t memory;       /* bytes of the VMM's, beyond the guest's RAM */
    uint64_t hash, length; /* of what the program printed (compare_hash) */
    uint64_t ticks, counted; /* the last "nano: NAME count N ticks T"; counted 0: there was none */
};

/* Where the first user instruction is, as a recording of the same run shows it. */
struct compare_start {
    bool known;
    uint64_t instructions, exits;
};

/* Runs job under a strategy in a child process of its own, with a machine of its own. recording:
 * file descriptor of a file for the events, -1: none. start may be NULL. 0, or -errno with a
 * sentence if there could be no child; what the run itself has to say is in *sample. */
int compare_round(const struct compare_job *job, const char *strategy, int recording,
                  const struct compare_start *start, struct compare_sample *sample,
                  struct error *err);
/* The app itself, as a process of this host. */
int compare_native(const struct compare_job *job, struct compare_sample *sample, struct error *err);

/* FNV-1a of the lines that programs printed: without carriage returns, and without the lines of the
 * kernel minios, which begin with "minios: " and say what differs. */
void compare_hash(const uint8_t *text, size_t size, struct compare_sample *sample);

/* Does this strategy run the app on this host's kernel, as a process? Then it has no machine, and the
 * timed rounds are not traced; what its exits are, the recorded run says. NULL: native, false. */
bool compare_is_process(const char *strategy);

/* The kernel that a strategy needs: "minios-pv" for minios under paravirt. */
void compare_guest(const char *guest, const char *strategy, char *text, size_t size);

/* --- compare_sum.c ---------------------------------------------------------------------------- */

/* The middle one of a few numbers, and the least and the greatest. */
struct compare_spread {
    uint64_t middle, least, most;
};

/* One column of the table. */
struct compare_column {
    const char *strategy; /* NULL: native */
    char kernel[64];
    bool process;                /* compare_is_process() */
    uint64_t call_ns;            /* of a process, traced: the middle time of a system call */
    struct compare_sample first; /* what is the same in each round is taken from here */
    bool steady;                 /* exits and instructions were the same in each round, */
    bool alike;                  /* and what was printed */
    struct compare_start start;
    struct compare_spread total, cpu, guest, vmm, start_ns, memory;
    unsigned rounds;
    struct compare_sample round[COMPARE_ROUNDS];
};

void compare_sum(struct compare_column *column);
struct compare_spread compare_spread(uint64_t *values, unsigned count);

struct compare {
    const struct compare_job *job;
    const char *engine;
    bool counted; /* the engine counts instructions, and two runs are alike */
    struct compare_column *column;
    unsigned columns, rounds;
    bool same;        /* the program printed the same under every strategy, in every round, */
    bool native_same; /* and on this host */
    bool same_end;    /* it ended in the same way under every strategy that has a machine */
};

/* --- compare_table.c, compare_nano.c ------------------------------------------------------------ */

void compare_print(const struct compare *compare, bool times);
void compare_print_json(const struct compare *compare);

/* Status of hv. */
int compare_nano(const struct compare_job *job, const char *const *strategies, unsigned count,
                 uint64_t operations, unsigned rounds, bool times, bool json);

#endif
