/*
 * tracer_tape.c - see tracer_tape.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/random.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/ctf.h"
#include "tracer/diff.h"
#include "tracer/format.h"

#define USER   TRACE_ACTOR_GUEST_USER
#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

void
tape_start(struct tape *tape)
{
    static const struct trace_about about = {
        .engine = "soft",
        .strategy = "hardware",
        .guest = "build/guests/minios",
        .build_id = "0123abcd",
        .command = "hv run --trace boot.hvt build/guests/minios",
    };
    char message[256];

    memset(tape, 0, sizeof(*tape));
    snprintf(tape->path, sizeof(tape->path), "/tmp/hv-tape-XXXXXX");
    int fd = mkstemp(tape->path);
    if (fd < 0 || close(fd) ||
        recorder_open(&tape->recorder, tape->path, &about, message, sizeof(message))) {
        fprintf(stderr, "cannot make a test recording: %s\n", message);
        exit(2);
    }
}

struct trace_event *
tape_put(struct tape *tape, enum trace_kind kind, unsigned from, unsigned to, uint64_t ns)
{
    struct trace_event *event = recorder_begin(tape->recorder);

    event->kind = (uint16_t)kind;
    event->from = (uint8_t)from;
    event->to = (uint8_t)to;
    event->time = tape->now;
    tape->now += ns;
    recorder_commit(tape->recorder);
    return event;
}

struct trace_event *
tape_put_random(struct tape *tape, uint64_t *state)
{
    struct trace_event *event = tape_put(tape, TRACE_NONE, 0, 0, 1);

    for (uint8_t *byte = (uint8_t *)event; byte < (uint8_t *)(event + 1); byte++)
        *byte = random_below(state, 2) ? (uint8_t)random_below(state, 256) : 0;
    event->kind %= TRACE_KIND_COUNT;
    event->from %= TRACE_ACTOR_FIRST_FREE;
    event->to %= TRACE_ACTOR_FIRST_FREE;
    return event;
}

void
tape_close(struct tape *tape)
{
    CU_ASSERT_EQUAL(recorder_close(tape->recorder), 0);
    tape->recorder = NULL;
}

void
tape_read(struct tape *tape, struct trace *trace)
{
    char message[512] = "";

    if (tape->recorder)
        tape_close(tape);
    CU_ASSERT_EQUAL_FATAL(trace_open(trace, tape->path, message, sizeof(message)), 0);
}

void
tape_remove(struct tape *tape)
{
    unlink(tape->path);
}

void
tape_renew(const struct tape *tape)
{
    const struct trace_file_name row = {"teleport", TRACE_CLASS_EXIT};
    const uint16_t minor = TRACE_MINOR + 1;
    const uint32_t kinds = TRACE_KIND_COUNT + 1;
    int fd = open(tape->path, O_RDWR);

    CU_ASSERT_EQUAL(pwrite(fd, &minor, 2, 0x0a), 2);
    CU_ASSERT_EQUAL(pwrite(fd, &kinds, 4, 0x18), 4);
    CU_ASSERT_EQUAL(pwrite(fd, &row, sizeof(row), 0xf00 + 32 * TRACE_KIND_COUNT), 32);
    close(fd);
}

/* One port access: exit, the device is asked and answers, entry. */
static void
port_access(struct tape *tape, unsigned device, uint16_t port, uint8_t value, bool write,
            uint64_t rip)
{
    struct trace_event *e = tape_put(tape, TRACE_IO, KERNEL, VMM, 180);
    e->address = port, e->value = write ? value : 0, e->size = 1, e->rip = rip;
    e->flags = write ? TRACE_WRITE : 0;
    e = tape_put(tape, TRACE_CALL, VMM, device, 240);
    e->address = port, e->value = value, e->size = 1, e->flags = write ? TRACE_WRITE : 0;
    e = tape_put(tape, TRACE_RETURN, device, VMM, 90);
    e->address = port, e->value = value, e->size = 1, e->flags = write ? TRACE_WRITE : 0;
    tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 700)->rip = rip + 1;
}

