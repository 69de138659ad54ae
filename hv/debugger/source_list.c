/*
 * source_list.c - `list`, and `info line|symbol|source|sources|functions`.
 *
 * Called through commands_source.c. Next: loader/symbols.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/display.h"
#include "debugger/source.h"
#include "loader/symbols.h"

/* --- list ----------------------------------------------------------------------------------------- */

/* Prints lines and remembers which they were, even if they are not there: the next `list` goes on
 * behind them. */
static int
show_lines(struct debugger *debugger, const char *file, int first, int last, struct error *err)
{
    struct displays *d = debugger->displays;
    const char *here;
    int line, mark = 0;
    uint64_t pc = 0;
    char *name = strdup(file); /* file may be list_file itself */

    if (!name)
        return error_set(err, ENOMEM, "no memory for a file's name");
    if (first < 1)
        first = 1;
    if (format_pc(debugger, &pc) && symbols_line(debugger->machine->symbols, pc, &here, &line) &&
        !strcmp(here, name))
        mark = line;
    d->list_pc = pc;
    unsigned printed = last < first
                           ? 0
                           : source_print(debugger, name, first, last, mark ? mark : -1, err);
    free(d->list_file);
    d->list_file = name;
    d->list_first = first;
    d->list_last = printed ? first + (int)printed - 1 : last;
    return printed ? 0 : -ENOENT;
}

static int
list_around(struct debugger *debugger, uint64_t address, struct error *err)
{
    int size = (int)debugger->settings.listsize, line;
    const char *file;
    char place[160];

    if (!symbols_line(debugger->machine->symbols, address, &file, &line))
        return error_set(err, ENOENT, "no line of source is known for %s: disassemble shows code",
                         format_address(debugger, address, place, sizeof(place)));
    int first = line - size / 2 < 1 ? 1 : line - size / 2;
    return show_lines(debugger, file, first, first + size - 1, err);
}

/* A line's number alone: of the file that was listed last, or where the guest is. */
static bool
list_number(struct debugger *debugger, const char *text, const char **file, int *line)
{
    uint64_t number, pc;
    int unused;

    if (parse_number(text, &number, NULL) || number > INT32_MAX / 2)
        return false;
    *line = (int)number;
    *file = debugger->displays->list_file;
    return *file || (format_pc(debugger, &pc) &&
                     symbols_line(debugger->machine->symbols, pc, file, &unused));
}

/* "FROM,TO", each a line or a location; ",TO" and "FROM,": listsize lines. */
static int
list_range(struct debugger *debugger, const char *arguments, struct error *err)
{
    int size = (int)debugger->settings.listsize, line[2] = {0, 0};
    const char *file[2] = {NULL, NULL}, *comma = strchr(arguments, ',');
    char text[2][256];

    snprintf(text[0], sizeof(text[0]), "%.*s", (int)(comma - arguments), arguments);
    snprintf(text[1], sizeof(text[1]), "%s", comma + 1 + strspn(comma + 1, " \t"));
    for (unsigned i = 0; i < 2; i++) {
        uint64_t address;
        text[i][strcspn(text[i], " \t")] = 0;
        if (!*text[i] || list_number(debugger, text[i], &file[i], &line[i]))
            continue;
        int rc = expr_location(debugger, text[i], &address, err);
        if (rc)
            return rc;
        if (!symbols_line(debugger->machine->symbols, address, &file[i], &line[i]))
            return error_set(err, ENOENT, "no line of source is known for %s", text[i]);
    }
    if (!file[0] && !file[1])
        return error_set(err, EINVAL, "say which lines: list 10,20 or list FUNCTION");
    if (!file[0])
        line[0] = line[1] - size + 1;
    else if (!file[1])
        line[1] = line[0] + size - 1;
    return show_lines(debugger, file[0] ? file[0] : file[1], line[0], line[1], err);
}

int
source_list(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct displays *d = debugger->displays;
    int size = (int)debugger->settings.listsize, line;
    uint64_t address, pc = 0;
    const char *file;
    bool pc_known = format_pc(debugger, &pc);

    if (strchr(arguments, ','))
        return list_range(debugger, arguments, err);
    if (!strcmp(arguments, "-") && d->list_file) {
        if (d->list_first <= 1)
            return error_set(err, ENOENT, "the lines before are none: %s begins here",
                             d->list_file);
        int last = d->list_first - 1;
        return show_lines(debugger, d->list_file, last - size + 1, last, err);
    }
    if (!*arguments && d->list_file && (!pc_known || pc == d->list_pc))
        return show_lines(debugger, d->list_file, d->list_last + 1, d->list_last + size, err);
    if (!*arguments || !strcmp(arguments, "-"))
        return pc_known ? list_around(debugger, pc, err)
                        : error_set(err, EINVAL, "say what to list: list kmain, list main.c:10");
    if (list_number(debugger, arguments, &file, &line))
        return show_lines(debugger, file, line - size / 2, line - size / 2 + size - 1, err);
    /* A function from its opening line on, not behind its prologue. */
    if (!symbols_address(debugger->machine->symbols, arguments, &address)) {
        int rc = expr_location(debugger, arguments, &address, err);
        if (rc)
            return rc;
    }
    return list_around(debugger, address, err);
}

