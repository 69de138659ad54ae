/* core_bus.c - tests of hv/core/bus.c and vm_access(): who answers, what nobody answers, pieces, time. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/vm.h"
#include "device/device.h"
#include "engine/engine.h"
#include "tests/unit/suites.h"

/* A device that remembers what was asked of it. */
struct probe {
    unsigned accesses;
    uint64_t offset, value, now, next;
    unsigned size;
    uint8_t bytes[16];
    bool was_reset;
};

static uint64_t
probe_read(void *dev, uint64_t offset, unsigned size)
{
    struct probe *p = dev;
    uint64_t value = 0;

    p->accesses++, p->offset = offset, p->size = size;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)p->bytes[(offset + i) % 16] << 8 * i;
    return value | (size < 8 ? UINT64_C(0xdd) << 56 : 0); /* bits that it should not set */
}

static void
probe_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct probe *p = dev;

    p->accesses++, p->offset = offset, p->size = size, p->value = value;
    for (unsigned i = 0; i < size; i++)
        p->bytes[(offset + i) % 16] = (uint8_t)(value >> 8 * i);
}

static void
probe_tick(void *dev, uint64_t now)
{
    ((struct probe *)dev)->now = now;
}

static uint64_t
probe_next(void *dev)
{
    return ((struct probe *)dev)->next;
}

static void
probe_reset(void *dev)
{
    ((struct probe *)dev)->was_reset = true;
}

static const struct device_ops wide = {.name = "wide", .read = probe_read, .write = probe_write};
static const struct device_ops narrow = {.name = "narrow",
                                         .width = 1,
                                         .read = probe_read,
                                         .write = probe_write,
                                         .tick = probe_tick,
                                         .next = probe_next,
                                         .reset = probe_reset};
static const struct device_ops words = {
    .name = "words", .width = 2, .read = probe_read, .write = probe_write, .next = probe_next};
static const struct device_ops mute = {.name = "mute"};

static uint64_t
in(struct bus *bus, uint64_t address, unsigned size)
{
    return bus_read(bus, BUS_PORT, bus_find(bus, BUS_PORT, address), address, size);
}

static void
out(struct bus *bus, uint64_t address, unsigned size, uint64_t value)
{
    bus_write(bus, BUS_PORT, bus_find(bus, BUS_PORT, address), address, size, value);
}

static void
test_map(void)
{
    struct bus bus = {0};
    struct probe p = {0};
    struct error err;
    struct bus_device *a = bus_add_device(&bus, &wide, &p), *b = bus_add_device(&bus, &mute, &p);

    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x100, 0x10, 0x100, a, &err), 0);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x80, 0x10, 0x80, b, &err), 0);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x90, 0x70, 0x90, b, &err), 0); /* just fits between */
    CU_ASSERT_PTR_EQUAL(bus_find(&bus, BUS_PORT, 0xff)->device, b);
    CU_ASSERT_PTR_EQUAL(bus_find(&bus, BUS_PORT, 0x100)->device, a);
    CU_ASSERT_PTR_EQUAL(bus_find(&bus, BUS_PORT, 0x10f)->device, a);
    CU_ASSERT_PTR_NULL(bus_find(&bus, BUS_PORT, 0x110));
    CU_ASSERT_PTR_NULL(bus_find(&bus, BUS_PORT, 0x7f));
    CU_ASSERT_PTR_NULL(bus_find(&bus, BUS_MMIO, 0x100)); /* another space */

    /* Taken: from below, from above, inside, around; the sentence names who has it. */
    static const struct {
        uint64_t first, count;
    } taken[] = {{0x7f, 2}, {0x10f, 2}, {0x104, 1}, {0, 0x10000}};
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, taken[i].first, taken[i].count, 0, b, &err),
                        -EBUSY);
    bus_map(&bus, BUS_PORT, 0x104, 1, 0, b, &err);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "'wide' has 0x100-0x10f"));
    /* Outside the bus. */
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0xffff, 2, 0, a, &err), -EINVAL);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x10000, 1, 0, a, &err), -EINVAL);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x200, 0, 0, a, &err), -EINVAL);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x200, 1, 0x201, a, &err), -EINVAL);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_MMIO, UINT64_MAX, 2, 0, a, &err), -EINVAL);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_MMIO, UINT64_MAX, 1, 0, a, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(bus_find(&bus, BUS_MMIO, UINT64_MAX));
}

