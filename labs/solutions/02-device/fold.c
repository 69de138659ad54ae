/*
 * fold.c - lab 2: a device that adds numbers up, as a plug-in of hv.
 *
 *     make
 *     hv run --engine soft --strategy ./fold.so --append port driver
 *
 * This is the reference. The strategy at the end of this file stands on `hardware`: it changes nothing but that it puts one
 * more device on the bus before the machine starts, and that it knows one hypercall.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/vm.h"
#include "device/device.h"
#include "engine/engine.h"
#include "strategy/strategy.h"

#define FOLD_ID   0x444c4f46u /* "FOLD" */
#define PORT_BASE 0x2e0
#define MMIO_BASE 0xfe000000u
#define REGISTERS 12u /* bytes of registers */

/* Offsets of the registers; each is 4 bytes wide. */
#define REG_ID   0u /* read: FOLD_ID */
#define REG_DATA 4u /* write: the number is added to the sum */
#define REG_SUM  8u /* read: the sum; it is 0 afterwards */

#define HC_FOLD 0x100u

/* All that the guest can see of the device lies here. */
struct fold {
    uint32_t sum;
};
static struct fold the_fold;

__attribute__((unused)) static uint64_t
not_yet(const char *what)
{
    fprintf(stderr, "fold: %s is not written yet\n", what);
    return ~UINT64_C(0);
}

/* HOLE 1 */
static uint64_t
fold_read(void *dev, uint64_t offset, unsigned size)
{
    struct fold *fold = dev;
    uint32_t sum = fold->sum;

    if (size != 4)
        return ~UINT64_C(0);
    switch (offset) {
    case REG_ID: return FOLD_ID;
    case REG_SUM: fold->sum = 0; return sum;
    default: return ~UINT64_C(0);
    }
}

static void
fold_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct fold *fold = dev;

    if (size == 4 && offset == REG_DATA)
        fold->sum += (uint32_t)value;
}
/* END 1 */

/* For people: hv debug and hv trace print these names. */
static const char *
fold_register_name(void *dev, uint64_t offset, bool write, uint64_t value)
{
    (void)dev, (void)write, (void)value;
    return offset == REG_ID ? "identification" : offset == REG_DATA ? "data" : "sum";
}

static const struct device_ops fold_ops = {
    .name = "fold",
    .summary = "adds numbers up",
    .read = fold_read,
    .write = fold_write,
    .register_name = fold_register_name,
};

/* strategy_ops.prepare: the board is there, the processor is not. bus_map() gives a device `count`
 * ports or bytes from `first`; the device is told the address minus `base`. Its arguments are
 * bus, BUS_PORT or BUS_MMIO, first, count, base, device, err (core/bus.h). */
static int
fold_prepare(struct vm *vm, struct error *err)
{
    struct bus_device *device = bus_add_device(&vm->bus, &fold_ops, &the_fold);

    if (!device)
        return error_set(err, ENOSPC, "there is no room for one more device on the bus");
    int rc = bus_map(&vm->bus, BUS_PORT, PORT_BASE, REGISTERS, PORT_BASE, device, err);
    if (rc)
        return rc;
    /* HOLE 2 */
    return bus_map(&vm->bus, BUS_MMIO, MMIO_BASE, REGISTERS, MMIO_BASE, device, err);
    /* END 2 */
}

/* HOLE 3 */
static int64_t
fold_call(struct vm *vm, uint64_t address, uint64_t count)
{
    uint64_t sum = 0;
    uint32_t number;

    /* More numbers than RAM has room for: refused before anything is multiplied. */
    if (count > vm->ram.size / 4 || address > vm->ram.size || vm->ram.size - address < 4 * count)
        return -EFAULT;
    for (uint64_t i = 0; i < count; i++) {
        if (ram_read(&vm->ram, address + 4 * i, &number, sizeof(number)))
            return -EFAULT;
        sum += number;
    }
    return (int64_t)sum;
}
/* END 3 */

/* Each exit comes here first. What is passed on goes to the exit table, which asks the bus for ports
 * and memory: so the device needs no word here. */
static enum strategy_verdict
fold_on_exit(struct vcpu *vcpu, struct run_result *result)
{
    struct vm_exit *exit = &vcpu->exit;

    (void)result;
    if (exit->kind != TRACE_HYPERCALL || exit->hypercall.number != HC_FOLD)
        return STRATEGY_PASS;
    exit->hypercall.result =
        (uint64_t)fold_call(vcpu->vm, exit->hypercall.args[0], exit->hypercall.args[1]);
    return STRATEGY_HANDLED;
}

static int
fold_attach(struct vcpu *vcpu, struct error *err)
{
    return strategy_find("hardware")->attach(vcpu, err);
}

const struct strategy_ops hv_strategy = {
    .abi = STRATEGY_ABI,
    .name = "fold",
    .summary = "hardware, and a device that adds numbers up",
    .needs = CAP_GUEST_KERNEL,
    .prepare = fold_prepare,
    .attach = fold_attach,
    .on_exit = fold_on_exit,
};
