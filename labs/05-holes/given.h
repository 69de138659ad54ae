/*
 * given.h - the given half of lab 5's kernel: the timer, and what is tried. kernel.c supplies the five
 * functions that are declared here. The tests use this file as it came.
 */
#ifndef HV_LABS_GIVEN_H
#define HV_LABS_GIVEN_H

#include "labguest.h"

#define PIT_DIVISOR 60 /* of 1193182 Hz: a tick each 50 microseconds */
#define SPINS       400000u

/* --- kernel.c ------------------------------------------------------------------------------------------- */

uint64_t irq_save(void);
void irq_restore(uint64_t saved);
void irq_begin(void);
void irq_handler_begin(void);
void irq_handler_end(void);
unsigned my_cpl(void);
uint64_t my_gdt(void);
void load_gdt(void);

/* --- the timer -------------------------------------------------------------------------------------------- */

volatile uint64_t ticks, pair[2], torn, depth, deepest;
void tick_entry(void);
void on_tick(void);

__asm__("tick_entry:\n"
        "    push %rax; push %rcx; push %rdx; push %rsi; push %rdi\n"
        "    push %r8; push %r9; push %r10; push %r11\n"
        "    cld\n"
        "    call on_tick\n"
        "    pop %r11; pop %r10; pop %r9; pop %r8\n"
        "    pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax\n"
        "    iretq\n");

static void
spin(unsigned turns)
{
    for (volatile unsigned i = 0; i < turns; i++)
        ;
}

/* The processor has cleared IF on its way here; IRETQ sets it again. */
void
on_tick(void)
{
    irq_handler_begin();
    if (++depth > deepest)
        deepest = depth;
    out8(0x20, 0x20); /* end of interrupt: from now on only IF holds the next one off */
    ticks++;
    torn += pair[0] != pair[1];
    uint64_t saved = irq_save(); /* as any function may do that a handler calls */
    irq_restore(saved);
    if (ticks % 4 == 0)
        spin(20000); /* a slow handler: the next tick waits by now */
    depth--;
    irq_handler_end();
}

static struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, zero;
} idt[33] __attribute__((aligned(16)));

struct table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void
start_timer(void)
{
    static const uint8_t pic[][2] = {{0x20, 0x11}, {0x21, 32}, {0x21, 4}, {0x21, 1}, {0x21, 0xfe},
                                     {0xa0, 0x11}, {0xa1, 40}, {0xa1, 2}, {0xa1, 1}, {0xa1, 0xff}};
    struct table idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t to = (uint64_t)tick_entry;

    idt[32] = (struct gate){(uint16_t)to,         BOOT_CS, 0x8e00, (uint16_t)(to >> 16),
                            (uint32_t)(to >> 32), 0};
    __asm__ volatile("lidt %0" : : "m"(idtr));
    for (unsigned i = 0; i < sizeof(pic) / sizeof(pic[0]); i++)
        out8(pic[i][0], pic[i][1]);
    out8(0x43, 0x34); /* counter 0, both bytes, mode 2 */
    out8(0x40, PIT_DIVISOR & 0xff);
    out8(0x40, PIT_DIVISOR >> 8);
}

/* --- what is tried ------------------------------------------------------------------------------------------ */

/* The handler must never see the two different. */
static void
change_pair(void)
{
    uint64_t outer = irq_save();

    pair[0]++;
    uint64_t inner = irq_save(); /* as a function does that this one calls */
    spin(50);
    irq_restore(inner);
    spin(20000);
    pair[1]++;
    irq_restore(outer);
}

static void
try_clock(void)
{
    uint64_t before = ticks;

    spin(SPINS);
    print(ticks != before ? "the clock goes\n" : "the clock STANDS\n");
    change_pair();
    before = ticks;
    spin(SPINS);
    print(ticks != before ? "after a critical section the clock goes\n"
                          : "after a critical section the clock STANDS\n");
}

static void
try_sections(void)
{
    uint64_t start = ticks;

    for (unsigned i = 0; i < 100; i++) {
        change_pair();
        spin(100); /* here interrupts may come, and some wait */
    }
    print(ticks - start >= 50 ? "between the sections interrupts come\n"
                              : "between the sections interrupts do NOT come\n");
    say("critical sections that were interrupted", torn);
    say("handlers in handlers", deepest > 1);
    uint64_t saved = irq_save(), before = ticks;
    change_pair(); /* with interrupts off already: they stay off */
    spin(SPINS);
    say("ticks while interrupts were off", ticks - before);
    irq_restore(saved);
}

static uint64_t gdt[4] __attribute__((aligned(16))) = {0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff};

void
load_gdt(void)
{
    struct table gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};
    __asm__ volatile("lgdt %0" : : "m"(gdtr));
}

static void
try_self(void)
{
    say("my CPL", my_cpl());
    print(my_gdt() == (uint64_t)gdt ? "my GDT: where I put it\n" : "my GDT: SOMEWHERE ELSE\n");
}

void
guest_main(struct boot_info *boot)
{
    load_gdt();
    start_timer();
    irq_begin();
    if (asked(boot, "clock"))
        try_clock();
    if (asked(boot, "sections"))
        try_sections();
    if (asked(boot, "self"))
        try_self();
    print("done\n");
}

#endif
