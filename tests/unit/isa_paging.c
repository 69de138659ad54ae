/*
 * isa_paging.c - tests of isa/x86/paging.c and of the TLB in mem.c: three formats of page tables,
 * access rights, accessed and dirty bits, error codes, reserved bits, flushes. Sections are the
 * SDM's, volume 3. Long because: the three formats share their tables and helpers.
 */
#include <stdlib.h>
#include <string.h>

#include "isa/x86/mem.h"
#include "tests/unit/suites.h"

#define MEMORY 0x1000000u /* 16 MiB */
#define ROOT   0x100000u
#define T3     0x101000u /* tables below the root, by level */
#define T2     0x102000u
#define T1     0x103000u
#define FRAME  0x200000u
#define LINEAR UINT64_C(0x12345678) /* what is accessed; offset 678 */

#define P   UINT64_C(0x001)
#define W   UINT64_C(0x002)
#define U   UINT64_C(0x004)
#define A   UINT64_C(0x020)
#define D   UINT64_C(0x040)
#define PS  UINT64_C(0x080)
#define G   UINT64_C(0x100)
#define NX  (UINT64_C(1) << 63)
#define ALL (P | W | U)

enum format { BITS32, PAE, LEVEL4 };

struct paged {
    struct x86_cpu cpu;
    enum format format;
    uint8_t *ram;
    unsigned told; /* calls of x86_memory.written */
    uint64_t rom;  /* a page that cannot be written; 0: none */
};

static struct x86_page
page(void *ctx, uint64_t gpa)
{
    struct paged *p = ctx;
    bool inside = gpa < MEMORY;

    return (struct x86_page){inside ? p->ram + (gpa & ~UINT64_C(0xfff)) : NULL,
                             inside && (!p->rom || gpa >> 12 != p->rom >> 12),
                             gpa >> 12 == (FRAME + 0x5000) >> 12};
}

static void
written(void *ctx, uint64_t gpa, unsigned len)
{
    (void)gpa;
    (void)len;
    ((struct paged *)ctx)->told++;
}

static unsigned
entry_size(const struct paged *p)
{
    return p->format == BITS32 ? 4 : 8;
}

/* Where the entry for `linear` lies at a level; 1 is the page table. */
static uint64_t
entry_address(const struct paged *p, unsigned level, uint64_t linear)
{
    static const uint64_t tables[] = {0, T1, T2, T3, ROOT};
    unsigned bits = p->format == BITS32 ? 10 : 9;
    unsigned top = p->format == BITS32 ? 2 : p->format == PAE ? 3 : 4;
    uint64_t table = level == top ? ROOT : tables[level];

    return table + (linear >> (12 + bits * (level - 1)) & ((1u << bits) - 1)) * entry_size(p);
}

static void
put(struct paged *p, unsigned level, uint64_t linear, uint64_t entry)
{
    store_bytes(p->ram + entry_address(p, level, linear), entry, entry_size(p));
}

static uint64_t
get(const struct paged *p, unsigned level, uint64_t linear)
{
    return load_bytes(p->ram + entry_address(p, level, linear), entry_size(p));
}

