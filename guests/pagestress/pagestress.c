/*
 * pagestress.c - does memory do what the page tables say? 100,000 times, against a model.
 *
 * Four address spaces share a pool of frames in one window of linear memory. Random steps map,
 * unmap, protect and remap pages, take away whole page tables and bring them back, put a 2 MiB page
 * in their place, switch spaces, toggle CR0.WP; in between random reads, writes and calls. Of each
 * access the model knows whether it faults, with which error code, what it reads, and which
 * accessed and dirty bits it leaves behind. The first disagreement ends the run with status 3.
 *
 * It obeys the rules of SDM vol. 3, 4.10.4: after an entry that was present changes, INVLPG or a
 * load of CR3. So it must pass on any processor, virtual or not; it was written for shadow paging.
 */
#include <stdint.h>

#include "abi.h"

#define STEPS      100000
#define SPACES     4
#define TABLES     2 /* page tables of each window */
#define PAGES      (TABLES * 512)
#define USED       24 /* pages of each table that steps choose from: collisions are wanted */
#define FRAMES     32
#define WINDOW     0x8000000000u /* PML4 slot 1 */
#define FRAME_BASE 0x800000u     /* 8 MiB: the pool; also the 2 MiB page */
#define TABLE_BASE 0x600000u     /* 6 MiB: all page tables */
#define RET_OPCODE 0xc3u

#define PTE_P         1ull
#define PTE_W         2ull
#define PTE_A         0x20ull
#define PTE_D         0x40ull
#define PTE_PS        0x80ull
#define PTE_NX        (1ull << 63)
#define ERROR_PRESENT 1u
#define ERROR_WRITE   2u
#define ERROR_FETCH   16u

int probe_read(uint64_t address, uint64_t *value);
int probe_write(uint64_t address, uint64_t value);
int probe_run(uint64_t address);
void page_fault_entry(void);
void other_entry(void);
void stress_main(struct boot_info *boot);
void stress_unexpected(void);
extern uint64_t fault_address, fault_error, fault_count;

/* --- the machine -------------------------------------------------------------------------------- */

static void
out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
print(const char *text)
{
    while (*text)
        out8(0x3f8, (uint8_t)*text++);
}

static void
print_number(uint64_t value, unsigned base)
{
    char digits[21];
    int at = 20;

    digits[at] = 0;
    do
        digits[--at] = "0123456789abcdef"[value % base];
    while (value /= base);
    print(&digits[at]);
}

static void
finish(uint8_t status)
{
    out8(0xf4, status);
    for (;;)
        __asm__ volatile("cli; hlt");
}

void
stress_unexpected(void)
{
    print("pagestress: an exception that nothing here can raise\n");
    finish(1);
}

static void
invlpg(uint64_t address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static void
load_cr3(uint64_t root)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, zero;
};
static struct gate idt[32] __attribute__((aligned(16)));

static void
set_gate(unsigned vector, void (*entry)(void))
{
    uint64_t to = (uint64_t)entry;

    idt[vector] = (struct gate){(uint16_t)to,         BOOT_CS, 0x8e00, (uint16_t)(to >> 16),
                                (uint32_t)(to >> 32), 0};
}

static void
set_up_processor(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint32_t low, high;

    for (unsigned v = 0; v < 32; v++)
        set_gate(v, v == 14 ? page_fault_entry : other_entry);
    __asm__ volatile("lidt %0" : : "m"(idtr));
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080u));
    low |= 0x800; /* EFER.NXE */
    __asm__ volatile("wrmsr" : : "a"(low), "d"(high), "c"(0xc0000080u));
}

/* --- page tables and the model ------------------------------------------------------------------- */

struct table {
    uint64_t entry[512];
};

/* What the model knows of a page: exactly what should be in its entry. */
struct page {
    int frame; /* -1: not present */
    int writable, executable, accessed, dirty;
};

struct space {
    struct table *root, *directory, *leaf[TABLES];
    int leaf_present[TABLES]; /* 0: the directory's entry is clear */
    int large[TABLES];        /* the directory maps FRAME_BASE as one 2 MiB page, read and write */
    struct page page[PAGES];
};

static struct space spaces[SPACES];
static uint64_t contents[FRAMES]; /* first quadword of each frame */
static unsigned now;              /* the current space */
static int write_protect;         /* CR0.WP */
static uint64_t accesses, faults;
static uint64_t seed = 88172645463325252ull;

