/*
 * tracer_player.c - tests of the page that plays a recording: how it is packed, how long it gets,
 * that no text of a recording can leave its place. What the page does then is tested in a browser
 * (tests/browser).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/json.h"
#include "tracer/player.h"
#include "tracer/texts.h"

#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

/* --- texts and columns -------------------------------------------------------------------------- */

static void
expect_json(const char *text, const char *want)
{
    char *json = NULL;
    size_t size;
    FILE *out = open_memstream(&json, &size);

    json_text(out, text);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(json, want);
    free(json);
}

static void
test_json_text(void)
{
    expect_json("", "\"\"");
    expect_json("write 0x3f8", "\"write 0x3f8\"");
    expect_json("</script>", "\"\\u003c/script\\u003e\"");
    expect_json("<!-- &amp; \"\\", "\"\\u003c!-- \\u0026amp; \\u0022\\u005c\"");
    expect_json("\x1b[31m\n\x07\x7f", "\"?[31m???\"");
    expect_json("\xc3\xa9 \xff\xc0", "\"\xc3\xa9 ??\"");
}

static void
expect_column(const uint64_t *numbers, unsigned count, bool deltas, const char *want)
{
    struct json_column column = {0};
    char *json = NULL;
    size_t size;

    for (unsigned i = 0; i < count; i++)
        CU_ASSERT_EQUAL(deltas ? json_column_add_delta(&column, numbers[i])
                               : json_column_add(&column, numbers[i]),
                        0);
    FILE *out = open_memstream(&json, &size);
    json_column_print(out, &column);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(json, want);
    free(json);
    json_column_free(&column);
}

#define EXPECT_COLUMN(deltas, want, ...)                                                           \
    expect_column((const uint64_t[]){__VA_ARGS__},                                                 \
                  sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), deltas, want)

static void
test_columns(void)
{
    /* RFC 4648, 10: "f", "fo", "foo", "foob". Letters are numbers below 0x80: one byte each. */
    expect_column(NULL, 0, false, "\"\"");
    EXPECT_COLUMN(false, "\"Zg==\"", 'f');
    EXPECT_COLUMN(false, "\"Zm8=\"", 'f', 'o');
    EXPECT_COLUMN(false, "\"Zm9v\"", 'f', 'o', 'o');
    EXPECT_COLUMN(false, "\"Zm9vYg==\"", 'f', 'o', 'o', 'b');
    /* DWARF 5, 7.6, figure 22: 128 is 80 01, 12857 is b9 64. */
    EXPECT_COLUMN(false, "\"gAG5ZA==\"", 128, 12857);
    EXPECT_COLUMN(false, "\"////////////AQ==\"", UINT64_MAX);
    /* 5, then 5 more, then 3 less: 10, 10, 5. A jump back over everything does no harm. */
    EXPECT_COLUMN(true, "\"CgoF\"", 5, 10, 7);
    EXPECT_COLUMN(true, "\"AQI=\"", UINT64_MAX, 0);
}

static void
test_texts(void)
{
    struct texts texts = {0};
    char name[16];

    for (unsigned round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(name, sizeof(name), "text %" PRIu32, i);
            CU_ASSERT_EQUAL(texts_add(&texts, name), i);
        }
    CU_ASSERT_EQUAL(texts.count, 5000);
    CU_ASSERT_STRING_EQUAL(texts.text[4999], "text 4999");
    CU_ASSERT_EQUAL(texts_add(&texts, ""), 5000);
    texts_free(&texts);
}

/* --- the page ----------------------------------------------------------------------------------- */

/* The guest's source: line = rip & 0xff of a file that its upper part chooses. */
static bool
line_of(void *context, uint64_t rip, const char **file, int *line)
{
    (void)context;
    *file = rip >> 12 == 0x101 ? "kernel/</script>.c" : rip >> 12 == 0x400 ? "../.ssh/key" : NULL;
    *line = (int)(rip & 0xff);
    return *file != NULL;
}

