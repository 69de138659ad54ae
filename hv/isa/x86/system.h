/*
 * system.h - what the files of protection share: selectors and error codes, code segments about
 * to be entered, and stacks that are built before anything is committed.
 *
 * Used by segment.c, sysseg.c, stack.c, far.c, gate.c, return.c, iret.c, interrupt.c and
 * fastcall.c only. Next: segment.c, then stack.c.
 */
#ifndef HV_ISA_X86_SYSTEM_H
#define HV_ISA_X86_SYSTEM_H

#include "isa/x86/cpu.h"

/*
 * A selector, and the error code made of it (SDM vol. 3, 3.4.2 and 6.13):
 *  15-3   2   1-0               15-3   2   1    0
 *  index  TI  RPL               index  TI  IDT  EXT
 */
#define SELECTOR_RPL 0x3u
#define SELECTOR_TI  0x4u
#define ERROR_EXT    0x1u /* the fault happened while an external event was being delivered */
#define ERROR_IDT    0x2u /* the index is that of a gate in the IDT */

static inline unsigned
selector_rpl(uint16_t selector)
{
    return selector & SELECTOR_RPL;
}

static inline bool
selector_is_null(uint16_t selector)
{
    return !(selector & ~SELECTOR_RPL);
}

static inline uint16_t
selector_with_rpl(uint16_t selector, unsigned rpl)
{
    return (selector & ~SELECTOR_RPL) | rpl;
}

static inline uint32_t
selector_error(uint16_t selector)
{
    return selector & ~SELECTOR_RPL;
}

/* The same questions of the attributes of a descriptor or of a segment register. */
static inline unsigned
attr_dpl(uint16_t attr)
{
    return (attr & SEG_DPL) >> SEG_DPL_SHIFT;
}

static inline bool
attr_is_code(uint16_t attr)
{
    return (attr & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}

static inline bool
attr_is_conforming(uint16_t attr)
{
    return attr_is_code(attr) && (attr & SEG_CONFORMING);
}

static inline bool
attr_is_writable_data(uint16_t attr)
{
    return (attr & (SEG_S | SEG_CODE | SEG_WRITABLE)) == (SEG_S | SEG_WRITABLE);
}

/* #TS, #NP, #SS or #GP that names a selector. */
static inline int
raise_selector(struct x86_cpu *cpu, enum x86_vector vector, uint16_t selector)
{
    return x86_raise_error(cpu, vector, selector_error(selector));
}

/* --- segment.c ------------------------------------------------------------------------------ */

/* A byte of a descriptor table or of the TSS: outside long mode addresses wrap at 4 GiB. */
uint64_t x86_table_address(const struct x86_cpu *cpu, uint64_t base, uint64_t offset);
/* Reads size bytes there, as the processor itself does: at supervisor privilege. */
int x86_table_read(struct x86_cpu *cpu, uint64_t base, uint64_t offset, unsigned size,
                   uint64_t *value);
/* Unpacks 8 or 16 bytes; high is the second quadword, 0 if there is none. */
void x86_descriptor_unpack(uint64_t low, uint64_t high, struct x86_descriptor *d);
/* As x86_fetch_descriptor, but a selector without a descriptor is no fault: *found is false. */
int x86_find_descriptor(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d,
                        bool *found);
/* What loading a segment register does in real mode. */
void x86_segment_set_real(struct x86_segment *seg, uint16_t selector);
/* A register that holds a null selector; SS keeps the CPL in its DPL. */
void x86_segment_set_null(struct x86_segment *seg, uint16_t selector, unsigned dpl);
/* Checks a stack segment for a program at cpl and unpacks it: `vector`(selector) if it is the
 * wrong kind, #SS(selector) if it is not present. The selector is not null. */
int x86_stack_segment(struct x86_cpu *cpu, uint16_t selector, unsigned cpl, enum x86_vector vector,
                      struct x86_segment *seg);

/*
 * The code segment that control is about to enter. x86_code_check_rip: #GP(0) if rip is outside;
 * truncates it to what the segment's mode can hold.
 */
int x86_code_check_rip(struct x86_cpu *cpu, const struct x86_descriptor *code, uint64_t *rip);
/* L and D both set is no code segment in long mode: the meaning is reserved. */
bool x86_code_is_reserved(const struct x86_cpu *cpu, const struct x86_descriptor *code);

/* --- stack.c -------------------------------------------------------------------------------- */

/*
 * A stack to push to, present or future. Order of use: x86_stack_current or x86_stack_inner,
 * x86_stack_reserve for the whole frame, then pushes (which cannot fault any more), and
 * x86_stack_commit, the only one that changes cpu->r.
 */
struct x86_stack {
    struct x86_segment ss;
    uint64_t sp;
    uint8_t width;        /* bytes of sp that move: 2, 4 or 8; the rest stays */
    uint8_t cpl;          /* who pushes */
    bool check_alignment; /* #AC applies */
    uint32_t error;       /* of the #SS that a missing byte raises */
};

void x86_stack_current(const struct x86_cpu *cpu, struct x86_stack *s);
/* The stack for ring `cpl` out of the TSS; `ist` is 1-7 for an interrupt stack, 0 for none. */
int x86_stack_inner(struct x86_cpu *cpu, unsigned cpl, unsigned ist, struct x86_stack *s);
/* Long mode: interrupt stack `ist` without a change of ring, SS stays. */
int x86_stack_ist(struct x86_cpu *cpu, unsigned ist, struct x86_stack *s);
/* Would `count` pushes of `size` bytes succeed? */
int x86_stack_reserve(struct x86_cpu *cpu, const struct x86_stack *s, unsigned count,
                      unsigned size);
int x86_stack_push(struct x86_cpu *cpu, struct x86_stack *s, unsigned size, uint64_t value);
void x86_stack_commit(struct x86_cpu *cpu, const struct x86_stack *s);
/* Reads at SS:RSP + offset, without moving anything. */
int x86_stack_peek(struct x86_cpu *cpu, unsigned offset, unsigned size, uint64_t *value);
/* `sp` moved by delta, in a stack whose pointer is `width` bytes wide. */
uint64_t x86_stack_move(uint64_t sp, int64_t delta, unsigned width);

/* --- gate.c --------------------------------------------------------------------------------- */

/* JMP and CALL through the call gate that `selector` names. */
int x86_gate_jump(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *gate);
int x86_gate_call(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *gate,
                  uint64_t return_rip);

/* --- return.c: what RETF and IRET have in common -------------------------------------------- */

/* Where a return goes: filled from the frame, then by the checks. */
struct x86_return {
    uint64_t rip;
    uint16_t cs_selector, ss_selector;
    unsigned cpl;      /* afterwards */
    uint64_t sp;       /* to an outer ring: as popped */
    bool switch_stack; /* ss and sp were popped */
    struct x86_descriptor code;
    struct x86_segment cs, ss;
};

/* The checks of CS; sets cpl. */
int x86_return_check_code(struct x86_cpu *cpu, struct x86_return *to);
/* The checks of SS (if switch_stack), of rip, and the accessed bits. */
int x86_return_check_rest(struct x86_cpu *cpu, struct x86_return *to);
/* Commits CS, rip, SS:SP (moved by release), and drops data segments of inner rings. */
void x86_return_commit(struct x86_cpu *cpu, const struct x86_return *to, unsigned release);

#endif
