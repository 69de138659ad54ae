/*
 * gdb_packet.c - the frame of gdb's packets: $data#sum, with + and - between them.
 *
 * The sum is of the bytes as they are sent, modulo 256, in two hexadecimal digits. In data, '}'
 * means that the next byte was XORed with 20 (GDB manual, E.1). Called by gdb_server.c and
 * gdb_stub.c, and by tests/fuzz/gdb.c. Next: gdb_stub.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debugger/gdb.h"

#define ESCAPE     '}'
#define ESCAPE_XOR 0x20

/* --- in -------------------------------------------------------------------------------------- */

enum { BETWEEN, DATA, ESCAPED, SUM_HIGH, SUM_LOW };

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static void
keep(struct gdb_input *in, uint8_t byte)
{
    if (in->size < GDB_PACKET)
        in->data[in->size++] = (char)byte;
    else
        in->too_long = true;
}

static enum gdb_token
between(struct gdb_input *in, uint8_t byte)
{
    switch (byte) {
    case '$':
        in->state = DATA;
        in->size = 0;
        in->sum = 0;
        in->too_long = false;
        return GDB_NOTHING;
    case 0x03: return GDB_A_BREAK;
    case '+': return GDB_ACK;
    case '-': return GDB_AGAIN;
    default: return GDB_NOTHING; /* noise on the line */
    }
}

enum gdb_token
gdb_feed(struct gdb_input *in, uint8_t byte)
{
    int digit = hex_digit(byte);

    switch (in->state) {
    case DATA:
        if (byte == '#') {
            in->state = SUM_HIGH;
            break;
        }
        in->sum = (uint8_t)(in->sum + byte);
        if (byte == ESCAPE)
            in->state = ESCAPED;
        else
            keep(in, byte);
        break;
    case ESCAPED:
        in->sum = (uint8_t)(in->sum + byte);
        keep(in, byte ^ ESCAPE_XOR);
        in->state = DATA;
        break;
    case SUM_HIGH:
        in->want = (uint8_t)(digit << 4);
        in->state = digit < 0 ? BETWEEN : SUM_LOW;
        return digit < 0 ? GDB_BAD : GDB_NOTHING;
    case SUM_LOW:
        in->state = BETWEEN;
        in->data[in->size] = 0;
        if (digit < 0 || (in->want | digit) != in->sum || in->too_long)
            return GDB_BAD;
        return GDB_A_PACKET;
    default: return between(in, byte);
    }
    return GDB_NOTHING;
}

bool
gdb_hex(const char **text, uint64_t *value)
{
    unsigned digits = 0;
    int digit;

    *value = 0;
    while ((digit = hex_digit((uint8_t) * *text)) >= 0) {
        if (++digits > 16)
            return false;
        *value = *value << 4 | (unsigned)digit;
        ++*text;
    }
    return digits > 0;
}

bool
gdb_hex_bytes(const char **text, void *bytes, size_t size)
{
    uint8_t *out = bytes;

    for (size_t i = 0; i < size; i++) {
        int high = hex_digit((uint8_t)(*text)[0]);
        int low = high < 0 ? -1 : hex_digit((uint8_t)(*text)[1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
        *text += 2;
    }
    return true;
}

/* --- out ------------------------------------------------------------------------------------- */

void
gdb_put(struct gdb_reply *reply, const void *bytes, size_t size)
{
    size_t room = GDB_PACKET - reply->size;

    if (size > room) {
        reply->full = true;
        size = room;
    }
    memcpy(reply->data + reply->size, bytes, size);
    reply->size += size;
    reply->data[reply->size] = 0;
}

void
gdb_print(struct gdb_reply *reply, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length > 0)
        gdb_put(reply, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

void
gdb_put_hex(struct gdb_reply *reply, const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = bytes;

    for (size_t i = 0; i < size; i++)
        gdb_put(reply, (char[]){digits[in[i] >> 4], digits[in[i] & 15]}, 2);
}

void
gdb_put_binary(struct gdb_reply *reply, const void *bytes, size_t size)
{
    const uint8_t *in = bytes;

    for (size_t i = 0; i < size; i++)
        if (in[i] && strchr("#$}*", in[i]))
            gdb_put(reply, (char[]){ESCAPE, (char)(in[i] ^ ESCAPE_XOR)}, 2);
        else
            gdb_put(reply, &in[i], 1);
}

size_t
gdb_frame(const struct gdb_reply *reply, char *frame)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < reply->size; i++)
        sum = (uint8_t)(sum + (uint8_t)reply->data[i]);
    frame[0] = '$';
    memcpy(frame + 1, reply->data, reply->size);
    snprintf(frame + 1 + reply->size, 4, "#%02x", sum);
    return reply->size + 4;
}
