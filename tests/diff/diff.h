/*
 * diff.h - the interpreter against the host's processor: what a case is, and who does what.
 *
 * A case is a short sequence of instructions with the registers that it starts from. It runs in
 * a child process on the processor itself (host.c) and in the interpreter (machine.c), on the
 * same code and data pages at the same linear addresses, both at CPL 3. How both ended is
 * compared: every register, the flags but for those that the manual leaves undefined (rules.c),
 * the fault with its error code and address, and memory.
 *
 * generate.c makes the cases, from the interpreter's own opcode table; minimize.c reduces a case
 * that differs; cpu.c is the program. Read cpu.c next, then host.c.
 */
#ifndef TESTS_DIFF_DIFF_H
#define TESTS_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/x86/cpu.h"
#include "isa/x86/insn.h"
#include "isa/x86/x87.h"

/*
 * Linear memory, the same on both sides:
 *
 *   10000000  two pages of code, read and execute; what is not the case's is filled with CC (INT3),
 *             so that wherever a case runs to, it ends there
 *   20000000  two pages of data, read and write
 *   20002000  one page of data, read only
 *
 * Nothing is mapped around them. 64-bit cases also run on aliases above 4 GiB, at HIGH + the same.
 */
#define DIFF_CODE      0x10000000u
#define DIFF_CODE_SIZE 0x2000u
#define DIFF_DATA      0x20000000u
#define DIFF_RW_SIZE   0x2000u
#define DIFF_DATA_SIZE 0x3000u
#define DIFF_HIGH      0x2a0000000000u
#define DIFF_FILL      0xccu

#define DIFF_BYTES 192 /* of code in a case */
#define DIFF_INSNS 16
#define DIFF_BATCH 256 /* cases that the child runs before the parent looks */

/* The processor's mode. 16-bit code and its data lie in segments of the LDT whose base is
 * DIFF_CODE and DIFF_DATA: addresses there are offsets. */
enum diff_mode { DIFF_LONG64, DIFF_COMPAT32, DIFF_COMPAT16, DIFF_MODES };

/* Selectors that Linux gives to user programs (arch/x86/include/asm/segment.h of Linux). */
#define SEL_CODE32 0x23u
#define SEL_DATA   0x2bu
#define SEL_CODE64 0x33u
#define SEL_LDT(n) ((n)*8u + 7u)

/* Entries that both sides put into the LDT. */
enum diff_ldt {
    LDT_CODE16,   /* base DIFF_CODE, limit of the code pages */
    LDT_CODE32,   /* the same, 32-bit */
    LDT_DATA16,   /* base DIFF_DATA, limit of the data pages */
    LDT_DATA32,   /* the same with a 32-bit stack pointer */
    LDT_READONLY, /* data, read only */
    LDT_DOWN,     /* data that expands down: offsets above 0fff are inside */
    LDT_EXECUTE,  /* code that cannot be read */
    LDT_ABSENT,   /* data, not present */
    LDT_SMALL,    /* data, 257 bytes */
    DIFF_LDT_COUNT,
};
struct diff_segment {
    uint32_t base, limit;
    uint16_t attr; /* SEG_* */
};
extern const struct diff_segment diff_ldt[DIFF_LDT_COUNT];

struct diff_regs {
    uint64_t gpr[16], rip, rflags;
    uint16_t seg[X86_NSEG];
    uint64_t fs_base, gs_base;
    struct x87 fpu; /* with MXCSR */
};

/* What stopped it: an exception's vector (3: it ran into the fill, the usual end), or one of: */
#define STOP_TIMEOUT       0x100u /* still running after a while */
#define STOP_UNIMPLEMENTED 0x101u /* the interpreter leaves this out */
#define STOP_OTHER         0x102u /* an answer of the interpreter that makes no sense at CPL 3 */

struct diff_end {
    struct diff_regs regs;
    uint32_t stop;
    uint32_t error;
    uint64_t address; /* #PF: CR2 */
    uint64_t memory;  /* diff_hash() of the writable pages */
};

/* A row of the opcode table, with what the generator needs to know (rows.c). */
struct diff_row {
    const struct x86_opcode *op;
    uint16_t opcode;           /* map << 8 | byte */
    uint8_t prefix;            /* PREFIX_REP, PREFIX_REPNE: it must have this one; else 0 */
    int8_t reg;                /* of a group: ModRM.reg, or -1 */
    uint8_t modrm_mask;        /* these bits of ModRM ... */
    uint8_t modrm_key;         /* ... must be so */
    uint8_t modes;             /* bit m: generated in enum diff_mode m */
    bool plain;                /* 66, F2 and F3 turn it into something else */
    bool closed;               /* can only be seen to fault */
    bool memory_only;          /* its register form is something else */
    const char *why;           /* not generated in any: the reason */
    uint64_t retired, faulted; /* times that both sides agreed on it */
};

struct diff_insn {
    uint8_t at, length;
    const struct diff_row *row;
};

struct diff_case {
    enum diff_mode mode;
    bool high;      /* 64-bit: runs on the aliases */
    bool segmented; /* 16- and 32-bit: CS, DS ... are those of the LDT */
    uint16_t start; /* offset in the code pages */
    uint8_t length; /* bytes of code */
    uint8_t ninsns;
    uint8_t code[DIFF_BYTES];
    struct diff_insn insn[DIFF_INSNS];
    struct diff_regs in;
};

