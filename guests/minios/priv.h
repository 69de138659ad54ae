/*
 * priv.h - every privileged or otherwise sensitive operation of the kernel, and nothing else.
 *
 * No other file holds such an instruction or touches a device. So this is the list of all that a
 * VMM has to care for. paravirt/priv.h has the same names, done by hypercalls; it is the only thing
 * in which the paravirtual kernel differs: `diff priv.h paravirt/priv.h`. The Makefile's PRIV= chooses
 * the folder, hence <priv.h>. SDM = Intel Software Developer's Manual.
 */
#ifndef MINIOS_PRIV_H
#define MINIOS_PRIV_H

#ifdef __ASSEMBLER__ /* for boot.S and entry.S */

/* clang-format off */

/* The page tables at the physical address in rax become those in use. Keeps rdi and rsp. */
    .macro PRIV_SET_TABLES
    mov %rax, %cr3
    .endm

/* How SYSCALL finds us: rcx = the user's rip, r11 = its rflags, rsp still the user's, interrupts
 * off (SFMASK). After it: on the kernel's stack, and there what an interrupt would have left: rip
 * (lowest), cs, rflags, rsp, ss. One processor, so two variables do what SWAPGS and a per-processor
 * area do in a larger kernel. */
    .macro PRIV_SYSCALL_ENTER
    mov %rsp, syscall_user_rsp(%rip)
    mov syscall_kernel_rsp(%rip), %rsp
    push $USER_DS
    push syscall_user_rsp(%rip)
    push %r11
    push $USER_CS
    push %rcx
    .endm

/* Back to the user: rsp points to those five; all other registers are the user's but rcx, r11. */
    .macro PRIV_SYSCALL_LEAVE
    pop %rcx                 /* rip */
    add $8, %rsp             /* cs: SYSRET makes it from STAR */
    pop %r11                 /* rflags */
    pop %rsp
    sysretq
    .endm

/* Back to what was interrupted, user or kernel: rsp points to those five, nothing is lost. */
    .macro PRIV_IRET
    iretq
    .endm

/* clang-format on */
#else

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw.h"

/* --- interrupt flag --------------------------------------------------------------------------- */

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

/* Waits for one interrupt and has it handled. STI takes effect after the next instruction only, so
 * that no interrupt can come between it and HLT and be slept over (SDM vol. 2, STI). */
static inline void
priv_idle(void)
{
    asm volatile("sti; hlt; cli" ::: "memory");
}

/* --- descriptor tables ------------------------------------------------------------------------ */

