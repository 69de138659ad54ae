/* print.c - say(): formatted text on file 1, by one write(). Used by all programs. */
#include <stdarg.h>

#include "lib.h"

struct line {
    char bytes[256];
    unsigned used;
};

static void
put(struct line *line, char c)
{
    if (line->used < sizeof(line->bytes))
        line->bytes[line->used++] = c;
}

static void
put_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n)
        put(line, digits[--n]);
}

static void
put_signed(struct line *line, int64_t value)
{
    if (value < 0)
        put(line, '-');
    put_number(line, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

void
say(const char *format, ...)
{
    struct line line = {.used = 0};
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            put(&line, *format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(args, const char *); *s; s++)
                put(&line, *s);
            break;
        case 'c': put(&line, (char)va_arg(args, int)); break;
        case 'd': put_signed(&line, va_arg(args, int64_t)); break;
        case 'u': put_number(&line, va_arg(args, uint64_t), 10); break;
        case 'x': put_number(&line, va_arg(args, uint64_t), 16); break;
        default: put(&line, *format); break;
        }
    }
    va_end(args);
    sys_write(1, line.bytes, line.used);
}
