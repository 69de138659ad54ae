/*
 * kernel.c - lab 5: a kernel that uses the holes, and is right on a processor of its own.
 *
 *     make
 *     hv run --engine soft --strategy hardware --append "clock sections self" kernel
 *     hv run --engine soft --strategy trap --append "clock sections self" kernel
 *
 * Mend it: under `trap` it shall do what it does under `hardware`, and it shall go on doing it there. No VMM
 * is changed, nor given.h: you are the one who ports the kernel.
 */
#include "given.h"

#define FLAG_IF 0x200u

/*
 * HOLE 3 - critical sections: no interrupt between irq_save() and irq_restore().
 *
 * irq_save()            interrupts are off from now on; returns whether they were on (whatever irq_restore()
 *                       understands)
 * irq_restore(saved)    interrupts are again as they were before that irq_save(). Pairs nest: the inner
 *                       irq_restore() must not switch them on
 * irq_begin()           called once: interrupts are on from now on
 * irq_handler_begin()   called first in a handler: the processor has switched interrupts off
 * irq_handler_end()     called last in it: IRETQ is about to switch them on again. (A handler runs only if
 *                       they were on.)
 *
 * hint      this is how Linux does it on bare metal, and what goes wrong under `trap` is PUSHF, which shows
 *           the *real* IF, and POPF, which leaves IF as it is: neither faults. CLI and STI do. So the kernel
 *           itself must remember whether interrupts are on: in a variable, which is sound as long as every
 *           place that changes IF changes it. Which comes first in irq_save(), the CLI or the look at the
 *           variable? And the STI, or the variable?
 */
uint64_t
irq_save(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; pop %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

void
irq_restore(uint64_t saved)
{
    __asm__ volatile("push %0; popfq" : : "r"(saved) : "memory", "cc");
}

void
irq_begin(void)
{
    __asm__ volatile("sti" : : : "memory");
}

void
irq_handler_begin(void)
{
}

void
irq_handler_end(void)
{
}
/* END 3 */

/*
 * HOLE 4 - who am I?
 *
 * my_cpl()   the privilege that this kernel has on its own machine, 0
 * my_gdt()   the linear address of its GDT: what load_gdt() of given.h loaded
 *
 * hint       MOV from CS shows the real CPL, and SGDT the VMM's table, unless the processor has UMIP *and* the
 *            kernel sets CR4.UMIP (bit 11), which makes SGDT fault at CPL 3. What does not lie: an instruction
 *            that traps, and what the kernel knows by itself. A kernel's code always runs at CPL 0; Linux
 *            asks CS in no place where it could know
 */
unsigned
my_cpl(void)
{
    uint64_t cs;
    __asm__ volatile("mov %%cs, %0" : "=r"(cs));
    return cs & 3;
}

uint64_t
my_gdt(void)
{
    struct table seen;
    __asm__ volatile("sgdt %0" : "=m"(seen));
    return seen.base;
}
/* END 4 */
