/*
 * isa_x87.c - tests of the floating-point unit (hv/isa/x86/x87*.c, fpu.c): the decoder's names, the
 * rules of #NM and #MF, the layouts in memory. isa_x87_host.c compares results with the host's.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "isa/x86/x87.h"
#include "tests/unit/isa_machine.h"
#include "tests/unit/suites.h"

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
    machine_close(m);
}

static const struct unit_test tests[] = {
    {"names as Zydis gives them", test_names},
    {"integers", test_integers},
    {NULL, NULL},
};
const struct unit_suite suite_isa_x87 = {"isa_x87", tests};
