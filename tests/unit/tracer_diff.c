/*
 * tracer_diff.c - tests of tracer/diff*.c: two recordings side by side.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/diff.h"

#define USER   TRACE_ACTOR_GUEST_USER
#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

static struct diff diff;

/* `count` exits of a kind, each handled by a device (0: nobody) in ns. */
static void
put_exits(struct tape *tape, enum trace_kind kind, unsigned count, unsigned device, uint64_t ns)
{
    while (count--) {
        tape_put(tape, kind, KERNEL, VMM, device ? ns / 2 : ns);
        if (device) {
            tape_put(tape, TRACE_CALL, VMM, device, ns / 4);
            tape_put(tape, TRACE_RETURN, device, VMM, ns / 4);
        }
        tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 100);
    }
}

/* A: 20 io by the uart, 10 hlt, 5 cpuid, 30 cr at 100 ns, 30 dr at 1000 ns.
 * B: 30 io by "pic", which is actor 7 here, 10 hlt, 8 mmio, 30 cr at 400 ns, 30 dr at 1100 ns. */
static void
two_tapes(struct tape tape[2], struct trace trace[2])
{
    for (unsigned side = 0; side < 2; side++) {
        struct tape *t = &tape[side];
        tape_start(t);
        unsigned first = recorder_actor(t->recorder, side ? "new" : "uart", TRACE_DEVICE);
        unsigned second = recorder_actor(t->recorder, "pic", TRACE_DEVICE);
        tape_put(t, TRACE_ENTRY, VMM, KERNEL, 100);
        put_exits(t, TRACE_IO, side ? 30 : 20, second, 100);
        put_exits(t, TRACE_HLT, 10, 0, 100);
        put_exits(t, side ? TRACE_MMIO : TRACE_CPUID, side ? 8 : 5, first, 100);
        put_exits(t, TRACE_CR, 30, 0, side ? 400 : 100);
        put_exits(t, TRACE_DR, 30, 0, side ? 1100 : 1000);
        tape_read(t, &trace[side]);
    }
}

static void
done(struct tape tape[2], struct trace trace[2])
{
    diff_free(&diff);
    for (unsigned side = 0; side < 2; side++) {
        trace_close(&trace[side]);
        tape_remove(&tape[side]);
    }
}

static void
make(const struct trace trace[2], bool no_times)
{
    const struct trace *const both[2] = {&trace[0], &trace[1]};
    const char *const names[2] = {"a.hvt", "b<.hvt"};
    struct view_options options = {.no_times = no_times};

    CU_ASSERT_EQUAL_FATAL(diff_make(&diff, both, names, &options), 0);
}

static const struct diff_edge *
edge(const char *kind, const char *to)
{
    for (uint32_t i = 0; i < diff.edges; i++)
        if (!strcmp(diff.kind[diff.edge[i].kind]->name, kind) &&
            !strcmp(diff.actor[diff.edge[i].to].name, to))
            return &diff.edge[i];
    CU_FAIL("there is no such edge");
    return NULL;
}

static void
test_changes(void)
{
    struct tape tape[2];
    struct trace trace[2];

    two_tapes(tape, trace);
    make(trace, false);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("io", "dispatcher")), DIFF_CHANGED);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("hlt", "dispatcher")), DIFF_SAME);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("cpuid", "dispatcher")), DIFF_REMOVED);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("mmio", "dispatcher")), DIFF_ADDED);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("cr", "dispatcher")), DIFF_CHANGED); /* dearer */
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("dr", "dispatcher")), DIFF_SAME);
    /* Actors are matched by their names, not by their numbers. */
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("call", "uart")), DIFF_REMOVED);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("call", "new")), DIFF_ADDED);
    CU_ASSERT_EQUAL(edge("call", "pic")->side[DIFF_A].count, 20);
    CU_ASSERT_EQUAL(edge("call", "pic")->side[DIFF_B].returns, 30);
    CU_ASSERT_EQUAL(edge("cr", "dispatcher")->side[DIFF_B].ns, 30 * 400);
    CU_ASSERT_EQUAL(diff.exits[DIFF_A], 95);
    CU_ASSERT_EQUAL(diff.exits[DIFF_B], 108);
    diff_free(&diff);
    make(trace, true);
    CU_ASSERT_EQUAL(diff_change_of(&diff, edge("cr", "dispatcher")), DIFF_SAME);
    done(tape, trace);
}

