/*
 * compare_table.c - the strategies side by side, as text and as JSON.
 *
 * Called by cmd_compare.c. Next: compare_nano.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/util.h"
#include "cli/compare.h"
#include "tracer/describe.h"
#include "tracer/json.h"

#define LEFT 34
#define WIDE 17 /* a hash, or two times: "2.44 ms..18.8 ms" */

static void
cell(const char *text)
{
    printf(" %*s", WIDE, text);
}

static void
count_cell(uint64_t count, bool there)
{
    char text[DESCRIBE_SIZE];

    cell(there ? describe_count(count, text, sizeof(text)) : "-");
}

static void
time_cell(double ns, bool there)
{
    char text[DESCRIBE_SIZE];

    cell(there ? describe_time(ns, text, sizeof(text)) : "-");
}

/* "1.20 .. 1.44 ms" would need a common unit; two times do as well. */
static void
spread_cell(const struct compare_spread *s, uint64_t divide)
{
    char least[DESCRIBE_SIZE], most[DESCRIBE_SIZE], text[2 * DESCRIBE_SIZE + 4];

    if (!s->most || !divide) {
        cell("-");
        return;
    }
    snprintf(text, sizeof(text), "%s..%s",
             describe_time((double)s->least / (double)divide, least, sizeof(least)),
             describe_time((double)s->most / (double)divide, most, sizeof(most)));
    cell(text);
}

static void
row(const char *name)
{
    printf("%-*s", LEFT, name);
}

/* Each row is a function of a column: the loops are here, once. */
#define ROW(name, statement)                                                                       \
    do {                                                                                           \
        row(name);                                                                                 \
        for (unsigned i = 0; i < compare->columns; i++) {                                          \
            const struct compare_column *c = &compare->column[i];                                  \
            bool native = !c->strategy;                                                            \
            (void)native;                                                                          \
            statement;                                                                             \
        }                                                                                          \
        putchar('\n');                                                                             \
    } while (0)

/* Of a program under minios: what it gave to exit(), which minios makes (v << 1) | 1 of. */
static void
status_cell(const struct compare *compare, const struct compare_column *c)
{
    char text[64];

    if (c->first.end != RUN_POWER_OFF)
        snprintf(text, sizeof(text), "%s",
                 c->first.end == RUN_HALTED  ? "halted"
                 : c->first.end == RUN_LIMIT ? "limit reached"
                 : c->first.end == RUN_RESET ? "reset"
                                             : "failed");
    else if (c->strategy && !c->process && compare->job->app[0])
        snprintf(text, sizeof(text), "exit %d", c->first.status >> 1);
    else
        snprintf(text, sizeof(text), c->strategy && !c->process ? "status %d" : "exit %d",
                 c->first.status);
    cell(text);
}

static void
print_result(const struct compare *compare)
{
    char text[64];

    ROW("", cell(native ? "native" : c->strategy));
    ROW("kernel", cell(c->kernel));
    ROW("the program ended with", status_cell(compare, c));
    ROW("it printed, bytes", count_cell(c->first.length, true));
    ROW("  hash of that (FNV-1a)",
        (snprintf(text, sizeof(text), "%016" PRIx64, c->first.hash), cell(text)));
}

static void
print_exits(const struct compare *compare)
{
    ROW("guest instructions", count_cell(c->first.instructions, c->first.instructions));
    ROW("exits", count_cell(c->first.exits, !native));
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++) {
        bool any = false;
        char name[32];
        for (unsigned i = 0; i < compare->columns; i++)
            any |= compare->column[i].first.by_kind[k] != 0;
        snprintf(name, sizeof(name), "  %s", trace_kinds[k].name);
        if (any)
            ROW(name, count_cell(c->first.by_kind[k], c->first.by_kind[k]));
    }
}

static void
print_start(const struct compare *compare, bool times)
{
    puts("to the first instruction of a user program:");
    ROW("  exits", count_cell(c->start.exits, c->start.known));
    ROW("  guest instructions", count_cell(c->start.instructions, c->start.instructions));
    if (times) {
        ROW("  time, with building the machine",
            time_cell((double)c->start_ns.middle, c->start_ns.middle));
        ROW("    from .. to", spread_cell(&c->start_ns, 1));
    }
}

static void
print_times(const struct compare *compare)
{
    char name[64];

    snprintf(name, sizeof(name), "time (the middle of %u runs)", compare->rounds);
    ROW(name, time_cell((double)c->total.middle, true));
    ROW("  from .. to", spread_cell(&c->total, 1));
    ROW("  of the processor", time_cell((double)c->cpu.middle, c->cpu.middle));
    ROW("    from .. to", spread_cell(&c->cpu, 1));
    ROW("  in the guest", time_cell((double)c->guest.middle, !native));
    ROW("  in the VMM", time_cell((double)c->vmm.middle, !native));
    ROW("    from .. to", spread_cell(&c->vmm, !native));
    ROW("  in the VMM, an exit",
        time_cell((double)c->vmm.middle / (double)(c->first.exits ? c->first.exits : 1),
                  c->first.exits));
    ROW("    from .. to", spread_cell(&c->vmm, c->first.exits));
}

