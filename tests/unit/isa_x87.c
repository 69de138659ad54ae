/*
 * isa_x87.c - tests of the floating-point unit (hv/isa/x86/x87*.c, fpu.c): the decoder's names, the
 * rules of #NM and #MF, operands in memory. isa_x87_state.c has the unit's state in memory,
 * isa_x87_host.c compares results with the host's.
 */
#include <stdio.h>
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

/* --- what there is ---------------------------------------------------------------------------- */

/* Every ModRM byte of D8 to DF is named as Zydis names it, or is undefined to both. FISTTP is
 * SSE3, which is not claimed. */
static void
test_names(void)
{
    for (unsigned opcode = 0xd8; opcode <= 0xdf; opcode++)
        for (unsigned modrm = 0; modrm < 0x100; modrm++) {
            uint8_t bytes[X86_INSN_MAX] = {(uint8_t)opcode, (uint8_t)modrm};
            char text[80] = "", row[16];
            struct x86_insn in;
            unsigned length = x86_disassemble(bytes, sizeof(bytes), 4, 0, text, sizeof(text));
            bool sse3 = !strncmp(text, "fisttp", 6);
            int ours = x86_decode(bytes, sizeof(bytes), 4, &in);
            snprintf(row, sizeof(row), "%02x %02x", opcode, modrm);
            EXPECT(row, in.op->exec == NULL, !length || sse3);
            if (!length || sse3 || !in.op->exec)
                continue;
            EXPECT(row, (unsigned)ours, length);
            text[strcspn(text, " ")] = '\0';
            CU_ASSERT_STRING_EQUAL(in.op->name, text);
        }
}

/* fild, fimul, fadd, fistp: 6 * 7 + 6 = 48. */
static void
test_integers(void)
{
    struct machine *m = machine_open(M_PROT32);

    machine_poke(m, M_DATA, 4, 6);
    machine_poke(m, M_DATA + 4, 4, 7);
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    CODE(m, 0xdb, 0xe3, 0xdb, 0x03, 0xd9, 0xc0, 0xda, 0x4b, 0x04, 0xde, 0xc1, 0xdf, 0x7b, 0x08);
    for (unsigned i = 0; i < 6; i++)
        EXPECT("integers", machine_try(m), EMU_OK);
    EXPECT("integers", machine_peek(m, M_DATA + 8, 8), 48);
    EXPECT("all popped", m->cpu.r.fx[4], 0);
    test_cpu_close(m);
}

/* --- #NM, #MF, #UD ---------------------------------------------------------------------------- */

/* SDM vol. 3, table 2-2: what EM, MP and TS do to x87 instructions and to WAIT; FXSAVE and FXRSTOR are
 * as x87 instructions are (vol. 2). EMMS is #UD with EM. */
static void
test_nm(void)
{
    static const struct {
        uint32_t cr0;
        bool x87, wait;
    } rows[] = {
        {0, false, false},
        {CR0_TS, true, false},
        {CR0_MP, false, false},
        {CR0_MP | CR0_TS, true, true},
        {CR0_EM, true, false},
        {CR0_EM | CR0_TS, true, false},
        {CR0_EM | CR0_MP, true, false},
        {CR0_EM | CR0_MP | CR0_TS, true, true},
    };
    static const uint8_t all[][3] = {
        {0xd9, 0xe8}, {0xdb, 0xe3}, {0xdf, 0xe0},       {0xdd, 0x3b},
        {0xd9, 0x3b}, {0xdb, 0xe2}, {0xd9, 0xd0},       {0xdb, 0xe0},
        {0xdd, 0x33}, {0xd9, 0x2b}, {0x0f, 0xae, 0x03}, {0x0f, 0xae, 0x0b},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        char row[40];
        struct machine *m = machine_open(M_PROT32);
        snprintf(row, sizeof(row), "CR0 %x", rows[i].cr0);
        m->cpu.r.cr0 |= rows[i].cr0;
        for (unsigned k = 0; k < ARRAY_SIZE(all); k++) {
            m->cpu.r.gpr[X86_RBX] = M_DATA;
            machine_code(m, all[k], 3);
            if (rows[i].x87)
                EXPECT_FAULT(row, m, VEC_NM, -1);
            else
                EXPECT(row, machine_try(m), EMU_OK);
        }
        CODE(m, 0x9b);
        if (rows[i].wait)
            EXPECT_FAULT(row, m, VEC_NM, -1);
        else
            EXPECT(row, machine_try(m), EMU_OK);
        CODE(m, 0x0f, 0x77);
        if (rows[i].cr0 & CR0_EM)
            EXPECT_FAULT(row, m, VEC_UD, -1);
        test_cpu_close(m);
    }
}

