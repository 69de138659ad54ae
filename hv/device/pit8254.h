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
#include "device/pit_counter.h"

#define PIT_HZ       1193182
#define PIT_PORT     0x40
#define PIT_PORT_61  0x61
#define PIT_COUNTERS 3

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
    uint64_t due; /* follows from s: when IRQ 0 changes next, in ns */
    struct line irq;
};

extern const struct device_ops pit_ops;

#endif