/* A processor in that format, with LINEAR mapped to FRAME, all rights at all levels. */
static struct paged *
paged_open(enum format format)
{
    struct paged *p = calloc(1, sizeof(*p));
    struct x86_cpu *cpu = &p->cpu;

    p->format = format;
    p->ram = calloc(1, MEMORY);
    x86_cpu_init(cpu);
    cpu->mem.ctx = p;
    cpu->mem.page = page;
    cpu->mem.written = written;
    put(p, 1, LINEAR, FRAME | ALL);
    put(p, 2, LINEAR, T1 | ALL);
    if (format == PAE)
        put(p, 3, LINEAR, T2 | P);
    if (format == LEVEL4) {
        put(p, 3, LINEAR, T2 | ALL);
        put(p, 4, LINEAR, T3 | ALL);
    }
    cpu->r.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_WP;
    cpu->r.cr3 = ROOT;
    cpu->r.cr4 = format == BITS32 ? CR4_PSE : CR4_PAE;
    cpu->r.efer = format == LEVEL4 ? EFER_LME | EFER_LMA | EFER_NXE : 0;
    for (unsigned i = 0; i < X86_NSEG; i++)
        cpu->r.seg[i] = (struct x86_segment){.limit = 0xffffffff,
                                             .attr = SEG_P | SEG_S | SEG_WRITABLE | SEG_DB | SEG_G};
    cpu->r.seg[X86_CS].attr |= SEG_CODE;
    if (format == LEVEL4)
        cpu->r.seg[X86_CS].attr = SEG_P | SEG_S | SEG_CODE | SEG_READABLE | SEG_L;
    x86_update_mode(cpu);
    if (format == PAE)
        CU_ASSERT_EQUAL(x86_load_pdptes(cpu, ROOT), EMU_OK);
    return p;
}

static void
paged_close(struct paged *p)
{
    free(p->ram);
    free(p);
}

/* The access as user or supervisor; the error code of its #PF, or -1. */
static int
fault_of(struct paged *p, unsigned how, unsigned cpl)
{
    struct x86_walk walk;

    p->cpu.fault = (struct x86_fault){0};
    if (x86_page_walk(&p->cpu, LINEAR, how, cpl, &walk) == EMU_OK) {
        CU_ASSERT_EQUAL(walk.gpa & 0xfff, LINEAR & 0xfff);
        return -1;
    }
    CU_ASSERT_EQUAL(p->cpu.fault.vector, VEC_PF);
    CU_ASSERT_EQUAL(p->cpu.fault.address, LINEAR);
    return (int)p->cpu.fault.error;
}

/* --- 4.3 to 4.5: the formats --------------------------------------------------------------------- */

static void
test_translation(void)
{
    for (enum format f = BITS32; f <= LEVEL4; f++) {
        struct paged *p = paged_open(f);
        struct x86_walk walk;
        CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
        CU_ASSERT_EQUAL(walk.gpa, FRAME + 0x678);
        CU_ASSERT_EQUAL(walk.page_size, 0x1000);
        CU_ASSERT_EQUAL(walk.steps, f == BITS32 ? 2 : f == PAE ? 3 : 4);
        CU_ASSERT_EQUAL(walk.step[walk.steps - 1].entry_gpa, entry_address(p, 1, LINEAR));
        for (unsigned level = 1; level <= (unsigned)(f == BITS32 ? 2 : 3); level++) {
            uint64_t entry = get(p, level, LINEAR);
            put(p, level, LINEAR, entry & ~P);
            if (f != PAE || level < 3) /* the PDPTEs are registers: not read again (4.4.1) */
                CU_ASSERT_EQUAL(fault_of(p, 0, 0), 0);
            put(p, level, LINEAR, entry);
        }
        paged_close(p);
    }
}