/* A machine that has divided 1 by 0 with that exception unmasked. */
static struct machine *
open_pending(uint32_t cr0)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.cr0 |= cr0;
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    machine_poke(m, M_DATA, 2, 0x37b);
    CODE(m, 0xdb, 0xe3, 0xd9, 0x2b, 0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1); /* fdiv st0, st1 */
    for (unsigned i = 0; i < 5; i++)
        EXPECT("1 / 0", machine_try(m), EMU_OK);
    EXPECT("1 / 0", unit(m).fsw, FSW_BUSY | FSW_ES | FSW_ZE | 6u << FSW_TOP_SHIFT);
    EXPECT("the operand is as it was", unit(m).st[0].sign_exponent, 0x3fff);
    return m;
}

/* SDM vol. 1, 8.6 and 8.3.12: what waits raises the exception, what does not executes. #NM comes first
 * (vol. 3, table 6-2: device not available is found at decoding). */
static void
test_mf(void)
{
    static const uint8_t waiting[][3] = {
        {0xd9, 0xe8}, {0xd9, 0x2b}, {0xd9, 0xd0}, {0xdd, 0x23}, {0xd9, 0x23},
        {0x9b},       {0xdd, 0xc0}, {0xd9, 0xf7}, {0x0f, 0x77}, {0xdf, 0x3b},
    };
    static const uint8_t not_waiting[][3] = {
        {0xdf, 0xe0}, {0xdd, 0x3b}, {0xd9, 0x3b}, {0x0f, 0xae, 0x03}, {0xdb, 0xe1},
        {0xd9, 0x33}, {0xdd, 0x33}, {0xdb, 0xe2}, {0xdb, 0xe3},       {0x0f, 0xae, 0x0b},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(waiting); i++) {
        struct machine *m = open_pending(CR0_NE);
        machine_code(m, waiting[i], 3);
        EXPECT_FAULT("waiting", m, VEC_MF, -1);
        m->cpu.r.cr0 &= ~(uint64_t)CR0_NE;
        EXPECT("with NE clear", machine_try(m), EMU_UNIMPLEMENTED);
        m->cpu.r.cr0 |= CR0_NE | CR0_TS | CR0_MP;
        EXPECT_FAULT("with TS", m, VEC_NM, -1);
        test_cpu_close(m);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(not_waiting); i++) {
        struct machine *m = open_pending(CR0_NE);
        machine_code(m, not_waiting[i], 3);
        EXPECT("not waiting", machine_try(m), EMU_OK);
        test_cpu_close(m);
    }
}

