/*
 * debug_machine.h - a machine without a guest, for tests of the debugger: registers and one piece of
 * memory.
 */
#ifndef TESTS_UNIT_DEBUG_MACHINE_H
#define TESTS_UNIT_DEBUG_MACHINE_H

#include "debugger/debugger.h"

#define FAKE_MEMORY 0x1000u /* where its memory begins */

struct fake_machine {
    struct machine machine;
    struct debugger debugger;
    struct x86_regs regs;
    bool no_regs; /* like a recording */
    uint8_t memory[256];
    unsigned writes;
};

/* In 64-bit mode, with a session for which values are kept. */
void fake_machine_open(struct fake_machine *fake);
void fake_machine_close(struct fake_machine *fake);

#endif
