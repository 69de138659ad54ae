/*
 * tracer_export.c - tests of what tracer/ writes for other programs: CSV, JSON Lines, the Trace
 * Event Format, CTF, statistics as JSON; above all with names that are made to break them.
 *
 * tests/cli/export.sh gives the same files to jq and babeltrace2.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/json.h"
#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/ctf.h"
#include "tracer/put.h"

#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

/* The checker of these tests, checked: what JSON is and what it is not. */
static void
test_json_checker(void)
{
    static const char *const good[] = {
        "{}",
        "[]",
        " [1, -0.5e+3, \"a\\u00e9\\n\", true, null] ",
        "{\"a\":{\"b\":[]}}",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
    };
    static const char *const bad[] = {
        "",
        "{",
        "[1,]",
        "{\"a\":}",
        "{a:1}",
        "01",
        "\"a",
        "\"\n\"",
        "\"\\x41\"",
        "\"\x80\"",
        "\"\xc0\x80\"",
        "[1] 2",
        "\"\xed\xa0\x80\"",
        "\"\xe0\x80\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\\u12g4\"",
        "[nan]",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT_TRUE(json_is_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_FALSE(json_is_valid(bad[i]));
}

/* What put.h writes, as a string from malloc. */
static char *
put_all(void (*write)(struct put *, const char *), const char *text)
{
    static struct put put;
    char *out = NULL;
    size_t size;
    FILE *file = open_memstream(&out, &size);

    put_begin(&put, file);
    write(&put, text);
    CU_ASSERT_EQUAL(put_end(&put), 0);
    fclose(file);
    return out;
}

static void
test_put(void)
{
    static const struct {
        const char *text, *json, *csv;
    } cases[] = {
        {"plain", "\"plain\"", "plain"},
        {"", "\"\"", ""},
        {"a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\"\"b\\c\""},
        {"a,b", "\"a,b\"", "\"a,b\""},
        {"a\r\nb", "\"a\\u000d\\u000ab\"", "\"a\r\nb\""},
        {"\xc3\xa9\xff", "\"\xc3\xa9\\ufffd\"", "\xc3\xa9\xff"},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"", "\xed\xa0\x80"},
        {"\x7f\x01", "\"\\u007f\\u0001\"", "\x7f\x01"},
    };
    static struct put put;
    char *text;
    size_t size;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *out = put_all(put_json, cases[i].text);
        CU_ASSERT_STRING_EQUAL(out, cases[i].json);
        CU_ASSERT_TRUE(json_is_valid(out));
        free(out);
        out = put_all(put_csv, cases[i].text);
        CU_ASSERT_STRING_EQUAL(out, cases[i].csv);
        free(out);
    }
    FILE *out = open_memstream(&text, &size);
    put_begin(&put, out);
    put_number(&put, 0), put_char(&put, ' ');
    put_number(&put, UINT64_MAX), put_char(&put, ' ');
    put_hex(&put, 0), put_char(&put, ' ');
    put_hex(&put, UINT64_MAX), put_char(&put, ' ');
    put_us(&put, 1005), put_char(&put, ' ');
    put_us(&put, UINT64_MAX);
    CU_ASSERT_EQUAL(put_end(&put), 0);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "0 18446744073709551615 0x0 0xffffffffffffffff 1.005 "
                                 "18446744073709551.615");
    free(text);
    /* More than fits into its buffer at once, and in steps that do not divide it. */
    out = open_memstream(&text, &size);
    put_begin(&put, out);
    for (unsigned i = 0; i < 30000; i++)
        put_text(&put, "1234567");
    char *large = malloc(PUT_SIZE * 2 + 1);
    memset(large, 'x', PUT_SIZE * 2);
    large[PUT_SIZE * 2] = 0;
    put_text(&put, large);
    CU_ASSERT_EQUAL(put_end(&put), 0);
    fclose(out);
    CU_ASSERT_EQUAL(size, 210000 + PUT_SIZE * 2);
    CU_ASSERT_EQUAL(strncmp(text + 209993, "1234567xxx", 10), 0);
    free(large);
    free(text);
}

/* Names that would break out of strings, were they not escaped. */
static void
hostile_name(void *context, uint64_t rip, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, "%s", rip & 1 ? "a\",\"b\":[\\\xff\x1b<,\r\n" : "\xed\xa0\x80 \xc3\xa9");
}