static FILE *
source_of(void *context, const char *file)
{
    unsigned *opened = context;
    char *text = malloc(100 * 32);
    size_t used = 0;

    CU_ASSERT_STRING_EQUAL(file, "kernel/</script>.c");
    ++*opened;
    for (int i = 1; i <= 99; i++)
        used += (size_t)sprintf(text + used, "\tline <%d>;\n", i);
    FILE *f = fmemopen(NULL, used + 1, "w+");
    fwrite(text, 1, used, f);
    rewind(f);
    free(text);
    return f;
}

/* The page of a tape, in memory. It needs no `dot`: without, it says so. */
static char *
page_of(struct tape *tape, struct player_options options, struct player_result *result)
{
    char path[80], more[90], message[512] = "", *page = NULL;
    struct trace trace;
    size_t size = 0;

    tape_read(tape, &trace);
    snprintf(path, sizeof(path), "%s.html", tape->path);
    CU_ASSERT_EQUAL_FATAL(player_write(&trace, &options, path, result, message, sizeof(message)),
                          0);
    FILE *in = fopen(path, "r"), *out = open_memstream(&page, &size);
    for (int c; (c = getc(in)) != EOF;)
        putc(c, out);
    fclose(in);
    fclose(out);
    CU_ASSERT_EQUAL(unlink(path), 0);
    snprintf(more, sizeof(more), "%s.svg.dot", path);
    CU_ASSERT_EQUAL(unlink(more) == 0, result->no_picture);
    trace_close(&trace);
    tape_remove(tape);
    return page;
}

/* From behind the element that holds it to its end: nothing in there can end it. */
static void
check_data(const char *page)
{
    const char *data = strstr(page, "<script type=\"application/json\" id=\"data\">\n{");

    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    data = strchr(data + 1, '>') + 1;
    CU_ASSERT_EQUAL(strcspn(data, "<"), (size_t)(strstr(data, "</script>\n<script>") - data));
    for (; *data != '<'; data++)
        CU_ASSERT_TRUE_FATAL(*data == '\n' || (unsigned char)*data >= 0x20);
}

static void
test_page(void)
{
    struct player_options options = {.view = {.title = "<b>\"a title\""}};
    struct player_result result;
    struct tape tape;

    tape_start(&tape);
    tape_boot(&tape, 1);
    char *page = page_of(&tape, options, &result);
    check_data(page);
    CU_ASSERT_EQUAL(
        tape_occurrences(page, "Content-Security-Policy\" content=\"default-src 'none';"), 1);
    CU_ASSERT_EQUAL(tape_occurrences(page, "sha256-"), 2);
    CU_ASSERT_EQUAL(tape_occurrences(page, "http://www.w3.org/"), tape_occurrences(page, "://"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"title\":\"\\u003cb\\u003e\\u0022a title\\u0022\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"cut\":false"));
    CU_ASSERT_EQUAL(result.first, 1);
    CU_ASSERT_FALSE(result.cut);
    free(page);
}

static void
test_source(void)
{
    unsigned opened = 0;
    struct player_options options = {
        .line = line_of, .source = source_of, .source_context = &opened};
    struct player_result result;
    struct tape tape;

    tape_start(&tape);
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->rip = 0x101000 + 50;
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->rip = 0x101000 + 50;
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->rip = 0x101000 + 61;
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->rip = 0x101000 + 99;
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->rip = 0x400000 + 1;
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->rip = 0x101000 + 0; /* no line 0 */
    char *page = page_of(&tape, options, &result);
    check_data(page);
    CU_ASSERT_EQUAL(opened, 1);
    /* Lines 40 to 71 and 89 to 99: those that are touched, with ten around them. */
    CU_ASSERT_PTR_NOT_NULL(strstr(
        page, "[\"kernel/\\u003c/script\\u003e.c\",[[40,[\"        line \\u003c40\\u003e;\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "line \\u003c71\\u003e;\"]],[89,["));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "line \\u003c99\\u003e;\"]]]"));
    CU_ASSERT_EQUAL(tape_occurrences(page, "line \\u003c"), 32 + 11);
    CU_ASSERT_PTR_NULL(strstr(page, ".ssh"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "[\"0x101032\",0,0,0,0,50]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "[\"0x400001\",0,0,0,-1,"));
    free(page);
}

