/*
 * tracer_stats.c - tests of tracer/span.c and stats.c against numbers worked out by hand.
 */
#include <stdlib.h>

#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"
#include "tracer/place.h"
#include "tracer/stats.h"

#define USER   TRACE_ACTOR_GUEST_USER
#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER
#define HOST   TRACE_ACTOR_HOST_KERNEL

/* Opens the tape and feeds all of it. */
static void
count(struct tape *tape, struct trace *trace, struct stats *stats)
{
    tape_read(tape, trace);
    stats_init(stats, trace);
    for (uint64_t i = 0; i < trace->count; i++)
        CU_ASSERT_EQUAL(stats_event(stats, &trace->events[i]), 0);
    CU_ASSERT_EQUAL(stats_finish(stats), 0);
}

static void
done(struct tape *tape, struct trace *trace, struct stats *stats)
{
    stats_free(stats);
    trace_close(trace);
    tape_remove(tape);
}

static void
test_by_hand(void)
{
    static struct stats s;
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    uint8_t uart = recorder_actor(tape.recorder, "uart", TRACE_DEVICE);
    tape.now = 1000;
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 100); /* guest 100 */
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 10)->address = 0x3f8;
    tape_put(&tape, TRACE_CALL, VMM, uart, 20)->address = 0x3f8;
    tape_put(&tape, TRACE_RETURN, uart, VMM, 5);
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 200); /* io 35, guest 200 */
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 45)->address = 0x3f8;
    tape_put(&tape, TRACE_ENTRY, VMM, USER, 60); /* io 45, guest 60 + 40 */
    tape_put(&tape, TRACE_SYSCALL, USER, KERNEL, 40);
    tape_put(&tape, TRACE_HLT, KERNEL, VMM, 500);
    tape_put(&tape, TRACE_IRQ, uart, uart, 0);      /* a note: no transfer */
    tape_put(&tape, TRACE_INJECT, VMM, KERNEL, 30); /* the entry has two records: */
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 300); /* hlt 530, guest 300 */
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 70)->address = 0xf4;
    tape_put(&tape, TRACE_END, VMM, VMM, 0); /* io without an entry: no duration */
    count(&tape, &trace, &s);

    CU_ASSERT_EQUAL(s.exits, 4);
    CU_ASSERT_EQUAL(s.events, 14);
    CU_ASSERT_EQUAL(s.count[TRACE_IO], 3);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].count, 2);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].sum, 35 + 45);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].min, 35);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].max, 45);
    CU_ASSERT_EQUAL(s.work[TRACE_IO].sum,
                    10 + 20 + 45); /* nobody was asked: no way back is known */
    CU_ASSERT_EQUAL(s.reentry[TRACE_IO].sum, 5);
    CU_ASSERT_EQUAL(s.reentry[TRACE_HLT].sum, 30); /* from the injection to the entry */
    CU_ASSERT_EQUAL(s.work[TRACE_HLT].sum, 500);
    CU_ASSERT_EQUAL(s.asked[TRACE_IO][uart], 1);
    CU_ASSERT_EQUAL(s.guest[TRACE_IO].sum, 100 + 200 + 300);
    CU_ASSERT_EQUAL(s.handler[TRACE_HLT].sum, 530);
    CU_ASSERT_EQUAL(s.guest[TRACE_HLT].sum, 100);
    CU_ASSERT_EQUAL(s.guest_ns, 700);
    CU_ASSERT_EQUAL(s.vmm_ns, 80);
    CU_ASSERT_EQUAL(s.waiting_ns, 530);
    CU_ASSERT_EQUAL(s.total_ns, 1380); /* the end minus the beginning */
    CU_ASSERT_EQUAL(s.stay[uart], 20);
    CU_ASSERT_EQUAL(s.stay[USER], 60);
    CU_ASSERT_EQUAL(s.stay[KERNEL], 100 + 200 + 40 + 30 + 300);
    CU_ASSERT_EQUAL(s.stay[VMM], 10 + 5 + 45 + 500 + 70);
    done(&tape, &trace, &s);
}

