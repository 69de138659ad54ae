/*
 * paravirt.c - tests of strategy paravirt with small kernels on engine soft: traps, system calls,
 * events, arguments of hostile guests, and the counter of privileged instructions.
 * docs/HYPERCALLS.md is what they go by. Long because: most of it is tables of cases.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/launch.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tests/unit/paravirt_machine.h"
#include "tests/unit/suites.h"

extern const uint8_t paravirt_guest_image[], paravirt_guest_end[], paravirt_guest_user[];

static struct pv_machine m;

static void
begin(const void *code, size_t size)
{
    bool open = pv_open(&m, code, size);

    CU_ASSERT_FATAL(open);
}

/* --- the counter ------------------------------------------------------------------------------------ */

/* A kernel that executes one is counted and ended with a sentence that names it. */
static void
test_privileged(void)
{
    static const struct {
        const char *name;
        uint8_t code[8];
    } cases[] = {
        {"cli", {0xfa}},
        {"sti", {0xfb}},
        {"hlt", {0xf4}},
        {"in", {0xe4, 0x80}},
        {"out", {0xee}},
        {"insb", {0x6c}},
        {"ins", {0x6d}},
        {"outsb", {0x6e}},
        {"outs", {0x6f}},
        {"mov", {0x0f, 0x22, 0xd8}}, /* cr3, rax */
        {"mov", {0x0f, 0x20, 0xd0}}, /* rax, cr2 */
        {"mov", {0x0f, 0x21, 0xf8}}, /* rax, dr7 */
        {"clts", {0x0f, 0x06}},
        {"wbinvd", {0x0f, 0x09}},
        {"rdmsr", {0x0f, 0x32}},
        {"wrmsr", {0x0f, 0x30}},
        {"sysret", {0x48, 0x0f, 0x07}},
        {"swapgs", {0x0f, 0x01, 0xf8}},
        {"lgdt", {0x0f, 0x01, 0x14, 0x24}},
        {"lidt", {0x0f, 0x01, 0x1c, 0x24}},
        {"ltr", {0x0f, 0x00, 0xd8}},
        {"lldt", {0x0f, 0x00, 0xd0}},
        {"lmsw", {0x0f, 0x01, 0xf0}},
        {"invlpg", {0x0f, 0x01, 0x3c, 0x24}},
    };
    char name[32];

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        begin(cases[i].code, sizeof(cases[i].code));
        pv_run(&m, 100);
        CU_ASSERT_EQUAL(m.result.end, RUN_REFUSED);
        CU_ASSERT_EQUAL(m.pv->privileged, 1);
        snprintf(name, sizeof(name), "instruction '%s' at", cases[i].name);
        CU_ASSERT_PTR_NOT_NULL(strstr(m.result.message.message, name));
        pv_close(&m);
    }
}

/* IRETQ is not privileged, but a kernel that means to go somewhere by it has forgotten HC_IRET. */
static void
test_privileged_iret(void)
{
    /* push 10; push rsp; push 2; push 8; push 0; iretq */
    static const uint8_t code[] = {0x6a, 0x10, 0x54, 0x6a, 0x02, 0x6a,
                                   0x08, 0x6a, 0x00, 0x48, 0xcf};

    begin(code, sizeof(code));
    pv_run(&m, 100);
    CU_ASSERT_EQUAL(m.pv->privileged, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.result.message.message, "'iret'"));
    pv_close(&m);
}

/* INT 82h may have prefixes, which are a part of it; it counts as one instruction (SDM vol. 2, 2.1.1:
 * REP, LOCK and others mean nothing here). */
static void
test_prefixes(void)
{
    /* mov eax, 12 (HC_YIELD); rep int 82h; repnz cs int 82h; rex.w int 82h; ud2 */
    static const uint8_t code[] = {0xb8, 0x0c, 0,    0,    0,    0xf3, 0xcd, 0x82, 0xf2,
                                   0x2e, 0xcd, 0x82, 0x48, 0xcd, 0x82, 0x0f, 0x0b};

    begin(code, sizeof(code));
    pv_run(&m, 4); /* MOV and three calls, which give 0: HC_GET_INFO */
    CU_ASSERT_EQUAL(m.result.end, RUN_LIMIT);
    CU_ASSERT_EQUAL(m.vm.engine_ops->icount(&m.vm.vcpu[0]), 4);
    CU_ASSERT_EQUAL(m.pv->calls[HC_YIELD], 1);
    CU_ASSERT_EQUAL(m.pv->calls[HC_GET_INFO], 2);
    CU_ASSERT_EQUAL(m.pv->regs.rip, HC_BOOT_BASE + PV_CODE + sizeof(code) - 2);
    pv_close(&m);
}

