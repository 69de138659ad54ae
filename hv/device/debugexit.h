/*
 * debugexit.h - a port that ends the run with a status, as QEMU's isa-debug-exit does.
 *
 * Writing v to it powers the machine off with status (v << 1) | 1, cut to 8 bits: never 0, so
 * that a guest's test cannot pass by accident.
 */
#ifndef HV_DEVICE_DEBUGEXIT_H
#define HV_DEVICE_DEBUGEXIT_H

#include "core/line.h"
#include "device/device.h"

#define DEBUGEXIT_PORTS 4 /* byte, word and doubleword OUT all reach it */

struct debugexit {
    struct power_switch power;
};

extern const struct device_ops debugexit_ops;

#endif
