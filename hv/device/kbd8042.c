/*
 * kbd8042.c - see kbd8042.h. Sections are those of the IBM PC AT Technical Reference (1984),
 * "Keyboard Controller" (pages 1-38 to 1-60), and of the ICH data sheet for port 92.
 *
 * The controller answers at once, so its input buffer is never full. There is no second (mouse)
 * port: its commands are taken and get no answer, by which drivers see that it is missing.
 */
#include <stdbool.h>

#include "device/describe.h"
#include "device/kbd8042.h"

/* Status (port 64, read)  7 | 6 | 5     | 4       | 3       | 2      | 1     | 0
 *                         errors | mouse | not locked | command | system | input | output full */
#define STATUS_OUTPUT     0x01
#define STATUS_SYSTEM     0x04
#define STATUS_COMMAND    0x08
#define STATUS_NOT_LOCKED 0x10
/* Command byte            7 | 6         | 5 4               | 3 | 2      | 1     | 0
 *                         0 | translate | mouse, kbd off    | 0 | system | IRQ12 | IRQ1 */
#define BYTE_IRQ1      0x01
#define BYTE_SYSTEM    0x04
#define BYTE_KBD_OFF   0x10
#define BYTE_TRANSLATE 0x40
/* Output port             7 6              | 5 4                   | 3 2 | 1   | 0
 *                         kbd data, clock  | mouse, kbd output full | -  | A20 | 0: reset */
#define OUT_NO_RESET 0x01
#define OUT_A20      0x02
#define OUT_KBD_FULL 0x10
#define OUT_AT_RESET 0xcf
/* Port 92                 7-2 | 1   | 0
 *                         -   | A20 | a rise resets */
#define P92_RESET 0x01
#define P92_A20   0x02

/* Commands to port 64. */
#define READ_RAM     0x20 /* 20-3f */
#define WRITE_RAM    0x60 /* 60-7f, then a data byte */
#define SELF_TEST    0xaa
#define PORT_TEST    0xab
#define KBD_DISABLE  0xad
#define KBD_ENABLE   0xae
#define READ_INPUT   0xc0
#define READ_OUTPUT  0xd0
#define WRITE_OUTPUT 0xd1 /* these four: then a data byte */
#define WRITE_KBD    0xd2
#define WRITE_MOUSE  0xd3
#define TO_MOUSE     0xd4
#define A20_CLOSE    0xdd
#define A20_OPEN     0xdf
#define READ_TEST    0xe0
#define PULSE        0xf0 /* f0-ff: pulls the pins low whose bits are 0 */
#define SELF_TEST_OK 0x55
#define INPUT_PORT   0xa0 /* not locked, mother board's RAM enabled */

/* Commands to the keyboard, and what it says. */
#define KBD_SET_LEDS 0xed
#define KBD_ECHO     0xee
#define KBD_SCAN_SET 0xf0
#define KBD_IDENTIFY 0xf2
#define KBD_RATE     0xf3
#define KBD_FIRST    0xed
#define KBD_RESET    0xff
#define KBD_ACK      0xfa
#define KBD_TEST_OK  0xaa
#define KBD_RESEND   0xfe

/* ---- the wires ---- */

/* The gate is open if either of its two owners says so: the chip set joins them with an OR. */
static void
update_lines(struct kbd *k)
{
    struct kbd_state *s = &k->s;

    s->output_port &= (uint8_t)~OUT_KBD_FULL;
    if (s->count)
        s->output_port |= OUT_KBD_FULL;
    line_set(&k->a20, (s->output_port & OUT_A20) || (s->port_92 & P92_A20));
    line_set(&k->irq, s->count && (s->ram[0] & BYTE_IRQ1));
}

static void
pull_reset(struct kbd *k)
{
    if (k->power.request)
        k->power.request(k->power.ctx, POWER_RESET, 0);
}

/* A byte for port 60. When the guest does not read, later ones are lost, as in a real queue. */
static void
say(struct kbd_state *s, uint8_t byte)
{
    if (s->count < KBD_QUEUE)
        s->queue[(s->first + s->count++) % KBD_QUEUE] = byte;
}

