/* suites.h - the suites of tests/kvm, and the guests they run (guests.S). */
#ifndef TESTS_KVM_SUITES_H
#define TESTS_KVM_SUITES_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/unit/unit.h"

extern const struct unit_suite suite_kvm_exits, suite_kvm_time, suite_kvm_step, suite_kvm_long;

#define GUEST_LABELS(name) extern const uint8_t name[], name##_end[]
GUEST_LABELS(guest_out);
GUEST_LABELS(guest_in);
GUEST_LABELS(guest_string);
GUEST_LABELS(guest_mmio);
GUEST_LABELS(guest_rom);
GUEST_LABELS(guest_a20);
GUEST_LABELS(guest_spin);
GUEST_LABELS(guest_irq);
GUEST_LABELS(guest_window);
GUEST_LABELS(guest_step);
GUEST_LABELS(guest_msr);
GUEST_LABELS(guest_outs_loop);
GUEST_LABELS(guest64_int);
GUEST_LABELS(guest64_user);
GUEST_LABELS(guest64_mmio);
GUEST_LABELS(guest64_triple);
GUEST_LABELS(guest64_step);
GUEST_LABELS(guest64_regs);
extern const uint8_t guest_irq_handler[], guest_window_handler[], guest_msr_handler[],
    guest64_int_handler[], guest64_ud_handler[], guest64_user_handler[], guest64_step_error[],
    guest64_step_trap[], guest64_step_fault[];

#endif
