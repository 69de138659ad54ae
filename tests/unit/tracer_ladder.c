/*
 * tracer_ladder.c - tests of the pictures ladder and card: their text, what is collapsed, which
 * exits are left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/card.h"
#include "tracer/dot.h"
#include "tracer/ladder.h"
#include "tracer/view.h"

#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

/* Only the lines with messages: "  pROW_LANE -> pROW_LANE [constraint=false color=... ". */
static char *
messages_of(const char *dot)
{
    char *lines = calloc(1, strlen(dot) + 1);

    for (const char *line = dot; *line; line = strchr(line, '\n') + 1) {
        size_t length = (size_t)(strchr(line, '\n') + 1 - line);
        const char *mark = memmem(line, length, "constraint=false", 16);
        if (mark)
            strncat(lines, line, length);
    }
    return lines;
}

static void
test_ladder_golden(void)
{
    static const char want[] =
        "  p0_1 -> p0_2 [constraint=false color=\"#007a50\" fontcolor=\"#007a50\" id=\"row-0\" "
        "label=\"entry\" penwidth=1.6 dir=back];\n"
        "  p1_1 -> p1_2 [constraint=false color=\"#0060a8\" fontcolor=\"#0060a8\" id=\"row-1\" "
        "label=\"io\" penwidth=1.6 dir=forward];\n"
        "  p2_2 -> p2_3 [constraint=false color=\"#2a7f96\" fontcolor=\"#2a7f96\" id=\"row-2\" "
        "label=\"call\" penwidth=1.6 dir=forward];\n"
        "  p3_2 -> p3_3 [constraint=false color=\"#2a7f96\" fontcolor=\"#2a7f96\" id=\"row-3\" "
        "label=\"return\" penwidth=1.6 dir=back];\n"
        "  p4_0 -> p4_1 [constraint=false color=\"#007a50\" fontcolor=\"#007a50\" id=\"row-4\" "
        "label=\"entry\" penwidth=1.6 dir=back];\n"
        "  p4_1 -> p4_2 [constraint=false color=\"#007a50\" penwidth=1.6 dir=none];\n";
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_ladder, &trace, (struct view_options){.no_times = true});
    char *messages = messages_of(text);
    CU_ASSERT_EQUAL(strncmp(messages, want, sizeof(want) - 1), 0);
    CU_ASSERT_EQUAL(tape_occurrences(text, "rank=same"), 1 + 9); /* heads, events */
    CU_ASSERT_EQUAL(tape_occurrences(text, "> margin="), 4);     /* heads */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  l1 -> p1_0 -> p1_1 -> p1_2 -> p1_3 -> t1 [style=invis"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">write port 0x3f8 &lt;- 0x48 'H'</font>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"end\""));
    /* After the exit, control is in the dispatcher: its line is wide. */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  p1_2 -> p2_2 [dir=none minlen=1 color=\"#7f8ea3\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  p1_1 -> p2_1 [dir=none minlen=1 color=\"#bbbbbb\""));
    free(messages);
    free(text);
    text = tape_show(&view_ladder, &trace, (struct view_options){.time_axis = true});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">1.100 us</font>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  p0_2 -> p1_2 [dir=none minlen=2 ")); /* 1 us passed */
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* One cycle of 8 transfers for each letter that is printed: 8 rows however long the text is. */
static void
test_ladder_cycles(void)
{
    static struct ladder ladder;
    struct tape tape;
    struct trace trace;
    uint64_t steps = 0;

    tape_start(&tape);
    tape_boot(&tape, 40);
    tape_read(&tape, &trace);
    ladder_init(&ladder, &trace);
    for (uint64_t i = 0, exit = 0; i < trace.count; i++) {
        exit += trace.kind[trace.events[i].kind].class == TRACE_CLASS_EXIT;
        CU_ASSERT_EQUAL(ladder_event(&ladder, &trace.events[i], exit), 0);
    }
    CU_ASSERT_EQUAL(ladder_finish(&ladder), 0);
    CU_ASSERT_TRUE(ladder.rows < ladder.steps / 5);
    for (uint64_t i = 0; i < ladder.rows; i++) {
        const struct ladder_row *row = &ladder.row[i];
        if (row->place == 0) { /* rows cover the steps: each once, in their order */
            CU_ASSERT_EQUAL(row->step, steps);
            steps += row->turns * row->cycle;
        }
        if (row->turns > 1 && row->cycle > 4 && row->place == 0) /* it has an exit: at its head */
            CU_ASSERT_EQUAL(trace.kind[ladder_event_of(&ladder, row)->kind].class,
                            TRACE_CLASS_EXIT);
        for (uint64_t turn = 1; turn < row->turns; turn++)
            CU_ASSERT_EQUAL(ladder.step[row->step].key,
                            ladder.step[row->step + turn * row->cycle].key);
    }
    CU_ASSERT_EQUAL(steps, ladder.steps);
    ladder_free(&ladder);
    char *text = tape_show(&view_ladder, &trace, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">x13: exits "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "write port 0x3f8 &lt;- &quot;hello, world &quot;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "happen again and again"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* Twice the same is two rows, three times is one; two turns of two are two. */
static void
test_ladder_few(void)
{
    static const struct {
        const char *steps; /* a letter is a kind */
        const char *rows;  /* the same, one for each row; its turns behind it */
    } cases[] = {
        {"aab", "a1a1b1"},       {"aaab", "a3b1"},           {"ababc", "a2b2c1"},
        {"aabaabaab", "a3a3b3"}, {"abcabd", "a1b1c1a1b1d1"},
    };
    static struct ladder ladder;
    struct tape tape;
    struct trace trace;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char rows[64] = "";
        tape_start(&tape);
        for (const char *c = cases[i].steps; *c; c++)
            tape_put(&tape, TRACE_SYSCALL, TRACE_ACTOR_GUEST_USER, KERNEL, 1)->address = *c;
        tape_read(&tape, &trace);
        ladder_init(&ladder, &trace);
        for (uint64_t n = 0; n < trace.count; n++)
            ladder_event(&ladder, &trace.events[n], 0);
        CU_ASSERT_EQUAL(ladder_finish(&ladder), 0);
        for (uint64_t n = 0; n < ladder.rows; n++)
            snprintf(rows + 2 * n, 3, "%c%u",
                     (int)ladder_event_of(&ladder, &ladder.row[n])->address,
                     (unsigned)ladder.row[n].turns % 10);
        CU_ASSERT_STRING_EQUAL(rows, cases[i].rows);
        ladder_free(&ladder);
        trace_close(&trace);
        tape_remove(&tape);
    }
}

/* Nothing repeats: more rows than dot can lay out. */
static void
test_ladder_long(void)
{
    struct tape tape;
    struct trace trace;
    bool svg = false;

    tape_start(&tape);
    for (unsigned i = 0; i < 300; i++) {
        tape_put(&tape, TRACE_MSR, KERNEL, VMM, 100)->address = i * i;
        tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 100);
    }
    tape_read(&tape, &trace);
    char *text = tape_show(&view_ladder, &trace, (struct view_options){.svg = &svg});
    CU_ASSERT_TRUE(svg);
    CU_ASSERT_EQUAL(strncmp(text, "<?xml", 5), 0);
    CU_ASSERT_EQUAL(tape_occurrences(text, "<g id=\"row-"), 600);
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - 7, "</svg>\n");
    free(text);
    text = tape_show(&view_ladder, &trace, (struct view_options){0}); /* for a .dot or .png */
    CU_ASSERT_EQUAL(strncmp(text, "digraph", 7), 0);
    CU_ASSERT_EQUAL(tape_occurrences(text, "id=\"row-"), LADDER_DOT_ROWS);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">400 more rows are not drawn"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_only(void)
{
    bool only[TRACE_KIND_MAX] = {[TRACE_HLT] = true};
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_table, &trace, (struct view_options){.only = only});
    CU_ASSERT_EQUAL(tape_occurrences(text, "\n"), 1 + 3); /* hlt, inject, end */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n       2 "));  /* its number is not another */
    CU_ASSERT_PTR_NULL(strstr(text, " io "));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
