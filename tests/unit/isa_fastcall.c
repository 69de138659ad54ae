/*
 * isa_fastcall.c - tests of SYSCALL, SYSENTER, their returns, SWAPGS, INT3, INTO, INT1 and BOUND
 * (isa/x86/fastcall.c). Sections are the SDM's.
 */
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

#define TOP(n)      (M_STACK + ((n) + 1) * 0x1000u)
#define FLAT_CODE64 0xa09b /* G, L, P, code, readable, accessed */
#define FLAT_CODE32 0xc09b
#define FLAT_DATA   0xc093
#define RING3       0x0060

static void
expect_segments(const char *row, const struct machine *m, uint16_t cs, uint16_t cs_attr,
                uint16_t ss, uint16_t ss_attr)
{
    const struct x86_segment *seg = m->cpu.r.seg;

    EXPECT(row, seg[X86_CS].selector, cs);
    EXPECT(row, seg[X86_CS].attr, cs_attr);
    EXPECT(row, seg[X86_CS].base, 0);
    EXPECT(row, seg[X86_CS].limit, 0xffffffff);
    EXPECT(row, seg[X86_SS].selector, ss);
    EXPECT(row, seg[X86_SS].attr, ss_attr);
    EXPECT(row, seg[X86_SS].base, 0);
    EXPECT(row, seg[X86_SS].limit, 0xffffffff);
}

/* --- SYSCALL, SYSRET: vol. 2; vol. 3, 5.8.8 ---------------------------------------------------- */

static struct machine *
open_syscall(unsigned ring)
{
    struct machine *m = machine_open(M_LONG);

    m->cpu.r.efer |= EFER_SCE;
    m->cpu.r.star = UINT64_C(0x0073010300000000); /* low bits of both selectors are set */
    m->cpu.r.lstar = M_HIGH + M_HANDLER;
    m->cpu.r.sfmask = FLAG_TF | FLAG_IF | FLAG_DF | FLAG_ONE;
    m->cpu.r.gdtr.limit = 0; /* no descriptor is read */
    machine_ring(m, ring);
    return m;
}

static void
test_syscall(void)
{
    struct machine *m = open_syscall(3);
    uint32_t flags = FLAG_IF | FLAG_DF | FLAG_CF | FLAG_AC | FLAG_ONE;

    m->cpu.r.rflags = flags;
    CODE(m, 0x0f, 0x05);
    EXPECT("SYSCALL", machine_try(m), EMU_OK);
    EXPECT("SYSCALL", m->cpu.r.rip, M_HIGH + M_HANDLER);
    EXPECT("SYSCALL", m->cpu.r.gpr[X86_RCX], M_CODE + 2);
    EXPECT("SYSCALL", m->cpu.r.gpr[X86_R11], flags);
    EXPECT("SYSCALL", m->cpu.r.rflags, FLAG_CF | FLAG_AC | FLAG_ONE);
    EXPECT("SYSCALL", m->cpu.r.gpr[X86_RSP], TOP(3));
    EXPECT("SYSCALL", m->cpu.cpl, 0);
    expect_segments("SYSCALL", m, 0x100, FLAT_CODE64, 0x108, FLAT_DATA);
    EXPECT("hook", m->transfer[0].what, X86_T_SYSCALL);
    EXPECT("hook", m->transfer[0].from_cpl, 3);
    test_cpu_close(m);

    m = open_syscall(3);
    m->cpu.r.efer &= ~(uint64_t)EFER_SCE;
    CODE(m, 0x0f, 0x05);
    EXPECT_FAULT("SCE clear", m, VEC_UD, -1);
    test_cpu_close(m);
    m = machine_open(M_COMPAT32);
    m->cpu.r.efer |= EFER_SCE;
    CODE(m, 0x0f, 0x05);
    EXPECT_FAULT("compatibility mode: Intel's rule", m, VEC_UD, -1);
    test_cpu_close(m);
    m = machine_open(M_PROT32);
    m->cpu.r.efer |= EFER_SCE;
    CODE(m, 0x0f, 0x05);
    EXPECT_FAULT("protected mode", m, VEC_UD, -1);
    test_cpu_close(m);
}

