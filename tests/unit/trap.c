/*
 * trap.c - tests of strategy trap with small kernels on engine soft: what a hostile guest may try.
 * The kernels are trap_guest.S.
 */
#include <string.h>

#include "engine/engine.h"
#include "engine/soft.h"
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
    trap_guest_null[], trap_guest_triple[], trap_guest_row[], trap_guest_edge[],
    trap_guest_selectors[], trap_guest_alignment[], trap_guest_repeat[], trap_guest_nested[],
    trap_guest_compat[], trap_guest_int1[];

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

static bool
irq_pending(void *ctx)
{
    (void)ctx;
    return true;
}

static uint8_t
irq_acknowledge(void *ctx)
{
    (void)ctx;
    return 32;
}

/* Runs the kernel at `label` to its end, at most 1000 instructions and 10000 exits. An interrupt waits
 * all the time: it comes when the kernel sets IF. */
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
    vm.irq = (struct irq_source){NULL, irq_pending, irq_acknowledge, NULL};
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

/* SDM vol. 3, 17.3.1.4: a trap after each of OUT and NOP, and none in the handler. OUT has two bytes,
 * NOP one. Both times DR6.BS says why (17.2.3), and RF is clear, as it was (17.3.1.1). */
static void
test_step(void)
{
    expect(trap_guest_step, 0x0203 | UINT64_C(2) << 32);
}

