/* soft_copy.c - see soft_copy.h. */
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tests/unit/soft_copy.h"

static unsigned
find_parts(struct vm *vm, struct state_part *part)
{
    unsigned n = vm->engine_ops->state(&vm->vcpu[0], part);

    n += vm->strategy->state(&vm->vcpu[0], part + n);
    for (unsigned i = 0; i < vm->bus.devices; i++) {
        const struct bus_device *d = &vm->bus.device[i];
        if (d->ops->state) {
            part[n].at = d->ops->state(d->dev, &part[n].size);
            part[n++].derived = false;
        }
    }
    return n;
}

static void
copy_parts(const struct machine_copy *s, bool back)
{
    uint8_t *bytes = s->bytes;

    for (unsigned i = 0; i < s->parts; bytes += s->part[i++].size)
        memcpy(back ? s->part[i].at : bytes, back ? bytes : s->part[i].at, s->part[i].size);
}

/* What the run loop and the exits keep; the rest of both structures is the board's wiring. */
static void
copy_loop(struct vm *vm, struct vcpu *vcpu, const struct vm *from, const struct vcpu *from_vcpu)
{
    struct engine_vcpu *engine = vcpu->engine;
    void *strategy = vcpu->strategy_state;

    *vcpu = *from_vcpu;
    vcpu->engine = engine;
    vcpu->strategy_state = strategy;
    vm->power = from->power;
    vm->power_status = from->power_status;
    vm->next_device = from->next_device;
    vm->next_known = from->next_known;
    vm->next_input = from->next_input;
    vm->waits = from->waits;
    vm->exits = from->exits;
    memcpy(vm->exits_by_kind, from->exits_by_kind, sizeof(vm->exits_by_kind));
    memcpy(vm->bus.unclaimed, from->bus.unclaimed, sizeof(vm->bus.unclaimed));
}

void
copy_take(struct machine_copy *s, struct vm *vm)
{
    size_t size = 0;

    memset(s, 0, sizeof(*s));
    s->parts = find_parts(vm, s->part);
    for (unsigned i = 0; i < s->parts; i++)
        size += s->part[i].size;
    s->bytes = malloc(size);
    s->ram = malloc(vm->ram.size);
    s->private_ram = malloc(vm->ram.private_size + 1);
    copy_parts(s, false);
    memcpy(s->ram, vm->ram.host, vm->ram.size);
    if (vm->ram.private_size)
        memcpy(s->private_ram, vm->ram.private_host, vm->ram.private_size);
    s->vm = *vm;
    s->vcpu = vm->vcpu[0];
    ram_clean(&vm->ram);
}

static unsigned
unmarked(const uint8_t *then, const uint8_t *now, const uint8_t *mark, uint64_t size)
{
    unsigned count = 0;

    for (uint64_t page = 0; page < size / PAGE_SIZE; page++)
        count += !mark[page] && memcmp(then + page * PAGE_SIZE, now + page * PAGE_SIZE, PAGE_SIZE);
    return count;
}

unsigned
copy_unmarked(const struct machine_copy *s, const struct vm *vm)
{
    const struct ram *ram = &vm->ram;

    return unmarked(s->ram, ram->host, ram->dirty, ram->size) +
           unmarked(s->private_ram, ram->private_host, ram->private_dirty, ram->private_size);
}

void
copy_restore(const struct machine_copy *s, struct vm *vm)
{
    memcpy(vm->ram.host, s->ram, vm->ram.size);
    if (vm->ram.private_size)
        memcpy(vm->ram.private_host, s->private_ram, vm->ram.private_size);
    copy_parts(s, true);
    copy_loop(vm, &vm->vcpu[0], &s->vm, &s->vcpu);
    ram_clean(&vm->ram);
    vm->engine_ops->restored(&vm->vcpu[0]);
    if (vm->strategy->restored)
        vm->strategy->restored(&vm->vcpu[0]);
    for (unsigned i = 0; i < vm->bus.devices; i++)
        if (vm->bus.device[i].ops->restored)
            vm->bus.device[i].ops->restored(vm->bus.device[i].dev);
}

void
copy_free(struct machine_copy *s)
{
    free(s->bytes);
    free(s->ram);
    free(s->private_ram);
    memset(s, 0, sizeof(*s));
}

/* FNV-1a, eight bytes at a time: all pieces are multiples of that, or small. */
static uint64_t
hash(uint64_t h, const void *data, size_t size)
{
    const uint8_t *p = data;

    for (; size >= 8; p += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        h = (h ^ word) * UINT64_C(0x100000001b3);
        h ^= h >> 29;
    }
    while (size--)
        h = (h ^ *p++) * UINT64_C(0x100000001b3);
    return h;
}

uint64_t
copy_hash(struct vm *vm)
{
    struct state_part part[2 * STATE_PARTS + BUS_DEVICES];
    unsigned parts = find_parts(vm, part);
    uint64_t h = hash(UINT64_C(0xcbf29ce484222325), vm->ram.host, vm->ram.size);

    if (vm->ram.private_size)
        h = hash(h, vm->ram.private_host, vm->ram.private_size);
    for (unsigned i = 0; i < parts; i++)
        if (!part[i].derived)
            h = hash(h, part[i].at, part[i].size);
    h = hash(h, &vm->exits, sizeof(vm->exits));
    h = hash(h, &vm->waits, sizeof(vm->waits));
    return hash(h, vm->exits_by_kind, sizeof(vm->exits_by_kind));
}