/* minios-pv from its first to its last instruction: none. And minios, which is not built for this:
 * the first one is one too many. */
static void
test_minios(void)
{
    static const struct {
        const char *guest;
        enum run_end end;
        uint64_t privileged;
    } cases[] = {{"build/guests/minios-pv", RUN_POWER_OFF, 0},
                 {"build/guests/minios", RUN_REFUSED, 1}};
    static struct launch launch;
    struct run_result result;
    struct args args = {0};
    struct error err = {""};
    char text[1024] = "";

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct launch_options options = {
            .guest = cases[i].guest,
            .engine = "soft",
            .strategy = "paravirt",
            .mem = UINT64_C(32) << 20,
            .append = "tasks=serial",
            .console = "null",
            .debug_exit_port = PC_DEBUG_EXIT_PORT,
            .limits = {.instructions = 1000000000},
        };
        int rc = launch_open(&launch, &options, &args, &err);
        CU_ASSERT_EQUAL_FATAL(rc, 0);
        vm_run(&launch.vm, &options.limits, &result);
        const struct paravirt *pv = paravirt_of(&launch.vm.vcpu[0]);
        CU_ASSERT_EQUAL(result.end, cases[i].end);
        CU_ASSERT_EQUAL(pv->privileged, cases[i].privileged);
        if (!pv->privileged) {
            launch.vm.strategy->describe(&launch.vm.vcpu[0], text, sizeof(text));
            CU_ASSERT_PTR_NOT_NULL(strstr(text, "\nprivileged instructions 0\n"));
            /* It used the interface all the same. */
            CU_ASSERT(pv->calls[HC_IRET] > 50 && pv->calls[HC_UPDATE] > 20 && pv->syscalls > 20);
            CU_ASSERT_EQUAL(pv->refused, 0);
            CU_ASSERT_EQUAL(launch.vm.exits_by_kind[TRACE_IO], 0);
        }
        launch_close(&launch, NULL);
    }
}

/* --- traps -------------------------------------------------------------------------------------------- */

struct record {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
    uint64_t fault_address, gs, rcx, r11, masked, handler_rsp, user_gs;
};

#define LOG    0x120000
#define STACK  (HC_BOOT_BASE + 0x140000)
#define SHARED 0x130000

static void
test_journey(void)
{
    /* vector, error, CR2 or 0: in the order of the guest's source */
    static const uint64_t expected[][3] = {
        {6, 0, 0},
        {256, 0, 0},
        {13, HC_VECTOR * 8 + 2, 0},
        {14, 5, HC_BOOT_BASE + 0x100000},   /* P, U: as U/S would say */
        {14, 4, HC_BOOT_BASE + 0x40000000}, /* U: not there */
        {13, 0, 0},
        {13, 0, 0},
        {3, 0, 0},
        {13, 14 * 8 + 2, 0},
        {14, 5, UINT64_C(0xfffff80000000000)}, /* the VMM's window: there, for CPL 0 alone */
        {256, 0, 0},
    };
    size_t size = (size_t)(paravirt_guest_end - paravirt_guest_image);
    const struct record *r;
    uint64_t log_end;

    begin(paravirt_guest_image, size);
    memcpy(m.vm.ram.host + 0x110000, paravirt_guest_user,
           (size_t)(paravirt_guest_end - paravirt_guest_user));
    memcpy(m.vm.ram.host + 0x111000, "\x22\x22", 2); /* gs:0 of the program */
    pv_make_tables(&m, 0x110000, 2);
    pv_run(&m, 100000);
    CU_ASSERT_EQUAL(m.result.end, RUN_POWER_OFF);
    CU_ASSERT_EQUAL(m.result.status, 7);  /* of 0x107, the low 8 bits */
    CU_ASSERT_EQUAL(m.pv->privileged, 0); /* the program's CLI and HLT are its own affair */

    memcpy(&log_end, m.vm.ram.host + LOG, 8);
    CU_ASSERT_EQUAL_FATAL(log_end, HC_BOOT_BASE + LOG + 8 + sizeof(expected) / 24 * sizeof(*r));
    r = (const struct record *)(m.vm.ram.host + LOG + 8);
    for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
        bool user = i > 0;
        CU_ASSERT_EQUAL(r[i].vector, expected[i][0]);
        CU_ASSERT_EQUAL(r[i].error, expected[i][1]);
        if (r[i].vector == 14)
            CU_ASSERT_EQUAL(r[i].fault_address, expected[i][2]);
        CU_ASSERT_EQUAL(r[i].cs, user ? HC_USER_CS : HC_KERNEL_CS);
        CU_ASSERT_EQUAL(r[i].ss, user ? HC_USER_SS : HC_KERNEL_SS);
        CU_ASSERT_EQUAL(r[i].rsp, user ? PV_USER + 0x2000 : STACK);
        CU_ASSERT_EQUAL(r[i].rflags & FLAG_IF, user ? FLAG_IF : 0); /* events were unmasked */
        /* Seven words below the stack's top, which was aligned to 16 (SDM vol. 3, 6.14.2). */
        CU_ASSERT_EQUAL(r[i].handler_rsp, STACK - 7 * 8);
        CU_ASSERT_EQUAL(r[i].gs, 0x1111);
        CU_ASSERT_EQUAL(r[i].user_gs, user ? 0x2222 : 0);
        /* Trap 3 has no HTC_TRAP_MASKED; 6 neither, but the kernel had masked before. */
        CU_ASSERT_EQUAL(r[i].masked, r[i].vector != 3);
        if (r[i].vector == 256) { /* SYSCALL (SDM vol. 2) */
            CU_ASSERT_EQUAL(r[i].rcx, r[i].rip);
            CU_ASSERT_EQUAL(r[i].r11, r[i].rflags);
        }
    }
    pv_close(&m);
}