static void
test_large_pages(void)
{
    struct x86_walk walk;
    struct paged *p = paged_open(BITS32);

    put(p, 2, LINEAR, 0x400000 | ALL | PS); /* 4 MiB */
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, 0x400000 | (LINEAR & 0x3fffff));
    CU_ASSERT_EQUAL(walk.page_size, 0x400000);
    put(p, 2, LINEAR, 0x402000 | ALL | PS); /* a reserved bit of the address (table 4-4) */
    CU_ASSERT_EQUAL(fault_of(p, 0, 0), PF_PRESENT | PF_RSVD);
    put(p, 2, LINEAR, T1 | ALL | PS);
    p->cpu.r.cr4 = 0; /* without CR4.PSE the bit means nothing */
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, FRAME + 0x678);
    paged_close(p);

    p = paged_open(LEVEL4);
    put(p, 2, LINEAR, 0x400000 | ALL | PS); /* 2 MiB */
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, 0x400000 | (LINEAR & 0x1fffff));
    put(p, 2, LINEAR, 0x402000 | ALL | PS);
    CU_ASSERT_EQUAL(fault_of(p, 0, 0), PF_PRESENT | PF_RSVD);
    put(p, 3, LINEAR, 0 | ALL | PS); /* 1 GiB */
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, LINEAR & 0x3fffffff);
    CU_ASSERT_EQUAL(walk.page_size, 0x40000000);
    put(p, 3, LINEAR, T2 | ALL);
    put(p, 2, LINEAR, 0x401000 | ALL | PS); /* bit 12 is PAT, not reserved (table 4-18) */
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, 0x400000 | (LINEAR & 0x1fffff));
    const uint64_t to[] = {T3, 0};
    for (unsigned i = 0; i < 2; i++) {
        put(p, 4, LINEAR, to[i] | ALL | PS); /* reserved in a PML4E (table 4-15) */
        CU_ASSERT_EQUAL(fault_of(p, 0, 0), PF_PRESENT | PF_RSVD);
    }
    paged_close(p);
}

static void
test_reserved_bits(void)
{
    struct paged *p = paged_open(LEVEL4);

    for (unsigned level = 1; level <= 4; level++) {
        uint64_t entry = get(p, level, LINEAR);
        put(p, level, LINEAR, entry | UINT64_C(1) << 45); /* above MAXPHYADDR */
        CU_ASSERT_EQUAL(fault_of(p, ACCESS_WRITE, 3), PF_PRESENT | PF_RSVD | PF_WRITE | PF_USER);
        put(p, level, LINEAR, entry | UINT64_C(1) << 55); /* ignored: software's */
        CU_ASSERT_EQUAL(fault_of(p, 0, 0), -1);
        p->cpu.r.efer &= ~(uint64_t)EFER_NXE; /* then bit 63 is reserved */
        put(p, level, LINEAR, entry | NX);
        CU_ASSERT_EQUAL(fault_of(p, 0, 0), PF_PRESENT | PF_RSVD);
        p->cpu.r.efer |= EFER_NXE;
        put(p, level, LINEAR, entry);
    }
    paged_close(p);

    p = paged_open(PAE);
    put(p, 1, LINEAR, FRAME | ALL | UINT64_C(1) << 55); /* not software's in PAE (table 4-11) */
    CU_ASSERT_EQUAL(fault_of(p, 0, 0), PF_PRESENT | PF_RSVD);
    put(p, 3, LINEAR, T2 | P | W); /* reserved in a PDPTE: #GP when CR3 is loaded (4.4.1) */
    CU_ASSERT_EQUAL(x86_load_pdptes(&p->cpu, ROOT), EMU_FAULT);
    CU_ASSERT_EQUAL(p->cpu.fault.vector, VEC_GP);
    put(p, 3, LINEAR, T2 | W); /* not present: nothing is reserved */
    CU_ASSERT_EQUAL(x86_load_pdptes(&p->cpu, ROOT), EMU_OK);
    put(p, 3, LINEAR, 0);
    store_bytes(p->ram + ROOT + 0x20, T2 | P,
                8); /* CR3, 31:5: 32 bytes are the table (table 4-7) */
    CU_ASSERT_EQUAL(x86_write_cr(&p->cpu, 3, ROOT + 0x20), EMU_OK);
    CU_ASSERT_EQUAL(p->cpu.r.pdpte[0], T2 | P);
    put(p, 1, LINEAR, FRAME | ALL);
    CU_ASSERT_EQUAL(fault_of(p, 0, 0), -1);
    paged_close(p);
}

/* --- 4.6: access rights ---------------------------------------------------------------------------- */