/* ---- the keyboard ---- */

static void
keyboard_write(struct kbd_state *s, uint8_t v)
{
    if (s->keyboard_command) { /* its argument: LEDs, rate, scan set; a query of the set: 2 */
        bool query = s->keyboard_command == KBD_SCAN_SET && v == 0;
        s->keyboard_command = 0;
        say(s, KBD_ACK);
        if (query)
            say(s, s->ram[0] & BYTE_TRANSLATE ? 0x41 : 0x02);
        return;
    }
    if (v == KBD_ECHO) {
        say(s, KBD_ECHO);
        return;
    }
    say(s, v >= KBD_FIRST ? KBD_ACK : KBD_RESEND);
    switch (v) {
    case KBD_SET_LEDS:
    case KBD_SCAN_SET:
    case KBD_RATE: s->keyboard_command = v; break;
    case KBD_IDENTIFY: /* an MF2 keyboard: ab 83, or ab 41 after translation to scan set 1 */
        say(s, 0xab);
        say(s, s->ram[0] & BYTE_TRANSLATE ? 0x41 : 0x83);
        break;
    case KBD_RESET: say(s, KBD_TEST_OK); break;
    }
}

/* ---- the controller ---- */

/* A20 and reset are pins of this port: both change as soon as it is written. */
static void
set_output_port(struct kbd *k, uint8_t v)
{
    k->s.output_port = v;
    if (!(v & OUT_NO_RESET))
        pull_reset(k);
}

static void
write_command(struct kbd *k, uint8_t v)
{
    struct kbd_state *s = &k->s;

    s->flags |= STATUS_COMMAND;
    s->command = 0;
    if (v >= PULSE) {
        if (!(v & OUT_NO_RESET))
            pull_reset(k);
        return;
    }
    if (v >= READ_RAM && v < READ_RAM + KBD_RAM) {
        say(s, s->ram[v - READ_RAM]);
        return;
    }
    if (v >= WRITE_RAM && v < WRITE_RAM + KBD_RAM) {
        s->command = v;
        return;
    }
    switch (v) {
    case WRITE_OUTPUT:
    case WRITE_KBD:
    case WRITE_MOUSE:
    case TO_MOUSE: s->command = v; break;
    case SELF_TEST:
        s->flags |= STATUS_SYSTEM;
        s->ram[0] |= BYTE_SYSTEM;
        say(s, SELF_TEST_OK);
        break;
    case PORT_TEST: say(s, 0); break;
    case KBD_DISABLE: s->ram[0] |= BYTE_KBD_OFF; break;
    case KBD_ENABLE: s->ram[0] &= (uint8_t)~BYTE_KBD_OFF; break;
    case READ_INPUT: say(s, INPUT_PORT); break;
    case READ_OUTPUT: say(s, s->output_port); break;
    case READ_TEST: say(s, 0); break;
    case A20_CLOSE: s->output_port &= (uint8_t)~OUT_A20; break;
    case A20_OPEN: s->output_port |= OUT_A20; break;
    }
}

static void
write_data(struct kbd *k, uint8_t v)
{
    struct kbd_state *s = &k->s;
    uint8_t command = s->command;

    s->flags &= (uint8_t)~STATUS_COMMAND;
    s->command = 0;
    if (command >= WRITE_RAM && command < WRITE_RAM + KBD_RAM) {
        s->ram[command - WRITE_RAM] = v;
        if (command == WRITE_RAM)
            s->flags = (uint8_t)((s->flags & ~STATUS_SYSTEM) |
                                 (v & BYTE_SYSTEM ? STATUS_SYSTEM : 0));
        return;
    }
    switch (command) {
    case WRITE_OUTPUT: set_output_port(k, v); break;
    case WRITE_KBD: say(s, v); break; /* as if the keyboard had sent it */
    case WRITE_MOUSE:
    case TO_MOUSE: break;
    default: /* for the keyboard, whose clock the controller releases to send it */
        s->ram[0] &= (uint8_t)~BYTE_KBD_OFF;
        keyboard_write(s, v);
    }
}

