/*
 * shadow.c - see shadow.h: tables that shadow the guest's, made by page faults, kept true by
 * write-protecting what they were made from.
 *
 * Three invariants hold between any two calls:
 *   1. An entry of a shadow table is either empty, or what the guest's entry of the same index says.
 *   2. A guest page with a shadow table made from it is mapped writable by no leaf entry.
 *   3. Every leaf entry for a page of RAM is on that page's mapped_by list.
 *
 * Called by dispatcher.c. Next: dispatcher.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/deprivilege.h"
#include "strategy/trap/shadow.h"

#define PTE_P       UINT64_C(0x001)
#define PTE_W       UINT64_C(0x002)
#define PTE_U       UINT64_C(0x004)
#define PTE_NX      (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000000fffffff000)
#define ENTRIES     512u

/* --- the pool --------------------------------------------------------------------------------- */

static uint64_t *
entry_at(const struct shadow *shadow, unsigned table, unsigned index)
{
    return (uint64_t *)(void *)(shadow->pool + (uint64_t)table * PAGE_SIZE) + index;
}

static uint64_t
table_gpa(const struct shadow *shadow, unsigned table)
{
    return shadow->pool_gpa + (uint64_t)table * PAGE_SIZE;
}

static void
put_entry(struct shadow *shadow, unsigned table, unsigned index, uint64_t value)
{
    *entry_at(shadow, table, index) = value;
    ram_written(shadow->ram, table_gpa(shadow, table) + 8 * index, sizeof(value));
}

/* The table that a non-leaf entry points to. */
static unsigned
child_of(const struct shadow *shadow, uint64_t entry)
{
    return (unsigned)(((entry & PTE_ADDRESS) - shadow->pool_gpa) / PAGE_SIZE);
}

void
shadow_drop(struct shadow *shadow)
{
    uint64_t pages = shadow->ram->size / PAGE_SIZE;

    memset(shadow->tables_of, 0, pages * sizeof(*shadow->tables_of));
    memset(shadow->mapped_by, 0, pages * sizeof(*shadow->mapped_by));
    shadow->free = SHADOW_NONE;
    for (unsigned t = SHADOW_TABLES - 1; t > SHADOW_NONE; t--) {
        shadow->table[t] = (struct shadow_table){.next = shadow->free};
        shadow->free = (uint16_t)t;
    }
    shadow->used = 0;
    shadow->resets++;
    shadow->stale = true;
}

int
shadow_open(struct shadow *shadow, struct ram *ram, uint8_t *pool, uint64_t pool_gpa,
            struct error *err)
{
    uint64_t pages = ram->size / PAGE_SIZE;

    *shadow = (struct shadow){.ram = ram, .pool = pool, .pool_gpa = pool_gpa};
    shadow->table = calloc(SHADOW_TABLES, sizeof(*shadow->table));
    shadow->tables_of = calloc(pages, sizeof(*shadow->tables_of));
    shadow->mapped_by = calloc(pages, sizeof(*shadow->mapped_by));
    shadow->also = calloc(SHADOW_TABLES * ENTRIES, sizeof(*shadow->also));
    if (!shadow->table || !shadow->tables_of || !shadow->mapped_by || !shadow->also) {
        shadow_close(shadow);
        return error_set(err, ENOMEM, "no memory for shadow page tables");
    }
    shadow_drop(shadow);
    return 0;
}

void
shadow_close(struct shadow *shadow)
{
    free(shadow->table);
    free(shadow->tables_of);
    free(shadow->mapped_by);
    free(shadow->also);
    *shadow = (struct shadow){0};
}

/* --- leaf entries and who maps a page ---------------------------------------------------------- */

static bool
is_ram(const struct shadow *shadow, uint64_t gpa)
{
    return gpa < shadow->ram->size;
}

static void
set_leaf(struct shadow *shadow, unsigned table, unsigned index, uint64_t entry)
{
    uint64_t gpa = entry & PTE_ADDRESS;
    uint32_t number = table * ENTRIES + index;

    put_entry(shadow, table, index, entry);
    if (is_ram(shadow, gpa)) {
        shadow->also[number] = shadow->mapped_by[gpa / PAGE_SIZE];
        shadow->mapped_by[gpa / PAGE_SIZE] = number;
    }
}

static void
clear_leaf(struct shadow *shadow, unsigned table, unsigned index)
{
    uint64_t gpa = *entry_at(shadow, table, index) & PTE_ADDRESS;

    put_entry(shadow, table, index, 0);
    shadow->drops++;
    shadow->stale = true;
    if (!is_ram(shadow, gpa))
        return;
    uint32_t number = table * ENTRIES + index;
    uint32_t *link = &shadow->mapped_by[gpa / PAGE_SIZE];
    while (*link != number)
        link = &shadow->also[*link];
    *link = shadow->also[number];
}

