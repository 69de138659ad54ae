/*
 * shadow.c - lab 6: shadow page tables.
 *
 *     make
 *     hv run --engine soft --strategy ./vmm.so --append map pages
 *
 * Read shadow.h first, then fill() and lab_page_fault() in given.c.
 */
#include "shadow.h"

/*
 * HOLE 1 - shadow_map(): one page into the shadow.
 *
 * root      page of the pool with the root table (level 4)
 * linear    where the guest sees the page; gpa: where it is, a multiple of 4096
 * write, execute   what the processor shall allow. It runs at CPL 3 always, so every entry on the way
 *                  needs PTE_U, also those for the guest's kernel; entries of levels 4 to 2 get W as well, and
 *                  no NX: the entry of level 1 decides
 * returns   true; false if pool_take() gave 0 (the pool is empty: given.c drops all and calls again)
 * hint      three steps down: entry (linear >> 12 + 9 * (level - 1)) & 511 of each table from level 4 to 2. If
 *           it is not present, take a page for the next level and enter its address. At level 1
 *           write the entry; if there was one, the processor may still know it (s->vmm->stale)
 */
bool
shadow_map(struct shadow *s, unsigned root, uint64_t linear, uint64_t gpa, bool write, bool execute)
{
    (void)s, (void)root, (void)linear, (void)gpa, (void)write, (void)execute;
    return not_yet("shadow_map (hole 1)");
}
/* END 1 */

/*
 * HOLE 2 - shadow_forget_page(): the guest has executed INVLPG.
 *
 * linear    an address in the page, in the address space that is loaded; do it in ALL roots (s->root[0] to
 *           s->root[s->roots - 1], .page): a view of the kernel and one of the user may both have it
 * does      empties the entry of level 1, where there is one; the next access faults, and given.c asks the
 *           guest's tables again. Tables of the pool stay where they are
 * hint      until INVLPG a processor may use what it remembers of an entry (SDM vol. 3, 4.10.4), so a
 *           shadow is nothing but a big TLB. The real one remembers the shadow: s->vmm->stale
 */
void
shadow_forget_page(struct shadow *s, uint64_t linear)
{
    (void)s, (void)linear;
}
/* END 2 */

/*
 * HOLE 3 - keep shadows, and keep them true.
 *
 * So far given.c drops the whole shadow when the guest loads CR3, as a TLB does; each switch between two
 * processes costs a page fault for every page that they use. Once shadow_coherent is true it does not drop
 * it, and finds the old root again. Then the VMM must notice by itself when the guest changes a table that
 * is not loaded now. How: a page that is one of the guest's tables is mapped read-only in every
 * shadow, so a write to it faults, and the interpreter does the write and tells shadow_written().
 *
 * shadow_is_table(gpa)      is the page at gpa one of the guest's tables that the shadow was made from?
 *                           gpa need not be RAM: gpa / 4096 < s->ram_pages, or it is none
 * shadow_table_used(gpa)    the page at gpa was a table in a walk whose result is about to be mapped. It is
 *                           one from now on; if it was none before, every entry of level 1 (s->level[p]
 *                           == 1) in the whole pool that maps it with W loses W
 * shadow_written(gpa, len)  about to be written, by the interpreter: any page of the guest's. If it is a
 *                           table, what was made from it is no longer true. shadow_drop() is right; hv's own
 *                           shadow.c drops only what hangs below the entry
 * hint      forget the W that are there already, and a guest that fills a page before it makes it a table
 *           goes on writing it unseen. s->is_table has a byte for each page, and shadow_drop() clears it
 */
const bool shadow_coherent = false;

bool
shadow_is_table(struct shadow *s, uint64_t gpa)
{
    (void)s, (void)gpa;
    return false;
}

void
shadow_table_used(struct shadow *s, uint64_t gpa)
{
    (void)s, (void)gpa;
}

void
shadow_written(struct shadow *s, uint64_t gpa, unsigned len)
{
    (void)s, (void)gpa, (void)len;
}
/* END 3 */
