/*
 * soft_debug.c - what a debugger needs of the soft engine: points to stop at, and where the state lies.
 *
 * No point is written into guest memory, and none costs anything elsewhere. An instruction in a page
 * with an execute point never comes from the cache of decoded instructions without a look at its
 * address (soft_cache_miss); a page with a watch point has no fast entry in the TLB (isa/x86/mem.c). The
 * guest cannot tell, and no exit or instruction is counted for a stop.
 *
 * Called by soft.c and soft_cache.c. Next: core/state.h, which says what makes a snapshot.
 */
#include <errno.h>

#include "engine/soft.h"

/* --- execute points --------------------------------------------------------------------------- */

bool
soft_page_stops(const struct engine_vcpu *v, uint64_t page)
{
    for (unsigned i = 0; i < v->stops.count; i++)
        if (v->stops.execute[i].address >> 12 == page)
            return true;
    return false;
}

/* A REP that goes on is not about to begin, and RF says that the instruction is tried again after a
 * fault (SDM vol. 3, 17.3.1.1): the guest's own breakpoints do not strike there either. */
bool
soft_stops_at(struct engine_vcpu *v, uint64_t linear)
{
    if (v->cpu.r.rflags & FLAG_RF || x86_between_iterations(&v->cpu))
        return false;
    for (unsigned i = 0; i < v->stops.count; i++)
        if (v->stops.execute[i].address == linear) {
            v->stops.reached = v->stops.execute[i].id;
            return true;
        }
    return false;
}

bool
soft_stops_here(struct engine_vcpu *v)
{
    const struct x86_cpu *cpu = &v->cpu;

    return v->stops.count && !(cpu->attention & (ATTENTION_REPLAY | ATTENTION_TRAP)) &&
           soft_stops_at(v, (cpu->seg_base[X86_CS] + cpu->r.rip) & cpu->linear_mask);
}

void
soft_exit_stop(struct vcpu *vcpu)
{
    struct vm_exit *exit = soft_begin_exit(vcpu, TRACE_DEBUG);

    exit->debug.at_point = true;
    exit->debug.point = vcpu->engine->stops.reached;
}

/* --- watch points ----------------------------------------------------------------------------- */

void
soft_watch_result(struct engine_vcpu *v, int result)
{
    const struct x86_cpu *cpu = &v->cpu;

    switch (result) {
    case EMU_OK:
    case EMU_HALT: return;
    case EMU_IO:
    case EMU_MMIO:
        if (cpu->access.write)
            return;
        break;
    case EMU_FAULT:
        if (cpu->fault.trap)
            return;
        break;
    default: break;
    }
    v->stops.watches.hit = false;
}

bool
soft_exit_watch(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    struct x86_watches *watches = &v->stops.watches;

    if (!watches->hit || v->cpu.attention & ATTENTION_REPLAY || v->cpu.delivering)
        return false;
    struct vm_exit *exit = soft_begin_exit(vcpu, TRACE_DEBUG);
    exit->debug.at_point = true;
    exit->debug.point = watches->id;
    exit->debug.address = watches->address;
    watches->hit = false;
    return true;
}

/* --- setting them ----------------------------------------------------------------------------- */

static int
check_point(const struct stop_point *p, unsigned *execute, unsigned *watch, struct error *err)
{
    if (p->kind == STOP_EXECUTE) {
        if (++*execute > SOFT_EXECUTE_MAX)
            return error_set(err, ENOSPC, "engine soft has room for %u breakpoints: delete some",
                             SOFT_EXECUTE_MAX);
        return 0;
    }
    if (!p->size || p->address + (p->size - 1) < p->address)
        return error_set(err, EINVAL,
                         "a watch point needs at least one byte, and an end that is "
                         "not behind the end of the address space");
    if (++*watch > X86_WATCH_MAX)
        return error_set(err, ENOSPC, "engine soft has room for %u watch points: delete some",
                         X86_WATCH_MAX);
    return 0;
}

int
soft_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
               struct error *err)
{
    struct engine_vcpu *v = vcpu->engine;
    struct soft_stops *stops = &v->stops;
    unsigned execute = 0, watch = 0;

    for (unsigned i = 0; i < count; i++) {
        int rc = check_point(&points[i], &execute, &watch, err);
        if (rc)
            return rc;
    }
    stops->count = stops->watches.count = 0;
    stops->watches.hit = false;
    for (unsigned i = 0; i < count; i++) {
        const struct stop_point *p = &points[i];
        if (p->kind == STOP_EXECUTE) {
            stops->execute[stops->count].address = p->address;
            stops->execute[stops->count++].id = i;
            continue;
        }
        stops->watches.watch[stops->watches.count++] = (struct x86_watch){
            .address = p->address,
            .size = p->size,
            .read = p->kind != STOP_WRITE,
            .write = p->kind != STOP_READ,
            .id = i,
        };
    }
    /* What is remembered of pages is from before. */
    x86_tlb_slow(&v->cpu, true);
    v->cpu.fetch.tag = X86_TLB_NONE;
    return 0;
}

/* --- state ------------------------------------------------------------------------------------ */

/* All of it but the cache of decoded instructions, the points to stop at and who is kicking. A stale
 * entry of the TLB is something that a guest can see, so the TLB goes along. */
unsigned
soft_state(struct vcpu *vcpu, struct state_part *parts)
{
    struct engine_vcpu *v = vcpu->engine;
    struct x86_cpu *cpu = &v->cpu;

    parts[0] = state_between(&cpu->r, &cpu->mode, false);
    parts[1] = state_between(&cpu->mode, &cpu->retired, true);
    parts[2] = state_between(&cpu->retired, &cpu->run_until, false);
    parts[3] = state_between(&cpu->run_until, cpu + 1, true);
    parts[4] = state_between(&v->idle, (void *)&v->kicked, false);
    return 5;
}

/* The TLB may be older than the marks of written pages and the points to stop at. */
void
soft_restored(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;

    soft_cache_forget(v);
    x86_tlb_slow(&v->cpu, true);
    v->cpu.insn = &v->cpu.fetched;
    v->stops.watches.hit = false;
    v->kicked = 0;
}