more_of(void *context, struct card *card, const struct trace_event *exit)
{
    CU_ASSERT_EQUAL(exit->kind, TRACE_IO);
    card_add_code(card, CARD_WHERE, "instruction", "%s", (const char *)context);
    card_add_register(card, "rax", "0x48", "0x48");
    card_add_register(card, "rip", "0x1004", "0x1005");
    card_add_register(card, "rbx", NULL, "0x1");
}

static void
test_card(void)
{
    struct view_options options = {.from = 1, .card = more_of, .context = "out <dx>, al"};
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_card, &trace, options);
    static const char *const want[] = {
        ">exit 1: io</b>",
        ">of 2; guest minios, engine soft, strategy hardware<",
        ">from guest kernel to dispatcher</td>",
        ">0x1004</font>",
        ">out &lt;dx&gt;, al</font>",
        ">write port 0x3f8 &lt;- 0x48 'H'</font>",
        ">asked: uart</td>",
        ">answer of uart</td>",
        ">guest user runs</td>",
        ">guest, before it came out</td><td align=\"left\" colspan=\"2\">1.00 us</td>",
        ">from exit to entry</td><td align=\"left\" colspan=\"2\">350 ns</td>",
        ">VMM: who handles this?</td><td align=\"left\">100 ns</td>",
        ">device: uart</td><td align=\"left\">200 ns</td>",
        ">VMM: back to the guest</td><td align=\"left\">50 ns</td>",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(text, want[i]));
    /* Only what changed is marked. */
    CU_ASSERT_EQUAL(tape_occurrences(text, "#fff0c8"), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "#fff0c8\"><font face=\"Courier\"><b>rip</b>"));
    free(text);
    options = (struct view_options){.from = 2, .no_times = true};
    text = tape_show(&view_card, &trace, options);
    CU_ASSERT_PTR_NULL(strstr(text, " ns<"));
    CU_ASSERT_PTR_NULL(strstr(text, "Registers")); /* nothing is known: nothing is said */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">inject</td>"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* The interpreter asks the device; an interrupt is injected, then the guest is entered. */
