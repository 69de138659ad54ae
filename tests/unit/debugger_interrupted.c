/*
 * debugger_interrupted.c - Ctrl-C at any moment: each entry into the guest in turn is interrupted before
 * its first instruction, whatever the command was about. Then either all of it is done, or nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debugger/debugger.h"
#include "debugger/history.h"
#include "tests/unit/debugger_rig.h"
#include "tests/unit/suites.h"

static const struct subject hello = {"build/guests/hello64", "hardware", "", NULL, 0};
static const struct subject minios = {"build/guests/minios", "hardware", "hz=1000 tasks=preempt",
                                      NULL, 0};

static const struct subject minios_pv = {"build/guests/minios-pv", "paravirt",
                                         "hz=1000 tasks=preempt", NULL, 0};

/* --- the interruption --------------------------------------------------------------------------------- */

/* An engine soft that somebody interrupts at its entry number `at`. */
static struct {
    const struct engine_ops *soft;
    struct engine_ops ops;
    struct machine *machine;
    unsigned at, entries;
} entries;

static int
run(struct vcpu *vcpu, uint64_t deadline, uint64_t budget, struct error *err)
{
    if (++entries.entries == entries.at)
        machine_interrupt(entries.machine);
    return entries.soft->run(vcpu, deadline, budget, err);
}

static void
hook(struct rig *rig)
{
    entries.soft = rig->launch.vm.engine_ops;
    entries.ops = *entries.soft;
    entries.ops.run = run;
    entries.machine = &rig->machine;
    entries.at = 0;
    rig->launch.vm.engine_ops = &entries.ops;
}

static void
interrupt_entry(unsigned at)
{
    entries.at = at;
    entries.entries = 0;
}

static bool
is_at(struct rig *rig, const struct moment *moment, uint64_t hash)
{
    return !moment_compare(&rig->machine.now, moment) && machine_hash(&rig->machine) == hash;
}

/* --- to a moment that never comes ---------------------------------------------------------------------- */

static void
test_seek(void)
{
    static struct rig rig;
    const struct moment from = {.exits = 40, .edge = EDGE_OUT},
                        never = {.exits = 1 << 20, .edge = EDGE_OUT};
    unsigned refused = 0, n = 0;
    struct stop stop;

    rig_open(&rig, &hello);
    hook(&rig);
    rig_seek(&rig, &from);
    const uint64_t hash = machine_hash(&rig.machine);
    do {
        interrupt_entry(++n);
        int rc = rig.machine.ops->seek(&rig.machine, &never, &stop, &rig.err);
        CU_ASSERT(rc == -ERANGE || (!rc && stop.why == STOP_INTERRUPTED));
        CU_ASSERT_TRUE(is_at(&rig, &from, hash));
        refused += rc == -ERANGE;
        machine_forget_interrupt(&rig.machine);
    } while (entries.entries >= n);
    CU_ASSERT(refused > 10); /* interrupted on the way back from the end, too */
    rig_close(&rig);
}

/* --- commands ------------------------------------------------------------------------------------------ */

static int
say(struct debugger *debugger, const char *line)
{
    struct error err = {""};
    int rc = debugger_execute(debugger, line, &err);

    machine_forget_interrupt(debugger->machine);
    return rc;
}

/* The command, each of its entries interrupted in turn, begins at `from`; it is what `done` tells, or
 * nothing has happened. `stays`: done, it stands where it began. Returns how often it was done. */
static unsigned
each_entry(struct rig *rig, struct debugger *debugger, const char *command, bool stays)
{
    const struct moment from = rig->machine.now;
    const uint64_t hash = machine_hash(&rig->machine);
    unsigned count = 0, n = 0;

    interrupt_entry(0);
    CU_ASSERT_EQUAL(say(debugger, command), 0);
    const struct moment done = rig->machine.now;
    const uint64_t done_hash = machine_hash(&rig->machine);
    CU_ASSERT_EQUAL(is_at(rig, &from, hash), stays);
    do {
        interrupt_entry(0);
        rig_seek(rig, &from);
        interrupt_entry(++n);
        int rc = say(debugger, command);
        CU_ASSERT(!rc || rc == -EINTR);
        bool all = is_at(rig, &done, done_hash);
        CU_ASSERT(all || is_at(rig, &from, hash));
        count += all && !rc;
    } while (entries.entries >= n);
    return count;
}

