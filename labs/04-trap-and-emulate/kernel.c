/*
 * kernel.c - the guest of lab 4: a kernel that switches interrupts off and on, waits for the timer, loads
 * a GDT, and runs programs at CPL 3.
 *
 * Words of the command line: cli sti hlt lgdt popf user. Under --strategy hardware all of them come out as
 * they should. It is given: the tests use this file as it came.
 */
#include "labguest.h"

#define PIT_DIVISOR 60  /* of 1193182 Hz: a tick each 50 microseconds */
#define SPINS       400000u
#define CODE0       0x08u
#define DATA0       0x10u
#define DATA3       0x1bu
#define CODE3       0x23u
#define TSS         0x28u
#define FLAG_IF     0x200u

/* --- traps ----------------------------------------------------------------------------------------- */

volatile uint64_t ticks;
uint64_t saved_rsp;
uint64_t probe(void (*function)(void));
uint64_t probe_user(void (*function)(void));
void tick_entry(void), fault_13(void), fault_14(void), call_entry(void);
static uint8_t user_stack[1024] __attribute__((aligned(16), used));
uint64_t user_flags = 0x202; /* IF set, IOPL 0 */
uint64_t user_top = (uint64_t)(user_stack + sizeof(user_stack));

__asm__("tick_entry:\n"
        "    push %rax\n"
        "    incq ticks(%rip)\n"
        "    mov $0x20, %al\n"
        "    out %al, $0x20\n" /* end of interrupt, to the 8259 */
        "    pop %rax\n"
        "    iretq\n"
        /* uint64_t probe(function): 0, or the vector of the exception that ended it */
        "probe:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, saved_rsp(%rip)\n"
        "    call *%rdi\n"
        "    xor %eax, %eax\n"
        "back:\n"
        "    mov saved_rsp(%rip), %rsp\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        /* the same at CPL 3; 64 if it ended by INT 40h */
        "probe_user:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    mov %rsp, saved_rsp(%rip)\n"
        "    push $0x1b\n"
        "    push user_top(%rip)\n"
        "    push user_flags(%rip)\n"
        "    push $0x23\n"
        "    push %rdi\n"
        "    iretq\n"
        "fault_13: mov $13, %eax; jmp back\n"
        "fault_14: mov $14, %eax; jmp back\n"
        "call_entry: mov $64, %eax; jmp back\n");

static struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, zero;
} idt[65] __attribute__((aligned(16)));

struct table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void
set_gate(unsigned vector, void (*entry)(void), uint16_t selector, uint16_t attributes)
{
    uint64_t to = (uint64_t)entry;

    idt[vector] = (struct gate){(uint16_t)to,         selector, attributes, (uint16_t)(to >> 16),
                                (uint32_t)(to >> 32), 0};
}

static void
set_gates(uint16_t selector)
{
    struct table idtr = {sizeof(idt) - 1, (uint64_t)idt};

    set_gate(13, fault_13, selector, 0x8e00);
    set_gate(14, fault_14, selector, 0x8e00);
    set_gate(32, tick_entry, selector, 0x8e00);
    set_gate(64, call_entry, selector, 0xee00); /* programs may call it */
    __asm__ volatile("lidt %0" : : "m"(idtr));
}

static void
start_timer(void)
{
    static const uint8_t pic[][2] = {{0x20, 0x11}, {0x21, 32}, {0x21, 4}, {0x21, 1}, {0x21, 0xfe},
                                     {0xa0, 0x11}, {0xa1, 40}, {0xa1, 2}, {0xa1, 1}, {0xa1, 0xff}};

    for (unsigned i = 0; i < sizeof(pic) / sizeof(pic[0]); i++)
        out8(pic[i][0], pic[i][1]);
    out8(0x43, 0x34); /* counter 0, both bytes, mode 2 */
    out8(0x40, PIT_DIVISOR & 0xff);
    out8(0x40, PIT_DIVISOR >> 8);
}

/* --- what is tried ------------------------------------------------------------------------------------ */

static uint64_t
flags(void)
{
    uint64_t value;
    __asm__ volatile("pushfq; pop %0" : "=r"(value));
    return value;
}

/* How many ticks come while nothing is done? */
static uint64_t
ticks_in_a_while(void)
{
    uint64_t before = ticks;
    for (volatile unsigned i = 0; i < SPINS; i++)
        ;
    return ticks - before;
}