static void
test_rights(void)
{
    static const struct {
        uint64_t pte;
        unsigned how, cpl;
        uint64_t cr0_clear, cr4;
        uint32_t flags;
        int want; /* error code, or -1 */
    } rows[] = {
        /* a supervisor page */
        {P | W, 0, 0, 0, 0, 0, -1},
        {P | W, 0, 3, 0, 0, 0, PF_PRESENT | PF_USER},
        {P | W, ACCESS_WRITE, 3, 0, 0, 0, PF_PRESENT | PF_USER | PF_WRITE},
        {P | W, ACCESS_FETCH, 3, 0, 0, 0, PF_PRESENT | PF_USER | PF_FETCH},
        /* a read-only page: CR0.WP decides for the supervisor */
        {P | U, ACCESS_WRITE, 3, 0, 0, 0, PF_PRESENT | PF_USER | PF_WRITE},
        {P | U, ACCESS_WRITE, 0, 0, 0, 0, PF_PRESENT | PF_WRITE},
        {P | U, ACCESS_RMW, 0, 0, 0, 0, PF_PRESENT | PF_WRITE},
        {P | U, ACCESS_WRITE, 0, CR0_WP, 0, 0, -1},
        {P | U, ACCESS_WRITE, 3, CR0_WP, 0, 0, PF_PRESENT | PF_USER | PF_WRITE},
        /* no execution */
        {ALL | NX, ACCESS_FETCH, 3, 0, 0, 0, PF_PRESENT | PF_USER | PF_FETCH},
        {ALL | NX, ACCESS_FETCH, 0, 0, 0, 0, PF_PRESENT | PF_FETCH},
        {ALL | NX, 0, 3, 0, 0, 0, -1},
        /* SMEP and SMAP: the supervisor and user pages */
        {ALL, ACCESS_FETCH, 0, 0, 0, 0, -1},
        {ALL, ACCESS_FETCH, 0, 0, CR4_SMEP, 0, PF_PRESENT | PF_FETCH},
        {ALL, ACCESS_FETCH, 3, 0, CR4_SMEP, 0, -1},
        {ALL, 0, 0, 0, CR4_SMAP, 0, PF_PRESENT},
        {ALL, 0, 0, 0, CR4_SMAP, FLAG_AC, -1},
        {ALL, ACCESS_SYSTEM, 0, 0, CR4_SMAP, FLAG_AC, PF_PRESENT}, /* implicit: AC does not help */
        {ALL, 0, 3, 0, CR4_SMAP, 0, -1},
        {P | W, 0, 0, 0, CR4_SMAP | CR4_SMEP, 0, -1},
    };
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct paged *p = paged_open(LEVEL4);
        put(p, 1, LINEAR, FRAME | rows[i].pte);
        p->cpu.r.cr0 &= ~rows[i].cr0_clear;
        p->cpu.r.cr4 |= rows[i].cr4;
        p->cpu.r.rflags |= rows[i].flags;
        int got = fault_of(p, rows[i].how, rows[i].cpl);
        CU_ASSERT_EQUAL(got, rows[i].want);
        paged_close(p);
    }
}

/* A right must be granted at every level (4.6.1). */
static void
test_rights_combine(void)
{
    for (unsigned level = 1; level <= 4; level++) {
        struct paged *p = paged_open(LEVEL4);
        uint64_t entry = get(p, level, LINEAR);
        put(p, level, LINEAR, entry & ~U);
        CU_ASSERT_EQUAL(fault_of(p, 0, 3), PF_PRESENT | PF_USER);
        put(p, level, LINEAR, entry & ~W);
        CU_ASSERT_EQUAL(fault_of(p, ACCESS_WRITE, 3), PF_PRESENT | PF_USER | PF_WRITE);
        put(p, level, LINEAR, entry | NX);
        CU_ASSERT_EQUAL(fault_of(p, ACCESS_FETCH, 3), PF_PRESENT | PF_USER | PF_FETCH);
        CU_ASSERT_EQUAL(fault_of(p, 0, 3), -1);
        paged_close(p);
    }
}

