/*
 * decode_walk.c - page-table entries, and how far a walk came, in words (SDM vol. 3, 4.3 to 4.7).
 *
 * Called by info_walk.c and decode_gate.c. Next: decode_exit.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "debugger/decode.h"

#define ENTRY_P  UINT64_C(0x001)
#define ENTRY_PS UINT64_C(0x080)
/* Addresses in entries of 8 bytes: bits 51-12. */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

const char *
decode_table_name(unsigned level)
{
    static const char *const names[] = {"?", "PT", "PD", "PDPT", "PML4"};

    return level < sizeof(names) / sizeof(names[0]) ? names[level] : names[0];
}

char *
decode_entry(uint64_t entry, unsigned level, bool long_entries, char *text, size_t size)
{
    uint64_t mask = long_entries ? ENTRY_ADDRESS : 0xfffff000u, address = entry & mask;
    uint64_t bits = entry & ~mask;
    char names[DECODE_SIZE];

    /* Bits 9-11 and 52-62 are the software's, and bit 7 of the last level is PAT. */
    bits &= long_entries ? UINT64_C(0x80000000000001ff) : 0x1ff;
    if (level == 1)
        bits &= ~ENTRY_PS;
    if (!(entry & ENTRY_P)) {
        snprintf(text, size, entry ? "not present (P is clear)" : "not present (all zero)");
        return text;
    }
    decode_bits(decode_pte, bits, names, sizeof(names));
    if (level > 1 && entry & ENTRY_PS)
        address &= long_entries ? ~((UINT64_C(1) << (12 + 9 * (level - 1))) - 1) : 0xffc00000u;
    snprintf(text, size, "%s -> 0x%" PRIx64, names, address);
    return text;
}

/* Why the walk could not go on behind its last step. */
static void
walk_stopped(const struct x86_cpu *cpu, const struct x86_walk *walk, char *text, size_t size)
{
    const struct x86_walk_step *last = &walk->step[walk->steps - 1];
    bool long_entries = cpu->r.efer & EFER_LMA || cpu->r.cr4 & CR4_PAE;
    char entry[DECODE_SIZE];

    if (!(last->entry & ENTRY_P)) {
        snprintf(text, size,
                 "its %s entry at physical 0x%" PRIx64 " is 0x%" PRIx64 ": P (bit 0) is clear",
                 decode_table_name(last->level), last->entry_gpa, last->entry);
        return;
    }
    decode_entry(last->entry, last->level, long_entries, entry, sizeof(entry));
    /* A present entry ends a walk if it is malformed, or if it leads to where no memory is. */
    snprintf(text, size, "its %s entry at physical 0x%" PRIx64 " is 0x%" PRIx64 " (%s): %s",
             decode_table_name(last->level), last->entry_gpa, last->entry, entry,
             "a reserved bit is set, or no memory is where it leads");
}

void
decode_walk_end(struct observer *o, uint64_t linear, char *text, size_t size)
{
    struct x86_walk walk;
    bool present;

    if (x86_long_mode(&o->cpu) && !x86_canonical(linear)) {
        snprintf(text, size,
                 "0x%" PRIx64 " is not canonical: bits 63-47 must all be equal "
                 "(SDM vol. 1, 3.3.7.1)",
                 linear);
        return;
    }
    present = x86_page_look(&o->cpu, linear, &walk);
    if (!present && !walk.steps)
        snprintf(text, size, "CR3 is 0x%" PRIx64 ": no memory is there", o->cpu.r.cr3);
    else if (!present)
        walk_stopped(&o->cpu, &walk, text, size);
    else if (!o->cpu.mem.page(o->cpu.mem.ctx, walk.gpa).host)
        snprintf(text, size, "it is mapped to physical 0x%" PRIx64 ", where no memory is",
                 walk.gpa);
    else
        snprintf(text, size, "it is mapped to physical 0x%" PRIx64 " (%s, %s%s)", walk.gpa,
                 walk.writable ? "writable" : "read-only",
                 walk.user ? "for user and kernel" : "for the kernel",
                 walk.executable ? "" : ", no execute");
}
