/*
 * debugger_look.c - tests of changing a machine that runs: its registers in the middle of an exit, its
 * memory with the page tables in it, and that what lay ahead is forgotten then.
 */
#include <errno.h>
#include <string.h>

#include "debugger/live.h"
#include "tests/unit/debugger_rig.h"
#include "tests/unit/soft_machine.h"
#include "tests/unit/suites.h"

#define NEVER (UINT64_C(1) << 40)
#define PAGES UINT64_C(0x381000) /* the page table for SM_ALIAS and behind it */
#define ENTRY UINT64_C(3)        /* present, writable */
#define FRAME UINT64_C(0x391000)
#define CODE  UINT64_C(0x280000)

static struct soft_machine m;
static struct machine machine;
static struct error err;
static const char *const strategies[] = {"hardware", "trap"};

static void
begin(const char *strategy)
{
    soft_machine_open(&m, strategy, 20, NEVER);
    CU_ASSERT_EQUAL_FATAL(machine_open_live(&machine, &m.vm, NULL, &err), 0);
}

static void
end(void)
{
    machine_close(&machine);
    soft_machine_close(&m);
}

static enum stop_why
go(const struct machine_goal *goal)
{
    struct stop stop;

    CU_ASSERT_EQUAL_FATAL(machine.ops->forward(&machine, goal, &stop, &err), 0);
    return stop.why;
}

static void
go_to_point(uint64_t address, unsigned times)
{
    const struct stop_point point = {address, 0, STOP_EXECUTE};

    CU_ASSERT_EQUAL(machine.ops->set_points(&machine, &point, 1, &err), 0);
    while (times--)
        CU_ASSERT_EQUAL_FATAL(go(&(struct machine_goal){.points = true}), STOP_POINT);
    CU_ASSERT_EQUAL(machine.ops->set_points(&machine, NULL, 0, &err), 0);
}

static void
put(enum machine_space space, uint64_t address, uint64_t value)
{
    CU_ASSERT_EQUAL(machine.ops->write(&machine, space, address, &value, sizeof(value), &err), 0);
}

static uint64_t
get(enum machine_space space, uint64_t address)
{
    uint64_t value = 0;

    CU_ASSERT_EQUAL(machine.ops->read(&machine, space, address, &value, sizeof(value), &err), 0);
    return value;
}

/* --- registers ------------------------------------------------------------------------------------ */

/* At the edge out of an exit: a write to a device and HLT are over but for what the VMM does, and stay
 * so; the exit of a read was another instruction's, and the one that rip says now is next. */
static void
test_edge_out(void)
{
    static const uint8_t code[] = {0xe4, 0x60, 0xe6, 0x80, 0xf4}; /* in; out; hlt */
    static const struct {
        enum trace_kind kind;
        bool over;
    } exits[] = {{TRACE_IO, false}, {TRACE_IO, false}, {TRACE_IO, true}, {TRACE_HLT, true}};
    const struct machine_goal out = {.edges = EDGE_OUT};
    struct x86_regs regs;

    begin("hardware");
    CU_ASSERT_EQUAL(machine.ops->write(&machine, SPACE_PHYSICAL, CODE, code, 5, &err), 0);
    regs = soft_machine_regs(&m);
    regs.rip = CODE;
    CU_ASSERT_EQUAL_FATAL(machine.ops->set_regs(&machine, &regs, &err), 0);
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL_FATAL(go(&out), STOP_EDGE);
        CU_ASSERT_EQUAL(machine.exit.kind, exits[i].kind);
        CU_ASSERT_EQUAL(machine.exit.access.write, i == 2);
        regs = soft_machine_regs(&m);
        regs.gpr[X86_RBX] = i;
        if (i != 1) /* once the read is left in peace */
            CU_ASSERT_EQUAL(machine.ops->set_regs(&machine, &regs, &err), 0);
        CU_ASSERT_EQUAL(machine.now.edge, exits[i].over || i == 1 ? EDGE_OUT : EDGE_IN);
        CU_ASSERT_EQUAL(m.vm.vcpu[0].unhandled, exits[i].over || i == 1);
    }
    CU_ASSERT_EQUAL(go(&out), STOP_END);
    CU_ASSERT_EQUAL(machine.result.end, RUN_HALTED);
    CU_ASSERT_EQUAL(machine.now.exits, 4);
    end();
}

