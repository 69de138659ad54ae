/*
 * tracer_record.c - tests of tracer/record.c and read.c: what is written is read, whatever happens
 * to the writer, the disk or the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"

#define WINDOW 16384 /* of record.c: tests want to cross its end */

static void
test_round_trip(void)
{
    struct tape tape;
    struct trace trace;
    uint64_t bad = 0;

    tape_start(&tape);
    unsigned uart = recorder_actor(tape.recorder, "uart", TRACE_DEVICE);
    CU_ASSERT_EQUAL(uart, TRACE_ACTOR_FIRST_FREE);
    CU_ASSERT_EQUAL(recorder_actor(tape.recorder, "uart", TRACE_DEVICE), uart);
    CU_ASSERT_EQUAL(recorder_actor(tape.recorder, "uart", TRACE_VMM), uart + 1);
    for (uint64_t i = 0; i < 2 * WINDOW + 5; i++) {
        struct trace_event *e = tape_put(&tape, TRACE_IO, TRACE_ACTOR_GUEST_KERNEL, uart, 3);
        CU_ASSERT_EQUAL_FATAL(e->icount + e->rip + e->flags + e->extra, 0);
        e->icount = i, e->rip = ~i, e->address = i * 3, e->value = i << 40, e->vcpu = (uint8_t)i;
        e->size = 4, e->flags = TRACE_WRITE, e->extra = 7;
    }
    CU_ASSERT_EQUAL(recorder_count(tape.recorder), 2 * WINDOW + 5);
    CU_ASSERT_EQUAL(recorder_lost(tape.recorder), 0);
    tape_read(&tape, &trace);
    CU_ASSERT_EQUAL(trace.count, 2 * WINDOW + 5);
    CU_ASSERT_EQUAL(trace.exits, 2 * WINDOW + 5);
    CU_ASSERT_EQUAL(trace.lost, 0);
    CU_ASSERT_TRUE(trace.closed);
    CU_ASSERT_EQUAL(trace.map_size, 8192 + 48 * (2 * WINDOW + 5));
    CU_ASSERT_STRING_EQUAL(trace.engine, "soft");
    CU_ASSERT_STRING_EQUAL(trace.guest, "build/guests/minios");
    CU_ASSERT_STRING_EQUAL(trace.build_id, "0123abcd");
    CU_ASSERT_STRING_EQUAL(trace.actor[uart].name, "uart");
    CU_ASSERT_EQUAL(trace.actor[uart].domain, TRACE_DEVICE);
    CU_ASSERT_STRING_EQUAL(trace.actor[TRACE_ACTOR_DISPATCHER].name, "dispatcher");
    for (uint64_t i = 0; i < trace.count; i++) {
        struct trace_event want = {i * 3,         i,          ~i, i * 3,       i << 40, TRACE_IO, 1,
                                   (uint8_t)uart, (uint8_t)i, 4,  TRACE_WRITE, 7};
        bad += memcmp(&trace.events[i], &want, sizeof(want)) != 0;
    }
    CU_ASSERT_EQUAL(bad, 0);
    trace_close(&trace);
    tape_remove(&tape);
}

static void
test_actors_full(void)
{
    struct tape tape;
    char name[64];

    tape_start(&tape);
    for (unsigned i = TRACE_ACTOR_FIRST_FREE; i < TRACE_ACTOR_MAX; i++) {
        snprintf(name, sizeof(name), "a device with a name that is much too long %u", i);
        memmove(name, name + 40, strlen(name + 40) + 1);
        CU_ASSERT_EQUAL(recorder_actor(tape.recorder, name, TRACE_DEVICE), i);
    }
    CU_ASSERT_EQUAL(recorder_actor(tape.recorder, "one more", TRACE_DEVICE),
                    TRACE_ACTOR_DISPATCHER);
    tape_close(&tape);
    tape_remove(&tape);
}

