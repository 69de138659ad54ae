/*
 * priv.h - lab 7: the privileged operations of minios, for a kernel that knows of a VMM. It runs at CPL 3,
 * executes no privileged instruction and touches no device: it asks by hypercall. kernel/priv.h is the
 * same header for a kernel that has the machine to itself; kernel/hypercall.h has the calls.
 *
 * Three costs to tell apart: what is plain memory now and costs no exit, what is one hypercall, and
 * what many share (start.c).
 */
#ifndef MINIOS_PRIV_H
#define MINIOS_PRIV_H

#include "hypercall.h"

#ifdef __ASSEMBLER__ /* for boot.S and entry.S */

/* clang-format off */

/* The VMM's first map has RAM at both places where boot.S would put it. */
    .macro PRIV_SET_TABLES
    .endm

/* The VMM has been here: we are on the kernel's stack, with those five words on it. */
    .macro PRIV_SYSCALL_ENTER
    .endm

/* Back, to user or kernel: struct hc_iret is RAX and the five words. */
    .macro PRIV_IRET
    push %rax
    mov $HC_IRET, %eax
    int $HC_VECTOR
    ud2
    .endm

    .macro PRIV_SYSCALL_LEAVE
    PRIV_IRET
    .endm

/* clang-format on */
#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw.h"

static inline int64_t
priv_hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    int64_t result;
    asm volatile("int %2" : "=a"(result) : "a"(number), "i"(HC_VECTOR), "D"(a), "S"(b) : "memory");
    return result;
}

