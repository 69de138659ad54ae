/* cli.c - tests of hv/cli/options.c, wordfile.c and date.c: a command line taken apart. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/date.h"
#include "cli/launch.h"
#include "cli/wordfile.h"
#include "tests/unit/suites.h"
#include "tests/unit/unit.h"

static const struct option_desc own[] = {
    {"size", 's', "SIZE", "A value."},
    {"loud", 0, NULL, "A flag."},
    {"ex", 0, "COMMAND", "May be repeated."},
    {NULL},
};
static const struct option_desc shared[] = {{"engine", 'e', "ENGINE", "Shared."}, {NULL}};
static const struct command command = {
    .name = "try", .words = "FILE [FILTER]", .min = 1, .max = 2, .options = {own, shared}};

static int
parse(struct args *args, struct error *err, unsigned count, const char *const *words)
{
    char *argv[8];

    for (unsigned i = 0; i < count; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    return args_parse(args, &command, (int)count, argv, err);
}
#define PARSE(...)                                                                                 \
    parse(&args, &err, ARRAY_SIZE(((const char *const[]){__VA_ARGS__})),                           \
          (const char *const[]){__VA_ARGS__})

/* Expands "a @FILE @ -- @none", FILE having this text. The caller frees *w. */
static int
expand(struct wordfile *w, const char *text, struct error *err)
{
    char path[] = "/tmp/hv-words-XXXXXX", at[64];
    char *argv[] = {(char *)"a", at, (char *)"@", (char *)"--", (char *)"@none"};
    int fd = mkstemp(path);

    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    snprintf(at, sizeof(at), "@%s", path);
    int rc = wordfile_expand(w, &command, ARRAY_SIZE(argv), argv, err);
    unlink(path);
    return rc;
}

/* @FILE: options by name, the guest as a word, the rest of a line as one value. */
static void
test_wordfile(void)
{
    static const char *const want[] = {
        "a", "images/shop", "--size=16M", "--ex=rate=100  quiet", "--loud", "--size=4",
        "@", "--",          "@none"};
    char *missing[] = {(char *)"@/no/such/file"};
    struct wordfile w;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(expand(&w,
                                 "# a machine\n\nguest  images/shop\n  size\t16M \r\n"
                                 "ex rate=100  quiet\nloud\nsize=4",
                                 &err),
                          0);
    CU_ASSERT_EQUAL_FATAL(w.words, (int)ARRAY_SIZE(want));
    for (unsigned i = 0; i < ARRAY_SIZE(want); i++)
        CU_ASSERT_STRING_EQUAL(w.word[i], want[i]);
    CU_ASSERT_PTR_NULL(w.word[w.words]);
    wordfile_free(&w);
    CU_ASSERT_EQUAL(wordfile_expand(&w, &command, 1, missing, &err), -ENOENT);
    wordfile_free(&w);
}

/* A line without the value that it needs is refused, and does not take the next line for it. */
static void
test_wordfile_values(void)
{
    static const struct {
        const char *text, *why;
    } wrong[] = {{"loud\nex\nsize 16M\n", ":2: 'ex' needs a value: ex COMMAND"},
                 {"s \r\n", ":1: 'size' needs a value: size SIZE"},
                 {"size =  \n", ":1: 'size' needs a value"},
                 {"# \n\nguest\n", ":3: 'guest' needs a value: guest FILE"}};
    struct wordfile w;
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        CU_ASSERT_EQUAL(expand(&w, wrong[i].text, &err), -EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.message, wrong[i].why));
        wordfile_free(&w);
    }
}

