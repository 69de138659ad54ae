/*
 * expr_location.c - places in the program, as `break`, `list` and `until` are given them.
 *
 * Called by commands. Next: loader/symbols.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/expr_parse.h"
#include "loader/symbols.h"

/* Only digits, at least one. */
static bool
is_line(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

/* The file of source where the guest stands; NULL: not known. */
static const char *
present_file(struct debugger *debugger)
{
    struct machine *m = debugger->machine;
    struct value pc;
    const char *file;
    int line;

    if (expr_evaluate_all(debugger, "$pc", &pc, NULL) ||
        !symbols_line(m->symbols, pc.bits, &file, &line))
        return NULL;
    return file;
}

static int
at_line(struct debugger *debugger, const char *file, const char *digits, uint64_t *address,
        struct error *err)
{
    uint64_t line;

    if (parse_number(digits, &line, err) || line > INT32_MAX)
        return error_set(err, EINVAL, "'%.40s' is no line's number", digits);
    if (!symbols_find_line(debugger->machine->symbols, file, (int)line, NULL, address))
        return error_set(err, EINVAL,
                         "no code was made from line %d of %s or those behind it (`info sources` "
                         "lists the files)",
                         (int)line, file);
    return 0;
}

int
expr_location(struct debugger *debugger, const char *text, uint64_t *address, struct error *err)
{
    struct symbols *symbols = debugger->machine->symbols;
    const char *colon = strrchr(text, ':');
    struct value value;
    char file[512];

    if (strlen(text) >= EXPR_LENGTH_MAX)
        return error_set(err, EINVAL, "the location is longer than %u characters", EXPR_LENGTH_MAX);
    if (*text == '*') {
        int rc = expr_evaluate_all(debugger, text + 1, &value, err);
        if (!rc)
            *address = value.bits;
        return rc;
    }
    if (is_line(text)) {
        const char *present = present_file(debugger);
        if (!present)
            return error_set(err, EINVAL,
                             "the guest stands in no known source file: say FILE:%s, or *%s for an "
                             "address",
                             text, text);
        return at_line(debugger, present, text, address, err);
    }
    if (colon && is_line(colon + 1) && !strchr("'?$(", *text) &&
        (size_t)(colon - text) < sizeof(file)) {
        snprintf(file, sizeof(file), "%.*s", (int)(colon - text), text);
        if (strcspn(file, " ?()") == strlen(file))
            return at_line(debugger, file, colon + 1, address, err);
    }
    if (symbols_address(symbols, text, address)) {
        *address = symbols_body(symbols, *address);
        return 0;
    }
    int rc = expr_evaluate_all(debugger, text, &value, err);
    if (!rc)
        *address = value.bits;
    return rc;
}