struct priv_table { /* what LGDT and LIDT read */
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static inline void
priv_lgdt(const void *base, uint16_t limit)
{
    struct priv_table t = {limit, (uint64_t)base};
    asm volatile("lgdt %0" ::"m"(t));
}

/* The table of trap handlers: gates as the SDM has them (trap.c). */
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

/* Where SYSCALL enters. STAR: SYSCALL loads CS from bits 47-32 and SS = that + 8; SYSRET loads SS
 * from bits 63-48 + 8 and CS + 16 (SDM vol. 3, 5.8.8). SFMASK: the flags that are off inside. */
static inline void priv_wrmsr(uint32_t index, uint64_t value);
static inline void
priv_set_syscall_entry(void (*entry)(void))
{
    priv_wrmsr(MSR_STAR, (uint64_t)(USER_DS - 8) << 48 | (uint64_t)KERNEL_CS << 32);
    priv_wrmsr(MSR_LSTAR, (uint64_t)entry);
    priv_wrmsr(MSR_SFMASK, FLAG_IF | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC);
}

/* --- page tables ------------------------------------------------------------------------------ */

/* Writes one entry. Plain memory, but memory that the processor reads; a VMM has to know. */
static inline void
priv_set_pte(volatile uint64_t *entry, uint64_t value)
{
    *entry = value;
}

struct priv_update {
    volatile uint64_t *entry;
    uint64_t value;
};

/* The same, many at once: where they cost an exit each, fork and exit would pay for hundreds. */
static inline void
priv_set_ptes(const struct priv_update *updates, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        *updates[i].entry = updates[i].value;
}

/* A page full of zeros becomes a table of `level` (4: the root); it is none any more. The hardware
 * does not ask. */
static inline void
priv_table_new(void *page, unsigned level)
{
    (void)page, (void)level;
}

static inline void
priv_table_free(void *page)
{
    (void)page;
}

/* Other page tables; drops what the TLB holds but for global pages. */
static inline void
priv_write_cr3(uint64_t physical)
{
    asm volatile("mov %0, %%cr3" ::"r"(physical) : "memory");
}

/* Drops one page from the TLB. */
static inline void
priv_invlpg(uint64_t address)
{
    asm volatile("invlpg (%0)" ::"r"(address) : "memory");
}

/* The address that the last page fault was about. */
static inline uint64_t
priv_read_cr2(void)
{
    uint64_t value;
    asm volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

/* --- the processor's switches ----------------------------------------------------------------- */

/* CR0: paging, write protection, FPU switches. */
static inline void
priv_write_cr0(uint64_t value)
{
    asm volatile("mov %0, %%cr0" ::"r"(value) : "memory");
}

/* CR4: which extensions are on; one that CPUID does not report faults. */
static inline uint64_t
priv_read_cr4(void)
{
    uint64_t value;
    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void
priv_write_cr4(uint64_t value)
{
    asm volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

/* CR8: only interrupts above this priority, 0 to 15, are let through. */
static inline uint64_t
priv_read_cr8(void)
{
    uint64_t value;
    asm volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}

static inline void
priv_write_cr8(uint64_t value)
{
    asm volatile("mov %0, %%cr8" ::"r"(value));
}

/* Model specific registers. */
static inline uint64_t
priv_rdmsr(uint32_t index)
{
    uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

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

/* The time stamp counter. LFENCE: nothing before is still under way (SDM vol. 2, RDTSC). */
static inline uint64_t
priv_rdtsc(void)
{
    uint32_t low, high;
    asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* --- devices ---------------------------------------------------------------------------------- */

static inline uint8_t
priv_in8(uint16_t port)
{
    uint8_t value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void
priv_out8(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

/* Ends the machine with status (value << 1) | 1, by QEMU's and hv's debug-exit port. */
static inline void __attribute__((noreturn)) priv_power_off(uint8_t value)
{
    priv_out8(DEBUG_EXIT, value);
    asm volatile("1: cli; hlt; jmp 1b"); /* no such port: stop for good */
    __builtin_unreachable();
}

/*
 * The console: a 16550 UART at COM1, bytes out by polling, bytes in by interrupt IRQ_CONSOLE.
 * National Semiconductor PC16550D data sheet, section 8.
 *   3f8 data, or low byte of the divisor   3f9 interrupt enable, or its high byte
 *   3fb line control   3fc modem control   3fd line status
 */
#define COM1          0x3f8
#define IER_RECEIVED  0x01
#define LCR_8N1       0x03
#define LCR_DLAB      0x80 /* 3f8 and 3f9 are the divisor */
#define MCR_READY     0x0b /* DTR, RTS, and OUT2: on a PC it is the gate to the interrupt line */
#define LSR_RECEIVED  0x01
#define LSR_THR_EMPTY 0x20

/* 115200 baud. The FIFOs stay as they are: switching them on would drop what was typed already. */
static inline void
priv_console_init(void)
{
    priv_out8(COM1 + 1, 0);
    priv_out8(COM1 + 3, LCR_DLAB);
    priv_out8(COM1, 1); /* 1843200 Hz / 16 / 1 */
    priv_out8(COM1 + 1, 0);
    priv_out8(COM1 + 3, LCR_8N1);
    priv_out8(COM1 + 4, MCR_READY);
}

/* From here on a byte that comes in interrupts. After priv_irq_init(): the 8259 forgets edges when
 * it is initialised, and if a byte is there already, the line rises here and never again. */
static inline void
priv_console_listen(void)
{
    priv_out8(COM1 + 1, IER_RECEIVED);
}

static inline void
priv_console_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (!(priv_in8(COM1 + 5) & LSR_THR_EMPTY))
            ;
        priv_out8(COM1, (uint8_t)bytes[i]);
    }
}

/* The next byte that came in, or -1. */
static inline int
priv_console_read(void)
{
    return priv_in8(COM1 + 5) & LSR_RECEIVED ? priv_in8(COM1) : -1;
}

/*
 * The pair of 8259 interrupt controllers: 16 lines into one; the second hangs on line 2 of the
 * first. Intel 8259A data sheet. Each has two ports, command and data.
 */
#define PIC1          0x20
#define PIC2          0xa0
#define PIC_CASCADE   2
#define ICW1          0x11    /* initialise, ICW4 follows */
#define ICW4          0x01    /* 8086 mode */
#define OCW2_EOI      0x20    /* end of the highest interrupt in service */
#define OCW3_READ_IS  0x0b    /* the next read of the command port gives the in-service register */

/* Line n interrupts with vector VECTOR_IRQ + n, once it is enabled. */
static inline void
priv_irq_init(void)
{
    priv_out8(PIC1, ICW1);
    priv_out8(PIC2, ICW1);
    priv_out8(PIC1 + 1, VECTOR_IRQ); /* ICW2: the first vector */
    priv_out8(PIC2 + 1, VECTOR_IRQ + 8);
    priv_out8(PIC1 + 1, 1 << PIC_CASCADE); /* ICW3: who is connected where */
    priv_out8(PIC2 + 1, PIC_CASCADE);
    priv_out8(PIC1 + 1, ICW4);
    priv_out8(PIC2 + 1, ICW4);
    priv_out8(PIC1 + 1, 0xff & ~(1 << PIC_CASCADE)); /* masked: all but the second's line */
    priv_out8(PIC2 + 1, 0xff);
}

static inline void
priv_irq_enable(unsigned irq)
{
    uint16_t data = (irq < 8 ? PIC1 : PIC2) + 1;
    priv_out8(data, priv_in8(data) & ~(1 << irq % 8));
}

/* Tells that the interrupt is taken; the next of its line may come. False: there was none. (A line
 * that falls again before the processor asks gives interrupt 7 of its 8259 with no bit in service;
 * the second's passes through the first, which has to be told.) */
static inline bool
priv_irq_ack(unsigned irq)
{
    uint16_t port = irq < 8 ? PIC1 : PIC2;
    bool real = true;
    if (irq % 8 == 7) {
        priv_out8(port, OCW3_READ_IS);
        real = priv_in8(port) & 0x80;
    }
    if (irq >= 8)
        priv_out8(PIC1, OCW2_EOI);
    if (real)
        priv_out8(port, OCW2_EOI);
    return real;
}

/* IRQ_TIMER comes hz times a second (TIMER_HZ_MIN to _MAX), by channel 0 of the 8254 (its data
 * sheet): mode 2, rate generator, divisor low byte then high byte. */
#define PIT_HZ        1193182 /* 14.31818 MHz / 12, since the first PC */

static inline void
priv_timer_init(unsigned hz)
{
    unsigned divisor = (PIT_HZ + hz / 2) / hz;
    priv_out8(0x43, 0x34);
    priv_out8(0x40, divisor & 0xff);
    priv_out8(0x40, divisor >> 8);
}

/* --- the virtualization holes (holes.c): sensitive, yet not privileged ------------------------- */

static inline uint64_t
priv_pushf(void)
{
    uint64_t flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    return flags;
}

static inline void
priv_popf(uint64_t flags)
{
    asm volatile("pushq %0; popfq" ::"r"(flags) : "memory", "cc");
}

/* The low two bits: the privilege level that we run at. */
static inline uint16_t
priv_read_cs(void)
{
    uint32_t cs;
    asm volatile("mov %%cs, %0" : "=r"(cs));
    return cs;
}

static inline struct priv_table
priv_sgdt(void)
{
    struct priv_table t;
    asm volatile("sgdt %0" : "=m"(t));
    return t;
}

static inline struct priv_table
priv_sidt(void)
{
    struct priv_table t;
    asm volatile("sidt %0" : "=m"(t));
    return t;
}

static inline uint16_t
priv_str(void)
{
    uint32_t selector;
    asm volatile("str %0" : "=r"(selector));
    return selector;
}

static inline uint32_t
priv_smsw(void)
{
    uint32_t cr0;
    asm volatile("smsw %0" : "=r"(cr0));
    return cr0;
}

#endif
#endif
