/*
 * tracer_view.c - tests of the views that are text: the table's lines, the statistics; and of the
 * loop that feeds all views. The picture is tested in tracer_graph.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/describe.h"
#include "tracer/view.h"

static void
test_operands(void)
{
    static const struct {
        struct trace_event event;
        const char *text;
    } cases[] = {
        {{.kind = TRACE_IO, .address = 0x3f8, .value = 0x48, .size = 1, .flags = TRACE_WRITE},
         "write port 0x3f8 <- 0x48 'H'"},
        {{.kind = TRACE_IO, .address = 0x3fd, .size = 1}, "read port 0x3fd"},
        {{.kind = TRACE_MMIO, .address = 0xb8000, .value = 0x741, .size = 2, .flags = 1},
         "write address 0xb8000 <- 0x741"},
        {{.kind = TRACE_RETURN, .address = 0x3fd, .value = 0x60, .size = 2}, "read 0x3fd -> 0x60"},
        {{.kind = TRACE_CR, .address = 3, .value = 0x5000, .flags = TRACE_WRITE},
         "write cr3 <- 0x5000"},
        {{.kind = TRACE_CR, .address = 0}, "read cr0"},
        {{.kind = TRACE_MSR, .address = 0xc0000080, .value = 0x500, .flags = TRACE_WRITE},
         "write msr 0xc0000080 <- 0x500"},
        {{.kind = TRACE_CPUID, .address = 7, .value = 1}, "leaf 0x7, subleaf 0x1"},
        {{.kind = TRACE_GUEST_FAULT, .address = 14, .value = 0x403000, .extra = 6},
         "vector 0xe at 0x403000, error 0x6"},
        {{.kind = TRACE_EXCEPTION, .address = 13, .value = 0x18, .flags = TRACE_ERROR},
         "vector 0xd, error 0x18"},
        {{.kind = TRACE_EXCEPTION, .address = 14, .flags = TRACE_ERROR},
         "vector 0xe at 0x0, error 0x0"},
        {{.kind = TRACE_INJECT, .address = 0x20}, "vector 0x20"},
        {{.kind = TRACE_HYPERCALL, .address = 1, .value = 2}, "hypercall 0x1, 0x2"},
        {{.kind = TRACE_SYSCALL, .address = 1, .value = 2}, "number 1, argument 0x2"},
        {{.kind = TRACE_IRQ, .address = 4, .value = 1}, "line 4 raised"},
        {{.kind = TRACE_IRQ, .address = 4}, "line 4 lowered"},
        {{.kind = TRACE_INPUT, .value = '\n', .size = 1}, "source 0: 0xa"},
        {{.kind = TRACE_ENTRY, .flags = TRACE_HANDLED}, "handled by the strategy"},
        {{.kind = TRACE_END, .address = TRACE_HLT, .value = 3}, "after hlt, status 3"},
        {{.kind = TRACE_END, .address = UINT64_MAX}, "status 0"},
        {{.kind = TRACE_HLT}, ""},
        {{.kind = TRACE_HOST_RETURN, .address = 9, .value = 4096}, "mmap = 0x1000"},
        /* By int 80, 9 is link(). */
        {{.kind = TRACE_HOST_RETURN, .address = 9, .value = 4096, .flags = TRACE_FOREIGN},
         "32-bit call = 4096"},
        {{.kind = TRACE_HOST_RETURN, .address = 400, .value = (uint64_t)-38}, "call = -ENOSYS"},
    };
    struct tape tape;
    struct trace trace;
    char text[DESCRIBE_SIZE];

    tape_small(&tape);
    tape_read(&tape, &trace);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_STRING_EQUAL(describe_operands(&trace, &cases[i].event, NULL, text, sizeof(text)),
                               cases[i].text);
    trace_close(&trace);
    tape_remove(&tape);
}

static const char *
address_name(unsigned kind, uint64_t address)
{
    return kind == TRACE_MSR && address == 7 ? "SEVENTH"
           : kind == TRACE_EXCEPTION         ? "#XX example"
                                             : NULL;
}

static void
test_named_operands(void)
{
    struct trace_event msr = {.kind = TRACE_MSR, .address = 7, .value = 1, .flags = TRACE_WRITE};
    struct trace_event fault = {.kind = TRACE_EXCEPTION, .flags = TRACE_ERROR, .value = 9};
    struct tape tape;
    struct trace trace;
    char text[DESCRIBE_SIZE];

    tape_small(&tape);
    tape_read(&tape, &trace);
    describe_operands(&trace, &msr, address_name, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "write msr SEVENTH <- 0x1");
    msr.address = 8;
    describe_operands(&trace, &msr, address_name, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "write msr 0x8 <- 0x1");
    describe_operands(&trace, &fault, address_name, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "#XX example, error 0x9");
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_units(void)
{
    static const struct {
        double ns;
        const char *text;
    } times[] = {
        {0, "0 ns"},       {999, "999 ns"},    {1000, "1.00 us"},  {9994, "9.99 us"},
        {9996, "10.0 us"}, {99960, "100 us"},  {999400, "999 us"}, {999600, "1.00 ms"},
        {1.5e9, "1.50 s"}, {3.6e12, "3600 s"},
    };
    char text[32];

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        CU_ASSERT_STRING_EQUAL(describe_time(times[i].ns, text, sizeof(text)), times[i].text);
    CU_ASSERT_STRING_EQUAL(describe_count(0, text, sizeof(text)), "0");
    CU_ASSERT_STRING_EQUAL(describe_count(999, text, sizeof(text)), "999");
    CU_ASSERT_STRING_EQUAL(describe_count(1000, text, sizeof(text)), "1,000");
    CU_ASSERT_STRING_EQUAL(describe_count(UINT64_MAX, text, sizeof(text)),
                           "18,446,744,073,709,551,615");
}

static void
name_of(void *context, uint64_t rip, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, "%s", rip == 0x1004 ? "putc\x1b+0x4" : "");
}