static unsigned
pick(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17; /* Marsaglia's xorshift64 */
    return (unsigned)(seed >> 11) % n;
}

static uint64_t *
frame_at(unsigned frame)
{
    return (uint64_t *)(FRAME_BASE + frame * 4096ull);
}

static uint64_t
address_of(unsigned page)
{
    return WINDOW + page * 4096ull;
}

static struct table *
next_table(void)
{
    static uint64_t next = TABLE_BASE;
    struct table *t = (struct table *)next;

    next += sizeof(*t);
    for (unsigned i = 0; i < 512; i++)
        t->entry[i] = 0;
    return t;
}

static void
set_up_spaces(void)
{
    uint64_t boot_root;

    __asm__ volatile("mov %%cr3, %0" : "=r"(boot_root));
    for (unsigned f = 0; f < FRAMES; f++) {
        contents[f] = 0x1111111111111111ull * (f % 15 + 1) + f;
        frame_at(f)[0] = contents[f];
        frame_at(f)[1] = RET_OPCODE; /* for probe_run, at offset 8 */
    }
    for (unsigned s = 0; s < SPACES; s++) {
        struct space *space = &spaces[s];
        struct table *pdpt = next_table();
        space->root = next_table();
        space->directory = next_table();
        space->root->entry[0] = ((struct table *)boot_root)->entry[0]; /* one to one, as booted */
        space->root->entry[1] = (uint64_t)pdpt | PTE_W | PTE_P;
        pdpt->entry[0] = (uint64_t)space->directory | PTE_W | PTE_P;
        for (unsigned t = 0; t < TABLES; t++) {
            space->leaf[t] = next_table();
            space->leaf_present[t] = 1;
            space->directory->entry[t] = (uint64_t)space->leaf[t] | PTE_W | PTE_P;
        }
        for (unsigned p = 0; p < PAGES; p++)
            space->page[p].frame = -1;
    }
    load_cr3((uint64_t)spaces[0].root);
}

static void
disagree(const char *what, unsigned page, uint64_t expected, uint64_t found)
{
    print("pagestress: ");
    print(what);
    print(": page ");
    print_number(page, 10);
    print(" of space ");
    print_number(now, 10);
    print(": expected ");
    print_number(expected, 16);
    print(", found ");
    print_number(found, 16);
    print("\n");
    finish(1);
}

/* --- steps ---------------------------------------------------------------------------------------- */

static void
write_entry(struct space *space, unsigned page, uint64_t entry)
{
    space->leaf[page / 512]->entry[page % 512] = entry;
}

static void
forget(unsigned space, unsigned page)
{
    if (space == now)
        invlpg(address_of(page));
}

/* Map, remap or protect: a new entry with A and D clear. */
static void
step_map(unsigned s, unsigned page)
{
    struct page *p = &spaces[s].page[page];
    int was = p->frame >= 0;

    *p = (struct page){.frame = was && pick(2) ? p->frame : (int)pick(FRAMES),
                       .writable = pick(3) > 0,
                       .executable = pick(2)};
    write_entry(&spaces[s], page,
                (uint64_t)frame_at((unsigned)p->frame) | PTE_P | (p->writable ? PTE_W : 0) |
                    (p->executable ? 0 : PTE_NX));
    if (was)
        forget(s, page);
}

static void
step_unmap(unsigned s, unsigned page)
{
    int was = spaces[s].page[page].frame >= 0;

    spaces[s].page[page].frame = -1;
    write_entry(&spaces[s], page, 0);
    if (was)
        forget(s, page);
}

/* The directory's entry: gone, the page table, or one large page. Then CR3 is loaded. */
static void
step_table(unsigned s, unsigned t)
{
    struct space *space = &spaces[s];
    unsigned kind = pick(3);

    space->leaf_present[t] = kind == 0;
    space->large[t] = kind == 1;
    space->directory->entry[t] = kind == 0   ? (uint64_t)space->leaf[t] | PTE_W | PTE_P
                                 : kind == 1 ? FRAME_BASE | PTE_PS | PTE_W | PTE_P
                                             : 0;
    load_cr3((uint64_t)spaces[now].root);
}

static void
step_switch(void)
{
    now = pick(SPACES);
    load_cr3((uint64_t)spaces[now].root);
}

