/*
 * soft_state.c - a machine on engine soft is the same machine when it is stepped, stopped, taken back and
 * run again: minios under each strategy, compared exit by exit and by a hash of all that it is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/launch.h"
#include "device/device.h"
#include "engine/engine.h"
#include "engine/soft.h"
#include "strategy/strategy.h"
#include "tests/random.h"
#include "tests/unit/soft_copy.h"
#include "tests/unit/soft_machine.h"
#include "tests/unit/suites.h"

#define EXITS 1000u
#define TURNS 300u /* of our own kernel */

/* One exit, as a recording would have it. */
struct seen {
    uint64_t rip, icount, address, kind;
};

static struct launch launch;
static struct seen first[EXITS + 1], *seen = first;
static uint64_t random_state;

static uint64_t
pick(uint64_t limit)
{
    return random_below(&random_state, limit);
}

/* Our own kernel, if `guest` is NULL. */
struct subject {
    const char *guest, *strategy, *append;
};

static struct soft_machine machine;
static struct vm *vm;

static void
open_guest(const struct subject *s)
{
    struct launch_options options = {
        .guest = s->guest,
        .engine = "soft",
        .strategy = s->strategy,
        .mem = UINT64_C(8) << 20,
        .append = s->append,
        .console = "null",
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
    };
    struct args args = {0};
    struct error err;

    if (!s->guest) {
        soft_machine_open(&machine, s->strategy, TURNS, 173);
        vm = &machine.vm;
        return;
    }
    CU_ASSERT_EQUAL_FATAL(launch_open(&launch, &options, &args, &err), 0);
    vm = &launch.vm;
    vm->vcpu[0].resuming = true;
    CU_ASSERT_EQUAL_FATAL(ram_track(&vm->ram, &err), 0);
}

static void
close_guest(const struct subject *s)
{
    if (s->guest)
        launch_close(&launch, NULL);
    else
        soft_machine_close(&machine);
}

static void
note_exit(void)
{
    const struct vm_exit *exit = &vm->vcpu[0].exit;

    if (vm->exits <= EXITS)
        seen[vm->exits] = (struct seen){exit->rip, vm->engine_ops->icount(&vm->vcpu[0]),
                                        exit->kind == TRACE_IO ? exit->access.address : 0,
                                        exit->kind};
}

/* Goes on to exit `exits` at most, and counts stops of the debugger on the way. False: it ended. */
static bool
run_on(struct run_limits limits, uint64_t exits, uint64_t stops)
{
    struct vcpu *vcpu = &vm->vcpu[0];
    struct run_result result = {0};

    while (vm->exits < exits && stops) {
        if (vm_run_to_exit(vm, vcpu, &limits, &result)) {
            note_exit();
            if (!vm_handle_exit(vm, vcpu, &result))
                return false;
        } else if (result.end == RUN_DEBUG || result.end == RUN_LIMIT) {
            stops--;
        } else {
            return false;
        }
    }
    return true;
}

static void
run_straight(uint64_t exits)
{
    run_on((struct run_limits){0}, exits, UINT64_MAX);
}

/* What a debugger may do to a machine without changing it. */
static void
disturb(uint64_t until)
{
    struct vcpu *vcpu = &vm->vcpu[0];
    struct stop_point points[3];
    struct x86_regs regs;
    struct error err;
    uint64_t icount = vm->engine_ops->icount(vcpu);

    if (until > vm->exits + 12)
        until = vm->exits + 12;
    switch (pick(6)) {
    case 0: run_on((struct run_limits){.step = true}, until, pick(300)); break;
    case 1: /* some way into the stretch between two exits */
        run_on((struct run_limits){.instructions = icount + vm->waits + 1 + pick(2000)}, until, 1);
        break;
    case 2: vm->ram.on_clean(vm->ram.on_write_ctx); break;
    case 3: soft_cache_forget(vcpu->engine); break;
    case 4:
        CU_ASSERT_EQUAL(vm->strategy->get_regs ? vm->strategy->get_regs(vcpu, &regs, &err)
                                               : vm->engine_ops->get_regs(vcpu, &regs, &err),
                        0);
        points[0] = (struct stop_point){regs.gpr[X86_RSP] - pick(4096), 16, STOP_ACCESS};
        points[1] = (struct stop_point){regs.gpr[X86_RSP] - pick(64), 8, STOP_WRITE};
        points[2] = (struct stop_point){regs.rip + pick(8), 0, STOP_EXECUTE};
        CU_ASSERT_EQUAL(vm->engine_ops->set_stops(vcpu, points, 3, &err), 0);
        for (unsigned i = 0; i < 20; i++) { /* from a point on by a step */
            run_on((struct run_limits){0}, until, 1);
            run_on((struct run_limits){.step = true}, until, 1);
        }
        CU_ASSERT_EQUAL(vm->engine_ops->set_stops(vcpu, NULL, 0, &err), 0);
        break;
    default: run_straight(until); break;
    }
}

