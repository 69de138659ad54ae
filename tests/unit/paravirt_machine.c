/* paravirt_machine.c - see paravirt_machine.h. */
#include <string.h>

#include "engine/engine.h"
#include "engine/engines.h"
#include "loader/boot.h"
#include "strategy/strategies.h"
#include "strategy/strategy.h"
#include "tests/unit/paravirt_machine.h"

bool
pv_open(struct pv_machine *m, const void *code, size_t size)
{
    struct vm *vm = &m->vm;
    struct x86_regs regs;

    memset(m, 0, sizeof(*m));
    vm->engine_ops = engine_find("soft");
    vm->strategy = &strategy_paravirt;
    m->console.in = m->console.out = -1;
    m->console.keep = true;
    vm->console = &m->console;
    if (vm_create(vm, PV_RAM, &m->err))
        return false;
    x86_regs_reset(&regs);
    boot_state_long64(&vm->ram, &regs, HC_BOOT_BASE + PV_CODE);
    memcpy(vm->ram.host + PV_CODE, code, size);
    if (vm->strategy->prepare(vm, &m->err) || vm->engine_ops->open(vm, &m->err) ||
        vm->engine_ops->set_regs(&vm->vcpu[0], &regs, &m->err) ||
        vm->strategy->attach(&vm->vcpu[0], &m->err)) {
        pv_close(m);
        return false;
    }
    m->pv = paravirt_of(&vm->vcpu[0]);
    return true;
}

void
pv_close(struct pv_machine *m)
{
    m->vm.strategy->detach(&m->vm.vcpu[0]);
    if (m->vm.engine)
        m->vm.engine_ops->close(&m->vm);
    console_free(&m->console);
    vm_destroy(&m->vm);
}

void
pv_run(struct pv_machine *m, uint64_t instructions)
{
    struct run_limits limits = {.instructions = instructions};

    vm_run(&m->vm, &limits, &m->result);
}

int64_t
pv_call(struct pv_machine *m, uint64_t number, uint64_t a, uint64_t b)
{
    m->pv->regs.gpr[X86_RAX] = number;
    m->pv->regs.gpr[X86_RDI] = a;
    m->pv->regs.gpr[X86_RSI] = b;
    paravirt_hypercall(m->pv);
    return (int64_t)m->pv->regs.gpr[X86_RAX];
}

static void
set(struct pv_machine *m, unsigned page, unsigned slot, uint64_t entry)
{
    memcpy(m->vm.ram.host + PV_TABLES + page * PAGE_SIZE + 8 * slot, &entry, 8);
}

/* 0 root; 1, 2, 3 levels 3 to 1 of the kernel's half; 4, 5, 6 of the user's. */
uint64_t
pv_make_tables(struct pv_machine *m, uint64_t user_frame, unsigned user_pages)
{
    const uint64_t all = ENTRY_P | ENTRY_W | ENTRY_U;

    memset(m->vm.ram.host + PV_TABLES, 0, (size_t)PV_TABLE_PAGES * PAGE_SIZE);
    set(m, 0, 511, (PV_TABLES + 1 * PAGE_SIZE) | all);
    set(m, 1, 510, (PV_TABLES + 2 * PAGE_SIZE) | all);
    set(m, 2, 0, (PV_TABLES + 3 * PAGE_SIZE) | all);
    for (unsigned i = 0; i < 512; i++) {
        uint64_t page = (uint64_t)i * PAGE_SIZE;
        bool table = page >= PV_TABLES &&
                     page / PAGE_SIZE - PV_TABLES / PAGE_SIZE < PV_TABLE_PAGES + PV_SPARE_PAGES;
        set(m, 3, i, page | (table ? all & ~ENTRY_W : all));
    }
    set(m, 0, 0, (PV_TABLES + 4 * PAGE_SIZE) | all);
    set(m, 4, 0, (PV_TABLES + 5 * PAGE_SIZE) | all);
    set(m, 5, PV_USER >> 21, (PV_TABLES + 6 * PAGE_SIZE) | all);
    for (unsigned i = 0; i < user_pages; i++)
        set(m, 6, i, (user_frame + (uint64_t)i * PAGE_SIZE) | all);
    return PV_TABLES;
}
