/* debug_expr.c - expressions of the debugger; what they mean is what this file's compiler says. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/values.h"
#include "tests/unit/debug_machine.h"
#include "tests/unit/suites.h"

static int
evaluate(struct fake_machine *fake, const char *text, uint64_t *bits, struct error *err)
{
    struct value value = {0};
    int rc = expr_evaluate_all(&fake->debugger, text, &value, err);

    *bits = value.bits;
    return rc;
}

static void
expect_rc(struct fake_machine *fake, const char *text, int rc, uint64_t bits)
{
    struct error err = {""};
    uint64_t got;
    int r = evaluate(fake, text, &got, &err);

    if (r != rc || (!rc && got != bits)) {
        printf("\n  %s: %d %#" PRIx64 " %s, expected %d %#" PRIx64 "\n", text, r, got, err.message,
               rc, bits);
        CU_FAIL("expression");
    }
    CU_PASS("expression");
}

static void
expect(struct fake_machine *fake, const char *text, uint64_t bits)
{
    expect_rc(fake, text, 0, bits);
}

/* The sentence of a bad expression begins with the column, from 1, and contains `part`. */
static void
expect_error(struct fake_machine *fake, const char *text, int code, unsigned column,
             const char *part)
{
    struct error err = {""};
    uint64_t bits;
    char start[32];

    CU_ASSERT_EQUAL(evaluate(fake, text, &bits, &err), -code);
    snprintf(start, sizeof(start), "column %u: ", column);
    if (strncmp(err.message, start, strlen(start)) || !strstr(err.message, part)) {
        printf("\n  %s: %s\n", text, err.message);
        CU_FAIL("sentence");
    }
}

/* --- against the compiler ------------------------------------------------------------------------- */

/* -Wparentheses and its friends would have these written for people; here they are for parsers. */
#pragma GCC diagnostic ignored "-Wparentheses"
#pragma GCC diagnostic ignored "-Wbool-compare"
#pragma GCC diagnostic ignored "-Wbool-operation"
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wlogical-not-parentheses"
#pragma GCC diagnostic ignored "-Woverflow"
#pragma GCC diagnostic ignored "-Wshift-overflow"
#pragma GCC diagnostic ignored "-Wshift-negative-value"
#pragma GCC diagnostic ignored "-Wshift-count-negative"

#define SAME(e)                                                                                    \
    {                                                                                              \
#e, (uint64_t)(e)                                                                          \
    }
/* Every pair of operators, with operands that tell the two groupings apart in most cases. */
#define PAIR(o, q) SAME(7L o 3L q 2L), SAME(25L o 6L q 4L), SAME(1L o 9L q 5L), SAME(2L o 2L q 1L)
#define PAIRS(o)                                                                                   \
    PAIR(o, *), PAIR(o, /), PAIR(o, %), PAIR(o, +), PAIR(o, -), PAIR(o, <<), PAIR(o, >>),          \
        PAIR(o, <), PAIR(o, <=), PAIR(o, >), PAIR(o, >=), PAIR(o, ==), PAIR(o, !=), PAIR(o, &),    \
        PAIR(o, ^), PAIR(o, |), PAIR(o, &&), PAIR(o, ||)

