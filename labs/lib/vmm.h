/*
 * vmm.h - the VMM of labs 4 and 6: a guest kernel at CPL 3, and a virtual processor beside the real one.
 *
 * There are two processors. The *virtual* one (struct vmm.cpu) is what the guest believes in: CPL 0, its
 * own CR3, GDT, IDT, IF. The *real* one executes the guest's instructions at CPL 3. What needs
 * privilege faults for real; then vmm.c copies the real registers into the virtual processor,
 * somebody carries the instruction out there, and vmm.c makes the real registers of it again.
 *
 * A lab supplies struct vmm_parts. This file and vmm.c are given.
 */
#ifndef HV_LABS_VMM_H
#define HV_LABS_VMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "core/vm.h"
#include "isa/x86/cpu.h"

struct vmm {
    struct x86_cpu cpu;  /* the virtual processor; its registers are cpu.r */
    struct vcpu *vcpu;   /* whose exits we get */
    uint8_t *pool;       /* memory for real page tables: POOL_PAGES pages, no guest can reach them */
    uint64_t pool_gpa;   /* their physical address, for CR3 and for entries */
    bool synced;         /* cpu.r is up to date; else the general registers are the real processor's */
    bool stale;          /* a real entry was taken away or changed: flush the real TLB */
    uint64_t interprets; /* instructions carried out on the virtual processor */
};

#define POOL_PAGES 512u

/* What a lab supplies. */
struct vmm_parts {
    const char *name, *summary;
    /* Once, before the first entry, with the virtual registers set. 0 or -errno. */
    int (*open)(struct vmm *vmm, struct error *err);
    /* The physical address of the real root page table (CR3) for the next entry. */
    uint64_t (*root)(struct vmm *vmm);
    /* A #PF of the real processor, at `linear`, with the hardware's error code. true: the guest goes on;
     * false: *result says how it ended. */
    bool (*page_fault)(struct vmm *vmm, uint64_t linear, uint32_t error, struct run_result *result);
    /* Carries out one instruction: an EMU_* of isa/x86/cpu.h. NULL: the interpreter does all. */
    int (*emulate)(struct vmm *vmm, const struct x86_insn *in);
    /* The interpreter is about to write guest memory: len bytes at gpa, within a page. May be NULL. */
    void (*written)(struct vmm *vmm, uint64_t gpa, unsigned len);
    /* At the end: what it wants to say, on stderr. May be NULL. */
    void (*report)(struct vmm *vmm);
};
extern const struct vmm_parts vmm_parts;

/* Carries out the instruction at the virtual rip, and what follows from it: device accesses, an
 * exception for the guest, an interrupt shadow. As page_fault() it returns true to go on. */
bool vmm_interpret(struct vmm *vmm, struct run_result *result);
/* The guest gets the exception that is in cpu.fault (x86_page_walk() and x86_raise() put it there). */
bool vmm_reflect(struct vmm *vmm, struct run_result *result);
/* Ends the machine with a sentence; returns false. */
bool vmm_fail(struct run_result *result, const char *sentence);
/* Is there memory of the guest's (RAM or ROM) at gpa? If not, a device may be there. */
bool vmm_is_memory(struct vmm *vmm, uint64_t gpa, bool *writable);
/* The linear address of an instruction's memory operand. */
uint64_t vmm_operand(const struct vmm *vmm, const struct x86_insn *in);

/* For emulate(): the instruction is a hole. The machine ends with "WHAT is not written yet". */
int vmm_not_yet(struct vmm *vmm, const char *what);

#endif
