/*
 * uart16550.h - a National Semiconductor NS16550D serial port; its other end is a struct console.
 *
 * Offsets are the chip's registers 0 to 7, so it can lie anywhere: COM1 is 3f8 with IRQ 4.
 */
#ifndef HV_DEVICE_UART16550_H
#define HV_DEVICE_UART16550_H

#include <stdbool.h>
#include <stdint.h>

#include "core/console.h"
#include "core/line.h"
#include "device/device.h"

#define UART_COM1_PORT 0x3f8
#define UART_COM1_IRQ  4
#define UART_PORTS     8
#define UART_FIFO      16

struct uart_state {
    uint8_t fifo[UART_FIFO]; /* received, not yet read: a ring */
    uint8_t first, count;
    uint8_t ier, fcr, lcr, mcr, lsr_errors, msr_deltas, scratch;
    uint8_t divisor_low, divisor_high;
    uint8_t thr_empty_irq; /* the transmitter became empty, and the guest was not yet told */
};

struct uart {
    struct uart_state s;
    struct line irq;
    struct console *console; /* NULL: output goes nowhere */
};

extern const struct device_ops uart_ops;

/* Is there room for a received byte? Not in loopback mode, where the input pin is cut off. */
bool uart_room(const struct uart *uart);
/* A byte arrives. False, and not taken, if there is no room. */
bool uart_feed(struct uart *uart, uint8_t byte);

#endif