static void
test_table(void)
{
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_table, &trace, (struct view_options){.resolve = name_of});
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n       1          1.000  guest kernel -> dispatcher    io             "
                     "write port 0x3f8 <- 0x48 'H'       0x1004 putc?+0x4\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n                  1.100  dispatcher   -> uart          call           "
                     "write 0x3f8 <- 0x48 'H'\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "hlt                                               0x1005\n"));
    CU_ASSERT_EQUAL(tape_occurrences(text, "\n"), 1 + 9);
    free(text);
    text = tape_show(&view_table, &trace, (struct view_options){.no_times = true, .from = 2});
    CU_ASSERT_EQUAL(tape_occurrences(text, "\n"), 1 + 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n       2  guest kernel -> dispatcher    hlt"));
    free(text);
    text = tape_show(&view_table, &trace, (struct view_options){.from = 1, .limit = 1});
    CU_ASSERT_EQUAL(tape_occurrences(text, "\n"), 1 + 5);
    free(text);
    text = tape_show(&view_table, &trace, (struct view_options){.limit = UINT64_MAX});
    CU_ASSERT_EQUAL(tape_occurrences(text, "\n"), 1 + 9);
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_no_such_exit(void)
{
    struct view_options options = {.out = stdout, .from = 3};
    struct tape tape;
    struct trace trace;
    char message[512] = "";

    tape_small(&tape);
    tape_read(&tape, &trace);
    CU_ASSERT_EQUAL(view_run(&view_table, &trace, &options, message, sizeof(message)), -ENOENT);
    CU_ASSERT_STRING_EQUAL(message, "there is no exit 3: the recording has 2");
    options.from = 0;
    options.out = fopen("/dev/full", "w");
    CU_ASSERT_EQUAL(view_run(&view_table, &trace, &options, message, sizeof(message)), -ENOSPC);
    fclose(options.out);
    trace_close(&trace);
    tape_remove(&tape);
}

/* For a terminal: cut at its width, and where the guest was by name. */
static void
test_table_narrow(void)
{
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    for (unsigned columns = 1; columns <= 120; columns++) {
        const struct view_options options = {.resolve = name_of, .columns = columns};
        char *text = tape_show(&view_table, &trace, options);
        unsigned cut = 0;
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
            CU_ASSERT(strlen(line) <= columns);
            cut += strlen(line) == columns && line[columns - 1] == '>';
        }
        CU_ASSERT(columns > 60 || cut);
        CU_ASSERT(columns < 110 || !cut);
        free(text);
    }
    char *text = tape_show(&view_table, &trace,
                           (struct view_options){.resolve = name_of, .columns = 100});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " putc?+0x4\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "0x1004 putc"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_stats_text(void)
{
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_stats, &trace, (struct view_options){.resolve = name_of});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 exits, 9 events in 8.85 us"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text, "\nio                        1   50.0%    4.0%   350 ns   350 ns   350 ns   350 ns"
              "   350 ns   350 ns\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n               handled by the exit table: uart\n"));
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        CU_ASSERT(strcspn(line, "\n") <= 100);
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text, "\nio             guest, before it       11.3%  1.00 us  1.00 us  1.00 us  1.00 us"
              "  1.00 us  1.00 us\n"
              "               VMM, handling it        3.4%   300 ns   300 ns   300 ns   300 ns"
              "   300 ns   300 ns\n"
              "               VMM, back to guest      0.6%    50 ns    50 ns    50 ns    50 ns"
              "    50 ns    50 ns\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "uart\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "putc?+0x4\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Time: guest 33.9 %, VMM 4.0 %, waiting in hlt 56.5 %"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Lost events: 0."));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "host's kernel handles by itself are not seen"));
    free(text);
    text = tape_show(&view_stats, &trace, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NULL(strstr(text, " ns"));
    CU_ASSERT_PTR_NULL(strstr(text, "p50"));
    CU_ASSERT_PTR_NULL(strstr(text, "Time:"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_empty(void)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_read(&tape, &trace);
    for (unsigned i = 0; views[i]; i++) {
        char *text = tape_show(views[i], &trace, (struct view_options){0});
        CU_ASSERT_PTR_NULL(strstr(text, "nan"));
        CU_ASSERT_NOT_EQUAL(text[0], 0);
        free(text);
    }
    trace_close(&trace);
    tape_remove(&tape);
}

/* Events of random bytes, as far as the reader lets them through: every view comes to its end. */
static void
test_random_events(void)
{
    struct view_options options = {.out = fopen("/dev/null", "w"), .name = address_name};
    uint64_t state = 88172645463325252u;
    struct tape tape;
    struct trace trace;

    CU_ASSERT_PTR_NOT_NULL_FATAL(options.out);
    for (unsigned round = 0; round < 200; round++) {
        tape_start(&tape);
        for (unsigned i = 0; i < 400; i++)
            tape_put_random(&tape, &state)->vcpu &= round & 1 ? 0xff : 0;
        tape_read(&tape, &trace);
        tape_show_all(&trace, options, round);
        trace_close(&trace);
        tape_remove(&tape);
    }
    fclose(options.out);
}

static const struct unit_test tests[] = {
    {"operands in words", test_operands},
    {"operands that have names", test_named_operands},
    {"times and counts in words", test_units},
    {"the table's lines, and part of them", test_table},
    {"the table on a terminal", test_table_narrow},
    {"an exit that is not there; a full disk", test_no_such_exit},
    {"statistics as text", test_stats_text},
    {"a recording without events", test_empty},
    {"events of random bytes", test_random_events},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_view = {"tracer-view", tests};