static void
test_full(void)
{
    struct bus bus = {0};
    struct bus_device *device = NULL;
    struct error err;

    for (unsigned i = 0; i < BUS_DEVICES; i++)
        device = bus_add_device(&bus, &mute, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(device);
    CU_ASSERT_PTR_NULL(bus_add_device(&bus, &mute, NULL));
    for (unsigned i = BUS_RANGES; i > 0; i--) /* in falling order: they are kept sorted */
        CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, i * 2, 1, 0, device, &err), 0);
    CU_ASSERT_EQUAL(bus_map(&bus, BUS_PORT, 0x1000, 1, 0, device, &err), -ENOSPC);
    for (unsigned i = 1; i <= BUS_RANGES; i++) {
        CU_ASSERT_PTR_NOT_NULL(bus_find(&bus, BUS_PORT, i * 2));
        CU_ASSERT_PTR_NULL(bus_find(&bus, BUS_PORT, i * 2 + 1));
    }
}

static void
test_unclaimed(void)
{
    struct bus bus = {0};

    CU_ASSERT_EQUAL(in(&bus, 0x80, 1), 0xff);
    CU_ASSERT_EQUAL(in(&bus, 0x80, 2), 0xffff);
    CU_ASSERT_EQUAL(in(&bus, 0x80, 4), 0xffffffff);
    CU_ASSERT_EQUAL(bus_read(&bus, BUS_MMIO, NULL, 0xfee00000, 8), UINT64_MAX);
    out(&bus, 0x80, 4, 0);
    CU_ASSERT_EQUAL(bus.unclaimed[BUS_PORT], 4);
    CU_ASSERT_EQUAL(bus.unclaimed[BUS_MMIO], 1);
    /* A device without a read function reads all ones too, but it did answer. */
    bus_map(&bus, BUS_PORT, 0x90, 1, 0x90, bus_add_device(&bus, &mute, NULL), NULL);
    CU_ASSERT_EQUAL(in(&bus, 0x90, 1), 0xff);
    out(&bus, 0x90, 1, 0);
    CU_ASSERT_EQUAL(bus.unclaimed[BUS_PORT], 4);
}

static void
test_whole(void)
{
    struct bus bus = {0};
    struct probe p = {.bytes = {1, 2, 3, 4, 5, 6, 7, 8}};

    bus_map(&bus, BUS_PORT, 0x300, 8, 0x2fe, bus_add_device(&bus, &wide, &p), NULL);
    CU_ASSERT_EQUAL(in(&bus, 0x300, 4), 0x06050403); /* offset 2: base is not first */
    CU_ASSERT_EQUAL(p.accesses, 1);
    CU_ASSERT_EQUAL(p.offset, 2);
    in(&bus, 0x304, 4); /* up to the very end */
    CU_ASSERT_EQUAL(p.accesses, 2);
    out(&bus, 0x301, 2, 0x11112222); /* the value is cut to the size */
    CU_ASSERT_EQUAL(p.value, 0x2222);
}

/* A 16-bit access to 8-bit devices is two accesses on a PC: NS16550 drivers write both bytes of
 * the divisor so. */
