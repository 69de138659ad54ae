/*
 * debugger_back.c - tests of going back: whatever way leads to a moment, the machine is the same there.
 *
 * minios runs straight through once, and machine_hash() is noted at random moments; then another
 * machine jumps between them, both ways. Timer interrupts, waits in HLT, input, all strategies.
 *
 * Long because: one rig, one property, every way to a moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/history.h"
#include "tests/random.h"
#include "tests/unit/debugger_rig.h"
#include "tests/unit/suites.h"

static const struct subject subjects[] = {
    {"build/guests/minios", "hardware", "hz=1000 tasks=preempt", NULL, 0},
    {"build/guests/minios", "trap", "hz=1000 tasks=preempt", NULL, 0},
    {"build/guests/minios-pv", "paravirt", "hz=1000 tasks=preempt", NULL, 0},
    {"build/guests/minios", "hardware", "", "echo ab\rnap\rexit\r", 700},
    {"build/guests/minios-pv", "paravirt", "", "echo ab\rnap\rexit\r", 40},
};

/* --- the property ------------------------------------------------------------------------------------ */

struct point {
    struct moment at;
    uint64_t hash;
};

static uint64_t seed;

static int
by_moment(const void *a, const void *b)
{
    return moment_compare(&((const struct point *)a)->at, &((const struct point *)b)->at);
}

static int
by_count(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;

    return x->icount < y->icount ? -1 : x->icount > y->icount;
}

/* Random edges and random instructions of a run, in order, with what the machine was there. */
static void
straight(const struct subject *subject, struct point *points, unsigned count, uint64_t *exits)
{
    static struct rig rig;
    struct moment *counts = calloc(count, sizeof(*counts));

    CU_ASSERT_PTR_NOT_NULL_FATAL(counts);
    rig_open(&rig, subject);
    rig_type(&rig, subject);
    rig_run_to_end(&rig);
    struct moment end = rig.machine.now;
    *exits = end.exits;
    rig_close(&rig);

    rig_open(&rig, subject);
    rig_type(&rig, subject);
    struct moment start = rig.machine.now;
    for (unsigned i = 0; i < count; i++) {
        counts[i].icount = start.icount + start.waits + 1 +
                           random_below(&seed,
                                        end.icount + end.waits - start.icount - start.waits - 3);
        points[i].at = (struct moment){.exits = start.exits + 1 +
                                                random_below(&seed, end.exits - start.exits - 2),
                                       .edge = random_below(&seed, 2) ? EDGE_IN : EDGE_OUT};
    }
    /* First those by number of instructions, on a run of their own: where they lie among the exits
     * shows on the way. */
    qsort(counts, count, sizeof(*counts), by_count);
    for (unsigned i = 0; i < count / 2; i++) {
        struct stop stop;
        CU_ASSERT_EQUAL_FATAL(rig.machine.ops->seek(&rig.machine, &counts[2 * i], &stop, &rig.err),
                              0);
        points[i].at = rig.machine.now;
    }
    rig_close(&rig);

    qsort(points, count, sizeof(*points), by_moment);
    rig_open(&rig, subject);
    rig_type(&rig, subject);
    for (unsigned i = 0; i < count; i++) {
        rig_seek(&rig, &points[i].at);
        points[i].at = rig.machine.now;
        points[i].hash = machine_hash(&rig.machine);
    }
    rig_close(&rig);
    free(counts);
}

static bool
same_events(const char *a, const char *b)
{
    struct trace x, y;
    char message[512];
    bool same;

    CU_ASSERT_EQUAL_FATAL(trace_open(&x, a, message, sizeof(message)), 0);
    CU_ASSERT_EQUAL_FATAL(trace_open(&y, b, message, sizeof(message)), 0);
    same = x.count == y.count && x.lost == y.lost;
    for (uint64_t i = 0; same && i < x.count; i++) {
        struct trace_event e = x.events[i], f = y.events[i];
        e.time = f.time = 0;
        same = !memcmp(&e, &f, sizeof(e));
        if (!same)
            printf("\n event %llu differs: %s and %s", (unsigned long long)i, x.kind[e.kind].name,
                   y.kind[f.kind].name);
    }
    trace_close(&x);
    trace_close(&y);
    return same;
}

