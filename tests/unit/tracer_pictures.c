/*
 * tracer_pictures.c - tests of the pictures that we write as SVG, of the state picture by place and
 * of some reasons alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/random.h"
#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/dot.h"
#include "tracer/graph.h"
#include "tracer/picture.h"
#include "tracer/view.h"

#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

#define DAMAGED_ROUNDS 400

/* The console's two instructions are in one function, those of the timer's handler in another. */
static void
name_of(void *context, uint64_t rip, char *text, size_t size)
{
    (void)context;
    if (rip >> 4 == 0x10120)
        snprintf(text, size, "put<c>+0x%x (console.c:%d)", (unsigned)rip & 15, 10);
    else if (rip == 0x101500)
        snprintf(text, size, "timer");
    else
        text[0] = 0;
}

/* 26 letters, a timer's interrupt while the guest sleeps and one that it takes from a program. */
static char *
show_boot(const struct view_ops *ops, struct view_options options)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_boot(&tape, 2);
    tape_read(&tape, &trace);
    options.resolve = name_of;
    char *text = tape_show(ops, &trace, options);
    trace_close(&trace);
    tape_remove(&tape);
    return text;
}

static void
test_by_place(void)
{
    char *text = show_boot(&view_state, (struct view_options){.by = VIEW_BY_SYMBOL});

    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io in put&lt;c&gt; 52x\\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io in timer 2x\\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"cpuid in (no symbol) 3x\\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"call 14x\\n")); /* calls have no place */
    free(text);
    text = show_boot(&view_state, (struct view_options){.by = VIEW_BY_RIP});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io at 0x101200 26x\\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io at 0x101208 26x\\n"));
    free(text);
    text = show_boot(&view_state, (struct view_options){.by = VIEW_BY_DEVICE});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io for uart16550 52x\\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"io for pit8254 3x\\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"cpuid 3x\\n")); /* nobody was asked */
    free(text);
}

