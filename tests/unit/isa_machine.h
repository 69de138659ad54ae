/*
 * isa_machine.h - one interpreted processor with 1 MiB of memory, for the tests of isa/x86.
 *
 * machine_open() builds a processor in one of five states with flat segments for four rings, an
 * IDT without gates, a TSS and an LDT. A test changes what it is about, writes an instruction
 * with CODE() and executes it. machine_try() also checks the rule that everything keeps: an
 * instruction that does not succeed has changed no register and written nothing.
 */
#ifndef TESTS_UNIT_ISA_MACHINE_H
#define TESTS_UNIT_ISA_MACHINE_H

#include "isa/x86/cpu.h"

/* Where things are. Linear addresses are physical ones, with paging too. */
#define M_GDT     0x1000u
#define M_IDT     0x2000u
#define M_TSS     0x3000u
#define M_LDT     0x4000u
#define M_STACK   0x8000u /* ring n: top of the stack at M_STACK + (n + 1) * 0x1000 */
#define M_CODE    0x10000u
#define M_HANDLER 0x18000u /* gates of the default handler lead here */
#define M_DATA    0x1c000u
#define M_PAGES   0x40000u
#define M_DEVICE  0xa0000u /* 128 KiB without memory */
#define M_RAM     0x100000u
#define M_HIGH    0xffff800000000000u /* in long mode, memory is seen here too */

/* Selectors of the flat segments of ring n, with RPL n; of the TSS, the LDT, and unused slots. */
#define S_CODE(n)   (0x08u + 0x10u * (n) + (n))
#define S_DATA(n)   (0x10u + 0x10u * (n) + (n))
#define S_TSS       0x48u
#define S_LDT       0x58u
#define S_FREE(n)   (0x68u + 8u * (n))
#define M_GDT_LIMIT 0x1ffu

/* Attributes: present, of ring n. */
#define A_P(n)      (SEG_P | (n) << SEG_DPL_SHIFT)
#define A_DATA(n)   (A_P(n) | SEG_S | SEG_WRITABLE | SEG_DB | SEG_G)
#define A_CODE(n)   (A_P(n) | SEG_S | SEG_CODE | SEG_READABLE | SEG_DB | SEG_G)
#define A_CODE64(n) (A_P(n) | SEG_S | SEG_CODE | SEG_READABLE | SEG_L | SEG_G)

enum machine_kind { M_REAL, M_PROT16, M_PROT32, M_COMPAT32, M_LONG };

struct machine_transfer {
    enum x86_transfer what;
    unsigned vector, from_cpl;
};

struct machine {
    enum machine_kind kind;
    struct x86_cpu cpu;
    struct machine_transfer transfer[16]; /* what the hook was told */
    unsigned transfers;
    uint8_t *ram;
};

/* The machine, in ring 0 at M_CODE, interrupts off, x87 as FNINIT leaves it. Never NULL. */
struct machine *machine_open(enum machine_kind kind);
void test_cpu_close(struct machine *m);
/* After a test has changed m->cpu.r by hand. */
void machine_sync(struct machine *m);
/* Goes to ring n: its CS, its SS:SP; DS and ES are the ring's data segment. rip is M_CODE. */
void machine_ring(struct machine *m, unsigned n);

/* Little-endian memory. */
uint64_t machine_peek(const struct machine *m, uint32_t address, unsigned size);
void machine_poke(struct machine *m, uint32_t address, unsigned size, uint64_t value);
/* Bytes at M_CODE, and rip to their start. */
void machine_code(struct machine *m, const uint8_t *bytes, unsigned count);
#define CODE(m, ...)                                                                               \
    machine_code(m, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* Pushes values of `size` bytes so that the first one is on top of the stack. */
void machine_push(struct machine *m, unsigned size, const uint64_t *values, unsigned count);
#define STACK(m, size, ...)                                                                        \
    machine_push(m, size, (const uint64_t[]){__VA_ARGS__},                                         \
                 sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

/* A descriptor in the GDT or LDT; limit is in bytes. System descriptors of long mode take two
 * slots. */
void machine_segment(struct machine *m, uint16_t selector, uint64_t base, uint32_t limit,
                     uint16_t attr);
void machine_call_gate(struct machine *m, uint16_t selector, uint16_t attr, uint16_t target,
                       uint64_t offset, unsigned params);
void machine_int_gate(struct machine *m, unsigned vector, uint16_t attr, uint16_t target,
                      uint64_t offset, unsigned ist);
/* Turns on 4-KiB paging, everything mapped for user and writing (PROT32; long mode has it). */
void machine_paging(struct machine *m);
/* Page-table entry of the page at `address`: bits as in hardware; 0 takes it away. */
void machine_page(struct machine *m, uint32_t address, uint64_t bits);

/* Executes one instruction; checks that nothing changed if it did not succeed. */
int machine_try(struct machine *m);
/* The same, and delivers the fault that it may raise. */
int machine_step(struct machine *m);

/* Compares, and says in the report what was wrong where. */
void machine_expect(const char *file, unsigned line, const char *row, const char *what,
                    uint64_t got, uint64_t want);
#define EXPECT(row, got, want) machine_expect(__FILE__, __LINE__, row, #got, got, want)
/* machine_try() must end with this exception; error < 0: it has no error code. */
void machine_expect_fault(const char *file, unsigned line, const char *row, struct machine *m,
                          unsigned vector, int64_t error);
#define EXPECT_FAULT(row, m, vector, error)                                                        \
    machine_expect_fault(__FILE__, __LINE__, row, m, vector, error)
/* The `count` values of `size` bytes from the top of the stack at `sp` on. */
void machine_expect_stack(const char *file, unsigned line, const char *row, struct machine *m,
                          uint32_t sp, unsigned size, const uint64_t *want, unsigned count);
#define EXPECT_STACK(row, m, sp, size, ...)                                                        \
    machine_expect_stack(__FILE__, __LINE__, row, m, sp, size, (const uint64_t[]){__VA_ARGS__},    \
                         sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

#endif
