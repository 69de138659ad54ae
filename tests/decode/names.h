/* names.h - which differences between the two decoders' answers are none. See names.c. */
#ifndef TESTS_DECODE_NAMES_H
#define TESTS_DECODE_NAMES_H

#include <stdbool.h>

#include <Zydis/Zydis.h>

#include "isa/x86/cpu.h"
#include "isa/x86/insn.h"

/* Is this the instruction that Zydis calls so? */
bool name_agrees(const struct x86_insn *in, ZydisMnemonic mnemonic);
/* Should our table have it: an extension that our CPUID claims, or the base? */
bool name_is_ours(ZydisISAExt ext, ZydisMnemonic mnemonic);
/* Why the decoders differ in `what` here, in one clause, when the difference is right; else NULL. insn is NULL
 * where Zydis knows no instruction. */
const char *name_explain(const struct x86_insn *in, const ZydisDecodedInstruction *insn,
                         unsigned code_size, const char *what);

#endif
