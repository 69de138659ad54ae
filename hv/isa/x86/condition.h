/*
 * condition.h - the sixteen conditions of Jcc, SETcc and CMOVcc (SDM vol. 1, appendix B).
 */
#ifndef HV_ISA_X86_CONDITION_H
#define HV_ISA_X86_CONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "isa/x86/regs.h"

/* Bits 3:1 of the opcode name the condition, bit 0 negates it. */
static inline bool
condition_holds(uint64_t flags, unsigned opcode)
{
    bool less = !(flags & FLAG_SF) != !(flags & FLAG_OF);
    bool holds;

    switch (opcode >> 1 & 7) {
    case 0: holds = flags & FLAG_OF; break;
    case 1: holds = flags & FLAG_CF; break;
    case 2: holds = flags & FLAG_ZF; break;
    case 3: holds = flags & (FLAG_CF | FLAG_ZF); break;
    case 4: holds = flags & FLAG_SF; break;
    case 5: holds = flags & FLAG_PF; break;
    case 6: holds = less; break;
    default: holds = less || flags & FLAG_ZF; break;
    }
    return holds != (opcode & 1);
}

#endif
