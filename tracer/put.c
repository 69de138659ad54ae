/*
 * put.c - see put.h.
 */
#include <errno.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/put.h"

void
put_begin(struct put *put, FILE *out)
{
    put->out = out;
    put->rc = 0;
    put->used = 0;
}

static void
flush(struct put *put)
{
    if (!put->rc && put->used && fwrite(put->text, 1, put->used, put->out) != put->used)
        put->rc = errno ? -errno : -EIO;
    put->used = 0;
}

int
put_end(struct put *put)
{
    flush(put);
    return put->rc;
}

void
put_bytes(struct put *put, const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size > PUT_SIZE - put->used) {
        size_t part = PUT_SIZE - put->used;
        memcpy(put->text + put->used, from, part);
        put->used += part, from += part, size -= part;
        flush(put);
    }
    memcpy(put->text + put->used, from, size);
    put->used += size;
}

void
put_text(struct put *put, const char *text)
{
    put_bytes(put, text, strlen(text));
}

void
put_char(struct put *put, char c)
{
    if (put->used == PUT_SIZE)
        flush(put);
    put->text[put->used++] = c;
}

void
put_number(struct put *put, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    put_bytes(put, digits + at, sizeof(digits) - at);
}

void
put_hex(struct put *put, uint64_t number)
{
    char digits[18];
    size_t at = sizeof(digits);

    do {
        digits[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
    } while (number);
    digits[--at] = 'x';
    digits[--at] = '0';
    put_bytes(put, digits + at, sizeof(digits) - at);
}

void
put_us(struct put *put, uint64_t ns)
{
    unsigned rest = (unsigned)(ns % 1000);
    const char text[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                          (char)('0' + rest % 10)};

    put_number(put, ns / 1000);
    put_bytes(put, text, sizeof(text));
}

void
put_json(struct put *put, const char *text)
{
    char escape[8];

    put_char(put, '"');
    while (*text) {
        unsigned char c = (unsigned char)*text;
        unsigned n = describe_utf8(text);
        if (c == '"' || c == '\\') {
            put_char(put, '\\');
            put_char(put, *text++);
        } else if (n) {
            put_bytes(put, text, n);
            text += n;
        } else {
            snprintf(escape, sizeof(escape), "\\u%04x", c < 0x80 ? c : 0xfffdu);
            put_text(put, escape);
            text++;
        }
    }
    put_char(put, '"');
}

void
put_json_text(struct put *put, const char *before, const char *text)
{
    put_text(put, before);
    put_json(put, text);
}

void
put_json_number(struct put *put, const char *before, uint64_t number)
{
    put_text(put, before);
    put_number(put, number);
}

void
put_json_hex(struct put *put, const char *before, uint64_t number)
{
    put_text(put, before);
    put_char(put, '"');
    put_hex(put, number);
    put_char(put, '"');
}

void
put_csv(struct put *put, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        put_text(put, text);
        return;
    }
    put_char(put, '"');
    for (; *text; text++) {
        if (*text == '"')
            put_char(put, '"');
        put_char(put, *text);
    }
    put_char(put, '"');
}