/* The fetch bit of the error code exists only with NXE (under PAE) or SMEP (4.7). */
static void
test_fetch_bit(void)
{
    struct paged *p = paged_open(BITS32);

    put(p, 1, LINEAR, 0);
    CU_ASSERT_EQUAL(fault_of(p, ACCESS_FETCH, 3), PF_USER);
    p->cpu.r.cr4 |= CR4_SMEP;
    CU_ASSERT_EQUAL(fault_of(p, ACCESS_FETCH, 3), PF_USER | PF_FETCH);
    paged_close(p);
}

/* --- 4.8: accessed and dirty ------------------------------------------------------------------------ */

static void
test_accessed_dirty(void)
{
    for (enum format f = BITS32; f <= LEVEL4; f++) {
        struct paged *p = paged_open(f);
        CU_ASSERT_EQUAL(fault_of(p, 0, 3), -1);
        CU_ASSERT_EQUAL(get(p, 1, LINEAR) & (A | D), A);
        CU_ASSERT_EQUAL(get(p, 2, LINEAR) & (A | D), A);
        if (f == PAE)
            CU_ASSERT_EQUAL(get(p, 3, LINEAR), T2 | P); /* a PDPTE has no A bit */
        CU_ASSERT_EQUAL(fault_of(p, ACCESS_WRITE, 3), -1);
        CU_ASSERT_EQUAL(get(p, 1, LINEAR) & (A | D), A | D);
        CU_ASSERT_EQUAL(get(p, 2, LINEAR) & (A | D), A); /* D is the page's alone */
        paged_close(p);

        p = paged_open(f); /* a fault sets neither */
        put(p, 1, LINEAR, FRAME | P | U);
        CU_ASSERT_NOT_EQUAL(fault_of(p, ACCESS_WRITE, 3), -1);
        CU_ASSERT_EQUAL(get(p, 1, LINEAR), FRAME | P | U);
        paged_close(p);
    }
}

/* --- 4.10: the TLB ----------------------------------------------------------------------------------- */

static uint64_t
read_byte(struct paged *p)
{
    uint64_t value = 0xdead;

    if (mem_read(&p->cpu, X86_DS, LINEAR, 1, &value) != EMU_OK)
        return 0xfa17;
    return value;
}

static void
test_tlb(void)
{
    struct paged *p = paged_open(LEVEL4);

    p->ram[FRAME + 0x678] = 1;
    p->ram[FRAME + 0x1678] = 2;
    CU_ASSERT_EQUAL(read_byte(p), 1);
    put(p, 1, LINEAR, (FRAME + 0x1000) | ALL);
    CU_ASSERT_EQUAL(read_byte(p), 1); /* remembered, as a processor may (4.10.2.3) */
    x86_tlb_flush_page(&p->cpu, LINEAR);
    CU_ASSERT_EQUAL(read_byte(p), 2);

    put(p, 1, LINEAR, FRAME | ALL);
    CU_ASSERT_EQUAL(x86_write_cr(&p->cpu, 3, ROOT), EMU_OK);
    CU_ASSERT_EQUAL(read_byte(p), 1);

    put(p, 1, LINEAR, FRAME | ALL | G);
    x86_tlb_flush_all(&p->cpu);
    CU_ASSERT_EQUAL(read_byte(p), 1);
    put(p, 1, LINEAR, (FRAME + 0x1000) | ALL | G);
    CU_ASSERT_EQUAL(x86_write_cr(&p->cpu, 3, ROOT), EMU_OK);
    CU_ASSERT_EQUAL(read_byte(p), 2); /* without CR4.PGE nothing is global (4.10.2.4) */

    p->cpu.r.cr4 |= CR4_PGE;
    put(p, 1, LINEAR, FRAME | ALL | G);
    x86_tlb_flush_all(&p->cpu);
    CU_ASSERT_EQUAL(read_byte(p), 1);
    put(p, 1, LINEAR, (FRAME + 0x1000) | ALL | G);
    CU_ASSERT_EQUAL(x86_write_cr(&p->cpu, 3, ROOT), EMU_OK);
    CU_ASSERT_EQUAL(read_byte(p), 1); /* global: outlives CR3 (4.10.2.4) */
    CU_ASSERT_EQUAL(x86_write_cr(&p->cpu, 4, p->cpu.r.cr4 & ~(uint64_t)CR4_PGE), EMU_OK);
    CU_ASSERT_EQUAL(read_byte(p), 2);
    paged_close(p);
}