static void
print_line(struct tape *tape, unsigned uart, const char *text)
{
    for (; *text; text++) {
        port_access(tape, uart, 0x3fd, 0x60, false, 0x101200);
        port_access(tape, uart, 0x3f8, (uint8_t)*text, true, 0x101208);
    }
}

/* The timer fires while the guest sleeps: the exit, the line, the vector, the handler. */
static void
timer_tick(struct tape *tape, unsigned pit, unsigned pic, bool sleeping)
{
    if (sleeping)
        tape_put(tape, TRACE_HLT, KERNEL, VMM, 900000)->rip = 0x101400;
    else
        tape_put(tape, TRACE_KICK, USER, VMM, 300)->rip = 0x400080;
    tape_put(tape, TRACE_IRQ, pit, pic, 0)->value = 1;
    tape_put(tape, TRACE_CALL, VMM, pic, 150);
    tape_put(tape, TRACE_RETURN, pic, VMM, 60);
    tape_put(tape, TRACE_INJECT, VMM, KERNEL, 400)->address = 0x20;
    tape_put(tape, TRACE_INTERRUPT, sleeping ? KERNEL : USER, KERNEL, 900)->address = 0x20;
    port_access(tape, pic, 0x20, 0x20, true, 0x101500);
    tape_put(tape, TRACE_IRET, KERNEL, sleeping ? KERNEL : USER, 500);
}

void
tape_boot(struct tape *tape, unsigned lines)
{
    unsigned uart = recorder_actor(tape->recorder, "uart16550", TRACE_DEVICE);
    unsigned pic = recorder_actor(tape->recorder, "pic8259", TRACE_DEVICE);
    unsigned pit = recorder_actor(tape->recorder, "pit8254", TRACE_DEVICE);
    unsigned off = recorder_actor(tape->recorder, "debugexit", TRACE_DEVICE);

    tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 52000)->rip = 0x100000;
    for (unsigned leaf = 0; leaf < 3; leaf++) {
        tape_put(tape, TRACE_CPUID, KERNEL, VMM, 400)->address = leaf;
        tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 300);
    }
    struct trace_event *e = tape_put(tape, TRACE_MSR, KERNEL, VMM, 500);
    e->address = 0xc0000080, e->value = 0x500, e->flags = TRACE_WRITE, e->rip = 0x100120;
    tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 400);
    for (unsigned i = 0; i < 10; i++)
        port_access(tape, pic, i & 1 ? 0xa1 : 0x21, 0x11, true, 0x101000 + i * 8);
    port_access(tape, pit, 0x43, 0x34, true, 0x101100);
    port_access(tape, pit, 0x40, 0xa9, true, 0x101108);
    port_access(tape, pit, 0x40, 0x04, true, 0x101110);
    for (unsigned i = 0; i < lines; i++) {
        tape_put(tape, TRACE_SYSRET, KERNEL, USER, 2600)->rip = 0x101700;
        if (i % 4 == 0)
            timer_tick(tape, pit, pic, false);
        e = tape_put(tape, TRACE_SYSCALL, USER, KERNEL, 300);
        e->address = 1, e->value = 1, e->rip = 0x400100;
        if (i % 8 == 1) {
            e = tape_put(tape, TRACE_GUEST_FAULT, USER, KERNEL, 1200);
            e->address = 14, e->value = 0x403000, e->extra = 6, e->rip = 0x400120;
            tape_put(tape, TRACE_IRET, KERNEL, USER, 400);
        }
        print_line(tape, uart, "hello, world\n");
        if (i % 5 == 0)
            timer_tick(tape, pit, pic, true);
    }
    tape_put(tape, TRACE_HYPERCALL, KERNEL, VMM, 600)->address = 1;
    tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 400);
    e = tape_put(tape, TRACE_IO, KERNEL, VMM, 150);
    e->address = 0xf4, e->size = 1, e->flags = TRACE_WRITE, e->rip = 0x101900;
    tape_put(tape, TRACE_CALL, VMM, off, 100);
    tape_put(tape, TRACE_RETURN, off, VMM, 100);
    e = tape_put(tape, TRACE_END, VMM, VMM, 0);
    e->address = TRACE_IO, e->value = 1;
}

