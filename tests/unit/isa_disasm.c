/* isa_disasm.c - tests of hv/isa/x86/disasm.c. */
#include <string.h>

#include "base/util.h"
#include "isa/x86/insn.h"
#include "tests/unit/unit.h"
#include "tests/unit/suites.h"

/* The same bytes in each mode (SDM vol. 2, A.3: 48 is DEC EAX, in 64-bit mode REX.W). */
static void
test_modes(void)
{
    static const uint8_t bytes[] = {0x48, 0x89, 0xd8};
    char text[80];

    CU_ASSERT_EQUAL(x86_disassemble(bytes, sizeof(bytes), 8, 0, text, sizeof(text)), 3);
    CU_ASSERT_STRING_EQUAL(text, "mov rax, rbx");
    CU_ASSERT_EQUAL(x86_disassemble(bytes, sizeof(bytes), 4, 0, text, sizeof(text)), 1);
    CU_ASSERT_STRING_EQUAL(text, "dec eax");
    CU_ASSERT_EQUAL(x86_disassemble(bytes, sizeof(bytes), 2, 0, text, sizeof(text)), 1);
    CU_ASSERT_STRING_EQUAL(text, "dec ax");
}

/* A branch is printed with the address that it goes to. */
static void
test_address(void)
{
    static const uint8_t bytes[] = {0xeb, 0xfe};
    char text[80];

    CU_ASSERT_EQUAL(x86_disassemble(bytes, sizeof(bytes), 8, 0x7c00, text, sizeof(text)), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "7C00"));
}

/* Bytes that end too early, or are no instruction: 0, and a text that can be printed. */
static void
test_bad(void)
{
    static const uint8_t bytes[] = {0x0f, 0xff, 0x06, 0x00}; /* UD0 wants a whole ModRM */
    static const uint8_t push_es = 0x06;                     /* #UD in 64-bit mode */
    char text[80], tiny[4];

    CU_ASSERT_EQUAL(x86_disassemble(bytes, 1, 8, 0, text, sizeof(text)), 0);
    CU_ASSERT_STRING_EQUAL(text, "(bad)");
    CU_ASSERT_EQUAL(x86_disassemble(&push_es, 1, 8, 0, text, sizeof(text)), 0);
    CU_ASSERT_EQUAL(x86_disassemble(&push_es, 1, 4, 0, text, sizeof(text)), 1);
    CU_ASSERT_STRING_EQUAL(text, "push es");
    /* A text that does not fit is cut, never written past its end. */
    CU_ASSERT_EQUAL(x86_disassemble(&push_es, 1, 4, 0, tiny, sizeof(tiny)), 0);
    CU_ASSERT_EQUAL(strlen(tiny), sizeof(tiny) - 1);
    CU_ASSERT_EQUAL(x86_disassemble(&push_es, 1, 4, 0, NULL, 0), 0);
}

static const struct unit_test tests[] = {
    {"the same bytes in three modes", test_modes},
    {"a branch shows its target", test_address},
    {"no instruction, and no room", test_bad},
    {NULL, NULL},
};
const struct unit_suite suite_isa_disasm = {"isa_disasm", tests};
