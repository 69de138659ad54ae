/*
 * format_code.c - instructions: `x/i` and `disassemble`.
 *
 * Called through format.h. Next: isa/x86/disasm.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/format.h"
#include "debugger/source.h"
#include "debugger/values.h"
#include "isa/x86/insn.h"
#include "loader/symbols.h"

bool
format_pc(struct debugger *debugger, uint64_t *pc)
{
    struct value value;

    if (expr_evaluate_all(debugger, "$pc", &value, NULL))
        return false;
    *pc = value.bits;
    return true;
}

/* " <name+4>" behind a jump or call that names an address. */
static void
print_target(struct debugger *debugger, const char *text)
{
    const char *number = strstr(text, " 0x");
    char place[160];

    if ((*text != 'j' && strncmp(text, "call ", 5) && strncmp(text, "loop", 4)) || !number ||
        strchr(text, '['))
        return;
    uint64_t target = strtoull(number + 1, NULL, 16);
    if (!symbols_name(debugger->machine->symbols, target, NULL))
        return;
    format_address(debugger, target, place, sizeof(place));
    fprintf(debugger->out, "%s", strchr(place, ' '));
}

/* The line of source that begins here, if it is another than before. */
static void
print_line(struct debugger *debugger, uint64_t address, const char **file, int *line)
{
    const char *f;
    int l;

    if (!symbols_line(debugger->machine->symbols, address, &f, &l) || (*line == l && *file == f))
        return;
    if (*file != f)
        fprintf(debugger->out, "%s:\n", f);
    if (!source_print(debugger, f, l, l, 0, NULL))
        fprintf(debugger->out, "%d\n", l);
    *file = f;
    *line = l;
}

int
format_code(struct debugger *debugger, enum machine_space space, const struct code_range *range,
            uint64_t *next, struct error *err)
{
    struct machine *m = debugger->machine;
    unsigned size = machine_code_size(m);
    uint8_t bytes[X86_INSN_MAX];
    char text[160], label[160];
    const char *file = NULL;
    uint64_t pc = 0;
    bool pc_known = space == SPACE_LINEAR && format_pc(debugger, &pc);
    int line = 0;

    *next = range->start;
    for (unsigned i = 0; range->end ? *next < range->end : i < range->count; i++) {
        unsigned got = machine_fetch(m, space, *next, bytes, err);
        if (!got)
            return -EFAULT;
        unsigned length = x86_disassemble(bytes, got, size, *next, text, sizeof(text));
        if (range->flags & CODE_LINES)
            print_line(debugger, *next, &file, &line);
        if (space == SPACE_PHYSICAL)
            snprintf(label, sizeof(label), "%#" PRIx64, *next);
        else
            format_address(debugger, *next, label, sizeof(label));
        fprintf(debugger->out, "%s %s:\t", pc_known && pc == *next ? "=>" : "  ", label);
        for (unsigned k = 0; (range->flags & CODE_BYTES) && k < (length ? length : 1); k++)
            fprintf(debugger->out, "%02x%c", bytes[k], k + 1 < length ? ' ' : '\t');
        fputs(text, debugger->out);
        if (space == SPACE_LINEAR)
            print_target(debugger, text);
        fputc('\n', debugger->out);
        const struct value value = {*next, false, 8};
        values_set(debugger->values, "_", 1, &value, NULL);
        *next += length ? length : 1;
    }
    return 0;
}