/* No handler, no stack: what a triple fault is to a PC, with a sentence. */
static void
test_dead_ends(void)
{
    static const uint8_t fault[] = {0x0f, 0x0b}; /* ud2 */
    struct hc_trap trap = {.address = HC_BOOT_BASE + PV_CODE};

    begin(fault, sizeof(fault));
    pv_run(&m, 100);
    CU_ASSERT_EQUAL(m.result.end, RUN_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.result.message.message, "no handler for #UD"));
    pv_close(&m);

    begin(fault, sizeof(fault));
    memcpy(m.vm.ram.host + 0x120000 + VEC_UD * sizeof(trap), &trap, sizeof(trap));
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_TRAPS, HC_BOOT_BASE + 0x120000, 32), 0);
    m.pv->regs.gpr[X86_RSP] = 0x10; /* the frame would begin below address 0 */
    CU_ASSERT_EQUAL(paravirt_enter(m.pv, &m.err), 0);
    pv_run(&m, 100);
    CU_ASSERT_EQUAL(m.result.end, RUN_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(m.result.message.message, "no stack for #UD"));
    pv_close(&m);
}

/* --- arguments of a hostile kernel ---------------------------------------------------------------------- */

#define NOWHERE  UINT64_C(0x0000600000000000) /* canonical, never mapped */
#define HOLE     UINT64_C(0x0000900000000000) /* not canonical */
#define READONLY (HC_BOOT_BASE + PV_TABLES)   /* a page table: readable, not writable */
#define DATA     (HC_BOOT_BASE + 0x120000)
#define LAST     (HC_BOOT_BASE + PV_RAM - 8) /* eight bytes before the end of what is mapped */

