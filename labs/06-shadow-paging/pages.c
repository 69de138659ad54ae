/*
 * pages.c - the guest of lab 6: a kernel that maps, unmaps, protects, and switches address spaces.
 *
 * Words of the command line: map invlpg switch stale late. Each access goes through a window at linear
 * 80_0000_0000 whose page table is the guest's own; what must be there is known from the frames, which are
 * also mapped one to one. It is given: the tests use this file as it came.
 */
#include "labguest.h"

#define WINDOW     0x8000000000ull
#define FRAME_BASE 0x800000ull /* 8 MiB: the frames */
#define TABLE_BASE 0x600000ull /* 6 MiB: tables */
#define P          1ull
#define W          2ull
#define A          0x20ull
#define D          0x40ull
#define NX         (1ull << 63)

/* --- faults ---------------------------------------------------------------------------------------- */

uint64_t saved_rsp, fault_error, fault_address;
uint64_t probe(uint64_t address, uint64_t how, uint64_t value);
void page_fault(void);

__asm__("probe:\n" /* rdi address, rsi 0 read, 1 write, 2 run; rdx value: returns value, or -1 */
        "    mov %rsp, saved_rsp(%rip)\n"
        "    cmp $1, %rsi\n"
        "    je 1f\n"
        "    ja 2f\n"
        "    mov (%rdi), %rax\n"
        "    ret\n"
        "1:  mov %rdx, (%rdi)\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        "2:  call *%rdi\n"
        "    xor %eax, %eax\n"
        "    ret\n"
        "page_fault:\n"
        "    pop fault_error(%rip)\n"
        "    mov %cr2, %rax\n"
        "    mov %rax, fault_address(%rip)\n"
        "    mov saved_rsp(%rip), %rsp\n"
        "    mov $-1, %rax\n"
        "    ret\n");

static struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, zero;
} idt[15] __attribute__((aligned(16)));

static void
set_up(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t to = (uint64_t)page_fault, cr0;
    uint32_t low, high;

    idt[14] = (struct gate){(uint16_t)to,         BOOT_CS, 0x8e00, (uint16_t)(to >> 16),
                            (uint32_t)(to >> 32), 0};
    __asm__ volatile("lidt %0" : : "m"(idtr));
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080u));
    __asm__ volatile("wrmsr" : : "a"(low | 0x800), "d"(high), "c"(0xc0000080u)); /* EFER.NXE */
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | 0x10000)); /* WP: the kernel obeys W, too */
}

/* --- spaces ------------------------------------------------------------------------------------------ */

struct table {
    uint64_t entry[512];
};
struct space {
    struct table *root, *leaf;
};
static struct space spaces[3];

static struct table *
table_at(unsigned n)
{
    return (struct table *)(TABLE_BASE + n * 4096ull);
}

static uint64_t *
frame(unsigned n)
{
    return (uint64_t *)(FRAME_BASE + n * 4096ull);
}

static void
make_space(unsigned n, struct table *leaf)
{
    struct table *root = table_at(4 * n), *pdpt = table_at(4 * n + 1), *pd = table_at(4 * n + 2);

    for (unsigned i = 0; i < 512; i++)
        root->entry[i] = pdpt->entry[i] = pd->entry[i] = leaf->entry[i] = 0;
    root->entry[0] = *(uint64_t *)(uint64_t)BOOT_PAGES; /* one to one, as booted */
    root->entry[1] = (uint64_t)pdpt | W | P;
    pdpt->entry[0] = (uint64_t)pd | W | P;
    pd->entry[0] = (uint64_t)leaf | W | P;
    spaces[n] = (struct space){root, leaf};
}

static void
load(unsigned n)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(spaces[n].root) : "memory");
}

static void
set(unsigned space, unsigned page, uint64_t entry)
{
    ((volatile uint64_t *)spaces[space].leaf->entry)[page] = entry;
}

static void
invlpg(unsigned page)
{
    __asm__ volatile("invlpg (%0)" : : "r"(WINDOW + page * 4096ull) : "memory");
}

static uint64_t
look(unsigned page)
{
    return probe(WINDOW + page * 4096ull, 0, 0);
}

/* "what: value", or the page fault with its error code. */
static void
show(const char *what, uint64_t value)
{
    if (value == ~0ull) {
        print(what);
        print(": page fault, error ");
        print_hex(fault_error);
        print("\n");
    } else {
        say(what, value);
    }
}

/* --- what is tried ------------------------------------------------------------------------------------- */

