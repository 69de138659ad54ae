/*
 * bus.h - the resource map: which device answers at which port and at which physical address.
 *
 * This is Popek & Goldberg's allocator: no device is reached but through it. A range belongs to
 * one device; what nobody answers reads all ones, is dropped when written, and is counted.
 */
#ifndef HV_CORE_BUS_H
#define HV_CORE_BUS_H

#include <stdint.h>

#include "base/error.h"

struct device_ops;

enum bus_space { BUS_PORT, BUS_MMIO, BUS_SPACES };
#define BUS_RANGES  32
#define BUS_DEVICES 24

struct bus_device {
    const struct device_ops *ops;
    void *dev;
    uint8_t actor; /* its number in the recording */
};

struct bus_range {
    uint64_t first, last; /* both belong to it */
    uint64_t base;        /* what the device's offset 0 is; usually first */
    struct bus_device *device;
};

struct bus {
    struct bus_device device[BUS_DEVICES];
    unsigned devices;
    struct bus_range range[BUS_SPACES][BUS_RANGES]; /* sorted by first */
    unsigned ranges[BUS_SPACES];
    uint64_t unclaimed[BUS_SPACES]; /* accesses with a byte that nobody answered */
};

/* Registers a device; the bus does not own it. NULL when BUS_DEVICES are there already. */
struct bus_device *bus_add_device(struct bus *bus, const struct device_ops *ops, void *dev);
/* Gives it count ports or bytes from first. The device sees offsets from `base`.
 * 0, -EBUSY with the name of the device that has them, -EINVAL or -ENOSPC. Pointers that
 * bus_find() gave before are stale afterwards. */
int bus_map(struct bus *bus, enum bus_space space, uint64_t first, uint64_t count, uint64_t base,
            struct bus_device *device, struct error *err);
/* The range that answers at address, or NULL. */
struct bus_range *bus_find(struct bus *bus, enum bus_space space, uint64_t address);

/* One access; size is 1, 2, 4 or 8 bytes. range is what bus_find() said, and may be NULL. An
 * access wider than the device (device_ops.width) or its range reaches the devices in pieces. */
uint64_t bus_read(struct bus *bus, enum bus_space space, struct bus_range *range, uint64_t address,
                  unsigned size);
void bus_write(struct bus *bus, enum bus_space space, struct bus_range *range, uint64_t address,
               unsigned size, uint64_t value);

/* All devices: bring them up to guest time now; when the next one wants to be called; reset.
 * Devices know the time from bus_tick() alone: call it before an access too (a guest that polls a
 * timer would else never see it move), not only when bus_next() is due. Cheap if nothing is. */
void bus_tick(struct bus *bus, uint64_t now);
uint64_t bus_next(struct bus *bus);
void bus_reset(struct bus *bus);

#endif