/* A write through a translation made by a read must still set D, and obey W. */
static void
test_tlb_write(void)
{
    struct paged *p = paged_open(LEVEL4);

    read_byte(p);
    CU_ASSERT_EQUAL(get(p, 1, LINEAR) & D, 0);
    CU_ASSERT_EQUAL(mem_write(&p->cpu, X86_DS, LINEAR, 1, 9), EMU_OK);
    CU_ASSERT_EQUAL(get(p, 1, LINEAR) & D, D);
    CU_ASSERT_EQUAL(p->ram[FRAME + 0x678], 9);
    put(p, 1, LINEAR, FRAME | P | U);
    x86_tlb_flush_page(&p->cpu, LINEAR);
    CU_ASSERT_EQUAL(read_byte(p), 9);
    CU_ASSERT_EQUAL(mem_write(&p->cpu, X86_DS, LINEAR, 1, 1), EMU_FAULT);
    CU_ASSERT_EQUAL(p->ram[FRAME + 0x678], 9);
    paged_close(p);
}

/* What a user may not see must not come from an entry that the supervisor made, nor back. */
static void
test_tlb_privilege(void)
{
    struct paged *p = paged_open(LEVEL4);

    put(p, 1, LINEAR, FRAME | P | W);
    CU_ASSERT_EQUAL(read_byte(p), 0);
    p->cpu.r.seg[X86_SS].attr |= SEG_DPL;
    x86_update_mode(&p->cpu);
    CU_ASSERT_EQUAL(p->cpu.cpl, 3);
    CU_ASSERT_EQUAL(read_byte(p), 0xfa17);
    /* ... but the processor's own accesses for it may: descriptor tables (4.6.1) */
    uint64_t value;
    CU_ASSERT_EQUAL(x86_read_linear(&p->cpu, LINEAR, 1, ACCESS_SYSTEM, &value), EMU_OK);
    paged_close(p);
}

/* --- two pages ----------------------------------------------------------------------------------------- */

/* An access across two pages faults before anything is written, with the second page's address. */
static void
test_two_pages(void)
{
    struct paged *p = paged_open(LEVEL4);
    uint64_t second = (LINEAR & ~UINT64_C(0xfff)) + 0x1000, at = second - 3, value;

    CU_ASSERT_EQUAL(mem_write(&p->cpu, X86_DS, at, 8, UINT64_MAX), EMU_FAULT);
    CU_ASSERT_EQUAL(p->cpu.fault.address, second);
    CU_ASSERT_EQUAL(p->cpu.fault.error, PF_WRITE);
    CU_ASSERT_EQUAL(p->ram[FRAME + 0xffd], 0);
    put(p, 1, second, (FRAME + 0x3000) | ALL); /* not the next frame */
    CU_ASSERT_EQUAL(mem_write(&p->cpu, X86_DS, at, 8, UINT64_C(0x8877665544332211)), EMU_OK);
    CU_ASSERT_EQUAL(p->ram[FRAME + 0xfff], 0x33);
    CU_ASSERT_EQUAL(p->ram[FRAME + 0x1000], 0);
    CU_ASSERT_EQUAL(p->ram[FRAME + 0x3000], 0x44);
    CU_ASSERT_EQUAL(mem_read(&p->cpu, X86_DS, at, 8, &value), EMU_OK);
    CU_ASSERT_EQUAL(value, UINT64_C(0x8877665544332211));
    paged_close(p);
}

