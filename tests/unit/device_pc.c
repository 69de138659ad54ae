/* device_pc.c - tests of hv/device/pc.c and debugexit.c: the chips through their ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/vm.h"
#include "device/device.h"
#include "device/pc.h"
#include "engine/engine.h"
#include "tests/random.h"
#include "tests/unit/suites.h"

struct rig {
    struct vm vm;
    struct console console;
    struct pc *pc;
};

static void
set_up(struct rig *rig, const struct pc_options *options)
{
    memset(rig, 0, sizeof(*rig));
    CU_ASSERT_EQUAL_FATAL(ram_create(&rig->vm.ram, 32 << 20, NULL), 0);
    console_open(&rig->console, "null", NULL);
    rig->console.keep = true;
    rig->vm.console = &rig->console;
    CU_ASSERT_EQUAL_FATAL(pc_create(&rig->vm, options, &rig->pc, NULL), 0);
}

static void
tear_down(struct rig *rig)
{
    pc_destroy(rig->pc);
    console_free(&rig->console);
    ram_destroy(&rig->vm.ram);
}

static void
out(struct rig *rig, uint16_t port, unsigned size, uint32_t v)
{
    bus_write(&rig->vm.bus, BUS_PORT, bus_find(&rig->vm.bus, BUS_PORT, port), port, size, v);
}

static uint32_t
in(struct rig *rig, uint16_t port, unsigned size)
{
    return (uint32_t)bus_read(&rig->vm.bus, BUS_PORT, bus_find(&rig->vm.bus, BUS_PORT, port), port,
                              size);
}

static bool
pending(struct rig *rig)
{
    return rig->vm.irq.pending(rig->vm.irq.ctx);
}

static uint8_t
acknowledge(struct rig *rig)
{
    return rig->vm.irq.acknowledge(rig->vm.irq.ctx);
}

static void
unmask_all(struct rig *rig)
{
    out(rig, 0x20, 1, 0x11), out(rig, 0x21, 1, 0x20), out(rig, 0x21, 1, 4), out(rig, 0x21, 1, 1);
    out(rig, 0xa0, 1, 0x11), out(rig, 0xa1, 1, 0x28), out(rig, 0xa1, 1, 2), out(rig, 0xa1, 1, 1);
    out(rig, 0x21, 1, 0), out(rig, 0xa1, 1, 0);
}

/* Every line leads where the IBM PC AT Technical Reference says. */
static void
test_irqs(void)
{
    struct rig rig;

    set_up(&rig, NULL);
    unmask_all(&rig);
    CU_ASSERT_FALSE(pending(&rig));
    CU_ASSERT_EQUAL(bus_next(&rig.vm.bus), DEVICE_NEVER); /* an idle board wants nothing */
    out(&rig, 0x43, 1, 0x34), out(&rig, 0x40, 1, 0xa9), out(&rig, 0x40, 1, 0x04); /* 1 ms */
    bus_tick(&rig.vm.bus, 1500000);
    CU_ASSERT_EQUAL(acknowledge(&rig), 0x20);
    out(&rig, 0x20, 1, 0x20);
    out(&rig, 0x64, 1, 0x60), out(&rig, 0x60, 1, 0x01), out(&rig, 0x60, 1, 0xee);
    CU_ASSERT_EQUAL(acknowledge(&rig), 0x21);
    out(&rig, 0x20, 1, 0x20);
    out(&rig, 0x3fc, 1, 0x08), out(&rig, 0x3f9, 1, 0x01);
    CU_ASSERT_TRUE(rig.vm.input.room(rig.vm.input.ctx));
    CU_ASSERT_TRUE(rig.vm.input.put(rig.vm.input.ctx, 'k'));
    CU_ASSERT_FALSE(rig.vm.input.room(rig.vm.input.ctx));
    CU_ASSERT_EQUAL(acknowledge(&rig), 0x24);
    out(&rig, 0x20, 1, 0x20);
    CU_ASSERT_EQUAL(in(&rig, 0x3f8, 1), 'k');
    out(&rig, 0x70, 1, 0x0b), out(&rig, 0x71, 1, 0x12);
    bus_tick(&rig.vm.bus, 1000000000);
    CU_ASSERT_EQUAL(acknowledge(&rig), 0x20);
    out(&rig, 0x20, 1, 0x20);
    CU_ASSERT_EQUAL(acknowledge(&rig), 0x28);
    CU_ASSERT_EQUAL(rig.vm.bus.unclaimed[BUS_PORT], 0);
    tear_down(&rig);
}

