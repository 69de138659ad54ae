/*
 * debugger_snapshot.c - tests of the snapshots themselves: that they have all that core/state.h names,
 * that one which stands right at a moment says what exit that is, and that they keep to their memory.
 *
 * debugger_back.c compares hashes, and a hash knows only what snapshot.c gathers: here that is asked
 * of the structures. Bytes that no guest changes in a short run are changed by hand.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "debugger/history.h"
#include "tests/unit/debugger_rig.h"
#include "tests/unit/suites.h"

static const struct subject subject = {"build/guests/minios", "hardware", "hz=1000 tasks=preempt",
                                       NULL, 0};

/* --- all of it ------------------------------------------------------------------------------------ */

/* What core/state.h names of the run loop, made untrue. */
static void
spoil(struct vm *vm, struct vcpu *vcpu)
{
    vcpu->halted = vcpu->handled = vcpu->window_requested = true;
    vcpu->resuming = !vcpu->resuming;
    vcpu->offered = !vcpu->offered;
    vm->power = POWER_RESET;
    vm->power_status++;
    vm->next_device++;
    vm->next_known = !vm->next_known;
    vm->next_input++;
    vm->waits++;
    vm->exits++;
    for (unsigned i = 0; i < ARRAY_SIZE(vm->exits_by_kind); i++)
        vm->exits_by_kind[i]++;
    for (unsigned i = 0; i < ARRAY_SIZE(vm->bus.unclaimed); i++)
        vm->bus.unclaimed[i]++;
}

/* An exit compared by what it says; its padding is nobody's. */
static bool
same_exit(const struct vm_exit *a, const struct vm_exit *b)
{
    return a->kind == b->kind && a->rip == b->rip && a->user == b->user &&
           (a->kind != TRACE_IO ||
            (a->access.address == b->access.address && a->access.value == b->access.value &&
             a->access.size == b->access.size && a->access.write == b->access.write));
}

/* Whatever has become of the machine meanwhile: back at the moment both structures are what they were,
 * to the byte. */
static void
test_loop(void)
{
    static struct rig rig;
    static struct vm then, now;

    rig_open(&rig, &subject);
    struct vm *vm = &rig.launch.vm;
    const struct moment at = {.exits = 300, .edge = EDGE_IN};
    rig_seek(&rig, &at);
    then = *vm;
    rig_seek(&rig, &(struct moment){.exits = 400, .edge = EDGE_OUT});
    spoil(vm, &vm->vcpu[0]);
    rig_seek(&rig, &at);
    now = *vm;
    CU_ASSERT_TRUE(same_exit(&then.vcpu[0].exit, &now.vcpu[0].exit));
    memset(&then.vcpu[0].exit, 0, sizeof(then.vcpu[0].exit));
    memset(&now.vcpu[0].exit, 0, sizeof(now.vcpu[0].exit));
    CU_ASSERT_FALSE(memcmp(&then, &now, sizeof(then)));
    rig_close(&rig);
}

/* A snapshot at each edge: going back to one runs nothing that would say again which exit that was. */
static void
test_right_there(void)
{
    enum { FIRST = 300, COUNT = 12 };
    static struct rig rig;
    struct vm_exit exit[COUNT];
    unsigned kinds = 0;

    rig_open(&rig, &subject);
    history_set_step(rig.machine.history, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        rig_seek(&rig, &(struct moment){.exits = FIRST + i, .edge = EDGE_IN});
        exit[i] = rig.machine.exit;
        kinds += !same_exit(&exit[i], &exit[0]);
    }
    CU_ASSERT(kinds > 0);
    for (unsigned i = COUNT; i-- > 0;) {
        rig_seek(&rig, &(struct moment){.exits = FIRST + i, .edge = EDGE_IN});
        CU_ASSERT_TRUE(same_exit(&rig.machine.exit, &exit[i]));
    }
    rig_close(&rig);
}

/* An instruction's moment is the first at which so many have retired: a snapshot with as many, taken
 * behind the exits that came then, is too late for it. */