/* A watched page is told of every write, be it the program's or a dirty bit. */
static void
test_watched(void)
{
    struct paged *p = paged_open(LEVEL4);

    put(p, 1, LINEAR, (FRAME + 0x5000) | ALL);
    CU_ASSERT_EQUAL(mem_write(&p->cpu, X86_DS, LINEAR, 1, 1), EMU_OK);
    CU_ASSERT_EQUAL(mem_write(&p->cpu, X86_DS, LINEAR, 1, 2), EMU_OK);
    CU_ASSERT_EQUAL(p->told, 2);
    paged_close(p);
}

/* A table where no memory is: said by name, not a crash. */
static void
test_no_table(void)
{
    struct paged *p = paged_open(LEVEL4);
    struct x86_walk walk;

    put(p, 2, LINEAR, UINT64_C(0x5000000) | ALL);
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_UNIMPLEMENTED);
    CU_ASSERT_FALSE(x86_page_look(&p->cpu, LINEAR, &walk));
    CU_ASSERT_EQUAL(walk.steps, 3);
    p->cpu.r.cr3 = UINT64_C(0xfffffff000);
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_UNIMPLEMENTED);
    paged_close(p);
}

/* With A20 closed bit 20 of every physical address is clear, that of the tables too. */
static void
test_a20(void)
{
    struct paged *p = paged_open(BITS32);
    struct x86_walk walk;

    p->cpu.r.cr0 &= ~(uint64_t)CR0_PG;
    x86_update_mode(&p->cpu);
    p->cpu.mem.a20_mask = ~(UINT64_C(1) << 20);
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, 0x100005, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, 5);
    paged_close(p);

    p = paged_open(BITS32); /* the tables' addresses, and the page's, go through it as well */
    p->cpu.mem.a20_mask = ~(UINT64_C(1) << 20);
    memcpy(p->ram + (ROOT & 0xfffff), p->ram + ROOT, 0x4000);
    memset(p->ram + ROOT, 0, 0x4000);
    put(p, 1, LINEAR, 0); /* ROOT and T1 have bit 20 set: what is read lies 1 MiB below */
    CU_ASSERT_EQUAL(x86_page_walk(&p->cpu, LINEAR, 0, 0, &walk), EMU_OK);
    CU_ASSERT_EQUAL(walk.gpa, FRAME + 0x678);
    paged_close(p);
}

/* A table in ROM: the bits cannot be set, and the access succeeds all the same. */
static void
test_rom_table(void)
{
    struct paged *p = paged_open(LEVEL4);

    p->rom = T1;
    put(p, 2, LINEAR, T1 | ALL);
    CU_ASSERT_EQUAL(fault_of(p, ACCESS_WRITE, 0), -1);
    CU_ASSERT_EQUAL(get(p, 1, LINEAR), FRAME | ALL);
    CU_ASSERT_EQUAL(get(p, 2, LINEAR), T1 | ALL | A);
    paged_close(p);
}

static const struct unit_test tests[] = {
    {"translation in three formats", test_translation},
    {"large pages", test_large_pages},
    {"reserved bits", test_reserved_bits},
    {"access rights", test_rights},
    {"rights are granted at every level", test_rights_combine},
    {"the fetch bit of an error code", test_fetch_bit},
    {"accessed and dirty bits", test_accessed_dirty},
    {"TLB: INVLPG, CR3, global pages", test_tlb},
    {"TLB: a write after a read", test_tlb_write},
    {"TLB: user and supervisor", test_tlb_privilege},
    {"an access to two pages", test_two_pages},
    {"watched pages", test_watched},
    {"a table outside of memory", test_no_table},
    {"the A20 gate", test_a20},
    {"a table in ROM", test_rom_table},
    {NULL, NULL},
};
const struct unit_suite suite_isa_paging = {"isa_paging", tests};