/* Long because: it is one table. */
static void
test_wild_pointers(void)
{
    static const struct {
        unsigned number;
        uint64_t a, b;
        int64_t result;
    } cases[] = {
        {HC_GET_INFO, NOWHERE, 0, -EFAULT},
        {HC_GET_INFO, HOLE, 0, -EFAULT},
        {HC_GET_INFO, READONLY, 0, -EFAULT},
        {HC_GET_INFO, LAST, 0, -EFAULT},
        {HC_GET_INFO, 0xfffff80000000000, 0, -EFAULT}, /* the VMM's window */
        {HC_GET_INFO, DATA, 0, 0},
        {HC_CONSOLE_WRITE, NOWHERE, 1, -EFAULT},
        {HC_CONSOLE_WRITE, NOWHERE, 0, 0},
        {HC_CONSOLE_WRITE, LAST, 9, -EFAULT},
        {HC_CONSOLE_WRITE, LAST, 8, 8},
        {HC_CONSOLE_WRITE, READONLY, 8, 8},
        {HC_CONSOLE_WRITE, DATA, HC_CONSOLE_MAX + 1, -EINVAL},
        {HC_CONSOLE_WRITE, DATA, UINT64_MAX, -EINVAL},
        {HC_CONSOLE_READ, READONLY, 8, -EFAULT},
        {HC_CONSOLE_READ, DATA, 8, 0},
        {HC_CONSOLE_READ, DATA, UINT64_MAX, -EINVAL},
        {HC_SET_SHARED, PV_RAM, 0, -EPERM},
        {HC_SET_SHARED, 8, 0, -EINVAL},
        {HC_SET_SHARED, RAM_PRIVATE, 0, -EPERM},
        {HC_SET_SHARED, PV_TABLES, 0, -EBUSY},
        {HC_SET_TRAPS, NOWHERE, 1, -EFAULT},
        {HC_SET_TRAPS, DATA, HC_TRAPS + 1, -EINVAL},
        {HC_SET_TRAPS, DATA, UINT64_MAX / 16 + 2, -EINVAL}, /* times 16 it would be small */
        {HC_SET_SYSCALL, HOLE, 0, -EINVAL},
        {HC_SET_STACK, HOLE, 0, -EINVAL},
        {HC_SET_BASE, HC_BASE_FS, HOLE, -EINVAL},
        {HC_SET_BASE, 3, 0, -EINVAL},
        {HC_SET_BASE, HC_BASE_FS, DATA, 0},
        {HC_SET_TIMER, 1, 0, -EINVAL},
        {HC_SET_TIMER, HC_TIMER_MIN, 1, -EINVAL},
        {HC_SET_TIMER, UINT64_MAX, 0, -EINVAL},
        {HC_SET_TIMER, 0, 77, 0},
        {HC_SET_ROOT, PV_RAM, 0, -EPERM},
        {HC_SET_ROOT, RAM_PRIVATE + 0x20000, 0, -EPERM}, /* the first map's */
        {HC_SET_ROOT, PV_TABLES + 8, 0, -EINVAL},
        {HC_SET_ROOT, PV_TABLES + PAGE_SIZE, 0, -EBUSY},
        {HC_SET_ROOT, 0x120000, 0, -EBUSY}, /* mapped writable */
        {HC_UPDATE, PV_TABLES + 8 * HC_RESERVED_SLOT, 0, -EPERM},
        {HC_UPDATE, PV_TABLES + 3 * PAGE_SIZE, RAM_PRIVATE | ENTRY_P, -EPERM},
        {HC_UPDATE, PV_TABLES + 3 * PAGE_SIZE, PV_TABLES | ENTRY_P | ENTRY_W, -EPERM},
        {HC_UPDATE, RAM_PRIVATE + 0x20000, 0, -EPERM},
        {HC_UPDATE_LINEAR, NOWHERE, 0, -EFAULT},
        {HC_UPDATE_LINEAR, HOLE, 0, -EFAULT},
        {HC_UPDATE_LINEAR, 0xfffff80000000000, 0, -EFAULT},
        {HC_UPDATE_LINEAR, DATA + 1, 0, -EINVAL},
        {HC_UPDATE_LINEAR, READONLY, PV_TABLES | ENTRY_P | ENTRY_W, -EPERM},
        {HC_PIN, PV_TABLES, 0, -EINVAL},
        {HC_PIN, PV_TABLES, 3, -EBUSY},
        {HC_UNPIN, PV_TABLES, 0, -EINVAL},
        {HC_MULTICALL, NOWHERE, 1, -EFAULT},
        {HC_MULTICALL, READONLY, 1, -EFAULT},
        {HC_MULTICALL, DATA, HC_CALLS_MAX + 1, -EINVAL},
        {HC_MULTICALL, DATA, UINT64_MAX, -EINVAL},
        {HC_COUNT, 0, 0, -ENOSYS},
        {UINT32_MAX, 0, 0, -ENOSYS},
    };

    begin("", 1);
    CU_ASSERT_EQUAL(pv_call(&m, HC_PIN, 0x120000, 1), -EINVAL); /* before the first root */
    CU_ASSERT_EQUAL(pv_call(&m, HC_BLOCK, 0, 0), -EINVAL);      /* without a shared page */
    CU_ASSERT_EQUAL_FATAL(pv_call(&m, HC_SET_ROOT, pv_make_tables(&m, 0x110000, 2), 0), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t result = pv_call(&m, cases[i].number, cases[i].a, cases[i].b);
        CU_ASSERT_EQUAL(result, cases[i].result);
        if (result != cases[i].result)
            fprintf(stderr, "case %u: hypercall %u gave %lld\n", i, cases[i].number,
                    (long long)result);
    }
    pv_close(&m);
}

