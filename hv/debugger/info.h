/*
 * info.h - the views of `info`: one function each, a file for a subject.
 *
 * Each prints to debugger->out and returns 0, or -errno with a sentence. Called through the table of
 * commands_info.c.
 */
#ifndef HV_DEBUGGER_INFO_H
#define HV_DEBUGGER_INFO_H

#include "debugger/debugger.h"

/* The registers, with a sentence if this machine has none. */
int info_regs(struct debugger *debugger, struct x86_regs *regs, struct error *err);

/* info_registers.c */
int info_registers(struct debugger *debugger, const char *arguments, struct error *err);
int info_sregs(struct debugger *debugger, const char *arguments, struct error *err);
int info_msr(struct debugger *debugger, const char *arguments, struct error *err);
/* info_cpuid.c */
int info_cpuid(struct debugger *debugger, const char *arguments, struct error *err);
/* info_tables.c */
int info_gdt(struct debugger *debugger, const char *arguments, struct error *err);
int info_idt(struct debugger *debugger, const char *arguments, struct error *err);
/* info_walk.c */
int info_walk(struct debugger *debugger, const char *arguments, struct error *err);
int info_tlb(struct debugger *debugger, const char *arguments, struct error *err);
/* info_exits.c */
int info_exits(struct debugger *debugger, const char *arguments, struct error *err);
int info_exit(struct debugger *debugger, const char *arguments, struct error *err);
int info_trace(struct debugger *debugger, const char *arguments, struct error *err);
/* info_machine.c */
int info_mem(struct debugger *debugger, const char *arguments, struct error *err);
int info_devices(struct debugger *debugger, const char *arguments, struct error *err);
/* Which device's line the pair of 8259s hands out as a vector, and the line's number; NULL: none. */
const char *info_irq_source(const struct machine *machine, unsigned vector, unsigned *irq);
int info_irq(struct debugger *debugger, const char *arguments, struct error *err);
int info_strategy(struct debugger *debugger, const char *arguments, struct error *err);
int info_checkpoints(struct debugger *debugger, const char *arguments, struct error *err);
/* info_process.c */
/* A view that only a machine has: 0, or -ENOTSUP where the guest is a process of the host. */
int info_of_machine(const struct debugger *debugger, const char *what, struct error *err);
int info_maps(struct debugger *debugger, const char *arguments, struct error *err);
int info_namespaces(struct debugger *debugger, const char *arguments, struct error *err);
int info_cgroup(struct debugger *debugger, const char *arguments, struct error *err);
int info_capabilities(struct debugger *debugger, const char *arguments, struct error *err);
int info_filter(struct debugger *debugger, const char *arguments, struct error *err);

#endif
