/*
 * escape.c - see escape.h. Called by `type`, `echo` and `printf`.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "debugger/escape.h"

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of the escape at *text, behind its backslash; moves behind it. -1: it is none. */
static int
escape(const char **text)
{
    static const char letters[] = "abefnrtv\\\"'";
    static const char values[] = "\a\b\x1b\f\n\r\t\v\\\"'";
    char c = *(*text)++;
    const char *letter = c ? strchr(letters, c) : NULL;
    int value = 0, digits = 0;

    if (letter)
        return (unsigned char)values[letter - letters];
    if (c == 'x') {
        for (; digits < 2 && hex_digit(**text) >= 0; digits++)
            value = 16 * value + hex_digit(*(*text)++);
        return digits ? value : -1;
    }
    if (c < '0' || c > '7')
        return -1;
    value = c - '0';
    for (digits = 1; digits < 3 && **text >= '0' && **text <= '7'; digits++)
        value = 8 * value + *(*text)++ - '0';
    return value <= 255 ? value : -1;
}

int
unescape(const char *text, uint8_t *bytes, size_t room, size_t *count, struct error *err)
{
    *count = 0;
    while (*text) {
        int byte = (unsigned char)*text++;
        if (byte == '\\') {
            const char *at = text;
            byte = escape(&text);
            if (byte < 0)
                return error_set(err, EINVAL,
                                 "'\\%.1s' is no escape: there are \\n \\t \\r \\\\ \\\" \\e \\xHH "
                                 "\\OOO",
                                 at);
        }
        if (*count == room)
            return error_set(err, E2BIG, "more than %zu bytes", room);
        bytes[(*count)++] = (uint8_t)byte;
    }
    return 0;
}