static void
step_write_protect(void)
{
    uint64_t cr0;

    write_protect = !write_protect;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 = write_protect ? cr0 | 0x10000 : cr0 & ~0x10000ull;
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
}

/* --- accesses ------------------------------------------------------------------------------------- */

enum access { READ, WRITE, RUN };

/* What must happen: -1, no fault; else the error code. *frame: which frame it reaches. */
static int
expected_fault(unsigned page, enum access how, int *frame)
{
    struct space *space = &spaces[now];
    struct page *p = &space->page[page];
    unsigned bits = (how == WRITE ? ERROR_WRITE : 0) | (how == RUN ? ERROR_FETCH : 0);

    if (space->large[page / 512]) {
        *frame = page % 512 < FRAMES ? (int)(page % 512) : -1;
        return -1;
    }
    *frame = p->frame;
    if (!space->leaf_present[page / 512] || p->frame < 0)
        return (int)bits;
    if ((how == WRITE && !p->writable && write_protect) || (how == RUN && !p->executable))
        return (int)(bits | ERROR_PRESENT);
    return -1;
}

/* A and D in the entry are what the model says: set by accesses, never by themselves. A processor
 * may set A early (SDM vol. 3, 4.8), so a set A is only wrong if nothing was ever accessed here. */
static void
check_bits(unsigned page)
{
    struct space *space = &spaces[now];
    const struct page *p = &space->page[page];
    uint64_t entry = space->leaf[page / 512]->entry[page % 512];

    if (p->frame < 0)
        return;
    if (p->accessed && !(entry & PTE_A))
        disagree("accessed bit is not set", page, PTE_A, entry);
    if (!p->dirty != !(entry & PTE_D))
        disagree("dirty bit", page, p->dirty ? PTE_D : 0, entry);
}

static void
step_access(unsigned page)
{
    enum access how = pick(3);
    uint64_t value = seed, address = address_of(page), before = fault_count;
    struct space *space = &spaces[now];
    int frame, want = expected_fault(page, how, &frame), ok;

    if (want < 0 && frame < 0)
        return; /* a part of the large page that no frame lies in */
    accesses++;
    if (how == READ)
        ok = probe_read(address, &value);
    else if (how == WRITE)
        ok = probe_write(address, value);
    else
        ok = probe_run(address + 8);
    if (ok != (want < 0))
        disagree(ok ? "should have faulted" : "faulted", page, (uint64_t)want, fault_error);
    if (!ok) {
        faults++;
        if (fault_count != before + 1 || fault_error != (uint64_t)want)
            disagree("error code", page, (uint64_t)want, fault_error);
        if (fault_address != address + (how == RUN ? 8 : 0))
            disagree("CR2", page, address, fault_address);
        return;
    }
    if (how == WRITE)
        contents[frame] = value;
    if (how == READ && value != contents[frame])
        disagree("contents", page, contents[frame], value);
    if (frame_at((unsigned)frame)[0] != contents[frame])
        disagree("the frame itself", page, contents[frame], frame_at((unsigned)frame)[0]);
    if (!space->large[page / 512]) {
        space->page[page].accessed = 1;
        space->page[page].dirty |= how == WRITE;
        check_bits(page);
    }
}

static void
step(void)
{
    unsigned page = pick(TABLES) * 512 + pick(USED), s = pick(SPACES);

    switch (pick(16)) {
    case 0:
    case 1:
    case 2: step_map(s, page); break;
    case 3: step_unmap(s, page); break;
    case 4: step_switch(); break;
    case 5:
        if (pick(8) == 0)
            step_table(s, pick(TABLES));
        break;
    case 6:
        if (pick(8) == 0)
            step_write_protect();
        break;
    case 7:
        step_map(now, page);
        step_access(page);
        break;
    default: step_access(page); break;
    }
}

void
stress_main(struct boot_info *boot)
{
    (void)boot;
    set_up_processor();
    set_up_spaces();
    step_write_protect(); /* on */
    for (unsigned i = 0; i < STEPS; i++)
        step();
    print("pagestress: ");
    print_number(STEPS, 10);
    print(" steps, ");
    print_number(accesses, 10);
    print(" accesses, ");
    print_number(faults, 10);
    print(" of them faults: all as the model says\n");
    finish(0);
}