static int64_t
try_iret(uint64_t cs, uint64_t rip)
{
    struct hc_iret frame = {0x55, {rip, cs, 0x3202, 0x1234, 0}};

    memcpy(m.vm.ram.host + 0x120000, &frame, sizeof(frame));
    m.pv->regs.gpr[X86_RSP] = DATA;
    m.pv->user = false;
    return pv_call(&m, HC_IRET, 0, 0);
}

static void
test_iret(void)
{
    begin("", 1);
    CU_ASSERT_EQUAL(try_iret(HC_USER_CS, PV_USER), -EINVAL); /* no root: no user mode yet */
    pv_call(&m, HC_SET_ROOT, pv_make_tables(&m, 0x110000, 2), 0);
    CU_ASSERT_EQUAL(try_iret(1, PV_USER), -EINVAL); /* ring 1: neither kernel nor user */
    CU_ASSERT_EQUAL(try_iret(HC_USER_CS, HOLE), -EINVAL);
    CU_ASSERT_EQUAL(try_iret(HC_USER_CS, PV_USER), 0x55);
    CU_ASSERT(m.pv->user);
    CU_ASSERT_EQUAL(m.pv->regs.gpr[X86_RSP], 0x1234);
    CU_ASSERT_EQUAL(m.pv->regs.rflags & FLAG_IOPL, 0);
    CU_ASSERT_EQUAL(try_iret(HC_KERNEL_CS, DATA), 0x55);
    CU_ASSERT(!m.pv->user);
    m.pv->regs.gpr[X86_RSP] = NOWHERE;
    CU_ASSERT_EQUAL(pv_call(&m, HC_IRET, 0, 0), -EFAULT);
    pv_close(&m);
}

static void
test_multicall(void)
{
    struct hc_call calls[] = {
        {HC_CONSOLE_WRITE, {HC_BOOT_BASE + 0x121000, 2}, 99},
        {HC_IRET, {0}, 99},
        {HC_MULTICALL, {DATA, 1}, 99},
        {HC_BLOCK, {0}, 99},
        {HC_SHUTDOWN, {0}, 99},
        {1000, {0}, 99},
        {HC_UPDATE_LINEAR, {HC_BOOT_BASE + 0x122000, 0x122000 | ENTRY_P | ENTRY_U}, 99},
        {HC_GET_INFO, {HC_BOOT_BASE + 0x122000}, 99}, /* sees what the one before did */
    };
    static const int64_t results[] = {2, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -ENOSYS, 0, -EFAULT};

    begin("", 1);
    pv_call(&m, HC_SET_ROOT, pv_make_tables(&m, 0x110000, 2), 0);
    memcpy(m.vm.ram.host + 0x120000, calls, sizeof(calls));
    memcpy(m.vm.ram.host + 0x121000, "ok", 2);
    CU_ASSERT_EQUAL(pv_call(&m, HC_MULTICALL, DATA, ARRAY_SIZE(calls)), 0);
    memcpy(calls, m.vm.ram.host + 0x120000, sizeof(calls));
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++)
        CU_ASSERT_EQUAL(calls[i].result, results[i]);
    console_flush(&m.console);
    CU_ASSERT(m.console.kept_size == 2 && !memcmp(m.console.kept, "ok", 2));
    CU_ASSERT_EQUAL(m.vm.power, POWER_NONE);
    pv_close(&m);
}

/* --- events ---------------------------------------------------------------------------------------------- */

static struct hc_shared *
shared(void)
{
    return (struct hc_shared *)(m.vm.ram.host + SHARED);
}

static void
begin_events(void)
{
    static const uint8_t loop[] = {0xeb, 0xfe}; /* jmp . */
    struct hc_trap traps[64] = {0};

    for (unsigned i = 0; i < 64; i++)
        traps[i].address = HC_BOOT_BASE + PV_CODE;
    begin(loop, sizeof(loop));
    memcpy(m.vm.ram.host + 0x120000, traps, sizeof(traps));
    pv_call(&m, HC_SET_TRAPS, DATA, 64);
    shared()->masked = 1;
    pv_call(&m, HC_SET_SHARED, SHARED, 0);
    m.pv->regs.gpr[X86_RSP] = DATA + 0x2000;
    CU_ASSERT_EQUAL(paravirt_enter(m.pv, &m.err), 0);
}

