/*
 * isa_x87_state.c - tests of the floating-point unit's state in memory: FNSTENV, FXSAVE, EMMS (hv/isa/x86/
 * x87_env.c, fpu.c), and of what CPUID says of it.
 */
#include <string.h>

#include "base/util.h"
#include "isa/x86/x87.h"
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

static struct x87
unit(const struct machine *m)
{
    struct x87 f;

    x87_get(&m->cpu, &f);
    return f;
}

/* --- the environment --------------------------------------------------------------------------- */

/* ST(0) = 0, ST(1) a denormal; and pointers that tell their pieces apart. */
static void
set_unit(struct machine *m)
{
    struct x87 f = {.fcw = 0x037f,
                    .fsw = 6u << FSW_TOP_SHIFT | FSW_C3,
                    .tags = 0xc0,
                    .fop = 0x5a5,
                    .fip = 0x12345678,
                    .fdp = 0x9abcdef0,
                    .mxcsr = 0x1f80,
                    .st[1] = {.significand = 1}};

    memcpy(m->cpu.r.fx, &f, sizeof(f));
}

/* The four layouts of SDM vol. 1, figures 8-9 to 8-12. R6 is zero and R7 special: tags 1 and 2. */
static void
test_layouts(void)
{
    static const struct {
        const char *name;
        enum machine_kind kind;
        bool prefix;
        unsigned unit;
        uint32_t words[7];
    } rows[] = {
        {"protected, 32 bits",
         M_PROT32,
         false,
         4,
         {0xffff037f, 0xffff7000, 0xffff9fff, 0x12345678, 0x05a50000, 0x9abcdef0, 0xffff0000}},
        {"protected, 16 bits",
         M_PROT32,
         true,
         2,
         {0x037f, 0x7000, 0x9fff, 0x5678, 0x0000, 0xdef0, 0x0000}},
        {"real, 16 bits",
         M_REAL,
         false,
         2,
         {0x037f, 0x7000, 0x9fff, 0x5678, 0x45a5, 0xdef0, 0xc000}},
        {"real, 32 bits",
         M_REAL,
         true,
         4,
         {0xffff037f, 0xffff7000, 0xffff9fff, 0xffff5678, 0x012345a5, 0xffffdef0, 0x09abc000}},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct machine *m = machine_open(rows[i].kind);
        uint32_t at = rows[i].kind == M_REAL ? 0x6000 : M_DATA;
        uint8_t code[] = {0x66, 0xd9, 0x37};
        if (rows[i].kind != M_REAL)
            code[2] = 0x33; /* [ebx]; in 16-bit code 37 is [bx] */
        m->cpu.r.gpr[X86_RBX] = at;
        set_unit(m);
        machine_code(m, code + !rows[i].prefix, 3u - !rows[i].prefix);
        EXPECT(rows[i].name, machine_try(m), EMU_OK);
        for (unsigned k = 0; k < 7; k++)
            EXPECT(rows[i].name, machine_peek(m, at + k * rows[i].unit, rows[i].unit),
                   rows[i].words[k]);
        EXPECT(rows[i].name, machine_peek(m, at + 7 * rows[i].unit, 4), 0);
        struct x87 before = unit(m);
        code[2] -= 0x10; /* fldenv */
        machine_code(m, code + !rows[i].prefix, 3u - !rows[i].prefix);
        EXPECT(rows[i].name, machine_try(m), EMU_OK);
        EXPECT(rows[i].name, unit(m).fsw, before.fsw);
        EXPECT(rows[i].name, unit(m).tags, before.tags);
        bool wide = rows[i].unit == 4;
        EXPECT(rows[i].name, unit(m).fip,
               wide                     ? 0x12345678
               : rows[i].kind == M_REAL ? 0x45678
                                        : 0x5678);
        EXPECT(rows[i].name, unit(m).fop, wide || rows[i].kind == M_REAL ? 0x5a5 : 0);
        test_cpu_close(m);
    }
}

/* FIP and FDP are of the last instruction that was no control instruction (SDM vol. 1, 8.1.8). */
static void
test_pointers(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.gpr[X86_RBX] = M_DATA - 8;
    CODE(m, 0x90, 0xdd, 0x43, 0x08, 0xd9, 0xe0, 0xdf, 0xe0);
    EXPECT("nop", machine_try(m), EMU_OK);
    EXPECT("fld", machine_try(m), EMU_OK);
    EXPECT("fld", unit(m).fip, M_CODE + 1);
    EXPECT("fld", unit(m).fdp, M_DATA);
    EXPECT("fld", unit(m).fop, 0x543);
    EXPECT("fchs", machine_try(m), EMU_OK);
    EXPECT("fnstsw", machine_try(m), EMU_OK);
    EXPECT("fchs", unit(m).fip, M_CODE + 4);
    EXPECT("fchs", unit(m).fdp, M_DATA);
    EXPECT("fchs", unit(m).fop, 0x1e0);
    test_cpu_close(m);

    m = machine_open(M_REAL);
    m->cpu.r.seg[X86_DS].base = 0x7000;
    m->cpu.r.gpr[X86_RBX] = 0x10;
    CODE(m, 0x90, 0xdd, 0x07);
    machine_sync(m);
    EXPECT("real", machine_try(m), EMU_OK);
    EXPECT("real", machine_try(m), EMU_OK);
    EXPECT("real", unit(m).fip, M_CODE + 1);
    EXPECT("real", unit(m).fdp, 0x7010);
    test_cpu_close(m);
}

