/*
 * shadow.h - the shadow page tables of lab 6. given.c has the dispatcher and the pool; shadow.c is yours.
 *
 * The guest has page tables, and believes that the processor uses them. The processor uses others, made by
 * the VMM: the *shadow*. It is empty at first. A page fault shows which page is wanted; given.c walks the
 * guest's tables, and if they allow the access it has shadow_map() put the page into the shadow.
 *
 *   linear address   47..39 38..30 29..21 20..12 11..0
 *                    root   level3 level2 level1 in the page: nine bits each choose one of 512 entries
 *   entry            63 NX | 51..12 physical address | 2 U | 1 W | 0 P
 */
#ifndef HV_LABS_SHADOW_H
#define HV_LABS_SHADOW_H

#include "vmm.h"

#define PTE_P       UINT64_C(0x001)
#define PTE_W       UINT64_C(0x002)
#define PTE_U       UINT64_C(0x004)
#define PTE_NX      (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)
#define ENTRIES     512u
#define ROOTS_MAX   32u

/* Where the guest is decides what it may touch: each view has tables of its own. */
enum view { VIEW_USER, VIEW_KERNEL, VIEW_KERNEL_AC };

struct shadow {
    struct vmm *vmm; /* vmm->stale = true: the processor must forget what it knows of the shadow */

    /* The pool: pages 1 to POOL_PAGES - 1 are for tables; level[p] is 4 (root) to 1, 0 if p is free. */
    uint8_t level[POOL_PAGES];
    unsigned used;

    /* Roots that exist, one for each guest root and view. */
    struct {
        uint64_t cr3;
        enum view view;
        unsigned page;
    } root[ROOTS_MAX];
    unsigned roots;

    /* A byte for each page of guest RAM: hole 3 keeps 1 there if it is one of the guest's page tables. */
    uint8_t *is_table;
    uint64_t ram_pages;

    uint64_t fills, drops; /* counts: shadow_map(), shadow_drop() */
    uint64_t again, again_at, again_rip;
};

/* --- given.c ------------------------------------------------------------------------------------------- */

/* A page of the pool for a table of this level, all zero; 0: the pool is empty. */
unsigned pool_take(struct shadow *s, unsigned level);
/* Entry `index` (0 to 511) of the table in page `page` of the pool. */
uint64_t *pool_entry(struct shadow *s, unsigned page, unsigned index);
/* Between a page of the pool and its physical address, which is what entries hold. */
uint64_t pool_address(struct shadow *s, unsigned page);
unsigned pool_page(struct shadow *s, uint64_t entry);
/* Throws the whole shadow away: right at any time, and dear. */
void shadow_drop(struct shadow *s);

/* --- shadow.c ------------------------------------------------------------------------------------------- */

bool shadow_map(struct shadow *s, unsigned root, uint64_t linear, uint64_t gpa, bool write, bool execute);
void shadow_forget_page(struct shadow *s, uint64_t linear);

extern const bool shadow_coherent;
bool shadow_is_table(struct shadow *s, uint64_t gpa);
void shadow_table_used(struct shadow *s, uint64_t gpa);
void shadow_written(struct shadow *s, uint64_t gpa, unsigned len);

int not_yet(const char *what);

#endif
