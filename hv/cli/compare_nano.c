/*
 * compare_nano.c - `hv compare --nano`: the nanobenchmarks of Adams and Agesen, "A Comparison of
 * Software and Hardware Techniques for x86 Virtualization" (ASPLOS 2006), section 6.3.
 *
 * minios has them as loops (`nano=NAME count=N` on its command line), and two as programs. What
 * one operation costs is the difference of two runs that differ in nothing but the count: so
 * booting is not in it. Exits and guest instructions come from counts N and 2 N, and are the same
 * in every run on soft. Time is processor time, from counts that are made larger until the
 * difference is long enough to be measured.
 *
 * Called by cmd_compare.c. Next: compare_nano_table.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/compare_nano.h"

#define ENOUGH_NS  UINT64_C(40000000) /* a shorter difference says nothing */
#define COUNT_MAX  UINT64_C(20000000)
#define COUNT_STEP 8

/* The paper's numbers are quoted in a secondary copy that we read, not from the paper itself. */
/* clang-format off */
const struct nano_operation nano_operations[NANO_OPERATIONS] = {
    {"syscall",  "init=nano ",           "",           1, {"base",      "+ about 2000", "as native"}, 1},
    {"in",       "nano=in count=",       " init=true", 1, {"3209",      "about 214",    "15826"},    -1},
    {"cr8wr",    "nano=cr8wr count=",    " init=true", 1, {"about 140", "35",           "as native"}, -1},
    {"callret",  "nano=callret count=",  " init=true", 1, {"11",        "51",           "11"},        1},
    {"pgfault",  "nano=pgfault count=",  " init=true", 1, {"1093",      "3927",         "11242"},    -1},
    {"divzero",  "nano=divzero count=",  " init=true", 1, {"889",       "3223",         "1014"},      1},
    {"ptemod",   "nano=ptemod count=",   " init=true", 1, {"1",         "391",          "12733"},    -1},
    {"forkwait", "init=forkwait ",       "",          50, {"150 us",    "922 us",       "2660 us"},  -1},
};
/* clang-format on */

/* --- measuring ---------------------------------------------------------------------------------- */

static int
run_one(const struct nano *nano, unsigned n, const char *strategy, uint64_t count,
        struct compare_sample *sample, struct error *err)
{
    const struct nano_operation *op = &nano_operations[n];
    struct compare_job job = *nano->job;

    snprintf(job.append, sizeof(job.append), "%s%" PRIu64 "%s", op->before, count, op->after);
    int rc = compare_round(&job, strategy, -1, NULL, sample, err);
    if (rc)
        return rc;
    if (sample->failed.message[0]) {
        *err = sample->failed;
        return -EINVAL;
    }
    if (sample->end != RUN_POWER_OFF || sample->status != 1)
        return error_set(err, EIO,
                         "'%s' did not come to a good end under strategy %s: %s with status %d %s",
                         job.append, strategy, run_end_text(sample->end), sample->status,
                         sample->message.message);
    if (strcmp(op->name, "forkwait") && sample->counted != count)
        return error_set(err, EIO, "'%s' did not do what it should under strategy %s", job.append,
                         strategy);
    return 0;
}

/* Counts: exact on soft. */
static int
count_cost(struct nano *nano, unsigned n, unsigned s, struct error *err)
{
    struct nano_cost *cost = &nano->cost[n][s];
    uint64_t count = nano->operations / nano_operations[n].divide;
    struct compare_sample once, twice;
    int rc;

    count = count ? count : 1;
    if ((rc = run_one(nano, n, nano->strategies[s], count, &once, err)) ||
        (rc = run_one(nano, n, nano->strategies[s], 2 * count, &twice, err)))
        return rc;
    nano->counted |= twice.instructions != 0;
    cost->exits = ((double)twice.exits - (double)once.exits) / (double)count;
    cost->instructions = ((double)twice.instructions - (double)once.instructions) / (double)count;
    return 0;
}

/* Processor time of an operation in ps, from counts `count` and COUNT_STEP times that; *enough: the
 * difference was long enough. */
static int
time_once(const struct nano *nano, unsigned n, unsigned s, uint64_t count, uint64_t *ps,
          bool *enough, struct error *err)
{
    struct compare_sample few, many;
    int rc;

    if ((rc = run_one(nano, n, nano->strategies[s], count, &few, err)) ||
        (rc = run_one(nano, n, nano->strategies[s], COUNT_STEP * count, &many, err)))
        return rc;
    uint64_t more = many.cpu_ns > few.cpu_ns ? many.cpu_ns - few.cpu_ns : 0;
    *enough = more >= ENOUGH_NS;
    *ps = more * 1000 / ((COUNT_STEP - 1) * count);
    return 0;
}

/* All strategies in turn, round by round, each with the count that is large enough for it. */
static int
time_costs(struct nano *nano, unsigned n, struct error *err)
{
    uint64_t count[COMPARE_STRATEGIES], ps[COMPARE_STRATEGIES][COMPARE_ROUNDS];
    bool enough;
    int rc;

    for (unsigned s = 0; s < nano->count; s++) {
        count[s] = nano->operations / nano_operations[n].divide;
        count[s] = count[s] ? count[s] : 1;
        do {
            if ((rc = time_once(nano, n, s, count[s], &ps[s][0], &enough, err)))
                return rc;
        } while (!enough && COUNT_STEP * COUNT_STEP * count[s] <= COUNT_MAX &&
                 (count[s] *= COUNT_STEP));
    }
    for (unsigned r = 1; r < nano->rounds; r++)
        for (unsigned s = 0; s < nano->count; s++)
            if ((rc = time_once(nano, n, s, count[s], &ps[s][r], &enough, err)))
                return rc;
    for (unsigned s = 0; s < nano->count; s++)
        nano->cost[n][s].ps = compare_spread(ps[s], nano->rounds);
    return 0;
}

int
compare_nano(const struct compare_job *job, const char *const *strategies, unsigned count,
             uint64_t operations, unsigned rounds, bool times, bool json)
{
    struct nano nano = {
        .job = job,
        .strategies = strategies,
        .count = count,
        .rounds = rounds,
        .operations = operations,
        .times = times,
    };
    struct error err = {""};
    int rc = 0;

    for (unsigned n = 0; !rc && n < NANO_OPERATIONS; n++) {
        for (unsigned s = 0; !rc && s < count; s++)
            rc = count_cost(&nano, n, s, &err);
        if (!rc && times)
            rc = time_costs(&nano, n, &err);
    }
    if (rc)
        return cli_error(STATUS_USER, "%s", err.message);
    if (json)
        nano_print_json(&nano);
    else
        nano_print(&nano);
    return STATUS_OK;
}
