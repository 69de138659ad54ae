/*
 * format.c - see format.h: numbers and memory.
 *
 * Called by commands_look.c and display.c. Next: format_code.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "debugger/format.h"
#include "debugger/values.h"
#include "loader/symbols.h"

#define STRING_MAX 200u /* characters of one string */

/* --- /NFU ----------------------------------------------------------------------------------------- */

static uint8_t
unit_size(char c)
{
    return c == 'b' ? 1 : c == 'h' ? 2 : c == 'w' ? 4 : c == 'g' ? 8 : 0;
}

int
format_parse(const char **text, struct format *format, struct error *err)
{
    const char *at = *text;
    uint64_t count = 0;

    *format = (struct format){0};
    if (*at != '/')
        return 0;
    for (at++; *at >= '0' && *at <= '9'; at++)
        if ((count = count * 10 + (uint64_t)(*at - '0')) > FORMAT_COUNT_MAX)
            return error_set(err, EINVAL, "a count goes up to %u", FORMAT_COUNT_MAX);
    format->count = (unsigned)count;
    for (; *at && *at != ' ' && *at != '\t'; at++) {
        if (*at == 'f')
            return error_set(err, EINVAL, "floating point is not shown: use x");
        if (unit_size(*at))
            format->size = unit_size(*at);
        else if (strchr("xduotacsi", *at))
            format->letter = *at;
        else
            return error_set(err, EINVAL,
                             "behind / stand a count, one of x d u o t a c s i, and one of b h w g "
                             "(1, 2, 4, 8 bytes); as in x/8xg $rsp");
    }
    *text = at + strspn(at, " \t");
    return 0;
}

void
format_complete(struct format *format, const struct format *last)
{
    if (!format->letter)
        format->letter = last->letter ? last->letter : 'x';
    if (format->letter == 'a')
        format->size = 8;
    if (!format->size)
        format->size = format->letter == 'c' ? 1 : last->size ? last->size : 4;
    if (!format->count)
        format->count = 1;
}

/* --- one value ------------------------------------------------------------------------------------ */

char *
format_address(const struct debugger *debugger, uint64_t address, char *text, size_t size)
{
    uint64_t offset;
    const char *name = symbols_name(debugger->machine->symbols, address, &offset);

    if (!name)
        snprintf(text, size, "%#" PRIx64, address);
    else if (offset)
        snprintf(text, size, "%#" PRIx64 " <%.100s+%" PRIu64 ">", address, name, offset);
    else
        snprintf(text, size, "%#" PRIx64 " <%.100s>", address, name);
    return text;
}

/* A character as C writes it between quotes. */
static const char *
escape(uint8_t c, char quote, char text[8])
{
    static const char letters[] = "\a\b\t\n\v\f\r", names[] = "abtnvfr";
    const char *known = c ? strchr(letters, c) : NULL;

    if (known)
        snprintf(text, 8, "\\%c", names[known - letters]);
    else if (c == (uint8_t)quote || c == '\\')
        snprintf(text, 8, "\\%c", c);
    else if (c >= ' ' && c <= '~')
        snprintf(text, 8, "%c", c);
    else
        snprintf(text, 8, "\\%03o", c);
    return text;
}

static void
format_binary(uint64_t bits, char *text, size_t size)
{
    int first = bits ? 63 - __builtin_clzll(bits) : 0;
    size_t n = 0;

    for (int i = first; i >= 0 && n + 1 < size; i--)
        text[n++] = (char)('0' + (bits >> i & 1));
    text[n] = 0;
}

char *
format_value(const struct debugger *debugger, const struct value *value, char letter, char *text,
             size_t size)
{
    unsigned unused = value->size && value->size < 8 ? 64 - 8u * value->size : 0;
    uint64_t bits = value->bits << unused >> unused;
    char c[8];

    if (!letter && (value->is_signed || bits < 10))
        letter = 'd';
    switch (letter) {
    case 'd': snprintf(text, size, "%" PRId64, (int64_t)(bits << unused) >> unused); break;
    case 'u': snprintf(text, size, "%" PRIu64, bits); break;
    case 'o': snprintf(text, size, "%s%" PRIo64, bits ? "0" : "", bits); break;
    case 't': format_binary(bits, text, size); break;
    case 'c':
        snprintf(text, size, "%d '%s'", (int)(int8_t)bits, escape((uint8_t)bits, '\'', c));
        break;
    case 'x': snprintf(text, size, "0x%" PRIx64, bits); break;
    case 'a': return format_address(debugger, bits, text, size);
    default: /* unsigned: an address, if it is one */
        if (value->size == 8)
            return format_address(debugger, bits, text, size);
        snprintf(text, size, "0x%" PRIx64, bits);
        break;
    }
    return text;
}