static const struct known {
    const char *text;
    uint64_t bits;
} knowns[] = {
    PAIRS(*),
    PAIRS(+),
    PAIRS(-),
    PAIRS(<<),
    PAIRS(>>),
    PAIRS(<),
    PAIRS(<=),
    PAIRS(>),
    PAIRS(>=),
    PAIRS(==),
    PAIRS(!=),
    PAIRS(&),
    PAIRS(^),
    PAIRS(|),
    PAIRS(&&),
    PAIRS(||),
    SAME(7L / 3L % 2L),
    SAME(100L / 7L / 2L),
    SAME(100L % 7L * 3L),
    SAME(1L   ? 2L
         : 3L ? 4L
              : 5L),
    SAME(0L   ? 2L
         : 0L ? 4L
              : 5L),
    SAME(1L ? 0L ? 6L : 7L : 8L),
    SAME(0L || 1L ? 2L : 3L),
    SAME(-1L < 0UL),
    SAME(-1L < 0L),
    SAME(-7L / 2L),
    SAME(-7L % 2L),
    SAME(-7L >> 1L),
    SAME(0xfffffffffffffff9UL >> 1L),
    SAME(0xfffffffffffffff9UL / 2L),
    SAME(!5L == 0L),
    SAME(~0L & 0xffL),
    SAME(-~!0L),
    SAME(- -3L),
    SAME(~5L + 1L == -5L),
    SAME((uint8_t)0x1ffL + 1L),
    SAME((int8_t)0xffL < 0L),
    SAME((uint8_t)-1L > 0L),
    SAME((int8_t)-1L < (uint8_t)1L),
    SAME((unsigned short)-1L * 2L),
    SAME((long unsigned int)-1L / 2UL),
    SAME((short int)0x18000L),
    SAME((unsigned char)0x180L << 4L),
    SAME((uint32_t)-1L + 1L),
    SAME((uint64_t)-1L + 1L),
    SAME((int)0x180000000L),
    SAME(-(uint8_t)1L),
    SAME(017L + 0x1fL + 0b101L + 10L),
    SAME('a' + '\n' + '\'' + '\\' + '\0'),
    SAME((2L + 3L) * 4L),
    SAME(2L * (3L + 4L) - 5L << 1L & 6L ^ 7L | 8L),
    SAME(9223372036854775807L + 0L),
    SAME(18446744073709551615UL),
};

static void
test_compiler(void)
{
    struct fake_machine fake;

    fake_machine_open(&fake);
    for (unsigned i = 0; i < ARRAY_SIZE(knowns); i++)
        expect(&fake, knowns[i].text, knowns[i].bits);
    fake_machine_close(&fake);
}

/* --- names ---------------------------------------------------------------------------------------- */

static void
test_registers(void)
{
    struct fake_machine fake;

    fake_machine_open(&fake);
    fake.regs.gpr[X86_RAX] = UINT64_C(0x1122334455667788);
    fake.regs.gpr[X86_RSI] = UINT64_C(0xfffffffffffffffe);
    fake.regs.gpr[X86_R9] = UINT64_C(0xa1a2a3a4a5a6a7a8);
    fake.regs.rip = 0x1234;
    fake.regs.gpr[X86_RSP] = 0x80;
    fake.regs.seg[X86_CS].selector = 0x1b;
    fake.regs.seg[X86_SS].attr = 3 << SEG_DPL_SHIFT;
    fake.regs.seg[X86_CS].base = 0x10000;
    fake.regs.seg[X86_SS].base = 0x20000;
    fake.machine.now = (struct moment){.exits = 12, .icount = 3456};
    expect(&fake, "$rax", UINT64_C(0x1122334455667788));
    expect(&fake, "$eax", 0x55667788);
    expect(&fake, "$ax", 0x7788);
    expect(&fake, "$al", 0x88);
    expect(&fake, "$ah", 0x77);
    expect(&fake, "$sil", 0xfe);
    expect(&fake, "$rsi == -2", 1); /* unsigned 64 bits against -2: as in C */
    expect(&fake, "$esi == -2", 0); /* 32 bits fit in a signed 64 */
    expect(&fake, "$r9d", 0xa5a6a7a8);
    expect(&fake, "$r9b", 0xa8);
    expect(&fake, "$cs", 0x1b);
    expect(&fake, "$cs.base", 0x10000);
    expect(&fake, "$pc", 0x1234); /* in 64-bit mode CS and SS have no base (SDM vol. 1, 3.4.2.1) */
    expect(&fake, "$sp", 0x80);
    expect(&fake, "$rip", 0x1234);
    expect(&fake, "$cpl", 3);
    expect(&fake, "$mode", 64);
    expect(&fake, "$exit * 1000 + $icount % 1000", 12456);
    fake.regs.efer = 0;
    expect(&fake, "$mode", 16);
    expect(&fake, "$pc", 0x11234);
    expect(&fake, "$sp", 0x20080);
    fake.regs.seg[X86_CS].base = 0xffff0000;
    expect(&fake, "$pc", 0xffff1234);
    fake.regs.rip = 0x10001;
    expect(&fake, "$pc", 1); /* an address has 32 bits there */
    fake.regs.seg[X86_CS].attr = SEG_P | SEG_S | SEG_CODE | SEG_DB;
    expect(&fake, "$mode", 32);
    fake.no_regs = true; /* a recording: where its exit happened, and nothing else */
    expect_error(&fake, "1 + $rax", ENODATA, 5, "recording");
    expect_error(&fake, "$rip", ENODATA, 1, "recording");
    fake.machine.exit = (struct vm_exit){.kind = TRACE_IO, .rip = 0x77};
    expect(&fake, "$rip", 0x77);
    expect(&fake, "$pc", 0x77);
    fake_machine_close(&fake);
}

