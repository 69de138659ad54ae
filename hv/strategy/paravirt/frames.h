/*
 * frames.h - what each frame of the guest's RAM is used as, so that the guest can own its page
 * tables and still never get at what is not its own.
 *
 * The processor walks the guest's tables as they are (direct paging). They are safe because a frame
 * has one type at a time, with a count of its uses, and changes it only at count 0 (Xen: struct
 * page_info and PGT_*). The two rules that all else follows from:
 *
 *   1. A table was checked, all 512 entries, before its first use as one, and each change since.
 *   2. No table is writable for the guest: WRITABLE and TABLE_n exclude each other.
 *
 * Knows RAM only, neither processor nor engine: tests/unit/paravirt_frames.c runs it against a
 * model. Called by pages.c. Next: frames.c.
 */
#ifndef HV_STRATEGY_PARAVIRT_FRAMES_H
#define HV_STRATEGY_PARAVIRT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct ram;

/*
 * An entry of a page table, all levels (SDM vol. 3, 4.5):
 *  63 62-52 51-12   11-9 8 7  6 5 4   3   2 1 0
 *  NX free  address free G PS D A PCD PWT U W P
 */
#define ENTRY_P       UINT64_C(0x001)
#define ENTRY_W       UINT64_C(0x002)
#define ENTRY_U       UINT64_C(0x004)
#define ENTRY_A       UINT64_C(0x020)
#define ENTRY_D       UINT64_C(0x040)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
/* What a guest may not set: PWT, PCD, PS (PAT at level 1). */
#define ENTRY_REFUSED UINT64_C(0x098)
#define ENTRY_COUNT   512u
#define TABLE_LEVELS  4u

/* Values TABLE_1 to TABLE_4 are the levels. */
enum frame_type { FRAME_NONE, TABLE_1, TABLE_2, TABLE_3, TABLE_4, FRAME_WRITABLE };

struct frame {
    uint32_t uses; /* RAM has fewer than 2^32 entries: cannot overflow */
    uint8_t type;  /* enum frame_type; NONE just if uses == 0 */
    bool pinned;   /* one of the uses is HC_PIN */
};

struct frames {
    struct ram *ram;
    struct frame *frame; /* by guest-physical address / 4096 */
    uint64_t count;
    uint64_t root_entry; /* what the VMM puts into its slot of every table of level 4 */
    bool stale;          /* a present entry was changed: the TLB may still have it */
    uint64_t checked;    /* entries looked at, for `info strategy` */
};

/* 0 or -ENOMEM. */
int frames_open(struct frames *frames, struct ram *ram, uint64_t root_entry, struct error *err);
void frames_close(struct frames *frames);

/*
 * All functions below take guest-physical addresses as the guest gives them, check them, and
 * return 0, -EPERM, -EBUSY or -EINVAL as docs/HYPERCALLS.md says. What fails has changed nothing.
 */

/* One more use of a frame as `type`, not NONE; the first of a table checks what is in it. */
int frames_get(struct frames *frames, uint64_t address, enum frame_type type);
/* One use less, of one that frames_get gave; the last of a table gives back its entries' uses. */
void frames_put(struct frames *frames, uint64_t address);

int frames_pin(struct frames *frames, uint64_t address, uint64_t level);
int frames_unpin(struct frames *frames, uint64_t address);

/* Writes the 8 bytes at `entry`, which belong to a table or to no table. */
int frames_update(struct frames *frames, uint64_t entry, uint64_t value);

#endif