/* FLDCW that unmasks what has happened makes it pending; FNCLEX and FNSTENV end that (vol. 2). */
static void
test_unmask(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.cr0 |= CR0_NE;
    m->cpu.r.gpr[X86_RBX] = M_DATA;
    machine_poke(m, M_DATA, 2, 0x0340);
    CODE(m, 0xdb, 0xe3, 0xd8, 0xc1, 0xd9, 0x2b, 0xd9,
         0xd0); /* fadd of empty registers; fldcw; fnop */
    for (unsigned i = 0; i < 3; i++)
        EXPECT("unmask", machine_try(m), EMU_OK);
    EXPECT("pending", unit(m).fsw, FSW_BUSY | FSW_ES | FSW_SF | FSW_IE);
    EXPECT_FAULT("pending", m, VEC_MF, -1);
    CODE(m, 0xd9, 0x33, 0xd9, 0xd0); /* fnstenv masks */
    EXPECT("fnstenv", machine_try(m), EMU_OK);
    EXPECT("what was stored", machine_peek(m, M_DATA + 4, 2), 0x80c1);
    EXPECT("masked", unit(m).fcw, 0x037f);
    EXPECT("masked", unit(m).fsw, FSW_SF | FSW_IE);
    EXPECT("fnop", machine_try(m), EMU_OK);
    CODE(m, 0xdb, 0xe2);
    EXPECT("fnclex", machine_try(m), EMU_OK);
    EXPECT("fnclex", unit(m).fsw, 0);
    test_cpu_close(m);
}

/* --- memory ----------------------------------------------------------------------------------- */

/* An operand across two pages: nothing is written or popped unless all of it can be. */
static void
test_two_pages(void)
{
    static const struct {
        uint8_t code[2];
        unsigned size;
    } rows[] = {{{0xdb, 0x3b}, 10},  {{0xdf, 0x33}, 10}, {{0xd9, 0x33}, 28},
                {{0xdd, 0x33}, 108}, {{0xdd, 0x1b}, 8},  {{0xdf, 0x3b}, 8}};
    static const uint8_t loads[][2] = {{0xdb, 0x2b}, {0xdf, 0x23}, {0xd9, 0x23}, {0xdd, 0x23}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_paging(m);
        machine_page(m, M_DATA + 0x1000, 0x5); /* read only; WP is set */
        CODE(m, 0xd9, 0xe8);
        EXPECT("fld1", machine_try(m), EMU_OK);
        machine_code(m, rows[i].code, 2);
        m->cpu.r.gpr[X86_RBX] = M_DATA + 0x1001 - rows[i].size;
        EXPECT_FAULT("read only", m, VEC_PF, PF_PRESENT | PF_WRITE);
        EXPECT("address", m->cpu.fault.address, M_DATA + 0x1000);
        m->cpu.r.gpr[X86_RBX]--;
        EXPECT("it fits", machine_try(m), EMU_OK);
        test_cpu_close(m);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(loads); i++) {
        struct machine *m = machine_open(M_PROT32);
        machine_paging(m);
        machine_page(m, M_DATA + 0x1000, 0);
        machine_code(m, loads[i], 2);
        m->cpu.r.gpr[X86_RBX] = M_DATA + 0xff8;
        EXPECT_FAULT("load", m, VEC_PF, 0);
        EXPECT("address", m->cpu.fault.address, M_DATA + 0x1000);
        test_cpu_close(m);
    }
}

/* The whole operand must be within the segment (SDM vol. 3, 5.3); #SS through SS. */
static void
test_limit(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.seg[X86_DS].limit = M_DATA + 9;
    m->cpu.r.seg[X86_SS].limit = M_DATA + 8;
    machine_sync(m);
    m->cpu.r.gpr[X86_RBX] = m->cpu.r.gpr[X86_RBP] = M_DATA;
    CODE(m, 0xdb, 0x2b, 0xdb, 0x6d, 0x00);
    EXPECT("ten bytes", machine_try(m), EMU_OK);
    EXPECT_FAULT("nine bytes", m, VEC_SS, 0);
    m->cpu.r.seg[X86_DS].limit = M_DATA + 107;
    machine_sync(m);
    CODE(m, 0xdd, 0x33, 0x66, 0xdd, 0x33, 0xdd, 0x33);
    EXPECT("fnsave", machine_try(m), EMU_OK);
    m->cpu.r.seg[X86_DS].limit = M_DATA + 93;
    machine_sync(m);
    EXPECT("16-bit fnsave", machine_try(m), EMU_OK);
    EXPECT_FAULT("fnsave", m, VEC_GP, 0);
    test_cpu_close(m);
}