/* The same guest again, with debugger's work and ways back in between. */
static void
compare(const struct subject *subject, uint64_t exits)
{
    static struct seen again[EXITS + 1];

    seen = first;
    open_guest(subject);
    run_straight(exits);
    uint64_t expected = copy_hash(vm), reached = vm->exits;
    uint64_t icount = vm->engine_ops->icount(&vm->vcpu[0]);
    close_guest(subject);
    CU_ASSERT(reached > 100);

    seen = again;
    memset(again, 0, sizeof(again));
    open_guest(subject);
    struct machine_copy s;
    unsigned back = 0;
    copy_take(&s, vm);
    uint64_t snapped = copy_hash(vm);
    while (vm->exits < reached) {
        disturb(reached);
        if (vm->exits >= reached || pick(3))
            continue;
        CU_ASSERT_EQUAL(copy_unmarked(&s, vm), 0);
        copy_restore(&s, vm);
        CU_ASSERT_EQUAL(copy_hash(vm), snapped);
        uint64_t to = vm->exits + 1 + pick(reached / 20);
        run_straight(to < reached ? to : reached);
        copy_free(&s);
        copy_take(&s, vm);
        snapped = copy_hash(vm);
        back++;
    }
    CU_ASSERT(back > 0);
    CU_ASSERT_EQUAL(vm->engine_ops->icount(&vm->vcpu[0]), icount);
    CU_ASSERT_EQUAL(copy_hash(vm), expected);
    unsigned differ = 0;
    for (uint64_t i = 1; i <= reached && i <= EXITS; i++) {
        int d = memcmp(&first[i], &again[i], sizeof(first[i])) != 0;
        if (d && differ++ < 3)
            printf("%lu: %s %lx %lu; %s %lx %lu\n", i, trace_kinds[first[i].kind].name,
                   first[i].rip, first[i].icount, trace_kinds[again[i].kind].name, again[i].rip,
                   again[i].icount);
    }
    CU_ASSERT_EQUAL(differ, 0);
    copy_free(&s);
    close_guest(subject);
}

static void
test_strategies(void)
{
    static const struct subject subjects[] = {
        {NULL, "hardware", NULL},
        {NULL, "trap", NULL},
        {"build/guests/minios", "hardware", "tasks=faults"},
        {"build/guests/minios", "trap", "hz=1000 tasks=preempt"},
        {"build/guests/minios-pv", "paravirt", "tasks=faults"},
    };

    random_state = 4711;
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++)
        for (unsigned turn = 0; turn < (subjects[i].guest ? 1 : 2); turn++)
            compare(&subjects[i], EXITS);
}

/* The kernel writes and reads through a translation that its tables have not any more, and the TLB has
 * (SDM vol. 3, 4.10.2.3): no page fault, whatever was decoded from that page meanwhile. */
static void
test_stale(void)
{
    static const struct subject subject = {NULL, "hardware", NULL};

    open_guest(&subject);
    run_straight(UINT64_MAX);
    struct x86_regs regs = soft_machine_regs(&machine);
    CU_ASSERT_EQUAL(vm->vcpu[0].exit.kind, TRACE_HLT);
    CU_ASSERT_EQUAL(regs.gpr[X86_R9], 0);
    CU_ASSERT_EQUAL(regs.gpr[X86_R10], 2 * TURNS);
    CU_ASSERT(regs.gpr[X86_R12] > 10);
    close_guest(&subject);
}