/* Who handled a reason: the strategy or the exit table, and the parts that were asked most. */
static void
test_handlers(void)
{
    static struct stats s;
    char text[128], small[12];
    uint8_t device[5];
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    for (unsigned i = 0; i < 5; i++) {
        char name[2] = {(char)('a' + i), 0};
        device[i] = recorder_actor(tape.recorder, name, TRACE_DEVICE);
        for (unsigned n = 0; n <= i; n++) {
            tape_put(&tape, TRACE_IO, KERNEL, VMM, 1);
            tape_put(&tape, TRACE_CALL, VMM, device[i], 1);
            tape_put(&tape, TRACE_RETURN, device[i], VMM, 1);
            tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 1)->flags = i ? TRACE_HANDLED : 0;
        }
    }
    tape_put(&tape, TRACE_CR, KERNEL, VMM, 1);
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 1)->flags = TRACE_HANDLED;
    count(&tape, &trace, &s);
    CU_ASSERT_STRING_EQUAL(stats_handlers(&s, TRACE_IO, text, sizeof(text)),
                           "strategy, exit table: e, d, c, 2 more");
    CU_ASSERT_STRING_EQUAL(stats_handlers(&s, TRACE_CR, text, sizeof(text)), "the strategy");
    CU_ASSERT_STRING_EQUAL(stats_handlers(&s, TRACE_HLT, text, sizeof(text)), "the exit table");
    CU_ASSERT_STRING_EQUAL(stats_handlers(&s, TRACE_IO, small, sizeof(small)), "strategy, e");
    done(&tape, &trace, &s);
}

/* The last exit's entry is there, but nothing after it: its time counts all the same. */
static void
test_cut_short(void)
{
    static struct stats s;
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 35);
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 100);
    count(&tape, &trace, &s);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].count, 1);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].sum, 35);
    CU_ASSERT_EQUAL(s.guest_ns, 0);
    done(&tape, &trace, &s);
}

/* Two vcpus whose events lie between each other: each has its own durations. */
static void
test_two_vcpus(void)
{
    static struct stats s;
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 10);              /* vcpu 0 at 0 */
    tape_put(&tape, TRACE_MSR, KERNEL, VMM, 10)->vcpu = 7;   /* vcpu 7 at 10 */
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 10)->vcpu = 7; /* at 20 */
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 10);           /* vcpu 0 at 30 */
    count(&tape, &trace, &s);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].sum, 30);
    CU_ASSERT_EQUAL(s.handler[TRACE_MSR].sum, 10);
    done(&tape, &trace, &s);
}

/* A damaged clock that goes backwards gives zeroes, not ages. */
static void
test_clock_backwards(void)
{
    static struct stats s;
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    tape.now = 1000;
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 0);
    tape.now = 10;
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 0);
    count(&tape, &trace, &s);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].count, 1);
    CU_ASSERT_EQUAL(s.handler[TRACE_IO].max, 0);
    CU_ASSERT_EQUAL(s.total_ns, 0);
    done(&tape, &trace, &s);
}

/* Nearest rank: the smallest value that at least p percent of them do not exceed. */
static void
test_percentiles(void)
{
    static struct stats s;
    struct stats_series empty = {0};
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    for (unsigned i = 0; i < 1000; i++) { /* 1 to 1000 in another order: 389 and 1009 are prime */
        unsigned ns = i * 389 % 1009;
        tape_put(&tape, TRACE_MSR, KERNEL, VMM, ns ? ns : 389 * 1000 % 1009);
        tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 7);
    }
    count(&tape, &trace, &s);
    uint64_t *sorted = malloc(1000 * sizeof(*sorted));
    bool seen[1009] = {false};
    for (unsigned i = 0; i < 1000; i++)
        seen[s.handler[TRACE_MSR].values[i]] = true;
    for (unsigned ns = 0, n = 0; ns < 1009; ns++)
        if (seen[ns])
            sorted[n++] = ns;
    for (unsigned p = 1; p <= 100; p++)
        CU_ASSERT_EQUAL(stats_percentile(&s.handler[TRACE_MSR], p), sorted[p * 10 - 1]);
    free(sorted);
    CU_ASSERT_EQUAL(stats_percentile(&s.guest[TRACE_MSR], 50), 7);
    CU_ASSERT_EQUAL(stats_percentile(&empty, 99), 0);
    done(&tape, &trace, &s);
}

