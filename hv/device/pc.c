/*
 * pc.c - see pc.h: which chips, which ports, which interrupt lines (IBM PC AT Technical Reference,
 * "System board").
 *
 *     uart IRQ 4 --.
 *     pit  IRQ 0 --+--> pic --> vm->irq (INTR)        debugexit, kbd --> power switch
 *     kbd  IRQ 1 --|                                  kbd --> A20 gate of the engine
 *     rtc  IRQ 8 --'
 *
 * Next: core/run.c, which asks vm->irq before each entry.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/vm.h"
#include "device/bios.h"
#include "device/debugexit.h"
#include "device/kbd8042.h"
#include "device/pc.h"
#include "device/pic8259.h"
#include "device/pit8254.h"
#include "device/rtc.h"
#include "device/uart16550.h"
#include "engine/engine.h"
#include "tracer/record.h"

struct pc {
    struct vm *vm;
    struct pic pic;
    struct pit pit;
    struct rtc rtc;
    struct kbd kbd;
    struct uart uart;
    struct debugexit debugexit;
    struct bios bios;              /* only if pc_options asks for it */
    struct bus_device *driver[16]; /* who drives IRQ n; for the recording */
    struct { /* as the devices drive them: after restored(), too, so no state of their own */
        uint16_t levels; /* of the 16 lines */
        bool a20_open;
    } wires;
};

/* ---- the wires ---- */

/* actor is 0 until vm_name_actors(): what happens while the board is built is not recorded. */
static void
record_irq(struct pc *pc, unsigned irq, int level)
{
    struct vm *vm = pc->vm;
    struct trace_event *event = recorder_begin(vm->recorder);

    event->kind = TRACE_IRQ;
    if (vm->engine && vm->engine_ops->icount)
        event->icount = vm->engine_ops->icount(&vm->vcpu[0]);
    event->from = pc->driver[irq]->actor;
    event->to = TRACE_ACTOR_DISPATCHER;
    event->address = irq;
    event->value = (uint64_t)level;
    recorder_commit(vm->recorder);
}

static void
pc_irq(void *ctx, unsigned irq, int level)
{
    struct pc *pc = ctx;
    uint16_t bit = (uint16_t)(1u << irq);

    if (!(pc->wires.levels & bit) == !level)
        return;
    pc->wires.levels ^= bit;
    if (pc->vm->recorder && pc->driver[irq]->actor)
        record_irq(pc, irq, level);
    pic_set_irq(&pc->pic, irq, level);
}

static bool
pc_pending(void *ctx)
{
    return pic_pending(&((struct pc *)ctx)->pic);
}

static uint8_t
pc_acknowledge(void *ctx)
{
    return pic_acknowledge(&((struct pc *)ctx)->pic);
}

static uint8_t
pc_vector(void *ctx)
{
    struct pic copy = ((struct pc *)ctx)->pic;

    return pic_acknowledge(&copy);
}

/* Before the engine is open the gate is as engines start: open. The 8042 drives the wire at each
 * access; the engine hears of changes only, as they cost it its cached translations. */
static void
pc_a20(void *ctx, unsigned number, int level)
{
    struct pc *pc = ctx;
    struct vm *vm = pc->vm;

    (void)number;
    if (pc->wires.a20_open == (level != 0))
        return;
    pc->wires.a20_open = level != 0;
    if (vm->engine && vm->engine_ops->set_a20)
        vm->engine_ops->set_a20(vm, pc->wires.a20_open);
}

/* The first request counts: the guest cannot take back a power-off by asking for a reset. */
static void
pc_power(void *ctx, enum power_request what, int status)
{
    struct vm *vm = ((struct pc *)ctx)->vm;

    if (vm->power != POWER_NONE)
        return;
    vm->power = what;
    vm->power_status = status;
}

static bool
pc_input_room(void *ctx)
{
    return uart_room(&((struct pc *)ctx)->uart);
}

static bool
pc_input_put(void *ctx, uint8_t byte)
{
    return uart_feed(&((struct pc *)ctx)->uart, byte);
}

/* ---- what BIOS services use of the board ---- */

/* A key is a byte of the serial line, taken as a program would take it (line status, receiver). */
static int
pc_bios_key(void *ctx)
{
    struct pc *pc = ctx;

    if (!pc->uart.s.count || pc->uart.s.lcr & 0x80 /* the divisor is at port 3f8 now */)
        return -1;
    return (int)uart_ops.read(&pc->uart, 0, 1);
}

/* Opened by port 92; to close it the 8042 must let go of it as well. */
static void
pc_bios_a20(void *ctx, unsigned number, int level)
{
    struct kbd *kbd = &((struct pc *)ctx)->kbd;

    (void)number;
    kbd_ops.write(kbd, KBD_PORT_92, 1, level ? 0x02 : 0);
    if (!level)
        kbd_ops.write(kbd, KBD_COMMAND_PORT, 1, 0xdd);
}

/* ---- the board ---- */

/* Where each chip answers. base 0: its offsets are port numbers. */
struct mapping {
    uint16_t first, count, base;
};

struct chip {
    const struct device_ops *ops;
    void *dev;
    int irq; /* -1: none */
    const struct mapping *ports;
};

static int
put_on_bus(struct pc *pc, const struct chip *chip, struct error *err)
{
    struct bus *bus = &pc->vm->bus;
    struct bus_device *device = bus_add_device(bus, chip->ops, chip->dev);

    if (!device)
        return error_set(err, ENOSPC, "there is no room for '%s': the bus is full",
                         chip->ops->name);
    if (chip->irq >= 0)
        pc->driver[chip->irq] = device;
    for (const struct mapping *m = chip->ports; m->count; m++) {
        int rc = bus_map(bus, BUS_PORT, m->first, m->count, m->base, device, err);
        if (rc)
            return rc;
    }
    return 0;
}