/* Masked, an event only sets the pending byte; unmasked it comes, and masks. */
static void
test_mask(void)
{
    begin_events();
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_TIMER, 10000, 0), 0);
    pv_run(&m, 9000);
    CU_ASSERT_EQUAL(shared()->pending, 0);
    pv_run(&m, 20000);
    CU_ASSERT_EQUAL(shared()->pending, 1);
    CU_ASSERT_EQUAL(m.pv->delivered, 0);
    CU_ASSERT_EQUAL(m.pv->events.next, UINT64_MAX); /* once is once */

    shared()->masked = 0; /* the kernel's plain write */
    pv_run(&m, 30000);
    CU_ASSERT_EQUAL(m.pv->delivered, 1);
    CU_ASSERT_EQUAL(shared()->pending, 0);
    CU_ASSERT_EQUAL(shared()->masked, 1);
    pv_close(&m);
}

/* Every period one, without drift; twice before it is taken is one. */
static void
test_period(void)
{
    begin_events();
    uint64_t start = m.vm.engine_ops->time(&m.vm.vcpu[0]);
    CU_ASSERT_EQUAL(pv_call(&m, HC_SET_TIMER, 5000, 3000), 0);
    pv_run(&m, start + 15500);
    CU_ASSERT_EQUAL(m.pv->events.next, start + 17000);
    CU_ASSERT_EQUAL(m.pv->events.waiting, UINT64_C(1) << HC_EVENT_TIMER);
    CU_ASSERT_EQUAL(m.pv->delivered, 0);
    pv_call(&m, HC_SET_TIMER, 0, 0);
    CU_ASSERT_EQUAL(m.pv->events.next, UINT64_MAX);
    pv_close(&m);
}

/* HC_BLOCK with nothing that could ever come ends the run; with a timer, time passes. */
static void
test_block(void)
{
    begin_events();
    CU_ASSERT_EQUAL(pv_call(&m, HC_BLOCK, 0, 0), 0);
    CU_ASSERT_EQUAL(shared()->masked, 0);
    pv_run(&m, 1000);
    CU_ASSERT_EQUAL(m.result.end, RUN_HALTED);
    pv_call(&m, HC_SET_TIMER, 5000000, 0);
    pv_call(&m, HC_BLOCK, 0, 0);
    pv_run(&m, 1000);
    CU_ASSERT_EQUAL(m.pv->delivered, 1);
    CU_ASSERT(shared()->time >= 5000000);
    CU_ASSERT_EQUAL(shared()->tsc_scale, UINT64_C(1) << 32);
    CU_ASSERT_EQUAL(shared()->tsc, shared()->time);
    CU_ASSERT(shared()->version > 0);
    pv_close(&m);
}

static void
test_input(void)
{
    uint8_t got[300] = {0};

    begin_events();
    for (unsigned i = 0; i < PARAVIRT_INPUT; i++)
        CU_ASSERT(m.vm.input.put(m.vm.input.ctx, (uint8_t)i));
    CU_ASSERT(!m.vm.input.room(m.vm.input.ctx));
    CU_ASSERT(!m.vm.input.put(m.vm.input.ctx, 1));
    CU_ASSERT_EQUAL(m.vm.irq.acknowledge(m.vm.irq.ctx), HC_EVENT_TRAP + HC_EVENT_CONSOLE);
    CU_ASSERT(!m.vm.irq.pending(m.vm.irq.ctx));
    CU_ASSERT_EQUAL(pv_call(&m, HC_CONSOLE_READ, DATA, 300), PARAVIRT_INPUT);
    memcpy(got, m.vm.ram.host + 0x120000, sizeof(got));
    CU_ASSERT(got[0] == 0 && got[1] == 1 && got[255] == 255);
    CU_ASSERT_EQUAL(pv_call(&m, HC_CONSOLE_READ, DATA, 300), 0);
    pv_close(&m);
}

static const struct unit_test tests[] = {
    {"a privileged instruction is counted and named", test_privileged},
    {"IRETQ counts too", test_privileged_iret},
    {"a hypercall with prefixes is one instruction", test_prefixes},
    {"minios-pv executes none, minios at once", test_minios},
    {"traps and system calls, kernel and user", test_journey},
    {"no handler, no stack", test_dead_ends},
    {"wild pointers and foreign frames", test_wild_pointers},
    {"frames for iret", test_iret},
    {"multicall", test_multicall},
    {"the event mask", test_mask},
    {"the periodic timer", test_period},
    {"block, and the clock", test_block},
    {"what is typed", test_input},
    {NULL, NULL},
};
const struct unit_suite suite_paravirt = {"paravirt", tests};
