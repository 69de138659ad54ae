/*
 * json.c - see json.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/json.h"

#define NUMBER_MAX 10 /* bytes of 64 bits, seven in each */

void
json_text(FILE *out, const char *text)
{
    char *clean = strdup(text);

    fputc('"', out);
    for (const char *p = clean ? describe_clean(clean) : ""; *p; p++) {
        switch (*p) {
        case '"':
        case '\\':
        case '<':
        case '>':
        case '&': fprintf(out, "\\u%04x", (unsigned char)*p); break;
        default: fputc(*p, out);
        }
    }
    fputc('"', out);
    free(clean);
}

size_t
json_text_size(const char *text)
{
    size_t size = 3; /* the quotes and a comma */

    for (; *text; text++)
        size += strchr("\"\\<>&", *text) ? 6 : 1;
    return size;
}

int
json_column_add(struct json_column *c, uint64_t number)
{
    if (c->room - c->used < NUMBER_MAX) {
        size_t room = c->room ? 2 * c->room : 4096;
        uint8_t *grown = realloc(c->byte, room);
        if (!grown)
            return -ENOMEM;
        c->byte = grown;
        c->room = room;
    }
    for (; number >= 0x80; number >>= 7)
        c->byte[c->used++] = (uint8_t)(number | 0x80);
    c->byte[c->used++] = (uint8_t)number;
    return 0;
}

int
json_column_add_delta(struct json_column *c, uint64_t number)
{
    uint64_t delta = number - c->last;

    c->last = number;
    return json_column_add(c, delta >> 63 ? ~(delta << 1) : delta << 1);
}

void
json_column_print(FILE *out, const struct json_column *c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;

    fputc('"', out);
    for (; at + 3 <= c->used; at += 3) {
        const uint8_t *b = c->byte + at;
        char four[4] = {digits[b[0] >> 2], digits[(b[0] & 3) << 4 | b[1] >> 4],
                        digits[(b[1] & 15) << 2 | b[2] >> 6], digits[b[2] & 63]};
        fwrite(four, 1, 4, out);
    }
    if (c->used - at == 1)
        fprintf(out, "%c%c==", digits[c->byte[at] >> 2], digits[(c->byte[at] & 3) << 4]);
    if (c->used - at == 2)
        fprintf(out, "%c%c%c=", digits[c->byte[at] >> 2],
                digits[(c->byte[at] & 3) << 4 | c->byte[at + 1] >> 4],
                digits[(c->byte[at + 1] & 15) << 2]);
    fputc('"', out);
}

void
json_column_free(struct json_column *c)
{
    free(c->byte);
    memset(c, 0, sizeof(*c));
}
