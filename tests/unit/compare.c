/* compare.c - tests of hv/cli/compare*.c: what counts as the same output, and the spread. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/compare.h"
#include "base/util.h"
#include "cli/guestdir.h"
#include "tests/unit/suites.h"
#include "tracer/record.h"
#include "tracer/view_compare.h"

static struct compare_sample
hash(const char *text)
{
    struct compare_sample sample = {0};

    compare_hash((const uint8_t *)text, strlen(text), &sample);
    return sample;
}

/* FNV-1a, 64 bits: the vectors of its authors (isthe.com/chongo/tech/comp/fnv). */
static void
test_fnv(void)
{
    CU_ASSERT_EQUAL(hash("").hash, UINT64_C(0xcbf29ce484222325));
    CU_ASSERT_EQUAL(hash("a").hash, UINT64_C(0xaf63dc4c8601ec8c));
    CU_ASSERT_EQUAL(hash("foobar").hash, UINT64_C(0x85944171f73967e8));
    CU_ASSERT_EQUAL(hash("foobar").length, 6);
}

/* A kernel's own lines and carriage returns are no output of the program; all else is. */
static void
test_lines(void)
{
    uint64_t plain = hash("one\ntwo\n").hash;

    CU_ASSERT_EQUAL(hash("one\r\ntwo\r\n").hash, plain);
    CU_ASSERT_EQUAL(hash("minios: 7 ticks\none\nminios: x\ntwo\nminios: done").hash, plain);
    CU_ASSERT_EQUAL(hash("minios: only\n").length, 0);
    CU_ASSERT_NOT_EQUAL(hash("one\ntwo").hash, plain);
    CU_ASSERT_NOT_EQUAL(hash("one\n minios: two\n").hash, hash("one\n").hash);
    CU_ASSERT_NOT_EQUAL(hash("two\none\n").hash, plain);
}

static void
test_nano_line(void)
{
    struct compare_sample sample = hash("x\nnano: cr8wr count 1000 ticks 4711\r\nminios: done\n");

    CU_ASSERT_EQUAL(sample.counted, 1000);
    CU_ASSERT_EQUAL(sample.ticks, 4711);
    CU_ASSERT_EQUAL(hash("nano: in count 1000 failed\n").counted, 0);
    CU_ASSERT_EQUAL(hash("no such line\n").counted, 0);
}

static void
test_spread(void)
{
    uint64_t values[] = {9, 1, 5, 1000, 4};
    struct compare_spread s = compare_spread(values, 5);

    CU_ASSERT_EQUAL(s.middle, 5);
    CU_ASSERT_EQUAL(s.least, 1);
    CU_ASSERT_EQUAL(s.most, 1000);
    CU_ASSERT_EQUAL(compare_spread(values, 0).most, 0);
}

/* A round that differs is seen. */
static void
test_sum(void)
{
    struct compare_column *c = calloc(1, sizeof(*c));

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->rounds = 3;
    for (unsigned i = 0; i < 3; i++)
        c->round[i] = (struct compare_sample){
            .exits = 5, .hash = 1, .total_ns = 100 + i, .guest_ns = 60, .waiting_ns = 10};
    compare_sum(c);
    CU_ASSERT_TRUE(c->steady && c->alike);
    CU_ASSERT_EQUAL(c->total.middle, 101);
    CU_ASSERT_EQUAL(c->vmm.least, 30);
    CU_ASSERT_EQUAL(c->vmm.most, 32);
    c->round[2].exits = 6;
    compare_sum(c);
    CU_ASSERT_FALSE(c->steady);
    c->round[2].exits = 5;
    c->round[1].hash = 2;
    compare_sum(c);
    CU_ASSERT_TRUE(c->steady);
    CU_ASSERT_FALSE(c->alike);
    free(c);
}

/* Only paravirt takes another kernel, and only if there is one. */
static void
test_guest(void)
{
    char folder[] = "/tmp/hv-compare-XXXXXX", path[64], text[64];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    setenv("HV_GUESTS", folder, 1);
    compare_guest("kernel", "paravirt", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "kernel");
    snprintf(path, sizeof(path), "%s/kernel-pv", folder);
    fclose(fopen(path, "w"));
    compare_guest("kernel", "paravirt", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "kernel-pv");
    compare_guest("kernel", "trap", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "kernel");
    unlink(path);
    rmdir(folder);
    unsetenv("HV_GUESTS");
}

/* A recording of `exits` port exits by the guest's kernel. */
static void
make_recording(const char *path, const char *strategy, unsigned exits)
{
    struct trace_about about = {"soft", strategy, "guest", "", "hv"};
    struct recorder *recorder;
    char message[256];

    CU_ASSERT_EQUAL_FATAL(recorder_open(&recorder, path, &about, message, sizeof(message)), 0);
    for (unsigned i = 0; i < exits; i++) {
        struct trace_event *e = recorder_begin(recorder);
        e->kind = TRACE_IO;
        e->from = TRACE_ACTOR_GUEST_KERNEL;
        e->to = TRACE_ACTOR_DISPATCHER;
        recorder_commit(recorder);
        e = recorder_begin(recorder);
        e->kind = TRACE_ENTRY;
        e->from = TRACE_ACTOR_DISPATCHER;
        e->to = TRACE_ACTOR_GUEST_KERNEL;
        recorder_commit(recorder);
    }
    recorder_close(recorder);
}

/* Two rows at one scale: a tenth of the exits is a bar of a tenth of the length. */
static void
test_picture(void)
{
    char folder[] = "/tmp/hv-compare-XXXXXX", path[3][64], message[256];
    struct trace trace[2];
    struct view_compare view = {
        .trace = trace, .traces = 2, .title = "a <b> & \"c\"", .no_times = true};
    uint8_t *text;
    size_t size;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    for (unsigned i = 0; i < 3; i++)
        snprintf(path[i], sizeof(path[i]), "%s/%u.dot", folder, i);
    make_recording(path[0], "first", 100);
    make_recording(path[1], "second", 10);
    for (unsigned i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(trace_open(&trace[i], path[i], message, sizeof(message)), 0);
    CU_ASSERT_EQUAL(view_compare_write(&view, path[2], message, sizeof(message)), 0);
    CU_ASSERT_EQUAL_FATAL(read_file(path[2], 1 << 20, &text, &size, NULL), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "width=\"560\""));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "width=\"56\""));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "strategy first"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "strategy second"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "a &lt;b&gt; &amp; &quot;c&quot;"));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "r0p1 -> r0p2 [label=\"io 100x\""));
    CU_ASSERT_PTR_NOT_NULL(strstr((char *)text, "r1p1 -> r1p2 [label=\"io 10x\""));
    CU_ASSERT_PTR_NULL(strstr((char *)text, " each"));
    free(text);
    for (unsigned i = 0; i < 2; i++)
        trace_close(&trace[i]);
    for (unsigned i = 0; i < 3; i++)
        unlink(path[i]);
    rmdir(folder);
}

static const struct unit_test tests[] = {
    {"the hash", test_fnv},
    {"which lines are the program's", test_lines},
    {"what a nanobenchmark says", test_nano_line},
    {"the middle, the least, the greatest", test_spread},
    {"rounds that differ", test_sum},
    {"which kernel", test_guest},
    {"two recordings at one scale", test_picture},
    {NULL, NULL},
};
const struct unit_suite suite_compare = {"compare", tests};
