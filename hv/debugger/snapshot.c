/*
 * snapshot.c - what a machine's state is, all of it: copied, put back, hashed. See snapshot.h.
 *
 * A piece of state that is forgotten here makes a repeated run go another way:
 * tests/unit/debugger_back.c compares. Called by history.c.
 */
#include <errno.h>
#include <string.h>

#include "core/journal.h"
#include "debugger/history.h"
#include "debugger/live.h"
#include "debugger/snapshot.h"
#include "device/device.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

#define LOOP_PARTS 7 /* of the run loop: run_loop_parts() */
#define PARTS_MAX  (2 * STATE_PARTS + BUS_DEVICES + LOOP_PARTS)
#define CHUNK_SIZE 4096u

/* --- where the state lies ---------------------------------------------------------------------------- */

#define MEMBERS(object, first, end)                                                                \
    ((struct state_part){&(object)->first,                                                         \
                         (size_t)((char *)&(object)->end - (char *)&(object)->first), false})

/* Everything in struct vm, struct vcpu and the debugger's own that a run depends on. */
static unsigned
run_loop_parts(struct machine *machine, struct state_part *parts)
{
    struct vm *vm = machine->vm;
    struct vcpu *vcpu = machine->vcpu;
    struct live *live = machine->own;
    unsigned n = 0;

    parts[n++] = (struct state_part){&vcpu->exit, sizeof(vcpu->exit), true};
    parts[n++] = MEMBERS(vcpu, halted, watches);
    parts[n++] = MEMBERS(vm, power, stop);
    parts[n++] = (struct state_part){vm->bus.unclaimed, sizeof(vm->bus.unclaimed), false};
    parts[n++] = (struct state_part){&machine->exit, sizeof(machine->exit), true};
    parts[n++] = (struct state_part){&live->journal.at, sizeof(live->journal.at), false};
    if (vm->console)
        parts[n++] = MEMBERS(vm->console, bytes_out, shown);
    return n;
}

static unsigned
gather(struct machine *machine, struct state_part *parts)
{
    struct vm *vm = machine->vm;
    unsigned n = vm->engine_ops->state(machine->vcpu, parts);

    n += vm->strategy->state(machine->vcpu, parts + n);
    for (unsigned i = 0; i < vm->bus.devices; i++) {
        const struct bus_device *device = &vm->bus.device[i];
        size_t size = 0;
        void *at = device->ops->state ? device->ops->state(device->dev, &size) : NULL;
        if (at)
            parts[n++] = (struct state_part){at, size, false};
    }
    return n + run_loop_parts(machine, parts + n);
}

/* --- memory ------------------------------------------------------------------------------------------- */

uint32_t
snapshot_page_count(const struct machine *machine)
{
    const struct ram *ram = &machine->vm->ram;

    return (uint32_t)((ram->size + ram->private_size) / PAGE_SIZE);
}

uint8_t *
snapshot_page_at(const struct machine *machine, uint32_t number)
{
    const struct ram *ram = &machine->vm->ram;
    uint64_t at = (uint64_t)number * PAGE_SIZE;

    return at < ram->size ? ram->host + at : ram->private_host + (at - ram->size);
}

bool
snapshot_page_dirty(const struct machine *machine, uint32_t number)
{
    const struct ram *ram = &machine->vm->ram;
    uint32_t pages = (uint32_t)(ram->size / PAGE_SIZE);

    return number < pages ? ram->dirty[number] : ram->private_dirty[number - pages];
}