/* Interrupts on, by the only other way: IRETQ takes the flags from the stack. */
static void
enable_by_iret(uint16_t cs, uint16_t ss)
{
    __asm__ volatile("mov %%rsp, %%rax; push %1; push %%rax; push $0x202; push %0; lea 1f(%%rip), %%rax;"
                     "push %%rax; iretq; 1:"
                     :
                     : "r"((uint64_t)cs), "r"((uint64_t)ss)
                     : "rax", "memory");
}

static void
try_cli(void)
{
    enable_by_iret(BOOT_CS, BOOT_DS);
    print(ticks_in_a_while() ? "before cli: ticks come\n" : "before cli: NO TICKS\n");
    __asm__ volatile("cli");
    say("after cli: ticks", ticks_in_a_while());
    say_hex("after cli: IF", flags() & FLAG_IF);
}

static void
try_sti(void)
{
    uint64_t before;

    __asm__ volatile("cli");
    say_hex("before sti: IF", flags() & FLAG_IF);
    __asm__ volatile("sti");
    print(ticks_in_a_while() ? "after sti: ticks come\n" : "after sti: NO TICKS\n");
    say_hex("after sti: IF", flags() & FLAG_IF);
    __asm__ volatile("cli");
    ticks_in_a_while(); /* by now one waits */
    before = ticks;
    for (unsigned i = 0; i < 100; i++)
        __asm__ volatile("sti; cli"); /* nothing comes in between: the shadow */
    say("between sti and cli: ticks", ticks - before);
    __asm__ volatile("sti; nop; cli");
    say("between sti, nop and cli: ticks", ticks - before);
}

static void
try_hlt(void)
{
    uint64_t before, woken = 0;

    __asm__ volatile("cli");
    before = ticks;
    while (ticks - before < 5) {
        __asm__ volatile("sti; hlt; cli");
        woken++;
    }
    print(woken <= 5 ? "hlt: it sleeps until the next tick\n" : "hlt: it does not sleep\n");
    say("hlt: ticks", ticks - before);
}

static uint64_t gdt[7] __attribute__((aligned(16))) = {0,
                                                       0x00af9b000000ffff,  /* 08: code, CPL 0 */
                                                       0x00cf93000000ffff,  /* 10: data */
                                                       0x00cff3000000ffff,  /* 18: data, CPL 3 */
                                                       0x00affb000000ffff}; /* 20: code, CPL 3 */
static uint8_t tss[104] __attribute__((aligned(16)));
static uint8_t kernel_stack[1024] __attribute__((aligned(16)));
static struct table wild = {63, 0x8000000000000000}, good;

static void
load_wild(void)
{
    __asm__ volatile("lgdt %0" : : "m"(wild));
}

/* The limit lies in one page, the base in the next, and that one is not there. */
#define TORN (UINT64_C(64) << 20)
static void
load_torn(void)
{
    __asm__ volatile("movw $7, (%0)\n lgdt (%0)" : : "r"(TORN - 4) : "memory");
}

static void
unmap_torn(void)
{
    volatile uint64_t *directory = (uint64_t *)(uint64_t)(BOOT_PAGES + 0x2000);

    directory[TORN >> 21] = 0;
    __asm__ volatile("mov %0, %%cr3" : : "r"((uint64_t)BOOT_PAGES) : "memory");
}

static void
load_gdt(void)
{
    good = (struct table){sizeof(gdt) - 1, (uint64_t)gdt};
    uint64_t base = (uint64_t)tss, top = (uint64_t)(kernel_stack + sizeof(kernel_stack));

    gdt[5] = 0x67 | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
    for (unsigned i = 0; i < 8; i++)
        tss[4 + i] = (uint8_t)(top >> 8 * i);
    __asm__ volatile("lgdt %0" : : "m"(good));
    __asm__ volatile("pushq $0x08; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:\n"
                     "mov $0x10, %%eax; mov %%eax, %%ss; mov %%eax, %%ds; mov %%eax, %%es\n"
                     "mov $0x28, %%eax; ltr %%ax"
                     :
                     :
                     : "rax", "memory");
    set_gates(CODE0);
}

