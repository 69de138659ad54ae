/*
 * pit8254.h - the Intel 8254 interval timer and port 61, as a PC wires them.
 *
 *   counter 0: gate high,            OUT -> IRQ 0
 *   counter 1: gate high,            OUT -> memory refresh, seen as a toggle in port 61 bit 4
 *   counter 2: gate = port 61 bit 0, OUT -> port 61 bit 5 (and the speaker, which we lack)
 *
 * Offsets of this device are port numbers: 40-43 and 61.
 */
#ifndef HV_DEVICE_PIT8254_H
#define HV_DEVICE_PIT8254_H

#include <stdint.h>

#include "core/line.h"
#include "device/device.h"

#define PIT_HZ       1193182
#define PIT_PORT     0x40
#define PIT_PORT_61  0x61
#define PIT_COUNTERS 3

/* One counter. Times are in ticks of the 1.193182 MHz clock since power-on. While it counts, the
 * number of ticks since the count was loaded is now - origin; while it stands (gate low), it is
 * `elapsed`. The counting element and OUT follow from that number, the mode and n alone. */
struct pit_counter {
    uint64_t origin;    /* when the count in use was loaded */
    uint64_t elapsed;   /* ticks since then, while standing */
    uint64_t load_at;   /* when the count register is taken over; DEVICE_NEVER: nothing waits */
    uint32_t n;         /* the count in use, 1 to 65536; 0: none was ever loaded */
    uint32_t held;      /* what the counting element shows when nothing counts */
    uint16_t count;     /* the count register, as written */
    uint16_t latch;     /* latched count */
    uint8_t control;    /* the control word as written, bits 5-0 */
    uint8_t mode;       /* 0 to 5 */
    uint8_t access;     /* 1: low byte, 2: high byte, 3: low then high */
    uint8_t counting;   /* a count was loaded, and OUT follows it */
    uint8_t written;    /* the count register is complete */
    uint8_t null_count; /* it has not been loaded yet */
    uint8_t gate;
    uint8_t load_low;   /* mode 3: the load starts a low half of the square wave */
    uint8_t write_high, read_high; /* which byte comes next in access mode 3 */
    uint8_t low_byte;   /* access mode 3: written, the high byte is still to come */
    uint8_t latched;    /* bytes of `latch` not yet read */
    uint8_t status, status_latched;
};

struct pit_state {
    uint64_t now; /* guest time in ns of the last tick */
    struct pit_counter counter[PIT_COUNTERS];
    uint64_t seen;   /* tick up to which IRQ 0 has followed OUT of counter 0 */
    uint64_t merged; /* rises of OUT that no one saw: guest time jumped over several */
    uint8_t level;   /* of IRQ 0 */
    uint8_t port_61; /* bits 3-0, as written */
};

struct pit {
    struct pit_state s;
    struct line irq;
};

extern const struct device_ops pit_ops;

#endif