static void
test_small_percentiles(void)
{
    uint64_t values[] = {40, 10, 30, 20};
    struct stats_series s = {.count = 4, .values = values};

    CU_ASSERT_EQUAL(stats_percentile(&s, 50), 20);
    CU_ASSERT_EQUAL(stats_percentile(&s, 51), 30);
    CU_ASSERT_EQUAL(stats_percentile(&s, 99), 40);
    CU_ASSERT_EQUAL(stats_percentile(&s, 1), 10);
    CU_ASSERT_EQUAL(stats_percentile(&s, 25), 10);
    s.count = 1;
    CU_ASSERT_EQUAL(stats_percentile(&s, 99), values[0]);
}

static void
test_places(void)
{
    static struct stats s;
    struct stats_place *top;
    struct tape tape;
    struct trace trace;

    tape_start(&tape);
    uint8_t uart = recorder_actor(tape.recorder, "uart", TRACE_DEVICE);
    for (unsigned i = 0; i < 300; i++) { /* many addresses: the table has to grow */
        for (unsigned repeat = 0; repeat <= i / 100; repeat++) {
            struct trace_event *e = tape_put(&tape, TRACE_MMIO, KERNEL, VMM, 10);
            e->address = 0xfee00000 + i * 0x1000, e->rip = 0x1000;
            e->flags = repeat ? TRACE_WRITE : 0;
            if (i == 200)
                tape_put(&tape, TRACE_CALL, VMM, uart, 0)->address = e->address;
            tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 1);
        }
    }
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1)->address = 0xfee00000;
    count(&tape, &trace, &s);
    CU_ASSERT_EQUAL(s.addresses.used, 301); /* a port and an address are not the same */
    CU_ASSERT_EQUAL(s.rips.used, 2);
    CU_ASSERT_EQUAL_FATAL(stats_top(&s.addresses, 3, &top), 3);
    CU_ASSERT_EQUAL(top[0].address, 0xfee00000 + 200 * 0x1000);
    CU_ASSERT_EQUAL(top[0].count, 3);
    CU_ASSERT_EQUAL(top[0].writes, 2);
    CU_ASSERT_EQUAL(top[0].ns, 30);
    CU_ASSERT_EQUAL(top[0].asked, uart);
    CU_ASSERT_EQUAL(top[1].address, 0xfee00000 + 201 * 0x1000);
    CU_ASSERT_EQUAL(top[1].asked, TRACE_ACTOR_DISPATCHER);
    free(top);
    CU_ASSERT_EQUAL_FATAL(stats_top(&s.rips, 10, &top), 2);
    CU_ASSERT_EQUAL(top[0].address, 0x1000);
    CU_ASSERT_EQUAL(top[0].count, 600);
    CU_ASSERT_EQUAL(top[0].ns, 6000);
    free(top);
    done(&tape, &trace, &s);
}

/* A process of the host: in a system call its kernel has control, not the VMM; the fork in the course of
 * one is the VMM's until its entry, which goes back to that kernel. */
