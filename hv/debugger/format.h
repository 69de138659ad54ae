/*
 * format.h - values and memory as people read them: the /NFU of `x`, `print` and `display`.
 *
 *   N  how many
 *   F  x hexadecimal, d signed, u unsigned, o octal, t binary, a address with symbol, c character,
 *      s string, i instruction
 *   U  b 1 byte, h 2, w 4, g 8
 *
 * Called by commands_look.c and display.c. Next: format.c, then format_code.c.
 */
#ifndef HV_DEBUGGER_FORMAT_H
#define HV_DEBUGGER_FORMAT_H

#include <stddef.h>

#include "debugger/debugger.h"
#include "debugger/expr.h"

#define FORMAT_COUNT_MAX 65536u

struct format {
    unsigned count; /* 0: not given */
    char letter;    /* 0: not given */
    uint8_t size;   /* bytes; 0: not given */
};

/* Reads "/NFU" at *text, if there is a slash, and the white space behind it. 0, or -EINVAL with a
 * sentence. */
int format_parse(const char **text, struct format *format, struct error *err);

/* "0x1f", "-1", "97 'a'", "0x1000 <name+4>": in the given letter, 0: as suits the value. Returns text. */
char *format_value(const struct debugger *debugger, const struct value *value, char letter,
                   char *text, size_t size);
/* "0xffffffff8010c000 <kmain+4>": the symbol only if there is one. Returns text. */
char *format_address(const struct debugger *debugger, uint64_t address, char *text, size_t size);

/*
 * Prints format->count units of memory from *address on and leaves *address behind them; sets $_ and
 * $__. 0, or -EFAULT after what could be read. count, letter and size are as format_complete()
 * leaves them.
 */
int format_memory(struct debugger *debugger, enum machine_space space, const struct format *format,
                  uint64_t *address, struct error *err);
/* Fills in what was not given from `last`, and sizes that a letter implies. */
void format_complete(struct format *format, const struct format *last);

/* --- format_code.c ------------------------------------------------------------------------------- */

#define CODE_BYTES 1u /* with the instruction's bytes */
#define CODE_LINES 2u /* under the lines of source */

struct code_range {
    uint64_t start, end; /* end 0: as many as `count` says */
    unsigned count;
    unsigned flags; /* CODE_* */
};

/* Prints instructions, => before the one at $pc; *next: behind the last one. 0 or -EFAULT. */
int format_code(struct debugger *debugger, enum machine_space space, const struct code_range *range,
                uint64_t *next, struct error *err);
/* The linear address of the guest's next instruction. False: not known. */
bool format_pc(struct debugger *debugger, uint64_t *pc);

#endif