/* With nothing there, the buffer still holds the byte that was read last. */
static uint8_t
read_data(struct kbd_state *s)
{
    if (!s->count)
        return s->queue[(s->first + KBD_QUEUE - 1) % KBD_QUEUE];
    uint8_t byte = s->queue[s->first];
    s->first = (s->first + 1) % KBD_QUEUE;
    s->count--;
    return byte;
}

static uint64_t
kbd_read(void *dev, uint64_t port, unsigned size)
{
    struct kbd *k = dev;
    uint8_t value;

    (void)size;
    if (port == KBD_PORT_92)
        return k->s.port_92;
    if (port == KBD_COMMAND_PORT)
        return k->s.flags | STATUS_NOT_LOCKED | (k->s.count ? STATUS_OUTPUT : 0);
    value = read_data(&k->s);
    line_set(&k->irq, 0); /* falls with each byte read: the next byte is a new edge */
    update_lines(k);
    return value;
}

static void
kbd_write(void *dev, uint64_t port, unsigned size, uint64_t value)
{
    struct kbd *k = dev;
    uint8_t v = (uint8_t)value;

    (void)size;
    if (port == KBD_PORT_92) {
        bool reset = v & ~k->s.port_92 & P92_RESET;
        k->s.port_92 = v & (P92_A20 | P92_RESET);
        if (reset)
            pull_reset(k);
    } else if (port == KBD_COMMAND_PORT) {
        write_command(k, v);
    } else {
        write_data(k, v);
    }
    update_lines(k);
}

/* After reset all output pins are high, so the A20 gate is open. */
static void
kbd_reset(void *dev)
{
    struct kbd *k = dev;

    k->s = (struct kbd_state){.output_port = OUT_AT_RESET, .ram[0] = BYTE_KBD_OFF};
    update_lines(k);
}

static void *
kbd_state(void *dev, size_t *size)
{
    struct kbd *k = dev;

    *size = sizeof(k->s);
    return &k->s;
}

static void
kbd_restored(void *dev)
{
    struct kbd *k = dev;

    k->s.first %= KBD_QUEUE;
    k->s.count = k->s.count > KBD_QUEUE ? KBD_QUEUE : k->s.count;
    update_lines(k);
}

static void
kbd_describe(void *dev, char *text, size_t size)
{
    const struct kbd_state *s = &((struct kbd *)dev)->s;
    struct text t;

    text_begin(&t, text, size);
    text_add(&t, "command byte %02x, %u bytes wait, output port %02x, port 92 %02x, A20 %s\n",
             s->ram[0], s->count, s->output_port, s->port_92,
             (s->output_port & OUT_A20) || (s->port_92 & P92_A20) ? "open" : "closed");
}

static const char *
kbd_register_name(void *dev, uint64_t port, bool write, uint64_t value)
{
    const struct kbd_state *s = &((struct kbd *)dev)->s;

    if (port == KBD_PORT_92)
        return "port 92: A20 and fast reset";
    if (port == KBD_COMMAND_PORT) {
        if (!write)
            return "status";
        switch (value & 0xff) {
        case SELF_TEST: return "command: self-test";
        case WRITE_RAM: return "command: write the command byte";
        case READ_RAM: return "command: read the command byte";
        case WRITE_OUTPUT: return "command: write the output port (A20, reset)";
        case PULSE | 0xe: return "command: pulse the reset pin";
        default: return "command";
        }
    }
    if (!write)
        return "output buffer";
    return s->command ? "data of the command before" : "a byte for the keyboard";
}

const struct device_ops kbd_ops = {
    .name = "kbd",
    .summary = "Intel 8042: reset, A20 gate, a keyboard without keys; port 92",
    .width = 1,
    .read = kbd_read,
    .write = kbd_write,
    .reset = kbd_reset,
    .state = kbd_state,
    .restored = kbd_restored,
    .describe = kbd_describe,
    .register_name = kbd_register_name,
    .manual = "IBM PC AT Technical Reference, keyboard controller",
};