static void
test_forms(void)
{
    struct args args;
    struct error err;
    uint64_t size = 7;

    CU_ASSERT_EQUAL(PARSE("a", "--size", "2K", "b", "--loud"), 0);
    CU_ASSERT_EQUAL(args.words, 2);
    CU_ASSERT_STRING_EQUAL(args.word[1], "b");
    CU_ASSERT_TRUE(args_flag(&args, "loud"));
    CU_ASSERT_EQUAL(args_size(&args, "size", &size, &err), 0);
    CU_ASSERT_EQUAL(size, 2048);

    CU_ASSERT_EQUAL(PARSE("--size=1", "-e", "soft", "a"), 0);
    CU_ASSERT_STRING_EQUAL(args_value(&args, "size"), "1");
    CU_ASSERT_STRING_EQUAL(args_value(&args, "engine"), "soft");
    CU_ASSERT_FALSE(args_flag(&args, "loud"));

    /* One dash does as well, as gdb's users write it; "-" alone is a word. */
    CU_ASSERT_EQUAL(PARSE("-size=3", "-", "-ex", "run", "-ex", "quit"), 0);
    CU_ASSERT_STRING_EQUAL(args.word[0], "-");
    CU_ASSERT_STRING_EQUAL(args_nth(&args, "ex", 0), "run");
    CU_ASSERT_STRING_EQUAL(args_nth(&args, "ex", 1), "quit");
    CU_ASSERT_PTR_NULL(args_nth(&args, "ex", 2));
    CU_ASSERT_STRING_EQUAL(args_value(&args, "ex"), "quit");

    /* Behind "--" all is a word. An option that is not there leaves the default. */
    CU_ASSERT_EQUAL(PARSE("--", "--loud"), 0);
    CU_ASSERT_STRING_EQUAL(args.word[0], "--loud");
    size = 7;
    CU_ASSERT_EQUAL(args_size(&args, "size", &size, &err), 0);
    CU_ASSERT_EQUAL(size, 7);
}

static void
test_refused(void)
{
    struct args args;
    struct error err;
    uint64_t size;

    CU_ASSERT_EQUAL(PARSE("a", "--sise", "1"), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "did you mean '--size'"));
    CU_ASSERT_EQUAL(PARSE("a", "--nothing-like-it"), -EINVAL);
    CU_ASSERT_PTR_NULL(strstr(err.message, "did you mean"));
    CU_ASSERT_EQUAL(PARSE("a", "--size"), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "needs a value"));
    CU_ASSERT_EQUAL(PARSE("a", "--loud=yes"), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "takes no value"));
    CU_ASSERT_EQUAL(PARSE("--loud"), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "FILE"));
    CU_ASSERT_EQUAL(PARSE("a", "b", "c"), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "'c'"));
    CU_ASSERT_EQUAL(PARSE("a", "--size", "12X"), 0);
    CU_ASSERT_EQUAL(args_size(&args, "size", &size, &err), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "--size"));
    CU_ASSERT_EQUAL(PARSE("--help"), 0); /* needs no FILE */
}

static void
test_too_many(void)
{
    char *argv[2 * ARGS_MAX];
    struct args args;
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(argv); i++)
        argv[i] = (char *)(uintptr_t) "word";
    CU_ASSERT_EQUAL(args_parse(&args, &command, ARGS_MAX + 1, argv, &err), -E2BIG);
    for (unsigned i = 0; i < ARRAY_SIZE(argv); i++)
        argv[i] = (char *)(uintptr_t) "--loud";
    CU_ASSERT_EQUAL(args_parse(&args, &command, ARGS_MAX + 1, argv, &err), -E2BIG);
}

static void
test_nearest(void)
{
    static const char *const names[] = {"run", "trace", "graph", "doctor"};

    CU_ASSERT_STRING_EQUAL(nearest_name("rnu", names, 4), "run"); /* two letters swapped */
    CU_ASSERT_STRING_EQUAL(nearest_name("trac", names, 4), "trace");
    CU_ASSERT_STRING_EQUAL(nearest_name("gaprh", names, 4), "graph");
    CU_ASSERT_STRING_EQUAL(nearest_name("docktor", names, 4), "doctor");
    CU_ASSERT_PTR_NULL(nearest_name("zzz", names, 4));
    CU_ASSERT_PTR_NULL(nearest_name("", names, 4));
    CU_ASSERT_PTR_NULL(nearest_name("a word that is far longer than any name of ours", names, 4));
}

