/*
 * kvm_exits.c - why KVM_RUN returned: each reason's name, sentence, and form as struct vm_exit.
 *
 * The table has a row for every KVM_EXIT_* of <linux/kvm.h>, other architectures' too, so that no
 * number is ever without a name. tests/unit/kvm.c compares it with the header.
 *
 * Called by kvm.c after each KVM_RUN. Next: kvm_rip.c.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/util.h"
#include "engine/kvm.h"

/* --- accesses: ports and memory --------------------------------------------------------------- */

/* The data of a piece: 1, 2, 4 or 8 bytes. Each size by itself, since a copy of constant size is
 * one instruction and this is done at every exit. */
static uint64_t
load(const uint8_t *from, unsigned size)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (size) {
    case 1: return *from;
    case 2: return memcpy(&two, from, 2), two;
    case 4: return memcpy(&four, from, 4), four;
    default: return memcpy(&eight, from, 8), eight;
    }
}

/* Shows the next piece of the access in vcpu->exit. */
static void
show_piece(struct vcpu *vcpu)
{
    struct kvm_access *a = &vcpu->engine->access;
    unsigned size = a->element;

    if (!size) /* memory: the largest piece that a processor could move at once */
        for (size = 8; size > a->left;)
            size /= 2;
    vcpu->exit.access.address = a->address;
    vcpu->exit.access.size = (uint8_t)size;
    vcpu->exit.access.write = a->write;
    vcpu->exit.access.value = a->write ? load(a->next, size) : 0;
    a->data = a->next;
    a->next += size;
    a->left -= size;
    if (!a->element)
        a->address += size;
}

bool
kvm_exit_answer(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_access *a = &v->access;

    if (v->msr_pending) {
        v->run->msr.error = vcpu->exit.msr.refused;
        if (!vcpu->exit.msr.write)
            v->run->msr.data = vcpu->exit.msr.value;
        v->msr_pending = false;
    }
    if (!a->data)
        return false;
    if (!a->write)
        memcpy(a->data, &vcpu->exit.access.value, (size_t)(a->next - a->data));
    a->data = NULL;
    if (!a->left)
        return false;
    show_piece(vcpu);
    return true;
}

static bool
decode_io(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_run *run = v->run;

    v->access = (struct kvm_access){
        .next = (uint8_t *)run + run->io.data_offset,
        .address = run->io.port,
        .left = run->io.count * run->io.size,
        .element = run->io.size,
        .write = run->io.direction == KVM_EXIT_IO_OUT,
    };
    v->completing = true;
    show_piece(vcpu);
    if (vcpu->vm->recorder)
        vcpu->exit.rip = kvm_exit_rip(vcpu);
    return true;
}

static bool
decode_mmio(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_run *run = v->run;

    v->access = (struct kvm_access){
        .next = run->mmio.data,
        .address = run->mmio.phys_addr,
        .left = run->mmio.len,
        .write = run->mmio.is_write,
    };
    v->completing = true;
    show_piece(vcpu);
    return true;
}

/* --- the others ------------------------------------------------------------------------------- */

/* KVM has no local APIC of ours to tell, so it tells us that CR8 fell. CR8 is set already, and no
 * part of this machine looks at it: nothing happened. */
