/*
 * shadow.h - shadow page tables: what the processor really walks while a deprivileged guest runs.
 *
 * The guest's page tables say what the guest believes; the shadows say the same with the VMM's
 * rights: every page is a user page (the guest's kernel runs at CPL 3), a page is writable only
 * once the guest's own dirty bit is set, and a page that holds a guest page table is never
 * writable, so that each change to one comes to the VMM (a "ptemod" exit).
 *
 * A guest address space has up to three shadows, because what the guest's kernel may see its
 * programs may not, although both run at CPL 3: SHADOW_USER, SHADOW_KERNEL, and SHADOW_KERNEL_AC
 * (the kernel with RFLAGS.AC set under SMAP).
 *
 * Tables come from the VMM's private memory (core/ram.h). They are a cache: all may be dropped at
 * any time and come back by page faults. (Adams & Agesen, ASPLOS 2006, section 3; the method is
 * that of VMware's and KVM's shadow MMU.)
 */
#ifndef HV_STRATEGY_TRAP_SHADOW_H
#define HV_STRATEGY_TRAP_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ram.h"
#include "core/state.h"
#include "isa/x86/cpu.h"

enum shadow_view { SHADOW_KERNEL, SHADOW_USER, SHADOW_KERNEL_AC, SHADOW_VIEWS };

/* Page tables in the pool. 4096 of them map 8 GiB if all are full; a small kernel uses dozens. */
#define SHADOW_TABLES 4096u /* 16 MiB, once and for all: see shadow_root() */
#define SHADOW_NONE   0u    /* table 0 is never given out, so 0 ends every list */

/* One shadow table: 512 entries in the pool, and where it came from. */
struct shadow_table {
    uint64_t
        guest; /* the guest's table that it shadows: a gpa; SHADOW_SPLIT: part of a large page */
    uint16_t next; /* of the same guest page, or of the free list */
    uint8_t level; /* 4: PML4 ... 1: page table */
    uint8_t view;
};
#define SHADOW_SPLIT (~UINT64_C(0))

struct shadow {
    struct ram *ram;
    uint8_t *pool; /* SHADOW_TABLES pages at guest-physical pool_gpa */
    uint64_t pool_gpa;
    struct shadow_table *table; /* SHADOW_TABLES */
    uint16_t free;
    uint16_t *tables_of; /* per page of RAM: the shadows of the guest table in it; or SHADOW_NONE */
    /* Who maps a page of RAM: a list of leaf entries, numbered table * 512 + index; 0 ends it. */
    uint32_t *mapped_by; /* per page of RAM: the first */
    uint32_t *also;      /* per entry: the next one of the same page */
    bool stale; /* entries were taken away: the TLB must be flushed before the next entry */

    /* Counted for `info strategy` and `hv compare`. */
    uint64_t fills, drops, resets;
    unsigned used, most_used; /* tables */
};

/* pool: SHADOW_TABLES pages of zeroes at pool_gpa. 0 or -ENOMEM. */
int shadow_open(struct shadow *shadow, struct ram *ram, uint8_t *pool, uint64_t pool_gpa,
                struct error *err);
void shadow_close(struct shadow *shadow);

/* Drops every table: page faults will bring back what is needed. */
void shadow_drop(struct shadow *shadow);

/*
 * The real CR3 for a guest whose CR3 is cr3, in this view. May drop everything (then stale is set).
 *
 * No one tells when a guest is done with an address space, so its roots stay, and its tables with
 * them, until their entries are written or all is dropped. What bounds them is the pool: when it is
 * empty all goes, and what is still used comes back by page faults. Meanwhile a page that was a
 * root costs an exit for each write to it.
 */
uint64_t shadow_root(struct shadow *shadow, uint64_t cr3, enum shadow_view view);

/*
 * Enters one 4 KiB page: `walk` is what the guest's tables said about `linear` (from
 * x86_page_walk), write whether the guest may write there now. A page that holds a guest table is
 * entered read-only whatever `write` says.
 */
void shadow_map(struct shadow *shadow, uint64_t cr3, enum shadow_view view, uint64_t linear,
                const struct x86_walk *walk, bool write, bool execute);

/* Does this page hold a guest page table that is shadowed? Its changes must be told. */
bool shadow_is_table(const struct shadow *shadow, uint64_t gpa);

/* Bytes [gpa, gpa + len) of guest memory are about to change: what was shadowed of them goes. */
void shadow_written(struct shadow *shadow, uint64_t gpa, unsigned len);

/* Where the shadows lie, beside struct shadow itself and the pool: fills parts, returns how many. */
unsigned shadow_state(const struct shadow *shadow, struct state_part *parts);

/* The leaf entry of a linear address, for the debugger; 0 if there is none. */
uint64_t shadow_look(const struct shadow *shadow, uint64_t cr3, enum shadow_view view,
                     uint64_t linear);

#endif
