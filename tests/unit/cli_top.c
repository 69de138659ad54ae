/*
 * cli_top.c - tests of what `hv run --top` computes and draws; tests/cli/top.sh has the terminal.
 */
#include <string.h>

#include "cli/top.h"
#include "tests/unit/suites.h"
#include "tests/unit/unit.h"

#define SECOND UINT64_C(1000000000)

static void
test_rates(void)
{
    struct top_look look = {.title = "t", .serial = "nowhere"};
    uint64_t counters[TRACE_KIND_COUNT] = {[TRACE_IO] = 1000};
    char text[4096];

    top_take(&look, counters, 5 * SECOND);
    CU_ASSERT_EQUAL(look.span, 0);
    counters[TRACE_IO] = 1500, counters[TRACE_HLT] = 20000;
    top_take(&look, counters, 5 * SECOND + SECOND / 4); /* the first span may be short */
    top_draw(&look, 120, 24, text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "0 s, 21,500 exits, 82,000 a second"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "io                    2,000    2.4%           1,500    7.0%"));
    counters[TRACE_IO] = 4500, counters[TRACE_HLT] = 20000;
    top_take(&look, counters, 7 * SECOND + SECOND / 4);
    top_draw(&look, 120, 24, text, sizeof(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 s, 24,500 exits, 1,500 a second"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "hlt                       0    0.0%          20,000   81.6%"));
    /* The most frequent now comes first, not the most frequent in all. */
    CU_ASSERT_TRUE(strstr(text, "\nio ") < strstr(text, "\nhlt "));
    /* A window that changes its size is drawn again at once: rates do not jump. */
    counters[TRACE_IO] = 4501;
    top_take(&look, counters, 7 * SECOND + SECOND / 3);
    CU_ASSERT_EQUAL(look.span, 2 * SECOND);
    CU_ASSERT_EQUAL(look.count[TRACE_IO], 4500);
}

/* Whatever the window's size: no line is longer, there are no more lines, the text ends. */
static void
test_sizes(void)
{
    struct top_look look = {.title = "minios on engine soft, strategy trap", .serial = "nowhere"};
    uint64_t counters[TRACE_KIND_COUNT];
    char text[16384], more[64];

    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        counters[k] = UINT64_MAX / (k + 1);
    top_take(&look, counters, SECOND);
    top_take(&look, counters, 2 * SECOND);
    for (unsigned columns = 1; columns < 300; columns += 7) {
        for (unsigned rows = 1; rows < 60; rows++) {
            size_t n = top_draw(&look, columns, rows, text, sizeof(text));
            unsigned lines = 1;
            CU_ASSERT_EQUAL(n, strlen(text));
            for (const char *p = text + strlen("\033[H"); *p;) {
                CU_ASSERT_TRUE(strcspn(p, "\033") <= columns);
                p += strcspn(p, "\033") + strlen("\033[K");
                lines += *p == '\r';
                p += *p == '\r' ? 2 : 0;
            }
            CU_ASSERT_TRUE(lines <= rows);
        }
    }
    top_draw(&look, 80, 8, text, sizeof(text));
    snprintf(more, sizeof(more), "and %d more: the window is too low", TRACE_KIND_COUNT - 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, more));
    /* A buffer that is too small. */
    for (size_t size = 8; size < 400; size++)
        CU_ASSERT_TRUE(top_draw(&look, 80, 24, text, size) < size);
}

static const struct unit_test tests[] = {
    {"rates", test_rates},
    {"windows of any size", test_sizes},
    {NULL, NULL},
};
const struct unit_suite suite_cli_top = {"cli-top", tests};
