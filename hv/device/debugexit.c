/* debugexit.c - see debugexit.h. The smallest device: read this one first. */
#include "device/debugexit.h"

static uint64_t
debugexit_read(void *dev, uint64_t offset, unsigned size)
{
    (void)dev, (void)offset, (void)size;
    return 0;
}

static void
debugexit_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    const struct debugexit *d = dev;

    (void)offset, (void)size;
    if (d->power.request)
        d->power.request(d->power.ctx, POWER_OFF, (int)((value << 1 | 1) & 0xff));
}

static const char *
debugexit_register_name(void *dev, uint64_t offset, bool write, uint64_t value)
{
    (void)dev, (void)offset, (void)value;
    return write ? "exit status" : NULL;
}

const struct device_ops debugexit_ops = {
    .name = "debugexit",
    .summary = "port f4: writing v ends the run with status (v << 1) | 1",
    .read = debugexit_read,
    .write = debugexit_write,
    .register_name = debugexit_register_name,
    .manual = "QEMU, isa-debug-exit",
};