static void
test_memory(void)
{
    struct fake_machine fake;

    fake_machine_open(&fake);
    memcpy(fake.memory, "\x01\x02\x03\x04\x05\x06\x07\x88\xff\xfe", 10);
    fake.regs.gpr[X86_RSP] = 0x1000;
    expect(&fake, "*(uint8_t *)0x1008", 0xff);
    expect(&fake, "*(int8_t *)0x1008", UINT64_MAX);
    expect(&fake, "*(char *)0x1008 == -1", 1);
    expect(&fake, "*(uint16_t *)$rsp", 0x201);
    expect(&fake, "{uint32_t}$rsp", 0x4030201);
    expect(&fake, "{uint32_t}$rsp + 1", 0x4030202);
    expect(&fake, "*(unsigned long *)0x1000", UINT64_C(0x8807060504030201));
    expect(&fake, "*$rsp", UINT64_C(0x8807060504030201));
    expect(&fake, "*((uint16_t *)$rsp + 1)", 0x403);
    expect(&fake, "((uint16_t *)$rsp)[2]", 0x605);
    expect(&fake, "&((uint16_t *)$rsp)[2]", 0x1004);
    expect(&fake, "(uint32_t *)$rsp + 2", 0x1008);
    expect(&fake, "(uint32_t *)0x1010 - (uint32_t *)0x1000", 4);
    expect_rc(&fake, "*(uint8_t *)0x2000", -EFAULT, 0);
    expect_rc(&fake, "*(uint16_t *)0x10ff", -EFAULT, 0);
    /* What is decided is not computed. */
    expect(&fake, "0 && *(uint8_t *)0x2000", 0);
    expect(&fake, "1 || 1 / 0", 1);
    expect(&fake, "1 ? 2 : 3 << 99", 2);
    expect(&fake, "0 ? $nothing : 4", 4);
    expect(&fake, "0 && (1 || *(long *)0)", 0);
    fake_machine_close(&fake);
}

static void
test_exit(void)
{
    struct fake_machine fake;

    fake_machine_open(&fake);
    expect_error(&fake, "exit.port", ENODATA, 6, "no exit yet");
    fake.machine.exit = (struct vm_exit){
        .kind = TRACE_IO,
        .access = {.address = 0x3f8, .value = 'x', .size = 1, .write = true},
    };
    expect(&fake, "exit.reason == IO && exit.port == 0x3f8 && exit.write", 1);
    expect(&fake, "exit.reason == io", 1);
    expect(&fake, "exit.reason == INTR_WINDOW", 0);
    expect(&fake, "exit.value == 'x'", 1);
    expect(&fake, "exit.reason == MSR && exit.msr == 0x10", 0); /* not asked for */
    expect_error(&fake, "exit.msr", ENODATA, 6, "this exit is io and has no msr");
    expect_error(&fake, "exit.nonsense", EINVAL, 6, "no field nonsense");
    expect_error(&fake, "exit.", EINVAL, 6, "name of a field");
    fake.machine.exit = (struct vm_exit){
        .kind = TRACE_EXCEPTION,
        .exception = {.vector = 14, .error = 6, .has_error = true, .address = 0x5000},
    };
    expect(&fake, "exit.vector * 16 + exit.error", 0xe6);
    expect(&fake, "exit.address", 0x5000);
    fake_machine_close(&fake);
}

