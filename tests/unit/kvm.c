/*
 * kvm.c - tests of the kvm engine that need no KVM: its tables and conversions. What needs one is
 * in tests/kvm/.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/ram.h"
#include "engine/engine.h"
#include "engine/engines.h"
#include "engine/kvm.h"
#include "engine/monitor.h"
#include "tests/unit/suites.h"
#include "tests/unit/unit.h"

/* --- reasons ---------------------------------------------------------------------------------- */

/* Every KVM_EXIT_<NAME> of the system's header, up to the last number that we know, has the row of
 * its number and its name. (KVM_EXIT_IO_IN and the like are no reasons: theirs is a longer name
 * of one.) */
static void
test_reasons_complete(void)
{
    FILE *header = fopen("/usr/include/linux/kvm.h", "r");
    char line[256], name[128];
    unsigned number, seen = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(header);
    while (fgets(line, sizeof(line), header)) {
        if (sscanf(line, "#define %127s %u", name, &number) != 2 || strncmp(name, "KVM_EXIT_", 9) ||
            number >= kvm_reason_count)
            continue;
        if (!strncmp(name, "KVM_EXIT_IO_", 12) || !strncmp(name, "KVM_EXIT_HYPERV_", 16) ||
            !strncmp(name, "KVM_EXIT_XEN_", 13))
            continue;
        seen++;
        CU_ASSERT_STRING_EQUAL(kvm_reason_find(number)->name, name);
    }
    fclose(header);
    CU_ASSERT(seen >= 38); /* Linux 6.1 has 0 to 37 */
}

static void
test_reasons_text(void)
{
    for (unsigned i = 0; i < kvm_reason_count; i++) {
        const struct kvm_reason *r = &kvm_reasons[i];
        CU_ASSERT_EQUAL(r->number, i); /* kvm_reason_find() relies on it */
        CU_ASSERT_EQUAL(trace_kinds[r->kind].class, TRACE_CLASS_EXIT);
        CU_ASSERT(strlen(r->text) > 10);
        CU_ASSERT_EQUAL(r->text[strlen(r->text) - 1], '.');
        /* A row without operands shows number and text: its kind must be one that has a failure. */
        CU_ASSERT(r->decode != NULL || r->kind == TRACE_UNKNOWN);
        /* What a reason can become, the engine must say it shows. */
        if (r->kind != TRACE_EXCEPTION && r->kind != TRACE_HYPERCALL)
            CU_ASSERT(engine_kvm.exits >> r->kind & 1);
    }
    CU_ASSERT_PTR_NULL(kvm_reason_find(kvm_reason_count));
    CU_ASSERT_PTR_NULL(kvm_reason_find(UINT32_MAX));
    for (unsigned i = 1; i <= 4; i++)
        CU_ASSERT_PTR_NOT_NULL(kvm_suberror_text(i));
    CU_ASSERT_PTR_NULL(kvm_suberror_text(5));
    CU_ASSERT_PTR_NOT_NULL(strstr(kvm_entry_failure_text(0x80000021), "26.3.1"));
    CU_ASSERT_PTR_NULL(kvm_entry_failure_text(0x12345));
}

/* --- decoding --------------------------------------------------------------------------------- */

/* A processor whose shared page we fill ourselves. */
struct fake {
    struct vm vm;
    struct engine_vcpu v;
    union {
        struct kvm_run run;
        uint8_t page[8192];
    };
};

static struct fake *
fake_new(uint32_t reason)
{
    struct fake *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    f->v.run = &f->run;
    f->run.exit_reason = reason;
    f->run.s.regs.regs.rip = 0x1001;
    f->v.fd = -1;
    f->v.regs_known = f->v.stepping = true;
    f->vm.vcpu[0].vm = &f->vm;
    f->vm.vcpu[0].engine = &f->v;
    return f;
}

/* Registers cost a copy at each exit, or a system call: nobody asks at an access that is neither
 * recorded nor stepped over. */