/* Invariant 2: this page has become a guest table. */
static void
protect_page(struct shadow *shadow, uint64_t gpa)
{
    for (uint32_t n = shadow->mapped_by[gpa / PAGE_SIZE]; n; n = shadow->also[n]) {
        uint64_t entry = *entry_at(shadow, n / ENTRIES, n % ENTRIES);
        if (entry & PTE_W) {
            put_entry(shadow, n / ENTRIES, n % ENTRIES, entry & ~PTE_W);
            shadow->stale = true;
        }
    }
}

/* --- tables ------------------------------------------------------------------------------------- */

/* A fresh table, or SHADOW_NONE if the pool is empty. */
static unsigned
new_table(struct shadow *shadow, uint64_t guest, unsigned level, enum shadow_view view)
{
    unsigned table = shadow->free;

    if (table == SHADOW_NONE)
        return SHADOW_NONE;
    shadow->free = shadow->table[table].next;
    shadow->table[table] = (struct shadow_table){
        .guest = guest, .level = (uint8_t)level, .view = (uint8_t)view};
    memset(entry_at(shadow, table, 0), 0, PAGE_SIZE);
    ram_written(shadow->ram, table_gpa(shadow, table), PAGE_SIZE);
    if (level == 4)
        put_entry(shadow, table, MONITOR_SLOT, deprivilege_root_entry());
    if (guest != SHADOW_SPLIT && is_ram(shadow, guest)) {
        uint16_t *head = &shadow->tables_of[guest / PAGE_SIZE];
        if (*head == SHADOW_NONE)
            protect_page(shadow, guest);
        shadow->table[table].next = *head;
        *head = (uint16_t)table;
    }
    if (++shadow->used > shadow->most_used)
        shadow->most_used = shadow->used;
    return table;
}

static void free_table(struct shadow *shadow, unsigned table);

/* Empties one entry and, below it, all that hangs there. At most four levels deep. */
static void
clear_entry(struct shadow *shadow, unsigned table, unsigned index)
{
    uint64_t entry = *entry_at(shadow, table, index);

    if (!(entry & PTE_P) || (shadow->table[table].level == 4 && index == MONITOR_SLOT))
        return;
    if (shadow->table[table].level == 1) {
        clear_leaf(shadow, table, index);
        return;
    }
    unsigned child = child_of(shadow, entry);
    put_entry(shadow, table, index, 0);
    shadow->stale = true;
    free_table(shadow, child);
}

static void
free_table(struct shadow *shadow, unsigned table)
{
    struct shadow_table *t = &shadow->table[table];

    for (unsigned i = 0; i < ENTRIES; i++)
        clear_entry(shadow, table, i);
    if (t->guest != SHADOW_SPLIT && is_ram(shadow, t->guest)) {
        uint16_t *link = &shadow->tables_of[t->guest / PAGE_SIZE];
        while (*link != table)
            link = &shadow->table[*link].next;
        *link = t->next;
    }
    *t = (struct shadow_table){.next = shadow->free};
    shadow->free = (uint16_t)table;
    shadow->used--;
}

/* --- for the dispatcher ------------------------------------------------------------------------- */

static bool
is_root(const struct shadow *shadow, unsigned table, uint64_t guest, enum shadow_view view)
{
    const struct shadow_table *t = &shadow->table[table];

    return t->level == 4 && t->guest == guest && t->view == view;
}

/* The root table of cr3 in this view, or SHADOW_NONE. A root in ROM above RAM is on no list. */
static unsigned
look_for_root(const struct shadow *shadow, uint64_t cr3, enum shadow_view view)
{
    uint64_t guest = cr3 & PTE_ADDRESS;
    unsigned t;

    if (is_ram(shadow, guest)) {
        for (t = shadow->tables_of[guest / PAGE_SIZE]; t; t = shadow->table[t].next)
            if (is_root(shadow, t, guest, view))
                return t;
        return SHADOW_NONE;
    }
    for (t = SHADOW_TABLES - 1; t > SHADOW_NONE && !is_root(shadow, t, guest, view);)
        t--;
    return t;
}

/* The same, made if it is not there; SHADOW_NONE: the pool is empty. */
static unsigned
find_root(struct shadow *shadow, uint64_t cr3, enum shadow_view view)
{
    unsigned root = look_for_root(shadow, cr3, view);

    return root == SHADOW_NONE ? new_table(shadow, cr3 & PTE_ADDRESS, 4, view) : root;
}

uint64_t
shadow_root(struct shadow *shadow, uint64_t cr3, enum shadow_view view)
{
    unsigned root = find_root(shadow, cr3, view);

    if (root == SHADOW_NONE) {
        shadow_drop(shadow);
        root = find_root(shadow, cr3, view);
    }
    return table_gpa(shadow, root);
}

