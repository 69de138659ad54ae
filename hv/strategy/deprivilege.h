/*
 * deprivilege.h - what strategies share that run the guest's kernel at CPL 3: the real descriptor
 * tables, and the real registers of such a guest. See engine/monitor.h for the layout.
 *
 * Called by trap/ and paravirt/.
 */
#ifndef HV_STRATEGY_DEPRIVILEGE_H
#define HV_STRATEGY_DEPRIVILEGE_H

#include <stdint.h>

#include "base/error.h"
#include "engine/monitor.h"

struct vm;
struct vcpu;
struct x86_regs;

/* strategy_ops.prepare: claims private memory for the window and `pool` more bytes, which begin at
 * offset MONITOR_END. 0 or -errno. */
int deprivilege_prepare(struct vm *vm, uint64_t pool, struct error *err);

/* Fills the window, and lets the engine see every exception. 0 or -errno. */
int deprivilege_attach(struct vcpu *vcpu, struct error *err);

/* What every real page-table root must hold in its slot MONITOR_SLOT. */
uint64_t deprivilege_root_entry(void);

/*
 * From the guest's registers as it believes them to be to those that the processor runs with: CPL
 * 3, real tables, page tables at cr3, IF always set (the VMM must be able to come back), IOPL 0,
 * SYSCALL and SYSENTER off (so that they fault). General registers, rip, arithmetic flags, FS and GS bases and
 * the FPU go through.
 */
void deprivilege_regs(struct x86_regs *real, const struct x86_regs *guest, uint64_t cr3);

/* And back, after an exit: what the guest itself can have changed at CPL 3. */
void deprivilege_readback(struct x86_regs *guest, const struct x86_regs *real);

#endif