static bool
is_zero(const uint8_t *page)
{
    return !page[0] && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

static int
add_page(struct snapshot *s, unsigned *room, uint32_t number, const uint8_t *from, bool first,
         uint64_t *bytes)
{
    bool zero = is_zero(from);

    if (zero && first)
        return 0; /* what no snapshot has is zero */
    if (s->pages == *room) {
        unsigned more = *room ? 2 * *room : 64;
        struct snapshot_page *grown = realloc(s->page, more * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        s->page = grown;
        *room = more;
    }
    struct snapshot_page page = {number, zero ? NULL : malloc(PAGE_SIZE)};
    if (!zero && !page.bytes)
        return -ENOMEM;
    if (!zero)
        memcpy(page.bytes, from, PAGE_SIZE);
    *bytes += sizeof(page) + (zero ? 0 : PAGE_SIZE);
    s->page[s->pages++] = page;
    return 0;
}

/* As a rule few pages are marked: whole words without a mark are passed at once. */
static int
copy_pages(struct machine *machine, struct snapshot *s, bool first, uint64_t *bytes)
{
    const struct ram *ram = &machine->vm->ram;
    const uint8_t *marks[] = {ram->dirty, ram->private_dirty};
    uint32_t counts[] = {(uint32_t)(ram->size / PAGE_SIZE),
                         (uint32_t)(ram->private_size / PAGE_SIZE)};
    uint32_t base = 0;
    unsigned room = 0;

    for (unsigned k = 0; k < 2; base += counts[k++])
        for (uint32_t i = 0; i < counts[k]; i++) {
            uint64_t word;
            if (i % 8 == 0 && i + 8 <= counts[k]) {
                memcpy(&word, marks[k] + i, 8);
                if (!word) {
                    i += 7;
                    continue;
                }
            }
            if (marks[k][i] &&
                add_page(s, &room, base + i, snapshot_page_at(machine, base + i), first, bytes))
                return -ENOMEM;
        }
    return 0;
}

/* --- taking one --------------------------------------------------------------------------------------- */

static struct snapshot_chunk *
make_chunk(const uint8_t *from, unsigned size, const struct snapshot_chunk *same, uint64_t *bytes)
{
    if (same && same->size == size && !memcmp(same->bytes, from, size)) {
        struct snapshot_chunk *shared = (struct snapshot_chunk *)same;
        shared->refs++;
        return shared;
    }
    struct snapshot_chunk *chunk = malloc(sizeof(*chunk) + size);
    if (!chunk)
        return NULL;
    *chunk = (struct snapshot_chunk){.refs = 1, .size = size};
    memcpy(chunk->bytes, from, size);
    *bytes += sizeof(*chunk) + size;
    return chunk;
}

static unsigned
chunks_of(const struct state_part *part)
{
    return (unsigned)((part->size + CHUNK_SIZE - 1) / CHUNK_SIZE);
}

static int
copy_state(struct snapshot *s, const struct snapshot *before, uint64_t *bytes)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->parts; i++)
        n += chunks_of(&s->part[i]);
    if (!(s->chunk = calloc(n, sizeof(*s->chunk))))
        return -ENOMEM;
    *bytes += n * sizeof(*s->chunk);
    for (unsigned i = 0; i < s->parts; i++)
        for (size_t at = 0; at < s->part[i].size; at += CHUNK_SIZE) {
            size_t left = s->part[i].size - at;
            const struct snapshot_chunk *same = before && s->chunks < before->chunks
                                                    ? before->chunk[s->chunks]
                                                    : NULL;
            struct snapshot_chunk *chunk = make_chunk(
                (uint8_t *)s->part[i].at + at, (unsigned)(left < CHUNK_SIZE ? left : CHUNK_SIZE),
                same, bytes);
            if (!chunk)
                return -ENOMEM;
            s->chunk[s->chunks++] = chunk;
        }
    return 0;
}

uint64_t
snapshot_page_bytes(const struct snapshot *s)
{
    uint64_t bytes = s->pages * sizeof(*s->page);

    for (unsigned i = 0; i < s->pages; i++)
        bytes += s->page[i].bytes ? PAGE_SIZE : 0;
    return bytes;
}

struct snapshot *
snapshot_take(struct machine *machine, const struct snapshot *before, uint64_t *bytes)
{
    struct state_part parts[PARTS_MAX];
    struct snapshot *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    *bytes += sizeof(*s);
    s->now = machine->now;
    s->recorded = machine->vm->recorder ? recorder_position(machine->vm->recorder) : 0;
    s->parts = gather(machine, parts);
    *bytes += s->parts * sizeof(*parts);
    if (!(s->part = malloc(s->parts * sizeof(*parts)))) {
        *bytes -= s->parts * sizeof(*parts);
        s->parts = 0;
    } else {
        memcpy(s->part, parts, s->parts * sizeof(*parts));
        if (!copy_state(s, before, bytes) && !copy_pages(machine, s, !before, bytes)) {
            ram_clean(&machine->vm->ram);
            return s;
        }
    }
    snapshot_free(s, bytes);
    return NULL;
}