/* The page that is being executed is held apart from the TLB, which may have lost it (soft_guest.S): taken
 * back, the guest goes on in the frame that it was in then, not by its page tables or in a later frame. */
static void
test_fetch_page(void)
{
    size_t size = (size_t)(soft_guest_end - soft_guest_moving);
    static const uint8_t dec_r10[] = {0x49, 0xff, 0xca}, dec_r12[] = {0x49, 0xff, 0xcc};
    uint64_t second = SM_PAGE + PAGE_SIZE; /* frame */
    struct machine_copy copy;
    struct error err;

    soft_machine_open(&machine, "hardware", 0, UINT64_C(1) << 60);
    vm = &machine.vm;
    seen = first;
    struct x86_regs regs = soft_machine_regs(&machine);
    memcpy(vm->ram.host + SM_PAGE, soft_guest_moving, size);
    memcpy(vm->ram.host + second, soft_guest_moving, size);
    memcpy(vm->ram.host + second + (soft_guest_counting - soft_guest_moving), dec_r10,
           sizeof(dec_r10));
    uint64_t entry = SM_PAGE | 3; /* present, writable */
    memcpy(vm->ram.host + regs.gpr[X86_R15], &entry, sizeof(entry));
    regs.rip = SM_ALIAS;
    CU_ASSERT_EQUAL_FATAL(vm->engine_ops->set_regs(&vm->vcpu[0], &regs, &err), 0);
    run_straight(1);
    copy_take(&copy, vm);
    for (unsigned i = 0; i < 3; i++) {
        if (i == 1) /* what is decoded from this goes away with it */
            ram_write(&vm->ram, second + (uint64_t)(soft_guest_moved - soft_guest_moving), dec_r12,
                      sizeof(dec_r12));
        run_straight(2);
        regs = soft_machine_regs(&machine);
        CU_ASSERT_EQUAL(regs.gpr[X86_R10], 1);
        CU_ASSERT_EQUAL(regs.gpr[X86_R12], i == 1 ? UINT64_MAX : 1);
        copy_restore(&copy, vm);
    }
    run_straight(UINT64_MAX);
    CU_ASSERT_EQUAL(vm->vcpu[0].exit.kind, TRACE_HLT);
    CU_ASSERT_EQUAL(soft_machine_regs(&machine).gpr[X86_R10], 1);
    copy_free(&copy);
    soft_machine_close(&machine);
}

/* Every instruction a step, and everything that is derived forgotten behind each. */
static void
test_each_step(void)
{
    static const char *const strategies[] = {"hardware", "trap"};
    static struct seen again[EXITS + 1];

    for (unsigned i = 0; i < ARRAY_SIZE(strategies); i++) {
        struct vcpu *vcpu = &machine.vm.vcpu[0];
        vm = &machine.vm;
        seen = first;
        soft_machine_open(&machine, strategies[i], 30, 91);
        run_straight(EXITS);
        uint64_t expected = copy_hash(vm), exits = vm->exits;
        soft_machine_close(&machine);
        seen = again;
        soft_machine_open(&machine, strategies[i], 30, 91);
        while (run_on((struct run_limits){.step = true}, exits, 1) && vm->exits < exits) {
            ram_clean(&vm->ram);
            vm->engine_ops->restored(vcpu);
            if (vm->strategy->restored)
                vm->strategy->restored(vcpu);
        }
        CU_ASSERT_EQUAL(copy_hash(vm), expected);
        for (uint64_t e = 1; e <= exits; e++)
            CU_ASSERT_EQUAL(memcmp(&first[e], &again[e], sizeof(first[e])), 0);
        soft_machine_close(&machine);
    }
}

static const struct unit_test tests[] = {
    {"each instruction a step", test_each_step},
    {"a stale translation holds, whatever is decoded", test_stale},
    {"the page that is executed comes back", test_fetch_page},
    {"stepped, stopped and taken back, it is the same run", test_strategies},
    {NULL, NULL},
};
const struct unit_suite suite_soft_state = {"soft_state", tests};
