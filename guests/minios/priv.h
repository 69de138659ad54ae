/*
 * priv.h - every privileged or otherwise sensitive operation of the kernel, and nothing else.
 *
 * No other file holds such an instruction (boot.S excepted, which runs before there is a kernel).
 * So this is the list of all that a VMM has to care for; a paravirtual build replaces this one
 * header by another with the same names. Hence <priv.h>: the Makefile chooses the folder.
 */
#ifndef MINIOS_PRIV_H
#define MINIOS_PRIV_H

#ifdef __ASSEMBLER__ /* for entry.S: the two ways back to user mode */

#define PRIV_IRETQ   iretq
#define PRIV_SYSRETQ sysretq

#else

#include <stdint.h>

struct priv_table { /* what LGDT and LIDT read */
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* --- interrupts ------------------------------------------------------------------------------ */

/* Interrupts off. */
static inline void
priv_cli(void)
{
    asm volatile("cli" ::: "memory");
}

/* Interrupts on. */
static inline void
priv_sti(void)
{
    asm volatile("sti" ::: "memory");
}

/* Stops the processor; only an interrupt wakes it. */
static inline void
priv_hlt(void)
{
    asm volatile("hlt" ::: "memory");
}

/* Waits for one interrupt and has it handled. STI takes effect after the next instruction only, so
 * that no interrupt can come between it and HLT and be slept over (SDM vol. 2, STI). */
static inline void
priv_idle(void)
{
    asm volatile("sti; hlt; cli" ::: "memory");
}

/* --- descriptor tables ----------------------------------------------------------------------- */

/* Loads the global descriptor table. */
static inline void
priv_lgdt(const void *base, uint16_t limit)
{
    struct priv_table t = {limit, (uint64_t)base};
    asm volatile("lgdt %0" ::"m"(t));
}

/* Loads the interrupt descriptor table. */
static inline void
priv_lidt(const void *base, uint16_t limit)
{
    struct priv_table t = {limit, (uint64_t)base};
    asm volatile("lidt %0" ::"m"(t));
}

/* Names the task state segment, in which the processor finds the kernel's stack. */
static inline void
priv_ltr(uint16_t selector)
{
    asm volatile("ltr %0" ::"r"(selector));
}

/* Reloads CS (by a far return: there is no move to CS) and the data segments from a new GDT. */
static inline void
priv_load_segments(uint64_t code, uint16_t data)
{
    asm volatile(
        "pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq\n"
        "1: mov %1, %%ds; mov %1, %%es; mov %1, %%ss; mov %1, %%fs; mov %1, %%gs" ::"r"(code),
        "r"((uint32_t)data)
        : "rax", "memory");
}

/* Where the processor will push when user mode is interrupted: RSP0 in the TSS. Plain memory, but
 * memory that the processor reads. */
static inline void
priv_set_kernel_stack(volatile uint64_t *rsp0, uint64_t rsp)
{
    *rsp0 = rsp;
}

/* --- control registers ----------------------------------------------------------------------- */

/* CR0: paging, write protection, FPU switches. */
static inline void
priv_write_cr0(uint64_t value)
{
    asm volatile("mov %0, %%cr0" ::"r"(value) : "memory");
}

/* The address that the last page fault was about. */
static inline uint64_t
priv_read_cr2(void)
{
    uint64_t value;
    asm volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

/* The physical address of the page tables in use. */
static inline uint64_t
priv_read_cr3(void)
{
    uint64_t value;
    asm volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

/* Other page tables; drops what the TLB holds but for global pages. */
static inline void
priv_write_cr3(uint64_t value)
{
    asm volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

/* CR4: which extensions are on. */
static inline uint64_t
priv_read_cr4(void)
{
    uint64_t value;
    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

/* Switches extensions on or off; one that CPUID does not report faults. */
static inline void
priv_write_cr4(uint64_t value)
{
    asm volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

/* --- page tables ----------------------------------------------------------------------------- */

/* Writes one entry of a page table. Plain memory, but a VMM that shadows the tables must know. */
static inline void
priv_set_pte(volatile uint64_t *entry, uint64_t value)
{
    *entry = value;
}

/* Drops one page from the TLB. */
static inline void
priv_invlpg(uint64_t address)
{
    asm volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* --- model specific registers, CPUID ---------------------------------------------------------- */

/* Reads a model specific register. */
static inline uint64_t
priv_rdmsr(uint32_t index)
{
    uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

/* Writes a model specific register. */
static inline void
priv_wrmsr(uint32_t index, uint64_t value)
{
    asm volatile("wrmsr" ::"a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(index)
                 : "memory");
}

/* What the processor can do: eax, ebx, ecx, edx in r[0..3]. Not privileged; sensitive, since a VMM
 * wants to answer for the virtual processor. */
static inline void
priv_cpuid(uint32_t leaf, uint32_t r[4])
{
    asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

/* --- ports ------------------------------------------------------------------------------------ */

/* Reads a byte from a device's port. */
static inline uint8_t
priv_in8(uint16_t port)
{
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* Writes a byte to a device's port. */
static inline void
priv_out8(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

#endif
#endif
