/*
 * x87.h - the floating-point unit's registers, and what all its instructions share.
 *
 * exec_x87() (x87.c) copies the unit out of struct x86_regs, lets the instruction work on the copy,
 * and puts it back if the instruction succeeded: so nothing is changed by one that faults.
 * The instructions are in x87_arith.c, x87_move.c and x87_env.c; the arithmetic itself is the
 * host's (x87_host.h). SDM vol. 1, chapter 8.
 */
#ifndef HV_ISA_X86_X87_H
#define HV_ISA_X86_X87_H

#include "isa/x86/cpu.h"
#include "isa/x86/x87_host.h"

/*
 * The first 160 bytes of the FXSAVE image (SDM vol. 1, table 10-2). st[] is in the order of the
 * stack, ST(0) first; the tags are in the order of the physical registers. So a push moves the
 * eight values by one place and the tags not at all.
 *
 * FIP and FDP are 64-bit offsets. FCS and FDS are not kept and saved as 0, which CPUID says (leaf 7,
 * EBX bit 13). In real mode, where an offset alone says little, FIP and FDP are linear addresses.
 */
struct x87 {
    uint16_t fcw, fsw;
    uint8_t tags; /* bit n: physical register n is in use */
    uint8_t reserved;
    uint16_t fop; /* the low three bits of the opcode, then ModRM */
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask; /* not ours: SSE's */
    struct x87_reg st[8];
};
_Static_assert(sizeof(struct x87) == 160, "as FXSAVE lays it out");

/*
 * Status word (SDM vol. 1, 8.1.3):
 *  15 14 13-11 10 9  8  7  6  5  4  3  2  1  0
 *  B  C3 TOP   C2 C1 C0 ES SF PE UE OE ZE DE IE
 */
#define FSW_IE         0x0001u /* invalid operation */
#define FSW_DE         0x0002u /* denormal operand */
#define FSW_ZE         0x0004u /* division by zero */
#define FSW_OE         0x0008u
#define FSW_UE         0x0010u
#define FSW_PE         0x0020u /* inexact */
#define FSW_EXCEPTIONS 0x003fu
#define FSW_SF         0x0040u /* with IE: the stack was over- or underrun, as C1 says */
#define FSW_ES         0x0080u /* an unmasked exception is pending */
#define FSW_C0         0x0100u
#define FSW_C1         0x0200u
#define FSW_C2         0x0400u
#define FSW_C3         0x4000u
#define FSW_CONDITION  (FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3)
#define FSW_TOP        0x3800u
#define FSW_TOP_SHIFT  11
#define FSW_BUSY       0x8000u /* a copy of ES since the 80387 */

/*
 * Control word (SDM vol. 1, 8.1.5): the masks lie as the exceptions do in the status word.
 *  12 11-10    9-8       6 5  4  3  2  1  0
 *  X  rounding precision 1 PM UM OM ZM DM IM
 */
#define FCW_INIT  0x037fu
#define FCW_ONE   0x0040u /* always set */
#define FCW_VALID 0x1f7fu

typedef int (*x87_fn)(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);

/* What a row of the table in x87.c says besides name and operands. */
#define X87_NOWAIT  0x01u /* executes even if an exception is pending */
#define X87_CONTROL 0x02u /* leaves FIP, FDP and FOP alone */
#define X87_POP     0x04u
#define X87_POP2    0x08u
#define X87_TO_STI  0x10u /* the result goes to ST(i) */
#define X87_EFLAGS  0x20u /* a comparison that sets ZF, PF and CF */
#define X87_C2      0x40u /* C2 says whether the result is complete */

struct x87_form {
    struct x86_opcode row; /* first: in->op points at it */
    x87_fn fn;
    uint8_t op; /* enum x87_op, where one is needed */
    uint8_t flags;
};

static inline const struct x87_form *
x87_form(const struct x86_insn *in)
{
    return (const struct x87_form *)(const void *)in->op;
}

/* The unit within the registers. */
void x87_get(const struct x86_cpu *cpu, struct x87 *f);
/* Puts it back; ES and B are made to agree with the exceptions and their masks. */
void x87_put(struct x86_cpu *cpu, struct x87 *f);
/* #NM if CR0 says that the unit cannot be used. */
int x87_check(struct x86_cpu *cpu);
/* #MF for an exception that is pending. */
int x87_check_pending(struct x86_cpu *cpu);

/* --- the stack ------------------------------------------------------------------------------ */

/* What a masked invalid operation yields: the "real indefinite" (SDM vol. 1, table 4-3). */
#define X87_INDEFINITE ((struct x87_reg){UINT64_C(0xc000000000000000), 0xffff, {0}})

static inline unsigned
x87_top(const struct x87 *f)
{
    return (f->fsw & FSW_TOP) >> FSW_TOP_SHIFT;
}

static inline bool
x87_empty(const struct x87 *f, unsigned i)
{
    return !(f->tags >> ((x87_top(f) + i) & 7) & 1);
}

/* Another register becomes ST(0): the physical registers keep their values. */
void x87_set_top(struct x87 *f, unsigned top);
void x87_write(struct x87 *f, unsigned i, struct x87_reg value);
void x87_push(struct x87 *f, struct x87_reg value);
void x87_free(struct x87 *f, unsigned i);
void x87_pop(struct x87 *f);
/* As the row's flags say. */
void x87_pop_by(struct x87 *f, const struct x87_form *form);

/* --- exceptions (SDM vol. 1, 8.4 and 8.5) ---------------------------------------------------- */

/* A stack fault. True if it is masked: the instruction goes on with the indefinite. */
bool x87_underflow(struct x87 *f);
bool x87_overflow(struct x87 *f);

/*
 * Runs form->op on h under f's control word, and adds its exceptions and condition codes to f. Returns
 * the exceptions that are not masked. Of those, I, D and Z leave registers and memory as they
 * were; O, U and P come after the result is stored in a register, scaled where it would not fit.
 */
#define X87_BEFORE (FSW_IE | FSW_DE | FSW_ZE)
unsigned x87_compute(struct x87 *f, const struct x86_insn *in, struct x87_host *h);

/* --- memory (x87_env.c) ------------------------------------------------------------------------ */

/* The memory operand, `size` bytes (up to 108), aligned to `align` where alignment is checked. All
 * of it can be accessed, or nothing is. */
int x87_read_memory(struct x86_cpu *cpu, const struct x86_insn *in, uint8_t *bytes, unsigned size,
                    unsigned align);
int x87_write_memory(struct x86_cpu *cpu, const struct x86_insn *in, const uint8_t *bytes,
                     unsigned size, unsigned align);

#endif
