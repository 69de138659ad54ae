/*
 * cpu.c - diff_cpu: random instructions on the host's processor and in the interpreter.
 *
 *   diff_cpu [--seed N] [--instructions N] [--batch N] [--reports N] [--rows]
 *
 * Ends with status 0 if nothing differed and every row of the opcode table that a user program can
 * compare was covered, else 1. A batch depends on the seed and its number alone: `--seed S
 * --batch B` runs that one again. Called by `make check` and `make fuzz`.
 *
 * Next: generate.c, host.c, machine.c.
 */
#include "tests/diff/diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/x86/exec.h"

#define COVERED        20  /* times that a row must have run */
#define MISMATCHES_MAX 500 /* enough is enough */
#define SEEN_MAX       24  /* instructions noted per case */

struct seen {
    const struct diff_row *row;
    bool faulted;
};

struct run {
    uint64_t seed, first, instructions;
    bool one_batch, list_rows;
    unsigned reports;

    struct diff_host host;
    struct diff_machine *machine;
    struct diff_engine *engine;
    uint64_t cases, done, faults, skipped, lost, mismatches;
    uint64_t engine_mismatches;   /* the soft engine against the interpreter's single step */
    uint8_t data[DIFF_DATA_SIZE]; /* as the batch starts */
    struct diff_case *batch;
    struct diff_end host_end[DIFF_BATCH], soft_end[DIFF_BATCH];
    uint32_t undefined[DIFF_BATCH];
    struct seen seen[DIFF_BATCH][SEEN_MAX];
    unsigned nseen[DIFF_BATCH], index;
};

static void
note_seen(void *ctx, const struct diff_row *row, bool faulted)
{
    struct run *r = ctx;
    unsigned *n = &r->nseen[r->index];

    if (*n < SEEN_MAX)
        r->seen[r->index][(*n)++] = (struct seen){row, faulted};
}

static void
count_agreed(struct run *r, unsigned i)
{
    for (unsigned k = 0; k < r->nseen[i]; k++) {
        struct diff_row *row = (struct diff_row *)r->seen[i][k].row;
        r->done++;
        if (r->seen[i][k].faulted) {
            row->faulted++;
            r->faults++;
        } else {
            row->retired++;
        }
    }
}

/* Brings the machine's memory to where case `n` starts, and reduces the case. */
static void
report_mismatch(struct run *r, uint64_t number, unsigned n, const char *what)
{
    uint8_t data[DIFF_DATA_SIZE];
    struct diff_end end;

    r->mismatches++;
    if (r->mismatches > r->reports)
        return;
    printf("MISMATCH in %s: --seed %" PRIu64 " --batch %" PRIu64 ", case %u\n", what, r->seed,
           number, n);
    memcpy(r->machine->data, r->data, sizeof(r->data));
    for (unsigned i = 0; i < n; i++)
        machine_run(r->machine, &r->batch[i], &end, NULL, NULL);
    memcpy(data, r->machine->data, sizeof(data));
    minimize_case(&r->host, r->machine, &r->batch[n], data);
    if (r->soft_end[n].stop == STOP_UNIMPLEMENTED && r->machine->unimplemented)
        printf("  the interpreter leaves out: %s\n", r->machine->unimplemented);
    fflush(stdout);
}

static void
compare_batch(struct run *r, uint64_t number)
{
    for (unsigned i = 0; i < DIFF_BATCH; i++) {
        const struct diff_end *host = &r->host_end[i], *soft = &r->soft_end[i];
        const char *what;

        r->cases++;
        if (host->stop == STOP_OTHER) { /* the child died */
            if (!r->lost++)
                report_mismatch(r, number, i, "a child that died");
            r->skipped += DIFF_BATCH - i;
            return;
        }
        what = compare_ends(&r->host, &r->batch[i], host, soft, r->undefined[i]);
        if (!what)
            count_agreed(r, i);
        if (!what && host->memory == soft->memory)
            continue;
        if (what && (strcmp(what, "memory") || !r->nseen[i] ||
                     !compare_memory_may_differ(host, r->seen[i][r->nseen[i] - 1].row->op)))
            report_mismatch(r, number, i, what);
        if (host->memory != soft->memory) {
            r->skipped += DIFF_BATCH - i - 1; /* they start from different memory now */
            return;
        }
    }
}

/* The soft engine must do exactly as x86_emulate_one() did, undefined flags and all. */
static void
check_engine(struct run *r, uint64_t number)
{
    const struct diff_case *c = &r->batch[r->index];
    const struct diff_end *step = &r->soft_end[r->index];
    struct diff_end end;
    bool alike = engine_run(r->engine, c, &end);

    if (step->stop == STOP_TIMEOUT || end.stop == STOP_TIMEOUT)
        memcpy(engine_data(r->engine), r->machine->data, DIFF_DATA_SIZE);
    else if (alike && !memcmp(step, &end, sizeof(end)))
        return;
    else if (r->engine_mismatches++ < r->reports) {
        printf("MISMATCH of the soft engine%s: --seed %" PRIu64 " --batch %" PRIu64 ", case %u\n"
               "  \"processor\" is x86_emulate_one(), \"interpreter\" the engine:\n",
               alike ? "" : ", first and second time", r->seed, number, r->index);
        report_case(c, step, &end, 0);
        memcpy(engine_data(r->engine), r->machine->data, DIFF_DATA_SIZE);
    }
}

