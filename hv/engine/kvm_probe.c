/*
 * kvm_probe.c - does KVM work on this machine? A guest of thirty instructions tells.
 *
 * A /dev/kvm that opens is not one that works: KVM without hardware support, or inside another
 * virtual machine, may fail at the first interrupt of a 64-bit guest, or make no progress. So a
 * guest does what every kernel does first - long mode, a port, INT through the IDT, IRETQ, HLT, an
 * injected interrupt - and has a deadline for it.
 *
 * Called by `--engine auto` and `hv doctor` through engine_kvm. Next: engine/soft.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "engine/engine.h"
#include "engine/engines.h"
#include "engine/kvm.h"

extern const uint8_t kvm_probe_guest[], kvm_probe_on_int[], kvm_probe_on_irq[],
    kvm_probe_guest_end[];

/* Where things lie in the probe's one MiB of memory. */
#define PROBE_IDT   0x1000u
#define PROBE_PML4  0x2000u
#define PROBE_PDPT  0x3000u
#define PROBE_PD    0x4000u
#define PROBE_GDT   0x5000u
#define PROBE_STACK 0x8000u /* downwards */
#define PROBE_CODE  0x8000u
#define PROBE_CS    0x08u
#define PROBE_SS    0x10u
#define PROBE_PORT  0x80u
#define PROBE_INT   0x20u
#define PROBE_IRQ   0x21u
#define PROBE_LIMIT UINT64_C(2000000000) /* ns */

/* What must happen, in this order. */
static const struct stage {
    enum trace_kind kind;
    char letter;
    const char *what;
} stages[] = {
    {TRACE_IO, 'l', "a port write in long mode"},
    {TRACE_IO, 'i', "INT through the IDT in long mode"},
    {TRACE_IO, 'r', "IRETQ"},
    {TRACE_HLT, 0, "STI and HLT"},
    {TRACE_IO, 'e', "an injected interrupt"},
    {TRACE_IO, 'd', "the return from an injected interrupt"},
};

static void
put64(struct vm *vm, uint64_t gpa, uint64_t value)
{
    memcpy(vm->ram.host + gpa, &value, sizeof(value));
}

/* A 64-bit interrupt gate (SDM vol. 3, 6.14.1); the handler is below 64 KiB. */
static void
put_gate(struct vm *vm, unsigned vector, const uint8_t *handler)
{
    uint64_t offset = PROBE_CODE + (uint64_t)(handler - kvm_probe_guest);

    put64(vm, PROBE_IDT + 16 * vector, offset | PROBE_CS << 16 | UINT64_C(0x8e00) << 32);
    put64(vm, PROBE_IDT + 16 * vector + 8, 0);
}

static int
set_up(struct vm *vm, struct error *err)
{
    struct x86_regs r;

    memcpy(vm->ram.host + PROBE_CODE, kvm_probe_guest,
           (size_t)(kvm_probe_guest_end - kvm_probe_guest));
    put_gate(vm, PROBE_INT, kvm_probe_on_int);
    put_gate(vm, PROBE_IRQ, kvm_probe_on_irq);
    put64(vm, PROBE_PML4, PROBE_PDPT | 3); /* present, writable */
    put64(vm, PROBE_PDPT, PROBE_PD | 3);
    put64(vm, PROBE_PD, 0x83); /* one page of 2 MiB at 0 */
    put64(vm, PROBE_GDT + PROBE_CS, UINT64_C(0x00af9b000000ffff));
    put64(vm, PROBE_GDT + PROBE_SS, UINT64_C(0x00cf93000000ffff));

    x86_regs_reset(&r);
    for (unsigned i = 0; i < X86_NSEG; i++)
        r.seg[i] = (struct x86_segment){.limit = 0xffffffff,
                                        .selector = PROBE_SS,
                                        .attr = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED |
                                                SEG_G | SEG_DB};
    r.seg[X86_CS].selector = PROBE_CS;
    r.seg[X86_CS].attr = SEG_P | SEG_S | SEG_CODE | SEG_READABLE | SEG_ACCESSED | SEG_G | SEG_L;
    r.gdtr = (struct x86_table){PROBE_GDT, 0x17};
    r.idtr = (struct x86_table){PROBE_IDT, 16 * (PROBE_IRQ + 1) - 1};
    r.cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_ET;
    r.cr3 = PROBE_PML4;
    r.cr4 = CR4_PAE;
    r.efer = EFER_LME | EFER_LMA;
    r.gpr[X86_RSP] = PROBE_STACK;
    r.rip = PROBE_CODE;
    return kvm_set_regs(&vm->vcpu[0], &r, err);
}

/* What an exit other than the expected one was, for the sentence. */
static const char *
said(const struct vm_exit *exit)
{
    switch (exit->kind) {
    case TRACE_KICK: return "nothing happened for 2 seconds";
    case TRACE_SHUTDOWN:
    case TRACE_FAIL_ENTRY:
    case TRACE_INTERNAL_ERROR:
    case TRACE_UNKNOWN: return exit->failure.text;
    default: return "the guest went another way";
    }
}

static int
run_stages(struct vm *vm, struct error *err)
{
    struct vcpu *vcpu = &vm->vcpu[0];
    const struct vm_exit *exit = &vcpu->exit;
    int rc;

    for (unsigned i = 0; i < ARRAY_SIZE(stages); i++) {
        const struct stage *stage = &stages[i];
        if ((rc = engine_kvm.run(vcpu, PROBE_LIMIT, UINT64_MAX, err)))
            return rc;
        if (exit->kind != stage->kind ||
            (exit->kind == TRACE_IO &&
             (exit->access.address != PROBE_PORT || exit->access.value != (uint8_t)stage->letter)))
            return error_set(err, EIO, "/dev/kvm opens, but %s does not work (%s: %s)", stage->what,
                             trace_kinds[exit->kind].name, said(exit));
        if (exit->kind == TRACE_HLT) {
            if (!engine_kvm.can_inject(vcpu))
                return error_set(err, EIO, "/dev/kvm opens, but a halted guest takes no interrupt");
            if ((rc = engine_kvm.inject(vcpu, PROBE_IRQ, err)))
                return rc;
        }
    }
    return 0;
}

int
kvm_probe(struct error *err)
{
    struct vm *vm = calloc(1, sizeof(*vm));
    int rc;

    if (!vm)
        return error_set(err, ENOMEM, "no memory for the probe guest");
    rc = ram_create(&vm->ram, RAM_MIN, err);
    if (!rc && !(rc = kvm_open(vm, err))) {
        rc = set_up(vm, err);
        if (!rc)
            rc = run_stages(vm, err);
        kvm_close(vm);
    }
    ram_destroy(&vm->ram);
    free(vm);
    return rc;
}
