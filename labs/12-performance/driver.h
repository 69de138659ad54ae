/*
 * driver.h - what report.c wants of the driver. Given: the tests use this file as it came.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <stdint.h>

void driver_begin(void);
/* Prints the stamp that a line begins with: "[GenuineIntel-6] ", from CPUID. */
void driver_stamp(void);
/* Prints `text`. May keep it for a while, at most until driver_flush(). */
void driver_print(const char *text);
/* Returns when everything is on the line. Called at the end, before the machine stops. */
void driver_flush(void);

#ifndef HV_LABS_LABGUEST_H /* report.c has its own */
/* --- for driver.c: what leaves the guest --------------------------------------------------------- */

static inline void
out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t
in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void
cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

static inline int64_t
hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    int64_t result;

    __asm__ volatile("vmcall" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory");
    return result;
}

#endif

#endif