static void
run_batch(struct run *r, uint64_t number)
{
    struct diff_rng rng;

    rng_seed(&rng, r->seed, number);
    generate_data(&rng, r->data);
    memcpy(r->host.data, r->data, sizeof(r->data));
    memcpy(r->machine->data, r->data, sizeof(r->data));
    memcpy(engine_data(r->engine), r->data, sizeof(r->data));
    for (unsigned i = 0; i < DIFF_BATCH; i++)
        generate_case(&rng, &r->host, &r->batch[i]);
    memcpy(r->host.arena->cases, r->batch, sizeof(r->host.arena->cases));
    r->host.arena->count = DIFF_BATCH;
    host_start(&r->host);
    memset(r->nseen, 0, sizeof(r->nseen));
    for (r->index = 0; r->index < DIFF_BATCH; r->index++) {
        machine_run(r->machine, &r->batch[r->index], &r->soft_end[r->index], note_seen, r);
        r->undefined[r->index] = r->machine->undefined;
        check_engine(r, number);
    }
    host_wait(&r->host);
    memcpy(r->host_end, r->host.arena->ends, sizeof(r->host_end));
    compare_batch(r, number);
}

/* Can a program at CPL 3 only see it fault? */
static bool
always_faults(const struct x86_opcode *op)
{
    static const x86_exec_fn closed[] = {
        exec_in,        exec_out,  exec_ins,   exec_outs,   exec_cli,     exec_sti, exec_int,
        exec_undefined, exec_into, exec_bound, exec_sysret, exec_sysexit, exec_clac};

    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
        if (op->exec == closed[i])
            return true;
    return op->flags & OP_CPL0;
}

static unsigned
report_coverage(const struct run *r)
{
    unsigned compared = 0, missing = 0, excluded = 0;

    for (unsigned i = 0; i < diff_row_count; i++) {
        const struct diff_row *row = &diff_rows[i];
        uint64_t n = row->retired + (row->closed || always_faults(row->op) ? row->faulted : 0);
        if (row->why) {
            excluded++;
        } else {
            compared++;
            missing += n < COVERED;
        }
        if (r->list_rows || (!row->why && n < COVERED))
            printf("%s %03x%s%.0d %-12s %-14s retired %8" PRIu64 " faulted %8" PRIu64 "  %s\n",
                   row->why      ? "left out"
                   : n < COVERED ? "MISSED  "
                                 : "        ",
                   row->opcode, row->reg >= 0 ? "/" : "", row->reg >= 0 ? row->reg : 0,
                   row->op->name, row->op->operands, row->retired, row->faulted,
                   row->why ? row->why : "");
    }
    printf("diff_cpu: %u rows of the opcode table compared, %u of them fewer than %u times; "
           "%u rows left out\n",
           compared, missing, COVERED, excluded);
    return missing;
}

static bool
parse_options(struct run *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (!strcmp(argv[i], "--rows"))
            r->list_rows = true;
        else if (!strcmp(argv[i], "--seed") && more)
            r->seed = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--instructions") && more)
            r->instructions = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--reports") && more)
            r->reports = (unsigned)strtoul(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--batch") && more) {
            r->first = strtoull(argv[++i], NULL, 0);
            r->one_batch = true;
        } else {
            fprintf(stderr, "usage: diff_cpu [--seed N] [--instructions N] [--batch N] "
                            "[--reports N] [--rows]\n");
            return false;
        }
    }
    return true;
}

int
main(int argc, char **argv)
{
    static struct run r = {.seed = 1, .instructions = 1000000, .reports = 10};
    unsigned missing = 0;

    if (!parse_options(&r, argc, argv))
        return 1;
    r.machine = malloc(sizeof(*r.machine));
    r.batch = malloc(DIFF_BATCH * sizeof(*r.batch));
    if (!r.machine || !r.batch || host_open(&r.host))
        return 2;
    rows_init(&r.host);
    machine_init(r.machine);
    r.engine = engine_create(r.machine);
    if (!r.engine)
        return 2;
    for (uint64_t number = r.first; number == r.first || (!r.one_batch && r.done < r.instructions &&
                                                          r.mismatches < MISMATCHES_MAX);
         number++)
        run_batch(&r, number);
    printf("diff_cpu: seed %" PRIu64 ": %" PRIu64 " instructions in %" PRIu64
           " cases agree, %" PRIu64 " of them by faulting alike; %" PRIu64
           " cases skipped, %" PRIu64 " mismatches, %" PRIu64 " of the soft engine\n",
           r.seed, r.done, r.cases, r.faults, r.skipped, r.mismatches, r.engine_mismatches);
    if (!r.one_batch)
        missing = report_coverage(&r);
    if (r.mismatches && !r.host.reference)
        printf(
            "diff_cpu: this host's processor is not Intel's, or is translated, and the interpreter "
            "follows Intel's manual: the differences are not counted as failures\n");
    bool failed = r.engine_mismatches || (r.host.reference && (r.mismatches || r.lost || missing));
    host_close(&r.host);
    engine_destroy(r.engine);
    free(r.machine);
    free(r.batch);
    return failed;
}
