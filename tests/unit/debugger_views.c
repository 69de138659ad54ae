/*
 * debugger_views.c - the views of `info`, the context and `explain` of machines that make no sense:
 * random registers over random memory. They end, print something, and stay within their buffers (make
 * MODE=asan looks). And the views of a recording made by hand; what is said of a guest of ours,
 * tests/cli/views.sh checks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/debugger.h"
#include "debugger/explain.h"
#include "debugger/info.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tests/random.h"
#include "tests/unit/suites.h"
#include "tests/unit/tracer_tape.h"
#include "tests/unit/unit.h"

/* --- a machine that is only registers and memory -------------------------------------------------- */

static int
get_regs(struct machine *m, struct x86_regs *regs, struct error *err)
{
    (void)err;
    *regs = *(const struct x86_regs *)m->own;
    return 0;
}

static int
read_memory(struct machine *m, enum machine_space space, uint64_t address, void *to, size_t size,
            struct error *err)
{
    (void)space;
    return ram_read(&m->vm->ram, address, to, size) ? error_set(err, EFAULT, "no memory") : 0;
}

static const struct machine_ops ops = {.name = "noise", .get_regs = get_regs, .read = read_memory};

struct noise {
    struct vm vm;
    struct machine machine;
    struct x86_regs regs;
    struct debugger debugger;
    char *text;
    size_t size;
    uint64_t seed;
};

static void
open_noise(struct noise *n)
{
    struct error err;

    memset(n, 0, sizeof(*n));
    n->seed = 88172645463325252;
    CU_ASSERT_EQUAL_FATAL(vm_create(&n->vm, RAM_MIN, &err), 0);
    for (unsigned i = 0; i < RAM_MIN / 8; i++) {
        uint64_t value = random_next(&n->seed);
        /* Half of the entries lead into memory. */
        if (value & 0x100)
            value &= UINT64_C(0x80000000000fffff) | 0xfff;
        memcpy(n->vm.ram.host + 8 * i, &value, 8);
    }
    n->vm.strategy = strategy_find("hardware");
    n->vm.engine_ops = engine_find("soft");
    n->vm.vcpu[0].vm = &n->vm;
    n->machine = (struct machine){.ops = &ops,
                                  .engine = "soft",
                                  .strategy = "hardware",
                                  .vm = &n->vm,
                                  .vcpu = &n->vm.vcpu[0],
                                  .own = &n->regs};
    CU_ASSERT_EQUAL_FATAL(debugger_open(&n->debugger, &n->machine, NULL, &err), 0);
    n->debugger.out = open_memstream(&n->text, &n->size);
}

static void
close_noise(struct noise *n)
{
    fclose(n->debugger.out);
    free(n->text);
    debugger_close(&n->debugger);
    vm_destroy(&n->vm);
}

