/* exits.c - on a real KVM: ports, memory, MSRs, shutdown, and what is refused. */
#include <string.h>

#include "core/ram.h"
#include "tests/kvm/machine.h"
#include "tests/kvm/suites.h"

static void
test_out(void)
{
    struct machine *m = machine_open(GUEST(guest_out));
    if (!m)
        return;
    machine_expect_out(m, 0x40, 1, 0x44);
    machine_expect_out(m, 0x41, 2, 0x3344);
    machine_expect_out(m, 0x42, 4, 0x11223344);
    machine_expect_out(m, 0x1234, 1, 0x44);
    machine_expect_out(m, 0x1234, 4, 0x11223344);
    machine_expect(m, TRACE_HLT);
    CU_ASSERT_EQUAL(m->exit->rip, CODE + (guest_out_end - guest_out) - 1);
    machine_close(m);
}

/* SDM vol. 1, 3.4.1.1: IN AL and IN AX leave the upper bits of EAX alone. */
static void
test_in(void)
{
    struct machine *m = machine_open(GUEST(guest_in));
    if (!m)
        return;
    static const struct {
        uint16_t port;
        uint8_t size;
        uint64_t answer, seen;
    } reads[] = {
        {0x40, 1, 0xaaaaaaaaaaaaaa99, 0x11223399},
        {0x41, 2, 0x5566, 0x11225566},
        {0x1234, 4, 0x89abcdef, 0x89abcdef},
    };
    for (unsigned i = 0; i < 3; i++) {
        machine_expect(m, TRACE_IO);
        CU_ASSERT(!m->exit->access.write);
        CU_ASSERT_EQUAL(m->exit->access.address, reads[i].port);
        CU_ASSERT_EQUAL(m->exit->access.size, reads[i].size);
        m->exit->access.value = reads[i].answer;
        machine_expect_out(m, 0x80, 4, reads[i].seen);
    }
    machine_expect(m, TRACE_HLT);
    machine_close(m);
}

static void
test_string(void)
{
    struct machine *m = machine_open(GUEST(guest_string));
    if (!m)
        return;
    memcpy(m->vm.ram.host + 0x2000, "hello", 5);
    for (unsigned i = 0; i < 5; i++)
        machine_expect_out(m, 0x1f0, 1, (uint8_t) "hello"[i]);
    for (unsigned i = 0; i < 3; i++) {
        machine_expect(m, TRACE_IO);
        CU_ASSERT_EQUAL(m->exit->access.size, 2);
        CU_ASSERT(!m->exit->access.write);
        CU_ASSERT(!engine_kvm.can_inject(m->vcpu)); /* IF is clear */
        m->exit->access.value = 0x4142 + 0x202 * i;
    }
    machine_expect_out(m, 0x80, 2, 0);
    machine_expect_out(m, 0x80, 2, 0x3006);
    CU_ASSERT_EQUAL(memcmp(m->vm.ram.host + 0x3000, "BADCFE", 6), 0);
    machine_close(m);
}

/* Asserts the exit and the pieces of a memory access; value is answered or compared. */
static void
expect_mmio(struct machine *m, uint64_t address, unsigned size, bool write, uint64_t value)
{
    machine_expect(m, TRACE_MMIO);
    CU_ASSERT_EQUAL(m->exit->access.address, address);
    CU_ASSERT_EQUAL(m->exit->access.size, size);
    CU_ASSERT_EQUAL(m->exit->access.write, write);
    if (write)
        CU_ASSERT_EQUAL(m->exit->access.value, value);
    m->exit->access.value = value;
}

static void
test_mmio(void)
{
    struct machine *m = machine_open(GUEST(guest_mmio));
    if (!m)
        return;
    expect_mmio(m, 0x100000, 1, true, 0x5a);
    expect_mmio(m, 0x100004, 4, true, 0x11223344);
    expect_mmio(m, 0x100008, 4, false, 0xcafef00d);
    machine_expect_out(m, 0x80, 4, 0xcafef00d);
    /* Four bytes over the end of a page: three and one, and three is two and one. */
    expect_mmio(m, 0x100ffd, 2, false, 0x2211);
    expect_mmio(m, 0x100fff, 1, false, 0x33);
    expect_mmio(m, 0x101000, 1, false, 0x44);
    machine_expect_out(m, 0x80, 4, 0x44332211);
    expect_mmio(m, 0x100000, 1, true, 0x77);
    machine_expect(m, TRACE_HLT);
    CU_ASSERT_EQUAL(m->vm.ram.host[0xfffff], 0x88);
    machine_close(m);
}