void
tape_small(struct tape *tape)
{
    tape_start(tape);
    unsigned uart = recorder_actor(tape->recorder, "uart", TRACE_DEVICE);
    tape_put(tape, TRACE_ENTRY, VMM, KERNEL, 1000)->rip = 0x1000;
    struct trace_event *e = tape_put(tape, TRACE_IO, KERNEL, VMM, 100);
    e->address = 0x3f8, e->value = 'H', e->size = 1, e->flags = TRACE_WRITE, e->rip = 0x1004;
    e = tape_put(tape, TRACE_CALL, VMM, uart, 200);
    e->address = 0x3f8, e->value = 'H', e->size = 1, e->flags = TRACE_WRITE;
    tape_put(tape, TRACE_RETURN, uart, VMM, 50)->address = 0x3f8;
    tape_put(tape, TRACE_ENTRY, VMM, USER, 2000);
    tape_put(tape, TRACE_IRQ, uart, VMM, 0)->value = 1;
    tape_put(tape, TRACE_HLT, KERNEL, VMM, 5000)->rip = 0x1005;
    tape_put(tape, TRACE_INJECT, VMM, KERNEL, 500)->address = 0x20;
    tape_put(tape, TRACE_END, VMM, VMM, 0)->address = TRACE_HLT;
}

char *
tape_show(const struct view_ops *ops, const struct trace *trace, struct view_options options)
{
    char *text = NULL, message[512] = "";
    size_t size;

    options.out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(view_run(ops, trace, &options, message, sizeof(message)), 0);
    fclose(options.out);
    return text;
}

/* A name for every other address, with letters that pictures must escape or mask. */
static void
odd_name(void *context, uint64_t rip, char *text, size_t size)
{
    (void)context;
    snprintf(text, size, rip & 1 ? "%d<&\"\\\x1b\xc3%s" : "", (int)(rip % 40), "+0x1 (a:1)");
}

/* The recording compared with itself: everything is the same. */
static void
show_diff(const struct trace *trace, const struct view_options *options)
{
    static struct diff diff;
    const struct trace *both[2] = {trace, trace};
    const char *const names[2] = {"a<\"b\\", "b"};
    struct diff_picture picture = {&diff, NULL};

    CU_ASSERT_EQUAL(diff_make(&diff, both, names, options), 0);
    for (uint32_t i = 0; i < diff.edges; i++)
        CU_ASSERT_EQUAL(diff_change_of(&diff, &diff.edge[i]), DIFF_SAME);
    diff_table(&diff, options->out);
    diff_reduce(&diff);
    CU_ASSERT_TRUE(diff.edges <= DIFF_EDGES);
    diff_picture_print(&picture, options->out);
    diff_free(&diff);
}

void
tape_show_all(const struct trace *trace, struct view_options options, unsigned choice)
{
    bool only[TRACE_KIND_MAX] = {[TRACE_IO] = true, [TRACE_CALL] = true}, svg = false;
    char message[512];

    options.by = choice % 4;
    options.time_axis = choice & 4;
    options.resolve = choice & 8 ? odd_name : NULL;
    options.only = choice & 16 ? only : NULL;
    options.svg = choice & 32 ? &svg : NULL;
    options.no_times = choice & 64;
    options.from = choice % 3 ? 1 + choice % 7 : 0;
    options.limit = choice % 5;
    if (options.from > trace->exits)
        options.from = 0;
    for (unsigned i = 0; views[i]; i++)
        CU_ASSERT_EQUAL(view_run(views[i], trace, &options, message, sizeof(message)), 0);
    CU_ASSERT_EQUAL(view_run(&view_ctf, trace, &options, message, sizeof(message)), 0);
    CU_ASSERT_EQUAL(ctf_print_metadata(trace, options.out), 0);
    show_diff(trace, &options);
}

unsigned
tape_occurrences(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, word)) != NULL; p += strlen(word))
        n++;
    return n;
}
