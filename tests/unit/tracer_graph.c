/*
 * tracer_graph.c - tests of the picture: its text, its limits, and what happens with and without
 * Graphviz.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/dot.h"
#include "tracer/graph.h"
#include "tracer/view.h"

#define VMM TRACE_ACTOR_DISPATCHER

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

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_state, &trace, (struct view_options){.no_times = true});
    char *body = body_of(text);
    CU_ASSERT_EQUAL(strncmp(body, want, sizeof(want) - 1), 0);
    CU_ASSERT_EQUAL(tape_occurrences(body, " -> "), 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(body, "  a2 -> a1 [id=\"edge-2-1-inject\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(body, "dir=both")); /* the call, with its return */
    CU_ASSERT_PTR_NULL(strstr(body, "return"));
    CU_ASSERT_PTR_NOT_NULL(strstr(body, "  a6 -> a2 [id=\"edge-6-2-irq\""));
    CU_ASSERT_EQUAL(tape_occurrences(text, "subgraph cluster_"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "{ rank=same; a0; a1; }"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "newrank=true compound=true labeljust=l"));
    CU_ASSERT_PTR_NULL(strstr(text, " us each"));
    free(body);
    free(text);
    text = tape_show(&view_state, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io 1x\\n350 ns each, 4.0 %\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"call 1x\\n200 ns each, 2.3 %\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"hlt 1x\\n5.00 us each, 56 %\""));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* With transfers inside the guest, the user is left of its kernel, and what the kernel does to
 * itself is a line of its node. */
static void
test_state_boot(void)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_boot(&tape, 10);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_state, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NULL(strstr(text, "rank=same"));
    CU_ASSERT_PTR_NULL(strstr(text, "a1 -> a1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">interrupt 2x, inside</font>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"syscall 10x\\n300 ns each, 0.1 %\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "and 81 % waiting"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<b>pic8259</b>"));
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
    for (unsigned kind = 1; kind < TRACE_HOST_CALL; kind++)
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
    char *text = tape_show(&view_state, &trace, (struct view_options){0});
    char *body = body_of(text);
    CU_ASSERT_EQUAL(tape_occurrences(text, "[id=\"actor-"), GRAPH_NODES);
    CU_ASSERT_TRUE(tape_occurrences(body, " -> ") <= GRAPH_EDGES);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<b>45 more</b>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, " more kinds of transfer ("));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "device&lt;63&gt;&quot;&#92;&amp;"));
    free(body);
    free(text);

    CU_ASSERT_EQUAL(graph_init(&graph, &trace, NULL), 0);
    for (uint64_t i = 0; i < trace.count; i++)
        CU_ASSERT_EQUAL(graph_event(&graph, &trace.events[i], i, false), 0);
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
    {"the picture's text", test_state_golden},
    {"the picture of a kernel that boots", test_state_boot},
    {"the picture stays small", test_state_limits},
    {"the picture's format", test_dot_suffix},
    {"dot makes the picture, or its input is kept", test_dot_run},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_graph = {"tracer-graph", tests};