static void
test_registers_on_demand(void)
{
    struct fake *f = fake_new(KVM_EXIT_IO);
    struct vcpu *vcpu = &f->vm.vcpu[0];

    f->v.regs_known = f->v.stepping = false;
    f->run.io.size = f->run.io.count = 1;
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT(!f->v.regs_known);
    CU_ASSERT_EQUAL(vcpu->exit.rip, 0);
    f->run.exit_reason = KVM_EXIT_SHUTDOWN; /* asked for, though this KVM does not answer */
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT(f->v.regs_known);
    free(f);
}

/* Elements of a string instruction leave as exits of their own, and each gets its answer. */
static void
test_string_io(void)
{
    struct fake *f = fake_new(KVM_EXIT_IO);
    struct vcpu *vcpu = &f->vm.vcpu[0];

    f->run.io.direction = KVM_EXIT_IO_IN;
    f->run.io.size = 2;
    f->run.io.count = 3;
    f->run.io.port = 0x1f0;
    f->run.io.data_offset = 4096;
    CU_ASSERT(kvm_exit_decode(vcpu));
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(vcpu->exit.kind, TRACE_IO);
        CU_ASSERT_EQUAL(vcpu->exit.access.address, 0x1f0);
        CU_ASSERT_EQUAL(vcpu->exit.access.size, 2);
        CU_ASSERT_EQUAL(vcpu->exit.rip, 0x1001);
        CU_ASSERT(!vcpu->exit.access.write);
        vcpu->exit.access.value = 0xffff0000 + 0x1234 + i; /* high bits are not the guest's */
        CU_ASSERT_EQUAL(kvm_exit_answer(vcpu), i < 2);
    }
    CU_ASSERT_EQUAL(memcmp(f->page + 4096, "\x34\x12\x35\x12\x36\x12\x00", 7), 0);
    CU_ASSERT(!kvm_exit_answer(vcpu));
    free(f);
}

/* An access of an odd length leaves in pieces that a bus can carry. */
static void
test_mmio_pieces(void)
{
    static const struct {
        uint32_t len;
        uint8_t sizes[4];
    } cases[] = {{1, {1}},    {3, {2, 1}},    {4, {4}}, {5, {4, 1}},
                 {6, {4, 2}}, {7, {4, 2, 1}}, {8, {8}}};

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fake *f = fake_new(KVM_EXIT_MMIO);
        struct vcpu *vcpu = &f->vm.vcpu[0];
        f->run.mmio.phys_addr = 0xfffffffd;
        f->run.mmio.len = cases[i].len;
        f->run.mmio.is_write = 1;
        memcpy(f->run.mmio.data, "\1\2\3\4\5\6\7\10", 8);
        CU_ASSERT(kvm_exit_decode(vcpu));
        uint64_t at = 0;
        for (unsigned k = 0; cases[i].sizes[k]; k++) {
            uint8_t size = cases[i].sizes[k];
            CU_ASSERT_EQUAL(vcpu->exit.access.size, size);
            CU_ASSERT_EQUAL(vcpu->exit.access.address, 0xfffffffd + at);
            CU_ASSERT_EQUAL(vcpu->exit.access.value & 0xff, at + 1);
            CU_ASSERT_EQUAL(vcpu->exit.access.value >> (8 * size - 8), at + size);
            at += size;
            CU_ASSERT_EQUAL(kvm_exit_answer(vcpu), at < cases[i].len);
        }
        CU_ASSERT_EQUAL(at, cases[i].len);
        free(f);
    }
}

