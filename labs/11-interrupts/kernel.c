/*
 * kernel.c - the guest of lab 11: a timer that ticks 10,000 times a second, and an interrupt flag in
 * memory. One word of the command line says what is tried. Given: the tests use this file as it came.
 */
#include "labguest.h"
#include "shared.h"

#define PIT_DIVISOR 119
#define PERIOD      99733 /* ns: 119 / 1,193,182 s. On engine soft also TSC ticks, and instructions */

#define VECTOR 0x20
#define GATE_TRAP                                                                                  \
    0x8f /* P, DPL 0, 64-bit trap gate: IF stays as it is, so masking is the VMM's affair */

static struct shared shared __attribute__((aligned(8)));
static volatile struct shared *const page = &shared;

static volatile uint64_t ticks, violations, nested, inside;
static volatile int critical, slow;

static int64_t
hypercall(uint64_t number, uint64_t argument)
{
    int64_t result;

    __asm__ volatile("vmcall" : "=a"(result) : "a"(number), "b"(argument) : "memory");
    return result;
}

static uint64_t
tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Works for so many halves of a period. */
static void
spin(unsigned halves)
{
    uint64_t end = tsc() + (uint64_t)halves * PERIOD / 2;

    while (tsc() < end)
        ;
}

static void
mask(void)
{
    page->masked = 1;
}

static void
unmask(void)
{
    page->masked = 0;
    if (page->waiting)
        hypercall(HC_EVENTS, 0);
}

struct frame;

/* The VMM has set `masked`, as a processor clears IF on its way through an interrupt gate. */
__attribute__((interrupt)) static void
on_tick(struct frame *frame)
{
    (void)frame;
    ticks++;
    violations += critical != 0;
    nested += inside != 0;
    inside++;
    if (slow) {
        slow--;
        spin(5);
    }
    inside--;
    unmask();
}

static void
begin(void)
{
    static struct {
        uint16_t offset_0, selector;
        uint8_t ist, type;
        uint16_t offset_16;
        uint32_t offset_32, zero;
    } idt[VECTOR + 1];
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } idtr = {sizeof(idt) - 1, (uint64_t)idt};
    uint64_t handler = (uint64_t)on_tick;

    idt[VECTOR].offset_0 = (uint16_t)handler;
    idt[VECTOR].selector = BOOT_CS;
    idt[VECTOR].type = GATE_TRAP;
    idt[VECTOR].offset_16 = (uint16_t)(handler >> 16);
    __asm__ volatile("lidt %0" : : "m"(idtr));
    out8(0x20, 0x11); /* 8259: ICW1 to ICW4; vectors from 20h; automatic end of interrupt */
    out8(0x21, VECTOR);
    out8(0x21, 4);
    out8(0x21, 3);
    out8(0x21, 0xfe); /* all masked but IRQ 0 */
    out8(0x43, 0x34); /* 8254: counter 0, mode 2 */
    out8(0x40, PIT_DIVISOR);
    out8(0x40, 0);
    mask();
    hypercall(HC_SHARE, (uint64_t)&shared);
    __asm__ volatile("sti"); /* the real one, once */
}

static void
try_mask(void)
{
    for (unsigned n = 0; n < 5; n++) {
        mask();
        critical = 1;
        spin(5);
        critical = 0;
        unmask();
        spin(3);
    }
    uint64_t before = ticks;
    __asm__ volatile("cli"); /* the real one: now the processor takes none */
    spin(5);
    uint64_t refused = ticks;
    __asm__ volatile("sti");
    hypercall(HC_EVENTS, 0);
    say("interrupted while masked", violations);
    say("interrupted while the processor could not", refused - before);
    print(ticks >= 5 ? "afterwards they came\n" : "afterwards none came\n");
}

static void
try_handler(void)
{
    slow = 4;
    unmask();
    spin(30);
    say("handlers interrupted", nested);
    print(ticks >= 5 ? "handlers: at least 5\n" : "handlers: less than 5\n");
}

static void
try_window(void)
{
    unsigned at_once = 0;

    for (unsigned n = 0; n < 20; n++) {
        mask();
        uint64_t before = ticks;
        critical = 1;
        spin(3);
        critical = 0;
        unmask();
        at_once += ticks != before;
    }
    say("interrupted while masked", violations);
    say("taken as soon as unmasked", at_once);
}

static void
try_often(void)
{
    for (unsigned n = 0; n < 5000; n++) {
        mask();
        unmask();
    }
    print("often: done\n");
}

static void
try_wait(void)
{
    unsigned woken = 0, late = 0;

    for (unsigned n = 0; n < 20; n++) {
        mask();
        uint64_t before = ticks;
        int64_t result = hypercall(HC_WAIT, 0);
        if (result < 0) {
            say("HC_WAIT failed with errno", (uint64_t)-result);
            return;
        }
        woken += ticks != before;
    }
    say("woken", woken);
    for (unsigned n = 0; n < 20; n++) {
        mask();
        spin(3); /* one is waiting now */
        uint64_t start = tsc();
        hypercall(HC_WAIT, 0);
        late += tsc() - start > PERIOD / 4;
    }
    say("slept though one was waiting", late);
}

static void
try_lost(void)
{
    uint64_t start;

    mask();
    spin(20); /* the clock does not begin with the machine */
    hypercall(HC_CLOCK, PERIOD);
    start = tsc();
    for (unsigned n = 0; n < 5; n++) {
        mask();
        spin(20);
        unmask();
        spin(3);
    }
    uint64_t passed = (tsc() - start) / PERIOD, shown = page->ticks;
    say("handlers interrupted", nested);
    say("periods", passed);
    say("the clock shows", shown);
    print(shown <= passed && shown + 2 >= passed ? "the clock is right\n" : "the clock is wrong\n");
    print(ticks < passed / 2 ? "and few interrupts came\n" : "and too many interrupts came\n");
}

void
guest_main(struct boot_info *boot)
{
    begin();
    if (asked(boot, "mask"))
        try_mask();
    if (asked(boot, "handler"))
        try_handler();
    if (asked(boot, "window"))
        try_window();
    if (asked(boot, "often"))
        try_often();
    if (asked(boot, "wait"))
        try_wait();
    if (asked(boot, "lost"))
        try_lost();
}