static void
test_sysret(void)
{
    struct machine *m = open_syscall(0);

    m->cpu.r.gpr[X86_RCX] = 0xffff800012345678;
    m->cpu.r.gpr[X86_R11] = ~(uint64_t)FLAG_TF;
    CODE(m, 0x48, 0x0f, 0x07);
    EXPECT("SYSRET, 64 bits", machine_try(m), EMU_OK);
    EXPECT("SYSRET, 64 bits", m->cpu.r.rip, 0xffff800012345678);
    EXPECT("SYSRET, 64 bits", m->cpu.r.rflags, 0x3c7ed7); /* no RF, no VM */
    EXPECT("SYSRET, 64 bits", m->cpu.cpl, 3);
    EXPECT("SYSRET, 64 bits", m->cpu.mode, MODE_LONG64);
    expect_segments("SYSRET, 64 bits", m, 0x83, FLAT_CODE64 | RING3, 0x7b, FLAT_DATA | RING3);
    EXPECT("hook", m->transfer[0].what, X86_T_SYSRET);
    test_cpu_close(m);

    m = open_syscall(0);
    m->cpu.r.gpr[X86_RCX] = 0xffff800012345678;
    m->cpu.r.gpr[X86_R11] = 0;
    CODE(m, 0x0f, 0x07);
    EXPECT("SYSRET, 32 bits", machine_try(m), EMU_OK);
    EXPECT("SYSRET, 32 bits", m->cpu.r.rip, 0x12345678);
    EXPECT("SYSRET, 32 bits", m->cpu.r.rflags, FLAG_ONE);
    EXPECT("SYSRET, 32 bits", m->cpu.mode, MODE_COMPAT);
    expect_segments("SYSRET, 32 bits", m, 0x73, FLAT_CODE32 | RING3, 0x7b, FLAT_DATA | RING3);
    test_cpu_close(m);

    m = open_syscall(0);
    m->cpu.r.gpr[X86_RCX] = 0x800000000000;
    CODE(m, 0x48, 0x0f, 0x07);
    EXPECT_FAULT("RCX not canonical", m, VEC_GP, 0);
    m->cpu.r.gpr[X86_RCX] = 0;
    machine_ring(m, 3);
    EXPECT_FAULT("ring 3", m, VEC_GP, 0);
    m->cpu.r.efer &= ~(uint64_t)EFER_SCE;
    EXPECT_FAULT("SCE clear comes before CPL", m, VEC_UD, -1);
    test_cpu_close(m);
    m = machine_open(M_COMPAT32);
    m->cpu.r.efer |= EFER_SCE;
    CODE(m, 0x0f, 0x07);
    EXPECT_FAULT("compatibility mode", m, VEC_UD, -1);
    test_cpu_close(m);
}

/* Single step: SYSCALL with TF masked by SFMASK reaches the kernel without a trap, otherwise the
 * trap is taken before the kernel's first instruction (vol. 3, 17.3.1.4). */
static void
test_syscall_trap(void)
{
    struct machine *m = open_syscall(3);

    m->cpu.r.rflags |= FLAG_TF;
    machine_sync(m);
    CODE(m, 0x0f, 0x05);
    EXPECT("masked", machine_try(m), EMU_OK);
    machine_ring(m, 3);
    m->cpu.r.sfmask = 0;
    m->cpu.r.rflags |= FLAG_TF;
    machine_sync(m);
    CODE(m, 0x0f, 0x05);
    EXPECT("not masked", machine_try(m), EMU_FAULT);
    EXPECT("not masked", m->cpu.fault.vector, VEC_DB);
    EXPECT("not masked", m->cpu.r.rip, M_HIGH + M_HANDLER);
    test_cpu_close(m);
}

/* --- SYSENTER, SYSEXIT: vol. 2; vol. 3, 5.8.7 --------------------------------------------------- */

static struct machine *
open_sysenter(enum machine_kind kind, unsigned ring)
{
    struct machine *m = machine_open(kind);

    m->cpu.r.sysenter_cs = 0x103;
    m->cpu.r.sysenter_esp = M_HIGH + 0x12345678;
    m->cpu.r.sysenter_eip = M_HIGH + M_HANDLER;
    m->cpu.r.gdtr.limit = 0;
    machine_ring(m, ring);
    return m;
}

static void
test_sysenter(void)
{
    for (unsigned kind = M_PROT32; kind <= M_LONG; kind++) {
        struct machine *m = open_sysenter(kind, 3);
        bool wide = kind != M_PROT32;
        m->cpu.r.rflags = FLAG_IF | FLAG_AC | FLAG_ONE;
        CODE(m, 0x0f, 0x34);
        EXPECT("SYSENTER", machine_try(m), EMU_OK);
        EXPECT("SYSENTER", m->cpu.r.rip, wide ? M_HIGH + M_HANDLER : M_HANDLER);
        EXPECT("SYSENTER", m->cpu.r.gpr[X86_RSP], wide ? M_HIGH + 0x12345678 : 0x12345678);
        EXPECT("SYSENTER", m->cpu.r.rflags, FLAG_AC | FLAG_ONE);
        EXPECT("SYSENTER", m->cpu.cpl, 0);
        EXPECT("SYSENTER", m->cpu.mode, wide ? MODE_LONG64 : MODE_PROTECTED);
        expect_segments("SYSENTER", m, 0x100, wide ? FLAT_CODE64 : FLAT_CODE32, 0x108, FLAT_DATA);
        EXPECT("hook", m->transfer[0].what, X86_T_SYSCALL);
        test_cpu_close(m);
    }

    struct machine *m = open_sysenter(M_PROT32, 3);
    m->cpu.r.sysenter_cs = 3;
    CODE(m, 0x0f, 0x34);
    EXPECT_FAULT("SYSENTER_CS is null", m, VEC_GP, 0);
    test_cpu_close(m);
    m = machine_open(M_REAL);
    m->cpu.r.sysenter_cs = 0x100;
    CODE(m, 0x0f, 0x34);
    EXPECT_FAULT("real mode", m, VEC_GP, 0);
    CODE(m, 0x0f, 0x35);
    EXPECT_FAULT("SYSEXIT in real mode", m, VEC_GP, 0);
    test_cpu_close(m);
}