static void
test_values(void)
{
    struct fake_machine fake;
    struct value value = {.bits = 5, .is_signed = true, .size = 8};
    struct error err;
    bool assigned;

    fake_machine_open(&fake);
    expect_error(&fake, "$", EINVAL, 1, "history");
    CU_ASSERT_EQUAL(values_push(fake.debugger.values, &value), 1);
    value.bits = 7;
    CU_ASSERT_EQUAL(values_push(fake.debugger.values, &value), 2);
    expect(&fake, "$1 * 10 + $2", 57);
    expect(&fake, "$ - $$", 2);
    expect(&fake, "$$1", 5);
    expect_error(&fake, "$3", EINVAL, 1, "it has 2");
    expect_error(&fake, "1+$i", EINVAL, 3, "no variable $i");
    CU_ASSERT_EQUAL(expr_assign(&fake.debugger, "$i = $1 + 1", &value, &assigned, &err), 0);
    CU_ASSERT(assigned);
    expect(&fake, "$i", 6);
    CU_ASSERT_EQUAL(expr_assign(&fake.debugger, "$i", &value, &assigned, &err), 0);
    CU_ASSERT_FALSE(assigned);
    CU_ASSERT_EQUAL(value.bits, 6);
    for (unsigned i = 0; i < 5000; i++) /* the history is bounded: the oldest go */
        values_push(fake.debugger.values, &value);
    expect_rc(&fake, "$1", -EINVAL, 0);
    expect(&fake, "$5002", 6);
    fake_machine_close(&fake);
}

static int
assign(struct fake_machine *fake, const char *text)
{
    struct value value;
    struct error err;
    bool assigned;

    return expr_assign(&fake->debugger, text, &value, &assigned, &err);
}

static void
test_assign(void)
{
    struct fake_machine fake;

    fake_machine_open(&fake);
    fake.regs.gpr[X86_RAX] = UINT64_C(0x1122334455667788);
    CU_ASSERT_EQUAL(assign(&fake, "$al = 0x99"), 0);
    CU_ASSERT_EQUAL(fake.regs.gpr[X86_RAX], UINT64_C(0x1122334455667799));
    CU_ASSERT_EQUAL(assign(&fake, "$ah=0x1ff"), 0); /* cut to the part */
    CU_ASSERT_EQUAL(fake.regs.gpr[X86_RAX], UINT64_C(0x112233445566ff99));
    CU_ASSERT_EQUAL(assign(&fake, "$rbx = -1"), 0);
    CU_ASSERT_EQUAL(fake.regs.gpr[X86_RBX], UINT64_MAX);
    fake.regs.seg[X86_CS].base = 0x1000; /* which 64-bit mode does not look at */
    CU_ASSERT_EQUAL(assign(&fake, "$pc = 0x1010"), 0);
    CU_ASSERT_EQUAL(fake.regs.rip, 0x1010);
    fake.regs.efer = 0;
    CU_ASSERT_EQUAL(assign(&fake, "$pc = 0x1010"), 0);
    CU_ASSERT_EQUAL(fake.regs.rip, 0x10);
    CU_ASSERT_EQUAL(assign(&fake, "*(uint16_t *)0x1000 = 0xabcd"), 0);
    CU_ASSERT(fake.memory[0] == 0xcd && fake.memory[1] == 0xab && fake.memory[2] == 0x8f);
    CU_ASSERT_EQUAL(fake.writes, 6);
    CU_ASSERT_EQUAL(assign(&fake, "5 = 6"), -EINVAL);
    CU_ASSERT_EQUAL(assign(&fake, "$rax + 1 = 6"), -EINVAL);
    CU_ASSERT_EQUAL(assign(&fake, "$rax = 1 = 2"), -EINVAL);
    CU_ASSERT_EQUAL(assign(&fake, "$cpl = 1"), -EINVAL);
    CU_ASSERT_EQUAL(assign(&fake, "$foo.bar = 1"), -EINVAL);
    CU_ASSERT_EQUAL(assign(&fake, "$rax = "), -EINVAL);
    CU_ASSERT_EQUAL(assign(&fake, "*(uint8_t *)0 = 1"), -EFAULT);
    CU_ASSERT_EQUAL(fake.writes, 6); /* a mistake changes nothing */
    expect_error(&fake, "$rax = 1", EINVAL, 6, "assign");
    expect_error(&fake, "($rax = 1)", EINVAL, 7, "missing");
    CU_ASSERT_EQUAL(fake.writes, 6);
    fake_machine_close(&fake);
}

