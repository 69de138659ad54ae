/*
 * kit.h - what the guests of the tickets share: words of the command line, text out, interrupts, a timer.
 *
 * One processor, no paging of its own, no processes: kit.S has the entry and the interrupt stubs,
 * kit.c the rest. Each guest is one file with appliance_main(). The command line is "key=value"
 * words; of two with one key the last counts.
 */
#ifndef GUESTS_TICKETS_KIT_H
#define GUESTS_TICKETS_KIT_H

#include <stdbool.h>
#include <stdint.h>

/* Each guest has this; its result is the byte for the debug-exit port. */
uint8_t appliance_main(void);

/* The number behind key=, or `otherwise`. */
uint64_t param(const char *key, uint64_t otherwise);
/* Does the command line say key=word? */
bool param_is(const char *key, const char *word);
/* Bytes of RAM. */
uint64_t memory_size(void);

/* Text out; %s, %u (unsigned), %d (int), %x (unsigned), with a width and zeros before. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Bytes for each look at the UART's status: 1, or 16 once its FIFO is on. */
void console_fifo(void);
/* say(), and the end. */
void stop(uint8_t status, const char *text) __attribute__((noreturn));

/* Line n of the 8259 pair calls handler; it is told of the end afterwards. No handler: the guest stops. */
void on_irq(unsigned line, void (*handler)(void));
/* A bit a line, set: masked. At the start all are. */
void irq_mask(uint16_t mask);
/* Counter 0 of the 8254: IRQ 0 hz times a second; or once, after so many ns. */
void timer_rate(unsigned hz);
void timer_once(uint64_t ns);

/* Guest time in ns: what a time server would say. (The time stamp counter, 1 GHz under hv's soft.) */
static inline uint64_t
now_ns(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline uint8_t
in8(uint16_t port)
{
    uint8_t value;

    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void
out8(uint16_t port, uint8_t value)
{
    asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void
irq_off(void)
{
    asm volatile("cli" ::: "memory");
}

static inline void
irq_on(void)
{
    asm volatile("sti" ::: "memory");
}

/* Waits for an interrupt. STI takes effect behind the HLT, so none is missed (SDM vol. 2, STI). */
static inline void
irq_wait(void)
{
    asm volatile("sti; hlt" ::: "memory");
}

#endif
