/*
 * given.c - the given half of lab 6: why did the guest fault, the pool of pages, and what else changes the
 * meaning of a linear address (MOV to CR3, INVLPG, CR0.WP ...). The tests use this file as it came.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadow.h"
#include "strategy/deprivilege.h"

static struct shadow the_shadow;
static const char *missing; /* the hole that was met last */
static bool walking;        /* x86_page_walk() sets accessed and dirty bits: they take nothing away */

int
not_yet(const char *what)
{
    missing = what;
    return 0;
}

/* --- the pool ------------------------------------------------------------------------------------------- */

unsigned
pool_take(struct shadow *s, unsigned level)
{
    if (s->used + 1 >= POOL_PAGES)
        return 0;
    unsigned page = ++s->used;
    memset(s->vmm->pool + (uint64_t)page * PAGE_SIZE, 0, PAGE_SIZE);
    s->level[page] = (uint8_t)level;
    return page;
}

uint64_t *
pool_entry(struct shadow *s, unsigned page, unsigned index)
{
    return (uint64_t *)(void *)(s->vmm->pool + (uint64_t)page * PAGE_SIZE) + index % ENTRIES;
}

uint64_t
pool_address(struct shadow *s, unsigned page)
{
    return s->vmm->pool_gpa + (uint64_t)page * PAGE_SIZE;
}

unsigned
pool_page(struct shadow *s, uint64_t entry)
{
    return (unsigned)(((entry & PTE_ADDRESS) - s->vmm->pool_gpa) / PAGE_SIZE) % POOL_PAGES;
}

void
shadow_drop(struct shadow *s)
{
    memset(s->level, 0, sizeof(s->level));
    memset(s->is_table, 0, s->ram_pages);
    s->used = s->roots = 0;
    s->drops++;
    s->vmm->stale = true;
}

/* --- roots ------------------------------------------------------------------------------------------------ */

static enum view
view_now(const struct vmm *vmm)
{
    const struct x86_regs *r = &vmm->cpu.r;

    if (vmm->cpu.cpl == 3)
        return VIEW_USER;
    return r->cr4 & CR4_SMAP && r->rflags & FLAG_AC ? VIEW_KERNEL_AC : VIEW_KERNEL;
}

/* The root for what the guest has in CR3 now, made if it is not there. */
static unsigned
root_page(struct shadow *s)
{
    uint64_t cr3 = s->vmm->cpu.r.cr3 & PTE_ADDRESS;
    enum view view = view_now(s->vmm);

    for (unsigned i = 0; i < s->roots; i++)
        if (s->root[i].cr3 == cr3 && s->root[i].view == view)
            return s->root[i].page;
    unsigned page = s->roots < ROOTS_MAX ? pool_take(s, 4) : 0;
    if (!page) {
        shadow_drop(s);
        page = pool_take(s, 4);
    }
    *pool_entry(s, page, MONITOR_SLOT) = deprivilege_root_entry();
    s->root[s->roots].cr3 = cr3;
    s->root[s->roots].view = view;
    s->root[s->roots++].page = page;
    return page;
}

static uint64_t
lab_root(struct vmm *vmm)
{
    (void)vmm;
    return pool_address(&the_shadow, root_page(&the_shadow));
}

/* --- a page fault --------------------------------------------------------------------------------------- */

/* The same instruction, the same address, again and again: the shadow did not change. */
static bool
is_stuck(struct shadow *s, uint64_t linear)
{
    if (s->again_at != linear || s->again_rip != s->vmm->cpu.r.rip)
        s->again = 0;
    s->again_at = linear;
    s->again_rip = s->vmm->cpu.r.rip;
    return ++s->again > 8;
}

static bool
fill(struct vmm *vmm, uint64_t linear, const struct x86_walk *walk, struct run_result *result)
{
    struct shadow *s = &the_shadow;
    const struct x86_regs *r = &vmm->cpu.r;
    bool kernel = vmm->cpu.cpl < 3, writable;
    /* A page is writable in the shadow only when the guest's dirty bit is set: else the first write would
     * go by without the guest's tables saying so. The walk for a write has just set it. */
    bool write = walk->dirty && (walk->writable || (kernel && !(r->cr0 & CR0_WP)));
    bool execute = walk->executable && !(kernel && walk->user && r->cr4 & CR4_SMEP);
    char sentence[160];

    vmm_is_memory(vmm, walk->gpa, &writable);
    for (unsigned i = 0; i < walk->steps; i++)
        shadow_table_used(s, walk->step[i].entry_gpa & PTE_ADDRESS);
    write = write && writable && !shadow_is_table(s, walk->gpa);
    s->fills++;
    missing = NULL;
    for (unsigned try = 0; try < 2; try++) {
        if (shadow_map(s, root_page(s), linear, walk->gpa & PTE_ADDRESS, write, execute) && !is_stuck(s, linear))
            return true;
        if (missing || s->again > 8)
            break;
        shadow_drop(s); /* the pool is empty */
    }
    snprintf(sentence, sizeof(sentence),
             missing ? "%s is not written yet; the guest needs linear address %#" PRIx64
                     : "%s%#" PRIx64 " faults again and again: shadow_map() does not enter it",
             missing ? missing : "linear address ", linear);
    return vmm_fail(result, sentence);
}

