/*
 * vm.c - page tables of four levels (SDM vol. 3, 4.5).
 *
 * The kernel's part (the last entry of the top level, the PML4) is the same in all address spaces:
 * they share the table below it. Called by kmain() once; by space.c, which knows what belongs into
 * the user's part, and by proc.c, which chooses the space in use.
 */
#include "kernel.h"

#define ENTRIES    512
#define USER_SLOTS 256 /* of the PML4: the lower half of all addresses */
#define BATCH      64

static uint64_t *kernel_pml4, *pml4_in_use;
static uint64_t nx, global; /* PTE_NX and PTE_G, or 0 if the processor lacks them */

/* Each level takes nine bits of the address: level 4 bits 47-39, ... level 1 bits 20-12. */
static unsigned
index_at(uint64_t address, unsigned level)
{
    return address >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

void *
vm_target(uint64_t entry)
{
    return phys_to_virt(entry & PTE_ADDR);
}

static uint64_t *
new_table(unsigned level)
{
    uint64_t *table = pmm_alloc();
    if (table)
        priv_table_new(table, level);
    return table;
}

/*
 * The entry for `address` in the table of `level` (1: 4 KiB pages, 2: 2 MiB pages). What a user may
 * do is said by the last entry alone, so the entries on the way allow everything.
 */
static uint64_t *
entry_at(uint64_t *pml4, uint64_t address, unsigned level, bool make)
{
    uint64_t *table = pml4;
    for (unsigned l = 4; l > level; l--) {
        uint64_t *entry = &table[index_at(address, l)];
        if (!(*entry & PTE_P)) {
            void *page = make ? new_table(l - 1) : NULL;
            if (!page)
                return NULL;
            priv_set_pte(entry,
                         virt_to_phys(page) | PTE_P | PTE_W | (address < USER_END ? PTE_U : 0));
        }
        table = vm_target(*entry);
    }
    return &table[index_at(address, level)];
}

uint64_t *
vm_entry(uint64_t *pml4, uint64_t address, bool make)
{
    return entry_at(pml4, address, 1, make);
}

uint64_t *
vm_kernel_entry(uint64_t address)
{
    return entry_at(kernel_pml4, address, 1, true);
}

uint64_t
vm_user_pte(const void *page, bool write, bool execute)
{
    return virt_to_phys(page) | PTE_P | PTE_U | (write ? PTE_W : 0) | (execute ? 0 : nx);
}

/* --- many entries at once ---------------------------------------------------------------------- */

static struct priv_update batch[BATCH];
static unsigned batched;

void
vm_flush(void)
{
    if (batched)
        priv_set_ptes(batch, batched);
    batched = 0;
}

void
vm_set_later(uint64_t *entry, uint64_t value)
{
    if (batched == BATCH)
        vm_flush();
    batch[batched++] = (struct priv_update){entry, value};
}

/* --- the kernel's part ------------------------------------------------------------------------- */

/* Maps physical start..end at KERNEL_BASE + start, by the largest pages that fit. */
static void
map_kernel(uint64_t start, uint64_t end, uint64_t flags)
{
    while (start < end) {
        bool large = start % LARGE_PAGE == 0 && end - start >= LARGE_PAGE;
        uint64_t *entry = entry_at(kernel_pml4, start + KERNEL_BASE, large ? 2 : 1, true);
        if (!entry)
            panic(NULL, "no memory for the kernel's page tables");
        vm_set_later(entry, start | flags | PTE_P | global | (large ? PTE_PS : 0));
        start += large ? LARGE_PAGE : PAGE;
    }
}

void
vm_init(uint64_t memory_end)
{
    extern char kernel_text[], kernel_rodata[], kernel_data[];

    nx = cpu.nx ? PTE_NX : 0;
    global = cpu.pge ? PTE_G : 0;
    kernel_pml4 = new_table(4);
    if (!kernel_pml4)
        panic(NULL, "no memory for the first page table");
    /* The image lies in the first 2 MiB (minios.ld sees to that): there the parts differ. No page
     * is both writable and executable. */
    map_kernel(0, virt_to_phys(kernel_text), PTE_W | nx);
    map_kernel(virt_to_phys(kernel_text), virt_to_phys(kernel_rodata), 0);
    map_kernel(virt_to_phys(kernel_rodata), virt_to_phys(kernel_data), nx);
    map_kernel(virt_to_phys(kernel_data), LARGE_PAGE, PTE_W | nx);
    map_kernel(LARGE_PAGE, memory_end, PTE_W | nx);
    vm_flush();
    vm_use(NULL);
}

/* --- address spaces ---------------------------------------------------------------------------- */

void
vm_use(uint64_t *pml4)
{
    if (!pml4)
        pml4 = kernel_pml4;
    if (pml4 != pml4_in_use) /* loading CR3 empties the TLB, and may be an exit */
        priv_write_cr3(virt_to_phys(pml4));
    pml4_in_use = pml4;
}

uint64_t *
vm_create(void)
{
    uint64_t *pml4 = new_table(4);
    if (pml4)
        priv_set_pte(&pml4[ENTRIES - 1], kernel_pml4[ENTRIES - 1]);
    return pml4;
}

/* Gives up what the entries of a table lead to: pages (level 1) or tables; then the table. The
 * table goes first as a table, so that a VMM does not see it lead to pages that are free. */
static void
free_table(uint64_t *table, unsigned level, unsigned count)
{
    priv_table_free(table);
    for (unsigned i = 0; i < count; i++) {
        if (!(table[i] & PTE_P))
            continue;
        if (level > 1)
            free_table(vm_target(table[i]), level - 1, ENTRIES);
        else
            pmm_free(vm_target(table[i]));
    }
    pmm_free(table);
}

void
vm_destroy(uint64_t *pml4)
{
    free_table(pml4, 4, USER_SLOTS);
}
