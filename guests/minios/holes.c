/*
 * holes.c - uses the virtualization holes on purpose: instructions that show or change what only
 * a kernel should see, and that yet do not fault in user mode (Popek and Goldberg 1974: sensitive,
 * but not privileged; Robin and Irvine 2000 list those of the x86).
 *
 * `holes` on the command line. A kernel at CPL 0, and one that asks its VMM by hypercalls, finds all
 * as it left it. One that a trap-and-emulate VMM runs at CPL 3 is told lies, and nothing traps. Each
 * line says what was seen and what had to be:
 *
 *   mov from cs   the CPL in the low two bits: it runs at 3, not 0
 *   pushf         the real IF, which the VMM keeps on; the kernel's own is virtual
 *   popf          leaves IF alone at CPL 3, without a fault (SDM vol. 2, POPF): the kernel believes
 *                 that interrupts are off while they are on, or waits for one that never comes
 *   sgdt, sidt    where the VMM's (or the host's) tables are
 *   str, smsw     its task register and CR0
 * With UMIP the last four fault in user mode, so that a VMM can answer for the virtual processor.
 */
#include "kernel.h"

/* Long enough for some ticks at TIMER_HZ_MAX, on any processor: they are 100 microseconds apart. */
#define SPINS 3000000

static unsigned wrong;

static void
report(const char *what, uint64_t seen, uint64_t right)
{
    bool good = seen == right;
    wrong += !good;
    if (good)
        kprintf("holes: %s: 0x%lx, consistent\n", what, seen);
    else
        kprintf("holes: %s: 0x%lx, WRONG: it is 0x%lx\n", what, seen, right);
}

/* Does the timer interrupt, if popf has set IF to `flag`? */
static bool
interrupts_after_popf(uint64_t flag)
{
    uint64_t before;
    priv_popf((priv_pushf() & ~(uint64_t)FLAG_IF) | flag);
    before = timer_ticks();
    for (unsigned i = 0; i < SPINS && timer_ticks() == before; i++)
        asm volatile("");
    return timer_ticks() != before;
}

unsigned
holes_run(void)
{
    unsigned hz = timer_hz;
    struct priv_table gdt = cpu_gdt(), idt = trap_idt(), t;

    report("mov from cs", priv_read_cs(), KERNEL_CS);
    priv_cli();
    report("pushf after cli, IF", priv_pushf() & FLAG_IF, 0);
    priv_sti();
    report("pushf after sti, IF", priv_pushf() & FLAG_IF, FLAG_IF);

    timer_init(TIMER_HZ_MAX);
    priv_cli();
    report("popf sets IF, interrupts come", interrupts_after_popf(FLAG_IF), true);
    priv_sti();
    report("popf clears IF, interrupts come", interrupts_after_popf(0), false);
    priv_cli();
    timer_init(hz);

    t = priv_sgdt();
    report("sgdt, base", t.base, gdt.base);
    report("sgdt, limit", t.limit, gdt.limit);
    t = priv_sidt();
    report("sidt, base", t.base, idt.base);
    report("sidt, limit", t.limit, idt.limit);
    report("str", priv_str(), TSS_SEL);
    report("smsw", priv_smsw() & 0xffff, CR0_VALUE & 0xffff);
    kprintf("holes: %u wrong\n", wrong);
    return wrong;
}
