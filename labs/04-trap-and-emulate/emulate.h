/* emulate.h - the six routines of emulate.c, called by flat.c. */
#ifndef HV_LABS_EMULATE_H
#define HV_LABS_EMULATE_H

#include "vmm.h"

int emulate_pushf(struct vmm *vmm, const struct x86_insn *in);
int emulate_cli(struct vmm *vmm, const struct x86_insn *in);
int emulate_sti(struct vmm *vmm, const struct x86_insn *in);
int emulate_hlt(struct vmm *vmm, const struct x86_insn *in);
int emulate_lgdt(struct vmm *vmm, const struct x86_insn *in);
int emulate_popf(struct vmm *vmm, const struct x86_insn *in);

#endif
