/*
 * cmd_compare.c - `hv compare`: the same program under several strategies, side by side.
 *
 * First each strategy runs it once with a recording: it says where the first instruction of a user
 * program is, and the picture is drawn from it. Then come the rounds that are timed, one of each
 * strategy in turn, so that what disturbs the host disturbs all alike.
 *
 * Called by main.c through command_compare. Next: compare.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/compare.h"
#include "cli/guestdir.h"
#include "cli/launch_process.h"
#include "cli/ski_options.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tracer/stats.h"
#include "tracer/view_compare.h"

#define ROUNDS_DEFAULT     5
#define OPERATIONS_DEFAULT 1000

struct plan {
    struct compare_job job;
    const struct engine_ops *engine;
    const char *strategy[COMPARE_STRATEGIES];
    char names[4096]; /* what strategy[] points into, if they were given */
    unsigned strategies;
    uint64_t rounds;
    const char *out;
};

/* --- the words of the command line ---------------------------------------------------------------- */

/* "hardware,trap": all that the engine can carry, if none was given. */
static int
read_strategies(struct plan *plan, const char *list, struct error *err)
{
    char *rest = NULL;

    if (!list) {
        for (unsigned i = 0; strategy_table[i] && plan->strategies < COMPARE_STRATEGIES; i++)
            if (!strategy_check(strategy_table[i], plan->engine, NULL))
                plan->strategy[plan->strategies++] = strategy_table[i]->name;
        return 0;
    }
    if (snprintf(plan->names, sizeof(plan->names), "%s", list) >= (int)sizeof(plan->names))
        return error_set(err, E2BIG, "option '--strategies': more than %zu bytes",
                         sizeof(plan->names) - 1);
    for (char *name = strtok_r(plan->names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        if (plan->strategies == COMPARE_STRATEGIES)
            return error_set(err, E2BIG, "option '--strategies': at most %u of them",
                             COMPARE_STRATEGIES);
        const struct strategy_ops *found = strategy_find(name);
        if (!found && !strategy_is_path(name))
            return error_set(err, EINVAL,
                             "there is no strategy '%s'; 'hv list strategies' shows them", name);
        int rc = found && !(found->needs & CAP_PROCESS) ? strategy_check(found, plan->engine, err)
                                                        : 0;
        if (rc)
            return rc;
        plan->strategy[plan->strategies++] = name;
    }
    if (!plan->strategies)
        return error_set(err, EINVAL, "option '--strategies' names none");
    return 0;
}

static int
read_program(struct compare_job *job, const struct args *args, struct error *err)
{
    char path[PATH_MAX];
    size_t used;

    job->guest = args->word[0];
    snprintf(job->append, sizeof(job->append), "%s", job->options.append);
    guestdir_resolve(job->guest, path, sizeof(path));
    if (!access(path, R_OK)) {
        if (args->words > 1)
            return error_set(err, EINVAL, "'%s' is a guest: its command line goes in --append",
                             job->guest);
        return 0;
    }
    /* An app is a file in the guests' folder apps/; it runs under minios as process 1. */
    if (!launch_find_app(job->guest, job->app, sizeof(job->app)))
        return error_set(err, ENOENT,
                         "there is no guest and no program '%s': 'hv list guests' shows the "
                         "guests, and programs are in their folder apps/",
                         job->guest);
    job->guest = "minios";
    job->options.words = 1; /* the others are the program's: in the kernel's command line */
    used = (size_t)snprintf(job->append, sizeof(job->append), "init=");
    for (unsigned i = 0; i < args->words && used < sizeof(job->append); i++) {
        job->argv[i] = (char *)(uintptr_t)args->word[i];
        used += (size_t)snprintf(job->append + used, sizeof(job->append) - used, "%s%s",
                                 i ? " " : "", args->word[i]);
    }
    if (used >= sizeof(job->append))
        return error_set(err, E2BIG, "the program's arguments are too long");
    return 0;
}

/* Strategies about a process run programs, not kernels. If none was asked for, they are taken where
 * they work: one run tells. */
static int
add_processes(struct plan *plan, bool all, struct error *err)
{
    struct compare_sample sample;

    for (unsigned i = 0; i < plan->strategies; i++)
        if (compare_is_process(plan->strategy[i]) && !plan->job.app[0])
            return error_set(
                err, EINVAL,
                "strategy %s runs a program on this host's kernel: '%s' is a machine's",
                plan->strategy[i], plan->job.guest);
    for (unsigned i = 0; all && plan->job.app[0] && strategy_table[i]; i++) {
        const char *name = strategy_table[i]->name;
        if (!compare_is_process(name) || plan->strategies == COMPARE_STRATEGIES)
            continue;
        int rc = compare_round(&plan->job, name, -1, NULL, &sample, err);
        if (rc)
            return rc;
        if (sample.failed.message[0])
            fprintf(stderr, "hv: without strategy %s: %s\n", name, sample.failed.message);
        else
            plan->strategy[plan->strategies++] = name;
    }
    return 0;
}

/* Options of `hv run` that make no sense here: each run has its own. */
static int
refuse_others(const struct args *args, struct error *err)
{
    static const char *const others[] = {"strategy", "console", "trace", "trace-guest", "bios"};

    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        if (args_flag(args, others[i]))
            return error_set(err, EINVAL, "'hv compare' chooses that itself: leave out '--%s'%s",
                             others[i],
                             !strcmp(others[i], "strategy") ? "; --strategies names several" : "");
    return 0;
}

static int
read_plan(struct plan *plan, const struct args *args, struct error *err)
{
    struct compare_job *job = &plan->job;
    const char *engine;
    int rc;

    job->args = args;
    job->input = args_value(args, "input");
    plan->out = args_value(args, "output");
    plan->rounds = ROUNDS_DEFAULT;
    if ((rc = refuse_others(args, err)) || (rc = launch_read_options(&job->options, args, err)) ||
        (rc = args_number(args, "rounds", &plan->rounds, err)))
        return rc;
    if (!plan->rounds || plan->rounds > COMPARE_ROUNDS)
        return error_set(err, EINVAL, "option '--rounds' takes 1 to %u", COMPARE_ROUNDS);
    /* soft unless another is asked for: its counts are the same everywhere. */
    engine = args_value(args, "engine");
    plan->engine = engine_find(engine ? engine : "soft");
    if (!plan->engine)
        return error_set(err, EINVAL, "there is no engine '%s'; 'hv list engines' shows them",
                         engine);
    if (plan->engine->probe && (rc = plan->engine->probe(err)))
        return error_prefix(err, rc, "engine %s", plan->engine->name);
    job->options.engine = plan->engine->name;
    if (plan->out && !dot_format(plan->out))
        return error_set(err, EINVAL,
                         "'%s' has no suffix that names a picture: .svg .png .pdf .dot", plan->out);
    return read_strategies(plan, args_value(args, "strategies"), err);
}

/* --- running ---------------------------------------------------------------------------------------- */

/* The first event that leads to a user program; what follows it is that program's first instruction. */
static void
find_start(const struct trace *trace, struct compare_start *start)
{
    for (uint64_t i = 0; i < trace->count && !start->known; i++) {
        const struct trace_event *e = &trace->events[i];
        bool moves = e->kind < trace->kinds && trace->kind[e->kind].class != TRACE_CLASS_NOTE;
        if (!moves || e->to != TRACE_ACTOR_GUEST_USER)
            continue;
        start->known = true;
        start->instructions = e->icount;
        start->exits = trace_exits_before(trace, i);
    }
}

/* The median time from a system call to its answer. */
static uint64_t
middle_call(const struct trace *trace)
{
    struct stats *stats = malloc(sizeof(*stats)); /* large */
    uint64_t ns = 0;

    if (!stats)
        return 0;
    stats_init(stats, trace);
    for (uint64_t i = 0; i < trace->count; i++)
        if (stats_event(stats, &trace->events[i]))
            break;
    ns = stats_percentile(&stats->handler[TRACE_HOST_CALL], 50);
    stats_free(stats);
    free(stats);
    return ns;
}

/* The run that is recorded, in a file that has no name. */
static int
record(struct plan *plan, struct compare_column *c, struct trace *trace, struct error *err)
{
    char path[32];
    int fd = memfd_create("recording", MFD_CLOEXEC);

    if (fd < 0)
        return error_set(err, errno, "cannot make a file in memory: %s", strerror(errno));
    int rc = compare_round(&plan->job, c->strategy, fd, NULL, &c->first, err);
    if (!rc && c->first.failed.message[0]) {
        *err = c->first.failed;
        rc = -EINVAL;
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (!rc)
        rc = trace_open(trace, path, err->message, sizeof(err->message));
    if (!rc)
        find_start(trace, &c->start);
    if (!rc && c->process)
        c->call_ns = middle_call(trace);
    close(fd);
    return rc ? error_prefix(err, rc, "strategy %s", c->strategy) : 0;
}

/* Did all print the same, and end alike: or is it nothing that they have in common, as they failed?
 * A process of this host's kernel goes with the host. */
static void
judge(struct compare *compare)
{
    const struct compare_column *last = &compare->column[compare->columns - 1];

    for (unsigned i = 0; i < compare->columns; i++)
        if (compare->column[i].strategy && !compare->column[i].process)
            last = &compare->column[i];
    compare->same = compare->native_same = compare->same_end = true;
    for (unsigned i = 0; i < compare->columns; i++) {
        const struct compare_column *c = &compare->column[i];
        bool same = c->alike && c->first.hash == last->first.hash;
        if (c->strategy && !c->process) {
            compare->same &= same;
            compare->same_end &= c->first.end == last->first.end &&
                                 c->first.status == last->first.status;
        } else {
            compare->native_same &= same;
        }
    }
}

static int
run_rounds(struct plan *plan, struct compare *compare, struct error *err)
{
    for (unsigned r = 0; r < plan->rounds; r++)
        for (unsigned i = 0; i < compare->columns; i++) {
            struct compare_column *c = &compare->column[i];
            int rc = c->strategy
                         ? compare_round(&plan->job, c->strategy, -1, &c->start, &c->round[r], err)
                         : compare_native(&plan->job, &c->round[r], err);
            if (rc)
                return rc;
            if (c->round[r].failed.message[0]) {
                *err = c->round[r].failed;
                return -EINVAL;
            }
            c->rounds = r + 1;
        }
    for (unsigned i = 0; i < compare->columns; i++) {
        struct compare_column *c = &compare->column[i];
        struct compare_sample recorded = c->first;
        compare_sum(c);
        if (c->process) { /* the timed runs were not traced */
            c->first.exits = recorded.exits;
            memcpy(c->first.by_kind, recorded.by_kind, sizeof(recorded.by_kind));
        }
    }
    judge(compare);
    return 0;
}

/* One picture of all recordings. */
static int
draw(const struct plan *plan, const struct compare *compare, const struct trace *trace, bool times,
     struct error *err)
{
    char title[512];
    const struct compare_job *job = &plan->job;

    snprintf(title, sizeof(title), "%s on engine %s, under %u strategies",
             job->app[0] ? job->append + strlen("init=") : job->guest, compare->engine,
             plan->strategies);
    struct view_compare picture = {
        .trace = trace, .traces = plan->strategies, .title = title, .no_times = !times};
    return view_compare_write(&picture, plan->out, err->message, sizeof(err->message));
}

static int
compare_all(struct plan *plan, const struct args *args, struct compare *compare, struct error *err)
{
    struct trace trace[COMPARE_STRATEGIES];
    unsigned opened = 0;
    int rc = 0;

    for (unsigned i = 0; !rc && i < plan->strategies; i++) {
        struct compare_column *c = &compare->column[compare->columns - plan->strategies + i];
        if (!(rc = record(plan, c, &trace[i], err)))
            opened++;
    }
    if (!rc)
        rc = run_rounds(plan, compare, err);
    if (!rc && plan->out)
        rc = draw(plan, compare, trace, !args_flag(args, "no-times"), err);
    while (opened)
        trace_close(&trace[--opened]);
    return rc;
}

static int
run_table(struct plan *plan, const struct args *args)
{
    bool native = plan->job.app[0];
    struct compare compare = {
        .job = &plan->job,
        .engine = plan->engine->name,
        .counted = plan->engine->caps & CAP_ICOUNT,
        .columns = plan->strategies + native,
        .rounds = (unsigned)plan->rounds,
    };
    struct error err = {""};

    compare.column = calloc(compare.columns, sizeof(*compare.column));
    if (!compare.column)
        return cli_error(STATUS_OURS, "no memory for the results");
    if (native)
        snprintf(compare.column[0].kernel, sizeof(compare.column[0].kernel), "this host's");
    for (unsigned i = 0; i < plan->strategies; i++) {
        struct compare_column *c = &compare.column[i + native];
        c->strategy = plan->strategy[i];
        c->process = compare_is_process(c->strategy);
        compare_guest(plan->job.guest, c->strategy, c->kernel, sizeof(c->kernel));
        if (c->process)
            snprintf(c->kernel, sizeof(c->kernel), "this host's");
    }
    int rc = compare_all(plan, args, &compare, &err);
    if (!rc && args_flag(args, "json"))
        compare_print_json(&compare);
    else if (!rc)
        compare_print(&compare, !args_flag(args, "no-times"));
    free(compare.column);
    if (rc)
        return cli_error(STATUS_USER, "%s", err.message);
    return compare.same && compare.same_end ? STATUS_OK : STATUS_USER;
}

static int
run_compare(const struct args *args)
{
    struct plan plan = {0};
    struct args copy = *args;
    struct error err = {""};
    uint64_t operations = OPERATIONS_DEFAULT;
    bool nano = args_flag(args, "nano");

    if (nano && args->words)
        return cli_error(STATUS_USER, "--nano runs minios' own loops: give no GUEST");
    if (nano)
        copy.word[copy.words++] = "minios";
    if (read_plan(&plan, &copy, &err) || args_number(args, "count", &operations, &err) ||
        (!nano && read_program(&plan.job, args, &err)))
        return cli_error(STATUS_USER, "%s", err.message);
    if (!nano && add_processes(&plan, !args_flag(args, "strategies"), &err))
        return cli_error(STATUS_USER, "%s", err.message);
    if (!nano)
        return run_table(&plan, args);
    plan.job.guest = "minios";
    if (operations < 10 || operations > 10000000)
        return cli_error(STATUS_USER, "option '--count' takes 10 to 10000000");
    return compare_nano(&plan.job, plan.strategy, plan.strategies, operations,
                        (unsigned)plan.rounds, !args_flag(args, "no-times"),
                        args_flag(args, "json"));
}

static const struct option_desc options[] = {
    {"strategies", 0, "LIST", "Which, with commas: hardware,trap (all that the engine can carry)."},
    {"rounds", 'r', "N", "Timed runs of each, in turn (5)."},
    {"input", 0, "FILE", "What is typed on the console."},
    {"output", 'o', "OUT", "A picture of all, side by side: .svg, .png, .pdf or .dot."},
    {"nano", 0, NULL, "The nanobenchmarks of Adams & Agesen, beside the paper's."},
    {"count", 0, "N", "With --nano: operations in a loop (1000)."},
    {"no-times", 0, NULL, "Leave out times and memory: what is left is the same in every run."},
    {"json", 'j', NULL, "Print everything as JSON."},
    {NULL},
};

const struct command command_compare = {
    .name = "compare",
    .words = "GUEST | APP [ARGUMENT]...",
    .max = ARGS_MAX - 1,
    .summary = "Run a program under several strategies, and set them side by side.",
    .text =
        "GUEST is as for 'hv run'; APP is one of the programs in the guests' folder apps/, which\n"
        "minios runs under each strategy, and this host as it is (column native). Under strategy\n"
        "paravirt the guest is GUEST-pv, if there is one. Engine soft is the default.\n\n"
        "What programs print must be the same everywhere: its hash shows it (uname's differs on\n"
        "this host, which has another kernel). Lines of minios\n"
        "itself ('minios: ...') are left out of it, as they tell what differs. Times are the\n"
        "middle of several runs, with the least and the greatest; the runs of the strategies\n"
        "take turns, each in a process and a machine of its own.\n\n"
        "--nano prints exits, guest instructions and time for one operation of each kind, beside\n"
        "the cycles of Adams & Agesen (ASPLOS 2006). docs/COMPARE.md discusses it.\n\n"
        "Status: 0 if it printed the same and ended alike under every strategy, else 1.\n",
    .options = {launch_option_table, options, ski_option_table},
    .run = run_compare,
};