/* "Exit N is the N-th record of class EXIT, counted from 1" (event.h). */
static void
test_exit_numbers(void)
{
    struct tape tape;
    struct trace trace;
    uint64_t event, want[2000], n = 0, bad = 0;

    tape_start(&tape);
    for (uint64_t i = 0; i < 5000; i++) {
        bool is_exit = i % 5 == 2 || i % 7 == 0;
        if (is_exit && n < 2000)
            want[n++] = i;
        tape_put(&tape, is_exit ? TRACE_HLT : i % 3 ? TRACE_ENTRY : TRACE_CALL, 1, 2, 1);
    }
    tape_read(&tape, &trace);
    CU_ASSERT_EQUAL(trace.exits, n);
    for (uint64_t i = 0; i < n; i++) {
        bad += trace_find_exit(&trace, i + 1, &event) != 0 || event != want[i];
        bad += trace_exits_before(&trace, want[i]) != i;
        bad += trace_exits_before(&trace, want[i] + 1) != i + 1;
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT_EQUAL(trace_find_exit(&trace, 0, &event), -ENOENT);
    CU_ASSERT_EQUAL(trace_find_exit(&trace, n + 1, &event), -ENOENT);
    CU_ASSERT_EQUAL(trace_exits_before(&trace, 0), 0);
    CU_ASSERT_EQUAL(trace_exits_before(&trace, trace.count), n);
    trace_close(&trace);
    tape_remove(&tape);
}

/* The child is killed while it records; all that it had committed is there. */
static void
test_sigkill(void)
{
    struct tape tape;
    struct trace trace;
    char message[512];
    int pipes[2], status;
    uint64_t committed = 0, bad = 0;

    tape_start(&tape);
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    pid_t child = fork();
    CU_ASSERT_NOT_EQUAL_FATAL(child, -1);
    if (child == 0) {
        for (uint64_t i = 0;; i++) {
            tape_put(&tape, TRACE_IO, 1, 2, 1)->address = i;
            if (i == WINDOW + 100 && write(pipes[1], &i, sizeof(i)) != sizeof(i))
                _exit(1);
        }
    }
    close(pipes[1]); /* a child that dies early ends the read */
    CU_ASSERT_EQUAL(read(pipes[0], &committed, sizeof(committed)), sizeof(committed));
    CU_ASSERT_EQUAL(kill(child, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL_FATAL(trace_open(&trace, tape.path, message, sizeof(message)), 0);
    CU_ASSERT_FALSE(trace.closed);
    CU_ASSERT_TRUE(trace.count > committed);
    /* tape_put fills the address after the commit: the last event may lack it. */
    for (uint64_t i = 0; i + 1 < trace.count; i++)
        bad += trace.events[i].kind != TRACE_IO || trace.events[i].address != i;
    CU_ASSERT_EQUAL(bad, 0);
    trace_close(&trace);
    close(pipes[0]);
    tape_close(&tape);
    tape_remove(&tape);
}

/* RLIMIT_FSIZE stands for a full disk: posix_fallocate() fails in both. In a child, for the limit
 * cannot be raised again by everybody. Its status says what went wrong. */
static int
record_under_limit(struct tape *tape, uint64_t room)
{
    struct rlimit limit = {8192 + 48 * room, 8192 + 48 * room};

    tape_start(tape);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        return 10;
    for (uint64_t i = 0; i < room + 1000; i++)
        tape_put(tape, TRACE_IO, 1, 2, 1)->address = i;
    /* What is left of the room is used up to the last step of 64 events. */
    if (recorder_count(tape->recorder) > room || recorder_count(tape->recorder) + 64 <= room)
        return 11;
    if (recorder_count(tape->recorder) + recorder_lost(tape->recorder) != room + 1000)
        return 12;
    return recorder_close(tape->recorder) ? 13 : 0;
}

static void
test_full_disk(void)
{
    uint64_t room = WINDOW + 1000;
    struct trace trace;
    struct tape tape;
    char message[512];
    int status, pipes[2];

    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    pid_t child = fork();
    CU_ASSERT_NOT_EQUAL_FATAL(child, -1);
    if (child == 0) {
        status = record_under_limit(&tape, room);
        _exit(write(pipes[1], &tape, sizeof(tape)) == sizeof(tape) ? status : 14);
    }
    close(pipes[1]);
    CU_ASSERT_EQUAL_FATAL(read(pipes[0], &tape, sizeof(tape)), sizeof(tape));
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
    CU_ASSERT_EQUAL_FATAL(trace_open(&trace, tape.path, message, sizeof(message)), 0);
    CU_ASSERT_TRUE(trace.closed);
    CU_ASSERT_EQUAL(trace.count + trace.lost, room + 1000);
    CU_ASSERT_EQUAL(trace.events[trace.count - 1].address, trace.count - 1);
    trace_close(&trace);
    close(pipes[0]);
    tape_remove(&tape);
}

static void
test_open_refused(void)
{
    const struct trace_about about = {.engine = "soft"};
    struct recorder *recorder;
    struct tape tape;
    char message[512] = "";

    CU_ASSERT_EQUAL(recorder_open(&recorder, "/nonexistent/x", &about, message, 512), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "/nonexistent/x"));
    CU_ASSERT_PTR_NULL(recorder);
    CU_ASSERT_EQUAL(recorder_open(&recorder, "/dev/null", &about, message, 512), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "not a regular file"));
    tape_start(&tape);
    CU_ASSERT_EQUAL(recorder_open(&recorder, tape.path, &about, message, 512), -EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "another hv"));
    tape_close(&tape);
    tape_remove(&tape);
    CU_ASSERT_EQUAL(recorder_close(NULL), 0);
}