void
snapshot_free(struct snapshot *s, uint64_t *bytes)
{
    unsigned n = 0;

    if (!s)
        return;
    for (unsigned i = 0; i < s->parts; i++)
        n += chunks_of(&s->part[i]);
    *bytes -= sizeof(*s) + s->parts * sizeof(*s->part) + (s->chunk ? n * sizeof(*s->chunk) : 0);
    for (unsigned i = 0; i < s->chunks; i++)
        if (!--s->chunk[i]->refs) {
            *bytes -= sizeof(**s->chunk) + s->chunk[i]->size;
            free(s->chunk[i]);
        }
    *bytes -= snapshot_page_bytes(s);
    for (unsigned i = 0; i < s->pages; i++)
        free(s->page[i].bytes);
    free(s->part);
    free(s->chunk);
    free(s->page);
    free(s);
}

int
snapshot_merge(struct snapshot *from, struct snapshot *to, uint64_t *bytes)
{
    struct snapshot_page *all = malloc((from->pages + to->pages + 1) * sizeof(*all));
    unsigned n = 0, i = 0, j = 0;

    if (!all)
        return -ENOMEM;
    while (i < from->pages || j < to->pages) {
        if (j == to->pages || (i < from->pages && from->page[i].number < to->page[j].number)) {
            all[n++] = from->page[i++];
            continue;
        }
        if (i < from->pages && from->page[i].number == to->page[j].number) {
            *bytes -= sizeof(*all) + (from->page[i].bytes ? PAGE_SIZE : 0);
            free(from->page[i++].bytes);
        }
        all[n++] = to->page[j++];
    }
    free(to->page);
    to->page = all;
    to->pages = n;
    from->pages = 0;
    return 0;
}

/* --- going back to one ---------------------------------------------------------------------------------- */

void
snapshot_put_state(struct machine *machine, const struct snapshot *s)
{
    struct vm *vm = machine->vm;
    struct recorder *recorder = vm->recorder;
    unsigned n = 0;

    for (unsigned i = 0; i < s->parts; i++)
        for (size_t at = 0; at < s->part[i].size; at += CHUNK_SIZE, n++)
            memcpy((uint8_t *)s->part[i].at + at, s->chunk[n]->bytes, s->chunk[n]->size);
    /* The devices drive their wires to the levels that their state implies: that is no event. */
    vm->recorder = NULL;
    vm->engine_ops->restored(machine->vcpu);
    if (vm->strategy->restored)
        vm->strategy->restored(machine->vcpu);
    for (unsigned i = 0; i < vm->bus.devices; i++)
        if (vm->bus.device[i].ops->restored)
            vm->bus.device[i].ops->restored(vm->bus.device[i].dev);
    vm->recorder = recorder;
    if (recorder)
        recorder_seek(recorder, s->recorded);
    live_moved(machine, &s->now);
}

/* --- a hash of all of it ---------------------------------------------------------------------------------- */

/* 64 bits at a time: multiply and fold, as wyhash does. */
static uint64_t
mix(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);

    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ word;
}

static uint64_t
mix_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t word;

    for (; size >= 8; size -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, at, size);
    return mix(hash, word + size);
}

uint64_t
machine_hash(struct machine *machine)
{
    struct state_part parts[PARTS_MAX];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    unsigned n;

    if (!machine->vm || !machine->vm->engine_ops->state || !machine->vm->strategy->state)
        return 0;
    n = gather(machine, parts);
    for (unsigned i = 0; i < n; i++)
        if (!parts[i].derived)
            hash = mix_bytes(hash, parts[i].at, parts[i].size);
    for (uint32_t p = 0; p < snapshot_page_count(machine); p++) {
        const uint8_t *page = snapshot_page_at(machine, p);
        if (!is_zero(page))
            hash = mix_bytes(mix(hash, p), page, PAGE_SIZE);
    }
    return hash;
}
