/*
 * tracer_view.c - tests of the views: the lines of the table, the statistics' footer, the text and
 * the limits of the picture.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/describe.h"
#include "tracer/dot.h"
#include "tracer/graph.h"
#include "tracer/view.h"

#define USER   TRACE_ACTOR_GUEST_USER
#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

/* What a view prints; the caller frees it. */
static char *
show(const struct view_ops *ops, const struct trace *trace, struct view_options options)
{
    char *text = NULL, message[512] = "";
    size_t size;

    options.out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(view_run(ops, trace, &options, message, sizeof(message)), 0);
    fclose(options.out);
    return text;
}

static unsigned
occurrences(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
        n++;
    return n;
}

/* One exit with a device, then the end. */
static void
small_tape(struct tape *tape)
{
    tape_start(tape);
    unsigned uart = recorder_actor(tape->recorder, "uart", TRACE_DEVICE);
    tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 1000)->rip = 0x1000;
    struct trace_event *e = tape_put(tape, TRACE_IO, KERNEL, VMM, 100);
    e->address = 0x3f8, e->value = 'H', e->size = 1, e->flags = TRACE_WRITE, e->rip = 0x1004;
    e = tape_put(tape, TRACE_CALL, VMM, uart, 200);
    e->address = 0x3f8, e->value = 'H', e->size = 1, e->flags = TRACE_WRITE;
    tape_put(tape, TRACE_RETURN, uart, VMM, 50)->address = 0x3f8;
    tape_put(tape, TRACE_ENTRY, VMM, USER, 2000);
    tape_put(tape, TRACE_IRQ, uart, VMM, 0)->value = 1;
    tape_put(tape, TRACE_HLT, KERNEL, VMM, 5000)->rip = 0x1005;
    tape_put(tape, TRACE_INJECT, VMM, KERNEL, 500)->address = 0x20;
    tape_put(tape, TRACE_END, VMM, VMM, 0)->address = TRACE_HLT;
}

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
    };
    struct tape tape;
    struct trace trace;
    char text[DESCRIBE_SIZE];

    small_tape(&tape);
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

    small_tape(&tape);
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

    small_tape(&tape);
    tape_read(&tape, &trace);
    char *text = show(&view_table, &trace, (struct view_options){.resolve = name_of});
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n       1          1.000  guest kernel -> dispatcher    io             "
                     "write port 0x3f8 <- 0x48 'H'       0x1004 putc?+0x4\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\n                  1.100  dispatcher   -> uart          call           "
                     "write 0x3f8 <- 0x48 'H'\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "hlt                                               0x1005\n"));
    CU_ASSERT_EQUAL(occurrences(text, "\n"), 1 + 9);
    free(text);
    text = show(&view_table, &trace, (struct view_options){.no_times = true, .from = 2});
    CU_ASSERT_EQUAL(occurrences(text, "\n"), 1 + 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n       2  guest kernel -> dispatcher    hlt"));
    free(text);
    text = show(&view_table, &trace, (struct view_options){.from = 1, .limit = 1});
    CU_ASSERT_EQUAL(occurrences(text, "\n"), 1 + 5);
    free(text);
    text = show(&view_table, &trace, (struct view_options){.limit = UINT64_MAX});
    CU_ASSERT_EQUAL(occurrences(text, "\n"), 1 + 9);
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

    small_tape(&tape);
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

static void
test_stats_text(void)
{
    struct tape tape;
    struct trace trace;

    small_tape(&tape);
    tape_read(&tape, &trace);
    char *text = show(&view_stats, &trace, (struct view_options){.resolve = name_of});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 exits, 9 events in 8.85 us"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text, "\nio                        1   50.0%    4.0%   350 ns   350 ns   350 ns   350 ns"
              "   350 ns   350 ns    1.00 us  1.00 us  1.00 us\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "uart\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "putc?+0x4\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Time: guest 33.9 %, VMM 4.0 %, waiting in hlt 56.5 %"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Lost events: 0."));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "host's kernel handles by itself are not seen"));
    free(text);
    text = show(&view_stats, &trace, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NULL(strstr(text, " ns"));
    CU_ASSERT_PTR_NULL(strstr(text, "p50"));
    CU_ASSERT_PTR_NULL(strstr(text, "Time:"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* The lines of a picture that hold nodes and edges. */
static char *
body_of(const char *dot)
{
    char *body = calloc(1, strlen(dot) + 1);

    for (const char *line = dot; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, "  a", 3) == 0 || strncmp(line, "    a", 5) == 0)
            strncat(body, line, (size_t)(strchr(line, '\n') + 1 - line));
    return body;
}

static void
test_state_golden(void)
{
    static const char want[] =
        "    a0 [id=\"actor-0\" label=<<b>guest user</b><br/><font point-size=\"9\" "
        "color=\"#555555\">programs</font>> tooltip=\"guest user: 1 transfers\"];\n"
        "    a1 [id=\"actor-1\" label=<<b>guest kernel</b><br/><font point-size=\"9\" "
        "color=\"#555555\">the guest's operating system</font>> tooltip=\"guest kernel: 4 "
        "transfers\"];\n"
        "    a2 [id=\"actor-2\" label=<<b>dispatcher</b><br/><font point-size=\"9\" "
        "color=\"#555555\">decides who handles an exit</font>> tooltip=\"dispatcher: 8 "
        "transfers\"];\n"
        "    a6 [id=\"actor-6\" label=<<b>uart</b>> tooltip=\"uart: 3 transfers\"];\n"
        "  a1 -> a2 [id=\"edge-1-2-io\" label=\"io 1x\" tooltip=\"The guest executed IN, OUT, INS "
        "or OUTS. First: exit 1.\" labeltooltip=\"The guest executed IN, OUT, INS or OUTS. First: "
        "exit 1.\" color=\"#0060a8\" fontcolor=\"#0060a8\" penwidth=3];\n"
        "  a1 -> a2 [id=\"edge-1-2-hlt\" label=\"hlt 1x\" tooltip=\"The guest has nothing to do "
        "until the next interrupt. First: exit 2.\" labeltooltip=\"The guest has nothing to do "
        "until the next interrupt. First: exit 2.\" color=\"#777777\" fontcolor=\"#777777\" "
        "penwidth=3];\n";
    struct tape tape;
    struct trace trace;

    small_tape(&tape);
    tape_read(&tape, &trace);
    char *text = show(&view_state, &trace, (struct view_options){.no_times = true});
    char *body = body_of(text);
    CU_ASSERT_EQUAL(strncmp(body, want, sizeof(want) - 1), 0);
    CU_ASSERT_EQUAL(occurrences(body, " -> "), 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(body, "  a2 -> a1 [id=\"edge-2-1-inject\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(body, "dir=both")); /* the call, with its return */
    CU_ASSERT_PTR_NULL(strstr(body, "return"));
    CU_ASSERT_PTR_NOT_NULL(strstr(body, "  a6 -> a2 [id=\"edge-6-2-irq\""));
    CU_ASSERT_EQUAL(occurrences(text, "subgraph cluster_"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "{ rank=same; a0; a1; }"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "newrank=true compound=true labeljust=l"));
    CU_ASSERT_PTR_NULL(strstr(text, " us each"));
    free(body);
    free(text);
    text = show(&view_state, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io 1x\\n350 ns each, 4.0 %\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"call 1x\\n200 ns each, 2.3 %\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"hlt 1x\\n5.00 us each, 56 %\""));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* Many actors and many kinds between them: more than can be drawn. */
static void
crowded_tape(struct tape *tape, uint64_t *events)
{
    char name[32];

    tape_start(tape);
    for (unsigned i = TRACE_ACTOR_FIRST_FREE; i < TRACE_ACTOR_MAX; i++) {
        snprintf(name, sizeof(name), "device<%u>\"\\&", i);
        recorder_actor(tape->recorder, name, TRACE_DEVICE);
    }
    for (unsigned i = TRACE_ACTOR_FIRST_FREE; i < TRACE_ACTOR_MAX; i++)
        for (unsigned n = 0; n < i; n++) {
            tape_put(tape, TRACE_CALL, VMM, i, 10);
            tape_put(tape, TRACE_RETURN, i, VMM, 10);
            tape_put(tape, TRACE_CALL, i, n, 10);
        }
    for (unsigned kind = 1; kind < TRACE_KIND_COUNT; kind++)
        for (unsigned from = 0; from < 3 && trace_kinds[kind].class != TRACE_CLASS_NOTE; from++)
            tape_put(tape, kind, from, VMM + from, kind);
    *events = recorder_count(tape->recorder);
}

static void
test_state_limits(void)
{
    static struct graph graph;
    struct tape tape;
    struct trace trace;
    uint64_t events, counted = 0, merged = 0;

    crowded_tape(&tape, &events);
    tape_read(&tape, &trace);
    char *text = show(&view_state, &trace, (struct view_options){0});
    char *body = body_of(text);
    CU_ASSERT_EQUAL(occurrences(text, "[id=\"actor-"), GRAPH_NODES);
    CU_ASSERT_TRUE(occurrences(body, " -> ") <= GRAPH_EDGES);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<b>45 more</b>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " more kinds of transfer ("));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "device&lt;63&gt;&quot;&#92;&amp;"));
    free(body);
    free(text);

    CU_ASSERT_EQUAL(graph_init(&graph, &trace), 0);
    for (uint64_t i = 0; i < trace.count; i++)
        CU_ASSERT_EQUAL(graph_event(&graph, &trace.events[i], i), 0);
    graph_reduce(&graph, true);
    CU_ASSERT_EQUAL(graph.edges, GRAPH_EDGES);
    CU_ASSERT_TRUE(graph.left_out > 0);
    CU_ASSERT_EQUAL(graph.others, 45);
    for (uint32_t i = 0; i < graph.edges; i++)
        counted += graph.edge[i].count + graph.edge[i].returns, merged += graph.edge[i].merged;
    CU_ASSERT_TRUE(merged > 1);                           /* an edge that says "N more" */
    CU_ASSERT_EQUAL(counted + graph.left_events, events); /* nothing is forgotten */
    graph_free(&graph);
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
        char *text = show(views[i], &trace, (struct view_options){0});
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
    uint64_t random = 88172645463325252u;
    struct tape tape;
    struct trace trace;
    char message[512];

    CU_ASSERT_PTR_NOT_NULL_FATAL(options.out);
    for (unsigned round = 0; round < 50; round++) {
        tape_start(&tape);
        for (unsigned i = 0; i < 200; i++) {
            struct trace_event *e = tape_put(&tape, TRACE_NONE, 0, 0, 1);
            for (uint8_t *byte = (uint8_t *)e; byte < (uint8_t *)(e + 1); byte++) {
                random ^= random << 13, random ^= random >> 7, random ^= random << 17;
                *byte = random & 0x100 ? (uint8_t)random : 0;
            }
            e->kind %= TRACE_KIND_COUNT;
            e->from %= TRACE_ACTOR_FIRST_FREE, e->to %= TRACE_ACTOR_FIRST_FREE;
            e->vcpu &= round & 1 ? 0xff : 0;
        }
        tape_read(&tape, &trace);
        for (unsigned i = 0; views[i]; i++)
            CU_ASSERT_EQUAL(view_run(views[i], &trace, &options, message, sizeof(message)), 0);
        trace_close(&trace);
        tape_remove(&tape);
    }
    fclose(options.out);
}

static void
test_dot_suffix(void)
{
    CU_ASSERT_STRING_EQUAL(dot_format("a.svg"), "svg");
    CU_ASSERT_STRING_EQUAL(dot_format("a.b/c.PNG"), "png");
    CU_ASSERT_STRING_EQUAL(dot_format("-.pdf"), "pdf");
    CU_ASSERT_STRING_EQUAL(dot_format("x.dot"), "dot");
    CU_ASSERT_PTR_NULL(dot_format("x.jpg"));
    CU_ASSERT_PTR_NULL(dot_format("svg"));
    CU_ASSERT_PTR_NULL(dot_format("a.svg/b"));
}

/* The first bytes of a file, and the file removed; "" if there is none. */
static void
take_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");

    memset(text, 0, size);
    if (!file)
        return;
    CU_ASSERT_NOT_EQUAL(fread(text, 1, size - 1, file), 0);
    fclose(file);
    unlink(path);
}

/* The picture of a crowded recording, names that need escaping included, is made by dot; without
 * dot its input stays. */
static void
test_dot_run(void)
{
    struct view_options options = {0};
    struct tape tape;
    struct trace trace;
    uint64_t events;
    char svg[80], kept[90], message[512] = "", text[64], *path = strdup(getenv("PATH"));

    crowded_tape(&tape, &events);
    tape_read(&tape, &trace);
    snprintf(svg, sizeof(svg), "%s.svg", tape.path);
    snprintf(kept, sizeof(kept), "%s.dot", svg);
    CU_ASSERT_EQUAL(dot_write(&view_state, &trace, &options, svg, message, sizeof(message)), 0);
    CU_ASSERT_STRING_EQUAL(message, "");
    take_file(svg, text, sizeof(text));
    CU_ASSERT_EQUAL(strncmp(text, "<?xml", 5), 0);
    take_file(kept, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "");

    setenv("PATH", "/nonexistent", 1);
    CU_ASSERT_EQUAL(dot_write(&view_state, &trace, &options, svg, message, sizeof(message)),
                    -ENOENT);
    setenv("PATH", path, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "package graphviz"));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, kept));
    CU_ASSERT_EQUAL(dot_run("false", kept, "svg", svg, message, sizeof(message)), -EIO);
    CU_ASSERT_EQUAL(dot_run("dot", kept, "nonsense", svg, message, sizeof(message)), -EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "nonsense"));
    take_file(kept, text, sizeof(text));
    CU_ASSERT_EQUAL(strncmp(text, "digraph", 7), 0);
    CU_ASSERT_EQUAL(dot_write(&view_state, &trace, &options, "x.jpg", message, sizeof(message)),
                    -EINVAL);
    free(path);
    trace_close(&trace);
    tape_remove(&tape);
}

static const struct unit_test tests[] = {
    {"operands in words", test_operands},
    {"operands that have names", test_named_operands},
    {"times and counts in words", test_units},
    {"the table's lines, and part of them", test_table},
    {"an exit that is not there; a full disk", test_no_such_exit},
    {"statistics as text", test_stats_text},
    {"the picture's text", test_state_golden},
    {"the picture stays small", test_state_limits},
    {"a recording without events", test_empty},
    {"events of random bytes", test_random_events},
    {"the picture's format", test_dot_suffix},
    {"dot makes the picture, or its input is kept", test_dot_run},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_view = {"tracer-view", tests};