static void
hostile_tape(struct tape *tape, struct trace *trace)
{
    tape_start(tape);
    unsigned bad = recorder_actor(tape->recorder, "u\"a,r\\t\xff\n", TRACE_DEVICE);
    recorder_actor(tape->recorder, "twin", TRACE_DEVICE);
    recorder_actor(tape->recorder, "twin", TRACE_VMM);
    for (unsigned i = 0; i < 40; i++) {
        tape_put(tape, TRACE_IO, KERNEL, VMM, 100)->rip = 0x1000 + i;
        tape_put(tape, TRACE_CALL, VMM, bad, 200)->address = i;
        tape_put(tape, TRACE_RETURN, bad, VMM, 50)->value = UINT64_MAX;
        tape_put(tape, TRACE_ENTRY, VMM, KERNEL, i % 3 ? 70 : 0)->rip = 0x1001 + i;
    }
    tape_read(tape, trace);
}

static void
test_hostile_names(void)
{
    const struct view_options options = {.resolve = hostile_name};
    const struct view_ops *const whole[] = {&view_chrome, &view_stats_json};
    struct tape tape;
    struct trace trace;

    hostile_tape(&tape, &trace);
    for (unsigned i = 0; i < 2; i++) {
        char *text = tape_show(whole[i], &trace, options);
        CU_ASSERT_TRUE(json_is_valid(text));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"u\\\"a,r\\\\t??\""));
        free(text);
    }
    char *text = tape_show(&view_jsonl, &trace, options), *next = NULL;
    unsigned lines = 0;
    for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        CU_ASSERT_TRUE(json_is_valid(line));
        lines++;
    }
    CU_ASSERT_EQUAL(lines, 1 + trace.count);
    free(text);
    text = tape_show(&view_csv, &trace, options);
    CU_ASSERT_EQUAL(tape_occurrences(text, "\r\n"), 1 + trace.count);
    CU_ASSERT_EQUAL(tape_occurrences(text, "\n"), 1 + trace.count);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ",\"u\"\"a,r\\t??\","));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, ",\"a\"\",\"\"b\"\":[\\?\?<,?\?\"\r\n"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_csv_and_jsonl(void)
{
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_csv, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "\r\n2,1,1000,0,exit,io,guest kernel,dispatcher,0,0x1004,0x3f8,"
                                  "0x48,1,1,0,0,0,write port 0x3f8 <- 0x48 'H',\r\n"));
    free(text);
    text = tape_show(&view_csv, &trace, (struct view_options){.no_times = true, .from = 2});
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "symbol\r\n7,2,,0,exit,hlt,guest kernel,dispatcher,0,"));
    free(text);
    text = tape_show(&view_jsonl, &trace, (struct view_options){0});
    CU_ASSERT_PTR_NOT_NULL(strstr(
        text,
        "\n{\"event\":2,\"exit\":1,\"time_ns\":1000,\"class\":\"exit\",\"kind\":\"io\",\"from\":"
        "\"guest kernel\",\"to\":\"dispatcher\",\"vcpu\":0,\"rip\":\"0x1004\",\"address\":"
        "\"0x3f8\",\"value\":\"0x48\",\"size\":1,\"write\":true,\"operands\":\"write port "
        "0x3f8 <- 0x48 'H'\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"events\":9,\"exits\":2,\"lost\":0,\"closed\":true}\n"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* Arguments and a text of a call: in `operands`, exactly; their fields are no place and no count. */
static void
test_parts(void)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    struct trace_event *e = tape_put(&tape, TRACE_HOST_CALL, KERNEL, VMM, 100);
    e->address = 257;
    e = tape_put(&tape, TRACE_ARGUMENTS, KERNEL, VMM, 0);
    e->extra = 1;
    e->icount = UINT64_MAX, e->rip = 1, e->address = 2, e->value = 3;
    e = tape_put(&tape, TRACE_ARGUMENTS, KERNEL, VMM, 0);
    e->extra = 5;
    e->icount = (UINT64_C(1) << 53) + 1;
    e = tape_put(&tape, TRACE_TEXT, KERNEL, VMM, 0);
    e->extra = 1;
    e->size = TRACE_TEXT_SIZE;
    char *bytes = (char *)e + offsetof(struct trace_event, icount);
    memset(bytes, 0xff, TRACE_TEXT_SIZE);
    memcpy(bytes, "/a\n", 4);
    tape_close(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_jsonl, &trace, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NULL(strstr(text, "icount"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"vcpu\":0,\"extra\":1,\"operands\":"
                                        "\"0xffffffffffffffff, 0x1, 0x2, 0x3\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"vcpu\":0,\"extra\":5,\"operands\":\"0x20000000000001\"}\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"size\":32,\"extra\":1,\"operands\":"
                                        "\"\\\"/a\\\\n\\\\x00\\\\xff"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\\\\xff\\\"\"}\n")); /* to its end */
    free(text);
    text = tape_show(&view_csv, &trace, (struct view_options){.no_times = true});
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, ",0,,,,0,0,0,0,1,\"0xffffffffffffffff, 0x1, 0x2, 0x3\",\r\n"));
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* tape_small(): an entry at 0, an exit at 1000 until 1350, the guest until 3350, hlt until 8350. */
static void
test_chrome(void)
{
    struct tape tape;
    struct trace trace;

    tape_small(&tape);
    tape_read(&tape, &trace);
    char *text = tape_show(&view_chrome, &trace, (struct view_options){0});
    CU_ASSERT_TRUE(json_is_valid(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "{\"ph\":\"X\",\"pid\":3,\"tid\":102,\"ts\":1.000,\"dur\":0.350,"
                                  "\"cat\":\"exit\",\"name\":\"io\",\"args\":{\"exit\":1,"
                                  "\"operands\":\"write port 0x3f8 <- 0x48 'H'\",\"rip\":"
                                  "\"0x1004\"}}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "{\"ph\":\"X\",\"pid\":4,\"tid\":106,\"ts\":1.100,\"dur\":0.200,"
                                  "\"cat\":\"call\",\"name\":\"write 0x3f8 <- 0x48 'H'\""));
    /* The arrow of exit 1: the guest's last nanosecond, the dispatcher, the guest again. */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"ph\":\"s\",\"pid\":2,\"tid\":101,\"ts\":0.999,\"cat\":"
                                        "\"control\",\"name\":\"exit\",\"id\":1}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"ph\":\"t\",\"pid\":3,\"tid\":102,\"ts\":1.000,\"cat\":"
                                        "\"control\",\"name\":\"exit\",\"id\":1}"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "{\"ph\":\"f\",\"pid\":1,\"tid\":100,\"ts\":1.350,\"cat\":"
                                        "\"control\",\"name\":\"exit\",\"id\":1,\"bp\":\"e\"}"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"ts\":3.350,\"dur\":5.000,\"cat\":\"exit\",\"name\":\"hlt\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "{\"ph\":\"i\",\"pid\":4,\"tid\":106,\"ts\":3.350,\"s\":\"t\","
                                  "\"cat\":\"note\",\"name\":\"irq\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"name\":\"process_name\",\"args\":{\"name\":\"VMM\"}}"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "\"tid\":106,\"name\":\"thread_name\",\"args\":{\"name\":\"uart\"}}"));
    CU_ASSERT_EQUAL(tape_occurrences(text, "\"ph\":\"s\""), 2);
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_ctf_metadata(void)
{
    struct tape tape;
    struct trace trace;
    char *text = NULL;
    size_t size;

    hostile_tape(&tape, &trace);
    trace.started = 1234567890123456789u;
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(ctf_print_metadata(&trace, out), 0);
    fclose(out);
    CU_ASSERT_EQUAL(strncmp(text, "/* CTF 1.8 */", 13), 0); /* CTF 1.8, section 7.1 */
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "    \"u\\\"a,r\\\\t??\" = 6,\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "    \"twin\" = 7,\n    \"twin #8\" = 8,\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "offset_s = 1234567890;\n    offset = 123456789;\n"));
    CU_ASSERT_EQUAL(tape_occurrences(text, "\nevent {\n"), TRACE_KIND_COUNT);
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

static uint64_t
load(const char *bytes, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, bytes, size);
    return value;
}

/* Packets of 48 + 1024 * 56 bytes; a clock that goes backwards stands still. */
static void
test_ctf_stream(void)
{
    const size_t packet = 48 + 1024 * 56;
    struct view_options options = {0};
    struct tape tape;
    struct trace trace;
    char *text = NULL, message[256];
    size_t size;

    tape_start(&tape);
    for (unsigned i = 0; i < 1500; i++) {
        tape.now = i == 1200 ? 5 : 1000 + i;
        struct trace_event *e = tape_put(&tape, TRACE_IO, KERNEL, VMM, 1);
        e->address = i, e->rip = ~UINT64_C(0), e->size = 2, e->flags = TRACE_WRITE, e->extra = 9;
    }
    tape_read(&tape, &trace);
    options.out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(view_run(&view_ctf, &trace, &options, message, sizeof(message)), 0);
    fclose(options.out);
    CU_ASSERT_EQUAL_FATAL(size, packet + 48 + (1500 - 1024) * 56);
    CU_ASSERT_EQUAL(load(text, 4), 0xc1fc1fc1);
    CU_ASSERT_EQUAL(load(text + 8, 8), 8 * packet);
    CU_ASSERT_EQUAL(load(text + 24, 8), 1000);
    CU_ASSERT_EQUAL(load(text + 32, 8), 2023);
    const char *second = text + packet;
    CU_ASSERT_EQUAL(load(second, 4), 0xc1fc1fc1);
    CU_ASSERT_EQUAL(load(second + 16, 8), 8 * (size - packet));
    CU_ASSERT_EQUAL(load(second + 32, 8), 2499);
    const char *event = second + 48 + (1200 - 1024) * 56;
    CU_ASSERT_EQUAL(load(event, 2), TRACE_IO);
    CU_ASSERT_EQUAL(load(event + 2, 8), 2199); /* not 5 */
    CU_ASSERT_EQUAL(load(event + 10, 8), 1201);
    CU_ASSERT_EQUAL(load(event + 26, 8), UINT64_MAX);
    CU_ASSERT_EQUAL(load(event + 34, 8), 1200);
    CU_ASSERT_EQUAL(load(event + 50, 2), KERNEL | VMM << 8);
    CU_ASSERT_EQUAL(load(event + 53, 3), 2 | TRACE_WRITE << 8 | 9 << 16);
    free(text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* The folder: made, not overwritten, and gone again if it could not be filled. */
static void
test_ctf_folder(void)
{
    struct view_options options = {0}, beyond = {.from = 99};
    struct tape tape;
    struct trace trace;
    char folder[80], path[100], message[512] = "";
    struct stat st;

    tape_small(&tape);
    tape_read(&tape, &trace);
    snprintf(folder, sizeof(folder), "%s.ctf", tape.path);
    CU_ASSERT_EQUAL(ctf_write(&trace, &beyond, folder, message, sizeof(message)), -ENOENT);
    CU_ASSERT_STRING_EQUAL(message, "there is no exit 99: the recording has 2");
    CU_ASSERT_NOT_EQUAL(stat(folder, &st), 0);
    CU_ASSERT_EQUAL(ctf_write(&trace, &options, folder, message, sizeof(message)), 0);
    CU_ASSERT_EQUAL(ctf_write(&trace, &options, folder, message, sizeof(message)), -EEXIST);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "is there already"));
    snprintf(path, sizeof(path), "%s/stream", folder);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_size, 48 + 9 * 56);
    CU_ASSERT_EQUAL(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/metadata", folder);
    CU_ASSERT_EQUAL(unlink(path), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
    CU_ASSERT_EQUAL(ctf_write(&trace, &options, "/nonexistent/x", message, sizeof(message)),
                    -ENOENT);
    trace_close(&trace);
    tape_remove(&tape);
}

/* A full disk is noticed by every one of them, however small the recording. */
static void
test_full_disk(void)
{
    struct tape tape;
    struct trace trace;
    char message[512];

    tape_small(&tape);
    tape_read(&tape, &trace);
    for (unsigned i = 0; views[i]; i++) {
        struct view_options options = {.out = fopen("/dev/full", "w"), .from = 1};
        CU_ASSERT_PTR_NOT_NULL_FATAL(options.out);
        CU_ASSERT_EQUAL(view_run(views[i], &trace, &options, message, sizeof(message)), -ENOSPC);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "No space left"));
        fclose(options.out);
    }
    trace_close(&trace);
    tape_remove(&tape);
}

/* Events of random bytes: what is written stays JSON, and each event is there once. */
static void
test_random_events(void)
{
    const struct view_options options = {.resolve = hostile_name};
    uint64_t state = 0x9e3779b97f4a7c15u;
    struct tape tape;
    struct trace trace;

    for (unsigned round = 0; round < 60; round++) {
        tape_start(&tape);
        for (unsigned i = 0; i < 300; i++)
            tape_put_random(&tape, &state)->vcpu &= round & 1 ? 0xff : 1;
        tape_read(&tape, &trace);
        char *text = tape_show(&view_chrome, &trace, options);
        CU_ASSERT_TRUE(json_is_valid(text));
        free(text);
        text = tape_show(&view_stats_json, &trace, options);
        CU_ASSERT_TRUE(json_is_valid(text));
        free(text);
        text = tape_show(&view_csv, &trace, options);
        CU_ASSERT_EQUAL(tape_occurrences(text, "\r\n"), 301);
        free(text);
        trace_close(&trace);
        tape_remove(&tape);
    }
}

static const struct unit_test tests[] = {
    {"what is JSON and what is not", test_json_checker},
    {"numbers and strings", test_put},
    {"names that are made to break a format", test_hostile_names},
    {"CSV and JSON Lines", test_csv_and_jsonl},
    {"parts of an event in them", test_parts},
    {"the Trace Event Format", test_chrome},
    {"CTF: the metadata", test_ctf_metadata},
    {"CTF: the stream", test_ctf_stream},
    {"CTF: the folder", test_ctf_folder},
    {"events of random bytes", test_random_events},
    {"a full disk", test_full_disk},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_export = {"tracer-export", tests};
