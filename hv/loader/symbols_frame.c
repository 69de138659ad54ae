/*
 * symbols_frame.c - from a function's registers to its caller's, by the call frame information that
 * the compiler left in .debug_frame or .eh_frame (DWARF 5, 6.4).
 *
 * libdw finds the rule for each register; the rules are small programs for a stack machine, of which
 * compilers use few operations; a rule that has another is taken as "not known".
 *
 * Called through symbols.h by the debugger's backtrace and steps.
 */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "isa/x86/regs.h"
#include "loader/symbols_own.h"

#define STACK 16 /* values; compilers need two */
#define RULE  32 /* operations of one rule */

/* DWARF's numbers of the registers (System V psABI, figure 3.36 of x86-64; 2.14 of i386), in the
 * order of enum x86_gpr; then the return address. */
static const uint8_t numbers64[] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t numbers32[] = {0, 1, 2, 3, 4, 5, 6, 7};
#define RETURN64 16
#define RETURN32 8

struct unwinding {
    const struct symbols_frame *frame;
    symbols_read_fn *read;
    void *context;
    bool wide; /* 64-bit code */
    uint64_t cfa;
};

/* The register that DWARF numbers so. */
static bool
get_register(const struct unwinding *u, unsigned number, uint64_t *value)
{
    const uint8_t *numbers = u->wide ? numbers64 : numbers32;
    unsigned count = u->wide ? 16 : 8;

    if (number == (u->wide ? RETURN64 : RETURN32)) {
        *value = u->frame->rip;
        return true;
    }
    for (unsigned i = 0; i < count; i++)
        if (numbers[i] == number) {
            *value = u->frame->gpr[i];
            return u->frame->known >> i & 1;
        }
    return false;
}

static bool
read_word(const struct unwinding *u, uint64_t address, uint64_t *value)
{
    uint32_t narrow;

    if (u->wide)
        return !u->read(u->context, address, value, sizeof(*value));
    if (u->read(u->context, (uint32_t)address, &narrow, sizeof(narrow)))
        return false;
    *value = narrow;
    return true;
}

/* One operation on the stack. False: not known. */
static bool
operate(const struct unwinding *u, const Dwarf_Op *op, uint64_t *stack, unsigned *depth)
{
    unsigned n = *depth;
    uint64_t value;

    if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
        if (n == STACK || !get_register(u, op->atom - DW_OP_breg0, &value))
            return false;
        stack[(*depth)++] = value + op->number;
        return true;
    }
    switch (op->atom) {
    case DW_OP_bregx:
        if (n == STACK || !get_register(u, (unsigned)op->number, &value))
            return false;
        stack[(*depth)++] = value + op->number2;
        return true;
    case DW_OP_call_frame_cfa:
        if (n == STACK)
            return false;
        stack[(*depth)++] = u->cfa;
        return true;
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_constu:
    case DW_OP_consts:
        if (n == STACK)
            return false;
        stack[(*depth)++] = op->number;
        return true;
    case DW_OP_plus_uconst:
        if (n < 1)
            return false;
        stack[n - 1] += op->number;
        return true;
    case DW_OP_plus:
        if (n < 2)
            return false;
        stack[n - 2] += stack[n - 1];
        --*depth;
        return true;
    case DW_OP_deref: return n >= 1 && read_word(u, stack[n - 1], &stack[n - 1]);
    case DW_OP_nop: return true;
    default: return false;
    }
}

