/*
 * expr.h - C-like expressions over registers, memory, symbols and the exit: `$rax & 0xff`,
 * `*(uint32_t *)($rsp + 8)`, `kmain`, `exit.port == 0x3f8 && exit.write`.
 *
 * All values are integers, signed or unsigned as in C; arithmetic has 64 bits. Operators and
 * precedence are C's, without assignment but at the top (`set $rax = 1`). Nothing else that an
 * expression does changes the machine. Nesting is bounded; hostile text gets a sentence, with the column.
 *
 *   $rip $eax $ax $al $cs.base $cr3   registers: x86_reg_table, and their low parts
 *   $pc $sp $fp                       rip, rsp, rbp as addresses: outside 64-bit mode with the base of
 *                                     CS or SS
 *   $icount $exit $cpl $mode          the moment; the guest's privilege level; 16, 32 or 64
 *   $_  $__  $1 ...                   the last address examined, its value, the history of `print`
 *   $name                             convenience variables (`set $name = ...`)
 *   exit.reason exit.port exit.gpa exit.msr exit.vector exit.value exit.size exit.write ...
 *   name  'file.c':12  name+8         symbols; a line of the guest's source
 *   *(TYPE *)ADDRESS  {TYPE}ADDRESS   memory: char short int long, uint8_t ... uint64_t
 *   IO MMIO HLT ...                   names of kinds of exits, for exit.reason
 *
 * Called by the commands, conditions of stops, and the gdb stub's monitor. Next: expr.c.
 */
#ifndef HV_DEBUGGER_EXPR_H
#define HV_DEBUGGER_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct debugger;

struct value {
    uint64_t bits;
    bool is_signed;
    uint8_t size; /* bytes: 1, 2, 4, 8 */
};

/*
 * Evaluates the expression at the start of *text and sets *text behind it (behind white space too).
 * 0; -EINVAL with a sentence and column for a bad expression; -EFAULT for memory that is not
 * there; -ENODATA for what the machine does not know.
 */
int expr_evaluate(struct debugger *debugger, const char **text, struct value *value,
                  struct error *err);
/* The same for the whole of text. */
int expr_evaluate_all(struct debugger *debugger, const char *text, struct value *value,
                      struct error *err);
/* Evaluates the whole of text, and assigns if it is `PLACE = EXPRESSION`; PLACE: a register, memory
 * (*(TYPE *)ADDRESS), or a convenience variable. The only function here that changes the machine. */
int expr_assign(struct debugger *debugger, const char *text, struct value *value, bool *assigned,
                struct error *err);
/* A place in the program: an expression, "*EXPRESSION", "FUNCTION" (behind its prologue if the line
 * table tells), "FILE:LINE" or "LINE" of the present file. */
int expr_location(struct debugger *debugger, const char *text, uint64_t *address,
                  struct error *err);

#endif