static void
test_failures(void)
{
    struct fake *f = fake_new(KVM_EXIT_INTERNAL_ERROR);
    struct vcpu *vcpu = &f->vm.vcpu[0];

    f->run.emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
    f->run.emulation_failure.ndata = 3;
    f->run.emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
    f->run.emulation_failure.insn_size = 255; /* KVM says at most 15; more must not be read */
    memcpy(f->run.emulation_failure.insn_bytes, "\xcd\x20\x90", 3);
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT_EQUAL(vcpu->exit.kind, TRACE_INTERNAL_ERROR);
    CU_ASSERT_EQUAL(vcpu->exit.failure.code, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(vcpu->exit.failure.text, "bytes: cd 20 90"));
    CU_ASSERT_EQUAL(strlen(strstr(vcpu->exit.failure.text, "bytes:")), 6 + 3 * 15);

    f->run.exit_reason = KVM_EXIT_FAIL_ENTRY;
    f->run.fail_entry.hardware_entry_failure_reason = 0x80000021;
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT_EQUAL(vcpu->exit.kind, TRACE_FAIL_ENTRY);
    CU_ASSERT_PTR_NOT_NULL(strstr(vcpu->exit.failure.text, "SDM vol. 3"));

    f->run.exit_reason = 4711; /* newer than this program */
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT_EQUAL(vcpu->exit.kind, TRACE_UNKNOWN);
    CU_ASSERT_EQUAL(vcpu->exit.failure.code, 4711);
    CU_ASSERT_PTR_NOT_NULL(vcpu->exit.failure.text);

    f->run.exit_reason = KVM_EXIT_SET_TPR; /* CR8 is set already: enter again */
    CU_ASSERT(!kvm_exit_decode(vcpu));
    f->run.exit_reason = KVM_EXIT_HLT;
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT_EQUAL(vcpu->exit.rip, 0x1000);
    free(f);
}

static void
test_msr(void)
{
    struct fake *f = fake_new(KVM_EXIT_X86_RDMSR);
    struct vcpu *vcpu = &f->vm.vcpu[0];

    f->run.msr.index = 0x1b;
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT_EQUAL(vcpu->exit.msr.index, 0x1b);
    CU_ASSERT(!vcpu->exit.msr.write);
    vcpu->exit.msr.value = UINT64_C(0x1122334455667788);
    CU_ASSERT(!kvm_exit_answer(vcpu));
    CU_ASSERT_EQUAL(f->run.msr.data, UINT64_C(0x1122334455667788));
    CU_ASSERT_EQUAL(f->run.msr.error, 0);

    f->run.exit_reason = KVM_EXIT_X86_WRMSR;
    f->run.msr.data = 5;
    CU_ASSERT(kvm_exit_decode(vcpu));
    CU_ASSERT(vcpu->exit.msr.write);
    CU_ASSERT_EQUAL(vcpu->exit.msr.value, 5);
    vcpu->exit.msr.refused = true;
    CU_ASSERT(!kvm_exit_answer(vcpu));
    CU_ASSERT_EQUAL(f->run.msr.error, 1); /* KVM raises #GP(0) */
    free(f);
}

/* --- state ------------------------------------------------------------------------------------ */