/* --- FXSAVE, FXRSTOR, EMMS -------------------------------------------------------------------- */

/* SDM vol. 2, FXSAVE: the image comes back as it was; a 32-bit one has no upper halves of pointers and
 * no XMM8-15; bytes 464-511 are not touched. */
static void
test_fxsave(void)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        struct machine *m = machine_open(wide ? M_LONG : M_PROT32);
        static const uint8_t save[] = {0x48, 0x0f, 0xae, 0x03}, load[] = {0x48, 0x0f, 0xae, 0x0b};
        const char *row = wide ? "64 bits" : "32 bits";
        unsigned end = wide ? 416 : 288;
        uint8_t before[512];
        set_unit(m);
        m->cpu.r.fx[15] = 0x77; /* FIP, bits 63-56 */
        for (unsigned i = 160; i < 416; i++)
            m->cpu.r.fx[i] = (uint8_t)(i * 7);
        memcpy(before, m->cpu.r.fx, sizeof(before));
        memset(m->ram + M_DATA, 0xee, 512);
        m->cpu.r.gpr[X86_RBX] = M_DATA;
        machine_code(m, save + !wide, 4 - !wide);
        EXPECT(row, machine_try(m), EMU_OK);
        EXPECT(row, memcmp(m->ram + M_DATA + 464, "\xee\xee\xee\xee", 4), 0);
        EXPECT(row, machine_peek(m, M_DATA + 8, 8),
               wide ? UINT64_C(0x7700000012345678) : 0x12345678);
        EXPECT(row, memcmp(m->ram + M_DATA + 160, before + 160, end - 160), 0);
        memset(m->cpu.r.fx, 0, 512);
        m->cpu.r.fx[288] = 0x99; /* of XMM8 */
        machine_code(m, load + !wide, 4 - !wide);
        EXPECT(row, machine_try(m), EMU_OK);
        before[15] = wide ? 0x77 : 0;
        EXPECT(row, memcmp(m->cpu.r.fx, before, 24), 0);
        EXPECT(row, memcmp(m->cpu.r.fx + 32, before + 32, end - 32), 0);
        EXPECT(row, m->cpu.r.fx[288], wide ? before[288] : 0x99);
        test_cpu_close(m);
    }
}

/* An image that no processor saved: ES is what the exceptions and masks say, reserved bits are 0, and
 * what it makes pending is raised by the next instruction that waits. */
static void
test_fxrstor(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.cr0 |= CR0_NE;
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    memset(m->ram + M_DATA, 0xff, 160);
    machine_poke(m, M_DATA, 4, 0x8080ffff);
    machine_poke(m, M_DATA + 24, 4, 0x1f80);
    CODE(m, 0x0f, 0xae, 0x0b, 0xd9, 0xd0);
    EXPECT("fxrstor", machine_try(m), EMU_OK);
    EXPECT("FCW", unit(m).fcw, 0x1f7f);
    EXPECT("FSW", unit(m).fsw, 0);
    EXPECT("FOP", unit(m).fop, 0x7ff);
    EXPECT("byte 5", m->cpu.r.fx[5], 0);
    EXPECT("bytes 42-47", m->cpu.r.fx[42], 0);
    EXPECT("fnop", machine_try(m), EMU_OK);
    machine_poke(m, M_DATA, 4, 0x0004037b);
    CODE(m, 0x0f, 0xae, 0x0b, 0xd9, 0xd0);
    EXPECT("fxrstor", machine_try(m), EMU_OK);
    EXPECT("FSW", unit(m).fsw, 0x8084);
    EXPECT_FAULT("fnop", m, VEC_MF, -1);
    test_cpu_close(m);
}

/* EMMS empties all registers, and TOP is 0 (SDM vol. 1, 9.6.2). */
static void
test_emms(void)
{
    struct machine *m = machine_open(M_PROT32);

    set_unit(m);
    CODE(m, 0x0f, 0x77);
    EXPECT("emms", machine_try(m), EMU_OK);
    EXPECT("tags", unit(m).tags, 0);
    EXPECT("TOP", x87_top(&(struct x87){.fsw = unit(m).fsw}), 0);
    EXPECT("R7 is where it was", unit(m).st[7].significand, 1);
    test_cpu_close(m);
}

/* The unit is claimed, MMX and SSE are not, and there are no FCS and FDS (SDM vol. 2, CPUID). */
static void
test_cpuid(void)
{
    uint32_t regs[4];

    x86_cpuid(NULL, 1, 0, regs);
    EXPECT("FPU, MMX, SSE, SSE2", regs[3] & (1u << 0 | 1u << 23 | 1u << 25 | 1u << 26), 1);
    EXPECT("SSE3", regs[2] & 1, 0);
    x86_cpuid(NULL, 7, 0, regs);
    EXPECT("no FCS", regs[1] >> 13 & 1, 1);
}

static const struct unit_test tests[] = {
    {"four layouts of the environment", test_layouts},
    {"FIP, FDP and FOP", test_pointers},
    {"FXSAVE and FXRSTOR", test_fxsave},
    {"FXRSTOR of a made-up image", test_fxrstor},
    {"EMMS", test_emms},
    {"CPUID", test_cpuid},
    {NULL, NULL},
};
const struct unit_suite suite_isa_x87_state = {"isa_x87_state", tests};