/* SGDT tells a lie at CPL 3, unless UMIP makes it fault; so ask for that (CR4 bit 11). */
static void
show_gdt(const char *what)
{
    struct table seen = {0, 0};
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 0x800));
    __asm__ volatile("sgdt %0" : "=m"(seen));
    print(what);
    print(seen.base == (uint64_t)gdt && seen.limit == sizeof(gdt) - 1 ? ": ours\n" : ": NOT ours\n");
}

static void
try_lgdt(void)
{
    __asm__ volatile("cli");
    load_gdt();
    print("lgdt: its segments can be loaded\n");
    show_gdt("lgdt: sgdt shows");
    say("lgdt: a base that is not canonical: exception", probe(load_wild));
    unmap_torn();
    say("lgdt: an operand that ends in no page: exception", probe(load_torn));
    show_gdt("lgdt: after both, sgdt shows");
}

static void
try_popf(void)
{
    uint64_t on, off, before, after;

    __asm__ volatile("cli");
    off = flags();
    __asm__ volatile("mov %%rsp, %0; push %2; popfq; mov %%rsp, %1; mov %0, %%rsp"
                     : "=&r"(before), "=&r"(after)
                     : "r"(off)
                     : "memory", "cc");
    say("popf: bytes taken off the stack", after - (before - 8));
    __asm__ volatile("push %0; popfq" : : "r"(off | FLAG_IF) : "memory", "cc");
    print(ticks_in_a_while() ? "popf with IF: ticks come\n" : "popf with IF: NO TICKS\n");
    on = flags();
    __asm__ volatile("push %0; popfq" : : "r"(off) : "memory", "cc");
    say("popf without IF: ticks", ticks_in_a_while());
    say_hex("popf: IF was", on & FLAG_IF);
    __asm__ volatile("push %0; popfq" : : "r"(off | 0x1b0000ull | 0x400ull) : "memory", "cc");
    on = flags();
    __asm__ volatile("cld");
    say_hex("popf: DF, and of VM, RF, VIF and VIP", on & 0x1b0400ull);
}

static void user_cli(void) { __asm__ volatile("cli; int $0x40"); }
static void user_sti(void) { __asm__ volatile("sti; int $0x40"); }
static void user_hlt(void) { __asm__ volatile("hlt; int $0x40"); }
static void user_lgdt(void) { __asm__ volatile("lgdt %0; int $0x40" : : "m"(good)); }

volatile uint64_t user_saw;
static void
user_popf(void)
{
    __asm__ volatile("push $0x3002; popfq; pushfq; pop user_saw(%rip); int $0x40"); /* IOPL 3, IF off */
}

static void
open_pages(void)
{
    uint64_t *entry = (uint64_t *)(uint64_t)BOOT_PAGES;

    for (unsigned i = 0; i < 6 * 512; i++)
        if (entry[i] & 1)
            entry[i] |= 4; /* programs may use it */
    __asm__ volatile("mov %0, %%cr3" : : "r"((uint64_t)BOOT_PAGES) : "memory");
}

static void
try_user(const struct boot_info *boot)
{
    __asm__ volatile("cli");
    load_gdt();
    open_pages();
    say("user cli: exception", probe_user(user_cli));
    say("user sti: exception", probe_user(user_sti));
    say("user hlt: exception", probe_user(user_hlt));
    say("user lgdt: exception", probe_user(user_lgdt));
    user_flags = 0x3202; /* IOPL 3: CLI is theirs, HLT is not */
    say("user, IOPL 3: cli: exception", probe_user(user_cli));
    say("user, IOPL 3: hlt: exception", probe_user(user_hlt));
    user_flags = 0x202;
    if (asked(boot, "popf")) {
        say("user popf: goes on to int", probe_user(user_popf));
        say_hex("user popf: IF and IOPL", user_saw & 0x3200);
    }
}

void
guest_main(struct boot_info *boot)
{
    set_gates(BOOT_CS);
    start_timer();
    if (asked(boot, "cli"))
        try_cli();
    if (asked(boot, "sti"))
        try_sti();
    if (asked(boot, "hlt"))
        try_hlt();
    if (asked(boot, "lgdt"))
        try_lgdt();
    if (asked(boot, "user"))
        try_user(boot);
    else if (asked(boot, "popf"))
        try_popf();
}

/* The end of the code, for flat.c. */
__asm__(".section .text.zz,\"ax\"\n ud2; ud2\n .previous");
