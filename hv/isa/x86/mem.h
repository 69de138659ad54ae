/*
 * mem.h - the fast path of a memory access: below the segment's limit, a TLB hit, one page.
 *
 * Everything else (limits, expand-down, non-canonical addresses, TLB misses, devices, two pages,
 * watched pages, #AC, data breakpoints) is x86_read() and x86_write() in mem.c, which these fall
 * back to. A TLB entry has a tag only if the access needs none of that.
 */
#ifndef HV_ISA_X86_MEM_H
#define HV_ISA_X86_MEM_H

#include <string.h>

#include "isa/x86/cpu.h"

/* The TLB entry that a linear address would be in, for an access at the present CPL. */
static inline struct x86_tlb_entry *
tlb_entry(struct x86_cpu *cpu, uint64_t linear, bool user)
{
    return &cpu->tlb[user][linear >> 12 & (X86_TLB_SIZE - 1)];
}

/* Loads size bytes, little-endian; the host is little-endian too (hv runs on x86-64 only). */
static inline uint64_t
load_bytes(const uint8_t *from, unsigned size)
{
    uint64_t value = 0;

    switch (size) {
    case 1: return *from;
    case 2: memcpy(&value, from, 2); break;
    case 4: memcpy(&value, from, 4); break;
    case 8: memcpy(&value, from, 8); break;
    default: memcpy(&value, from, size);
    }
    return value;
}

static inline void
store_bytes(uint8_t *to, uint64_t value, unsigned size)
{
    switch (size) {
    case 1: *to = (uint8_t)value; break;
    case 2: memcpy(to, &value, 2); break;
    case 4: memcpy(to, &value, 4); break;
    case 8: memcpy(to, &value, 8); break;
    default: memcpy(to, &value, size);
    }
}

static inline int
mem_read(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t *value)
{
    uint64_t linear = (cpu->seg_base[sreg] + offset) & cpu->linear_mask;
    const struct x86_tlb_entry *e = &cpu->tlb_now[linear >> 12 & (X86_TLB_SIZE - 1)];

    if (offset + size <= cpu->seg_room[sreg] && e->read == linear >> 12 &&
        (linear & 0xfff) + size <= 0x1000) {
        *value = load_bytes(e->host + (linear & 0xfff), size);
        return EMU_OK;
    }
    return x86_read(cpu, sreg, offset, size, value);
}

static inline int
mem_read_rmw(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t *value)
{
    uint64_t linear = (cpu->seg_base[sreg] + offset) & cpu->linear_mask;
    const struct x86_tlb_entry *e = &cpu->tlb_now[linear >> 12 & (X86_TLB_SIZE - 1)];

    if (offset + size <= cpu->seg_room[sreg] && e->write == linear >> 12 && e->read == e->write &&
        (linear & 0xfff) + size <= 0x1000) {
        *value = load_bytes(e->host + (linear & 0xfff), size);
        return EMU_OK;
    }
    return x86_read_rmw(cpu, sreg, offset, size, value);
}

static inline int
mem_write(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t linear = (cpu->seg_base[sreg] + offset) & cpu->linear_mask;
    const struct x86_tlb_entry *e = &cpu->tlb_now[linear >> 12 & (X86_TLB_SIZE - 1)];

    if (offset + size <= cpu->seg_room[sreg] && e->write == linear >> 12 &&
        (linear & 0xfff) + size <= 0x1000) {
        store_bytes(e->host + (linear & 0xfff), value, size);
        return EMU_OK;
    }
    return x86_write(cpu, sreg, offset, size, value);
}

#endif