/* A valid state in which no two fields are equal by accident. */
static struct x86_regs
busy_regs(void)
{
    struct x86_regs r;
    x86_regs_reset(&r);
    for (unsigned i = 0; i < 16; i++)
        r.gpr[i] = UINT64_C(0x0101010101010101) * (i + 1);
    r.rip = UINT64_C(0xffffffff81000123);
    r.rflags = FLAG_ONE | FLAG_IF | FLAG_ZF | FLAG_ID;
    for (unsigned i = 0; i < X86_NSEG; i++)
        r.seg[i] = (struct x86_segment){.base = 0x1000 * i,
                                        .limit = 0xfff | i << 12,
                                        .selector = (uint16_t)(0x10 + 8 * i),
                                        .attr = SEG_P | SEG_S | SEG_WRITABLE | SEG_ACCESSED |
                                                (i & 1 ? SEG_G : 0) | (i & 2 ? SEG_DB : 0) |
                                                (i & 4 ? SEG_AVL : 0)};
    r.seg[X86_CS].attr = SEG_P | SEG_S | SEG_CODE | SEG_ACCESSED | SEG_L | SEG_G;
    r.seg[X86_FS].base = UINT64_C(0xffff800000001000);
    r.seg[X86_ES].attr &= (uint16_t)~SEG_P; /* a null selector */
    r.ldtr = (struct x86_segment){0x5000, 0x67, 0x60, SEG_P | SYS_LDT};
    r.tr = (struct x86_segment){0x6000, 0x2067, 0x68, SEG_P | SYS_TSS_BUSY};
    r.gdtr = (struct x86_table){0x7000, 0x77};
    r.idtr = (struct x86_table){0x8000, 0xfff};
    r.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP;
    r.cr2 = 0xdead0000;
    r.cr3 = 0x9000;
    r.cr4 = CR4_PAE | CR4_OSFXSR;
    r.cr8 = 5;
    r.efer = EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE;
    for (unsigned i = 0; i < 4; i++)
        r.dr[i] = 0xd000 + i;
    r.dr[6] = DR6_INIT | 1;
    r.dr[7] = DR7_INIT | 2;
    r.star = 1, r.lstar = 2, r.cstar = 3, r.sfmask = 4, r.kernel_gs_base = 5;
    r.sysenter_cs = 6, r.sysenter_esp = 7, r.sysenter_eip = 8;
    r.shadow = X86_SHADOW_STI;
    r.nmi_blocked = 1;
    for (unsigned i = 0; i < 416; i++) /* up to XMM15; the rest of the image is not used */
        r.fx[i] = (uint8_t)(i * 7 + 1);
    r.fx[5] = 0;                                  /* reserved; FTW is abridged */
    memcpy(r.fx + 24, "\x80\x1f\0\0\0\0\0\0", 8); /* MXCSR; its mask is no register */
    return r;
}

/* x86_regs -> KVM's structures -> x86_regs is the identity, but for what KVM does not hold. */
static void
test_round_trip(void)
{
    struct x86_regs r = busy_regs(), back;
    struct kvm_state state = {0};

    CU_ASSERT_PTR_NULL(x86_regs_invalid(&r));
    kvm_state_from_regs(&state, &r);
    memset(&back, 0, sizeof(back));
    kvm_state_to_regs(&state, &back);
    back.tsc_aux = r.tsc_aux;
    for (unsigned i = 0; i < x86_reg_count; i++) {
        const struct reg_desc *d = &x86_reg_table[i];
        int same = !memcmp((char *)&r + d->offset, (char *)&back + d->offset, d->size);
        CU_ASSERT(same);
        if (!same)
            fprintf(stderr, "%s is lost on the way through KVM's structures\n", d->name);
    }
    CU_ASSERT_EQUAL(memcmp(r.fx, back.fx, sizeof(r.fx)), 0);

    /* In KVM's own words, against a mistake that is made twice. */
    CU_ASSERT_EQUAL(state.regs.rdx, r.gpr[X86_RDX]);
    CU_ASSERT_EQUAL(state.regs.rsp, r.gpr[X86_RSP]);
    CU_ASSERT_EQUAL(state.sregs.ss.base, 0x2000);
    CU_ASSERT_EQUAL(state.sregs.cs.l, 1);
    CU_ASSERT_EQUAL(state.sregs.es.unusable, 1);
    CU_ASSERT_EQUAL(state.sregs.cs.unusable, 0);
    CU_ASSERT_EQUAL(state.sregs.tr.type, 11);
    CU_ASSERT_EQUAL(state.sregs.gs.avl, 1);
    CU_ASSERT_EQUAL(state.fpu.mxcsr, 0x1f80);
    CU_ASSERT_EQUAL(state.events.interrupt.shadow, KVM_X86_SHADOW_INT_STI);
    CU_ASSERT_EQUAL(state.events.nmi.masked, 1);
    CU_ASSERT_EQUAL(state.msrs.head.nmsrs, KVM_MSRS);
}

