/*
 * bus.c - see bus.h: finds who answers an address, and brings devices up to guest time.
 *
 * Called by the exit table (core/dispatch.c) for port and MMIO exits and by the run loop for time.
 * Next: device/device.h, what is called from here; device/pc.c, which fills the map.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include "core/bus.h"
#include "device/device.h"

#define PORT_LIMIT UINT64_C(0xffff) /* 64 Ki ports: SDM vol. 1, 19.1 */

struct bus_device *
bus_add_device(struct bus *bus, const struct device_ops *ops, void *dev)
{
    if (bus->devices == BUS_DEVICES)
        return NULL;
    struct bus_device *device = &bus->device[bus->devices++];
    *device = (struct bus_device){.ops = ops, .dev = dev};
    return device;
}

int
bus_map(struct bus *bus, enum bus_space space, uint64_t first, uint64_t count, uint64_t base,
        struct bus_device *device, struct error *err)
{
    const char *what = space == BUS_PORT ? "port" : "address";
    uint64_t limit = space == BUS_PORT ? PORT_LIMIT : UINT64_MAX;
    struct bus_range *range = bus->range[space];
    unsigned n = bus->ranges[space], at = 0;

    if (!count || first > limit || count - 1 > limit - first || base > first)
        return error_set(err, EINVAL,
                         "'%s' cannot have %#" PRIx64 " bytes from %s %#" PRIx64
                         ": they lie outside the bus",
                         device->ops->name, count, what, first);
    uint64_t last = first + (count - 1);
    if (n == BUS_RANGES)
        return error_set(err, ENOSPC, "there is no room for '%s': the bus has %u ranges already",
                         device->ops->name, n);
    while (at < n && range[at].last < first)
        at++;
    if (at < n && range[at].first <= last)
        return error_set(err, EBUSY,
                         "'%s' cannot have %s %#" PRIx64 ": '%s' has %#" PRIx64 "-%#" PRIx64
                         ", move one of them",
                         device->ops->name, what, first, range[at].device->ops->name,
                         range[at].first, range[at].last);
    for (unsigned i = n; i > at; i--)
        range[i] = range[i - 1];
    range[at] = (struct bus_range){.first = first, .last = last, .base = base, .device = device};
    bus->ranges[space]++;
    return 0;
}

struct bus_range *
bus_find(struct bus *bus, enum bus_space space, uint64_t address)
{
    struct bus_range *range = bus->range[space];
    unsigned low = 0, high = bus->ranges[space];

    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (range[middle].last < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < bus->ranges[space] && range[low].first <= address ? &range[low] : NULL;
}

static uint64_t
ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* Does the device take the access whole? Not if it runs past the range or is wider than it is. */
static bool
takes_whole(const struct bus_range *range, uint64_t address, unsigned size)
{
    unsigned width = range->device->ops->width;

    return size - 1 <= range->last - address && (!width || size <= width);
}

static uint64_t
device_read(const struct bus_range *range, uint64_t address, unsigned size)
{
    const struct bus_device *device = range->device;

    return device->ops->read ? device->ops->read(device->dev, address - range->base, size)
                             : ones(size);
}

static void
device_write(const struct bus_range *range, uint64_t address, unsigned size, uint64_t value)
{
    const struct bus_device *device = range->device;

    if (device->ops->write)
        device->ops->write(device->dev, address - range->base, size, value);
}

/* The first piece of an access that is split: as wide as the device at its start takes, else one
 * byte, which every device takes. *range: who has it, or NULL. */
static unsigned
first_piece(struct bus *bus, enum bus_space space, struct bus_range **range, uint64_t address,
            unsigned size)
{
    *range = bus_find(bus, space, address);
    if (!*range)
        return 1;
    unsigned width = (*range)->device->ops->width;
    return width && width <= size && width - 1 <= (*range)->last - address ? width : 1;
}

uint64_t
bus_read(struct bus *bus, enum bus_space space, struct bus_range *range, uint64_t address,
         unsigned size)
{
    if (range && takes_whole(range, address, size))
        return device_read(range, address, size) & ones(size);

    uint64_t value = 0;
    bool missed = false;
    for (unsigned done = 0, n; done < size; done += n) {
        n = first_piece(bus, space, &range, address + done, size - done);
        uint64_t piece = range ? device_read(range, address + done, n) & ones(n) : ones(n);
        value |= piece << 8 * done;
        missed |= !range;
    }
    bus->unclaimed[space] += missed;
    return value;
}

void
bus_write(struct bus *bus, enum bus_space space, struct bus_range *range, uint64_t address,
          unsigned size, uint64_t value)
{
    if (range && takes_whole(range, address, size)) {
        device_write(range, address, size, value & ones(size));
        return;
    }
    bool missed = false;
    for (unsigned done = 0, n; done < size; done += n) {
        n = first_piece(bus, space, &range, address + done, size - done);
        if (range)
            device_write(range, address + done, n, (value >> 8 * done) & ones(n));
        missed |= !range;
    }
    bus->unclaimed[space] += missed;
}

void
bus_tick(struct bus *bus, uint64_t now)
{
    for (unsigned i = 0; i < bus->devices; i++)
        if (bus->device[i].ops->tick)
            bus->device[i].ops->tick(bus->device[i].dev, now);
}

uint64_t
bus_next(struct bus *bus)
{
    uint64_t next = DEVICE_NEVER;

    for (unsigned i = 0; i < bus->devices; i++) {
        const struct bus_device *device = &bus->device[i];
        uint64_t at = device->ops->next ? device->ops->next(device->dev) : DEVICE_NEVER;
        if (at < next)
            next = at;
    }
    return next;
}

void
bus_reset(struct bus *bus)
{
    for (unsigned i = 0; i < bus->devices; i++)
        if (bus->device[i].ops->reset)
            bus->device[i].ops->reset(bus->device[i].dev);
}