/* SDM vol. 3, table 6-7: 80 bits are aligned to 8, the environment as its words are. */
static void
test_alignment(void)
{
    static const struct {
        uint8_t code[3];
        unsigned align;
    } rows[] = {{{0xdb, 0x2b}, 8}, {{0xdb, 0x3b}, 8},       {{0xdf, 0x23}, 8},
                {{0xdd, 0x03}, 8}, {{0xd9, 0x03}, 4},       {{0xdf, 0x03}, 2},
                {{0xd9, 0x33}, 4}, {{0x66, 0xd9, 0x33}, 2}, {{0xdd, 0x33}, 4}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned offset = 0; offset < 9; offset++) {
            struct machine *m = machine_open(M_PROT32);
            machine_ring(m, 3);
            m->cpu.r.cr0 |= CR0_AM;
            m->cpu.r.rflags |= FLAG_AC;
            machine_sync(m);
            m->cpu.r.gpr[X86_RBX] = M_DATA + offset;
            machine_code(m, rows[i].code, 3);
            if (offset % rows[i].align)
                EXPECT_FAULT("misaligned", m, VEC_AC, 0);
            else
                EXPECT("aligned", machine_try(m), EMU_OK);
            test_cpu_close(m);
        }
}

/* After RESET all registers hold 0 (SDM vol. 3, table 9-1): there is no room before FNINIT. */
static void
test_reset(void)
{
    struct machine *m = machine_open(M_PROT32);
    struct x86_regs reset;

    x86_regs_reset(&reset);
    memcpy(m->cpu.r.fx, reset.fx, sizeof(reset.fx));
    m->cpu.r.cr0 |= CR0_NE;
    EXPECT("FCW", unit(m).fcw, 0x0040);
    CODE(m, 0xd9, 0xe5, 0xd9, 0xe8, 0xd9, 0xe8);
    EXPECT("fxam", machine_try(m), EMU_OK);
    EXPECT("zero", unit(m).fsw, FSW_C3);
    EXPECT("fld1", machine_try(m), EMU_OK);
    EXPECT("overflow", unit(m).fsw & ~FSW_C3, FSW_BUSY | FSW_ES | FSW_SF | FSW_IE | FSW_C1);
    EXPECT_FAULT("fld1", m, VEC_MF, -1);
    test_cpu_close(m);
}

/* A device sees the ten bytes of FSTP as two writes, once the instruction has committed. */
static void
test_device(void)
{
    struct machine *m = machine_open(M_PROT32);

    m->cpu.r.gpr[X86_RBX] = M_DEVICE;
    CODE(m, 0xd9, 0xe8, 0xdb, 0x3b, 0xdf, 0x2b);
    EXPECT("fld1", machine_try(m), EMU_OK);
    EXPECT("first write", machine_try(m), EMU_MMIO);
    EXPECT("first write", m->cpu.access.value, UINT64_C(0x8000000000000000));
    EXPECT("second write", machine_try(m), EMU_MMIO);
    EXPECT("second write", m->cpu.access.value, 0x3fff);
    EXPECT("second write", m->cpu.access.size, 2);
    EXPECT("popped", unit(m).tags, 0);
    EXPECT("fild", machine_try(m), EMU_MMIO);
    EXPECT("fild reads", m->cpu.access.write, false);
    x86_complete_read(&m->cpu, 3);
    EXPECT("fild", machine_try(m), EMU_OK);
    EXPECT("3.0", unit(m).st[0].sign_exponent, 0x4000);
    test_cpu_close(m);
}

static const struct unit_test tests[] = {
    {"names as Zydis gives them", test_names},
    {"integers", test_integers},
    {"#NM by EM, MP and TS", test_nm},
    {"#MF by what waits", test_mf},
    {"an exception unmasked later", test_unmask},
    {"operands in two pages", test_two_pages},
    {"operands at the limit", test_limit},
    {"operands in a device", test_device},
    {"alignment", test_alignment},
    {"after RESET", test_reset},
    {NULL, NULL},
};
const struct unit_suite suite_isa_x87 = {"isa_x87", tests};
