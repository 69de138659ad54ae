/* soft_machine.c - see soft_machine.h. */
#include <string.h>

#include "device/device.h"
#include "engine/engine.h"
#include "loader/boot.h"
#include "strategy/strategy.h"
#include "tests/unit/soft_machine.h"
#include "tests/unit/unit.h"

#define RAM_SIZE   (UINT64_C(4) << 20)
#define IDT        SM_IDT
#define DIRECTORY  UINT64_C(0x380000)
#define PAGE_TABLE UINT64_C(0x381000)
#define ENTRY_ALL  UINT64_C(0x3) /* present, writable */
#define VECTOR     32u

/* --- the clock ---------------------------------------------------------------------------------- */

static void
clock_tick(void *dev, uint64_t now)
{
    struct soft_clock *c = dev;

    for (; now >= c->due; c->due += c->period)
        c->pending = 1;
}

static uint64_t
clock_next(void *dev)
{
    return ((struct soft_clock *)dev)->due;
}

static void *
clock_state(void *dev, size_t *size)
{
    *size = sizeof(struct soft_clock);
    return dev;
}

static const struct device_ops clock_ops = {
    .name = "clock",
    .summary = "a test's",
    .tick = clock_tick,
    .next = clock_next,
    .state = clock_state,
};

static bool
clock_pending(void *ctx)
{
    return ((struct soft_clock *)ctx)->pending;
}

static uint8_t
clock_acknowledge(void *ctx)
{
    ((struct soft_clock *)ctx)->pending = 0;
    return VECTOR;
}

/* --- the machine -------------------------------------------------------------------------------- */

uint64_t
soft_machine_address(const uint8_t *label)
{
    return SM_CODE + (uint64_t)(label - soft_guest_image);
}

static void
poke(struct vm *vm, uint64_t address, uint64_t value)
{
    memcpy(vm->ram.host + address, &value, sizeof(value));
}

/* An interrupt gate of 64 bits (SDM vol. 3, figure 6-8); all addresses are below 4 GiB. */
static void
put_gate(struct vm *vm, unsigned vector, uint16_t cs, const uint8_t *label)
{
    uint64_t to = soft_machine_address(label);

    poke(vm, IDT + 16 * vector,
         (to & 0xffff) | (uint64_t)cs << 16 | UINT64_C(0x8e) << 40 | (to >> 16 & 0xffff) << 48);
}

/* Level 3 of the loader's map gets a second entry, for SM_ALIAS. */
static void
map_alias(struct vm *vm, uint64_t root)
{
    uint64_t level3;

    memcpy(&level3, vm->ram.host + root, sizeof(level3));
    poke(vm, (level3 & ~UINT64_C(0xfff)) + 8, DIRECTORY | ENTRY_ALL);
    poke(vm, DIRECTORY, PAGE_TABLE | ENTRY_ALL);
}

void
soft_machine_open(struct soft_machine *m, const char *strategy, uint64_t turns, uint64_t period)
{
    struct vm *vm = &m->vm;
    struct vcpu *vcpu = &vm->vcpu[0];
    struct x86_regs regs;
    struct error err;

    memset(m, 0, sizeof(*m));
    m->clock = (struct soft_clock){.due = period, .period = period};
    vm->engine_ops = engine_find("soft");
    vm->strategy = strategy_find(strategy);
    vm->irq = (struct irq_source){&m->clock, clock_pending, clock_acknowledge, NULL};
    bus_add_device(&vm->bus, &clock_ops, &m->clock);
    CU_ASSERT_FATAL(!vm_create(vm, RAM_SIZE, &err));
    x86_regs_reset(&regs);
    boot_state_long64(&vm->ram, &regs, soft_machine_address(soft_guest_start));
    memcpy(vm->ram.host + SM_CODE, soft_guest_image, (size_t)(soft_guest_end - soft_guest_image));
    memcpy(vm->ram.host + SM_PAGE + 0x800, soft_guest_called,
           (size_t)(soft_guest_copied - soft_guest_called));
    put_gate(vm, VEC_PF, regs.seg[X86_CS].selector, soft_guest_fault);
    put_gate(vm, VECTOR, regs.seg[X86_CS].selector, soft_guest_tick);
    map_alias(vm, regs.cr3);
    regs.idtr = (struct x86_table){IDT, 16 * (VECTOR + 1) - 1};
    regs.gpr[X86_RSP] = SM_STACK;
    regs.gpr[X86_R11] = turns;
    regs.gpr[X86_R13] = SM_PAGE;
    regs.gpr[X86_R14] = SM_ALIAS;
    regs.gpr[X86_R15] = PAGE_TABLE + 8 * (SM_ALIAS >> 12 & 511);
    CU_ASSERT_FATAL(!vm->strategy->prepare || !vm->strategy->prepare(vm, &err));
    CU_ASSERT_FATAL(!vm->engine_ops->open(vm, &err));
    CU_ASSERT_FATAL(!vm->engine_ops->set_regs(vcpu, &regs, &err));
    CU_ASSERT_FATAL(!vm->strategy->attach(vcpu, &err));
    CU_ASSERT_FATAL(!ram_track(&vm->ram, &err));
    vcpu->resuming = true;
}

void
soft_machine_close(struct soft_machine *m)
{
    m->vm.strategy->detach(&m->vm.vcpu[0]);
    m->vm.engine_ops->close(&m->vm);
    vm_destroy(&m->vm);
}

struct x86_regs
soft_machine_regs(struct soft_machine *m)
{
    struct vcpu *vcpu = &m->vm.vcpu[0];
    struct x86_regs regs = {0};
    struct error err;

    CU_ASSERT_EQUAL((m->vm.strategy->get_regs ? m->vm.strategy->get_regs
                                              : m->vm.engine_ops->get_regs)(vcpu, &regs, &err),
                    0);
    return regs;
}