static void
test_pieces(void)
{
    struct bus bus = {0};
    struct probe p = {.bytes = {1, 2, 3, 4, 5, 6, 7, 8}}, q = p;

    bus_map(&bus, BUS_PORT, 0x3f8, 8, 0x3f8, bus_add_device(&bus, &narrow, &p), NULL);
    bus_map(&bus, BUS_PORT, 0x400, 8, 0x400, bus_add_device(&bus, &words, &q), NULL);
    CU_ASSERT_EQUAL(in(&bus, 0x3f8, 4), 0x04030201);
    CU_ASSERT_EQUAL(p.accesses, 4);
    CU_ASSERT_EQUAL(p.size, 1);
    CU_ASSERT_EQUAL(p.offset, 3); /* lowest address first */
    CU_ASSERT_EQUAL(in(&bus, 0x400, 4), 0x04030201);
    CU_ASSERT_EQUAL(q.accesses, 2);
    CU_ASSERT_EQUAL(bus.unclaimed[BUS_PORT], 0);
    /* Across two devices, and beyond the last: what nobody has reads ff and counts once. */
    CU_ASSERT_EQUAL(in(&bus, 0x3ff, 2), 0x0108);
    CU_ASSERT_EQUAL(in(&bus, 0x407, 4), 0xffffff08);
    CU_ASSERT_EQUAL(bus.unclaimed[BUS_PORT], 1);
    CU_ASSERT_EQUAL(in(&bus, 0x3f7, 2), 0x01ff);
    out(&bus, 0x3f7, 4, 0xaabbccdd);
    CU_ASSERT_EQUAL(memcmp(p.bytes, "\xcc\xbb\xaa\x04", 4), 0);
    CU_ASSERT_EQUAL(bus.unclaimed[BUS_PORT], 3);
}

static void
test_time(void)
{
    struct bus bus = {0};
    struct probe p = {.next = 500}, q = {.next = 300};

    CU_ASSERT_EQUAL(bus_next(&bus), DEVICE_NEVER);
    bus_add_device(&bus, &mute, NULL);
    CU_ASSERT_EQUAL(bus_next(&bus), DEVICE_NEVER);
    bus_add_device(&bus, &narrow, &p);
    bus_add_device(&bus, &words, &q);
    CU_ASSERT_EQUAL(bus_next(&bus), 300);
    bus_tick(&bus, 77);
    CU_ASSERT_EQUAL(p.now, 77);
    bus_reset(&bus);
    CU_ASSERT_TRUE(p.was_reset);
}

static uint64_t
time_is_77(struct vcpu *vcpu)
{
    (void)vcpu;
    return 77;
}

/* An access by the guest: the device knows the time before it answers, and is asked anew afterwards when
 * it is due. One that keeps no time costs neither. */
static void
test_access(void)
{
    static const struct engine_ops engine = {.time = time_is_77};
    static struct vm vm = {.engine_ops = &engine};
    struct probe p = {0}, q = {0};
    struct error err;

    CU_ASSERT_EQUAL(
        bus_map(&vm.bus, BUS_PORT, 0x40, 4, 0x40, bus_add_device(&vm.bus, &narrow, &p), &err), 0);
    CU_ASSERT_EQUAL(
        bus_map(&vm.bus, BUS_PORT, 0x80, 4, 0x80, bus_add_device(&vm.bus, &wide, &q), &err), 0);
    vm.next_known = true;
    vm_access(&vm, &vm.vcpu[0], BUS_PORT, 0x80, 1, true, 5);
    CU_ASSERT_EQUAL(q.value, 5);
    CU_ASSERT_TRUE(vm.next_known);
    p.bytes[0] = 0x5a;
    CU_ASSERT_EQUAL(vm_access(&vm, &vm.vcpu[0], BUS_PORT, 0x40, 1, false, 0), 0x5a);
    CU_ASSERT_EQUAL(p.now, 77);
    CU_ASSERT_FALSE(vm.next_known);
    CU_ASSERT_EQUAL(vm_access(&vm, &vm.vcpu[0], BUS_PORT, 0x200, 1, false, 0), 0xff);
}

static const struct unit_test tests[] = {
    {"ranges, and what is taken", test_map},
    {"a full bus", test_full},
    {"nobody answers: all ones, counted", test_unclaimed},
    {"an access reaches its device whole", test_whole},
    {"an access in pieces", test_pieces},
    {"time and reset reach every device", test_time},
    {"an access, and the time", test_access},
    {NULL, NULL},
};
const struct unit_suite suite_core_bus = {"core_bus", tests};