static void
test_range(void)
{
    struct player_options options = {.view = {.from = 2, .limit = 3, .no_times = true}};
    struct player_result result;
    struct tape tape;
    struct trace trace;
    char message[512] = "";

    tape_start(&tape);
    tape_boot(&tape, 1);
    char *page = page_of(&tape, options, &result);
    CU_ASSERT_EQUAL(result.first, 2);
    CU_ASSERT_EQUAL(result.last, 4);
    CU_ASSERT_FALSE(result.cut);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"first\":2,\"last\":4,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"times\":false"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"time\":\"AAAA"));
    free(page);
    tape_small(&tape);
    tape_read(&tape, &trace);
    options.view.from = 100;
    CU_ASSERT_EQUAL(player_write(&trace, &options, "/dev/null", &result, message, sizeof(message)),
                    -ENOENT);
    CU_ASSERT_STRING_EQUAL(message, "there is no exit 100: the recording has 2");
    options.view.from = 1;
    CU_ASSERT_EQUAL(player_write(&trace, &options, tape.path, &result, message, sizeof(message)),
                    -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "is the recording itself"));
    CU_ASSERT_EQUAL(trace.events[1].kind, TRACE_IO);
    CU_ASSERT_EQUAL(
        player_write(&trace, &options, "/nowhere/x.html", &result, message, sizeof(message)),
        -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "cannot create '/nowhere/x.html'"));
    trace_close(&trace);
    tape_remove(&tape);
}

/* More events than a page holds, and texts that are all different: it ends with a whole exit. */
static void
test_cut(void)
{
    struct player_options options = {0};
    struct player_result result;
    struct tape tape;

    tape_start(&tape);
    for (uint64_t i = 0; i < PLAYER_EVENTS / 2 + 1000; i++) {
        struct trace_event *e = tape_put(&tape, TRACE_MSR, KERNEL, VMM, 10);
        e->address = i, e->flags = TRACE_WRITE, e->value = i << 40;
        tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 10);
    }
    char *page = page_of(&tape, options, &result);
    size_t size = strlen(page);
    CU_ASSERT_TRUE(result.cut);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"cut\":true"));
    CU_ASSERT_TRUE(size < 20u << 20);
    CU_ASSERT_TRUE(result.last > 100000 && result.last <= PLAYER_EVENTS / 2);
    free(page);
    /* An exit with more events than a page holds cannot be shown whole. */
    tape_start(&tape);
    tape_put(&tape, TRACE_MSR, KERNEL, VMM, 10);
    for (uint64_t i = 0; i < 2 * PLAYER_EVENTS + 10; i++)
        tape_put(&tape, TRACE_MARK, VMM, VMM, 1);
    page = page_of(&tape, options, &result);
    CU_ASSERT_TRUE(result.cut);
    CU_ASSERT_TRUE(strlen(page) < 20u << 20);
    CU_ASSERT_EQUAL(result.last, 1);
    free(page);
}

static void
test_empty(void)
{
    struct player_options options = {0};
    struct player_result result;
    struct tape tape;

    tape_start(&tape);
    char *page = page_of(&tape, options, &result);
    check_data(page);
    CU_ASSERT_EQUAL(result.first, 0);
    CU_ASSERT_EQUAL(result.last, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "\"exits\":0,\"first\":0,\"last\":0,\"events\":0"));
    free(page);
}

static const struct unit_test tests[] = {
    {"texts as JSON", test_json_text},
    {"columns of numbers", test_columns},
    {"each text once", test_texts},
    {"a page", test_page},
    {"lines of source", test_source},
    {"a part of a recording", test_range},
    {"a recording that is too long", test_cut},
    {"an empty recording", test_empty},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_player = {"tracer-player", tests};