/* Modes that exist come up often enough, with tables that lie in memory. */
static void
shake(struct noise *n)
{
    uint64_t choice = random_next(&n->seed);
    char *bytes = (char *)&n->regs;

    for (unsigned i = 0; i < sizeof(n->regs) / 8; i++) {
        uint64_t value = random_next(&n->seed);
        memcpy(bytes + 8 * i, &value, 8);
    }
    if (choice & 1) {
        n->regs.cr0 |= CR0_PE | CR0_PG;
        n->regs.cr4 |= CR4_PAE;
        n->regs.efer |= EFER_LMA;
        n->regs.rflags &= ~(uint64_t)FLAG_VM;
    }
    if (choice & 2) {
        n->regs.cr0 &= ~(uint64_t)CR0_PG;
        n->regs.efer &= ~(uint64_t)EFER_LMA;
        n->regs.idtr.base &= RAM_MIN - 1;
        n->regs.gdtr.base &= RAM_MIN - 1;
        n->regs.rip &= RAM_MIN - 1;
    }
    if (choice & 4)
        n->regs.cr3 &= RAM_MIN - 1;
    n->machine.before = n->regs;
    n->machine.before.cr0 ^= choice;
    n->machine.before_known = choice & 8;
    n->debugger.settings.color = choice & 16;
    memset(&n->machine.exit, (int)(choice >> 32), sizeof(n->machine.exit));
    n->machine.exit.user = choice & 32;
    n->machine.exit.no_entry = choice & 128;
    n->machine.exit.in_kernel = choice & 16;
    n->machine.exit.kind = random_next(&n->seed) % TRACE_KIND_COUNT;
    if (n->machine.exit.kind >= TRACE_FAIL_ENTRY || n->machine.exit.kind == TRACE_UNIMPLEMENTED)
        n->machine.exit.failure.text = NULL;
    /* A bool is true or false, and what the engine points to is there, whatever the rest is; their
     * place depends on the kind. */
    switch (n->machine.exit.kind) {
    case TRACE_HOST_CALL:
    case TRACE_DENIED:
    case TRACE_EXEC:
        n->machine.exit.call.more = NULL;
        n->machine.exit.call.pending = choice & 64;
        n->machine.exit.call.foreign = choice & 128;
        break;
    case TRACE_MSR:
        n->machine.exit.msr.write = choice & 64;
        n->machine.exit.msr.refused = choice & 128;
        break;
    case TRACE_EXCEPTION: n->machine.exit.exception.has_error = choice & 64; break;
    case TRACE_CR:
    case TRACE_DR: n->machine.exit.reg.write = choice & 64; break;
    default: n->machine.exit.access.write = choice & 64; break;
    }
    n->machine.now = (struct moment){.exits = 1, .icount = choice, .edge = choice % 3};
}

static void
test_views_of_noise(void)
{
    static int (*const all[])(struct debugger *, const char *, struct error *) = {
        info_registers, info_sregs, info_msr, info_cpuid,
        info_gdt,       info_idt,   info_mem, info_devices};
    struct noise *n = aligned_alloc(64, (sizeof(*n) + 63) / 64 * 64);

    open_noise(n);
    for (unsigned round = 0; round < 400; round++) {
        struct error err = {""};
        char address[24];
        shake(n);
        for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            rewind(n->debugger.out);
            all[i](&n->debugger, "", &err);
            fflush(n->debugger.out);
            CU_ASSERT(n->size > 0 || err.message[0]);
            CU_ASSERT(n->size < 200000); /* a table of noise is cut */
        }
        snprintf(address, sizeof(address), "%llu", (unsigned long long)random_next(&n->seed));
        rewind(n->debugger.out);
        CU_ASSERT_EQUAL(info_walk(&n->debugger, address, &err), 0);
    }
    close_noise(n);
    free(n);
}

/* At most 12 lines, whatever the machine is like. */
static void
test_context_of_noise(void)
{
    struct noise *n = aligned_alloc(64, (sizeof(*n) + 63) / 64 * 64);

    open_noise(n);
    for (unsigned round = 0; round < 2000; round++) {
        struct stop stop = {.why = random_next(&n->seed) % (STOP_END + 1)};
        unsigned lines = 0;
        shake(n);
        rewind(n->debugger.out);
        debugger_show_stop(&n->debugger, &stop);
        fflush(n->debugger.out);
        for (size_t i = 0; i < n->size; i++)
            lines += n->text[i] == '\n';
        CU_ASSERT(lines <= 12);
    }
    close_noise(n);
    free(n);
}