/* SVM shows one interrupt shadow where there are two; what comes back must be a valid state. */
static void
test_shadow(void)
{
    struct kvm_state state = {0};
    struct x86_regs r;

    state.events.interrupt.shadow = KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS;
    state.regs.rflags = FLAG_ONE;
    kvm_state_to_regs(&state, &r);
    CU_ASSERT_EQUAL(r.shadow, X86_SHADOW_MOVSS);
    state.regs.rflags = FLAG_ONE | FLAG_IF;
    kvm_state_to_regs(&state, &r);
    CU_ASSERT_EQUAL(r.shadow, X86_SHADOW_STI);
    r.shadow = X86_SHADOW_MOVSS;
    kvm_state_from_regs(&state, &r);
    CU_ASSERT_EQUAL(state.events.interrupt.shadow, KVM_X86_SHADOW_INT_MOV_SS);
}

/* --- memory and CPUID ------------------------------------------------------------------------- */

/* Do the slots show `gpa` as `host`? Slots never overlap: exactly one has it, or none (NULL). */
static int
slots_show(const struct kvm_slot *slot, unsigned count, uint64_t gpa, const uint8_t *host)
{
    unsigned found = 0, right = 0;
    for (unsigned i = 0; i < count; i++)
        if (gpa >= slot[i].gpa && gpa - slot[i].gpa < slot[i].size) {
            found++;
            right += slot[i].host + (gpa - slot[i].gpa) == host;
        }
    return host ? found == 1 && right == 1 : !found;
}

static void
test_slots(void)
{
    static uint8_t image[PAGE_SIZE];
    struct kvm_slot slot[KVM_SLOTS];
    struct ram ram;

    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, 4u << 20, NULL), 0);
    unsigned count = kvm_slots(&ram, false, slot);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT(slots_show(slot, count, 0x3fffff, ram.host + 0x3fffff));
    CU_ASSERT(slots_show(slot, count, 0x400000, NULL));

    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xf0000, image, sizeof(image), NULL), 0);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xfffff000, image, sizeof(image), NULL), 0);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0, image, sizeof(image), NULL), 0);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0x3ff000, image, sizeof(image), NULL), 0);
    for (int closed = 0; closed < 2; closed++) {
        count = kvm_slots(&ram, closed, slot);
        CU_ASSERT(count <= KVM_SLOTS);
        CU_ASSERT(slots_show(slot, count, 0xeffff, ram.host + 0xeffff));
        CU_ASSERT(slots_show(slot, count, 0xf0000, ram.rom[0].host));
        CU_ASSERT(slots_show(slot, count, 0xf1000, ram.host + 0xf1000));
        CU_ASSERT(slots_show(slot, count, 0xfffff000, ram.rom[1].host));
        CU_ASSERT(slots_show(slot, count, 0xfff, ram.rom[2].host + 0xfff));
        CU_ASSERT(slots_show(slot, count, 0x1000, ram.host + 0x1000));
        CU_ASSERT(slots_show(slot, count, 0x3ff000, ram.rom[3].host));
        /* A20 closed: 10fff0 is fff0 (SDM vol. 3, 20.1.1). */
        CU_ASSERT(slots_show(slot, count, 0x10fff0, ram.host + (closed ? 0xfff0 : 0x10fff0)));
        CU_ASSERT(slots_show(slot, count, 0x110000, ram.host + 0x110000));
        for (unsigned i = 0; i < count; i++)
            CU_ASSERT_EQUAL(slot[i].readonly, i < 4);
    }
    ram_destroy(&ram);
}