static void
test_host_kernel(void)
{
    static struct stats s;
    struct tape tape;
    struct trace trace;
    struct stats_place *top;
    struct places places;
    char text[64];

    tape_start(&tape);
    tape_put(&tape, TRACE_ENTRY, VMM, USER, 100); /* guest 100 */
    tape_put(&tape, TRACE_HOST_CALL, USER, HOST, 30)->address = 39;
    tape_put(&tape, TRACE_HOST_RETURN, HOST, USER, 200); /* host 30, guest 200 */
    tape_put(&tape, TRACE_HOST_CALL, USER, HOST, 40)->address = 57;
    tape_put(&tape, TRACE_FORK, HOST, VMM, 5);
    tape_put(&tape, TRACE_ENTRY, VMM, HOST, 60);
    tape_put(&tape, TRACE_HOST_RETURN, HOST, USER, 300); /* host 40 + 60, VMM 5, guest 300 */
    tape_put(&tape, TRACE_SIGNAL, USER, VMM, 7);
    tape_put(&tape, TRACE_ENTRY, VMM, USER, 400); /* VMM 7, guest 400 */
    struct trace_event *foreign = tape_put(&tape, TRACE_HOST_CALL, USER, HOST, 50);
    foreign->address = 1, foreign->flags = TRACE_FOREIGN;
    tape_put(&tape, TRACE_FORK, HOST, VMM, 3);
    tape_put(&tape, TRACE_ENTRY, VMM, HOST, 20);
    tape_put(&tape, TRACE_PROCESS_END, HOST, VMM, 9); /* host 50 + 20, VMM 3 */
    tape_put(&tape, TRACE_END, VMM, VMM, 0);
    count(&tape, &trace, &s);

    CU_ASSERT_EQUAL(s.guest_ns, 100 + 200 + 300 + 400);
    CU_ASSERT_EQUAL(s.host_ns, 30 + 40 + 60 + 50 + 20);
    CU_ASSERT_EQUAL(s.vmm_ns, 5 + 7 + 3);
    CU_ASSERT_EQUAL(s.handler[TRACE_HOST_CALL].sum, 30 + 40 + 50);
    CU_ASSERT_EQUAL(s.host[TRACE_HOST_CALL].sum, 30 + 40 + 50);
    CU_ASSERT_EQUAL(s.work[TRACE_HOST_CALL].sum, 0);
    CU_ASSERT_EQUAL(s.handler[TRACE_FORK].sum, 5 + 60 + 3 + 20);
    CU_ASSERT_EQUAL(s.host[TRACE_FORK].sum, 60 + 20);
    CU_ASSERT_EQUAL(s.work[TRACE_FORK].sum, 5 + 3);
    CU_ASSERT_EQUAL(s.reentry[TRACE_FORK].sum, 0);
    CU_ASSERT_EQUAL(s.work[TRACE_SIGNAL].sum, 7);
    CU_ASSERT_STRING_EQUAL(stats_handlers(&s, TRACE_HOST_CALL, text, sizeof(text)),
                           "the host's kernel");
    CU_ASSERT_STRING_EQUAL(stats_handlers(&s, TRACE_FORK, text, sizeof(text)), "the exit table");
    CU_ASSERT_EQUAL_FATAL(stats_top(&s.addresses, 3, &top), 3);
    CU_ASSERT_PTR_NULL(stats_place_name(&top[1], NULL)); /* 1 is write only in the native table */
    CU_ASSERT_STRING_EQUAL(stats_place_name(&top[2], NULL), "getpid");
    free(top);
    places_init(&places, &trace, &(struct view_options){.by = VIEW_BY_REASON});
    CU_ASSERT_NOT_EQUAL(places_of(&places, &trace.events[1]), 0);
    CU_ASSERT_EQUAL(trace.events[9].flags, TRACE_FOREIGN);
    CU_ASSERT_EQUAL(places_of(&places, &trace.events[9]), 0);
    places_free(&places);
    done(&tape, &trace, &s);
}

static const struct unit_test tests[] = {
    {"durations worked out by hand", test_by_hand},
    {"who handled them", test_handlers},
    {"the last exit of a recording cut short", test_cut_short},
    {"each vcpu by itself", test_two_vcpus},
    {"a clock that goes backwards", test_clock_backwards},
    {"percentiles of many", test_percentiles},
    {"percentiles of few", test_small_percentiles},
    {"places: addresses and instructions", test_places},
    {"the time of the host's kernel is not the VMM's", test_host_kernel},
    {NULL, NULL},
};
const struct unit_suite suite_tracer_stats = {"tracer-stats", tests};
