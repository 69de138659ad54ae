/*
 * nano.c - what one operation costs: the nanobenchmarks of Adams and Agesen, "A Comparison of
 * Software and Hardware Techniques for x86 Virtualization" (ASPLOS 2006), section 6.3.
 *
 * `nano=NAME count=N` on the command line. Each is a loop in the kernel, and its cost is what it
 * takes longer than the same loop with nothing inside. The seventh, syscall, is a program
 * (apps/nano.c), since only a user can do it. One line each, to be read by a program:
 *
 *     nano: NAME count N ticks T
 *
 * T: ticks of the time stamp counter, for all N together. A loop that did not do what it says (the
 * fault never came, the register does not hold what was written) says `failed` in place of ticks.
 */
#include "kernel.h"

/* A part of the kernel's half that is behind all RAM. Here is one page for ptemod, none behind. */
#define NANO_PAGE (KERNEL_BASE + 0x40000000)
#define NANO_HOLE (NANO_PAGE + PAGE)
#define NANO_PORT 0x80 /* on a PC: the diagnostic display, harmless */

/* What a fault that we make has to look like, and where it goes on. */
static volatile uint64_t expected_vector, resume;
static volatile uint64_t faults;

bool
nano_fault(struct trap_frame *f)
{
    if (!resume || f->vector != expected_vector)
        return false;
    if (f->vector == VECTOR_PF && priv_read_cr2() != NANO_HOLE)
        return false;
    faults++;
    f->rip = resume;
    return true;
}

/* --- the loops: each does its operation `count` times; false: it did not ------------------------- */

static bool
loop_empty(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        asm volatile("");
    return true;
}

/* A byte from a port: a device's register, so an exit under every strategy. */
static bool
loop_in(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        priv_in8(NANO_PORT);
    return true;
}

/* A control register that costs nothing but the instruction: the task priority. */
static bool
loop_cr8wr(uint64_t count)
{
    bool good;
    for (uint64_t i = 1; i <= count; i++)
        priv_write_cr8(i & 0xf);
    good = priv_read_cr8() == (count & 0xf);
    priv_write_cr8(0);
    return good;
}

/* A call and its return. Dear only to a binary translator, who has to look the target up. */
asm("nano_callee: inc %rax; ret"); /* counts: that the calls happened can be seen */

static bool
loop_callret(uint64_t count)
{
    uint64_t calls = 0;
    for (uint64_t i = 0; i < count; i++)
        asm volatile("call nano_callee" : "+a"(calls)::"cc", "memory");
    return calls == count;
}

/* A fault on a page that is not there: to the handler and back behind the instruction. */
static bool
loop_pgfault(uint64_t count)
{
    faults = 0;
    expected_vector = VECTOR_PF;
    for (uint64_t i = 0; i < count; i++)
        asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; movb (%1), %%al; 1:"
                     : "=m"(resume)
                     : "r"(NANO_HOLE)
                     : "rax", "memory");
    resume = 0;
    return faults == count;
}

/* A division by zero: a fault that has nothing to do with memory. */
static bool
loop_divzero(uint64_t count)
{
    faults = 0;
    expected_vector = VECTOR_DE;
    for (uint64_t i = 0; i < count; i++)
        asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; xor %%edx, %%edx; divl %%edx; 1:"
                     : "=m"(resume)
                     :
                     : "rax", "rdx", "cc", "memory");
    resume = 0;
    return faults == count;
}

/* A page table entry in use is written: a plain store to the hardware, not to a VMM that shadows
 * the tables. Writable and read-only in turn; at the end the right page is there. */
static bool
loop_ptemod(uint64_t count)
{
    uint64_t *entry = vm_kernel_entry(NANO_PAGE);
    volatile uint64_t *page = pmm_alloc(), *mapped = (volatile uint64_t *)NANO_PAGE;
    uint64_t value;
    bool good;

    if (!entry || !page)
        panic(NULL, "no memory for ptemod");
    value = virt_to_phys((void *)page) | PTE_P;
    *page = 0x6f6e616e;
    priv_set_pte(entry, value);
    good = *mapped == *page; /* it is in use */
    for (uint64_t i = 0; i < count; i++)
        priv_set_pte(entry, value ^= PTE_W);
    priv_invlpg(NANO_PAGE);
    good = good && *mapped == *page && (*entry & PTE_W) == (count & 1 ? PTE_W : 0);
    priv_set_pte(entry, 0);
    priv_invlpg(NANO_PAGE);
    pmm_free((void *)page);
    return good;
}

/* --- measuring ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool (*loop)(uint64_t count);
} loops[] = {
    {"in", loop_in},           {"cr8wr", loop_cr8wr},     {"callret", loop_callret},
    {"pgfault", loop_pgfault}, {"divzero", loop_divzero}, {"ptemod", loop_ptemod},
};

static uint64_t
measure(bool (*loop)(uint64_t count), uint64_t count, bool *good)
{
    uint64_t start = priv_rdtsc();
    *good = loop(count);
    return priv_rdtsc() - start;
}

bool
nano_run(const char *name, uint64_t count)
{
    bool all = !strcmp(name, "all"), found = false;
    for (unsigned i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        uint64_t empty, ticks;
        bool good;
        if (!all && strcmp(name, loops[i].name))
            continue;
        found = true;
        measure(loops[i].loop, 1, &good); /* the first time is dearer: caches, the TLB */
        measure(loop_empty, 1, &good);
        empty = measure(loop_empty, count, &good);
        ticks = measure(loops[i].loop, count, &good);
        if (good)
            kprintf("nano: %s count %lu ticks %lu\n", loops[i].name, count,
                    ticks > empty ? ticks - empty : 0);
        else
            kprintf("nano: %s count %lu failed\n", loops[i].name, count);
    }
    return found;
}