static void
test_rom(void)
{
    uint8_t image[PAGE_SIZE];
    struct machine *m = machine_open(GUEST(guest_rom));
    if (!m)
        return;
    memset(image, 0x33, sizeof(image));
    engine_kvm.close(&m->vm); /* memory is laid out when the engine opens */
    CU_ASSERT_EQUAL(ram_add_rom(&m->vm.ram, 0xf0000, image, sizeof(image), &m->err), 0);
    struct x86_regs r;
    x86_regs_reset(&r);
    CU_ASSERT_EQUAL_FATAL(engine_kvm.open(&m->vm, &m->err), 0);
    r.seg[X86_CS].selector = 0;
    r.seg[X86_CS].base = 0;
    r.rip = CODE;
    machine_set_regs(m, &r);
    machine_expect_out(m, 0x80, 1, 0x33);
    expect_mmio(m, 0xf0000, 1, true, 0x5a);
    machine_expect_out(m, 0x80, 1, 0x33);
    machine_close(m);
}

/* SDM vol. 3, 20.1.1: without A20, addresses wrap at 1 MiB as on the 8086. */
static void
test_a20(void)
{
    for (int open = 0; open < 2; open++) {
        struct machine *m = machine_open(GUEST(guest_a20));
        if (!m)
            return;
        engine_kvm.close(&m->vm);
        ram_destroy(&m->vm.ram); /* the wrap is only seen with RAM above 1 MiB */
        CU_ASSERT_EQUAL_FATAL(ram_create(&m->vm.ram, 2 * RAM_MIN, &m->err), 0);
        CU_ASSERT_EQUAL_FATAL(engine_kvm.open(&m->vm, &m->err), 0);
        memcpy(m->vm.ram.host + CODE, guest_a20, (size_t)(guest_a20_end - guest_a20));
        struct x86_regs r = machine_regs(m);
        r.seg[X86_CS].selector = 0;
        r.seg[X86_CS].base = 0;
        r.rip = CODE;
        machine_set_regs(m, &r);
        engine_kvm.set_a20(&m->vm, open);
        machine_expect_out(m, 0x80, 1, open ? 0x11 : 0x22);
        CU_ASSERT_EQUAL(m->vm.ram.host[0x100500], open ? 0x22 : 0);
        machine_close(m);
    }
}

/* Without an intercept an unknown MSR is the guest's #GP and nobody's exit. */
static void
test_msr_unseen(void)
{
    struct machine *m = machine_open(GUEST(guest_msr));
    if (!m)
        return;
    machine_ivt(m, VEC_GP, AT(guest_msr, guest_msr_handler));
    machine_expect_out(m, 0x80, 4, 0x00070406); /* PAT after RESET, SDM vol. 3, table 11-12 */
    machine_expect_out(m, 0x81, 1, 0x0d);
    CU_ASSERT_EQUAL(machine_regs(m).pat, UINT64_C(0x0101010101010101));
    machine_close(m);
}

static void
test_msr_intercepted(void)
{
    struct machine *m = machine_open(GUEST(guest_msr));
    if (!m)
        return;
    machine_ivt(m, VEC_GP, AT(guest_msr, guest_msr_handler));
    int rc = engine_kvm.intercept(m->vcpu, INTERCEPT_MSR, 0, &m->err);
    CU_ASSERT_EQUAL(rc, 0);
    for (unsigned i = 0; i < 3; i++) { /* read PAT, write PAT, read what is not there */
        machine_expect(m, TRACE_MSR);
        CU_ASSERT_EQUAL(m->exit->msr.index, i < 2 ? 0x277 : 0x4000abcd);
        CU_ASSERT_EQUAL(m->exit->msr.write, i == 1);
        CU_ASSERT_EQUAL(engine_kvm.emulate(m->vcpu, &m->err), 0);
        CU_ASSERT_EQUAL(m->exit->msr.refused, i == 2);
        if (i == 0)
            machine_expect_out(m, 0x80, 4, 0x00070406);
    }
    machine_expect_out(m, 0x81, 1, 0x0d);
    CU_ASSERT_EQUAL(machine_regs(m).pat, UINT64_C(0x0101010101010101));
    machine_close(m);
}