/* --- info ----------------------------------------------------------------------------------------- */

/* The place in `arguments`, or where the guest is. */
static int
place_of(struct debugger *debugger, const char *arguments, uint64_t *address, struct error *err)
{
    if (*arguments)
        return expr_location(debugger, arguments, address, err);
    if (format_pc(debugger, address))
        return 0;
    return error_set(err, EINVAL, "it is not known where the guest is: name a place");
}

int
source_info_line(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct symbols *symbols = debugger->machine->symbols;
    uint64_t address, start, end;
    const char *file;
    char text[160];
    int line;
    int rc = place_of(debugger, arguments, &address, err);

    if (rc)
        return rc;
    if (!symbols_line(symbols, address, &file, &line) ||
        !symbols_line_range(symbols, address, &start, &end)) {
        fprintf(debugger->out, "No line of source is known for %s.\n",
                format_address(debugger, address, text, sizeof(text)));
        return 0;
    }
    fprintf(debugger->out, "Line %d of %s starts at %s", line, file,
            format_address(debugger, start, text, sizeof(text)));
    fprintf(debugger->out, " and ends before %s.\n",
            format_address(debugger, end, text, sizeof(text)));
    return 0;
}

int
source_info_symbol(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct value value;
    uint64_t offset;
    int rc = expr_evaluate_all(debugger, *arguments ? arguments : "$pc", &value, err);

    if (rc)
        return rc;
    const char *name = symbols_name(debugger->machine->symbols, value.bits, &offset);
    if (!name)
        fprintf(debugger->out, "No symbol holds %#" PRIx64 ".\n", value.bits);
    else if (offset)
        fprintf(debugger->out, "%s + %" PRIu64 "\n", name, offset);
    else
        fprintf(debugger->out, "%s\n", name);
    return 0;
}

int
source_info_source(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint64_t address;
    const char *file;
    int line;
    int rc = place_of(debugger, arguments, &address, err);

    if (rc)
        return rc;
    if (!symbols_line(debugger->machine->symbols, address, &file, &line))
        return error_set(err, ENOENT, "the guest stands in no known source file");
    char text[8];
    fprintf(debugger->out, "The guest stands in line %d of %s, which is %s.\n", line, file,
            source_line(debugger, file, 1, text, sizeof(text)) ? "here"
                                                               : "not here (directory FOLDER)");
    return 0;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
source_info_sources(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct symbols *symbols = debugger->machine->symbols;
    size_t count = 0;

    (void)arguments;
    while (symbols_file(symbols, count))
        count++;
    const char **files = calloc(count + 1, sizeof(*files));
    if (!files)
        return error_set(err, ENOMEM, "no memory for %zu names", count);
    for (size_t i = 0; i < count; i++)
        files[i] = symbols_file(symbols, i);
    qsort(files, count, sizeof(*files), by_text);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(files[i], files[i - 1]))
            fprintf(debugger->out, "%s\n", files[i]);
    free(files);
    if (!count)
        fprintf(debugger->out, "The guest's file names no source (compile it with -g).\n");
    return 0;
}

int
source_info_functions(struct debugger *debugger, const char *arguments, struct error *err)
{
    struct symbols *symbols = debugger->machine->symbols;
    const char *name, *file;
    uint64_t address;
    bool function;
    regex_t wanted;
    int line, rc = regcomp(&wanted, arguments, REG_EXTENDED | REG_NOSUB);

    if (rc) {
        char why[100];
        regerror(rc, &wanted, why, sizeof(why));
        return error_set(err, EINVAL, "bad regular expression: %s", why);
    }
    for (size_t i = 0; (name = symbols_list(symbols, i, &address, &function)); i++) {
        if (!function || regexec(&wanted, name, 0, NULL, 0))
            continue;
        fprintf(debugger->out, "%#18" PRIx64 "  %s", address, name);
        if (symbols_line(symbols, address, &file, &line))
            fprintf(debugger->out, "  %s:%d", file, line);
        fputc('\n', debugger->out);
    }
    regfree(&wanted);
    return 0;
}