static void
test_exit_port(void)
{
    struct rig rig;
    struct pc_options moved = {.debug_exit_port = 0x501};
    struct error err;

    set_up(&rig, NULL);
    CU_ASSERT_EQUAL(rig.vm.power, POWER_NONE);
    out(&rig, 0xf4, 4, 0x10);
    CU_ASSERT_EQUAL(rig.vm.power, POWER_OFF);
    CU_ASSERT_EQUAL(rig.vm.power_status, 0x21);
    out(&rig, 0x64, 1, 0xfe); /* too late */
    CU_ASSERT_EQUAL(rig.vm.power, POWER_OFF);
    tear_down(&rig);
    set_up(&rig, &moved);
    out(&rig, 0xf4, 1, 0);
    CU_ASSERT_EQUAL(rig.vm.power, POWER_NONE);
    out(&rig, 0x501, 1, 0xff);
    CU_ASSERT_EQUAL(rig.vm.power_status, 0xff);
    tear_down(&rig);
    /* On top of another device, or beyond the last port: refused with a sentence. */
    struct vm vm = {0};
    struct pc *pc = NULL;
    CU_ASSERT_EQUAL(ram_create(&vm.ram, 1 << 20, NULL), 0);
    moved.debug_exit_port = 0x3f8;
    CU_ASSERT_EQUAL(pc_create(&vm, &moved, &pc, &err), -EBUSY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "'uart' has"));
    memset(&vm.bus, 0, sizeof(vm.bus));
    moved.debug_exit_port = 0xfffe;
    CU_ASSERT_EQUAL(pc_create(&vm, &moved, &pc, &err), -EINVAL);
    CU_ASSERT_PTR_NULL(pc);
    ram_destroy(&vm.ram);
}

static void
test_reset_request(void)
{
    struct rig rig;

    set_up(&rig, NULL);
    out(&rig, 0x64, 1, 0xfe);
    CU_ASSERT_EQUAL(rig.vm.power, POWER_RESET);
    tear_down(&rig);
}

static void
test_as_after_bios(void)
{
    struct rig rig;

    set_up(&rig, &(struct pc_options){.as_after_bios = true});
    CU_ASSERT_EQUAL(rig.vm.power, POWER_NONE);
    CU_ASSERT_EQUAL(in(&rig, 0x64, 1), 0x14); /* nothing waits in the 8042, self-test passed */
    CU_ASSERT_FALSE(pending(&rig));
    bus_tick(&rig.vm.bus, 60000000); /* 18.2 Hz: one tick in 60 ms */
    CU_ASSERT_TRUE(pending(&rig));
    CU_ASSERT_EQUAL(acknowledge(&rig), 0x08);
    tear_down(&rig);
}

static unsigned a20_calls_of(struct vm *vm);

static void
set_a20(struct vm *vm, bool open)
{
    vm->exits += open ? 1 : 100; /* a field that is free here */
}

static unsigned
a20_calls_of(struct vm *vm)
{
    return (unsigned)vm->exits;
}

/* The engine hears of changes only. */
static void
test_a20(void)
{
    static const struct engine_ops engine = {.name = "none", .set_a20 = set_a20};
    struct rig rig;

    set_up(&rig, NULL);
    rig.vm.engine_ops = &engine;
    rig.vm.engine = (struct engine_vm *)&rig; /* not NULL: it is open */
    out(&rig, 0x92, 1, 0x02);
    in(&rig, 0x60, 1);
    CU_ASSERT_EQUAL(a20_calls_of(&rig.vm), 0);
    out(&rig, 0x92, 1, 0x00);
    out(&rig, 0x64, 1, 0xdd);
    CU_ASSERT_EQUAL(a20_calls_of(&rig.vm), 100);
    out(&rig, 0x92, 1, 0x02);
    CU_ASSERT_EQUAL(a20_calls_of(&rig.vm), 101);
    tear_down(&rig);
}

/* Wide accesses to 8-bit chips, and memory size for firmware. */
static void
test_ports(void)
{
    struct rig rig;

    set_up(&rig, NULL);
    out(&rig, 0x3f8, 2, 'o'); /* register 0 gets 'o', register 1 gets 0 */
    CU_ASSERT_EQUAL(rig.console.kept_size, 1);
    out(&rig, 0x3ff, 1, 0x5a);
    CU_ASSERT_EQUAL(in(&rig, 0x3fe, 2), 0x5ab0);
    CU_ASSERT_EQUAL(in(&rig, 0x21, 1), 0xff);
    out(&rig, 0x4d0, 2, 0xffff);
    CU_ASSERT_EQUAL(in(&rig, 0x4d0, 2), 0xdef8);
    out(&rig, 0x70, 1, 0x34);
    CU_ASSERT_EQUAL(in(&rig, 0x71, 1), 0); /* 16 MiB above 16 MiB: 256 * 64 KiB */
    out(&rig, 0x70, 1, 0x35);
    CU_ASSERT_EQUAL(in(&rig, 0x71, 1), 1);
    CU_ASSERT_EQUAL(in(&rig, 0x80, 1), 0xff);
    CU_ASSERT_EQUAL(rig.vm.bus.unclaimed[BUS_PORT], 1);
    tear_down(&rig);
}

