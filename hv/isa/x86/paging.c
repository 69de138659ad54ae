/*
 * paging.c - from linear to guest-physical addresses: 32-bit, PAE and 4-level paging.
 *
 * Called by mem.c when the TLB misses, and by the debugger, which draws the walk. One loop serves
 * the three formats, because they differ only in the size of an entry and the number of levels
 * (SDM vol. 3, 4.3 to 4.5):
 *
 *             levels  entry   bits per level   large pages at
 *   32-bit    2       4       10               level 2 (4 MiB, CR4.PSE)
 *   PAE       3       8       2, 9, 9          level 2 (2 MiB); level 3 is the four PDPTEs
 *   4-level   4       8       9                levels 2 (2 MiB) and 3 (1 GiB)
 *
 * Next: interrupt.c (how the #PF is delivered).
 */
#include "isa/x86/mem.h"

/*
 * A page-table entry (SDM vol. 3, figure 4-11):
 *   63  51........12  8   7   6   5   4    3    2    1    0
 *   NX  address       G   PS  D   A   PCD  PWT  U/S  R/W  P
 */
#define PTE_P        UINT64_C(0x001)
#define PTE_W        UINT64_C(0x002)
#define PTE_U        UINT64_C(0x004)
#define PTE_A        UINT64_C(0x020)
#define PTE_D        UINT64_C(0x040)
#define PTE_PS       UINT64_C(0x080)
#define PTE_G        UINT64_C(0x100)
#define PTE_NX       (UINT64_C(1) << 63)
#define PHYS_BITS    40 /* MAXPHYADDR, as CPUID 80000008h says */
#define PTE_ADDRESS  (((UINT64_C(1) << PHYS_BITS) - 1) & ~UINT64_C(0xfff))
#define PTE_RESERVED (((UINT64_C(1) << 52) - 1) & ~((UINT64_C(1) << PHYS_BITS) - 1))

struct format {
    unsigned levels, entry_size, index_bits;
};

static struct format
paging_format(const struct x86_cpu *cpu)
{
    if (cpu->r.efer & EFER_LMA)
        return (struct format){4, 8, 9};
    if (cpu->r.cr4 & CR4_PAE)
        return (struct format){3, 8, 9};
    return (struct format){2, 4, 10};
}

/* Where an entry lies in the host, or NULL. *watched: the guest's decoded code is in that page. */
static uint8_t *
entry_host(struct x86_cpu *cpu, uint64_t gpa, struct x86_page *page)
{
    *page = cpu->mem.page(cpu->mem.ctx, gpa & cpu->mem.a20_mask);
    return page->host ? page->host + (gpa & 0xfff) : NULL;
}

/* May this entry stand at this level? Reserved bits make a #PF with RSVD (SDM vol. 3, 4.7). */
static bool
entry_reserved(const struct x86_cpu *cpu, const struct format *f, unsigned level, uint64_t entry)
{
    bool large = level > 1 && entry & PTE_PS;

    if (f->entry_size == 4) /* 4 MiB pages: bits 21:13, PSE-36 is not implemented */
        return large && cpu->r.cr4 & CR4_PSE && entry & 0x003fe000;
    if (entry & PTE_RESERVED || (entry & PTE_NX && !(cpu->r.efer & EFER_NXE)))
        return true;
    if (f->levels == 3 && entry & UINT64_C(0x7ff0000000000000)) /* PAE: 62:52 */
        return true;
    if (large && level == 4)
        return true;
    if (large) /* address bits below the page's size, but for PAT (bit 12) */
        return entry & ((UINT64_C(1) << (12 + 9 * (level - 1))) - 1) & ~UINT64_C(0x1fff);
    return false;
}

static int
page_fault(struct x86_cpu *cpu, uint64_t linear, uint32_t error)
{
    x86_raise_error(cpu, VEC_PF, error);
    cpu->fault.address = linear;
    return EMU_FAULT;
}

/*
 * Reads the entries from the root down to the page. Returns 0 and the complete walk; PF_PRESENT's
 * absence as -1; a reserved bit as -2; a table that is not in memory as -3.
 */
enum { WALK_OK = 0, WALK_ABSENT = -1, WALK_RESERVED = -2, WALK_NO_TABLE = -3 };

static int
walk_tables(struct x86_cpu *cpu, uint64_t linear, struct x86_walk *walk)
{
    struct format f = paging_format(cpu);
    uint64_t table = cpu->r.cr3 & (f.levels == 2 ? 0xfffff000 : PTE_ADDRESS);
    unsigned level = f.levels;

    *walk = (struct x86_walk){.writable = true, .user = true, .executable = true};
    if (f.levels == 3) { /* the PDPTEs are registers; they have neither rights nor A bits */
        uint64_t pdpte = cpu->r.pdpte[linear >> 30 & 3];
        walk->step[walk->steps++] = (struct x86_walk_step){
            (cpu->r.cr3 & 0xffffffe0) + (linear >> 30 & 3) * 8, pdpte, 3};
        if (!(pdpte & PTE_P))
            return WALK_ABSENT;
        table = pdpte & PTE_ADDRESS;
        level = 2;
    }
    for (;; level--) {
        unsigned shift = 12 + f.index_bits * (level - 1);
        uint64_t index = linear >> shift & ((1u << f.index_bits) - 1);
        uint64_t gpa = table + index * f.entry_size;
        struct x86_page page;
        const uint8_t *host = entry_host(cpu, gpa, &page);
        if (!host)
            return WALK_NO_TABLE;
        uint64_t entry = load_bytes(host, f.entry_size);
        walk->step[walk->steps++] = (struct x86_walk_step){gpa, entry, (uint8_t)level};
        if (!(entry & PTE_P))
            return WALK_ABSENT;
        if (entry_reserved(cpu, &f, level, entry))
            return WALK_RESERVED;
        walk->writable &= !!(entry & PTE_W);
        walk->user &= !!(entry & PTE_U);
        walk->executable &= f.entry_size == 4 || !(entry & PTE_NX);
        bool large = level > 1 && entry & PTE_PS && (f.entry_size == 8 || cpu->r.cr4 & CR4_PSE);
        table = entry & (f.entry_size == 8 ? PTE_ADDRESS : 0xfffff000);
        if (level == 1 || large) {
            walk->page_size = UINT64_C(1) << shift;
            walk->gpa = (table & ~(walk->page_size - 1)) | (linear & (walk->page_size - 1));
            walk->global = entry & PTE_G && cpu->r.cr4 & CR4_PGE;
            walk->dirty = entry & PTE_D;
            return WALK_OK;
        }
    }
}