static void
try_map(void)
{
    set(0, 1, (uint64_t)frame(1) | P | W | NX);
    set(0, 2, (uint64_t)frame(2) | P);
    set(0, 511, (uint64_t)frame(3) | P | W);
    load(0);
    show("page 1 is frame 1", look(1));
    show("page 2 is frame 2", look(2));
    show("page 511 is frame 3", look(511));
    show("page 3 is not there", look(3));
    say_hex("page 2 before a write, accessed and dirty", spaces[0].leaf->entry[2] & (A | D));
    show("write to page 2, which is read-only", probe(WINDOW + 2 * 4096, 1, 77));
    say_hex("page 1 before a write, accessed and dirty", spaces[0].leaf->entry[1] & (A | D));
    show("write to page 1", probe(WINDOW + 4096, 1, 101));
    say_hex("page 1 after a write, accessed and dirty", spaces[0].leaf->entry[1] & (A | D));
    say("frame 1 now", *frame(1));
    show("run page 1, which is NX", probe(WINDOW + 4096 + 8, 2, 0));
    show("run page 511", probe(WINDOW + 511 * 4096 + 8, 2, 0));
    frame(1)[0] = 1;
}

static void
try_invlpg(void)
{
    set(0, 1, (uint64_t)frame(1) | P | W);
    set(0, 2, (uint64_t)frame(2) | P | W);
    load(0);
    show("page 1 is frame 1", look(1));
    set(0, 1, (uint64_t)frame(5) | P | W);
    invlpg(1);
    show("page 1, remapped to frame 5", look(1));
    probe(WINDOW + 2 * 4096, 1, 2);
    set(0, 2, (uint64_t)frame(2) | P);
    invlpg(2);
    show("write to page 2, made read-only", probe(WINDOW + 2 * 4096, 1, 77));
    set(0, 1, 0);
    invlpg(1);
    show("page 1, unmapped", look(1));
    show("page 2, still there", look(2));
    invlpg(300); /* nobody ever touched it */
    print("invlpg of a page that is not there: nothing happens\n");
}

#define SWITCHES 60
#define USED     16

static void
try_switch(void)
{
    uint64_t wrong = 0;

    for (unsigned p = 0; p < USED; p++) {
        set(0, p, (uint64_t)frame(p) | P | W);
        set(1, p, (uint64_t)frame(USED + p) | P | W);
    }
    for (unsigned i = 0; i < SWITCHES; i++) {
        load(i % 2);
        for (unsigned p = 0; p < USED; p++)
            wrong += look(p) != p + (i % 2 ? USED : 0);
    }
    say("spaces switched", SWITCHES);
    say("wrong pages seen", wrong);
}

/* Changed while another space is loaded: what a load of CR3 shows must be the present tables. */
static void
try_stale(void)
{
    set(0, 1, (uint64_t)frame(1) | P | W);
    set(1, 1, (uint64_t)frame(2) | P | W);
    load(0);
    show("space 0", look(1));
    load(1);
    show("space 1", look(1));
    set(0, 1, (uint64_t)frame(6) | P | W);
    load(0);
    show("space 0, changed meanwhile to frame 6", look(1));
    load(1);
    set(0, 1, 0);
    load(0);
    show("space 0, unmapped meanwhile", look(1));
    load(1);
    ((volatile uint64_t *)spaces[0].root->entry)[1] = 0; /* the whole window, at the root */
    load(0);
    show("space 0 without its window", look(2));
    spaces[0].root->entry[1] = (uint64_t)table_at(1) | W | P;
}

/* A page is written as data first: it is mapped writable. Then it becomes a table. */
static void
try_late(void)
{
    struct table *leaf = (struct table *)frame(40);

    load(0);
    for (unsigned i = 0; i < 512; i++)
        leaf->entry[i] = 0; /* by the map one to one: writable from here on */
    make_space(2, leaf);
    set(2, 1, (uint64_t)frame(7) | P | W);
    load(2);
    show("space 2", look(1));
    set(2, 1, (uint64_t)frame(8) | P | W);
    load(0);
    load(2);
    show("space 2, changed to frame 8", look(1));
    set(2, 1, (uint64_t)frame(9) | P | W);
    invlpg(1);
    show("space 2, changed to frame 9", look(1));
    load(0);
    /* Linked first, filled later: while it is filled it is no table that anybody has walked. */
    leaf = (struct table *)frame(41);
    table_at(2)->entry[1] = (uint64_t)leaf | W | P;
    for (unsigned i = 0; i < 512; i++)
        ((volatile uint64_t *)leaf->entry)[i] = i == 1 ? (uint64_t)frame(7) | P | W : 0;
    show("the second table", look(513));
    ((volatile uint64_t *)leaf->entry)[1] = (uint64_t)frame(8) | P | W;
    load(0);
    show("the second table, changed to frame 8", look(513));
}

void
guest_main(struct boot_info *boot)
{
    set_up();
    for (unsigned n = 0; n < 40; n++) {
        frame(n)[0] = n;
        *(uint8_t *)&frame(n)[1] = 0xc3; /* RET */
    }
    make_space(0, table_at(3));
    make_space(1, table_at(7));
    if (asked(boot, "map"))
        try_map();
    if (asked(boot, "invlpg"))
        try_invlpg();
    if (asked(boot, "switch"))
        try_switch();
    if (asked(boot, "stale"))
        try_stale();
    if (asked(boot, "late"))
        try_late();
}