/* SDM vol. 2, INT n: #DB without a look at DPL. DR6 says nothing. */
static void
test_int1(void)
{
    expect(trap_guest_int1, 0);
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

/* On the way to an interrupt's handler as anywhere else (SDM vol. 3, 6.15, double fault). */
static void
test_triple(void)
{
    const struct strategy_ops *strategies[] = {&strategy_hardware, &strategy_trap};

    for (unsigned i = 0; i < 2; i++) {
        run(trap_guest_triple, strategies[i]);
        CU_ASSERT_EQUAL(result.end, RUN_SHUTDOWN);
        end();
    }
}

/* SDM vol. 3, 6.8.3: only the first of many holds interrupts off for sure. */
static void
test_row(void)
{
    expect(trap_guest_row, 1);
}

/* SDM vol. 3, 3.3.7.1: not canonical, so #GP, for the instruction that would be there. */
static void
test_edge(void)
{
    expect(trap_guest_edge, 1);
}

static void
test_selectors(void)
{
    expect(trap_guest_selectors, 0xfff0);
}

/* SDM vol. 3, 2.5 (AM): for CPL 3 alone, which under trap the kernel has, too. */
static void
test_alignment(void)
{
    expect(trap_guest_alignment, 1);
}

/* SDM vol. 3, 17.3.1.1: RF is set in the frame, and what is left to do is in RCX. */
static void
test_repeat(void)
{
    expect(trap_guest_repeat, 0x109);
}

static void
test_nested(void)
{
    expect(trap_guest_nested, 0x4000);
}

/* That is the guest's doing, not a failure of ours. */
static void
test_compat(void)
{
    run(trap_guest_compat, &strategy_hardware);
    CU_ASSERT_EQUAL(result.end, RUN_HALTED);
    end();
    run(trap_guest_compat, &strategy_trap);
    CU_ASSERT_EQUAL(result.end, RUN_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(result.message.message, "--strategy hardware"));
    end();
}

/* A closed A20 gate would make the processor walk other tables than the shadows. */
static void
test_a20(void)
{
    run(trap_guest_null, &strategy_hardware);
    vm.engine_ops->set_a20(&vm, false);
    CU_ASSERT_EQUAL(vm.vcpu[0].engine->cpu.mem.a20_mask, ~(UINT64_C(1) << 20));
    end();
    run(trap_guest_null, &strategy_trap);
    vm.engine_ops->set_a20(&vm, false);
    CU_ASSERT_EQUAL(vm.vcpu[0].engine->cpu.mem.a20_mask, UINT64_MAX);
    end();
}

/*
 * On kvm the processor knows instructions that the interpreter does not, SSE's among them. Here one
 * writes to a page that was a root: it is none any more then. And one has met #GP: that is the
 * guest's, not the #UD of the interpreter.
 */
static void
test_unknown(void)
{
    static const uint8_t movaps[] = {0x0f, 0x29, 0x07, 0xfb,
                                     0x0f, 0x29, 0x07}; /* [rdi], xmm0; STI */
    const uint64_t code = 0x80000, page = 0x123000;
    struct run_result res = {0};
    struct error err;

    run(trap_guest_null, &strategy_trap);
    struct trap *trap = trap_of(&vm.vcpu[0]);
    struct vm_exit *exit = &vm.vcpu[0].exit;
    CU_ASSERT_EQUAL_FATAL(trap_sync(trap, &err), 0);
    memcpy(vm.ram.host + code, movaps, sizeof(movaps));
    trap->cpu.r.rip = code;
    trap->cpu.r.gpr[X86_RDI] = page;
    shadow_root(&trap->shadow, page, SHADOW_USER); /* another address space's, long ago */
    CU_ASSERT(shadow_is_table(&trap->shadow, page));
    *exit = (struct vm_exit){.kind = TRACE_EXCEPTION};
    exit->exception.vector = VEC_PF;
    exit->exception.has_error = true;
    exit->exception.error = PF_PRESENT | PF_WRITE | PF_USER;
    exit->exception.address = page;
    CU_ASSERT(trap_dispatch(trap, &res));
    CU_ASSERT_EQUAL(trap->cpu.r.rip, code); /* to be executed for real */
    CU_ASSERT(!shadow_is_table(&trap->shadow, page));
    CU_ASSERT(shadow_look(&trap->shadow, trap->cpu.r.cr3, SHADOW_KERNEL, page) & 2 /* W */);

    exit->exception.vector = VEC_GP;
    exit->exception.error = 0;
    trap->cpu.r.rip = code + 3; /* STI, and MOVAPS in its shadow: left to the processor */
    CU_ASSERT(trap_dispatch(trap, &res));
    CU_ASSERT_EQUAL(trap->cpu.r.rip, code + 4);
    CU_ASSERT(trap->cpu.r.rflags & FLAG_IF && !trap->cpu.r.shadow);

    trap->cpu.r.rip = code;
    CU_ASSERT(trap_dispatch(trap, &res));
    CU_ASSERT_EQUAL(trap->cpu.r.rip, address_of(trap_guest_fault));
    uint64_t frame[2];
    CU_ASSERT_EQUAL(ram_read(&vm.ram, trap->cpu.r.gpr[X86_RSP], frame, sizeof(frame)), 0);
    CU_ASSERT_EQUAL(frame[0], 0); /* an error code, which #UD has not */
    CU_ASSERT_EQUAL(frame[1], code);
    end();
}

/* A root in ROM is the same one each time, and what is entered below it can be found. */
static void
test_rom_root(void)
{
    const uint64_t rom = 0xfffff000, page = 0x123000;
    struct x86_walk walk = {.gpa = page, .page_size = PAGE_SIZE, .steps = 1};
    static uint8_t image[PAGE_SIZE];
    struct shadow *shadow;
    struct error err;

    run(trap_guest_null, &strategy_trap);
    shadow = &trap_of(&vm.vcpu[0])->shadow;
    CU_ASSERT_EQUAL_FATAL(ram_add_rom(&vm.ram, rom, image, sizeof(image), &err), 0);
    uint64_t root = shadow_root(shadow, rom, SHADOW_KERNEL);
    unsigned used = shadow->used;
    CU_ASSERT_EQUAL(shadow_root(shadow, rom, SHADOW_KERNEL), root);
    CU_ASSERT_EQUAL(shadow->used, used);
    CU_ASSERT_NOT_EQUAL(shadow_root(shadow, rom, SHADOW_USER), root);
    shadow_map(shadow, rom, SHADOW_KERNEL, 0x400000, &walk, false, true);
    CU_ASSERT_EQUAL(shadow_look(shadow, rom, SHADOW_KERNEL, 0x400000) & ~UINT64_C(0xfff), page);
    CU_ASSERT_EQUAL(shadow_look(shadow, rom, SHADOW_USER, 0x400000), 0);
    CU_ASSERT_EQUAL(shadow_root(shadow, rom, SHADOW_KERNEL), root);
    shadow_drop(shadow);
    CU_ASSERT_EQUAL(shadow_look(shadow, rom, SHADOW_KERNEL, 0x400000), 0);
    end();
}

static const struct unit_test tests[] = {
    {"SYSENTER does not reach the real ring 0", test_sysenter},
    {"the monitor's slot of the address space", test_slot},
    {"single step over OUT", test_step},
    {"INT1", test_int1},
    {"a null selector in FS", test_null},
    {"a triple fault on the way to an interrupt's handler", test_triple},
    {"300 times MOV SS", test_row},
    {"an interpreted instruction at the end of the canonical half", test_edge},
    {"IRETQ with the monitor's selectors", test_selectors},
    {"alignment is checked for programs alone", test_alignment},
    {"an interrupt between two iterations of REP", test_repeat},
    {"NT outlives an exit", test_nested},
    {"a guest that leaves 64-bit mode", test_compat},
    {"the A20 gate does not bend the real page tables", test_a20},
    {"what only the processor knows", test_unknown},
    {"a root table in ROM", test_rom_root},
    {"time passes while all is interpreted", test_time},
    {NULL, NULL},
};

const struct unit_suite suite_trap = {"trap", tests};
