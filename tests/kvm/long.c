/* long.c - on a KVM that passes the probe: interrupts, exceptions and user mode in long mode. */
#include <string.h>

#include "core/ram.h"
#include "tests/kvm/machine.h"
#include "tests/kvm/suites.h"

static void
test_probe(void)
{
    struct error err;
    CU_ASSERT_EQUAL(engine_kvm.probe(&err), 0);
}

static struct machine *
open_int(void)
{
    struct machine *m = machine_open_long(GUEST(guest64_int));
    if (!m)
        return NULL;
    machine_gate(m, 0x20, AT(guest64_int, guest64_int_handler), 0);
    machine_gate(m, VEC_UD, AT(guest64_int, guest64_ud_handler), 0);
    return m;
}

static void
test_int(void)
{
    struct machine *m = open_int();
    if (!m)
        return;
    for (unsigned i = 0; i < 4; i++)
        machine_expect_out(m, 0x80, 1, (unsigned[]){1, 3, 4, 2}[i]);
    machine_expect(m, TRACE_HLT);
    machine_close(m);
}

/* SDM vol. 3, 5.8.1 and vol. 1, 19.5.2: with IOPL 3 a user program may use ports. */
static void
test_user(void)
{
    struct machine *m = machine_open_long(GUEST(guest64_user));
    if (!m)
        return;
    m->vm.recorder = (struct recorder *)m; /* so that `user` is filled */
    machine_gate(m, 0x20, AT(guest64_user, guest64_user_handler), 3);
    machine_expect_out(m, 0x80, 1, 7);
    CU_ASSERT(m->exit->user);
    CU_ASSERT_EQUAL(x86_cpl(&(struct x86_regs){0}), 0);
    struct x86_regs r = machine_regs(m);
    CU_ASSERT_EQUAL(x86_cpl(&r), 3);
    CU_ASSERT_PTR_NULL(x86_regs_invalid(&r)); /* what comes out may go in again */
    machine_set_regs(m, &r);
    machine_expect_out(m, 0x80, 1, 8);
    CU_ASSERT(!m->exit->user);
    machine_close(m);
}

static void
test_mmio64(void)
{
    struct machine *m = machine_open_long(GUEST(guest64_mmio));
    if (!m)
        return;
    machine_expect(m, TRACE_MMIO);
    CU_ASSERT_EQUAL(m->exit->access.size, 8);
    CU_ASSERT_EQUAL(m->exit->access.value, UINT64_C(0x1122334455667788));
    machine_expect(m, TRACE_MMIO);
    m->exit->access.value = UINT64_C(0x8877665544332211);
    machine_expect_out(m, 0x80, 4, 0x44332211);
    static const struct {
        uint64_t address, value;
        unsigned size;
    } parts[] = {{0x100ffa, 0x44332211, 4}, {0x100ffe, 0x6655, 2}, {0x101000, 0x8877, 2}};
    for (unsigned i = 0; i < 3; i++) {
        machine_expect(m, TRACE_MMIO);
        CU_ASSERT_EQUAL(m->exit->access.address, parts[i].address);
        CU_ASSERT_EQUAL(m->exit->access.size, parts[i].size);
        CU_ASSERT_EQUAL(m->exit->access.value, parts[i].value);
    }
    machine_expect(m, TRACE_HLT);
    machine_close(m);
}

/* SDM vol. 3, 6.15: with no handler for the double fault either, the processor shuts down. */
static void
test_triple_fault(void)
{
    struct machine *m = machine_open_long(GUEST(guest64_triple));
    if (!m)
        return;
    struct x86_regs r = machine_regs(m);
    r.idtr.limit = 0;
    machine_set_regs(m, &r);
    machine_expect(m, TRACE_SHUTDOWN);
    if (m->exit->kind == TRACE_SHUTDOWN)
        CU_ASSERT_PTR_NOT_NULL(strstr(m->exit->failure.text, "SDM vol. 3"));
    machine_close(m);
}