/* Shared with the child. */
struct diff_arena {
    struct diff_case cases[DIFF_BATCH];
    struct diff_end ends[DIFF_BATCH];
    uint32_t count;
    volatile uint32_t done; /* cases that have ended, so that a child that dies is not a riddle */
};

/* --- util.c: xorshift64*, so that a seed means the same everywhere; hash; addresses ------------- */
struct diff_rng {
    uint64_t state;
};
void rng_seed(struct diff_rng *rng, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct diff_rng *rng);
/* 0 to n - 1 */
uint32_t rng_below(struct diff_rng *rng, uint32_t n);
/* True once in n times. */
bool rng_one_in(struct diff_rng *rng, uint32_t n);

uint64_t diff_hash(const uint8_t *bytes, size_t size);
/* Where offset 0 of code and data is for the program: linear, or an offset in its segment. */
uint64_t diff_code_base(const struct diff_case *c);
uint64_t diff_data_base(const struct diff_case *c);

/* --- host.c, child.c: the processor ------------------------------------------------------------------------ */
/* File descriptors that diff_child starts with. */
enum { CHILD_PAGES = 3, CHILD_ARENA, CHILD_COMMANDS, CHILD_ANSWERS };

struct diff_host {
    struct diff_arena *arena;
    uint8_t *code, *data; /* the pages, as the parent sees them */
    int pages_fd, arena_fd;
    int to_child, from_child;
    int pid;
    bool fsgsbase; /* RDFSBASE and friends work in user mode */
    bool ldt;      /* the kernel lets a program have an LDT: 16-bit cases can run */
    bool intel;
    bool reference; /* a processor of the kind that the interpreter is: Intel, not translated */
};
/* 0, or -1 with a sentence on stderr. */
int host_open(struct diff_host *h);
void host_close(struct diff_host *h);
/* Runs arena->cases[0 .. count) on the data pages as they are; a child that dies is replaced, and
 * its case's end is STOP_OTHER. host_start() returns at once, host_wait() when all is done. */
void host_start(struct diff_host *h);
void host_wait(struct diff_host *h);

/* --- machine.c: the interpreter ---------------------------------------------------------------- */
#define MACHINE_PAGES 32
struct diff_machine {
    struct x86_cpu cpu;
    uint8_t memory[MACHINE_PAGES][4096];
    uint8_t *code, *data, *stack; /* in memory[]; the stack that events switch to */
    const char *unimplemented;
    uint32_t undefined; /* flags that the last case left undefined */
    uint64_t steps;
};
/* Who is told of every instruction that was carried out, or faulted. */
typedef void (*machine_hook)(void *ctx, const struct diff_row *row, bool faulted);
void machine_init(struct diff_machine *m);
void machine_run(struct diff_machine *m, const struct diff_case *c, struct diff_end *end,
                 machine_hook hook, void *ctx);

/* Puts a case's registers into a processor that has the machine's system registers. */
void machine_registers(struct x86_regs *r, const struct diff_regs *in);
/* How a case ended, from the registers at a handler's first byte and the page of its stack. */
void machine_frame(const struct x86_regs *r, const uint8_t *stack, struct diff_end *end);

/* --- engine.c: the soft engine, with its cache of decoded instructions ----------------------------- */
struct diff_engine;
/* A machine of its own in the state of `m`; NULL: a sentence on stderr. */
struct diff_engine *engine_create(const struct diff_machine *m);
void engine_destroy(struct diff_engine *e);
uint8_t *engine_data(struct diff_engine *e);
/* Runs a case twice from the same state, the second time from the cache. False: not alike. */
bool engine_run(struct diff_engine *e, const struct diff_case *c, struct diff_end *end);

/* --- rows.c, rules.c ---------------------------------------------------------------------------- */
extern struct diff_row diff_rows[];
extern unsigned diff_row_count;
void rows_init(const struct diff_host *h);
/* The flags that `name` reads; that it defines whatever its operands; that it leaves undefined with
 * this operand size (bytes) and count (-1: not known). */
uint32_t rule_reads(const struct diff_row *row);
uint32_t rule_defines(const struct x86_opcode *op);
uint32_t rule_undefined(const struct x86_opcode *op, unsigned size, int count);

/* --- generate.c --------------------------------------------------------------------------------- */
void generate_case(struct diff_rng *rng, const struct diff_host *h, struct diff_case *c);
void generate_data(struct diff_rng *rng, uint8_t *data);

/* --- compare.c: what differs, and its report ----------------------------------------------------- */
/* NULL if both ends agree, else the name of the first thing that differs. */
const char *compare_ends(const struct diff_host *h, const struct diff_case *c,
                         const struct diff_end *host, const struct diff_end *soft,
                         uint32_t undefined);
/* Is it allowed that memory alone differs, when `last` was the instruction that faulted? */
bool compare_memory_may_differ(const struct diff_end *host, const struct x86_opcode *last);
void report_case(const struct diff_case *c, const struct diff_end *host,
                 const struct diff_end *soft, uint32_t undefined);

/* --- minimize.c ------------------------------------------------------------------------------------ */
/* Reduces a case that differs when it starts with these data pages, and reports what is left. */
void minimize_case(struct diff_host *h, struct diff_machine *m, const struct diff_case *c,
                   const uint8_t *data);

#endif
