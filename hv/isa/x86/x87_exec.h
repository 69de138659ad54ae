/*
 * x87_exec.h - the functions that the table of D8 to DF (x87_table.c) names.
 *
 * Each works on the copy of the unit that exec_x87() made. It may return EMU_OK with an exception
 * set in f->fsw, masked or not: that is no fault of the instruction but of the next one that waits.
 *
 * One block per file. Next: x87_table.c.
 */
#ifndef HV_ISA_X86_X87_EXEC_H
#define HV_ISA_X86_X87_EXEC_H

#include "isa/x86/x87.h"

/* clang-format off */

/* --- x87_arith.c: what computes, and what compares ------------------------------------------------ */
int x87_arith(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_arith_memory(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_arith_pop(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_unary(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_split(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_compare(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_compare_memory(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_test(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_examine(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);

/* --- x87_env.c: control and status, the environment, the whole state ------------------------------ */
int x87_init(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_clex(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_ldcw(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_stcw(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_stsw(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_ldenv(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_stenv(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_rstor(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_save(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);

/* --- x87_move.c: load and store, and the stack itself --------------------------------------------- */
int x87_load(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_load_st(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_constant(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_store(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_store_st(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_exchange(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_cmov(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_free_st(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_incstp(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_decstp(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);
int x87_nop(struct x86_cpu *cpu, const struct x86_insn *in, struct x87 *f);

/* clang-format on */

#endif