/* The user sets IF while an interrupt waits: it comes at once, without an exit that says it can. */
static void
test_interrupt(void)
{
    for (unsigned s = 0; s < 2; s++) {
        begin(strategies[s]);
        m.clock.pending = 1;
        go_to_point(soft_machine_address(soft_guest_store), 1); /* IF is clear */
        CU_ASSERT_TRUE(m.vm.vcpu[0].offered);
        struct x86_regs regs = soft_machine_regs(&m);
        const struct moment at = machine.now;
        regs.rflags |= FLAG_IF;
        CU_ASSERT_EQUAL(machine.ops->set_regs(&machine, &regs, &err), 0);
        CU_ASSERT_EQUAL(go(&(struct machine_goal){.injects = true, .edges = EDGE_OUT}),
                        STOP_INJECT);
        CU_ASSERT_EQUAL(machine.now.exits, at.exits);
        CU_ASSERT_EQUAL(machine.now.icount, at.icount);
        end();
    }
}

/* --- memory --------------------------------------------------------------------------------------- */

/* A page-table entry is the user's from now on, whatever the TLB or a shadow had of it. */
static void
test_page_table(void)
{
    const uint64_t entry = PAGES + 8 * (SM_ALIAS >> 12 & 511);

    for (unsigned s = 0; s < 2; s++) {
        begin(strategies[s]);
        go_to_point(SM_PAGE + 0x800, 2); /* before add %r11, 16(%r14), which was just written to */
        uint64_t was = get(SPACE_PHYSICAL, SM_PAGE + 16);
        CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, FRAME + 16), 0);
        put(SPACE_PHYSICAL, entry, FRAME | ENTRY);
        go_to_point(soft_machine_address(soft_guest_repeat), 1);
        CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, FRAME + 16), 20);
        CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, SM_PAGE + 16), was);
        end();
    }
}

/* Linear memory across two pages whose frames do not lie side by side; and a write that cannot be all
 * is not begun. */
static void
test_two_pages(void)
{
    const uint64_t entry = PAGES + 8 * (SM_ALIAS >> 12 & 511), at = SM_ALIAS + 0xffc;
    static const uint8_t rom[1] = {0};

    begin("hardware");
    CU_ASSERT_EQUAL(ram_add_rom(&m.vm.ram, 0xf0000000, rom, 1, &err), 0);
    put(SPACE_PHYSICAL, entry, SM_PAGE | ENTRY);
    put(SPACE_PHYSICAL, entry + 8, CODE | ENTRY);
    put(SPACE_LINEAR, at, UINT64_C(0x1122334455667788));
    CU_ASSERT_EQUAL(get(SPACE_LINEAR, at), UINT64_C(0x1122334455667788));
    CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, SM_PAGE + 0xffc) & 0xffffffff, 0x55667788);
    CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, CODE) & 0xffffffff, 0x11223344);
    const uint64_t other = 0;
    put(SPACE_PHYSICAL, entry + 8, 0); /* not mapped */
    CU_ASSERT_EQUAL(machine.ops->write(&machine, SPACE_LINEAR, at, &other, 8, &err), -EFAULT);
    CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, SM_PAGE + 0xffc) & 0xffffffff, 0x55667788);
    put(SPACE_PHYSICAL, entry + 8, 0xf0000000 | ENTRY); /* can be read */
    CU_ASSERT_EQUAL(get(SPACE_LINEAR, at) & 0xffffffff, 0x55667788);
    CU_ASSERT_EQUAL(machine.ops->write(&machine, SPACE_LINEAR, at, &other, 8, &err), -EFAULT);
    CU_ASSERT_EQUAL(get(SPACE_PHYSICAL, SM_PAGE + 0xffc) & 0xffffffff, 0x55667788);
    end();
}

/* --- what lay ahead --------------------------------------------------------------------------------- */

/* What was typed later than a change was not typed: the guest waits for who types now. */
static void
test_typed(void)
{
    static const struct subject once = {"build/guests/minios", "hardware", "", "echo ab\rexit\r",
                                        700};
    static struct rig rig, plain;
    const struct moment before = {.exits = 600, .edge = EDGE_IN};
    const uint64_t nothing = 0;

    rig_open(&rig, &once);
    rig_type(&rig, &once);
    rig_run_to_end(&rig);
    rig_open(&plain, &once);
    for (unsigned i = 0; i < 2; i++) {
        struct rig *r = i ? &rig : &plain;
        rig_seek(r, &before);
        CU_ASSERT_EQUAL(
            r->machine.ops->write(&r->machine, SPACE_PHYSICAL, 0x600, &nothing, 8, &r->err), 0);
        rig_seek(r, &(struct moment){.exits = 1200, .edge = EDGE_IN});
    }
    CU_ASSERT_EQUAL(machine_hash(&rig.machine), machine_hash(&plain.machine));
    rig_close(&plain);
    rig_close(&rig);
}

static const struct unit_test tests[] = {
    {"registers at the edge out", test_edge_out},
    {"an interrupt that can come now", test_interrupt},
    {"a page table", test_page_table},
    {"memory in two pages", test_two_pages},
    {"what was typed later", test_typed},
    {NULL, NULL},
};

const struct unit_suite suite_debugger_look = {"debugger_look", tests};
