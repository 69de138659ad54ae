/*
 * kernel.c - lab 5, the reference: a kernel that uses no hole.
 *
 *     make
 *     hv run --engine soft --strategy hardware --append "clock sections self" kernel
 *     hv run --engine soft --strategy trap --append "clock sections self" kernel
 *
 * It does the same under both.
 */
#include "given.h"

/* HOLE 3 */
static volatile uint64_t irq_on; /* what IF would be, if PUSHF told the truth */

/* CLI first: were the variable read before it, a handler could come in between; that would do no harm, as
 * a handler leaves the variable as it was. But written it must be with interrupts off. */
uint64_t
irq_save(void)
{
    __asm__ volatile("cli" : : : "memory");
    uint64_t was = irq_on;
    irq_on = 0;
    return was;
}

/* The variable first: from STI on a handler may come, and it says irq_on = 1 when it ends. */
void
irq_restore(uint64_t saved)
{
    if (!saved)
        return;
    irq_on = 1;
    __asm__ volatile("sti" : : : "memory");
}

void
irq_begin(void)
{
    irq_restore(1);
}

void
irq_handler_begin(void)
{
    irq_on = 0;
}

void
irq_handler_end(void)
{
    irq_on = 1;
}
/* END 3 */

/* HOLE 4 */
unsigned
my_cpl(void)
{
    return 0; /* this code runs nowhere else */
}

/* load_gdt() keeps its table to itself; but with CR4.UMIP set SGDT is a trap, and a VMM can answer. */
uint64_t
my_gdt(void)
{
    struct table seen;
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | 0x800));
    __asm__ volatile("sgdt %0" : "=m"(seen));
    return seen.base;
}
/* END 4 */