/* Writes `size` bytes at `offset` of the file, tries to open it, and mends it again. */
static int
open_damaged(const struct tape *tape, size_t offset, const void *bytes, size_t size, char *message)
{
    struct trace trace;
    char before[64];
    int fd = open(tape->path, O_RDWR);

    CU_ASSERT_EQUAL(pread(fd, before, size, (off_t)offset), (ssize_t)size);
    CU_ASSERT_EQUAL(pwrite(fd, bytes, size, (off_t)offset), (ssize_t)size);
    int rc = trace_open(&trace, tape->path, message, 512);
    if (rc == 0)
        trace_close(&trace);
    CU_ASSERT_EQUAL(pwrite(fd, before, size, (off_t)offset), (ssize_t)size);
    close(fd);
    return rc;
}

static void
test_damaged_fields(void)
{
    static const struct {
        size_t offset, size;
        uint64_t value;
        int rc;
        const char *says;
    } cases[] = {
        {0x00, 1, 'X', -EINVAL, "not a recording"},
        {0x08, 2, 2, -EPROTONOSUPPORT, "version 2."},
        {0x08, 2, 0, -EPROTONOSUPPORT, "version 0."},
        {0x0a, 2, 9, 0, NULL}, /* a newer minor version is read */
        {0x0c, 4, 8191, -EINVAL, "8191 bytes of header"},
        {0x10, 4, 0, -EINVAL, "0 of an event"},
        {0x14, 4, 5, -EINVAL, "5 actors"},
        {0x14, 4, 65, -EINVAL, "65 actors"},
        {0x14, 4, 7, -EINVAL, "row 6 of its actors"},
        {0x18, 4, 0, -EINVAL, "0 kinds"},
        {0x18, 4, TRACE_KIND_COUNT + 1, -EINVAL, "kinds of event"},
        {0x18, 4, 129, -EINVAL, "129 kinds"},
        {0x18, 4, 1, -EINVAL, "unknown kind"},
        {0x1c, 4, 3, -EINVAL, "unknown state 3"},
        {0x20, 8, 0, -EPROTONOSUPPORT, "0 units"},
        {0x40, 8, 101, -EINVAL, "100 of 101 events"},
        {0x40, 8, UINT64_MAX, -EINVAL, "cut off"},
        {0x40, 8, UINT64_MAX / 48 + 2, -EINVAL, "cut off"}, /* times 48 is small again */
        {0x700, 1, 0, -EINVAL, "row 0 of its actors"},
        {0x700 + 31, 1, TRACE_DOMAIN_COUNT, -EINVAL, "row 0 of its actors"},
        {0x700 + 31, 1, TRACE_DEVICE, -EINVAL, "actor 0 is not 'guest user'"},
        {0xf00 + 32, 1, 'x', -EINVAL, "kind 1 is not 'io'"},
        {0xf00 + 32 + 31, 1, TRACE_CLASS_NOTE, -EINVAL, "kind 1 is not 'io'"},
        {0xf00 + 32 + 31, 1, 5, -EINVAL, "row 1 of its kinds"},
        {0x2000 + 48 * 99 + 40, 2, TRACE_KIND_COUNT, -EINVAL, "event 100 has the unknown kind"},
        {0x2000 + 48 * 50 + 42, 1, 6, -EINVAL, "event 51 goes from actor 6"},
        {0x2000 + 48 * 50 + 43, 1, 255, -EINVAL, "to actor 255"},
    };
    struct tape tape;
    char message[512], text[64];

    tape_start(&tape);
    for (unsigned i = 0; i < 100; i++)
        tape_put(&tape, TRACE_IO, 1, 2, 1);
    tape_close(&tape);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int rc = open_damaged(&tape, cases[i].offset, &cases[i].value, cases[i].size, message);
        CU_ASSERT_EQUAL(rc, cases[i].rc);
        if (rc != cases[i].rc || (cases[i].says && !strstr(message, cases[i].says)))
            printf("\n  case %zu: %d %s\n", i, rc, message);
        if (cases[i].says) {
            CU_ASSERT_PTR_NOT_NULL(strstr(message, cases[i].says));
            CU_ASSERT_PTR_NOT_NULL(strstr(message, tape.path));
        }
    }
    memset(text, 'A', sizeof(text));
    CU_ASSERT_EQUAL(open_damaged(&tape, 0x80, text, 32, message), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "'engine' of its header has no end"));
    CU_ASSERT_EQUAL(open_damaged(&tape, 0x700, text, 31, message), -EINVAL);
    CU_ASSERT_EQUAL(open_damaged(&tape, 0xf00, text, 31, message), -EINVAL);
    tape_remove(&tape);
}