static void
check_subject(const struct subject *subject, unsigned count)
{
    static struct rig rig, plain;
    struct point *points = calloc(count, sizeof(*points));
    uint64_t exits, wrong = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(points);
    seed = 88172645463325252;
    straight(subject, points, count, &exits);
    rig_open(&rig, subject);
    rig_type(&rig, subject);
    for (unsigned i = 0; i < count; i++) {
        const struct point *p = &points[random_below(&seed, count)];
        rig_seek(&rig, &p->at);
        if (machine_hash(&rig.machine) != p->hash && !wrong++)
            printf("\n %s %s: exit %llu edge %d icount %llu differs", subject->strategy,
                   subject->append, (unsigned long long)p->at.exits, p->at.edge,
                   (unsigned long long)p->at.icount);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    rig_run_to_end(&rig);
    CU_ASSERT_EQUAL(rig.machine.now.exits, exits);

    /* Recording and console output are those of a run that never went back. */
    rig_open(&plain, subject);
    rig_type(&plain, subject);
    rig_run_to_end(&plain);
    CU_ASSERT_TRUE(same_events(rig.trace, plain.trace));
    CU_ASSERT_EQUAL(rig.launch.console.kept_size, plain.launch.console.kept_size);
    CU_ASSERT_FALSE(
        memcmp(rig.launch.console.kept, plain.launch.console.kept, plain.launch.console.kept_size));
    rig_close(&plain);
    rig_close(&rig);
    free(points);
}

static void
test_hardware(void)
{
    check_subject(&subjects[0], 200);
}
static void
test_trap(void)
{
    check_subject(&subjects[1], 200);
}
static void
test_paravirt(void)
{
    check_subject(&subjects[2], 200);
}
static void
test_typed(void)
{
    check_subject(&subjects[3], 200);
}
static void
test_typed_paravirt(void)
{
    check_subject(&subjects[4], 200);
}

/* --- the other direction ------------------------------------------------------------------------------ */

/* The moments of up to `max` stops, one after the other; of those at one moment the last. */
static unsigned
collect(struct rig *rig, const struct machine_goal *goal, struct moment *at, unsigned max,
        bool back)
{
    const struct machine_ops *ops = rig->machine.ops;
    struct stop stop;
    unsigned n = 0;

    for (unsigned tries = 0; n < max && tries < 4 * max; tries++) {
        int rc = back ? ops->backward(&rig->machine, goal, &stop, &rig->err)
                      : ops->forward(&rig->machine, goal, &stop, &rig->err);
        CU_ASSERT_EQUAL_FATAL(rc, 0);
        if (stop.why == STOP_END || stop.why == STOP_BEGINNING)
            break;
        CU_ASSERT(stop.why == STOP_EDGE || stop.why == STOP_POINT || stop.why == STOP_INJECT);
        if (!n || moment_compare(&at[n - 1], &rig->machine.now))
            at[n++] = rig->machine.now;
    }
    return n;
}

static void
check_both_ways(struct rig *rig, const struct machine_goal *goal, const char *what)
{
    enum { MAX = 150 };
    static struct moment there[MAX], back[MAX];
    const struct moment start = rig->machine.now;
    unsigned n = collect(rig, goal, there, MAX, false), m, wrong = 0;

    CU_ASSERT_FATAL(n > 3);
    if (!rig->machine.ended) /* it stands at the last one, not behind it */
        n--;
    m = collect(rig, goal, back, n, true);
    CU_ASSERT_EQUAL(m, n);
    for (unsigned i = 0; i < m; i++)
        if (moment_compare(&back[i], &there[n - 1 - i]) && !wrong++)
            printf("\n %s: stop %u of %u: exit %llu edge %d icount %llu, not exit %llu edge %d "
                   "icount %llu",
                   what, n - 1 - i, n, (unsigned long long)back[i].exits, back[i].edge,
                   (unsigned long long)back[i].icount, (unsigned long long)there[n - 1 - i].exits,
                   there[n - 1 - i].edge, (unsigned long long)there[n - 1 - i].icount);
    CU_ASSERT_EQUAL(wrong, 0);
    rig_seek(rig, &start);
}

static bool
every_third(void *context, struct machine *machine, const struct stop *stop)
{
    (void)context;
    (void)stop;
    return machine->now.exits % 3 == 0;
}

/* Going back stops where going forward has stopped, for every kind of stop and for all at once. */
static void
test_both_ways(void)
{
    static struct rig rig;

    for (unsigned i = 0; i < 3; i++) {
        rig_open(&rig, &subjects[i]);
        rig_seek(&rig, &(struct moment){.exits = 500, .edge = EDGE_IN});
        struct stop stop;
        struct x86_regs regs;
        const struct moment later = {.icount = rig.machine.now.icount + 12345, .waits = MOMENT_ANY};
        const struct moment start = rig.machine.now;
        CU_ASSERT_EQUAL(rig.machine.ops->seek(&rig.machine, &later, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(rig.machine.ops->get_regs(&rig.machine, &regs, &rig.err), 0);
        const struct stop_point points[] = {
            {.address = regs.rip, .kind = STOP_EXECUTE},
            {.address = regs.gpr[X86_RSP] - 64, .size = 64, .kind = STOP_WRITE},
        };
        rig_seek(&rig, &start);
        CU_ASSERT_EQUAL(rig.machine.ops->set_points(&rig.machine, points, 2, &rig.err), 0);
        check_both_ways(&rig, &(struct machine_goal){.edges = EDGE_OUT}, "out");
        check_both_ways(&rig, &(struct machine_goal){.edges = EDGE_IN}, "in");
        check_both_ways(&rig, &(struct machine_goal){.edges = EDGE_OUT | EDGE_IN}, "edges");
        check_both_ways(&rig, &(struct machine_goal){.edges = EDGE_OUT, .wanted = every_third},
                        "wanted");
        check_both_ways(&rig, &(struct machine_goal){.injects = true}, "injects");
        check_both_ways(&rig, &(struct machine_goal){.points = true}, "points");
        check_both_ways(
            &rig,
            &(struct machine_goal){.points = true, .injects = true, .edges = EDGE_OUT | EDGE_IN},
            "all");
        rig_close(&rig);
    }
}

/* n instructions back and n forward is no way at all; and the way back is one of single steps. */
static void
test_steps(void)
{
    static struct rig rig;
    struct stop stop;
    unsigned wrong = 0;

    seed = 88172645463325252;
    for (unsigned i = 0; i < 3; i++) {
        rig_open(&rig, &subjects[i]);
        const struct machine_ops *ops = rig.machine.ops;
        for (unsigned k = 0; k < 60; k++) {
            struct machine_goal goal = {.instructions = 1 + random_below(&seed, 20)};
            const struct moment to = {.icount = 1000 + random_below(&seed, 1000000)};
            CU_ASSERT_EQUAL_FATAL(ops->seek(&rig.machine, &to, &stop, &rig.err), 0);
            const struct moment from = rig.machine.now;
            uint64_t hash = machine_hash(&rig.machine);
            CU_ASSERT_EQUAL_FATAL(ops->backward(&rig.machine, &goal, &stop, &rig.err), 0);
            const struct moment there = rig.machine.now;
            wrong += moment_compare(&there, &from) >= 0;
            CU_ASSERT_EQUAL_FATAL(ops->forward(&rig.machine, &goal, &stop, &rig.err), 0);
            wrong += moment_compare(&rig.machine.now, &from) != 0 ||
                     machine_hash(&rig.machine) != hash;
            uint64_t n = goal.instructions;
            for (goal.instructions = 1; n--;)
                CU_ASSERT_EQUAL_FATAL(ops->backward(&rig.machine, &goal, &stop, &rig.err), 0);
            wrong += moment_compare(&rig.machine.now, &there) != 0;
        }
        CU_ASSERT_EQUAL(wrong, 0);
        rig_close(&rig);
    }
}

/* A triple fault counts the instruction that it ends: there is a way back from it, all the same. */
static void
test_crash(void)
{
    static const struct subject crash = {"build/guests/crash64", "hardware", "", NULL, 0};
    static struct rig rig;
    struct machine_goal goal = {0};
    struct stop stop;

    rig_open(&rig, &crash);
    const struct machine_ops *ops = rig.machine.ops;
    CU_ASSERT_EQUAL_FATAL(ops->forward(&rig.machine, &goal, &stop, &rig.err), 0);
    CU_ASSERT_EQUAL_FATAL(stop.why, STOP_END);
    CU_ASSERT_EQUAL(rig.machine.result.end, RUN_SHUTDOWN);
    const struct moment end = rig.machine.now;
    for (goal.instructions = 1; goal.instructions <= 5; goal.instructions++) {
        CU_ASSERT_EQUAL_FATAL(ops->seek(&rig.machine, &end, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL_FATAL(ops->backward(&rig.machine, &goal, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(stop.why, STOP_DONE);
        CU_ASSERT_EQUAL(rig.machine.now.icount, end.icount - goal.instructions);
    }
    rig_close(&rig);
}

/* --- changes ------------------------------------------------------------------------------------------ */

/* At two moments the user changes something. */
static void
change(struct rig *rig)
{
    const struct machine_ops *ops = rig->machine.ops;
    struct x86_regs regs;
    uint8_t bytes[8];

    rig_seek(rig, &(struct moment){.exits = 300, .edge = EDGE_IN});
    CU_ASSERT_EQUAL(ops->get_regs(&rig->machine, &regs, &rig->err), 0);
    regs.gpr[X86_R15] ^= 0x1234;
    CU_ASSERT_EQUAL(ops->set_regs(&rig->machine, &regs, &rig->err), 0);
    rig_seek(rig, &(struct moment){.icount = rig->machine.now.icount + 20000, .waits = MOMENT_ANY});
    CU_ASSERT_EQUAL(ops->read(&rig->machine, SPACE_PHYSICAL, 0x500, bytes, 8, &rig->err), 0);
    bytes[3] ^= 0x55;
    CU_ASSERT_EQUAL(ops->write(&rig->machine, SPACE_PHYSICAL, 0x500, bytes, 8, &rig->err), 0);
}

/* What was changed has happened: who goes back before it and forward again comes to the same end. */
static void
test_changes(void)
{
    static struct rig rig, plain;

    rig_open(&rig, &subjects[0]);
    rig_run_to_end(&rig); /* without: all that is forgotten */
    change(&rig);
    rig_open(&plain, &subjects[0]);
    change(&plain);
    const struct moment last = rig.machine.now;
    CU_ASSERT_EQUAL(machine_hash(&rig.machine), machine_hash(&plain.machine));
    rig_seek(&rig, &(struct moment){.exits = 200, .edge = EDGE_OUT});
    rig_seek(&rig, &last);
    CU_ASSERT_EQUAL(machine_hash(&rig.machine), machine_hash(&plain.machine));
    rig_seek(&rig, &(struct moment){.exits = 299, .edge = EDGE_IN});
    rig_run_to_end(&rig);
    rig_run_to_end(&plain);
    CU_ASSERT_EQUAL(machine_hash(&rig.machine), machine_hash(&plain.machine));
    CU_ASSERT_TRUE(same_events(rig.trace, plain.trace));
    rig_close(&plain);
    rig_close(&rig);
}

/* --- Ctrl-C --------------------------------------------------------------------------------------------- */

static bool
interrupt_at(void *context, struct machine *machine, const struct stop *stop)
{
    (void)stop;
    if (machine->now.exits == *(uint64_t *)context)
        machine_interrupt(machine);
    return false;
}

/* Who interrupts the search for an earlier stop finds the machine where it was. */
static void
test_interrupt(void)
{
    static struct rig rig;
    uint64_t at = 250;
    struct machine_goal goal = {
        .edges = EDGE_OUT, .injects = true, .wanted = interrupt_at, .context = &at};
    struct stop stop;

    rig_open(&rig, &subjects[0]);
    const struct moment from = {.exits = 300, .edge = EDGE_OUT};
    rig_seek(&rig, &from);
    uint64_t hash = machine_hash(&rig.machine);
    CU_ASSERT_EQUAL(rig.machine.ops->backward(&rig.machine, &goal, &stop, &rig.err), 0);
    CU_ASSERT_EQUAL(stop.why, STOP_INTERRUPTED);
    CU_ASSERT_EQUAL(moment_compare(&rig.machine.now, &from), 0);
    CU_ASSERT_EQUAL(machine_hash(&rig.machine), hash);
    machine_interrupt(&rig.machine);
    CU_ASSERT_EQUAL(rig.machine.ops->seek(&rig.machine,
                                          &(struct moment){.exits = 9, .edge = EDGE_IN}, &stop,
                                          &rig.err),
                    0);
    CU_ASSERT_EQUAL(stop.why, STOP_INTERRUPTED);
    CU_ASSERT_EQUAL(moment_compare(&rig.machine.now, &from), 0);
    rig_close(&rig);
}

/* One instruction back looks for stops on the way: each part of that may be what is interrupted. */
static void
test_interrupted_step(void)
{
    static struct rig rig;
    struct moment from = {.exits = 300, .edge = EDGE_IN}, back;
    struct stop stop;

    rig_open(&rig, &subjects[0]);
    rig_seek(&rig, &from);
    from = rig.machine.now;
    const struct machine_goal goal = {.instructions = 1, .edges = EDGE_OUT, .injects = true};
    CU_ASSERT_EQUAL(rig.machine.ops->backward(&rig.machine, &goal, &stop, &rig.err), 0);
    back = rig.machine.now;
    for (uint64_t at = back.exits; at + 60 > back.exits; at--) {
        struct machine_goal asked = goal;
        asked.wanted = interrupt_at;
        asked.context = &at;
        rig_seek(&rig, &from);
        CU_ASSERT_EQUAL(rig.machine.ops->backward(&rig.machine, &asked, &stop, &rig.err), 0);
        bool moved = stop.why != STOP_INTERRUPTED;
        CU_ASSERT_EQUAL(moment_compare(&rig.machine.now, moved ? &back : &from), 0);
    }
    /* The first part goes where one instruction less had retired: nobody is asked there. */
    rig_seek(&rig, &from);
    machine_interrupt(&rig.machine);
    CU_ASSERT_EQUAL(rig.machine.ops->backward(&rig.machine, &goal, &stop, &rig.err), 0);
    CU_ASSERT_EQUAL(stop.why, STOP_INTERRUPTED);
    CU_ASSERT_EQUAL(moment_compare(&rig.machine.now, &from), 0);
    rig_close(&rig);
}

static const struct unit_test tests[] = {
    {"seek, hardware", test_hardware},
    {"seek, trap", test_trap},
    {"seek, paravirt", test_paravirt},
    {"seek, with input", test_typed},
    {"seek, with input, paravirt", test_typed_paravirt},
    {"the stops on the way back", test_both_ways},
    {"steps back and forward", test_steps},
    {"steps back from a crash", test_crash},
    {"changes", test_changes},
    {"an interrupted search", test_interrupt},
    {"an interrupted step back", test_interrupted_step},
    {NULL, NULL},
};

const struct unit_suite suite_debugger_back = {"debugger_back", tests};
