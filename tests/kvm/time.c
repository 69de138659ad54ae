/* time.c - on a real KVM: HLT, interrupts, the interrupt window, deadlines and kicks. */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "core/ram.h"
#include "tests/kvm/machine.h"
#include "tests/kvm/suites.h"

/* HLT ends with an interrupt and with nothing else. */
static void
test_interrupt(void)
{
    struct machine *m = machine_open(GUEST(guest_irq));
    if (!m)
        return;
    machine_ivt(m, 0x20, AT(guest_irq, guest_irq_handler));
    for (unsigned i = 1; i <= 3; i++) {
        machine_expect(m, TRACE_HLT);
        uint64_t rip = m->exit->rip;
        CU_ASSERT_EQUAL(m->vm.ram.host[rip], 0xf4);
        CU_ASSERT_EQUAL(machine_regs(m).halted, 1);
        machine_expect(m, TRACE_HLT); /* still */
        CU_ASSERT_EQUAL(m->exit->rip, rip);
        CU_ASSERT(engine_kvm.can_inject(m->vcpu));
        CU_ASSERT_EQUAL(engine_kvm.inject(m->vcpu, 0x20, &m->err), 0);
        CU_ASSERT(!engine_kvm.can_inject(m->vcpu)); /* one at a time */
        machine_expect_out(m, 0x80, 2, i);
    }
    machine_close(m);
}

/* SDM vol. 2, STI: interrupts stay off for one more instruction; then the window is open. */
static void
test_window(void)
{
    struct machine *m = machine_open(GUEST(guest_window));
    if (!m)
        return;
    machine_ivt(m, 0x20, AT(guest_window, guest_window_handler));
    machine_expect_out(m, 0x81, 1, 0);
    CU_ASSERT(!engine_kvm.can_inject(m->vcpu));
    m->vcpu->window_requested = true;
    machine_expect(m, TRACE_INTR_WINDOW);
    m->vcpu->window_requested = false;
    CU_ASSERT(engine_kvm.can_inject(m->vcpu));
    uint64_t rip = machine_regs(m).rip; /* xor 2, cli 1, mov 3, out 2, sti 1, nop 1: LOOP is at a */
    CU_ASSERT(rip >= CODE + 0xa && rip <= CODE + 0xc);
    CU_ASSERT_EQUAL(engine_kvm.inject(m->vcpu, 0x20, &m->err), 0);
    machine_expect_out(m, 0x80, 2, 1);
    machine_expect(m, TRACE_HLT);
    CU_ASSERT(!engine_kvm.can_inject(m->vcpu)); /* CLI */
    machine_close(m);
}

/* A guest without an exit of its own comes back at the deadline, and not before. */
static void
test_deadline(void)
{
    struct machine *m = machine_open(GUEST(guest_spin));
    if (!m)
        return;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t deadline = engine_kvm.time(m->vcpu) + SECOND / 100;
        CU_ASSERT_EQUAL(engine_kvm.run(m->vcpu, deadline, NO_BUDGET, &m->err), 0);
        CU_ASSERT_EQUAL(m->exit->kind, TRACE_KICK);
        CU_ASSERT(engine_kvm.time(m->vcpu) >= deadline);
        CU_ASSERT_EQUAL(m->exit->rip, CODE);
    }
    /* One that has passed already. */
    CU_ASSERT_EQUAL(engine_kvm.run(m->vcpu, 0, NO_BUDGET, &m->err), 0);
    CU_ASSERT_EQUAL(m->exit->kind, TRACE_KICK);
    machine_close(m);
}

/* The timer was set for a deadline that has moved away: the VMM does not hear of it. */
static void
test_deadline_moved(void)
{
    struct machine *m = machine_open(GUEST(guest_outs_loop));
    if (!m)
        return;
    /* Not so near that a busy host lets it pass before the guest's first exit. */
    uint64_t near = engine_kvm.time(m->vcpu) + 3 * SECOND, far = near + SECOND / 10;
    CU_ASSERT_EQUAL(engine_kvm.run(m->vcpu, near, NO_BUDGET, &m->err), 0);
    CU_ASSERT_EQUAL(m->exit->kind, TRACE_IO);
    memcpy(m->vm.ram.host + CODE, "\xeb\xfe", 2); /* jmp . */
    struct x86_regs r = machine_regs(m);
    r.rip = CODE;
    machine_set_regs(m, &r);
    CU_ASSERT_EQUAL(engine_kvm.run(m->vcpu, far, NO_BUDGET, &m->err), 0);
    CU_ASSERT_EQUAL(m->exit->kind, TRACE_KICK);
    CU_ASSERT(engine_kvm.time(m->vcpu) >= far);
    machine_close(m);
}

static void *
kick_later(void *vcpu)
{
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    engine_kvm.kick(vcpu);
    return NULL;
}

/* Before the run, and from another thread while the guest loops for ever. */
static void
test_kick(void)
{
    struct machine *m = machine_open(GUEST(guest_spin));
    pthread_t thread;

    if (!m)
        return;
    engine_kvm.kick(m->vcpu);
    machine_expect(m, TRACE_KICK);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, kick_later, m->vcpu), 0);
    /* Without a deadline: but for the kick it would never end. */
    CU_ASSERT_EQUAL(engine_kvm.run(m->vcpu, UINT64_MAX, NO_BUDGET, &m->err), 0);
    CU_ASSERT_EQUAL(m->exit->kind, TRACE_KICK);
    pthread_join(thread, NULL);
    machine_close(m);
}

static const struct unit_test tests[] = {
    {"HLT waits for an interrupt", test_interrupt},
    {"the interrupt window opens behind the shadow of STI", test_window},
    {"an endless loop ends at the deadline", test_deadline},
    {"a deadline that moved away is not heard of", test_deadline_moved},
    {"a kick ends the run", test_kick},
    {NULL, NULL},
};
const struct unit_suite suite_kvm_time = {"time", tests};
