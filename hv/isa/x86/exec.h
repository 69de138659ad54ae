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

#include "isa/x86/cpu.h"

/* clang-format off */

/* --- alu.c: add, logic, compare, increment --------------------------------------------------- */
int exec_add(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_adc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_sub(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_sbb(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_cmp(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_and(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_or(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_xor(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_test(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_inc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_dec(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_neg(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_not(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- arith.c: multiply, divide, decimal ------------------------------------------------------- */
int exec_mul(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_imul(struct x86_cpu *cpu, const struct x86_insn *in);  /* F6 /5, F7 /5 */
int exec_imul2(struct x86_cpu *cpu, const struct x86_insn *in); /* 0F AF */
int exec_imul3(struct x86_cpu *cpu, const struct x86_insn *in); /* 69, 6B */
int exec_div(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_idiv(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_daa(struct x86_cpu *cpu, const struct x86_insn *in);   /* 27, 2F: DAS */
int exec_aaa(struct x86_cpu *cpu, const struct x86_insn *in);   /* 37, 3F: AAS */
int exec_aam(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_aad(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- bits.c: single bits, bit scans, byte order ------------------------------------------------- */
int exec_bit(struct x86_cpu *cpu, const struct x86_insn *in);   /* BT BTS BTR BTC */
int exec_bsf(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_bsr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_tzcnt(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_lzcnt(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_popcnt(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_bswap(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_movbe(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- branch.c: near control flow ---------------------------------------------------------------- */
int exec_jcc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_jmp(struct x86_cpu *cpu, const struct x86_insn *in);   /* EB, E9, FF /4 */
int exec_call(struct x86_cpu *cpu, const struct x86_insn *in);  /* E8, FF /2 */
int exec_ret(struct x86_cpu *cpu, const struct x86_insn *in);   /* C2, C3 */
int exec_loop(struct x86_cpu *cpu, const struct x86_insn *in);  /* E0-E2 */
int exec_jcxz(struct x86_cpu *cpu, const struct x86_insn *in);  /* E3 */

/* --- control.c: control and debug registers, descriptor-table registers, TLB -------------------- */
int exec_mov_from_cr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_mov_to_cr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_mov_from_dr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_mov_to_dr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_smsw(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_lmsw(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_clts(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_sgdt(struct x86_cpu *cpu, const struct x86_insn *in);  /* 0F 01 /0, /1: SIDT */
int exec_lgdt(struct x86_cpu *cpu, const struct x86_insn *in);  /* 0F 01 /2, /3: LIDT */
int exec_invlpg(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- emulate.c ---------------------------------------------------------------------------------- */
int exec_undefined(struct x86_cpu *cpu, const struct x86_insn *in); /* #UD */
int exec_checked(struct x86_cpu *cpu, const struct x86_insn *in);   /* privilege, intercepts; then op->exec */

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

/* --- flags.c ------------------------------------------------------------------------------------ */
int exec_pushf(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_popf(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_lahf(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_sahf(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_salc(struct x86_cpu *cpu, const struct x86_insn *in);  /* D6 */
int exec_flag(struct x86_cpu *cpu, const struct x86_insn *in);  /* CMC CLC STC CLD STD */
int exec_cli(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_sti(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_clac(struct x86_cpu *cpu, const struct x86_insn *in);  /* 0F 01 CA, CB: STAC */

/* --- fpu.c: WAIT, and the state of x87 and SSE together ------------------------------------------ */
int exec_wait(struct x86_cpu *cpu, const struct x86_insn *in);  /* 9B */
int exec_fxsave(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_fxrstor(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_ldmxcsr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_stmxcsr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_emms(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- iret.c ---------------------------------------------------------------------------------- */
int exec_iret(struct x86_cpu *cpu, const struct x86_insn *in);     /* CF */

/* --- move.c: data transfer ------------------------------------------------------------------------ */
int exec_mov(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_movzx(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_movsx(struct x86_cpu *cpu, const struct x86_insn *in); /* 0F BE, BF, 63: MOVSXD */
int exec_lea(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_xchg(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_xadd(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_cmpxchg(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_cmpxchg8b(struct x86_cpu *cpu, const struct x86_insn *in); /* CMPXCHG16B with REX.W */
int exec_cmovcc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_setcc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_cbw(struct x86_cpu *cpu, const struct x86_insn *in);   /* 98: CBW CWDE CDQE */
int exec_cwd(struct x86_cpu *cpu, const struct x86_insn *in);   /* 99: CWD CDQ CQO */
int exec_xlat(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_nop(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_clflush(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- msr.c, cpuid.c, misc.c: RDMSR, CPUID, TSC, HLT, hypercalls ----------------------------------- */
int exec_rdmsr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_wrmsr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_cpuid(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_rdtsc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_rdtscp(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_rdpmc(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_rdpid(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_fsgsbase(struct x86_cpu *cpu, const struct x86_insn *in); /* F3 0F AE /0-/3 */
int exec_hlt(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_hypercall(struct x86_cpu *cpu, const struct x86_insn *in); /* VMCALL, VMMCALL */

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

/* --- shift.c -------------------------------------------------------------------------------------- */
int exec_rol(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_ror(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_rcl(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_rcr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_shl(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_shr(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_sar(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_shld(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_shrd(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- pushpop.c ------------------------------------------------------------------------------------ */
int exec_push(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_pop(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_pusha(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_popa(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_enter(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_leave(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- string.c: one iteration a step, and IN and OUT ------------------------------------------------ */
int exec_movs(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_cmps(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_stos(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_lods(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_scas(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_ins(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_outs(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_in(struct x86_cpu *cpu, const struct x86_insn *in);
int exec_out(struct x86_cpu *cpu, const struct x86_insn *in);

/* --- x87.c ---------------------------------------------------------------------------------------- */
int exec_x87(struct x86_cpu *cpu, const struct x86_insn *in);   /* D8-DF: every row of x87_table.c */

/* clang-format on */

#endif