static void
test_instruction(void)
{
    enum { FIRST = 300, COUNT = 12 };
    static struct rig rig, plain;
    struct machine *m = &rig.machine;
    struct moment at[COUNT];
    struct stop stop;

    rig_open(&rig, &subject);
    rig_open(&plain, &subject); /* comes from before, and only once */
    history_set_step(m->history, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        rig_seek(&rig, &(struct moment){.exits = FIRST + i, .edge = EDGE_IN});
        at[i] = m->now;
        at[i].edge = EDGE_NONE;
        at[i].exits = 0;
    }
    for (unsigned i = 0; i < COUNT; i++) {
        struct moment any = at[i];
        any.waits = MOMENT_ANY;
        CU_ASSERT_EQUAL(plain.machine.ops->seek(&plain.machine, &at[i], &stop, &rig.err), 0);
        uint64_t hash = machine_hash(&plain.machine);
        CU_ASSERT_EQUAL(m->ops->seek(m, &at[i], &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(machine_hash(m), hash);
        CU_ASSERT_EQUAL(m->now.exits, plain.machine.now.exits);
        CU_ASSERT_EQUAL(m->now.edge, plain.machine.now.edge);
        rig_seek(&rig, &(struct moment){.exits = FIRST + COUNT, .edge = EDGE_IN});
        CU_ASSERT_EQUAL(m->ops->seek(m, &any, &stop, &rig.err), 0);
        CU_ASSERT_EQUAL(machine_hash(m), hash);
        CU_ASSERT_EQUAL(m->now.exits, plain.machine.now.exits);
    }
    rig_close(&plain);
    rig_close(&rig);
}

/* What the user changed has a snapshot that stays, however far away: nothing else leads to it. */
static void
test_change(void)
{
    static struct rig rig;
    struct machine *m = &rig.machine;
    uint8_t was, new, is;

    rig_open(&rig, &subject);
    history_set_step(m->history, 1000);
    rig_seek(&rig, &(struct moment){.exits = 50, .edge = EDGE_IN});
    CU_ASSERT_EQUAL(m->ops->read(m, SPACE_PHYSICAL, 0x600, &was, 1, &rig.err), 0);
    new = was ^ 0xff;
    CU_ASSERT_EQUAL(m->ops->write(m, SPACE_PHYSICAL, 0x600, &new, 1, &rig.err), 0);
    rig_seek(&rig, &(struct moment){.exits = 2000, .edge = EDGE_IN});
    CU_ASSERT_EQUAL(m->ops->read(m, SPACE_PHYSICAL, 0x600, &is, 1, &rig.err), 0);
    CU_ASSERT_EQUAL(is, new);
    rig_seek(&rig, &(struct moment){.exits = 40, .edge = EDGE_IN});
    CU_ASSERT_EQUAL(m->ops->read(m, SPACE_PHYSICAL, 0x600, &is, 1, &rig.err), 0);
    CU_ASSERT_EQUAL(is, was);
    rig_seek(&rig, &(struct moment){.exits = 60, .edge = EDGE_IN});
    CU_ASSERT_EQUAL(m->ops->read(m, SPACE_PHYSICAL, 0x600, &is, 1, &rig.err), 0);
    CU_ASSERT_EQUAL(is, new);
    rig_close(&rig);
}

/* --- memory --------------------------------------------------------------------------------------- */

/* With little of it the past is remembered less closely, and then not as far back; what is remembered
 * is true. */
static void
check_memory(uint64_t limit, bool forgets)
{
    enum { MOMENTS = 8 };
    static struct rig rig;
    struct machine *m = &rig.machine;
    struct moment at[MOMENTS];
    struct history_figures f;
    uint64_t hash[MOMENTS];
    struct stop stop;
    unsigned forgotten = 0;

    rig_open(&rig, &subject);
    history_set_limit(m->history, limit);
    history_set_step(m->history, 1000);
    for (unsigned i = 0; i < MOMENTS; i++) {
        at[i] = (struct moment){.exits = 5 + 300 * i, .edge = EDGE_IN};
        rig_seek(&rig, &at[i]);
        hash[i] = machine_hash(m);
    }
    history_figures(m->history, &f);
    CU_ASSERT(f.limit > limit);
    CU_ASSERT(f.bytes <= f.limit);
    CU_ASSERT(f.snapshots > 2);
    for (unsigned i = MOMENTS; i-- > 0;) {
        const struct moment before = m->now;
        int rc = m->ops->seek(m, &at[i], &stop, &rig.err);
        if (!rc) {
            CU_ASSERT_EQUAL(machine_hash(m), hash[i]);
            continue;
        }
        CU_ASSERT_EQUAL(rc, -ERANGE);
        CU_ASSERT_EQUAL(moment_compare(&m->now, &before), 0);
        forgotten++;
    }
    CU_ASSERT_EQUAL(forgotten > 0, forgets);
    CU_ASSERT(forgotten < MOMENTS - 1);
    for (unsigned i = forgotten; i < MOMENTS;
         i++) { /* up and down, past what was dropped meanwhile */
        unsigned k = i % 2 ? i : MOMENTS - 1 - i / 2;
        if (!m->ops->seek(m, &at[k], &stop, &rig.err))
            CU_ASSERT_EQUAL(machine_hash(m), hash[k]);
    }
    rig_close(&rig);
}

/* When there is room again, the snapshots that are taken then lie as close as ever. */
static void
test_room_again(void)
{
    enum { STEP = 400 };
    static struct rig rig;
    struct machine *m = &rig.machine;
    struct history_figures few, many;

    rig_open(&rig, &subject);
    history_set_limit(m->history, UINT64_C(640) << 10);
    history_set_step(m->history, STEP);
    rig_seek(&rig, &(struct moment){.exits = 500, .edge = EDGE_IN});
    history_figures(m->history, &few);
    history_set_limit(m->history, UINT64_C(256) << 20);
    rig_seek(&rig, &(struct moment){.exits = 800, .edge = EDGE_IN});
    history_figures(m->history, &many);
    CU_ASSERT(few.snapshots > 2 && few.snapshots < 60);
    CU_ASSERT(many.snapshots > 200);
    rig_close(&rig);
}

static void
test_memory(void)
{
    check_memory(UINT64_C(4) << 20, false);
    check_memory(UINT64_C(1) << 20, false);
    check_memory(UINT64_C(640) << 10, true);
}

/* What history.c goes by: a step is one, an exit a hundred. */
static uint64_t
cost_of(const struct machine *m)
{
    return m->now.icount + m->now.waits + 100 * m->now.exits;
}

/* Close together near the present, in the past in proportion to the distance: so a step back is short
 * everywhere, and the number grows with the logarithm of the run. */
static void
test_density(void)
{
    enum { MOMENTS = 40, EXITS = 20, STEP = 400 };
    static struct rig rig;
    struct machine *m = &rig.machine;
    struct history_figures f;
    uint64_t cost[MOMENTS];

    rig_open(&rig, &subject);
    history_set_step(m->history, STEP);
    for (unsigned i = 0; i < MOMENTS; i++) {
        rig_seek(&rig, &(struct moment){.exits = EXITS * (i + 1), .edge = EDGE_IN});
        cost[i] = cost_of(m);
    }
    const struct moment now = m->now;
    uint64_t present = cost_of(m);
    history_figures(m->history, &f);
    CU_ASSERT(present > 5000 * STEP);
    CU_ASSERT(f.snapshots > 200 && f.snapshots < 900); /* not one for each STEP */
    for (unsigned i = MOMENTS; i-- > 0;) {
        const struct moment at = {.exits = EXITS * (i + 1), .edge = EDGE_IN};
        CU_ASSERT_EQUAL(history_restore(m->history, &at, &rig.err), 0);
        uint64_t gap = cost[i] - cost_of(m), far = present - cost[i];
        CU_ASSERT(gap <= 2 * STEP + far / 64);
        CU_ASSERT_EQUAL(history_restore(m->history, &now, &rig.err), 0); /* nothing is run */
    }
    rig_close(&rig);
}

static const struct unit_test tests[] = {
    {"all that the run loop knows", test_loop},
    {"right at a snapshot", test_right_there},
    {"an instruction's moment", test_instruction},
    {"a change is remembered", test_change},
    {"close together here, far apart far away", test_density},
    {"little memory", test_memory},
    {"room again", test_room_again},
    {NULL, NULL},
};

const struct unit_suite suite_debugger_snapshot = {"debugger_snapshot", tests};