/* Any one byte of the header wrong, and every length: never a crash, always a sentence. */
static void
test_damaged_anywhere(void)
{
    struct tape tape;
    struct trace trace;
    char message[512];
    unsigned silent = 0;

    tape_start(&tape);
    for (unsigned i = 0; i < 3; i++)
        tape_put(&tape, TRACE_IO, 1, 2, 1);
    tape_close(&tape);
    for (size_t offset = 0; offset < 0x2000 + 48; offset++) {
        static const uint8_t values[] = {0x00, 0xff, 0x80};
        for (unsigned v = 0; v < sizeof(values); v++) {
            message[0] = 0;
            silent += open_damaged(&tape, offset, &values[v], 1, message) && !message[0];
        }
    }
    CU_ASSERT_EQUAL(silent, 0);
    for (off_t length = 0x2000 + 48 * 3 - 1; length >= 0; length -= length > 40 ? 37 : 1) {
        message[0] = 0;
        CU_ASSERT_EQUAL(truncate(tape.path, length), 0);
        CU_ASSERT_EQUAL(trace_open(&trace, tape.path, message, sizeof(message)), -EINVAL);
        CU_ASSERT_NOT_EQUAL(message[0], 0);
    }
    CU_ASSERT_EQUAL(trace_open(&trace, "/nonexistent/x", message, sizeof(message)), -ENOENT);
    CU_ASSERT_EQUAL(trace_open(&trace, "/dev/zero", message, sizeof(message)), -EINVAL);
    CU_ASSERT_EQUAL(trace_open(&trace, "/", message, sizeof(message)), -EINVAL);
    tape_remove(&tape);
}

/* A newer minor version adds kinds at the end and names them in the file: they keep their class,
 * so that exits have the same numbers in both versions. */