static void
test_card_costs(void)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    unsigned uart = recorder_actor(tape.recorder, "uart", TRACE_DEVICE);
    tape_put(&tape, TRACE_EXCEPTION, KERNEL, VMM, 10);
    tape_put(&tape, TRACE_CALL, VMM, TRACE_ACTOR_INTERPRETER, 200);
    tape_put(&tape, TRACE_CALL, VMM, uart, 3000);
    tape_put(&tape, TRACE_RETURN, uart, VMM, 40000);
    tape_put(&tape, TRACE_RETURN, TRACE_ACTOR_INTERPRETER, VMM, 500000);
    tape_put(&tape, TRACE_INJECT, VMM, KERNEL, 6000000);
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 70000000);
    tape_put(&tape, TRACE_CPUID, KERNEL, VMM, 1);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_card, &trace, (struct view_options){.from = 1});
    static const char *const want[] = {
        ">VMM: who handles this?</td><td align=\"left\">10 ns<",
        ">VMM: interpreter</td><td align=\"left\">200 ns<",
        ">device: uart</td><td align=\"left\">3.00 us<",
        ">VMM: between these</td><td align=\"left\">40.0 us<",
        ">VMM: back to the guest</td><td align=\"left\">6.50 ms<",
        ">from exit to entry</td><td align=\"left\" colspan=\"2\">6.54 ms<",
    };
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(text, want[i]));
    free(text);
    text = tape_show(&view_state, &trace, (struct view_options){.by = VIEW_BY_DEVICE});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "label=\"exception for uart 1x\\n")); /* the last one */
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* A process' time in a call is the host's kernel's, and an entry back into the call is not its end. */
static void
test_card_of_process(void)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_put(&tape, TRACE_HOST_CALL, TRACE_ACTOR_GUEST_USER, TRACE_ACTOR_HOST_KERNEL, 30);
    tape_put(&tape, TRACE_HOST_RETURN, TRACE_ACTOR_HOST_KERNEL, TRACE_ACTOR_GUEST_USER, 200);
    tape_put(&tape, TRACE_FORK, TRACE_ACTOR_HOST_KERNEL, VMM, 5);
    tape_put(&tape, TRACE_ENTRY, VMM, TRACE_ACTOR_HOST_KERNEL, 60);
    tape_put(&tape, TRACE_HOST_RETURN, TRACE_ACTOR_HOST_KERNEL, TRACE_ACTOR_GUEST_USER, 300);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_card, &trace, (struct view_options){.from = 1});
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, ">host kernel, until the guest runs again</td><td align=\"left\">30 ns<"));
    CU_ASSERT_PTR_NULL(strstr(text, ">VMM"));
    free(text);
    text = tape_show(&view_card, &trace, (struct view_options){.from = 2});
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, ">host kernel, until the guest runs again</td><td align=\"left\">60 ns<"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ">VMM</td><td align=\"left\">5 ns<"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* The caller may add without an end; the card may not. */
static void
test_card_full(void)
{
    struct card *card = malloc(sizeof(*card));
    char *text = NULL, *name = calloc(1, 1000);
    size_t size;

    memset(name, 'x', 999);
    card_init(card);
    for (unsigned i = 0; i < CARD_ROWS + 10; i++) {
        card_add(card, CARD_WHY, name, "%s\x1b<", name);
        card_add_register(card, name, name, NULL);
    }
    CU_ASSERT_EQUAL(card->rows, CARD_ROWS);
    FILE *out = open_memstream(&text, &size);
    card_print(card, out);
    fclose(out);
    CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
    CU_ASSERT_EQUAL(tape_occurrences(text, "<tr>"), 1 + 1 + 2 + CARD_ROWS);
    free(text);
    free(name);
    free(card);
}

/* dot reads what we write. */
static void
test_drawn(void)
{
    static const struct view_ops *const drawn[] = {&view_ladder, &view_card};
    struct view_options options = {.limit = 20};
    char path[80], message[512] = "";
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_boot(&tape, 3);
    tape_read(&tape, &trace);
    snprintf(path, sizeof(path), "%s.svg", tape.path);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(dot_write(drawn[i], &trace, &options, path, message, sizeof(message)), 0);
        CU_ASSERT_STRING_EQUAL(message, "");
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    trace_close(&trace);
    tape_remove(&tape);
}

static const struct unit_test tests[] = {
    {"the ladder's text", test_ladder_golden},
    {"what repeats is one cycle", test_ladder_cycles},
    {"what is a cycle, and what is not", test_ladder_few},
    {"a long ladder is SVG", test_ladder_long},
    {"exits of one reason alone", test_only},
    {"the card's text", test_card},
    {"what an exit cost", test_card_costs},
    {"what an exit of a process cost", test_card_of_process},
    {"a card that is full", test_card_full},
    {"dot draws ladder and card", test_drawn},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_ladder = {"tracer-ladder", tests};
