/*
 * kvm_open.c - makes a KVM machine out of a struct vm: memory slots, one processor, its CPUID.
 *
 * No interrupt controller of KVM's is created: the 8259, the 8254 and their interrupts stay with
 * our devices, where every one of them is seen. What follows from that (no local APIC, no
 * paravirtual clock) is taken out of the CPUID table.
 *
 * Called by kvm.c through engine_ops. Next: kvm_probe.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "core/ram.h"
#include "engine/engine.h"
#include "engine/kvm.h"

/* --- memory ----------------------------------------------------------------------------------- */

/* While the A20 gate is closed the first 64 KiB above 1 MiB are those at 0: all that a real-mode
 * address (at most ffff:ffff = 10ffef) can reach there. */
#define A20_WINDOW      UINT64_C(0x100000)
#define A20_WINDOW_SIZE UINT64_C(0x10000)

/* A ROM or the A20 window: RAM is not seen there. */
struct hole {
    uint64_t first, end;
};

/* The part of RAM from `from` to the next hole; *from moves behind that hole. */
static struct kvm_slot
next_ram(const struct ram *ram, const struct hole *hole, unsigned holes, uint64_t *from)
{
    uint64_t end = ram->size, next = ram->size;

    for (unsigned i = 0; i < holes; i++)
        if (hole[i].end > *from && hole[i].first < end) {
            end = hole[i].first > *from ? hole[i].first : *from;
            next = hole[i].end;
        }
    struct kvm_slot slot = {.gpa = *from, .size = end - *from, .host = ram->host + *from};
    *from = next;
    return slot;
}

unsigned
kvm_slots(const struct ram *ram, bool a20_closed, struct kvm_slot slot[KVM_SLOTS])
{
    struct hole hole[ROM_REGIONS + 1];
    unsigned holes = 0, count = 0;

    for (unsigned i = 0; i < ram->roms; i++) {
        const struct rom_region *rom = &ram->rom[i];
        slot[count++] = (struct kvm_slot){rom->gpa, rom->size, rom->host, true};
        hole[holes++] = (struct hole){rom->gpa, rom->gpa + rom->size};
    }
    if (ram->private_host)
        slot[count++] = (struct kvm_slot){RAM_PRIVATE, ram->private_size, ram->private_host, false};
    if (a20_closed && ram->size >= A20_WINDOW + A20_WINDOW_SIZE) {
        slot[count++] = (struct kvm_slot){A20_WINDOW, A20_WINDOW_SIZE, ram->host, false};
        hole[holes++] = (struct hole){A20_WINDOW, A20_WINDOW + A20_WINDOW_SIZE};
    }
    for (uint64_t from = 0; from < ram->size && count < KVM_SLOTS;) {
        struct kvm_slot part = next_ram(ram, hole, holes, &from);
        if (part.size)
            slot[count++] = part;
    }
    return count;
}