/* Runs a rule. *is_value: it gave the register's value, not the address where it lies. */
static bool
evaluate(const struct unwinding *u, const Dwarf_Op *ops, size_t count, uint64_t *result,
         bool *is_value)
{
    uint64_t stack[STACK];
    unsigned depth = 0;

    *is_value = false;
    if (count > RULE)
        return false;
    for (size_t i = 0; i < count; i++) {
        const Dwarf_Op *op = &ops[i];
        if (count == 1 && op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
            *is_value = true;
            return get_register(u, op->atom - DW_OP_reg0, result);
        }
        if (count == 1 && op->atom == DW_OP_regx) {
            *is_value = true;
            return get_register(u, (unsigned)op->number, result);
        }
        if (op->atom == DW_OP_stack_value)
            *is_value = true;
        else if (!operate(u, op, stack, &depth))
            return false;
    }
    *result = depth ? stack[depth - 1] : 0;
    return depth;
}

/* The caller's register that DWARF numbers so. */
static bool
caller_register(const struct unwinding *u, Dwarf_Frame *rules, unsigned number, uint64_t *value)
{
    Dwarf_Op memory[3], *ops;
    size_t count;
    uint64_t result;
    bool is_value;

    if (dwarf_frame_register(rules, (int)number, memory, &ops, &count))
        return false;
    if (!count) /* NULL: the same as here; else: lost */
        return !ops && get_register(u, number, value);
    if (!evaluate(u, ops, count, &result, &is_value))
        return false;
    if (!is_value)
        return read_word(u, result, value);
    *value = result;
    return true;
}

static bool
unwind(struct unwinding *u, Dwarf_Frame *rules, struct symbols_frame *out)
{
    const uint8_t *numbers = u->wide ? numbers64 : numbers32;
    Dwarf_Op *ops;
    size_t count;
    bool is_value;

    if (dwarf_frame_cfa(rules, &ops, &count) || !count ||
        !evaluate(u, ops, count, &u->cfa, &is_value))
        return false;
    *out = (struct symbols_frame){.cfa = u->cfa};
    if (!caller_register(u, rules, u->wide ? RETURN64 : RETURN32, &out->rip))
        return false;
    for (unsigned i = 0; i < (u->wide ? 16u : 8u); i++)
        if (i == X86_RSP && !(u->frame->known >> i & 1))
            out->gpr[i] = u->cfa, out->known |= 1u << i;
        else if (caller_register(u, rules, numbers[i], &out->gpr[i]))
            out->known |= 1u << i;
    return true;
}

/* Both sections are asked: an assembler writes .eh_frame, gcc -fno-asynchronous-unwind-tables the
 * other. */
static Dwarf_Frame *
find_rules(struct symbols *s, uint64_t pc)
{
    Dwarf *dwarf = symbols_dwarf(s);
    Dwarf_Frame *rules = NULL;

    if (!s->frames_read) {
        s->frames_read = true;
        s->frames[0] = dwarf ? dwarf_getcfi(dwarf) : NULL;
        s->frames[1] = s->elf && elf_kind(s->elf) == ELF_K_ELF ? dwarf_getcfi_elf(s->elf) : NULL;
    }
    for (unsigned i = 0; i < 2; i++)
        if (s->frames[i] && !dwarf_cfi_addrframe(s->frames[i], pc, &rules))
            return rules;
    return NULL;
}

bool
symbols_unwind(struct symbols *s, const struct symbols_frame *frame, symbols_read_fn *read,
               void *context, struct symbols_frame *caller)
{
    struct unwinding u = {frame, read, context, symbols_bits(s) == 64, 0};
    bool interrupted = false;

    if (!s)
        return false;
    /* A return address may lie behind the function that called: look where the call is. */
    Dwarf_Frame *rules = find_rules(s, frame->rip - frame->called - s->offset);
    if (!rules)
        return symbols_unwind(s->more, frame, read, context, caller);
    if (dwarf_frame_info(rules, NULL, NULL, &interrupted) < 0)
        interrupted = false;
    bool done = unwind(&u, rules, caller);
    free(rules);
    caller->interrupted = interrupted;
    caller->called = !interrupted;
    return done;
}

void
symbols_free_frames(struct symbols *s)
{
    if (s->frames[1]) /* the other one belongs to the Dwarf */
        dwarf_cfi_end(s->frames[1]);
}
