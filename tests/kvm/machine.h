/*
 * machine.h - a bare machine on the kvm engine for tests: RAM, one processor, nothing else.
 *
 * The tests play the VMM: they call the engine's functions themselves and look at each exit.
 * guests.S has the guests.
 */
#ifndef TESTS_KVM_MACHINE_H
#define TESTS_KVM_MACHINE_H

#include <CUnit/CUnit.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "engine/engines.h"
#include "isa/x86/cpu.h"
#include "isa/x86/regs.h"

#define CODE      0x1000u /* where a guest is entered */
#define STACK     0x9000u /* downwards */
#define IDT       0xa000u /* long mode */
#define GDT       0xb000u
#define TSS       0xc000u
#define PML4      0xd000u
#define PDPT      0xe000u
#define PD        0xf000u
#define SECOND    UINT64_C(1000000000) /* of guest time */
#define NO_BUDGET UINT64_MAX

/* A guest of guests.S: the bytes between two labels. */
struct guest {
    const uint8_t *start, *end;
};
#define GUEST(name)                                                                                \
    (struct guest)                                                                                 \
    {                                                                                              \
        name, name##_end                                                                           \
    }
/* Where a label inside that guest lies in the machine. */
#define AT(guest, label) (CODE + (uint32_t)((label) - (guest)))

struct machine {
    struct vm vm;
    struct vcpu *vcpu;
    struct vm_exit *exit; /* the last one */
    struct error err;
};

/* On engine kvm; the *_on functions take another, for comparison.
 * 1 MiB of RAM, the guest at CODE, in real mode with flat segments at 0. NULL: the test has
 * failed and said so. */
struct machine *machine_open(struct guest guest);
/* The same in long mode at CPL 0: flat, first 2 MiB mapped for user and kernel, TSS with RSP0. */
struct machine *machine_open_long(struct guest guest);
struct machine *machine_open_on(const struct engine_ops *engine, struct guest guest);
struct machine *machine_open_long_on(const struct engine_ops *engine, struct guest guest);
void machine_close(struct machine *m);

/* A gate of the IDT (dpl: who may use INT), or an entry of the real-mode IVT. */
void machine_gate(struct machine *m, unsigned vector, uint32_t handler, unsigned dpl);
void machine_ivt(struct machine *m, unsigned vector, uint16_t handler);

/* Run or step to the next exit, at most for a second; the engine must not break. */
void machine_run(struct machine *m);
void machine_step(struct machine *m);
struct x86_regs machine_regs(struct machine *m);
void machine_set_regs(struct machine *m, const struct x86_regs *regs);

/* Prints the last exit and the registers to standard error. */
void machine_describe(struct machine *m);

/* Runs, and asserts an OUT of `value` to `port`. */
void machine_expect_out(struct machine *m, uint16_t port, unsigned size, uint64_t value);
/* Runs, and asserts an exit of this kind. */
void machine_expect(struct machine *m, enum trace_kind kind);

#endif
