/*
 * engine.c - the same cases on the soft engine, which keeps decoded instructions.
 *
 * machine.c asks x86_emulate_one() for each instruction. The engine has a loop of its own around the
 * same functions, and a cache that must notice when code is written over. It gets a machine with
 * the same memory, runs each case from a cold cache and again from a warm one, and must end
 * exactly as the interpreter did.
 */
#include "tests/diff/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "engine/engines.h"

#define BUDGET 60000 /* instructions of one case; more than STEP_LIMIT of machine.c */

struct diff_engine {
    struct vm vm;
    struct x86_regs system;     /* the machine's; a case's are put into a copy */
    uint64_t code, data, stack; /* guest-physical */
};

struct diff_engine *
engine_create(const struct diff_machine *m)
{
    struct diff_engine *e = calloc(1, sizeof(*e));
    struct error err = {""};

    if (!e)
        return NULL;
    e->system = m->cpu.r;
    e->code = (uint64_t)(m->code - m->memory[0]);
    e->data = (uint64_t)(m->data - m->memory[0]);
    e->stack = (uint64_t)(m->stack - m->memory[0]);
    if (vm_create(&e->vm, RAM_MIN, &err) || engine_soft.open(&e->vm, &err)) {
        fprintf(stderr, "diff_cpu: %s\n", err.message);
        free(e);
        return NULL;
    }
    memcpy(e->vm.ram.host, m->memory, sizeof(m->memory));
    return e;
}

void
engine_destroy(struct diff_engine *e)
{
    engine_soft.close(&e->vm);
    vm_destroy(&e->vm);
    free(e);
}

uint8_t *
engine_data(struct diff_engine *e)
{
    return e->vm.ram.host + e->data;
}

static void
put_code(struct diff_engine *e, const struct diff_case *c, bool fill)
{
    uint8_t *at = e->vm.ram.host + e->code + c->start;

    if (fill)
        memset(at, DIFF_FILL, c->length);
    else
        memcpy(at, c->code, c->length);
    ram_written(&e->vm.ram, e->code + c->start, c->length);
}

/* From the case's first instruction to the HLT that every handler begins with. */
static void
run_once(struct diff_engine *e, const struct diff_case *c, struct diff_end *end)
{
    struct vcpu *vcpu = &e->vm.vcpu[0];
    struct x86_regs r = e->system;
    struct error err = {""};

    memset(end, 0, sizeof(*end));
    machine_registers(&r, &c->in);
    if (engine_soft.set_regs(vcpu, &r, &err) || engine_soft.run(vcpu, UINT64_MAX, BUDGET, &err) ||
        engine_soft.get_regs(vcpu, &r, &err)) {
        fprintf(stderr, "diff_cpu: soft engine: %s\n", err.message);
        exit(2);
    }
    if (vcpu->exit.kind == TRACE_HLT) {
        r.rip--;
        machine_frame(&r, e->vm.ram.host + e->stack, end);
    } else {
        end->stop = vcpu->exit.kind == TRACE_LIMIT           ? STOP_TIMEOUT
                    : vcpu->exit.kind == TRACE_UNIMPLEMENTED ? STOP_UNIMPLEMENTED
                                                             : STOP_OTHER;
        end->error = vcpu->exit.kind;
    }
    end->memory = diff_hash(engine_data(e), DIFF_RW_SIZE);
}

bool
engine_run(struct diff_engine *e, const struct diff_case *c, struct diff_end *end)
{
    uint8_t data[DIFF_RW_SIZE];
    struct diff_end cold;

    memcpy(data, engine_data(e), sizeof(data));
    put_code(e, c, false);
    run_once(e, c, &cold);
    memcpy(engine_data(e), data, sizeof(data));
    run_once(e, c, end);
    put_code(e, c, true);
    return !memcmp(&cold, end, sizeof(cold));
}
