/*
 * exec.h - the functions that the opcode table (opcodes.c) names: one per group of instructions.
 *
 * Each leaves cpu->r untouched unless it returns EMU_OK. x86_execute() has put the address of the
 * next instruction into cpu->next_rip before the call and loads rip from there after it: a
 * function that transfers control assigns next_rip, never r.rip. What the opcode's flags say
 * (CPL 0, not in real mode, not in 64-bit mode, memory operand only) is checked before the call.
 *
 * One block per file, sorted by the file's name. Next: opcodes.c.
 */
#ifndef HV_ISA_X86_EXEC_H
#define HV_ISA_X86_EXEC_H

#include "isa/x86/insn.h"

/* clang-format off */

/* --- far.c: control to another code segment (SDM vol. 3, 5.8) ------------------------------- */
int exec_jmp_far(struct x86_cpu *cpu, const struct x86_insn *in);  /* EA, FF /5 */
int exec_call_far(struct x86_cpu *cpu, const struct x86_insn *in); /* 9A, FF /3 */
int exec_ret_far(struct x86_cpu *cpu, const struct x86_insn *in);  /* CA iw, CB */

/* --- fastcall.c: system calls and software interrupts ---------------------------------------- */
int exec_syscall(struct x86_cpu *cpu, const struct x86_insn *in);  /* 0F 05 */
int exec_sysret(struct x86_cpu *cpu, const struct x86_insn *in);   /* 0F 07, REX.W: to 64-bit */
int exec_sysenter(struct x86_cpu *cpu, const struct x86_insn *in); /* 0F 34 */
int exec_sysexit(struct x86_cpu *cpu, const struct x86_insn *in);  /* 0F 35, REX.W: to 64-bit */
int exec_swapgs(struct x86_cpu *cpu, const struct x86_insn *in);   /* 0F 01 F8 */
int exec_int(struct x86_cpu *cpu, const struct x86_insn *in);      /* CD ib */
int exec_int3(struct x86_cpu *cpu, const struct x86_insn *in);     /* CC */
int exec_int1(struct x86_cpu *cpu, const struct x86_insn *in);     /* F1 */
int exec_into(struct x86_cpu *cpu, const struct x86_insn *in);     /* CE */
int exec_bound(struct x86_cpu *cpu, const struct x86_insn *in);    /* 62 */

/* --- iret.c ---------------------------------------------------------------------------------- */
int exec_iret(struct x86_cpu *cpu, const struct x86_insn *in);     /* CF */

/* --- segment.c, sysseg.c: segment registers and descriptors --------------------------------- */
int exec_mov_sreg(struct x86_cpu *cpu, const struct x86_insn *in);  /* 8C Ev,Sw and 8E Sw,Ew */
int exec_push_sreg(struct x86_cpu *cpu, const struct x86_insn *in); /* 06 0E 16 1E, 0F A0, 0F A8 */
int exec_pop_sreg(struct x86_cpu *cpu, const struct x86_insn *in);  /* 07 17 1F, 0F A1, 0F A9 */
int exec_load_far(struct x86_cpu *cpu, const struct x86_insn *in);  /* C4 C5, 0F B2 B4 B5 */
int exec_lar(struct x86_cpu *cpu, const struct x86_insn *in);       /* 0F 02 */
int exec_lsl(struct x86_cpu *cpu, const struct x86_insn *in);       /* 0F 03 */
int exec_verr(struct x86_cpu *cpu, const struct x86_insn *in);      /* 0F 00 /4 */
int exec_verw(struct x86_cpu *cpu, const struct x86_insn *in);      /* 0F 00 /5 */
int exec_arpl(struct x86_cpu *cpu, const struct x86_insn *in);      /* 63, not in 64-bit mode */
int exec_sldt(struct x86_cpu *cpu, const struct x86_insn *in);      /* 0F 00 /0 */
int exec_str(struct x86_cpu *cpu, const struct x86_insn *in);       /* 0F 00 /1 */
int exec_lldt(struct x86_cpu *cpu, const struct x86_insn *in);      /* 0F 00 /2 */
int exec_ltr(struct x86_cpu *cpu, const struct x86_insn *in);       /* 0F 00 /3 */

/* clang-format on */

#endif
