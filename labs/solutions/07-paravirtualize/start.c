/*
 * start.c - what of paravirt/priv.h is more than a line: the trap table and page tables.
 *
 * The rule that the VMM enforces (docs/HYPERCALLS.md): no page table is writable for us. The kernel
 * maps all RAM, so a page becomes read-only there before it becomes a table, and writable again
 * when it is none any more. Until the first priv_write_cr3() the VMM's map is in use and nothing is a
 * table yet: tables are plain memory.
 */
#include "kernel.h"

#define ENTRIES 512
#define CALLS   64

struct priv_state priv_state;
struct hc_shared priv_shared __attribute__((aligned(PAGE)));

/* --- traps ------------------------------------------------------------------------------------- */

/* Gates as trap.c draws them: the address is in three parts, DPL 3 lets user mode use INT n. */
void
priv_lidt(const void *base, uint16_t limit)
{
    static struct hc_trap traps[VECTORS];
    const uint64_t *gate = base;

    priv_state.idt = (struct priv_table){limit, (uint64_t)base};
    for (unsigned v = 0; v < VECTORS; v++, gate += 2)
        traps[v] = (struct hc_trap){
            .address = (gate[0] & 0xffff) | (gate[0] >> 32 & 0xffff0000) | gate[1] << 32,
            .flags = HC_TRAP_MASKED | ((gate[0] >> 45 & 3) == 3 ? HC_TRAP_USER : 0),
        };
    priv_hypercall(HC_SET_TRAPS, (uint64_t)traps, VECTORS);
}

/* --- entries ----------------------------------------------------------------------------------- */

static uint64_t
for_cpl3(uint64_t value)
{
    return value & PTE_P ? value | PTE_U : value;
}

/* There are no large pages: 512 small ones, by a table of our own. */
static void
set_large(volatile uint64_t *entry, uint64_t value)
{
    uint64_t *table = pmm_alloc();

    if (!table)
        panic(NULL, "no memory for a page table");
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = for_cpl3(value & ~(uint64_t)PTE_PS) + i * PAGE;
    *entry = virt_to_phys(table) | PTE_P | PTE_W | PTE_U;
}

/*
 * HOLE 2 - page tables.
 *
 * update_one  has the VMM write one entry of a page table that is in use: call->argument[0] is the physical
 *             address of the entry, argument[1] its new value
 * call        HC_UPDATE (address, value); what it answers goes to call->result: 0 or a negative errno
 * set_root    the page tables at `physical` become those in use: HC_SET_ROOT (physical). Returns the answer
 * hint        the tables are read-only for this kernel: a plain write to one is a page fault
 */
static void
update_one(struct hc_call *call)
{
    call->result = priv_hypercall(HC_UPDATE, call->argument[0], call->argument[1]);
}

static int64_t
set_root(uint64_t physical)
{
    return priv_hypercall(HC_SET_ROOT, physical, 0);
}
/* END 2 */

/*
 * HOLE 5 - many at once.
 *
 * update_many  the same as update_one() for calls[0] to calls[count - 1], count at least 1
 * call         HC_MULTICALL (address of the array, count): each element's number, argument[] and result are as
 *              for a call of its own, and it is one exit for all of them
 * hint         below is an exit for each. calls[n].number is HC_UPDATE already. For a single one a multicall
 *              is no gain: the VMM would read and write an array for it
 */
static void
update_many(struct hc_call *calls, unsigned count)
{
    if (count == 1)
        update_one(calls);
    else
        priv_hypercall(HC_MULTICALL, (uint64_t)calls, count);
}
/* END 5 */

/* Interrupts are off, so the array is ours alone. */
void
priv_set_ptes(const struct priv_update *updates, unsigned count)
{
    static struct hc_call calls[CALLS];

    for (unsigned done = 0, n; done < count; done += n) {
        for (n = 0; n < CALLS && done + n < count; n++) {
            const struct priv_update *u = &updates[done + n];
            if (priv_state.rooted)
                calls[n] = (struct hc_call){
                    HC_UPDATE, {virt_to_phys((void *)u->entry), for_cpl3(u->value)}, 0};
            else if (u->value & PTE_PS)
                set_large(u->entry, u->value);
            else
                *u->entry = for_cpl3(u->value);
        }
        if (!priv_state.rooted)
            continue;
        update_many(calls, n);
        for (unsigned i = 0; i < n; i++)
            if (calls[i].result < 0)
                panic(NULL, "the VMM refuses entry %p = %p: %d", (void *)calls[i].argument[0],
                      (void *)calls[i].argument[1], (int)calls[i].result);
    }
}

/* --- tables ------------------------------------------------------------------------------------ */

/* How the kernel maps a page: read-only or not. */
static void
protect(void *page, uint64_t writable)
{
    int64_t result = priv_hypercall(HC_UPDATE_LINEAR, (uint64_t)page,
                                    virt_to_phys(page) | PTE_P | PTE_U | PTE_NX | writable);
    if (result < 0)
        panic(NULL, "the VMM refuses to protect %p: %d", page, (int)result);
}

void
priv_table_new(void *page, unsigned level)
{
    (void)level;
    if (priv_state.rooted)
        protect(page, 0);
}

void
priv_table_free(void *page)
{
    protect(page, PTE_W);
}

/* The entry of level 1 that maps a kernel address, in tables that are still plain memory. */
static uint64_t *
entry_of(uint64_t *pml4, const void *page)
{
    uint64_t address = (uint64_t)page, *table = pml4;
    for (unsigned shift = 39; shift > 12; shift -= 9)
        table = phys_to_virt(table[address >> shift & (ENTRIES - 1)] & PTE_ADDR);
    return &table[address >> 12 & (ENTRIES - 1)];
}

/* Before they are used for the first time: all tables read-only in the map that they make. */
static void
protect_all(uint64_t *pml4, uint64_t *table, unsigned level)
{
    *entry_of(pml4, table) &= ~(uint64_t)PTE_W;
    for (unsigned i = 0; level > 1 && i < ENTRIES; i++)
        if (table[i] & PTE_P)
            protect_all(pml4, phys_to_virt(table[i] & PTE_ADDR), level - 1);
}

void
priv_write_cr3(uint64_t physical)
{
    int64_t result;

    if (!priv_state.rooted)
        protect_all(phys_to_virt(physical), phys_to_virt(physical), 4);
    result = set_root(physical);
    if (result < 0)
        panic(NULL, "the VMM refuses the page tables at %p: %d", (void *)physical, (int)result);
    priv_state.rooted = true;
}