static void
test_cpuid_filter(void)
{
    struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 5 * sizeof(c->entries[0]));

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->nent = 5;
    for (unsigned i = 0; i < 5; i++)
        c->entries[i].eax = c->entries[i].ebx = c->entries[i].ecx = c->entries[i].edx = ~0u;
    c->entries[1].function = 1;
    c->entries[2].function = 0xd;
    c->entries[3].function = 0x40000001; /* KVM's paravirtual features */
    c->entries[4].function = 7;
    kvm_cpuid_filter(c);
    CU_ASSERT_EQUAL(c->nent, 3);
    CU_ASSERT_EQUAL(c->entries[0].edx, ~0u);          /* leaf 0: the vendor, left alone */
    CU_ASSERT_EQUAL(c->entries[1].edx & 1u << 9, 0);  /* no local APIC (SDM vol. 2, CPUID) */
    CU_ASSERT(c->entries[1].edx & 1u << 25);          /* SSE stays */
    CU_ASSERT_EQUAL(c->entries[1].ecx & 1u << 26, 0); /* no XSAVE */
    CU_ASSERT(c->entries[1].ecx & 1u << 31);          /* a hypervisor is there */
    CU_ASSERT_EQUAL(c->entries[1].ebx >> 16, 1);      /* APIC id 0, one processor */
    CU_ASSERT_EQUAL(c->entries[2].function, 7);
    CU_ASSERT(c->entries[2].ebx & 1u << 20);         /* SMAP stays */
    CU_ASSERT_EQUAL(c->entries[2].ebx & 1u << 5, 0); /* no AVX2 */
    free(c);
}

/* What runs in the stub's page of linear memory is the stub only in its own code segment: else the
 * guest has jumped there, and its registers must stay. */
static void
test_monitor_stub(void)
{
    const uint64_t stub = MONITOR_LINEAR + MONITOR_STUB;

    CU_ASSERT_EQUAL(kvm_monitor_stub_offset(stub, MONITOR_CS), 0);
    CU_ASSERT_EQUAL(kvm_monitor_stub_offset(stub + 0x806, MONITOR_CS), 0x806);
    CU_ASSERT_EQUAL(kvm_monitor_stub_offset(stub + 0x806, MONITOR_CS64), PAGE_SIZE);
    CU_ASSERT_EQUAL(kvm_monitor_stub_offset(stub + PAGE_SIZE, MONITOR_CS), PAGE_SIZE);
    CU_ASSERT_EQUAL(kvm_monitor_stub_offset(stub - 1, MONITOR_CS), PAGE_SIZE);
}

/* The table of engines and its words. */
static void
test_table(void)
{
    CU_ASSERT_PTR_EQUAL(engine_find("kvm"), &engine_kvm);
    CU_ASSERT_PTR_NULL(engine_find("nosuch"));
    uint32_t named = 0;
    for (unsigned i = 0; i < engine_cap_count; i++) {
        CU_ASSERT_EQUAL(named & engine_caps[i].bit, 0);
        named |= engine_caps[i].bit;
    }
    for (unsigned i = 0; engine_table[i]; i++)
        CU_ASSERT_EQUAL(engine_table[i]->caps & ~named, 0);
}

static const struct unit_test tests[] = {
    {"every exit reason of linux/kvm.h has its name", test_reasons_complete},
    {"every exit reason has a kind and a sentence", test_reasons_text},
    {"registers are asked for where they are wanted", test_registers_on_demand},
    {"a string of port accesses is one exit an element", test_string_io},
    {"a memory access of odd length is cut for the bus", test_mmio_pieces},
    {"failures are explained", test_failures},
    {"MSR exits carry the answer back", test_msr},
    {"the registers go to KVM's structures and come back", test_round_trip},
    {"the interrupt shadow stays valid", test_shadow},
    {"memory slots: ROM hides RAM, A20 folds it", test_slots},
    {"CPUID shows what this machine has", test_cpuid_filter},
    {"the monitor's stub, and a guest that jumps there", test_monitor_stub},
    {"engines are found by name, capabilities have names", test_table},
    {NULL, NULL},
};
const struct unit_suite suite_kvm = {"kvm", tests};
