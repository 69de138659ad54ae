/*
 * device.h - what a device module is.
 *
 * A device answers reads and writes in the ranges that it was put at (core/bus.h), may raise
 * lines (core/line.h), and may ask to be called at a point of guest time. It never sees the vm.
 *
 * All guest-visible state lies in one plain structure without pointers, which state() returns:
 * a snapshot of the device is a copy of those bytes.
 */
#ifndef HV_DEVICE_DEVICE_H
#define HV_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_NEVER UINT64_MAX

struct device_ops {
    const char *name;    /* as the user types it: "uart", "pic" */
    const char *summary; /* one line for `hv list` */

    /* The widest access the device decodes, in bytes; the bus splits wider ones, lowest address
     * first, as a PC's chip set does for an 8-bit ISA device. 0: it takes every size. */
    uint8_t width;

    /* offset is from the start of the range; size is 1, 2, 4 or 8 bytes. An access that the
     * hardware would not answer reads all ones and writes nothing. Never fails. */
    uint64_t (*read)(void *dev, uint64_t offset, unsigned size);
    void (*write)(void *dev, uint64_t offset, unsigned size, uint64_t value);

    /* Bring the device up to guest time `now`, in ns since power-on; raises lines that are due.
     * NULL: time does not matter to it. */
    void (*tick)(void *dev, uint64_t now);
    /* Guest time in ns when tick() must be called next, or DEVICE_NEVER. */
    uint64_t (*next)(void *dev);

    void (*reset)(void *dev);
    /* The plain state: its address, and its size in bytes through *size. */
    void *(*state)(void *dev, size_t *size);
    /* After state() was overwritten, and that of every other device: drive the lines to the levels that
     * the state implies. This and state() may be NULL. */
    void (*restored)(void *dev);
    /* Prints the registers, decoded, one per line, for `info devices`; at most size - 1 bytes. */
    void (*describe)(void *dev, char *text, size_t size);

    /* Names the register that an access to offset would reach now, for people: a constant text, or
     * NULL. value: what would be written, since some chips tell their registers apart by it. Changes
     * nothing. May be NULL. */
    const char *(*register_name)(void *dev, uint64_t offset, bool write, uint64_t value);
    const char *manual; /* where that is written: "NS16550D data sheet, section 8"; or NULL */
};

/* All kinds of devices, for `hv list` and the documents; ends with NULL (table.c). */
extern const struct device_ops *const device_table[];

#endif
