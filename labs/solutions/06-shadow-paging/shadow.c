/*
 * shadow.c - lab 6: shadow page tables. The reference.
 *
 *     make
 *     hv run --engine soft --strategy ./vmm.so --append map pages
 *
 * Read shadow.h first, then fill() and lab_page_fault() in given.c.
 */
#include "shadow.h"

/* HOLE 1 */
static unsigned
index_of(uint64_t linear, unsigned level)
{
    return linear >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

bool
shadow_map(struct shadow *s, unsigned root, uint64_t linear, uint64_t gpa, bool write, bool execute)
{
    unsigned page = root;

    for (unsigned level = 4; level > 1; level--) {
        uint64_t *entry = pool_entry(s, page, index_of(linear, level));
        if (!(*entry & PTE_P)) {
            unsigned next = pool_take(s, level - 1);
            if (!next)
                return false;
            *entry = pool_address(s, next) | PTE_U | PTE_W | PTE_P;
        }
        page = pool_page(s, *entry);
    }
    uint64_t *leaf = pool_entry(s, page, index_of(linear, 1));
    if (*leaf & PTE_P)
        s->vmm->stale = true;
    *leaf = gpa | PTE_U | PTE_P | (write ? PTE_W : 0) | (execute ? 0 : PTE_NX);
    return true;
}
/* END 1 */

/* HOLE 2 */
void
shadow_forget_page(struct shadow *s, uint64_t linear)
{
    for (unsigned r = 0; r < s->roots; r++) {
        unsigned page = s->root[r].page, level = 4;
        for (; level > 1; level--) {
            uint64_t entry = *pool_entry(s, page, linear >> (12 + 9 * (level - 1)) & (ENTRIES - 1));
            if (!(entry & PTE_P))
                break;
            page = pool_page(s, entry);
        }
        if (level == 1)
            *pool_entry(s, page, linear >> 12 & (ENTRIES - 1)) = 0;
    }
    s->vmm->stale = true;
}
/* END 2 */

/* HOLE 3 */
const bool shadow_coherent = true;

bool
shadow_is_table(struct shadow *s, uint64_t gpa)
{
    return gpa / PAGE_SIZE < s->ram_pages && s->is_table[gpa / PAGE_SIZE];
}

void
shadow_table_used(struct shadow *s, uint64_t gpa)
{
    if (gpa / PAGE_SIZE >= s->ram_pages || s->is_table[gpa / PAGE_SIZE])
        return;
    s->is_table[gpa / PAGE_SIZE] = 1;
    for (unsigned p = 1; p <= s->used; p++)
        for (unsigned i = 0; s->level[p] == 1 && i < ENTRIES; i++) {
            uint64_t *entry = pool_entry(s, p, i);
            if ((*entry & PTE_P) && (*entry & PTE_ADDRESS) == (gpa & PTE_ADDRESS))
                *entry &= ~PTE_W;
        }
    s->vmm->stale = true;
}

void
shadow_written(struct shadow *s, uint64_t gpa, unsigned len)
{
    (void)len; /* within one page */
    if (shadow_is_table(s, gpa))
        shadow_drop(s);
}
/* END 3 */