/* --- memory --------------------------------------------------------------------------------------- */

/* "0x1000 <name+4>:" in front of a row. */
static void
print_label(struct debugger *debugger, enum machine_space space, uint64_t address)
{
    char text[160];

    if (space == SPACE_PHYSICAL)
        fprintf(debugger->out, "%#" PRIx64 ":", address);
    else
        fprintf(debugger->out, "%s:", format_address(debugger, address, text, sizeof(text)));
}

/* $_ and $__: gdb's names for the last address examined and what was there. */
static void
remember(struct debugger *debugger, uint64_t address, const struct value *value)
{
    const struct value at = {address, false, 8};

    values_set(debugger->values, "_", 1, &at, NULL);
    values_set(debugger->values, "__", 2, value, NULL);
}

/* In columns, zeros in front of a hexadecimal number, as memory is read. */
static void
print_unit(struct debugger *debugger, const struct value *value, char letter)
{
    char text[160];

    if (letter == 'x')
        fprintf(debugger->out, "\t0x%0*" PRIx64, value->size * 2, value->bits);
    else
        fprintf(debugger->out, "\t%s", format_value(debugger, value, letter, text, sizeof(text)));
}

static int
print_units(struct debugger *debugger, enum machine_space space, const struct format *format,
            uint64_t *address, struct error *err)
{
    struct machine *m = debugger->machine;
    unsigned per_row = format->letter == 't' ? 8u / format->size : 16u / format->size;
    struct value value = {.size = format->size, .is_signed = format->letter == 'd'};
    int rc = 0;

    if (format->size == 1 || format->letter == 'c')
        per_row = 8;
    for (unsigned i = 0; i < format->count && !rc; i++) {
        uint8_t bytes[8] = {0};
        rc = m->ops->read(m, space, *address, bytes, format->size, err);
        if (rc)
            break;
        if (i % per_row == 0) {
            fputs(i ? "\n" : "", debugger->out);
            print_label(debugger, space, *address);
        }
        value.bits = 0;
        for (unsigned k = format->size; k-- > 0;)
            value.bits = value.bits << 8 | bytes[k];
        print_unit(debugger, &value, format->letter);
        remember(debugger, *address, &value);
        *address += format->size;
        if (i + 1 == format->count)
            fputc('\n', debugger->out);
    }
    return rc;
}

/* One string to its zero byte, or STRING_MAX characters of it; the rest is the next one. */
static int
print_string(struct debugger *debugger, enum machine_space space, uint64_t *address,
             struct error *err)
{
    struct machine *m = debugger->machine;
    const struct value first = {*address, false, 8};
    uint8_t byte = 0;
    char c[8];
    int rc = m->ops->read(m, space, *address, &byte, 1, err);

    if (rc)
        return rc;
    print_label(debugger, space, *address);
    fputs("\t\"", debugger->out);
    for (unsigned i = 0; !rc && byte && i < STRING_MAX; i++) {
        fputs(escape(byte, '"', c), debugger->out);
        rc = m->ops->read(m, space, ++*address, &byte, 1, err);
    }
    fputs(byte && !rc ? "\"...\n" : "\"\n", debugger->out);
    *address += !byte;
    remember(debugger, first.bits, &first);
    return rc;
}

int
format_memory(struct debugger *debugger, enum machine_space space, const struct format *format,
              uint64_t *address, struct error *err)
{
    int rc = 0;

    if (format->letter == 'i') {
        const struct code_range range = {.start = *address, .count = format->count};
        return format_code(debugger, space, &range, address, err);
    }
    if (format->letter != 's') {
        const uint64_t start = *address;
        rc = print_units(debugger, space, format, address, err);
        if (rc && *address != start)
            fputc('\n', debugger->out);
        return rc;
    }
    for (unsigned i = 0; i < format->count && !rc; i++)
        rc = print_string(debugger, space, address, err);
    return rc;
}