static void
test_words(void)
{
    static const struct {
        double a, b;
        const char *text;
    } cases[] = {
        {0, 0, ""},
        {0, 5, "new"},
        {5, 0, "gone"},
        {7, 7, "same"},
        {100, 150, "+50 %"},
        {100, 50, "-50 %"},
        {100, 101, "+1.0 %"},
        {1, 10, "x 10"},
        {1000000, 1000001, "+0.0 %"},
        {3, 3e6, "x 1000000"},
    };
    char text[32];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_STRING_EQUAL(diff_text(cases[i].a, cases[i].b, text, sizeof(text)),
                               cases[i].text);
}

static void
test_table(void)
{
    struct tape tape[2];
    struct trace trace[2];
    char *text = NULL;
    size_t size;

    two_tapes(tape, trace);
    make(trace, true);
    FILE *out = open_memstream(&text, &size);
    diff_table(&diff, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "A  a.hvt: minios on engine soft, strategy hardware: 95 exits\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text,
        "\n! io             guest kernel -> dispatcher             20           30    +50 %\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text,
        "\n+ mmio           guest kernel -> dispatcher              0            8      new\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text,
        "\n- call           dispatcher -> uart                      5            0     gone\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text,
        "\n  hlt            guest kernel -> dispatcher             10           10     same\n"));
    CU_ASSERT_PTR_NULL(strstr(text, " ns"));
    /* The most changed first: by 10 events, then by 8, then by 5. */
    CU_ASSERT_TRUE(strstr(text, "\n! io") < strstr(text, "\n+ mmio"));
    CU_ASSERT_TRUE(strstr(text, "\n+ mmio") < strstr(text, "\n- cpuid"));
    free(text);
    done(tape, trace);
}

static void
test_picture(void)
{
    struct diff_picture picture = {&diff, NULL};
    struct tape tape[2];
    struct trace trace[2];
    char *text = NULL;
    size_t size;

    two_tapes(tape, trace);
    make(trace, false);
    diff_reduce(&diff);
    FILE *out = open_memstream(&text, &size);
    diff_picture_print(&picture, out);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "b&lt;.hvt, minios on engine soft"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "label=\"io 20x &#8594; 30x (+50 %)\\n100 ns &#8594; 100 ns each\" "
                     "color=\"#7a2a8a\""));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "label=\"only B: mmio 8x\\n100 ns each\" color=\"#0060a8\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "label=\"only A: cpuid 5x\\n100 ns each\" color=\"#b04800\" "
                                  "fontcolor=\"#b04800\" style=dashed"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "<b>uart</b><br/><font point-size=\"10\">only in A</font>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<b>new</b><br/><font point-size=\"10\">only in B</font>"));
    free(text);
    done(tape, trace);
}

/* More actors and edges than a picture holds: nothing is lost from the sums but what is said. */
static void
test_reduced(void)
{
    struct tape tape[2];
    struct trace trace[2];
    uint64_t events = 0;

    for (unsigned side = 0; side < 2; side++) {
        tape_start(&tape[side]);
        for (unsigned i = 0; i < 50; i++) {
            char name[16];
            snprintf(name, sizeof(name), "%c%u", side ? 'b' : 'a', i);
            unsigned device = recorder_actor(tape[side].recorder, name, TRACE_DEVICE);
            for (unsigned n = 0; n <= i; n++)
                tape_put(&tape[side], TRACE_CALL, VMM, device, 1);
        }
        for (unsigned kind = TRACE_IO; kind < TRACE_ENTRY; kind++)
            for (unsigned from = 0; from < 6; from++)
                tape_put(&tape[side], kind, from, VMM, 1);
        tape_read(&tape[side], &trace[side]);
    }
    make(trace, false);
    CU_ASSERT_TRUE(diff.edges > 100);
    diff_reduce(&diff);
    unsigned drawn = 0;
    for (unsigned i = 0; i <= DIFF_OTHERS; i++)
        drawn += diff.actor[i].drawn;
    CU_ASSERT_EQUAL(drawn, DIFF_NODES);
    CU_ASSERT_EQUAL(diff.others, 100 + 6 - (DIFF_NODES - 1));
    CU_ASSERT_TRUE(diff.edges <= DIFF_EDGES);
    CU_ASSERT_EQUAL(diff.left_out, 0);
    for (uint32_t i = 0; i < diff.edges; i++)
        events += diff.edge[i].side[DIFF_A].count;
    CU_ASSERT_EQUAL(events, 50 * 51 / 2 + 6 * (TRACE_ENTRY - TRACE_IO));
    done(tape, trace);
}

static const struct unit_test tests[] = {
    {"what has changed", test_changes},
    {"changes in words", test_words},
    {"the table", test_table},
    {"the picture", test_picture},
    {"more than a picture holds", test_reduced},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_diff = {"tracer-diff", tests};