static void
test_sysexit(void)
{
    struct machine *m = open_sysenter(M_PROT32, 0);

    m->cpu.r.gpr[X86_RCX] = 0x11112222;
    m->cpu.r.gpr[X86_RDX] = 0x33334444;
    CODE(m, 0x0f, 0x35);
    EXPECT("SYSEXIT", machine_try(m), EMU_OK);
    EXPECT("SYSEXIT", m->cpu.r.rip, 0x33334444);
    EXPECT("SYSEXIT", m->cpu.r.gpr[X86_RSP], 0x11112222);
    EXPECT("SYSEXIT", m->cpu.cpl, 3);
    expect_segments("SYSEXIT", m, 0x113, FLAT_CODE32 | RING3, 0x11b, FLAT_DATA | RING3);
    machine_ring(m, 3);
    CODE(m, 0x0f, 0x35);
    EXPECT_FAULT("ring 3", m, VEC_GP, 0);
    m->cpu.r.sysenter_cs = 0;
    machine_ring(m, 0);
    EXPECT_FAULT("SYSENTER_CS is null", m, VEC_GP, 0);
    test_cpu_close(m);

    m = open_sysenter(M_LONG, 0);
    m->cpu.r.gpr[X86_RCX] = M_HIGH + 0x11112222;
    m->cpu.r.gpr[X86_RDX] = M_HIGH + 0x33334444;
    CODE(m, 0x48, 0x0f, 0x35);
    EXPECT("SYSEXIT, 64 bits", machine_try(m), EMU_OK);
    EXPECT("SYSEXIT, 64 bits", m->cpu.r.rip, M_HIGH + 0x33334444);
    EXPECT("SYSEXIT, 64 bits", m->cpu.r.gpr[X86_RSP], M_HIGH + 0x11112222);
    expect_segments("SYSEXIT, 64 bits", m, 0x123, FLAT_CODE64 | RING3, 0x12b, FLAT_DATA | RING3);
    machine_ring(m, 0);
    m->cpu.r.gpr[X86_RCX] = 0x800000000000;
    CODE(m, 0x48, 0x0f, 0x35);
    EXPECT_FAULT("RCX not canonical", m, VEC_GP, 0);
    m->cpu.r.gpr[X86_RCX] = 0;
    m->cpu.r.gpr[X86_RDX] = 0x800000000000;
    EXPECT_FAULT("RDX not canonical", m, VEC_GP, 0);
    CODE(m, 0x0f, 0x35);
    EXPECT("SYSEXIT to compatibility mode", machine_try(m), EMU_OK);
    EXPECT("SYSEXIT to compatibility mode", m->cpu.r.rip, 0);
    EXPECT("SYSEXIT to compatibility mode", m->cpu.mode, MODE_COMPAT);
    test_cpu_close(m);
}

static void
test_swapgs(void)
{
    struct machine *m = machine_open(M_LONG);

    m->cpu.r.seg[X86_GS].base = 0x1111;
    m->cpu.r.kernel_gs_base = M_HIGH + M_DATA;
    machine_poke(m, M_DATA, 1, 0x5a);
    CODE(m, 0x0f, 0x01, 0xf8, 0x65, 0x8a, 0x03); /* swapgs; mov al, gs:[rbx] */
    EXPECT("SWAPGS", machine_try(m), EMU_OK);
    EXPECT("SWAPGS", m->cpu.r.seg[X86_GS].base, M_HIGH + M_DATA);
    EXPECT("SWAPGS", m->cpu.r.kernel_gs_base, 0x1111);
    EXPECT("the new base is used", machine_try(m), EMU_OK);
    EXPECT("the new base is used", m->cpu.r.gpr[X86_RAX] & 0xff, 0x5a);
    machine_ring(m, 3);
    CODE(m, 0x0f, 0x01, 0xf8);
    EXPECT_FAULT("ring 3", m, VEC_GP, 0);
    test_cpu_close(m);
    m = machine_open(M_COMPAT32);
    CODE(m, 0x0f, 0x01, 0xf8);
    EXPECT_FAULT("compatibility mode", m, VEC_UD, -1);
    test_cpu_close(m);
}

