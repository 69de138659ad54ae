/*
 * commands_look.c - the commands that look at values and memory: x, xp, print, display, disassemble.
 *
 * Called through table.c. Next: format.c, display.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/display.h"
#include "debugger/values.h"
#include "loader/symbols.h"

/* --- x, xp ---------------------------------------------------------------------------------------- */

static int
examine(struct debugger *debugger, const char *text, enum machine_space space, struct error *err)
{
    struct displays *d = debugger->displays;
    struct format format;
    struct value value;
    bool again = !*text;
    int rc = format_parse(&text, &format, err);

    if (rc)
        return rc;
    if (*text) {
        if ((rc = expr_evaluate_all(debugger, text, &value, err)))
            return rc;
        d->next[space] = value.bits;
    } else if (!d->next_known[space]) {
        if (space == SPACE_PHYSICAL || !format_pc(debugger, &d->next[space]))
            return error_set(err, EINVAL, "say which address: x/8xb $rsp, x/5i $pc, xp/4xg 0x1000");
    }
    if (again)
        format.count = d->format[space].count;
    format_complete(&format, &d->format[space]);
    d->next_known[space] = true;
    d->format[space] = format;
    return format_memory(debugger, space, &format, &d->next[space], err);
}

static int
run_x(struct debugger *debugger, const char *arguments, struct error *err)
{
    return examine(debugger, arguments, SPACE_LINEAR, err);
}

static int
run_xp(struct debugger *debugger, const char *arguments, struct error *err)
{
    return examine(debugger, arguments, SPACE_PHYSICAL, err);
}

/* --- print ---------------------------------------------------------------------------------------- */

/* /F of print and display: one value, so no count; i and s read memory. */
static int
parse_letter(const char **text, struct format *format, bool memory, struct error *err)
{
    int rc = format_parse(text, format, err);

    if (!rc && !memory && (format->count || format->size || format->letter == 'i'))
        return error_set(err, EINVAL, "print takes a letter alone, as in p/x; x/8xb shows memory");
    return rc;
}

static int
run_print(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct format format;
    struct value value;
    char text[160];
    bool assigned;
    int rc = parse_letter(&arguments, &format, false, err);

    if (rc)
        return rc;
    if (!*arguments) {
        if (!values_get(debugger->values, values_count(debugger->values), &value))
            return error_set(err, EINVAL, "say what to print: print $rax + 8, print exit.port");
    } else if ((rc = expr_assign(debugger, arguments, &value, &assigned, err))) {
        return rc;
    }
    unsigned number = values_push(debugger->values, &value);
    fprintf(debugger->out, "$%u = ", number);
    if (format.letter == 's') {
        const struct format string = {1, 's', 1};
        return format_memory(debugger, SPACE_LINEAR, &string, &value.bits, err);
    }
    fprintf(debugger->out, "%s\n",
            format_value(debugger, &value, format.letter, text, sizeof(text)));
    return 0;
}

/* --- display -------------------------------------------------------------------------------------- */

static int
run_display(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct display *display;
    struct format format;
    struct value value;
    int rc = parse_letter(&arguments, &format, true, err);

    if (rc)
        return rc;
    if (!*arguments) {
        displays_show(debugger);
        return 0;
    }
    /* What cannot be computed now may be at the next stop; what is no expression never will. */
    if (expr_evaluate_all(debugger, arguments, &value, err) == -EINVAL)
        return -EINVAL;
    if ((rc = displays_add(debugger->displays, &format, arguments, &display, err)))
        return rc;
    display_show(debugger, display);
    return 0;
}

static int
run_undisplay(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint64_t number;
    char word[24];
    int rc = 0;

    if (!*arguments)
        displays_remove(debugger->displays, 0, NULL);
    while (!rc && *arguments) {
        size_t length = strcspn(arguments, " \t");
        snprintf(word, sizeof(word), "%.*s", (int)(length < 23 ? length : 23), arguments);
        rc = parse_number(word, &number, err);
        if (!rc)
            rc = displays_remove(debugger->displays, number ? number : UINT64_MAX, err);
        arguments += length;
        arguments += strspn(arguments, " \t");
    }
    return rc;
}

/* --- disassemble ---------------------------------------------------------------------------------- */

#define BYTES_MAX (UINT64_C(1) << 20) /* of one disassembly */