static void
out(struct pc *pc, uint16_t port, uint8_t value)
{
    struct bus *bus = &pc->vm->bus;

    bus_write(bus, BUS_PORT, bus_find(bus, BUS_PORT, port), port, 1, value);
}

/* What a BIOS programs before it starts a boot sector (IBM PC AT BIOS listing, TEST1). IRQ 0, 1
 * and 2 are open; the vectors are those of the real-mode interrupt table. */
static void
program_as_bios(struct pc *pc)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } writes[] = {
        {0x20, 0x11}, {0x21, 0x08}, {0x21, 0x04}, {0x21, 0x01}, /* master: ICW1-4, vector 08 */
        {0xa0, 0x11}, {0xa1, 0x70}, {0xa1, 0x02}, {0xa1, 0x01}, /* slave: vector 70 */
        {0x21, 0xf8}, {0xa1, 0xff},                             /* OCW1: masks */
        {0x43, 0x36}, {0x40, 0x00}, {0x40, 0x00},               /* counter 0: mode 3, 65536 */
        {0x43, 0x54}, {0x41, 0x12},                             /* counter 1: memory refresh */
        {0x64, 0xaa}, {0x64, 0x60}, {0x60, 0x65},               /* 8042: self-test, IRQ 1 on */
    };

    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        out(pc, writes[i].port, writes[i].value);
    bus_read(&pc->vm->bus, BUS_PORT, bus_find(&pc->vm->bus, BUS_PORT, 0x60), 0x60, 1); /* 55 */
}

/* The BIOS services: the device, its ROM and its data in guest memory, the chips as it leaves them. */
static int
add_bios(struct pc *pc, const struct pc_options *o, struct error *err)
{
    const struct chip chip = {&bios_ops, &pc->bios, -1,
                              (const struct mapping[]){{BIOS_PORT, BIOS_PORTS, BIOS_PORT}, {0}}};
    int rc = put_on_bus(pc, &chip, err);

    if (rc)
        return rc;
    pc->bios.ram = &pc->vm->ram;
    pc->bios.console = pc->vm->console;
    pc->bios.input = (struct byte_source){pc, pc_bios_key};
    pc->bios.a20 = (struct line){pc_bios_a20, pc, 0};
    pc->bios.disk = o->disk;
    pc->bios.disk_size = o->disk_size;
    program_as_bios(pc);
    return bios_install(&pc->bios, err);
}

int
pc_create(struct vm *vm, const struct pc_options *options, struct pc **out_pc, struct error *err)
{
    static const struct pc_options defaults;
    const struct pc_options *o = options ? options : &defaults;
    uint16_t exit_port = o->debug_exit_port ? o->debug_exit_port : PC_DEBUG_EXIT_PORT;
    struct pc *pc = calloc(1, sizeof(*pc));

    if (!pc)
        return error_set(err, ENOMEM, "the host has no memory for the board");
    pc->vm = vm;
    pc->pit.irq = (struct line){pc_irq, pc, 0};
    pc->kbd.irq = (struct line){pc_irq, pc, 1};
    pc->kbd.a20 = (struct line){pc_a20, pc, 0};
    pc->kbd.power = (struct power_switch){pc, pc_power};
    pc->uart.irq = (struct line){pc_irq, pc, UART_COM1_IRQ};
    pc->uart.console = vm->console;
    pc->rtc.irq = (struct line){pc_irq, pc, 8};
    pc->debugexit.power = (struct power_switch){pc, pc_power};

    /* The PIC comes first: reset works in this order, and the others then drive its inputs. */
    const struct chip chips[] = {
        {&pic_ops, &pc->pic, -1,
         (const struct mapping[]){{0x20, 2, 0}, {0xa0, 2, 0}, {0x4d0, 2, 0}, {0}}},
        {&pit_ops, &pc->pit, 0, (const struct mapping[]){{0x40, 4, 0}, {0x61, 1, 0}, {0}}},
        {&rtc_ops, &pc->rtc, 8, (const struct mapping[]){{0x70, 2, 0x70}, {0}}},
        {&kbd_ops, &pc->kbd, 1,
         (const struct mapping[]){{0x60, 1, 0}, {0x64, 1, 0}, {0x92, 1, 0}, {0}}},
        {&uart_ops, &pc->uart, UART_COM1_IRQ,
         (const struct mapping[]){{UART_COM1_PORT, UART_PORTS, UART_COM1_PORT}, {0}}},
        {&debugexit_ops, &pc->debugexit, -1,
         (const struct mapping[]){{exit_port, DEBUGEXIT_PORTS, exit_port}, {0}}},
    };
    int rc = 0;
    for (unsigned i = 0; i < sizeof(chips) / sizeof(chips[0]) && !rc; i++)
        rc = put_on_bus(pc, &chips[i], err);
    if (!rc) {
        rtc_power_on(&pc->rtc, o->date ? o->date : PC_POWER_ON_DATE, vm->ram.size);
        bus_reset(&vm->bus);
    }
    if (!rc && o->as_after_bios)
        rc = add_bios(pc, o, err);
    if (rc) {
        free(pc);
        return rc;
    }
    vm->irq = (struct irq_source){pc, pc_pending, pc_acknowledge, pc_vector};
    vm->input = (struct byte_sink){pc, pc_input_room, pc_input_put};
    *out_pc = pc;
    return 0;
}

void
pc_destroy(struct pc *pc)
{
    free(pc);
}
