/*
 * kbd8042.h - the Intel 8042 keyboard controller as a PC/AT programs it, and port 92.
 *
 * It matters here for two of its pins: reset of the processor and the A20 gate. A keyboard
 * answers identification and reset, so that drivers find one; it has no keys.
 *
 * Offsets are port numbers: 60 and 64, and 92 (the chip set's faster reset and A20).
 */
#ifndef HV_DEVICE_KBD8042_H
#define HV_DEVICE_KBD8042_H

#include <stdint.h>

#include "core/line.h"
#include "device/device.h"

#define KBD_DATA_PORT    0x60
#define KBD_COMMAND_PORT 0x64
#define KBD_PORT_92      0x92
#define KBD_QUEUE        16
#define KBD_RAM          32

struct kbd_state {
    uint8_t queue[KBD_QUEUE]; /* bytes for port 60: a ring */
    uint8_t first, count;
    uint8_t ram[KBD_RAM]; /* byte 0 is the command byte */
    uint8_t output_port;  /* pins P20-P27 */
    uint8_t port_92;
    uint8_t flags;            /* status bits 2 (system flag) and 3 (last write was a command) */
    uint8_t command;          /* of the controller, waiting for its data byte; 0: none */
    uint8_t keyboard_command; /* of the keyboard, likewise */
};

struct kbd {
    struct kbd_state s;
    struct line irq; /* IRQ 1 */
    struct line a20; /* 1: open */
    struct power_switch power;
};

extern const struct device_ops kbd_ops;

#endif