/* The leaf table for linear, made from the root down; SHADOW_NONE: the pool is empty. */
static unsigned
leaf_table(struct shadow *shadow, unsigned table, uint64_t linear, const struct x86_walk *walk)
{
    assert((linear >> 39 & (ENTRIES - 1)) != MONITOR_SLOT);
    for (unsigned level = 4; level > 1 && table != SHADOW_NONE; level--) {
        unsigned index = linear >> (12 + 9 * (level - 1)) & (ENTRIES - 1), parent = table;
        uint64_t entry = *entry_at(shadow, parent, index);
        /* Step n of the walk read the guest's table of level 4 - n; a large page ends it early. */
        unsigned step = 4 - (level - 1);
        uint64_t guest = step < walk->steps
                             ? walk->step[step].entry_gpa & ~(uint64_t)(PAGE_SIZE - 1)
                             : SHADOW_SPLIT;
        if (entry & PTE_P) {
            table = child_of(shadow, entry);
            continue;
        }
        table = new_table(shadow, guest, level - 1, shadow->table[table].view);
        if (table != SHADOW_NONE)
            put_entry(shadow, parent, index, table_gpa(shadow, table) | PTE_U | PTE_W | PTE_P);
    }
    return table;
}

void
shadow_map(struct shadow *shadow, uint64_t cr3, enum shadow_view view, uint64_t linear,
           const struct x86_walk *walk, bool write, bool execute)
{
    uint64_t gpa = walk->gpa & PTE_ADDRESS;
    unsigned index = linear >> 12 & (ENTRIES - 1);
    unsigned root = find_root(shadow, cr3, view);
    unsigned table = root == SHADOW_NONE ? root : leaf_table(shadow, root, linear, walk);

    if (table == SHADOW_NONE) {
        shadow_drop(shadow);
        table = leaf_table(shadow, find_root(shadow, cr3, view), linear, walk);
    }
    if (*entry_at(shadow, table, index) & PTE_P)
        clear_leaf(shadow, table, index);
    write = write && !shadow_is_table(shadow, gpa);
    set_leaf(shadow, table, index,
             gpa | PTE_P | PTE_U | (write ? PTE_W : 0) | (execute ? 0 : PTE_NX));
    shadow->fills++;
}

bool
shadow_is_table(const struct shadow *shadow, uint64_t gpa)
{
    return is_ram(shadow, gpa) && shadow->tables_of[gpa / PAGE_SIZE] != SHADOW_NONE;
}

void
shadow_written(struct shadow *shadow, uint64_t gpa, unsigned len)
{
    unsigned first = gpa % PAGE_SIZE / 8, last = (unsigned)((gpa % PAGE_SIZE + len - 1) / 8);

    if (!len || !is_ram(shadow, gpa))
        return;
    /* What is freed may be on this very list, if a guest table maps itself; never t, which only an
     * entry above it could take along. */
    for (unsigned t = shadow->tables_of[gpa / PAGE_SIZE]; t; t = shadow->table[t].next)
        for (unsigned i = first; i <= last && i < ENTRIES; i++)
            clear_entry(shadow, t, i);
}

/* Of `also` what can be in use: tables are taken from the front of the pool, and given back there, so
 * none behind the most that were ever used was touched. The lists are addresses of the guest's and
 * numbers of tables: as good as any in a hash. */
unsigned
shadow_state(const struct shadow *shadow, struct state_part *parts)
{
    uint64_t pages = shadow->ram->size / PAGE_SIZE;
    uint64_t also = (uint64_t)(shadow->most_used + 1) * ENTRIES;

    parts[0] = (struct state_part){shadow->table, SHADOW_TABLES * sizeof(*shadow->table), true};
    parts[1] = (struct state_part){shadow->tables_of, pages * sizeof(*shadow->tables_of), false};
    parts[2] = (struct state_part){shadow->mapped_by, pages * sizeof(*shadow->mapped_by), false};
    parts[3] = (struct state_part){shadow->also, also * sizeof(*shadow->also), true};
    return 4;
}

uint64_t
shadow_look(const struct shadow *shadow, uint64_t cr3, enum shadow_view view, uint64_t linear)
{
    unsigned table = look_for_root(shadow, cr3, view);

    if ((linear >> 39 & (ENTRIES - 1)) == MONITOR_SLOT) /* no table of the pool's is below */
        return 0;
    for (unsigned level = 4; table; level--) {
        uint64_t entry = *entry_at(shadow, table, linear >> (12 + 9 * (level - 1)) & (ENTRIES - 1));
        if (level == 1 || !(entry & PTE_P))
            return entry;
        table = child_of(shadow, entry);
    }
    return 0;
}
