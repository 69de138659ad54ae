/* say.c - the few lines of a C library that the programs share. */
#include <stdarg.h>

#include "sys.h"

struct line {
    char bytes[128];
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
        case 'd': put_number(&line, va_arg(args, uint64_t), 10); break;
        case 'x': put_number(&line, va_arg(args, uint64_t), 16); break;
        default: put(&line, *format); break;
        }
    }
    va_end(args);
    sys_call(SYS_WRITE, 1, (uint64_t)line.bytes, line.used);
}

int64_t
number(const char *s)
{
    int64_t value = 0;
    while (*s >= '0' && *s <= '9')
        value = value * 10 + (*s++ - '0');
    return value;
}
