/*
 * space.c - a process' address space: regions, whose pages come when they are touched.
 *
 * A page fault is how the kernel hears of it: there is no page yet (demand), or it is shared with
 * another process since fork() and now to be written (copy on write). Called by trap.c for the
 * faults, by exec.c and proc.c to make spaces, and by all who copy from or to the user.
 */
#include "kernel.h"

#define HEAP_MAX 0x1000000

int
space_create(struct space *space)
{
    memset(space, 0, sizeof(*space));
    space->pml4 = vm_create();
    return space->pml4 ? 0 : -ENOMEM;
}

void
space_destroy(struct space *space)
{
    vm_destroy(space->pml4);
    space->pml4 = NULL;
}

static struct region *
region_at(struct space *space, uint64_t address)
{
    for (struct region *r = space->regions; r < space->regions + MAX_REGIONS; r++)
        if (address >= r->start && address < r->end)
            return r;
    return NULL;
}

static bool
is_free(const struct space *space, uint64_t start, uint64_t end)
{
    for (const struct region *r = space->regions; r < space->regions + MAX_REGIONS; r++)
        if (r->start < r->end && start < r->end && r->start < end)
            return false;
    return true;
}

int
space_add(struct space *space, uint64_t start, uint64_t end, bool write, bool execute)
{
    struct region *r = &space->regions[1];
    if (start >= end || end > USER_END || (start | end) % PAGE || !is_free(space, start, end))
        return -ENOMEM;
    while (r < space->regions + MAX_REGIONS && r->start < r->end)
        r++;
    if (r == space->regions + MAX_REGIONS)
        return -ENOMEM;
    *r = (struct region){start, end, write, execute};
    return 0;
}

/* --- pages come ------------------------------------------------------------------------------- */

/* The page is there, but shared since fork() and therefore read-only: give us our own. */
static void *
unshare(uint64_t *entry, uint64_t address, const struct region *r)
{
    void *old = vm_target(*entry), *page = old;
    if (pmm_is_shared(old)) {
        page = pmm_alloc();
        if (!page)
            return NULL;
        memcpy(page, old, PAGE);
        pmm_free(old);
    }
    priv_set_pte(entry, vm_user_pte(page, true, r->execute));
    priv_invlpg(address); /* the TLB has the read-only one */
    return page;
}

/* The kernel's address of the page that holds `address`, which lies in region r; the page is
 * made if it is not there yet, or not ours to write. NULL: no memory. */
static char *
page_at(struct space *space, const struct region *r, uint64_t address, bool write)
{
    uint64_t *entry = vm_entry(space->pml4, address, true);
    void *page;
    if (!entry)
        return NULL;
    if (*entry & PTE_P) {
        if (write && r->write && !(*entry & PTE_W))
            return unshare(entry, address, r);
        return vm_target(*entry);
    }
    /* A not present entry is never in the TLB: no INVLPG (SDM vol. 3, 4.10.2.3). */
    page = pmm_alloc();
    if (page)
        priv_set_pte(entry, vm_user_pte(page, r->write, r->execute));
    return page;
}

int
space_fault(struct space *space, uint64_t address, uint64_t error)
{
    const struct region *r = region_at(space, address);
    bool write = error & PF_WRITE;
    if (!r || (write && !r->write) || (error & PF_FETCH && !r->execute))
        return -EFAULT;
    if (error & PF_PRESENT && !write) /* the page is there, but not for this */
        return -EFAULT;
    return page_at(space, r, address, write) ? 0 : -ENOMEM;
}

/* --- pages are shared, pages go ---------------------------------------------------------------- */

/* Both may read the page; whoever writes first gets a copy (unshare). */
static int
share_page(uint64_t *from, uint64_t *to_pml4, uint64_t address)
{
    uint64_t *to = vm_entry(to_pml4, address, true);
    if (!to)
        return -ENOMEM;
    if (*from & PTE_W)
        vm_set_later(from, *from & ~(uint64_t)PTE_W);
    vm_set_later(to, *from & ~(uint64_t)PTE_W);
    pmm_share(vm_target(*from));
    return 0;
}

int
space_clone(struct space *to, struct space *from)
{
    int error = space_create(to);
    if (error)
        return error;
    memcpy(to->regions, from->regions, sizeof(to->regions));
    for (const struct region *r = from->regions; r < from->regions + MAX_REGIONS; r++)
        for (uint64_t a = r->start; a < r->end && !error; a += PAGE) {
            uint64_t *entry = vm_entry(from->pml4, a, false);
            if (entry && *entry & PTE_P)
                error = share_page(entry, to->pml4, a);
        }
    vm_flush();
    priv_write_cr3(virt_to_phys(from->pml4)); /* `from` is in use: the TLB has writable pages */
    if (error)
        space_destroy(to);
    return error;
}

uint64_t
space_brk(struct space *space, uint64_t end)
{
    struct region *heap = &space->regions[0], before = *heap;
    uint64_t page_end = (end + PAGE - 1) & -(uint64_t)PAGE;
    if (end < heap->start || end > heap->start + HEAP_MAX)
        return space->brk;
    heap->end = heap->start;
    if (page_end > heap->start && !is_free(space, heap->start, page_end)) {
        *heap = before;
        return space->brk;
    }
    heap->end = page_end;
    for (uint64_t a = page_end; a < before.end; a += PAGE) { /* it shrinks */
        uint64_t *entry = vm_entry(space->pml4, a, false);
        if (entry && *entry & PTE_P) {
            void *page = vm_target(*entry);
            priv_set_pte(entry, 0);
            priv_invlpg(a);
            pmm_free(page);
        }
    }
    return space->brk = end;
}

/* --- copying ----------------------------------------------------------------------------------- */

enum direction { FROM_USER, TO_USER, TO_PROGRAM };

/* Page by page: neighbours in virtual memory need not be neighbours in RAM. */
static int
copy(struct space *space, uint64_t user, char *kernel, size_t size, enum direction direction)
{
    while (size) {
        const struct region *r = region_at(space, user);
        size_t part = PAGE - user % PAGE;
        char *page;
        if (!r || (direction == TO_USER && !r->write))
            return -EFAULT;
        page = page_at(space, r, user, direction != FROM_USER);
        if (!page)
            return -ENOMEM;
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
    return 0;
}

int
space_copy_in(struct space *space, void *to, uint64_t from, size_t size)
{
    return copy(space, from, to, size, FROM_USER);
}

int
space_copy_out(struct space *space, uint64_t to, const void *from, size_t size)
{
    return copy(space, to, (char *)from, size, TO_USER);
}

int
space_load(struct space *space, uint64_t to, const void *from, size_t size)
{
    return copy(space, to, (char *)from, size, TO_PROGRAM);
}