/* ISO 8601, UTC; what `date -u -d TEXT +%s` says. */
static void
test_date(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"1980-01-01", 315532800},
        {"2000-02-29T12:34", 951827640},
        {"2025-01-31T23:59:58", 1738367998},
        {"2025-01-31T23:59:58Z", 1738367998},
        {"2038-01-19T03:14:08Z", 2147483648},
        {"9899-12-31", 250246540800},
    };
    static const char *const bad[] = {
        "",
        "2025",
        "2025-1-1",
        "2025-01-31 12:00",
        "2025-02-29",
        "2025-13-01",
        "2025-00-01",
        "2025-01-00",
        "2025-04-31",
        "1979-12-31",
        "9900-01-01",
        "2025-01-01T24:00",
        "2025-01-01T",
        "2025-01-01T1:00",
        "2025-01-01T10:60",
        "2025-01-01T10:00:60",
        "2025-01-01T10:00+01:00",
        "2025-01-01ZZ",
        "+025-01-01",
    };
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        int64_t seconds = 0;
        CU_ASSERT_EQUAL(parse_date(good[i].text, &seconds, &err), 0);
        CU_ASSERT_EQUAL(seconds, good[i].seconds);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t seconds = 7;
        CU_ASSERT_EQUAL(parse_date(bad[i], &seconds, &err), -EINVAL);
        CU_ASSERT_EQUAL(seconds, 7);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "2025-01-31"));
    }
}

static uint64_t
read_clock(struct vm *vm, unsigned reg)
{
    vm_access(vm, &vm->vcpu[0], BUS_PORT, 0x70, 1, true, reg);
    return vm_access(vm, &vm->vcpu[0], BUS_PORT, 0x71, 1, false, 0);
}

/* --date is what the clock's registers show (MC146818A: 9 year, 8 month, 7 day, 4 hour; BCD). */
static void
test_date_option(void)
{
    static const struct {
        int64_t date;
        uint64_t year, month, day, hour;
    } cases[] = {{0, 0x25, 0x01, 0x01, 0}, {951827640, 0x00, 0x02, 0x29, 0x12}};
    static struct launch launch;
    struct args args = {0};
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct launch_options options = {
            .guest = "build/guests/minios",
            .engine = "soft",
            .strategy = "hardware",
            .mem = UINT64_C(32) << 20,
            .append = "",
            .console = "null",
            .debug_exit_port = PC_DEBUG_EXIT_PORT,
            .date = cases[i].date,
        };
        int rc = launch_open(&launch, &options, &args, &err);
        CU_ASSERT_EQUAL_FATAL(rc, 0);
        CU_ASSERT_EQUAL(read_clock(&launch.vm, 9), cases[i].year);
        CU_ASSERT_EQUAL(read_clock(&launch.vm, 8), cases[i].month);
        CU_ASSERT_EQUAL(read_clock(&launch.vm, 7), cases[i].day);
        CU_ASSERT_EQUAL(read_clock(&launch.vm, 4), cases[i].hour);
        launch_close(&launch, NULL);
    }
}

/* Folded at blanks, below its beginning; nothing is lost. */
static void
test_folded(void)
{
    static const struct {
        unsigned width, indent;
        const char *text, *lines;
    } cases[] = {
        {0, 4, "a sentence that is not folded", "a sentence that is not folded\n"},
        {3, 4, "narrower than its indent", "narrower than its indent\n"},
        {20, 4, "sixteen columns.", "sixteen columns.\n"},
        {20, 4, "sixteen columns. more", "sixteen columns.\n    more\n"},
        {20, 4, "of seventeen cols", "of seventeen\n    cols\n"},
        {10, 2, "a wordthatislonger b", "a\n  wordthatislonger\n  b\n"},
        {10, 0, "", "\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        print_folded(out, cases[i].width, cases[i].indent, cases[i].text);
        fclose(out);
        CU_ASSERT_STRING_EQUAL(text, cases[i].lines);
        free(text);
    }
}

static const struct unit_test tests[] = {
    {"the ways to write an option", test_forms},
    {"options from a file", test_wordfile},
    {"a line of a file without its value", test_wordfile_values},
    {"what is refused, and in which words", test_refused},
    {"more words than there is room for", test_too_many},
    {"the nearest name", test_nearest},
    {"dates", test_date},
    {"--date sets the clock", test_date_option},
    {"sentences folded", test_folded},
    {NULL, NULL},
};
const struct unit_suite suite_cli = {"cli", tests};