/* What the slides say of a single kernel image, for and against. */
static void
print_truth(const struct compare_column *c, bool times)
{
    struct utsname name;
    char text[32];

    if (uname(&name))
        return;
    printf(
        "%s: one kernel for all, Linux %s inside as outside: what a system call costs there, it\n"
        "     costs here, no other operating system can be the guest, and one fault of the kernel\n"
        "     takes all guests with it. Its exits are those of the run that was traced; the runs\n"
        "     that were timed were not, as nobody would trace a guest in earnest.\n",
        c->strategy, name.release);
    if (times && c->call_ns)
        printf("     Traced, half of the system calls took less than %s, the two stops included.\n",
               describe_time((double)c->call_ns, text, sizeof(text)));
}

static void
print_notes(const struct compare *compare, bool times)
{
    puts("");
    for (unsigned i = 0; i < compare->columns; i++) {
        const struct compare_column *c = &compare->column[i];
        if (c->first.message.message[0])
            printf("%s: %s: %s\n", c->strategy, run_end_text(c->first.end),
                   c->first.message.message);
        if (compare->counted && !c->steady)
            printf("%s: not every round had the same exits and instructions\n",
                   c->strategy ? c->strategy : "native");
    }
    for (unsigned i = 0; i < compare->columns; i++)
        if (compare->column[i].process)
            print_truth(&compare->column[i], times);
    printf("%s\n",
           !compare->same ? "The program did NOT print the same under every strategy: see the "
                            "hashes."
           : !compare->same_end ? "The program did NOT end alike under every strategy."
           : compare->native_same
               ? "Every column printed the same."
               : "Every strategy printed the same; this host itself printed something else.");
}

void
compare_print(const struct compare *compare, bool times)
{
    const struct compare_job *job = compare->job;

    printf("%s on engine %s\n\n", job->app[0] ? job->append + strlen("init=") : job->guest,
           compare->engine);
    print_result(compare);
    print_exits(compare);
    print_start(compare, times);
    if (times) {
        print_times(compare);
        ROW("memory of the VMM, KiB", count_cell(c->memory.middle / 1024, c->memory.middle));
    }
    print_notes(compare, times);
}

/* --- JSON ----------------------------------------------------------------------------------------- */

static void
json_spread(const char *name, const struct compare_spread *s)
{
    printf(",\n   \"%s\": {\"middle\": %" PRIu64 ", \"least\": %" PRIu64 ", \"most\": %" PRIu64 "}",
           name, s->middle, s->least, s->most);
}

static void
json_column(const struct compare_column *c)
{
    bool first = true;

    printf("  {\"strategy\": ");
    json_text(stdout, c->strategy ? c->strategy : "native");
    printf(", \"kernel\": ");
    json_text(stdout, c->kernel);
    printf(",\n   \"end\": ");
    json_text(stdout, run_end_text(c->first.end));
    printf(", \"status\": %d, \"message\": ", c->first.status);
    json_text(stdout, c->first.message.message);
    printf(",\n   \"hash\": \"%016" PRIx64 "\", \"bytes\": %" PRIu64 ", \"instructions\": %" PRIu64
           ", \"steady\": %s,\n   \"exits\": %" PRIu64 ", \"by_kind\": {",
           c->first.hash, c->first.length, c->first.instructions, c->steady ? "true" : "false",
           c->first.exits);
    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        if (c->first.by_kind[k]) {
            printf("%s\"%s\": %" PRIu64, first ? "" : ", ", trace_kinds[k].name,
                   c->first.by_kind[k]);
            first = false;
        }
    printf("},\n   \"start\": {\"known\": %s, \"exits\": %" PRIu64 ", \"instructions\": %" PRIu64
           "}",
           c->start.known ? "true" : "false", c->start.exits, c->start.instructions);
    json_spread("total_ns", &c->total);
    json_spread("cpu_ns", &c->cpu);
    json_spread("guest_ns", &c->guest);
    json_spread("vmm_ns", &c->vmm);
    json_spread("start_ns", &c->start_ns);
    json_spread("memory", &c->memory);
    printf("}");
}

void
compare_print_json(const struct compare *compare)
{
    printf("{\"program\": ");
    json_text(stdout,
              compare->job->app[0] ? compare->job->append + strlen("init=") : compare->job->guest);
    printf(", \"engine\": ");
    json_text(stdout, compare->engine);
    printf(", \"rounds\": %u, \"same\": %s, \"native_same\": %s, "
           "\"same_end\": %s, \"columns\": [\n",
           compare->rounds, compare->same ? "true" : "false",
           compare->native_same ? "true" : "false", compare->same_end ? "true" : "false");
    for (unsigned i = 0; i < compare->columns; i++) {
        json_column(&compare->column[i]);
        puts(i + 1 < compare->columns ? "," : "");
    }
    puts("]}");
}