static struct machine *
open_step(const struct engine_ops *engine)
{
    static const struct {
        unsigned vector;
        const uint8_t *handler;
    } gates[] = {
        {VEC_DE, guest64_step_fault}, {VEC_BP, guest64_step_trap},  {VEC_UD, guest64_step_fault},
        {VEC_GP, guest64_step_error}, {VEC_PF, guest64_step_error}, {0x20, guest64_step_trap},
    };
    struct machine *m = machine_open_long_on(engine, GUEST(guest64_step));

    for (unsigned i = 0; m && i < sizeof(gates) / sizeof(gates[0]); i++)
        machine_gate(m, gates[i].vector, AT(guest64_step, gates[i].handler), 0);
    return m;
}

/* At HLT the VMM hands over vector 20; what is read is 5a. */
static void
answer(struct machine *m)
{
    if (m->exit->kind == TRACE_HLT)
        m->vm.engine_ops->inject(m->vcpu, 0x20, &m->err);
    if (m->exit->kind == TRACE_IO && !m->exit->access.write)
        m->exit->access.value = 0x5a;
}

/* Do both stand at the same stop, in the same state? RF is set by hardware as it likes. */
static bool
same_stop(struct machine *a, struct machine *b)
{
    struct x86_regs x = machine_regs(a), y = machine_regs(b);

    return a->exit->kind == b->exit->kind && x.rip == y.rip && x.shadow == y.shadow &&
           x.halted == y.halted && !((x.rflags ^ y.rflags) & ~(uint64_t)FLAG_RF) &&
           !memcmp(x.gpr, y.gpr, sizeof(x.gpr)) && x.cr2 == y.cr2 &&
           x.seg[X86_SS].selector == y.seg[X86_SS].selector &&
           ((a->exit->kind != TRACE_IO && a->exit->kind != TRACE_MMIO) ||
            (a->exit->access.address == b->exit->access.address &&
             a->exit->access.size == b->exit->access.size &&
             a->exit->access.value == b->exit->access.value));
}

/* Stepping shows the same stops on both engines, and leaves the same memory behind: no instruction
 * is skipped, none is executed twice, and the debugger's trap flag is nowhere in the guest. */
static void
test_step64(void)
{
    struct machine *kvm = open_step(&engine_kvm), *soft = open_step(&engine_soft);
    unsigned stops = 0, halts = 0;

    if (!kvm || !soft)
        return;
    for (; halts < 2 && stops < 200; stops++) {
        machine_step(kvm);
        machine_step(soft);
        bool same = same_stop(kvm, soft);
        CU_ASSERT(same);
        if (!same) {
            fprintf(stderr, "stop %u:\n", stops);
            machine_describe(kvm);
            machine_describe(soft);
            break;
        }
        halts += kvm->exit->kind == TRACE_HLT;
        answer(kvm);
        answer(soft);
    }
    CU_ASSERT_EQUAL(halts, 2);
    CU_ASSERT_EQUAL(machine_regs(kvm).gpr[X86_R15], 7); /* 20, 3, 6, 0, 14, 13, and 20 again */
    for (unsigned i = 0; i < RAM_MIN; i++)
        if (kvm->vm.ram.host[i] != soft->vm.ram.host[i] && (i < PML4 || i >= PD + 0x1000)) {
            CU_FAIL("memory differs");
            fprintf(stderr, "at %x: %x on kvm, %x on soft\n", i, kvm->vm.ram.host[i],
                    soft->vm.ram.host[i]);
            break;
        }
    machine_close(kvm);
    machine_close(soft);
}

static void
test_regs64(void)
{
    struct machine *m = machine_open_long(GUEST(guest64_regs));
    if (!m)
        return;
    struct x86_regs r = machine_regs(m);
    for (unsigned i = 0; i < 16; i++)
        r.gpr[i] = UINT64_C(0x1111111111111111) * i;
    machine_set_regs(m, &r);
    machine_expect(m, TRACE_HLT);
    struct x86_regs after = machine_regs(m);
    for (unsigned i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(after.gpr[i], r.gpr[i] + 1);
    machine_close(m);
}

static const struct unit_test tests[] = {
    {"the probe guest ends well", test_probe},
    {"INT, an exception, IRETQ", test_int},
    {"user mode, and an exit from there", test_user},
    {"eight bytes of device memory", test_mmio64},
    {"a triple fault is a shutdown", test_triple_fault},
    {"all sixteen registers", test_regs64},
    {"the same steps as on soft", test_step64},
    {NULL, NULL},
};
const struct unit_suite suite_kvm_long = {"long", tests};
