/*
 * decode_segment.c - segment attributes and types of system descriptors in words (SDM vol. 3, 3.4.5
 * and 3.5; in long mode 3.5.2 and 5.8.3).
 *
 * Called by info_tables.c and info_registers.c. Next: decode_observer.c.
 */
#include <stdio.h>

#include "debugger/decode.h"

const char *
decode_gate_type(unsigned type, bool long_mode)
{
    switch (type) {
    case SYS_INT: return "interrupt gate";
    case SYS_TRAP: return "trap gate";
    case SYS_INT16: return long_mode ? NULL : "16-bit interrupt gate";
    case SYS_TRAP16: return long_mode ? NULL : "16-bit trap gate";
    case SYS_TASK_GATE: return long_mode ? NULL : "task gate";
    default: return NULL;
    }
}

/* Types of system descriptors, in long mode and outside of it (SDM vol. 3, table 3-2). */
static const char *
system_type(unsigned type, bool long_mode)
{
    static const char *const legacy[16] = {
        [SYS_TSS16] = "16-bit TSS, available", [SYS_LDT] = "LDT",
        [SYS_TSS16_BUSY] = "16-bit TSS, busy", [SYS_CALL16] = "16-bit call gate",
        [SYS_TASK_GATE] = "task gate",         [SYS_INT16] = "16-bit interrupt gate",
        [SYS_TRAP16] = "16-bit trap gate",     [SYS_TSS] = "32-bit TSS, available",
        [SYS_TSS_BUSY] = "32-bit TSS, busy",   [SYS_CALL] = "32-bit call gate",
        [SYS_INT] = "32-bit interrupt gate",   [SYS_TRAP] = "32-bit trap gate",
    };
    static const char *const wide[16] = {
        [SYS_LDT] = "LDT",
        [SYS_TSS] = "64-bit TSS, available",
        [SYS_TSS_BUSY] = "64-bit TSS, busy",
        [SYS_CALL] = "64-bit call gate",
        [SYS_INT] = "64-bit interrupt gate",
        [SYS_TRAP] = "64-bit trap gate",
    };

    return (long_mode ? wide : legacy)[type & SEG_TYPE];
}

static void
code_segment(uint16_t attr, bool long_mode, char *text, size_t size)
{
    bool l = long_mode && attr & SEG_L;

    if (l && attr & SEG_DB)
        snprintf(text, size, "code with both L and D set (reserved)");
    else
        snprintf(text, size, "%s-bit code", l ? "64" : attr & SEG_DB ? "32" : "16");
    decode_add(text, size, attr & SEG_READABLE ? ", readable" : ", execute-only");
    if (attr & SEG_CONFORMING)
        decode_add(text, size, ", conforming");
}

char *
decode_attr(uint16_t attr, bool long_mode, char *text, size_t size)
{
    if (!(attr & SEG_S)) {
        const char *name = system_type(attr & SEG_TYPE, long_mode);
        if (name)
            snprintf(text, size, "%s", name);
        else
            snprintf(text, size, "no such type of system descriptor: 0x%x", attr & SEG_TYPE);
    } else if (attr & SEG_CODE) {
        code_segment(attr, long_mode, text, size);
    } else {
        snprintf(text, size, "data, %s%s", attr & SEG_WRITABLE ? "writable" : "read-only",
                 attr & SEG_EXPAND ? ", expand-down" : "");
    }
    if (attr & SEG_S && attr & SEG_ACCESSED)
        decode_add(text, size, ", accessed");
    if (!(attr & SEG_P))
        decode_add(text, size, ", not present");
    return text;
}