static int
set_slot(struct engine_vm *kvm, unsigned number, const struct kvm_slot *slot, struct error *err)
{
    struct kvm_userspace_memory_region region = {
        .slot = number,
        .flags = slot->readonly ? KVM_MEM_READONLY : 0,
        .guest_phys_addr = slot->gpa,
        .memory_size = slot->size,
        .userspace_addr = (uintptr_t)slot->host,
    };

    if (ioctl(kvm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return error_set(err, errno, "KVM refuses %llu bytes of guest memory at %llx: %s",
                         (unsigned long long)slot->size, (unsigned long long)slot->gpa,
                         strerror(errno));
    return 0;
}

int
kvm_map_memory(struct vm *vm, struct error *err)
{
    struct engine_vm *kvm = vm->engine;
    struct kvm_slot slot[KVM_SLOTS];
    unsigned count = kvm_slots(&vm->ram, kvm->a20_closed, slot);
    const struct kvm_slot none = {0};
    int rc = 0;

    for (unsigned i = 0; i < kvm->slots; i++) /* size 0 deletes a slot */
        set_slot(kvm, i, &none, NULL);
    for (unsigned i = 0; !rc && i < count; i++)
        rc = set_slot(kvm, i, &slot[i], err);
    kvm->slots = count;
    return rc;
}

/* --- CPUID ------------------------------------------------------------------------------------ */

/*
 * What KVM offers and this machine does not have. Two reasons: there is no local APIC; and a
 * snapshot of struct x86_regs must be the whole processor, so no state beyond FXSAVE, nested
 * virtualization, or memory that KVM writes behind our back. Bits: SDM vol. 2, CPUID.
 */
enum cpuid_register { EAX, EBX, ECX, EDX };
static const struct cpuid_cut {
    uint32_t leaf;
    enum cpuid_register reg;
    uint32_t bits;
} cpuid_cuts[] = {
    /* MONITOR, VMX, FMA, x2APIC, TSC deadline, XSAVE, OSXSAVE, AVX, F16C */
    {0x00000001, ECX, 1u << 3 | 1u << 5 | 1u << 12 | 1u << 21 | 1u << 24 | 7u << 26 | 1u << 29},
    {0x00000001, EDX, 1u << 7 | 1u << 9 | 1u << 14}, /* MCE, APIC, MCA */
    {0x00000007, EBX,                                /* SGX, AVX2, MPX, AVX-512 */
     1u << 2 | 1u << 5 | 1u << 14 | 3u << 16 | 1u << 21 | 0xfu << 26 | 3u << 30},
    {0x00000007, ECX, ~(1u << 2)}, /* all but UMIP: AVX-512, PKU, CET, LA57 ... */
    {0x00000007, EDX, 0xffffffff}, /* AVX-512, AMX, CET, speculation control */
    {0x00000007, EAX, 0xffffffff}, /* no further subleaves */
    {0x80000001, ECX, 1u << 2 | 1u << 11 | 1u << 15 | 1u << 16}, /* SVM, XOP, LWP, FMA4 */
    {0x80000001, EDX, 1u << 9},                                  /* APIC */
};

/* Whole leaves that go: XSAVE, SGX, AMX, KVM's own, SVM, encrypted guests, Hyper-V's. */
static const struct leaf_range {
    uint32_t first, last;
} leaf_cuts[] = {
    {0x0000000a, 0x0000000a}, {0x0000000d, 0x0000000d}, {0x00000012, 0x0000001e},
    {0x00000024, 0x00000024}, {0x40000000, 0x4fffffff}, {0x8000000a, 0x8000000a},
    {0x8000001f, 0x80000021},
};

static bool
leaf_is_cut(uint32_t leaf)
{
    for (unsigned i = 0; i < ARRAY_SIZE(leaf_cuts); i++)
        if (leaf >= leaf_cuts[i].first && leaf <= leaf_cuts[i].last)
            return true;
    return false;
}

void
kvm_cpuid_filter(struct kvm_cpuid2 *cpuid)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 e = cpuid->entries[i];
        if (leaf_is_cut(e.function))
            continue;
        uint32_t *reg[] = {&e.eax, &e.ebx, &e.ecx, &e.edx};
        for (unsigned k = 0; k < ARRAY_SIZE(cpuid_cuts); k++)
            if (cpuid_cuts[k].leaf == e.function)
                *reg[cpuid_cuts[k].reg] &= ~cpuid_cuts[k].bits;
        if (e.function == 1) /* APIC id 0, one logical processor; KVM shows the host's */
            e.ebx = (e.ebx & 0x0000ffff) | 1u << 16;
        if (e.function == 0xb || e.function == 0x1f)
            e.edx = 0; /* x2APIC id */
        cpuid->entries[kept++] = e;
    }
    cpuid->nent = kept;
}

