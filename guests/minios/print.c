/*
 * print.c - kprintf(): formatted text on the console. Called by everybody.
 *
 * The text is gathered and leaves as a whole: a console may cost an exit a write, not a byte.
 */
#include "kernel.h"

bool note_quiet;

static char buffer[128];
static unsigned used;

static void
flush(void)
{
    priv_console_write(buffer, used);
    used = 0;
}

static void
put(char c)
{
    if (used == sizeof(buffer))
        flush();
    buffer[used++] = c;
}

static void
put_number(uint64_t value, unsigned base, bool negative, unsigned width, char fill)
{
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative)
        digits[n++] = '-';
    for (; width > n; width--)
        put(fill);
    while (n)
        put(digits[--n]);
}

static void
put_string(const char *s)
{
    while (*s)
        put(*s++);
}

/* One conversion, from behind the '%': width, `l`, letter. Returns what follows it. */
static const char *
convert(const char *format, va_list *args)
{
    char fill = *format == '0' ? '0' : ' ';
    unsigned width = 0;
    bool is_long = false;
    int64_t value;

    for (; *format >= '0' && *format <= '9'; format++)
        width = width * 10 + (*format - '0');
    if (*format == 'l') {
        is_long = true;
        format++;
    }
    switch (*format) {
    case 's': put_string(va_arg(*args, const char *)); break;
    case 'c': put((char)va_arg(*args, int)); break;
    case 'd':
        value = is_long ? va_arg(*args, long) : va_arg(*args, int);
        put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0, width, fill);
        break;
    case 'p':
        put_string("0x");
        put_number(va_arg(*args, uint64_t), 16, false, width, fill);
        break;
    case 'u':
    case 'x':
        put_number(is_long ? va_arg(*args, unsigned long) : va_arg(*args, unsigned),
                   *format == 'u' ? 10 : 16, false, width, fill);
        break;
    default: put(*format); break; /* "%%" */
    }
    return *format ? format + 1 : format;
}

/* Without flush(). */
static void
gather(const char *format, va_list args_in)
{
    va_list args;
    va_copy(args, args_in); /* a va_list parameter is a pointer; convert() needs the object */
    while (*format) {
        if (*format == '%')
            format = convert(format + 1, &args);
        else
            put(*format++);
    }
    va_end(args);
}

void
kvprintf(const char *format, va_list args)
{
    gather(format, args);
    flush();
}

void
kprintf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
}

void
note(const char *format, ...)
{
    va_list args;
    if (note_quiet)
        return;
    put_string("minios: ");
    va_start(args, format);
    gather(format, args);
    va_end(args);
    put('\n');
    flush();
}