/* Any port, any size, any value, any order: nothing crashes, and time goes on. */
static void
test_hostile_guest(void)
{
    struct rig rig;
    uint64_t state = 1, now = 0;
    char text[1024];

    set_up(&rig, NULL);
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t seed = random_next(&state);
        const struct bus_range *range =
            &rig.vm.bus.range[BUS_PORT][(seed >> 33) % rig.vm.bus.ranges[BUS_PORT]];
        uint16_t port = (uint16_t)(range->first + (seed >> 40) % (range->last - range->first + 2));
        unsigned size = 1u << (seed >> 44) % 3;
        if (seed >> 63)
            out(&rig, port, size, (uint32_t)(seed >> 20));
        else
            in(&rig, port, size);
        if ((seed >> 48) % 4 == 0)
            bus_tick(&rig.vm.bus, now += (seed >> 50) % 3 ? seed % 2000 : seed % 4000000000u);
        if ((seed >> 48) % 16 == 1 && bus_next(&rig.vm.bus) != DEVICE_NEVER) {
            CU_ASSERT_TRUE(bus_next(&rig.vm.bus) > now || rig.vm.bus.devices == 0);
            bus_tick(&rig.vm.bus, now = bus_next(&rig.vm.bus));
        }
        if (pending(&rig))
            acknowledge(&rig);
        rig.vm.input.put(rig.vm.input.ctx, (uint8_t)seed);
    }
    for (unsigned i = 0; i < rig.vm.bus.devices; i++) {
        const struct bus_device *d = &rig.vm.bus.device[i];
        if (d->ops->describe)
            d->ops->describe(d->dev, text, sizeof(text));
        CU_ASSERT_PTR_NOT_NULL(d->ops->summary);
    }
    tear_down(&rig);
}

/* Saving and restoring every device in the middle of work changes nothing that a guest sees. */
static void
test_snapshot(void)
{
    struct rig a, b;

    set_up(&a, &(struct pc_options){.as_after_bios = true});
    set_up(&b, &(struct pc_options){.as_after_bios = true});
    out(&b, 0x21, 1, 0xff), out(&b, 0x43, 1, 0x30), out(&b, 0x70, 1, 0x55);
    out(&a, 0x70, 1, 0x0b), out(&a, 0x71, 1, 0x42);
    out(&a, 0x3fc, 1, 0x08), out(&a, 0x3f9, 1, 0x03), out(&a, 0x21, 1, 0);
    bus_tick(&a.vm.bus, 123456789);
    for (unsigned i = a.vm.bus.devices; i-- > 0;) {
        const struct bus_device *from = &a.vm.bus.device[i], *to = &b.vm.bus.device[i];
        size_t size = 0;
        if (!from->ops->state)
            continue;
        void *state = from->ops->state(from->dev, &size);
        memcpy(to->ops->state(to->dev, &size), state, size);
        if (to->ops->restored)
            to->ops->restored(to->dev);
    }
    CU_ASSERT_EQUAL(bus_next(&a.vm.bus), bus_next(&b.vm.bus));
    for (unsigned i = 0; i < 100; i++) {
        uint64_t next = bus_next(&a.vm.bus);
        bus_tick(&a.vm.bus, next);
        bus_tick(&b.vm.bus, next);
        CU_ASSERT_EQUAL(pending(&a), pending(&b));
        if (pending(&a))
            CU_ASSERT_EQUAL(acknowledge(&a), acknowledge(&b));
        out(&a, 0x20, 1, 0x20), out(&b, 0x20, 1, 0x20);
        CU_ASSERT_EQUAL(in(&a, 0x40, 1), in(&b, 0x40, 1));
        CU_ASSERT_EQUAL(in(&a, 0x61, 1), in(&b, 0x61, 1));
        CU_ASSERT_EQUAL(in(&a, 0x3fa, 1), in(&b, 0x3fa, 1));
        CU_ASSERT_EQUAL(bus_next(&a.vm.bus), bus_next(&b.vm.bus));
    }
    tear_down(&a);
    tear_down(&b);
}

static void
test_table(void)
{
    unsigned n = 0;

    for (; device_table[n]; n++) {
        CU_ASSERT_PTR_NOT_NULL(device_table[n]->summary);
        for (unsigned i = 0; i < n; i++)
            CU_ASSERT_STRING_NOT_EQUAL(device_table[i]->name, device_table[n]->name);
    }
    CU_ASSERT_TRUE(n >= 6);
}

static const struct unit_test tests[] = {
    {"interrupt lines", test_irqs},          {"debug-exit port", test_exit_port},
    {"reset", test_reset_request},           {"as a BIOS leaves it", test_as_after_bios},
    {"A20 reaches the engine", test_a20},    {"ports", test_ports},
    {"a hostile guest", test_hostile_guest}, {"snapshots of all devices", test_snapshot},
    {"the table of devices", test_table},    {NULL, NULL},
};
const struct unit_suite suite_device_pc = {"device_pc", tests};
