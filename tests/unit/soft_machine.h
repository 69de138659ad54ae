/*
 * soft_machine.h - a machine of 4 MiB on engine soft with the kernel of soft_guest.S, and a clock that
 * interrupts it often. Used by soft_state.c, soft_stops.c, debugger_live.c and
 * debugger_look.c.
 */
#ifndef TESTS_UNIT_SOFT_MACHINE_H
#define TESTS_UNIT_SOFT_MACHINE_H

#include "core/vm.h"
#include "isa/x86/regs.h"

#define SM_CODE  UINT64_C(0x100000)
#define SM_IDT   UINT64_C(0x200000)
#define SM_STACK UINT64_C(0x300000)
#define SM_PAGE  UINT64_C(0x390000)   /* data and code */
#define SM_ALIAS UINT64_C(0x40005000) /* the same page, by an entry that comes and goes */

extern const uint8_t soft_guest_image[], soft_guest_end[], soft_guest_start[], soft_guest_fault[],
    soft_guest_tick[], soft_guest_repeat[], soft_guest_patched[], soft_guest_called[],
    soft_guest_copied[], soft_guest_moving[], soft_guest_counting[], soft_guest_moved[],
    soft_guest_store[], soft_guest_out[], soft_guest_sum[];

struct soft_clock {
    uint64_t due, period; /* guest time, ns */
    uint64_t pending;
};

struct soft_machine {
    struct vm vm;
    struct soft_clock clock;
};

/* Ready to run, `turns` turns; an interrupt each `period` ns. */
void soft_machine_open(struct soft_machine *m, const char *strategy, uint64_t turns,
                       uint64_t period);
void soft_machine_close(struct soft_machine *m);
/* Where a label of the kernel is. */
uint64_t soft_machine_address(const uint8_t *label);
/* The registers as the guest has them. */
struct x86_regs soft_machine_regs(struct soft_machine *m);

#endif
