/*
 * fold.c - lab 2: a device that adds numbers up, as a plug-in of hv.
 *
 *     make
 *     hv run --engine soft --strategy ./fold.so --append port driver
 *
 * The strategy at the end of this file stands on `hardware`: it changes nothing but that it puts one
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

/*
 * HOLE 1 - fold_read(), fold_write(): what the device answers.
 *
 * dev       the struct fold
 * offset    bytes from the first register: REG_ID, REG_DATA, REG_SUM, or anything else
 * size      of the access in bytes: 1, 2, 4 or 8
 * value     what is written; only its low `size` bytes count
 * returns   (read) the register; only the low `size` bytes go to the guest
 * errors    there are none: hardware has nobody to tell. An access that no register answers, or that
 *           is not 4 bytes wide, reads all ones (~0) and writes nothing: so does an empty bus
 * hint      REG_SUM changes the device though it is only read. That is why a VMM may never read a
 *           device's register "just to look"
 */
static uint64_t
fold_read(void *dev, uint64_t offset, unsigned size)
{
    (void)dev, (void)offset, (void)size;
    return not_yet("fold_read (hole 1)");
}

static void
fold_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    (void)dev, (void)offset, (void)size, (void)value;
    not_yet("fold_write (hole 1)");
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
    /*
     * HOLE 2 - the same device once more: at MMIO_BASE of the guest's physical memory.
     *
     * returns   0, or what bus_map() returns: -EBUSY if another device has that place. The sentence
     *           in *err is bus_map()'s
     * hint      the module fold_read/fold_write does not change by one letter. It never learns by
     *           which road an access came: that is the allocator's business
     */
    not_yet("the mapping at MMIO_BASE (hole 2)");
    return 0;
    /* END 2 */
}

/*
 * HOLE 3 - hypercall HC_FOLD: the sum of many numbers in one exit.
 *
 * address   guest-physical address of 32-bit numbers (RBX)
 * count     how many (RCX); 0 is fine, and their sum is 0
 * returns   the sum (64 bits wide, so it cannot be mistaken for an error), or -EFAULT if not all of
 *           them lie in the guest's RAM
 * errors    never ends the machine: what a guest passes is the guest's problem
 * hint      ram_read(&vm->ram, gpa, to, length) copies out of guest memory and is -EFAULT if any byte is
 *           outside. A guest may pass any 64 bits: count numbers are 4 * count bytes, and that product
 *           has 66 bits. Compare before you multiply; vm->ram.size is the size of RAM. All of
 *           RAM is allowed: more than the stack of the VMM has room for
 */
static int64_t
fold_call(struct vm *vm, uint64_t address, uint64_t count)
{
    (void)vm, (void)address, (void)count;
    not_yet("fold_call (hole 3)");
    return -ENOSYS;
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