/* "/r", "/s", "/rs" */
static int
parse_flags(const char **text, unsigned *flags, struct error *err)
{
    *flags = 0;
    if (**text != '/')
        return 0;
    for (++*text; **text && **text != ' ' && **text != '\t'; ++*text) {
        if (**text != 'r' && **text != 's' && **text != 'm')
            return error_set(err, EINVAL, "disassemble knows /r (bytes) and /s (lines of source)");
        *flags |= **text == 'r' ? CODE_BYTES : CODE_LINES;
    }
    *text += strspn(*text, " \t");
    return 0;
}

/* "START,END" or "START,+LENGTH" */
static int
parse_range(struct debugger *debugger, const char *text, struct code_range *range,
            struct error *err)
{
    struct value value;
    int rc = expr_evaluate(debugger, &text, &value, err);

    if (rc)
        return rc;
    range->start = value.bits;
    if (*text != ',')
        return error_set(err, EINVAL, "say START,END or START,+LENGTH: disassemble $pc,+32");
    text += 1 + strspn(text + 1, " \t");
    bool length = *text == '+';
    if ((rc = expr_evaluate_all(debugger, text + length, &value, err)))
        return rc;
    range->end = length ? range->start + value.bits : value.bits;
    if (range->end <= range->start || range->end - range->start > BYTES_MAX)
        return error_set(err, EINVAL, "the end is not 1 byte to 1 MiB behind the start");
    return 0;
}

static int
run_disassemble(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct symbols *symbols = debugger->machine->symbols;
    struct code_range range = {.count = 10};
    struct value value;
    uint64_t address, next;
    int rc = parse_flags(&arguments, &range.flags, err);

    if (rc)
        return rc;
    if (strchr(arguments, ',')) {
        rc = parse_range(debugger, arguments, &range, err);
        return rc ? rc : format_code(debugger, SPACE_LINEAR, &range, &next, err);
    }
    if (*arguments)
        rc = expr_evaluate_all(debugger, arguments, &value, err), address = value.bits;
    else if (!format_pc(debugger, &address))
        rc = error_set(err, EINVAL, "it is not known where the guest is: disassemble ADDRESS,+32");
    if (rc)
        return rc;
    if (!symbols_function(symbols, address, &range.start, &range.end) ||
        range.end - range.start > BYTES_MAX) {
        range.start = address; /* in no function: some instructions from there */
        range.end = 0;
    }
    return format_code(debugger, SPACE_LINEAR, &range, &next, err);
}

/* clang-format off */
const struct debug_command commands_look[] = {
    {"x", NULL, "look", "[/NFU] [ADDRESS]", "Show memory at an address of the guest",
     "N is how many; F is x d u o t (numbers), a (address with symbol), c, s\n"
     "(string) or i (instruction); U is b h w g: 1, 2, 4, 8 bytes. Without an\n"
     "address it goes on behind what it showed last. $_ is the last address.",
     "x/8xg $rsp", COMPLETE_EXPRESSION, COMMAND_ADVANCES, NULL, run_x},
    {"xp", NULL, "look", "[/NFU] [ADDRESS]", "Show memory at a guest-physical address",
     "As x, past the guest's page tables.",
     "xp/4xg $cr3", COMPLETE_EXPRESSION, COMMAND_ADVANCES, NULL, run_xp},
    {"print", "p,inspect", "look", "[/F] [EXPRESSION]", "Show a value, and keep it as $1, $2 ...",
     "C's operators over numbers, $registers, symbols, memory (*(uint32_t *)$rsp)\n"
     "and the fields of the exit (exit.port). PLACE = EXPRESSION assigns.",
     "print/x exit.port", COMPLETE_EXPRESSION, 0, NULL, run_print},
    {"display", NULL, "look", "[/F] [EXPRESSION]", "Show an expression now and at every stop",
     "With i or s, or a unit, memory at that address: display/i $pc. Without an\n"
     "expression: shows all now.",
     "display/x $rsp", COMPLETE_EXPRESSION, 0, NULL, run_display},
    {"undisplay", NULL, "look", "[N...]", "Show display N no more; without N, none",
     NULL, "undisplay 1", COMPLETE_NOTHING, 0, NULL, run_undisplay},
    {"disassemble", "disas", "look", "[/rs] [FUNCTION|START,END|START,+LENGTH]",
     "Show instructions, of the present function if none is named",
     "/r with their bytes, /s under the lines of source; => is the next one.",
     "disassemble /s kmain", COMPLETE_LOCATION, 0, NULL, run_disassemble},
    {0},
};
/* clang-format on */