/* Sets the accessed bit along the way and, for a write, the page's dirty bit (SDM vol. 3, 4.8). */
static void
set_accessed_dirty(struct x86_cpu *cpu, struct x86_walk *walk, bool write)
{
    unsigned entry_size = paging_format(cpu).entry_size;

    for (unsigned i = 0; i < walk->steps; i++) {
        struct x86_walk_step *s = &walk->step[i];
        bool last = i + 1 == walk->steps;
        uint64_t entry = s->entry | PTE_A | (last && write ? PTE_D : 0);
        struct x86_page page;
        if (entry == s->entry || (entry_size == 8 && s->level == 3 && !x86_long_mode(cpu)))
            continue;
        uint8_t *host = entry_host(cpu, s->entry_gpa, &page);
        if (!page.writable)
            continue; /* tables in ROM stay as they are */
        if (page.watched)
            cpu->mem.written(cpu->mem.ctx, s->entry_gpa, entry_size);
        store_bytes(host, entry, entry_size);
        s->entry = entry;
    }
    walk->dirty |= write;
}

/* The access rights of SDM vol. 3, 4.6.1, from the combined bits of all levels. */
static bool
access_allowed(const struct x86_cpu *cpu, const struct x86_walk *walk, unsigned how, bool user)
{
    bool write = how & (ACCESS_WRITE | ACCESS_RMW);

    if (how & ACCESS_FETCH) {
        if (!walk->executable)
            return false;
        return user ? walk->user : !(walk->user && cpu->r.cr4 & CR4_SMEP);
    }
    if (user)
        return walk->user && (!write || walk->writable);
    if (walk->user && cpu->r.cr4 & CR4_SMAP && (how & ACCESS_SYSTEM || !(cpu->r.rflags & FLAG_AC)))
        return false;
    return !write || walk->writable || !(cpu->r.cr0 & CR0_WP);
}

int
x86_page_walk(struct x86_cpu *cpu, uint64_t linear, unsigned how, unsigned cpl,
              struct x86_walk *walk)
{
    bool user = cpl == 3;
    bool write = how & (ACCESS_WRITE | ACCESS_RMW);
    bool nx = cpu->r.efer & EFER_NXE && cpu->r.cr4 & CR4_PAE;
    uint32_t error = (write ? PF_WRITE : 0) | (user ? PF_USER : 0) |
                     (how & ACCESS_FETCH && (nx || cpu->r.cr4 & CR4_SMEP) ? PF_FETCH : 0);

    if (!cpu->paging) {
        *walk = (struct x86_walk){.gpa = linear & cpu->mem.a20_mask,
                                  .page_size = 0x1000,
                                  .writable = true,
                                  .user = true,
                                  .executable = true,
                                  .dirty = true};
        return EMU_OK;
    }
    switch (walk_tables(cpu, linear, walk)) {
    case WALK_ABSENT: return page_fault(cpu, linear, error);
    case WALK_RESERVED: return page_fault(cpu, linear, error | PF_PRESENT | PF_RSVD);
    case WALK_NO_TABLE: return x86_unimplemented(cpu, "a page table outside of memory");
    default: break;
    }
    if (!access_allowed(cpu, walk, how, user))
        return page_fault(cpu, linear, error | PF_PRESENT);
    set_accessed_dirty(cpu, walk, write);
    walk->gpa &= cpu->mem.a20_mask;
    return EMU_OK;
}

bool
x86_page_look(struct x86_cpu *cpu, uint64_t linear, struct x86_walk *walk)
{
    if (!cpu->paging) {
        *walk = (struct x86_walk){.gpa = linear & cpu->mem.a20_mask, .page_size = 0x1000};
        return true;
    }
    if (walk_tables(cpu, linear, walk) != WALK_OK)
        return false;
    walk->gpa &= cpu->mem.a20_mask;
    return true;
}

int
x86_load_pdptes(struct x86_cpu *cpu, uint64_t cr3)
{
    uint64_t pdpte[4];
    struct x86_page page;
    const uint8_t *host = entry_host(cpu, cr3 & 0xffffffe0, &page);

    if (!host)
        return x86_unimplemented(cpu, "a page table outside of memory");
    for (unsigned i = 0; i < 4; i++) {
        pdpte[i] = load_bytes(host + 8 * i, 8);
        /* Reserved in a present PDPTE: 2:1, 8:5 and what lies above MAXPHYADDR (4.4.1). */
        if (pdpte[i] & PTE_P && pdpte[i] & (UINT64_C(0x1e6) | ~((UINT64_C(1) << PHYS_BITS) - 1)))
            return x86_gp0(cpu);
    }
    memcpy(cpu->r.pdpte, pdpte, sizeof(pdpte));
    return EMU_OK;
}