/* More places than are drawn, and more than are counted. */
static void
test_many_places(void)
{
    static struct graph graph;
    struct view_options by_rip = {.by = VIEW_BY_RIP};
    struct tape tape;
    struct trace trace;
    uint64_t exits = GRAPH_ROOM + 1000, counted = 0;

    tape_start(&tape);
    for (uint64_t i = 1; i <= exits; i++)
        tape_put(&tape, TRACE_CPUID, KERNEL, VMM, 1)->rip = i * i;
    tape_read(&tape, &trace);
    CU_ASSERT_EQUAL(graph_init(&graph, &trace, &by_rip), 0);
    for (uint64_t i = 0; i < trace.count; i++)
        CU_ASSERT_EQUAL_FATAL(graph_event(&graph, &trace.events[i], i, false), 0);
    CU_ASSERT_EQUAL(graph.edges, GRAPH_ROOM + 1);
    graph_reduce(&graph, false);
    CU_ASSERT_TRUE(graph.edges <= GRAPH_EDGES);
    for (uint32_t i = 0; i < graph.edges; i++)
        counted += graph.edge[i].count;
    CU_ASSERT_EQUAL(counted, exits);
    /* Sorted by place, and then what is merged: before that, all that found no room. */
    CU_ASSERT_EQUAL(graph.edge[graph.edges - 2].count, 1000);
    CU_ASSERT_EQUAL(graph.edge[graph.edges - 1].count, exits - 1000 - (GRAPH_KEEP2 - 1));
    graph_free(&graph);
    char *text = tape_show(&view_state, &trace, by_rip);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "cpuid at elsewhere 1,000x"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* What is left out is in no edge, but its time is in the whole: shares stay what they were. */
static void
test_state_only(void)
{
    bool only[TRACE_KIND_MAX] = {[TRACE_HLT] = true};
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_state, &trace, (struct view_options){.only = only});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"hlt 1x\\n5.00 us each, 56 %\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"inject 1x"));
    CU_ASSERT_PTR_NULL(strstr(text, "label=\"io"));
    CU_ASSERT_PTR_NULL(strstr(text, "label=\"call"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "only these are drawn, with what followed them: hlt<"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_flame(void)
{
    char *text = show_boot(&view_flame, (struct view_options){0});

    CU_ASSERT_EQUAL(strncmp(text, "<?xml", 5), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title>all exits: 75 exits, 100 %;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title>guest kernel: 74 exits, 99 %;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title>guest user: 1 exits, 1.3 %;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title>io: 68 exits, 91 %;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<title>put&lt;c&gt;: 52 exits, 69 %; the VMM took "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "A recording holds no stacks"));
    free(text);
    text = show_boot(&view_flame, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NULL(strstr(text, "the VMM took"));
    free(text);
}

static void
test_timeline(void)
{
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_timeline, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">waiting in hlt</text>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">devices</text>"));
    CU_ASSERT_PTR_NULL(strstr(text, ">host kernel</text>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "class=\"l\">8.86 us</text>")); /* 277 columns of 32 ns */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">the guest waits</text>"));
    free(text);
    text = tape_show(&view_timeline, &trace, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "There are no times to be drawn."));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* Times at the ends of their range, and backwards. */
static void
test_timeline_hostile(void)
{
    static const uint64_t times[] = {5,          UINT64_MAX,     0, UINT64_MAX - 1, 7,
                                     UINT64_MAX, UINT64_MAX / 2, 1, UINT64_MAX,     0};
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        tape_put(&tape, i & 1 ? TRACE_ENTRY : TRACE_IO, i & 1 ? VMM : KERNEL, i & 1 ? KERNEL : VMM,
                 1)
            ->time = times[i];
    tape_read(&tape, &trace);
    char *text = tape_show(&view_timeline, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NULL(strstr(text, "nan"));
    CU_ASSERT_PTR_NULL(strstr(text, "inf"));
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - 7, "</svg>\n");
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* A recording of a run, some of whose bytes are others: what the reader lets through, all views
 * show to the end. A change of the header's numbers is mostly refused; that of an event is not. */
static void
test_damaged(void)
{
    struct view_options options = {.out = fopen("/dev/null", "w")};
    uint64_t seed = 0x9e3779b97f4a7c15u;
    unsigned opened = 0;
    char message[512];

    CU_ASSERT_PTR_NOT_NULL_FATAL(options.out);
    for (unsigned round = 0; round < DAMAGED_ROUNDS; round++) {
        struct tape tape;
        struct trace trace;
        tape_start(&tape);
        tape_boot(&tape, 2);
        uint64_t events = recorder_count(tape.recorder);
        tape_close(&tape);
        FILE *file = fopen(tape.path, "r+");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        for (unsigned i = 0; i < 1 + round % 20; i++) {
            uint64_t random = random_next(&seed);
            bool event = random % 8; /* most in events, some in the tables of names */
            fseek(file,
                  event ? (long)(0x2000 + (random >> 8) % (events * 48))
                        : (long)(0x700 + (random >> 8) % 0x1800),
                  SEEK_SET);
            fputc(event && random & 0x80 ? (int)(random >> 40) & 7 : (int)(random >> 40), file);
        }
        fclose(file);
        if (trace_open(&trace, tape.path, message, sizeof(message)) == 0) {
            tape_show_all(&trace, options, round);
            trace_close(&trace);
            opened++;
        }
        tape_remove(&tape);
    }
    CU_ASSERT_TRUE(opened > DAMAGED_ROUNDS / 4);
    fclose(options.out);
}

/* Without dot, and only as SVG. */
static void
test_svg_files(void)
{
    struct view_options options = {0};
    struct tape tape;
    struct trace trace;
    char path[80], message[512] = "";

    tape_small(&tape);
    tape_read(&tape, &trace);
    snprintf(path, sizeof(path), "%s.png", tape.path);
    CU_ASSERT_EQUAL(dot_write(&view_flame, &trace, &options, path, message, sizeof(message)),
                    -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "'flame' is always SVG"));
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s.svg", tape.path);
    CU_ASSERT_EQUAL(dot_write(&view_flame, &trace, &options, path, message, sizeof(message)), 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    trace_close(&trace);
    tape_remove(&tape);
}

/* Small shares have a digit behind the point, and so has what they leave of the whole: 0.2 % and 99.8 %
 * are all, 0.2 % and 100 % are too much. */
static void
test_share_text(void)
{
    static const struct {
        double part;
        const char *text;
    } share[] = {
        {0, "0.0 %"},    {0.0004, "&lt;0.1 %"}, {0.002, "0.2 %"},  {0.35, "35 %"},
        {0.987, "99 %"}, {0.998, "99.8 %"},     {0.9996, "100 %"}, {1, "100 %"},
    };
    char text[32];

    for (unsigned i = 0; i < sizeof(share) / sizeof(share[0]); i++)
        CU_ASSERT_STRING_EQUAL(picture_share_text(share[i].part, text, sizeof(text)),
                               share[i].text);
}

static const struct unit_test tests[] = {
    {"shares as text", test_share_text},
    {"exits told apart by place", test_by_place},
    {"more places than there is room for", test_many_places},
    {"the state picture of one reason", test_state_only},
    {"the flame graph", test_flame},
    {"the timeline", test_timeline},
    {"a timeline of impossible times", test_timeline_hostile},
    {"damaged recordings are drawn or refused", test_damaged},
    {"what is SVG needs no dot", test_svg_files},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_pictures = {"tracer-pictures", tests};