struct priv_table { /* what LGDT and LIDT would read */
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* start.c: what the processor would remember for us, and nobody looks at. */
extern struct priv_state {
    struct priv_table gdt, idt;
    uint16_t tr;
    uint64_t cr0, cr4, cr8;
    bool rooted; /* our own page tables are in use: writing them needs the VMM */
} priv_state;
extern struct hc_shared priv_shared;

/* --- interrupt flag --------------------------------------------------------------------------- */

/*
 * HOLE 3 - the interrupt flag and the timer.
 *
 * priv_cli, priv_sti  mask and unmask. priv_shared.masked is the flag; if priv_shared.pending is set after
 *                     unmasking, HC_EVENTS has the event delivered
 * priv_idle           HC_BLOCK: unmasks and sleeps in one step, until an event was handled. Masked afterwards
 * priv_timer_init     the timer comes hz times a second: HC_SET_TIMER (ns until the first, period in ns)
 * hint                two of these need no exit most of the time. Which, and why is that safe?
 */
static inline void
priv_cli(void)
{
    asm volatile("cli" ::: "memory");
}

static inline void
priv_sti(void)
{
    asm volatile("sti" ::: "memory");
}

static inline void
priv_idle(void)
{
    asm volatile("sti; hlt; cli" ::: "memory");
}

static inline void
priv_timer_init(unsigned hz)
{
    unsigned divisor = (1193182 + hz / 2) / hz;
    asm volatile("outb %0, %1" ::"a"((uint8_t)0x34), "Nd"((uint16_t)0x43));
    asm volatile("outb %0, %1" ::"a"((uint8_t)divisor), "Nd"((uint16_t)0x40));
    asm volatile("outb %0, %1" ::"a"((uint8_t)(divisor >> 8)), "Nd"((uint16_t)0x40));
}
/* END 3 */

/* --- descriptor tables ------------------------------------------------------------------------ */

/* The processor's GDT and TSS are the VMM's; ours are never read. */
static inline void
priv_lgdt(const void *base, uint16_t limit)
{
    priv_state.gdt = (struct priv_table){limit, (uint64_t)base};
}

/* start.c: the gates as trap.c wrote them, told to the VMM as a table of addresses. */
void priv_lidt(const void *base, uint16_t limit);

static inline void
priv_ltr(uint16_t selector)
{
    priv_state.tr = selector;
}

static inline void
priv_load_segments(uint64_t code, uint16_t data)
{
    (void)code, (void)data;
}

/*
 * HOLE 4 - the ways into the kernel.
 *
 * priv_set_kernel_stack   writes rsp to *rsp0 (others read it there) and tells the VMM: HC_SET_STACK (rsp)
 * priv_set_syscall_entry  where SYSCALL of a program enters: HC_SET_SYSCALL (address)
 * priv_read_cr2           the address of the last page fault: the VMM puts it into priv_shared.fault_address
 * hint                    a frame must be built on some stack, and the TSS in which a processor looks for it
 *                         is the VMM's now
 */
static inline void
priv_set_kernel_stack(volatile uint64_t *rsp0, uint64_t rsp)
{
    *rsp0 = rsp;
}

static inline void
priv_set_syscall_entry(void (*entry)(void))
{
    uint64_t address = (uint64_t)entry;
    asm volatile("wrmsr" ::"a"((uint32_t)address), "d"((uint32_t)(address >> 32)),
                 "c"(0xc0000082) /* LSTAR */
                 : "memory");
}

static inline uint64_t
priv_read_cr2(void)
{
    uint64_t value;
    asm volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}
/* END 4 */

/* --- page tables ------------------------------------------------------------------------------ */

struct priv_update {
    volatile uint64_t *entry;
    uint64_t value;
};

/* start.c. Kernel and user run at CPL 3, so every page is a user's page for the processor; that
 * programs cannot reach the kernel is the VMM's care. Several at once are a multicall. */
void priv_set_ptes(const struct priv_update *updates, unsigned count);

static inline void
priv_set_pte(volatile uint64_t *entry, uint64_t value)
{
    priv_set_ptes(&(struct priv_update){entry, value}, 1);
}

/* start.c: a table must not be writable for us, nowhere. A page that is none any more may be. */
void priv_table_new(void *page, unsigned level);
void priv_table_free(void *page);

/* start.c: the VMM checks the tables, all of them the first time. */
void priv_write_cr3(uint64_t physical);

/* The VMM drops what an update made stale. */
static inline void
priv_invlpg(uint64_t address)
{
    (void)address;
}

/* --- the processor's switches ----------------------------------------------------------------- */

/* All of them are the VMM's. */
static inline void
priv_write_cr0(uint64_t value)
{
    priv_state.cr0 = value;
}

static inline uint64_t
priv_read_cr4(void)
{
    return priv_state.cr4;
}

static inline void
priv_write_cr4(uint64_t value)
{
    priv_state.cr4 = value;
}

static inline uint64_t
priv_read_cr8(void)
{
    return priv_state.cr8;
}

static inline void
priv_write_cr8(uint64_t value)
{
    *(volatile uint64_t *)&priv_state.cr8 = value;
}

static inline uint64_t
priv_rdmsr(uint32_t index)
{
    (void)index;
    return 0;
}

#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

static inline void
priv_wrmsr(uint32_t index, uint64_t value)
{
    if (index == MSR_FS_BASE)
        priv_hypercall(HC_SET_BASE, HC_BASE_FS, value);
    if (index == MSR_GS_BASE)
        priv_hypercall(HC_SET_BASE, HC_BASE_GS, value);
    if (index == MSR_KERNEL_GS_BASE)
        priv_hypercall(HC_SET_BASE, HC_BASE_GS_USER, value);
}

/* What the processor can do, without the switches that are not ours: global pages, SMEP, SMAP,
 * UMIP. */
static inline void
priv_cpuid(uint32_t leaf, uint32_t r[4])
{
    asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
    if (leaf == 1)
        r[3] &= ~(1u << 13);
    if (leaf == 7) {
        r[1] &= ~(1u << 7 | 1u << 20);
        r[2] &= ~(1u << 2);
    }
}

/* The time stamp counter. LFENCE: nothing before is still under way (SDM vol. 2, RDTSC). */
static inline uint64_t
priv_rdtsc(void)
{
    uint32_t low, high;
    asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* --- devices ---------------------------------------------------------------------------------- */

/* There are no ports. What comes nearest to a device's register is to ask the console for nothing. */
static inline uint8_t
priv_in8(uint16_t port)
{
    (void)port;
    return (uint8_t)priv_hypercall(HC_CONSOLE_READ, 0, 0);
}

static inline void
priv_out8(uint16_t port, uint8_t value)
{
    (void)port, (void)value;
    priv_hypercall(HC_CONSOLE_WRITE, 0, 0);
}

/* The kernel's first word to the VMM: here is the page that we share. */
static inline void
priv_console_init(void)
{
    priv_shared.masked = 1;
    priv_hypercall(HC_SET_SHARED, (uint64_t)&priv_shared - KERNEL_BASE, 0);
}

static inline void
priv_console_listen(void)
{
}

/*
 * HOLE 1 - the console.
 *
 * priv_console_write  prints `count` bytes
 * priv_console_read   the next byte that came in, 0 to 255, or -1 if there is none
 * priv_power_off      ends the machine with status (value << 1) | 1. Does not return
 * calls               HC_CONSOLE_WRITE (address, bytes), HC_CONSOLE_READ (address, bytes): how many there were;
 *                     HC_SHUTDOWN (status)
 * hint                priv_hypercall() is above. The addresses are the kernel's own, not physical ones
 */
static inline void
priv_console_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        asm volatile("outb %0, %1" ::"a"(bytes[i]), "Nd"((uint16_t)0x3f8));
}

static inline int
priv_console_read(void)
{
    uint8_t byte;
    asm volatile("inb %1, %0" : "=a"(byte) : "Nd"((uint16_t)0x3f8));
    return byte;
}

static inline void __attribute__((noreturn)) priv_power_off(uint8_t value)
{
    asm volatile("outb %0, %1" ::"a"(value), "Nd"((uint16_t)0xf4));
    for (;;)
        asm volatile("ud2");
}
/* END 1 */

/* Events need no controller: they come as traps VECTOR_IRQ + n, and taking one acknowledges it. */
static inline void
priv_irq_init(void)
{
}

static inline void
priv_irq_enable(unsigned irq)
{
    (void)irq;
}

static inline bool
priv_irq_ack(unsigned irq)
{
    (void)irq;
    return true;
}

/* --- the virtualization holes (holes.c): answered without the instruction ----------------------- */

static inline uint64_t
priv_pushf(void)
{
    uint64_t flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    return (flags & ~(uint64_t)FLAG_IF) | (priv_shared.masked ? 0 : FLAG_IF);
}

static inline void
priv_popf(uint64_t flags)
{
    asm volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
    if (flags & FLAG_IF)
        priv_sti();
    else
        priv_cli();
}

static inline uint16_t
priv_read_cs(void)
{
    return KERNEL_CS;
}

static inline struct priv_table
priv_sgdt(void)
{
    return priv_state.gdt;
}

static inline struct priv_table
priv_sidt(void)
{
    return priv_state.idt;
}

static inline uint16_t
priv_str(void)
{
    return priv_state.tr;
}

static inline uint32_t
priv_smsw(void)
{
    return (uint32_t)priv_state.cr0;
}

#endif
#endif
