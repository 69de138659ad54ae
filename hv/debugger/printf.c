/*
 * printf.c - see printf.h: C's conversions for integers, characters and the guest's strings.
 *
 * The format comes from a script, so the C library's printf never sees it: each conversion is
 * taken apart and put together again from what is allowed. Called by commands_output.c.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/escape.h"
#include "debugger/printf.h"
#include "debugger/session.h"

#define WIDTH_MAX  200u
#define STRING_MAX 1024u

/* One conversion: "%-08llx". */
struct conversion {
    char flags[8];
    unsigned width;
    char letter;
};

/* The string between quotes at *text, without them; *text is moved behind it. NULL: there is none. */
static char *
take_format(const char **text)
{
    const char *start = *text + 1, *end = start;

    if (**text != '"')
        return NULL;
    while (*end && *end != '"')
        end += end[0] == '\\' && end[1] ? 2 : 1;
    if (!*end)
        return NULL;
    *text = end + 1;
    return strndup(start, (size_t)(end - start));
}

/* At *at stands what follows '%'; moves behind it. */
static int
parse_conversion(const char **at, struct conversion *c, struct error *err)
{
    const char *start = *at;
    size_t flags = strspn(start, "-+ 0#");

    *c = (struct conversion){.flags = ""};
    if (flags >= sizeof(c->flags))
        return error_set(err, EINVAL, "printf: too many flags at '%%%.16s'", start);
    memcpy(c->flags, start, flags);
    start += flags;
    while (isdigit((unsigned char)*start) && c->width <= WIDTH_MAX)
        c->width = 10 * c->width + (unsigned)(*start++ - '0');
    if (c->width > WIDTH_MAX)
        return error_set(err, EINVAL, "printf: a width is at most %u", WIDTH_MAX);
    start += strspn(start, "hlzjt");
    c->letter = *start;
    if (!c->letter || !strchr("dixXoucsp", c->letter))
        return error_set(
            err, EINVAL,
            "printf: '%%%.1s' is no conversion: there are %%d %%u %%x %%o %%c %%s %%p %%%%", start);
    *at = start + 1;
    return 0;
}

/* The guest's string at an address, up to its zero byte. Bytes that do not print become dots. */
static int
guest_string(struct debugger *debugger, uint64_t address, char *text, size_t size,
             struct error *err)
{
    struct machine *machine = debugger->machine;

    for (size_t i = 0; i + 1 < size; i++) {
        int rc = machine->ops->read(machine, SPACE_LINEAR, address + i, &text[i], 1, err);
        if (rc)
            return rc;
        if (!text[i])
            return 0;
        if (!isprint((unsigned char)text[i]) && text[i] != '\n' && text[i] != '\t')
            text[i] = '.';
    }
    text[size - 1] = 0;
    return 0;
}

static int
print_conversion(struct debugger *debugger, FILE *out, const struct conversion *c,
                 const struct value *value, struct error *err)
{
    char format[32], text[STRING_MAX];
    int rc;

    if (c->letter == 's') {
        if ((rc = guest_string(debugger, value->bits, text, sizeof(text), err)))
            return rc;
        snprintf(format, sizeof(format), "%%%s*s", strchr(c->flags, '-') ? "-" : "");
        fprintf(out, format, (int)c->width, text);
    } else if (c->letter == 'c') {
        snprintf(format, sizeof(format), "%%%s*c", strchr(c->flags, '-') ? "-" : "");
        fprintf(out, format, (int)c->width,
                isprint((int)(value->bits & 0xff)) || value->bits == '\n'
                    ? (int)(value->bits & 0xff)
                    : '.');
    } else {
        snprintf(format, sizeof(format), "%%%s%s*ll%c", c->flags, c->letter == 'p' ? "#" : "",
                 c->letter == 'p' ? 'x' : c->letter);
        fprintf(out, format, (int)c->width, (unsigned long long)value->bits);
    }
    return 0;
}

static int
print_all(struct debugger *debugger, FILE *out, const char *format, const char *arguments,
          struct error *err)
{
    struct conversion c;
    struct value value;
    int rc;

    while (*format) {
        if (*format != '%' || format[1] == '%') {
            fputc(*format, out);
            format += *format == '%' ? 2 : 1;
            continue;
        }
        format++;
        if ((rc = parse_conversion(&format, &c, err)))
            return rc;
        arguments += strspn(arguments, " \t");
        if (*arguments != ',')
            return error_set(err, EINVAL, "printf: there are fewer values than conversions");
        arguments += 1 + strspn(arguments + 1, " \t");
        if ((rc = expr_evaluate(debugger, &arguments, &value, err)) ||
            (rc = print_conversion(debugger, out, &c, &value, err)))
            return rc;
    }
    if (arguments[strspn(arguments, " \t")])
        return error_set(err, EINVAL, "printf: '%.32s' is left over", arguments);
    return 0;
}

int
debug_printf(struct debugger *debugger, const char *arguments, struct error *err)
{
    uint8_t bytes[LINE_LONGEST];
    char *format = take_format(&arguments), *text = NULL;
    size_t count, size = 0;
    FILE *out;
    int rc;

    if (!format)
        return error_set(err, EINVAL, "printf is 'printf \"FORMAT\", EXPRESSION...'");
    rc = unescape(format, bytes, sizeof(bytes) - 1, &count, err);
    free(format);
    if (rc)
        return rc;
    bytes[count] = 0;
    /* All or nothing: a value that cannot be read leaves no half line behind. */
    if (!(out = open_memstream(&text, &size)))
        return error_set(err, ENOMEM, "no memory for printf");
    rc = print_all(debugger, out, (const char *)bytes, arguments, err);
    if (fclose(out) && !rc)
        rc = error_set(err, ENOMEM, "no memory for printf");
    if (!rc)
        fwrite(text, 1, size, debugger->out);
    free(text);
    return rc;
}
