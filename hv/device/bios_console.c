/*
 * bios_console.c - int 10h, 14h and 16h: screen, serial line and keyboard are all the console.
 *
 * Called by bios.c. Next: bios_disk.c.
 */
#include <string.h>

#include "device/bios.h"
#include "isa/x86/regs.h"

#define CELLS (BIOS_COLUMNS * BIOS_ROWS)

/* --- int 10h: the screen is the console ------------------------------------------------------- */

void
bios_print(struct bios *bios, uint8_t byte)
{
    if (bios->console)
        console_put(bios->console, byte);
}

/* Prints a character and moves the cursor that AH=03 tells. The console scrolls by itself. */
static void
teletype(struct bios *bios, uint8_t byte)
{
    uint8_t column = bios_peek(bios, BDA_CURSOR, 1), row = bios_peek(bios, BDA_CURSOR + 1, 1);

    bios_print(bios, byte);
    switch (byte) {
    case '\a': break;
    case '\b': column -= column > 0; break;
    case '\r': column = 0; break;
    case '\n': row++; break;
    default: column++;
    }
    if (column >= BIOS_COLUMNS)
        column = 0, row++;
    if (row >= BIOS_ROWS)
        row = BIOS_ROWS - 1;
    bios_poke(bios, BDA_CURSOR, 2, row << 8 | column);
}

/* AH=13: CX characters at ES:BP; AL bit 0: move the cursor, bit 1: each is followed by a colour. */
static void
print_string(struct bios *bios, const struct bios_block *b)
{
    unsigned step = bios_al(b) & 2 ? 2 : 1, count = b->ecx & 0xffff;

    for (unsigned i = 0; i < count && i < CELLS; i++) {
        uint8_t byte = bios_peek(bios, bios_linear(b->es, b->ebp + i * step), 1);
        if (bios_al(b) & 1)
            teletype(bios, byte);
        else
            bios_print(bios, byte);
    }
}

void
bios_video_service(struct bios *bios, struct bios_block *b)
{
    unsigned count = b->ecx & 0xffff;

    switch (bios_ah(b)) {
    case 0x00: /* set mode: there is one, but programs ask back what they set */
        bios_poke(bios, BDA_VIDEO_MODE, 1, bios_al(b) & 0x7f);
        bios_poke(bios, BDA_CURSOR, 2, 0);
        break;
    case 0x01: /* cursor shape */ bios_poke(bios, BDA_SHAPE, 2, b->ecx & 0xffff); break;
    case 0x02: /* set cursor: remembered only, a serial line cannot go back */
        bios_poke(bios, BDA_CURSOR, 2, b->edx & 0xffff);
        break;
    case 0x03: /* where is it? */
        bios_set16(&b->edx, bios_peek(bios, BDA_CURSOR, 2));
        bios_set16(&b->ecx, bios_peek(bios, BDA_SHAPE, 2));
        break;
    case 0x05: /* select page, scroll or clear: nothing to be seen on a serial line */
    case 0x06:
    case 0x07: break;
    case 0x09: /* CX times a character; the cursor stays */
    case 0x0a:
        for (unsigned i = 0; i < count && i < CELLS; i++)
            bios_print(bios, bios_al(b));
        break;
    case 0x0e: teletype(bios, bios_al(b)); break;
    case 0x0f: /* which mode? */
        bios_set16(&b->eax, BIOS_COLUMNS << 8 | bios_peek(bios, BDA_VIDEO_MODE, 1));
        bios_set16(&b->ebx, b->ebx & 0xff); /* page 0 */
        break;
    case 0x13: print_string(bios, b); break;
    default: bios_unknown(bios, b);
    }
}

/* --- int 16h and 14h: keys and the serial line come from the console -------------------------- */

/* Is there a byte of input? Leaves it in s.key. */
static bool
look_for_key(struct bios *bios)
{
    int byte;

    if (!bios->s.has_key && bios->input.get && (byte = bios->input.get(bios->input.ctx)) >= 0) {
        bios->s.has_key = 1;
        bios->s.key = byte;
    }
    return bios->s.has_key;
}

/* What a PC keyboard would have sent for it: scan code << 8 | character. The place in a row of the
 * strings is the scan code (IBM PC/AT Technical Reference, "Keyboard"). */
static uint16_t
key_code(uint8_t byte)
{
    static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./";
    static const char shift[] = "\0\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";
    uint8_t key = byte;

    if (byte == '\n') /* a terminal's Enter, and what its Backspace sends */
        byte = key = '\r';
    else if (byte == 0x7f)
        byte = key = '\b';
    else if (byte && byte < 0x20 && !strchr("\033\b\t\r", byte))
        key = byte | 0x60; /* Control and a letter */
    for (unsigned i = 1; i < sizeof(plain) - 1; i++)
        if (key && (plain[i] == key || shift[i] == key))
            return i << 8 | byte;
    return (byte == ' ' ? 0x3900 : 0) | byte;
}

void
bios_keyboard_service(struct bios *bios, struct bios_block *b)
{
    switch (bios_ah(b)) {
    case 0x00: /* take a key; if there is none the stub sleeps and asks again */
    case 0x10:
        if (!look_for_key(bios)) {
            b->result = RESULT_WAIT;
            break;
        }
        bios_set16(&b->eax, key_code(bios->s.key));
        bios->s.has_key = 0;
        break;
    case 0x01: /* is there one? ZF: no */
    case 0x11:
        b->flags |= FLAG_ZF;
        if (look_for_key(bios)) {
            b->flags &= ~FLAG_ZF;
            bios_set16(&b->eax, key_code(bios->s.key));
        }
        break;
    case 0x02: /* shift keys: none is held */
    case 0x12: bios_set_al(b, 0); break;
    case 0x03: break; /* repeat rate */
    default: bios_unknown(bios, b);
    }
}

#define SERIAL_READY   0x61 /* line status: transmitter empty, data ready */
#define SERIAL_EMPTY   0x60
#define SERIAL_TIMEOUT 0x80

void
bios_serial_service(struct bios *bios, struct bios_block *b)
{
    uint8_t status = look_for_key(bios) ? SERIAL_READY : SERIAL_EMPTY;

    switch (bios_ah(b)) {
    case 0x00: /* set speed */
    case 0x03: bios_set16(&b->eax, status << 8 | 0xb0 /* modem status: line is up */); break;
    case 0x01:
        bios_print(bios, bios_al(b));
        bios_set_ah(b, status);
        break;
    case 0x02:
        if (bios->s.has_key)
            bios_set_al(b, bios->s.key);
        bios_set_ah(b, bios->s.has_key ? 0 : SERIAL_TIMEOUT);
        bios->s.has_key = 0;
        break;
    default: bios_unknown(bios, b);
    }
}
