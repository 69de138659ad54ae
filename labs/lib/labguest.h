/*
 * labguest.h - what the C guests of the labs share: the entry point, ports, and printing.
 *
 * hv starts a guest in 64-bit mode at CPL 0, the first 4 GiB mapped one to one, with one page of stack
 * and RDI = struct boot_info (guests/include/abi.h). The guest defines guest_main().
 */
#ifndef HV_LABS_LABGUEST_H
#define HV_LABS_LABGUEST_H

#include <stdint.h>

#include "guests/include/abi.h"

__asm__(".globl _start\n"
        "_start: call guest_main\n"
        "    xor %eax, %eax\n"
        "    out %al, $0xf4\n" /* end of the run, status 1 as hv counts */
        "1:  hlt\n"
        "    jmp 1b\n");

void guest_main(struct boot_info *boot);

static inline void
out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void
out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t
in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void
print(const char *text)
{
    while (*text)
        out8(0x3f8, (uint8_t)*text++);
}

static inline void
print_hex(uint64_t value)
{
    char digits[17];
    int at = 16;

    digits[at] = 0;
    do
        digits[--at] = "0123456789abcdef"[value % 16];
    while (value /= 16);
    print("0x");
    print(&digits[at]);
}

static inline void
print_number(uint64_t value)
{
    char digits[21];
    int at = 20;

    digits[at] = 0;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    print(&digits[at]);
}

/* "what: value", a line of its own. */
static inline void
say(const char *what, uint64_t value)
{
    print(what);
    print(": ");
    print_number(value);
    print("\n");
}

static inline void
say_hex(const char *what, uint64_t value)
{
    print(what);
    print(": ");
    print_hex(value);
    print("\n");
}

/* Is `word` among the words of the command line? */
static inline int
asked(const struct boot_info *boot, const char *word)
{
    const char *at = (const char *)boot->command_line;

    while (*at) {
        const char *w = word;
        while (*w && *at == *w)
            at++, w++;
        if (!*w && (!*at || *at == ' '))
            return 1;
        while (*at && *at != ' ')
            at++;
        while (*at == ' ')
            at++;
    }
    return 0;
}

#endif