static int
set_cpuid(struct engine_vm *kvm, struct engine_vcpu *v, struct error *err)
{
    const unsigned room = 256;
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
    int rc = 0;

    if (!cpuid)
        return error_set(err, ENOMEM, "no memory for the table of CPUID");
    cpuid->nent = room;
    if (ioctl(kvm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
        rc = error_set(err, errno, "KVM does not say what its processor can do: %s",
                       strerror(errno));
    } else {
        kvm_cpuid_filter(cpuid);
        if (ioctl(v->fd, KVM_SET_CPUID2, cpuid) < 0)
            rc = error_set(err, errno, "KVM refuses our table of CPUID: %s", strerror(errno));
    }
    free(cpuid);
    return rc;
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* What KVM must have; all of it is in Linux 4.13. */
static const struct need {
    int cap;
    const char *what;
} needs[] = {
    {KVM_CAP_USER_MEMORY, "memory slots"},
    {KVM_CAP_READONLY_MEM, "read-only memory slots"},
    {KVM_CAP_IMMEDIATE_EXIT, "immediate_exit"},
    {KVM_CAP_VCPU_EVENTS, "access to pending events"},
    {KVM_CAP_DEBUGREGS, "access to debug registers"},
    {KVM_CAP_SET_GUEST_DEBUG, "single step"},
};

static int
open_device(struct engine_vm *kvm, struct error *err)
{
    kvm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm->kvm < 0 && errno == EACCES)
        return error_set(err, EACCES,
                         "/dev/kvm may not be opened by this user: join the group that owns it "
                         "(usually kvm), or use --engine soft");
    if (kvm->kvm < 0)
        return error_set(err, errno,
                         "/dev/kvm cannot be opened (%s): load kvm_intel or kvm_amd, or use "
                         "--engine soft",
                         strerror(errno));
    int version = ioctl(kvm->kvm, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        return error_set(err, ENOTSUP, "KVM speaks version %d of its interface, hv speaks %d",
                         version, KVM_API_VERSION);
    for (unsigned i = 0; i < ARRAY_SIZE(needs); i++)
        if (ioctl(kvm->kvm, KVM_CHECK_EXTENSION, needs[i].cap) <= 0)
            return error_set(err, ENOTSUP, "this KVM has no %s: use Linux 4.13 or later",
                             needs[i].what);
    int sync = ioctl(kvm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS);
    kvm->sync = sync > 0 && (sync & KVM_SYNC_X86_REGS);
    kvm->msr_exits = ioctl(kvm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_X86_USER_SPACE_MSR) > 0 &&
                     ioctl(kvm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_X86_MSR_FILTER) > 0;
    return 0;
}

static int
open_vm(struct vm *vm, struct error *err)
{
    struct engine_vm *kvm = vm->engine;

    do /* EINTR: a signal came while KVM was setting up */
        kvm->fd = ioctl(kvm->kvm, KVM_CREATE_VM, 0);
    while (kvm->fd < 0 && errno == EINTR);
    if (kvm->fd < 0)
        return error_set(err, errno, "KVM cannot create a machine: %s", strerror(errno));
    /* Intel without unrestricted guest runs real mode as virtual-8086 mode and needs three pages
     * for its TSS and one for a page table; they lie where no device of ours is. */
    uint64_t identity = 0xfeffc000;
    ioctl(kvm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    ioctl(kvm->fd, KVM_SET_TSS_ADDR, identity + PAGE_SIZE);
    return kvm_map_memory(vm, err);
}

static int
open_vcpu(struct vm *vm, struct error *err)
{
    struct engine_vm *kvm = vm->engine;
    struct engine_vcpu *v = vm->vcpu[0].engine;

    v->fd = ioctl(kvm->fd, KVM_CREATE_VCPU, 0);
    if (v->fd < 0)
        return error_set(err, errno, "KVM cannot create a processor: %s", strerror(errno));
    int size = ioctl(kvm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    void *run = size < (int)sizeof(struct kvm_run)
                    ? MAP_FAILED
                    : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (run == MAP_FAILED)
        return error_set(err, ENOMEM, "the page shared with KVM cannot be mapped");
    v->run = run;
    kvm->run_size = (size_t)size;
    return set_cpuid(kvm, v, err);
}

int
kvm_open(struct vm *vm, struct error *err)
{
    struct engine_vm *kvm = calloc(1, sizeof(*kvm));
    struct engine_vcpu *v = calloc(1, sizeof(*v));
    struct kvm_state *state = calloc(1, sizeof(*state));
    struct sigaction action = {.sa_sigaction = kvm_on_signal, .sa_flags = SA_SIGINFO};
    struct x86_regs regs;
    int rc;

    if (!kvm || !v || !state) {
        free(kvm);
        free(v);
        free(state);
        return error_set(err, ENOMEM, "no memory for the engine");
    }
    kvm->kvm = kvm->fd = v->fd = -1;
    v->state = state;
    v->armed = KVM_NEVER;
    vm->engine = kvm;
    vm->vcpu[0].vm = vm;
    vm->vcpu[0].engine = v;
    vm->vcpu[0].watches = &v->watches;
    x86_regs_reset(&regs);
    if (sigaction(KVM_SIGNAL, &action, NULL) < 0)
        rc = error_set(err, errno, "no handler for the timer's signal: %s", strerror(errno));
    else if (!(rc = open_device(kvm, err)) && !(rc = open_vm(vm, err)) &&
             !(rc = open_vcpu(vm, err)))
        rc = kvm_set_regs(&vm->vcpu[0], &regs, err);
    kvm->start = now_ns();
    if (rc)
        kvm_close(vm);
    return rc;
}

void
kvm_close(struct vm *vm)
{
    struct engine_vm *kvm = vm->engine;
    struct engine_vcpu *v = vm->vcpu[0].engine;

    if (!kvm)
        return;
    if (v->has_timer)
        timer_delete(v->timer); /* a signal that is still due comes before this returns */
    if (v->run)
        munmap(v->run, kvm->run_size);
    int fds[] = {v->fd, kvm->fd, kvm->kvm};
    for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(v->cpu);
    free(v->state);
    free(v);
    free(kvm);
    vm->engine = NULL;
    vm->vcpu[0].engine = NULL;
    vm->vcpu[0].watches = NULL;
}