static void
test_newer_minor(void)
{
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_put(&tape, TRACE_IO, 1, 2, 1);
    tape_put(&tape, (enum trace_kind)TRACE_KIND_COUNT, 1, 2, 1);
    tape_close(&tape);
    tape_renew(&tape);
    tape_read(&tape, &trace);
    CU_ASSERT_EQUAL(trace.exits, 2);
    CU_ASSERT_STRING_EQUAL(trace.kind[TRACE_KIND_COUNT].name, "teleport");
    CU_ASSERT_PTR_NOT_NULL(trace.kind[TRACE_KIND_COUNT].text);
    trace_close(&trace);
    tape_remove(&tape);
}

/* What a terminal obeys does not leave the reader; other letters do. */
static void
test_hostile_text(void)
{
    const struct trace_about about = {.engine = "\x1b[2J\x9b",
                                      .strategy = "\xc2\x9bx\x7f",
                                      .guest = "K\xc3\xa4se \xe2\x82\xac \xff\xc3.",
                                      .command = "a\nb"};
    struct recorder *recorder;
    struct trace trace;
    struct tape tape;
    char message[512];

    tape_start(&tape);
    tape_close(&tape);
    CU_ASSERT_EQUAL_FATAL(recorder_open(&recorder, tape.path, &about, message, 512), 0);
    recorder_actor(recorder, "\x1b]0;title\a", TRACE_DEVICE);
    recorder_close(recorder);
    tape_read(&tape, &trace);
    CU_ASSERT_STRING_EQUAL(trace.engine, "?[2J?");
    CU_ASSERT_STRING_EQUAL(trace.strategy, "??x?");
    CU_ASSERT_STRING_EQUAL(trace.guest, "K\xc3\xa4se \xe2\x82\xac ??.");
    CU_ASSERT_STRING_EQUAL(trace.command, "a?b");
    CU_ASSERT_STRING_EQUAL(trace.actor[TRACE_ACTOR_FIRST_FREE].name, "?]0;title?");
    trace_close(&trace);
    tape_remove(&tape);
}

/* 20 ms between hold and go on are in no event's time; the clock goes before, and after. */
static void
test_hold(void)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    uint64_t time[4];
    struct tape tape;

    tape_start(&tape);
    time[0] = recorder_begin(tape.recorder)->time;
    recorder_hold(tape.recorder);
    recorder_hold(tape.recorder);
    time[1] = recorder_begin(tape.recorder)->time;
    nanosleep(&pause, NULL);
    CU_ASSERT_EQUAL(recorder_begin(tape.recorder)->time, time[1]);
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    recorder_go_on(tape.recorder);
    recorder_go_on(tape.recorder);
    time[2] = recorder_begin(tape.recorder)->time;
    nanosleep(&pause, NULL);
    time[3] = recorder_begin(tape.recorder)->time;
    clock_gettime(CLOCK_MONOTONIC, &after);
    uint64_t passed = (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000u +
                      (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
    CU_ASSERT(time[0] <= time[1] && time[1] <= time[2]);
    CU_ASSERT(time[3] - time[2] >= 20000000);
    CU_ASSERT(time[3] - time[1] <= passed);
    CU_ASSERT_EQUAL(recorder_close(tape.recorder), 0);
    tape_remove(&tape);
}

static const struct unit_test tests[] = {
    {"the clock can be held", test_hold},
    {"what is written is read", test_round_trip},
    {"the table of actors can be full", test_actors_full},
    {"exits are numbered from 1", test_exit_numbers},
    {"a killed recorder leaves what it committed", test_sigkill},
    {"a full disk is counted as lost events", test_full_disk},
    {"files that cannot be recorded to", test_open_refused},
    {"each damaged field has its sentence", test_damaged_fields},
    {"any damaged byte or length is survived", test_damaged_anywhere},
    {"a newer minor version is read", test_newer_minor},
    {"control characters in texts are masked", test_hostile_text},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_record = {"tracer-record", tests};
