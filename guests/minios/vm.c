/*
 * vm.c - virtual memory: page tables of four levels (SDM vol. 3, 4.5).
 *
 * The kernel's part (the last entry of the top level, the PML4) is the same in all address spaces:
 * they share the table below it. A task's part is a few regions, whose pages are allocated when
 * they are first touched (vm_fault). Called by kmain(), trap.c, exec.c, proc.c and syscall.c.
 */
#include "kernel.h"

#define ENTRIES    512
#define USER_SLOTS 256 /* of the PML4: the lower half of all addresses */

static uint64_t *kernel_pml4, *pml4_in_use;
static uint64_t nx, global; /* PTE_NX and PTE_G, or 0 if the processor lacks them */

/* Each level takes nine bits of the address: level 4 bits 47-39, ... level 1 bits 20-12. */
static unsigned
index_at(uint64_t address, unsigned level)
{
    return address >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static uint64_t *
table_of(uint64_t entry)
{
    return phys_to_virt(entry & PTE_ADDR);
}

/*
 * The entry for `address` in the table of `level` (1: 4 KiB pages, 2: 2 MiB pages). Missing tables
 * on the way are made if `make`. NULL: not there, or no memory. What a user may do is said by the
 * last entry alone, so the entries on the way allow everything.
 */
static uint64_t *
entry_at(uint64_t *pml4, uint64_t address, unsigned level, bool make)
{
    uint64_t *table = pml4;
    for (unsigned l = 4; l > level; l--) {
        uint64_t *entry = &table[index_at(address, l)];
        if (!(*entry & PTE_P)) {
            void *page = make ? pmm_alloc() : NULL;
            if (!page)
                return NULL;
            priv_table_new(page, l - 1);
            priv_set_pte(entry,
                         virt_to_phys(page) | PTE_P | PTE_W | (address < USER_END ? PTE_U : 0));
        }
        table = table_of(*entry);
    }
    return &table[index_at(address, level)];
}

/* Maps physical start..end at KERNEL_BASE + start, by the largest pages that fit. */
static void
map_kernel(uint64_t start, uint64_t end, uint64_t flags)
{
    while (start < end) {
        bool large = start % LARGE_PAGE == 0 && end - start >= LARGE_PAGE;
        uint64_t *entry = entry_at(kernel_pml4, start + KERNEL_BASE, large ? 2 : 1, true);
        if (!entry)
            panic(NULL, "no memory for the kernel's page tables");
        priv_set_pte(entry, start | flags | PTE_P | global | (large ? PTE_PS : 0));
        start += large ? LARGE_PAGE : PAGE;
    }
}

void
vm_init(uint64_t memory_end)
{
    extern char kernel_text[], kernel_rodata[], kernel_data[];

    nx = cpu.nx ? PTE_NX : 0;
    global = cpu.pge ? PTE_G : 0;
    kernel_pml4 = pmm_alloc();
    if (!kernel_pml4)
        panic(NULL, "no memory for the first page table");
    priv_table_new(kernel_pml4, 4);
    /* The image lies in the first 2 MiB (minios.ld sees to that): there the parts differ. No page
     * is both writable and executable. */
    map_kernel(0, virt_to_phys(kernel_text), PTE_W | nx);
    map_kernel(virt_to_phys(kernel_text), virt_to_phys(kernel_rodata), 0);
    map_kernel(virt_to_phys(kernel_rodata), virt_to_phys(kernel_data), nx);
    map_kernel(virt_to_phys(kernel_data), LARGE_PAGE, PTE_W | nx);
    map_kernel(LARGE_PAGE, memory_end, PTE_W | nx);
    vm_use(NULL);
}

void
vm_use(const struct space *space)
{
    uint64_t *pml4 = space ? space->pml4 : kernel_pml4;
    if (pml4 != pml4_in_use) /* loading CR3 empties the TLB, and may be an exit */
        priv_write_cr3(virt_to_phys(pml4));
    pml4_in_use = pml4;
}

bool
vm_create(struct space *space)
{
    memset(space, 0, sizeof(*space));
    space->pml4 = pmm_alloc();
    if (!space->pml4)
        return false;
    priv_table_new(space->pml4, 4);
    priv_set_pte(&space->pml4[ENTRIES - 1], kernel_pml4[ENTRIES - 1]);
    return true;
}

/* Frees what the entries of a table lead to: pages (level 1) or tables. */
static void
free_below(uint64_t *table, unsigned level, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!(table[i] & PTE_P))
            continue;
        if (level > 1) {
            free_below(table_of(table[i]), level - 1, ENTRIES);
            priv_table_free(table_of(table[i]));
        }
        pmm_free(table_of(table[i]));
    }
}

