/*
 * trap.c - tests of strategy trap with small kernels on engine soft: what a hostile guest may try.
 * The kernels are trap_guest.S.
 */
#include <string.h>

#include "engine/engine.h"
#include "loader/boot.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"
#include "strategy/trap/trap.h"
#include "tests/unit/suites.h"

#define RAM_SIZE (UINT64_C(4) << 20)
#define CODE     UINT64_C(0x100000)
#define IDT      UINT64_C(0x200000)
#define STACK    UINT64_C(0x300000)

extern const uint8_t trap_guest_image[], trap_guest_end[], trap_guest_debug[], trap_guest_fault[],
    trap_guest_sysenter[], trap_guest_slot[], trap_guest_step[], trap_guest_iret[],
    trap_guest_null[];

static struct vm vm;
static struct run_result result;

static uint64_t
address_of(const uint8_t *label)
{
    return CODE + (uint64_t)(label - trap_guest_image);
}

/* An interrupt gate of 64 bits (SDM vol. 3, figure 6-8); all addresses here are below 4 GiB. */
static void
put_gate(unsigned vector, uint16_t cs, uint64_t to)
{
    uint64_t low = (to & 0xffff) | (uint64_t)cs << 16 | UINT64_C(0x8e) << 40 |
                   (to >> 16 & 0xffff) << 48;

    memcpy(vm.ram.host + IDT + 16 * vector, &low, sizeof(low));
}

/* Runs the kernel at `label` to its end, at most 1000 instructions and 10000 exits. */
static void
run(const uint8_t *label, const struct strategy_ops *strategy)
{
    struct run_limits limits = {.instructions = 1000, .exits = 10000};
    struct vcpu *vcpu = &vm.vcpu[0];
    struct x86_regs regs;
    struct error err;

    memset(&vm, 0, sizeof(vm));
    vm.engine_ops = engine_find("soft");
    vm.strategy = strategy;
    CU_ASSERT_FATAL(!vm_create(&vm, RAM_SIZE, &err));
    x86_regs_reset(&regs);
    boot_state_long64(&vm.ram, &regs, address_of(label));
    memcpy(vm.ram.host + CODE, trap_guest_image, (size_t)(trap_guest_end - trap_guest_image));
    for (unsigned v = 0; v < 32; v++)
        put_gate(v, regs.seg[X86_CS].selector,
                 address_of(v == VEC_DB ? trap_guest_debug : trap_guest_fault));
    regs.idtr = (struct x86_table){IDT, 0x1ff};
    regs.gpr[X86_RSP] = STACK;
    regs.gpr[X86_RDI] = regs.seg[X86_CS].selector;
    regs.gpr[X86_RSI] = regs.seg[X86_SS].selector;
    CU_ASSERT_FATAL(!strategy->prepare || !strategy->prepare(&vm, &err));
    CU_ASSERT_FATAL(!vm.engine_ops->open(&vm, &err));
    CU_ASSERT_FATAL(!vm.engine_ops->set_regs(vcpu, &regs, &err));
    CU_ASSERT_FATAL(!strategy->attach || !strategy->attach(vcpu, &err));
    vm_run(&vm, &limits, &result);
}

static void
end(void)
{
    if (vm.strategy->detach)
        vm.strategy->detach(&vm.vcpu[0]);
    vm.engine_ops->close(&vm);
    vm_destroy(&vm);
}

/* The kernel ends by HLT, with this in rbx, as it does on its own machine. */
static void
expect(const uint8_t *label, uint64_t rbx)
{
    const struct strategy_ops *strategies[] = {&strategy_hardware, &strategy_trap};
    struct x86_regs regs;
    struct error err;

    for (unsigned i = 0; i < 2; i++) {
        run(label, strategies[i]);
        CU_ASSERT_EQUAL(result.end, RUN_HALTED);
        CU_ASSERT_EQUAL_FATAL(vm.engine_ops->get_regs(&vm.vcpu[0], &regs, &err), 0);
        CU_ASSERT_EQUAL(regs.gpr[X86_RBX], rbx);
        end();
    }
}

/* SYSENTER reads no descriptor (SDM vol. 2): with the guest's own MSRs it would be in ring 0. */
static void
test_sysenter(void)
{
    expect(trap_guest_sysenter, 1);
}

static void
test_slot(void)
{
    expect(trap_guest_slot, 0x33);
}

/* SDM vol. 3, 17.3.1.4: a trap after each of OUT and NOP, and none in the handler. */
static void
test_step(void)
{
    expect(trap_guest_step, 0x0203); /* OUT has two bytes, NOP one */
}

static void
test_null(void)
{
    expect(trap_guest_null, 0);
}

/* What the interpreter carries out takes time as well, or no timer could end this. */
static void
test_time(void)
{
    run(trap_guest_iret, &strategy_trap);
    CU_ASSERT_EQUAL(result.end, RUN_LIMIT);
    CU_ASSERT(vm.exits < 1100);
    CU_ASSERT(vm.engine_ops->time(&vm.vcpu[0]) >= 1000);
    end();
}

static const struct unit_test tests[] = {
    {"SYSENTER does not reach the real ring 0", test_sysenter},
    {"the monitor's slot of the address space", test_slot},
    {"single step over OUT", test_step},
    {"a null selector in FS", test_null},
    {"time passes while all is interpreted", test_time},
    {NULL, NULL},
};

const struct unit_suite suite_trap = {"trap", tests};