static void
test_intercept_refused(void)
{
    struct machine *m = machine_open(GUEST(guest_spin));
    if (!m)
        return;
    CU_ASSERT_EQUAL(engine_kvm.intercept(m->vcpu, INTERCEPT_CPUID, 0, &m->err), -ENOTSUP);
    CU_ASSERT_PTR_NOT_NULL(strstr(m->err.message, "--engine soft"));
    CU_ASSERT_EQUAL(engine_kvm.intercept(m->vcpu, 0, 1u << VEC_PF, &m->err), -ENOTSUP);
    machine_close(m);
}

/* An invalid state is refused with its reason, and the old one stays. */
static void
test_invalid_state(void)
{
    struct machine *m = machine_open(GUEST(guest_out));
    if (!m)
        return;
    struct x86_regs bad = machine_regs(m);
    bad.cr0 |= CR0_PE | CR0_PG;
    bad.efer |= EFER_LME | EFER_LMA;
    CU_ASSERT_EQUAL(engine_kvm.set_regs(m->vcpu, &bad, &m->err), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(m->err.message, "CR4.PAE is clear: long mode needs PAE"));
    machine_expect_out(m, 0x40, 1, 0x44);
    machine_close(m);
}

/* What goes into KVM comes out again. */
static void
test_registers(void)
{
    struct machine *m = machine_open(GUEST(guest_out));
    if (!m)
        return;
    struct x86_regs r = machine_regs(m), back;
    for (unsigned i = 0; i < 16; i++)
        r.gpr[i] = UINT64_C(0x0101010101010101) * i;
    r.cr2 = 0x12345678;
    r.dr[0] = 0x1000, r.dr[3] = 0x4000;
    r.star = UINT64_C(0x0023001000000000);
    r.lstar = UINT64_C(0xffffffff81000000);
    r.sfmask = 0x47700;
    r.kernel_gs_base = UINT64_C(0xffff888000000000);
    r.sysenter_cs = 0x10;
    r.seg[X86_ES].base = 0x54320;
    r.seg[X86_ES].selector = 0x5432;
    r.fx[160] = 0x99;         /* XMM0 */
    r.fx[32 + 16 * 7] = 0x77; /* ST7 */
    r.nmi_blocked = 1;
    machine_set_regs(m, &r);
    back = machine_regs(m);
    for (unsigned i = 0; i < x86_reg_count; i++) {
        const struct reg_desc *d = &x86_reg_table[i];
        int same = !memcmp((char *)&r + d->offset, (char *)&back + d->offset, d->size);
        CU_ASSERT(same);
        if (!same)
            fprintf(stderr, "kvm: %s does not come back\n", d->name);
    }
    CU_ASSERT_EQUAL(memcmp(r.fx, back.fx, 416), 0);
    machine_close(m);
}

static const struct unit_test tests[] = {
    {"OUT in every size", test_out},
    {"IN gets the answer", test_in},
    {"INS and OUTS: an exit an element", test_string},
    {"device memory, also across a page", test_mmio},
    {"ROM is read, and writes to it are seen", test_rom},
    {"the A20 gate", test_a20},
    {"MSRs without an intercept", test_msr_unseen},
    {"MSRs with an intercept", test_msr_intercepted},
    {"intercepts that KVM does not have are refused", test_intercept_refused},
    {"an invalid state is explained and not taken", test_invalid_state},
    {"registers go in and come out", test_registers},
    {NULL, NULL},
};
const struct unit_suite suite_kvm_exits = {"exits", tests};