/* The caller sees to it that the space is not in use. */
void
vm_destroy(struct space *space)
{
    free_below(space->pml4, 4, USER_SLOTS);
    priv_table_free(space->pml4);
    pmm_free(space->pml4);
    space->pml4 = NULL;
}

bool
vm_add_region(struct space *space, uint64_t start, uint64_t end, bool write, bool execute)
{
    if (space->region_count == MAX_REGIONS || start >= end || end > USER_END ||
        (start | end) % PAGE)
        return false;
    for (unsigned i = 0; i < space->region_count; i++)
        if (start < space->regions[i].end && space->regions[i].start < end)
            return false;
    space->regions[space->region_count++] = (struct region){start, end, write, execute};
    return true;
}

static const struct region *
region_at(const struct space *space, uint64_t address)
{
    for (unsigned i = 0; i < space->region_count; i++)
        if (address >= space->regions[i].start && address < space->regions[i].end)
            return &space->regions[i];
    return NULL;
}

/* The kernel's address of the page that holds `address`, which lies in region r; the page is
 * allocated and mapped if it is not there yet. NULL: no memory. */
static char *
page_at(struct space *space, const struct region *r, uint64_t address)
{
    uint64_t *entry = entry_at(space->pml4, address, 1, true);
    void *page;
    if (!entry)
        return NULL;
    if (*entry & PTE_P)
        return (char *)table_of(*entry);
    page = pmm_alloc();
    if (page)
        priv_set_pte(entry, virt_to_phys(page) | PTE_P | PTE_U | (r->write ? PTE_W : 0) |
                                (r->execute ? 0 : nx));
    return page;
}

bool
vm_fault(struct space *space, uint64_t address, uint64_t error)
{
    const struct region *r = region_at(space, address);
    if (!r || error & PF_PRESENT) /* PRESENT: the page is there, but not for this */
        return false;
    if ((error & PF_WRITE && !r->write) || (error & PF_FETCH && !r->execute))
        return false;
    if (!page_at(space, r, address))
        return false;
    /* A not present entry is never in the TLB: no INVLPG (SDM vol. 3, 4.10.2.3). */
    space->demand_pages++;
    return true;
}

enum direction { FROM_USER, TO_USER, TO_PROGRAM };

/* Page by page: neighbours in virtual memory need not be neighbours in RAM. */
static bool
copy(struct space *space, uint64_t user, char *kernel, size_t size, enum direction direction)
{
    while (size) {
        const struct region *r = region_at(space, user);
        size_t part = PAGE - user % PAGE;
        char *page;
        if (!r || (direction == TO_USER && !r->write))
            return false;
        page = page_at(space, r, user);
        if (!page)
            return false;
        if (part > size)
            part = size;
        if (direction == FROM_USER)
            memcpy(kernel, page + user % PAGE, part);
        else
            memcpy(page + user % PAGE, kernel, part);
        user += part;
        kernel += part;
        size -= part;
    }
    return true;
}

bool
vm_copy_in(struct space *space, void *to, uint64_t from, size_t size)
{
    return copy(space, from, to, size, FROM_USER);
}

bool
vm_copy_out(struct space *space, uint64_t to, const void *from, size_t size)
{
    return copy(space, to, (char *)from, size, TO_USER);
}

bool
vm_load(struct space *space, uint64_t to, const void *from, size_t size)
{
    return copy(space, to, (char *)from, size, TO_PROGRAM);
}