static bool
decode_set_tpr(struct vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

static bool
decode_hlt(struct vcpu *vcpu)
{
    vcpu->exit.rip -= 1; /* KVM shows the instruction behind HLT, which is one byte */
    vcpu->engine->halted = true;
    return true;
}

static bool
decode_msr(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;

    vcpu->exit.msr.index = v->run->msr.index;
    vcpu->exit.msr.write = v->run->exit_reason == KVM_EXIT_X86_WRMSR;
    vcpu->exit.msr.value = vcpu->exit.msr.write ? v->run->msr.data : 0;
    vcpu->exit.msr.refused = false;
    v->msr_pending = v->completing = true;
    return true;
}

static bool
decode_hypercall(struct vcpu *vcpu)
{
    struct kvm_run *run = vcpu->engine->run;

    vcpu->exit.hypercall.number = run->hypercall.nr;
    memcpy(vcpu->exit.hypercall.args, run->hypercall.args, sizeof(vcpu->exit.hypercall.args));
    vcpu->exit.hypercall.result = 0;
    return true;
}

static bool
decode_exception(struct vcpu *vcpu)
{
    vcpu->exit.exception.vector = (uint8_t)vcpu->engine->run->ex.exception;
    vcpu->exit.exception.error = vcpu->engine->run->ex.error_code;
    return true;
}

static bool
decode_debug(struct vcpu *vcpu)
{
    vcpu->exit.rip = vcpu->engine->run->debug.arch.pc;
    kvm_point_exit(vcpu);
    return true;
}

static bool
decode_plain(struct vcpu *vcpu)
{
    (void)vcpu;
    return true;
}

/* --- failures --------------------------------------------------------------------------------- */

static const struct kvm_text suberrors[] = {
    {1, "KVM's instruction emulator does not know the instruction, or may not execute it there"},
    {2, "an exception was raised while KVM delivered another one, in a way it cannot combine"},
    {3, "the processor left the guest while it delivered an event, for a reason KVM cannot handle"},
    {4, "the processor left the guest for a reason that KVM did not ask for"},
};

/*
 * FAIL_ENTRY. Intel: bit 31 and a basic exit reason (SDM vol. 3, 26.8 and appendix C), or without
 * bit 31 a VM-instruction error number (30.4). AMD: VMEXIT_INVALID, -1 (APM vol. 2, 15.5.1).
 */
static const struct kvm_text entry_failures[] = {
    {0x80000021, "the guest's state is not valid; SDM vol. 3, 26.3.1 lists what is checked"},
    {0x80000022, "an MSR could not be loaded at VM entry; SDM vol. 3, 26.4"},
    {0x80000029, "a machine check happened during VM entry; SDM vol. 3, 26.9"},
    {7, "the VM-execution controls are not valid; SDM vol. 3, 26.2.1: a fault of KVM"},
    {8, "the host's state is not valid; SDM vol. 3, 26.2.2: a fault of KVM"},
    {0xffffffffffffffff, "VMRUN found the guest's state not valid; APM vol. 2, 15.5.1 lists it"},
    {0xffffffff, "VMRUN found the guest's state not valid; APM vol. 2, 15.5.1 lists it"},
};

static const char *
find_text(const struct kvm_text *table, size_t count, uint64_t number)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].number == number)
            return table[i].text;
    return NULL;
}

const char *
kvm_suberror_text(uint64_t suberror)
{
    return find_text(suberrors, ARRAY_SIZE(suberrors), suberror);
}

const char *
kvm_entry_failure_text(uint64_t reason)
{
    return find_text(entry_failures, ARRAY_SIZE(entry_failures), reason);
}

static bool
decode_fail_entry(struct vcpu *vcpu)
{
    uint64_t reason = vcpu->engine->run->fail_entry.hardware_entry_failure_reason;
    const char *text = kvm_entry_failure_text(reason);

    vcpu->exit.failure.code = reason;
    vcpu->exit.failure.text = text ? text : "the processor gives a reason that hv has no name for";
    return true;
}