static void
test_explain_noise(void)
{
    struct noise *n = aligned_alloc(64, (sizeof(*n) + 63) / 64 * 64);

    open_noise(n);
    for (unsigned round = 0; round < 2000; round++) {
        struct subject subject = {.debugger = &n->debugger,
                                  .machine = &n->machine,
                                  .number = 1,
                                  .here = true,
                                  .has_regs = true};
        shake(n);
        subject.exit = n->machine.exit;
        subject.edge = n->machine.now.edge;
        subject.regs = n->regs;
        if (trace_kinds[subject.exit.kind].class != TRACE_CLASS_EXIT)
            subject.exit.kind = TRACE_SHUTDOWN;
        rewind(n->debugger.out);
        explain_exit(&subject);
        n->machine.ended = true;
        n->machine.exit.kind = subject.exit.kind;
        n->machine.result.end = random_next(&n->seed) % (RUN_REFUSED + 1);
        explain_machine_end(&n->debugger);
        n->machine.ended = false;
        fflush(n->debugger.out);
        CU_ASSERT(n->size > 100);
    }
    close_noise(n);
    free(n);
}

/* --- a recording ---------------------------------------------------------------------------------- */

#define KERNEL TRACE_ACTOR_GUEST_KERNEL
#define VMM    TRACE_ACTOR_DISPATCHER

/* What one view prints of a recording, at its end. The caller frees it. */
static char *
view_of_tape(struct tape *tape, int (*view)(struct debugger *, const char *, struct error *),
             const char *arguments)
{
    struct machine machine;
    struct debugger debugger;
    struct trace trace;
    struct error err = {""};
    struct stop stop;
    size_t size;
    char *text;

    tape_read(tape, &trace);
    CU_ASSERT_EQUAL_FATAL(machine_open_recording(&machine, &trace, NULL, &err), 0);
    CU_ASSERT_EQUAL_FATAL(debugger_open(&debugger, &machine, NULL, &err), 0);
    CU_ASSERT_EQUAL(machine.ops->forward(&machine, &(struct machine_goal){0}, &stop, &err), 0);
    debugger.out = open_memstream(&text, &size);
    CU_ASSERT_EQUAL(view(&debugger, arguments, &err), 0);
    fclose(debugger.out);
    debugger_close(&debugger);
    machine_close(&machine);
    trace_close(&trace);
    return text;
}

static void
check_view(struct tape *tape, int (*view)(struct debugger *, const char *, struct error *),
           const char *arguments, const char *has, const char *has_not)
{
    char *text = view_of_tape(tape, view, arguments);

    if (!strstr(text, has) || strstr(text, has_not))
        printf("\n%s", text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, has));
    CU_ASSERT_PTR_NULL(strstr(text, has_not));
    free(text);
}

/* The exits of two threads overlap: each has its own entry. */
static void
test_two_processors(void)
{
    struct tape tape;

    tape_start(&tape);
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 10);
    tape_put(&tape, TRACE_MMIO, KERNEL, VMM, 20)->vcpu = 1;
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 70);
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 1)->vcpu = 1;
    tape_close(&tape);
    check_view(&tape, info_exits, "", "25.0      30 ns", "not");
    check_view(&tape, info_exits, "", "75.0      90 ns", "not");
    check_view(&tape, info_exit, "1", "cost: 30 ns", "mmio");
    check_view(&tape, info_exit, "2", "cost: 90 ns", "+20 ns");
    tape_remove(&tape);
}

/* However much happens between an exit and its entry, the entry is found. */
static void
test_long_exit(void)
{
    struct tape tape;

    tape_start(&tape);
    tape_put(&tape, TRACE_IO, KERNEL, VMM, 1);
    for (unsigned i = 0; i < 300; i++)
        tape_put(&tape, TRACE_CALL, VMM, VMM, 1);
    tape_put(&tape, TRACE_ENTRY, VMM, KERNEL, 1);
    tape_close(&tape);
    check_view(&tape, info_exit, "1", "and 102 more\ncost: 301 ns", "not been entered");
    tape_remove(&tape);
}

static const struct unit_test tests[] = {
    {"info, of noise", test_views_of_noise},   {"the context, of noise", test_context_of_noise},
    {"explain, of noise", test_explain_noise}, {"info, of two processors", test_two_processors},
    {"info, of a long exit", test_long_exit},  {NULL, NULL},
};
const struct unit_suite suite_debugger_views = {"debugger views", tests};