/* Back to what has changed a place of memory: the search, and the step to before the write. */
static void
test_watch(void)
{
    static struct rig rig;
    struct debugger debugger;
    FILE *out = fopen("/dev/null", "we");

    rig_open(&rig, &hello);
    hook(&rig);
    rig_seek(&rig, &(struct moment){.exits = 40, .edge = EDGE_OUT});
    CU_ASSERT_EQUAL_FATAL(debugger_open(&debugger, &rig.machine, out, &rig.err), 0);
    CU_ASSERT_EQUAL(say(&debugger, "watch *(long *)$rsp"), 0);
    CU_ASSERT(each_entry(&rig, &debugger, "reverse-continue", false) > 1);
    debugger_close(&debugger);
    rig_close(&rig);
    fclose(out);
}

/* A card has the registers at both edges of an exit elsewhere. */
static void
test_card(void)
{
    static struct rig rig;
    struct debugger debugger;
    char command[128];
    FILE *out = fopen("/dev/null", "we");

    rig_open(&rig, &hello);
    hook(&rig);
    rig_seek(&rig, &(struct moment){.exits = 40, .edge = EDGE_OUT});
    CU_ASSERT_EQUAL_FATAL(debugger_open(&debugger, &rig.machine, out, &rig.err), 0);
    snprintf(command, sizeof(command), "graph card 20 %s.dot", rig.trace);
    CU_ASSERT_EQUAL(each_entry(&rig, &debugger, command, true), 1);
    unlink(strchr(command, '/'));
    debugger_close(&debugger);
    rig_close(&rig);
    fclose(out);
}

/* --- at an interrupt that is about to be handed over ----------------------------------------------------- */

/* It has been shown; an interruption does not make it be shown again. */
static void
test_inject(void)
{
    static struct rig rig;
    struct machine *m = &rig.machine;
    const struct machine_goal goal = {.injects = true};
    const struct moment early = {.exits = 9, .edge = EDGE_IN};
    struct moment first, second;
    struct stop stop;

    rig_open(&rig, &minios);
    hook(&rig);
    CU_ASSERT_EQUAL(m->ops->forward(m, &goal, &stop, &rig.err), 0);
    CU_ASSERT_EQUAL_FATAL(stop.why, STOP_INJECT);
    first = m->now;
    CU_ASSERT_EQUAL(m->ops->forward(m, &goal, &stop, &rig.err), 0);
    CU_ASSERT_EQUAL_FATAL(stop.why, STOP_INJECT);
    second = m->now;
    CU_ASSERT(moment_compare(&first, &second) < 0);
    for (unsigned how = 0; how < 3; how++) {
        rig_seek(&rig, &early);
        CU_ASSERT_EQUAL(m->ops->forward(m, &goal, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(moment_compare(&m->now, &first), 0);
        machine_interrupt(m);
        if (how == 0)
            CU_ASSERT_EQUAL(m->ops->forward(m, &goal, &stop, &rig.err), 0);
        if (how == 1)
            CU_ASSERT_EQUAL(m->ops->backward(m, &goal, &stop, &rig.err), 0);
        if (how == 2)
            CU_ASSERT_EQUAL(m->ops->seek(m, &early, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(stop.why, STOP_INTERRUPTED);
        CU_ASSERT_EQUAL(moment_compare(&m->now, &first), 0);
        CU_ASSERT_EQUAL(m->ops->forward(m, &goal, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(moment_compare(&m->now, &second), 0);
    }
    rig_close(&rig);
}

/* Handed over and interrupted, it is behind the first instruction of its handler: each moment is one
 * state. */
static void
check_handed(const struct subject *subject)
{
    static struct rig rig, plain;
    struct machine *m = &rig.machine;
    struct x86_regs a, b;
    struct stop stop;

    rig_open(&rig, subject);
    rig_open(&plain, subject);
    hook(&rig);
    rig_seek(&rig, &(struct moment){.exits = 600, .edge = EDGE_IN});
    for (unsigned i = 0; i < 200; i++) {
        interrupt_entry(2);
        CU_ASSERT_EQUAL(m->ops->forward(m, &(struct machine_goal){0}, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL_FATAL(stop.why, STOP_INTERRUPTED);
        rig_seek(&plain, &m->now);
        CU_ASSERT_EQUAL(m->ops->get_regs(m, &a, &rig.err), 0);
        CU_ASSERT_EQUAL(m->ops->get_regs(&plain.machine, &b, &rig.err), 0);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
    }
    rig_close(&plain);
    rig_close(&rig);
}

static void
test_handed(void)
{
    check_handed(&minios);
    check_handed(&minios_pv);
}

static const struct unit_test tests[] = {
    {"to a moment that never comes", test_seek}, {"back to a write", test_watch},
    {"a card of an exit elsewhere", test_card},  {"at an interrupt", test_inject},
    {"behind an interrupt", test_handed},        {NULL, NULL},
};

const struct unit_suite suite_debugger_interrupted = {"debugger_interrupted", tests};