/* --- bad text ------------------------------------------------------------------------------------- */

static void
test_errors(void)
{
    struct fake_machine fake;
    const char *rest = "1 + 2 if $rax";
    struct value value;

    fake_machine_open(&fake);
    expect_error(&fake, "", EINVAL, 1, "value is missing");
    expect_error(&fake, "1 +", EINVAL, 4, "value is missing");
    expect_error(&fake, "5 / (2 - 2)", EINVAL, 3, "division by zero");
    expect_error(&fake, "5 % 0", EINVAL, 3, "division by zero");
    expect_error(&fake, "1 << 64", EINVAL, 3, "0 to 63");
    expect_error(&fake, "1 >> -1", EINVAL, 3, "0 to 63");
    expect(&fake, "((-9223372036854775807 - 1) / -1) == -9223372036854775807 - 1", 1);
    expect(&fake, "(-9223372036854775807 - 1) % -1", 0);
    expect_error(&fake, "(1 + 2", EINVAL, 7, "')' is missing");
    expect_error(&fake, "1 + 2)", EINVAL, 6, "ends before");
    expect_error(&fake, "1 ? 2", EINVAL, 6, "':' is missing");
    expect_error(&fake, "0x", EINVAL, 1, "whole number");
    expect_error(&fake, "2 + 12ab", EINVAL, 5, "whole number");
    expect_error(&fake, "3.14", EINVAL, 1, "whole number");
    expect_error(&fake, "09", EINVAL, 1, "whole number");
    expect_error(&fake, "18446744073709551616", EINVAL, 1, "64 bits");
    expect_error(&fake, "'a", EINVAL, 1, "quote");
    expect_error(&fake, "rax", EINVAL, 1, "a register has a $");
    expect_error(&fake, "nothing + 1", EINVAL, 1, "no symbol nothing");
    expect_error(&fake, "&5", EINVAL, 1, "address");
    expect_error(&fake, "*(void *)0x1000", EINVAL, 1, "void");
    expect_error(&fake, "(void)1", EINVAL, 2, "void");
    expect_error(&fake, "uint8_t", EINVAL, 1, "parentheses");
    expect_error(&fake, "5[1]", EINVAL, 2, "pointer");
    expect_error(&fake, "1 # 2", EINVAL, 3, "ends before");
    expect_error(&fake, "\"text\"", EINVAL, 1, "value belongs here");
    expect_error(&fake, "'main.c':", EINVAL, 10, "number");
    CU_ASSERT_EQUAL(expr_evaluate(&fake.debugger, &rest, &value, NULL), 0);
    CU_ASSERT_EQUAL(value.bits, 3);
    CU_ASSERT_STRING_EQUAL(rest, "if $rax");
    fake_machine_close(&fake);
}

static void
test_bounds(void)
{
    struct fake_machine fake;
    char *text = malloc(200001);
    uint64_t bits;

    fake_machine_open(&fake);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (const char *c = "(-!~*?"; *c; c++) {
        memset(text, *c, 200000);
        text[200000] = 0;
        CU_ASSERT_EQUAL(evaluate(&fake, text, &bits, NULL), -EINVAL);
    }
    for (unsigned i = 0; i < 100000; i++)
        memcpy(text + 2 * i, "1+", 2);
    CU_ASSERT_EQUAL(evaluate(&fake, text, &bits, NULL), -EINVAL); /* too long */
    memcpy(text + 2001, "", 1);
    CU_ASSERT_EQUAL(evaluate(&fake, text, &bits, NULL), 0);
    CU_ASSERT_EQUAL(bits, 1001);
    free(text);
    fake_machine_close(&fake);
}

static const struct unit_test tests[] = {
    {"operators group as the compiler groups them", test_compiler},
    {"registers and their parts, the moment", test_registers},
    {"memory by typed pointers; what is decided is not read", test_memory},
    {"fields of the exit, by its kind", test_exit},
    {"history and variables", test_values},
    {"assignment changes what it names and nothing else", test_assign},
    {"bad text gets a sentence with the column", test_errors},
    {"depth and length are bounded", test_bounds},
    {NULL, NULL},
};
const struct unit_suite suite_debug_expr = {"debug_expr", tests};