static bool
decode_internal_error(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    const struct kvm_run *run = v->run;
    uint32_t suberror = run->internal.suberror;
    const char *text = kvm_suberror_text(suberror);

    vcpu->exit.failure.code = suberror;
    int used = snprintf(v->text, sizeof(v->text), "%s", text ? text : "KVM gives no known reason");
    vcpu->exit.failure.text = v->text;
    if (suberror != KVM_INTERNAL_ERROR_EMULATION || run->emulation_failure.ndata < 3 ||
        !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
        return true;
    used += snprintf(v->text + used, sizeof(v->text) - (size_t)used, "; its bytes:");
    for (unsigned i = 0; i < run->emulation_failure.insn_size && i < 15; i++)
        used += snprintf(v->text + used, sizeof(v->text) - (size_t)used, " %02x",
                         run->emulation_failure.insn_bytes[i]);
    return true;
}

static bool
decode_shutdown(struct vcpu *vcpu)
{
    vcpu->exit.failure.code = KVM_EXIT_SHUTDOWN;
    vcpu->exit.failure.text =
        "an exception could not be delivered, nor the double fault that followed; SDM vol. 3, 6.15 "
        "(on AMD the registers are lost with it: APM vol. 2, 15.14.3)";
    return true;
}

static bool
decode_system_event(struct vcpu *vcpu)
{
    vcpu->exit.failure.code = vcpu->engine->run->system_event.type;
    vcpu->exit.failure.text = "the guest asked the machine to stop or to restart";
    return true;
}

/* --- the table -------------------------------------------------------------------------------- */

/* clang-format off */
const struct kvm_reason kvm_reasons[] = {
    {0, "KVM_EXIT_UNKNOWN", TRACE_UNKNOWN,
     "The processor left the guest for a reason that KVM has no name for.", NULL},
    {1, "KVM_EXIT_EXCEPTION", TRACE_EXCEPTION,
     "The guest raised an exception that KVM hands on.", decode_exception},
    {2, "KVM_EXIT_IO", TRACE_IO, "The guest executed IN, OUT, INS or OUTS.", decode_io},
    {3, "KVM_EXIT_HYPERCALL", TRACE_HYPERCALL,
     "The guest executed a hypercall that KVM hands on.", decode_hypercall},
    {4, "KVM_EXIT_DEBUG", TRACE_DEBUG, "A single step or a breakpoint ended.", decode_debug},
    {5, "KVM_EXIT_HLT", TRACE_HLT, "The guest executed HLT.", decode_hlt},
    {6, "KVM_EXIT_MMIO", TRACE_MMIO,
     "The guest touched a physical address that no memory slot has, or wrote to ROM.", decode_mmio},
    {7, "KVM_EXIT_IRQ_WINDOW_OPEN", TRACE_INTR_WINDOW,
     "The guest can take an interrupt now, as we asked to be told.", decode_plain},
    {8, "KVM_EXIT_SHUTDOWN", TRACE_SHUTDOWN, "A triple fault.", decode_shutdown},
    {9, "KVM_EXIT_FAIL_ENTRY", TRACE_FAIL_ENTRY,
     "The processor refused to enter the guest.", decode_fail_entry},
    {10, "KVM_EXIT_INTR", TRACE_KICK, "A signal came for this thread.", decode_plain},
    {11, "KVM_EXIT_SET_TPR", TRACE_UNKNOWN, "The guest lowered CR8.", decode_set_tpr},
    {12, "KVM_EXIT_TPR_ACCESS", TRACE_UNKNOWN,
     "The guest touched its APIC's task-priority register.", NULL},
    {13, "KVM_EXIT_S390_SIEIC", TRACE_UNKNOWN, "s390: an interception.", NULL},
    {14, "KVM_EXIT_S390_RESET", TRACE_UNKNOWN, "s390: the guest was reset.", NULL},
    {15, "KVM_EXIT_DCR", TRACE_UNKNOWN, "PowerPC: a device control register.", NULL},
    {16, "KVM_EXIT_NMI", TRACE_KICK, "A non-maskable interrupt came for the host.", decode_plain},
    {17, "KVM_EXIT_INTERNAL_ERROR", TRACE_INTERNAL_ERROR,
     "KVM cannot carry the guest on.", decode_internal_error},
    {18, "KVM_EXIT_OSI", TRACE_UNKNOWN, "PowerPC: an OSI call.", NULL},
    {19, "KVM_EXIT_PAPR_HCALL", TRACE_UNKNOWN, "PowerPC: a PAPR hypercall.", NULL},
    {20, "KVM_EXIT_S390_UCONTROL", TRACE_UNKNOWN, "s390: a fault of a user-controlled guest.", NULL},
    {21, "KVM_EXIT_WATCHDOG", TRACE_UNKNOWN, "PowerPC: the watchdog expired.", NULL},
    {22, "KVM_EXIT_S390_TSCH", TRACE_UNKNOWN, "s390: TEST SUBCHANNEL.", NULL},
    {23, "KVM_EXIT_EPR", TRACE_UNKNOWN, "PowerPC: an external proxy read.", NULL},
    {24, "KVM_EXIT_SYSTEM_EVENT", TRACE_SYSTEM_EVENT,
     "The guest asked for shutdown, reset or reported a crash.", decode_system_event},
    {25, "KVM_EXIT_S390_STSI", TRACE_UNKNOWN, "s390: STORE SYSTEM INFORMATION.", NULL},
    {26, "KVM_EXIT_IOAPIC_EOI", TRACE_UNKNOWN,
     "The guest ended an interrupt of a split interrupt controller.", NULL},
    {27, "KVM_EXIT_HYPERV", TRACE_UNKNOWN, "The guest used a Hyper-V interface.", NULL},
    {28, "KVM_EXIT_ARM_NISV", TRACE_UNKNOWN, "Arm: an access without a valid syndrome.", NULL},
    {29, "KVM_EXIT_X86_RDMSR", TRACE_MSR, "The guest executed RDMSR.", decode_msr},
    {30, "KVM_EXIT_X86_WRMSR", TRACE_MSR, "The guest executed WRMSR.", decode_msr},
    {31, "KVM_EXIT_DIRTY_RING_FULL", TRACE_UNKNOWN, "The ring of written pages is full.", NULL},
    {32, "KVM_EXIT_AP_RESET_HOLD", TRACE_UNKNOWN,
     "A processor of an encrypted guest waits to be started.", NULL},
    {33, "KVM_EXIT_X86_BUS_LOCK", TRACE_UNKNOWN, "The guest locked the bus.", NULL},
    {34, "KVM_EXIT_XEN", TRACE_UNKNOWN, "The guest executed a Xen hypercall.", NULL},
    {35, "KVM_EXIT_RISCV_SBI", TRACE_UNKNOWN, "RISC-V: a call to the SBI.", NULL},
    {36, "KVM_EXIT_RISCV_CSR", TRACE_UNKNOWN, "RISC-V: a control and status register.", NULL},
    {37, "KVM_EXIT_NOTIFY", TRACE_UNKNOWN,
     "The guest held the processor for too long without a point to stop it.", NULL},
    {38, "KVM_EXIT_LOONGARCH_IOCSR", TRACE_UNKNOWN, "LoongArch: an IO control register.", NULL},
    {39, "KVM_EXIT_MEMORY_FAULT", TRACE_UNKNOWN,
     "KVM could not reach the memory behind a guest-physical address.", NULL},
    {40, "KVM_EXIT_TDX", TRACE_UNKNOWN, "The guest of a trust domain asked for a service.", NULL},
};
/* clang-format on */
const unsigned kvm_reason_count = ARRAY_SIZE(kvm_reasons);

const struct kvm_reason *
kvm_reason_find(uint32_t number)
{
    /* Rows are in the order of their numbers, without gaps. */
    return number < kvm_reason_count ? &kvm_reasons[number] : NULL;
}

struct kvm_regs *
kvm_exit_regs(struct vcpu *vcpu)
{
    struct engine_vcpu *v = vcpu->engine;
    struct kvm_regs *regs = &v->run->s.regs.regs;

    if (!v->regs_known && ioctl(v->fd, KVM_GET_REGS, regs) < 0)
        *regs = (struct kvm_regs){0};
    v->regs_known = true;
    return regs;
}

/* Does anybody look at the rip of such an exit? Of an access, by far the most common, only who records
 * it or steps through the guest. */
static bool
rip_is_wanted(const struct vcpu *vcpu, enum trace_kind kind)
{
    return (kind != TRACE_IO && kind != TRACE_MMIO) || vcpu->vm->recorder || vcpu->engine->stepping;
}

void
kvm_exit_plain(struct vcpu *vcpu, enum trace_kind kind)
{
    uint64_t rip = rip_is_wanted(vcpu, kind) ? kvm_exit_regs(vcpu)->rip : 0;

    vcpu->exit = (struct vm_exit){.kind = kind, .rip = rip};
    if (vcpu->vm->recorder)
        vcpu->exit.user = kvm_exit_user(vcpu);
}

bool
kvm_exit_decode(struct vcpu *vcpu)
{
    const struct kvm_reason *reason = kvm_reason_find(vcpu->engine->run->exit_reason);

    vcpu->engine->access.data = NULL;
    vcpu->engine->access.left = 0;
    vcpu->engine->access.write = false;
    kvm_exit_plain(vcpu, reason ? reason->kind : TRACE_UNKNOWN);
    if (reason && reason->decode)
        return reason->decode(vcpu);
    vcpu->exit.failure.code = vcpu->engine->run->exit_reason;
    vcpu->exit.failure.text = reason ? reason->text
                                     : "an exit reason of KVM that is newer than this program";
    return true;
}
