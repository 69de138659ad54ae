/*
 * disasm.c - one instruction as text, for people: the debugger, the tracer's tables, the tests.
 *
 * The only file of the program that includes Zydis. The interpreter never asks it anything: it
 * decodes by its own table (decode.c), and tests/diff holds that decoder against Zydis.
 */
#include "isa/x86/insn.h"

#include <stdio.h>

#include <Zydis/Zydis.h>

/* Zydis' name for a processor with this default operand size: 2 is also what real mode is to a
 * disassembler, but for a handful of instructions that only exist in protected mode. */
static bool
disasm_init_decoder(ZydisDecoder *decoder, unsigned code_size)
{
    ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LONG_64;
    ZydisStackWidth stack = ZYDIS_STACK_WIDTH_64;

    if (code_size == 4) {
        mode = ZYDIS_MACHINE_MODE_LEGACY_32;
        stack = ZYDIS_STACK_WIDTH_32;
    } else if (code_size == 2) {
        mode = ZYDIS_MACHINE_MODE_LEGACY_16;
        stack = ZYDIS_STACK_WIDTH_16;
    }
    return ZYAN_SUCCESS(ZydisDecoderInit(decoder, mode, stack));
}

unsigned
x86_disassemble(const uint8_t *bytes, unsigned avail, unsigned code_size, uint64_t rip, char *text,
                unsigned text_size)
{
    ZydisDecoder decoder;
    ZydisFormatter formatter;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

    if (!text_size)
        return 0;
    text[0] = '\0';
    if (!disasm_init_decoder(&decoder, code_size) ||
        ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, bytes, avail, &insn, operands)) ||
        ZYAN_FAILED(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)) ||
        ZYAN_FAILED(ZydisFormatterFormatInstruction(
            &formatter, &insn, operands, insn.operand_count_visible, text, text_size, rip, NULL))) {
        snprintf(text, text_size, "(bad)");
        return 0;
    }
    return insn.length;
}