/* --- INT3, INTO, INT1, BOUND: vol. 2 -------------------------------------------------------------- */

static void
test_int_forms(void)
{
    static const struct {
        const char *name;
        uint8_t code[2], length, vector;
        uint32_t flags;
    } rows[] = {
        {"INT3", {0xcc}, 1, 3, 0},
        {"INT 3", {0xcd, 3}, 2, 3, 0},
        {"INT 80h", {0xcd, 0x80}, 2, 0x80, 0},
        {"INTO", {0xce}, 1, 4, FLAG_OF},
        {"INT1", {0xf1}, 1, 1, 0},
        {"INT 14 has no error code", {0xcd, 14}, 2, 14, 0},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_int_gate(m, rows[i].vector, A_P(3) | SYS_TRAP, S_CODE(0), M_HANDLER, 0);
        m->cpu.r.rflags |= rows[i].flags | FLAG_TF;
        m->cpu.r.dr[6] = DR6_INIT;
        machine_sync(m);
        machine_code(m, rows[i].code, rows[i].length);
        EXPECT(rows[i].name, machine_try(m), EMU_OK); /* and no trap of TF after it */
        EXPECT(rows[i].name, m->cpu.r.rip, M_HANDLER);
        EXPECT(rows[i].name, m->cpu.r.gpr[X86_RSP], TOP(0) - 12);
        EXPECT_STACK(rows[i].name, m, TOP(0) - 12, 4, M_CODE + rows[i].length, S_CODE(0),
                     FLAG_ONE | FLAG_TF | rows[i].flags);
        EXPECT(rows[i].name, m->cpu.r.rflags & FLAG_TF, 0);
        EXPECT(rows[i].name, m->cpu.r.dr[6], DR6_INIT);
        test_cpu_close(m);
    }

    struct machine *m = machine_open(M_PROT32);
    CODE(m, 0xce);
    EXPECT("INTO without OF", machine_try(m), EMU_OK);
    EXPECT("INTO without OF", m->cpu.r.rip, M_CODE + 1);
    test_cpu_close(m);
    m = machine_open(M_LONG);
    CODE(m, 0xce);
    EXPECT_FAULT("INTO in 64-bit mode", m, VEC_UD, -1);
    test_cpu_close(m);
}

static void
test_bound(void)
{
    static const struct {
        const char *name;
        bool wide;
        uint32_t index, lower, upper;
        bool ok;
    } rows[] = {
        {"inside", true, 5, 1, 9, true},
        {"lower bound", true, 1, 1, 9, true},
        {"upper bound", true, 9, 1, 9, true},
        {"below", true, 0, 1, 9, false},
        {"above", true, 10, 1, 9, false},
        {"signed", true, 0xffffffff, 0x80000000, 1, true},
        {"signed, below", true, 0x80000000, 0xffffffff, 1, false},
        {"16 bits, signed", false, 0x1234ffff, 0xfffe, 1, true},
        {"16 bits, above", false, 0x12347fff, 0xfffe, 0x7ffe, false},
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct machine *m = machine_open(M_PROT32);
        unsigned size = rows[i].wide ? 4 : 2;
        machine_poke(m, M_DATA, size, rows[i].lower);
        machine_poke(m, M_DATA + size, size, rows[i].upper);
        m->cpu.r.gpr[X86_RAX] = rows[i].index;
        m->cpu.r.gpr[X86_RBX] = M_DATA;
        if (rows[i].wide)
            CODE(m, 0x62, 0x03); /* bound eax, [ebx] */
        else
            CODE(m, 0x66, 0x62, 0x03);
        if (rows[i].ok)
            EXPECT(rows[i].name, machine_try(m), EMU_OK);
        else
            EXPECT_FAULT(rows[i].name, m, VEC_BR, -1);
        test_cpu_close(m);
    }
    struct machine *m = machine_open(M_PROT32);
    CODE(m, 0x62, 0xc3);
    EXPECT_FAULT("BOUND of a register", m, VEC_UD, -1);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"SYSCALL", test_syscall},
    {"SYSRET", test_sysret},
    {"SYSCALL and single step", test_syscall_trap},
    {"SYSENTER", test_sysenter},
    {"SYSEXIT", test_sysexit},
    {"SWAPGS", test_swapgs},
    {"INT3 INTO INT1 INT n", test_int_forms},
    {"BOUND", test_bound},
    {NULL, NULL},
};
const struct unit_suite suite_isa_fastcall = {"isa_fastcall", tests};