static bool
lab_page_fault(struct vmm *vmm, uint64_t linear, uint32_t error, struct run_result *result)
{
    bool write = error & PF_WRITE, writable = false;
    struct x86_walk walk;

    if ((linear >> 39 & (ENTRIES - 1)) == MONITOR_SLOT)
        return vmm_interpret(vmm, result); /* the VMM's own slot */
    walking = true;
    int emu = x86_page_walk(&vmm->cpu, linear, (write ? ACCESS_WRITE : 0) | (error & PF_FETCH ? ACCESS_FETCH : 0),
                            vmm->cpu.cpl, &walk);
    walking = false;
    if (emu) /* the guest's own page fault: its tables forbid it */
        return vmm_reflect(vmm, result);
    if (!vmm_is_memory(vmm, walk.gpa, &writable) || (write && !writable))
        return vmm_interpret(vmm, result); /* a device, or ROM */
    if (write && shadow_is_table(&the_shadow, walk.gpa))
        return vmm_interpret(vmm, result); /* lab_written() is told */
    return fill(vmm, linear, &walk, result);
}

/* --- what changes the meaning of an address ---------------------------------------------------------------- */

static void
lab_written(struct vmm *vmm, uint64_t gpa, unsigned len)
{
    (void)vmm;
    if (!walking)
        shadow_written(&the_shadow, gpa, len);
}

/* The bits that decide what a guest's entry allows: when they change, no shadow entry is true. */
static uint64_t
rules(const struct x86_regs *r)
{
    return (r->cr0 & CR0_WP) | (r->cr4 & (CR4_SMEP | CR4_SMAP)) | (r->efer & EFER_NXE);
}

#define OPCODE_0F01   0x101u /* ModRM.reg 7, memory: INVLPG */
#define OPCODE_TO_CR  0x122u /* ModRM.reg: which CR */

static int
lab_emulate(struct vmm *vmm, const struct x86_insn *in)
{
    uint64_t before = rules(&vmm->cpu.r), linear = 0;
    bool invlpg = in->opcode == OPCODE_0F01 && (in->modrm >> 3 & 7) == 7 && in->modrm < 0xc0;
    bool load_cr3 = in->opcode == OPCODE_TO_CR && (in->modrm >> 3 & 7) == 3;

    if (invlpg)
        linear = vmm_operand(vmm, in);
    int emu = x86_emulate_one(&vmm->cpu);
    if (emu == EMU_OK && invlpg)
        shadow_forget_page(&the_shadow, linear);
    if (before != rules(&vmm->cpu.r) || (emu == EMU_OK && load_cr3 && !shadow_coherent))
        shadow_drop(&the_shadow);
    return emu;
}

/* --- vmm_parts --------------------------------------------------------------------------------------------- */

static int
lab_open(struct vmm *vmm, struct error *err)
{
    struct shadow *s = &the_shadow;

    s->vmm = vmm;
    s->ram_pages = vmm->vcpu->vm->ram.size / PAGE_SIZE;
    s->is_table = calloc(s->ram_pages, 1);
    return s->is_table ? 0 : error_set(err, ENOMEM, "no memory");
}

static void
lab_report(struct vmm *vmm)
{
    struct shadow *s = &the_shadow;

    fprintf(stderr, "shadow: %" PRIu64 " fills, %" PRIu64 " times dropped, %" PRIu64 " instructions interpreted\n",
            s->fills, s->drops, vmm->interprets);
    free(s->is_table);
}

const struct vmm_parts vmm_parts = {
    .name = "lab6",
    .open = lab_open,
    .root = lab_root,
    .page_fault = lab_page_fault,
    .emulate = lab_emulate,
    .written = lab_written,
    .report = lab_report,
};
