/*
 * frames.c - see frames.h: typed and counted frames.
 *
 * get and put go down the tree of tables: a table's first use takes a use of all that it leads to,
 * its last use gives them back. That ends, because the level falls with each step; a table that
 * leads to itself is no sound table of the next level and is refused.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/ram.h"
#include "guests/include/hypercall.h"
#include "strategy/paravirt/frames.h"

int
frames_open(struct frames *frames, struct ram *ram, uint64_t root_entry, struct error *err)
{
    *frames = (struct frames){.ram = ram, .root_entry = root_entry};
    frames->count = ram->size / PAGE_SIZE;
    frames->frame = calloc(frames->count, sizeof(*frames->frame));
    if (!frames->frame)
        return error_set(err, ENOMEM, "no memory for the types of the guest's frames");
    return 0;
}

void
frames_close(struct frames *frames)
{
    free(frames->frame);
    frames->frame = NULL;
}

/* The frame at an address, NULL if that is no page of the guest's RAM. */
static struct frame *
frame_at(const struct frames *frames, uint64_t address)
{
    return ram_at(frames->ram, address, PAGE_SIZE) ? &frames->frame[address / PAGE_SIZE] : NULL;
}

static bool
is_table(const struct frame *frame)
{
    return frame->type >= TABLE_1 && frame->type <= TABLE_4;
}

static uint64_t
read_entry(const struct frames *frames, uint64_t address)
{
    uint64_t entry;

    memcpy(&entry, ram_at(frames->ram, address, sizeof(entry)), sizeof(entry));
    return entry;
}

static bool
is_reserved_slot(unsigned level, unsigned slot)
{
    return level == TABLE_LEVELS && slot == HC_RESERVED_SLOT;
}

/* Takes what an entry of a table of `level` uses: a frame to write to, or a table. */
static int
get_entry(struct frames *frames, unsigned level, uint64_t entry)
{
    uint64_t address = entry & ENTRY_ADDRESS;

    frames->checked++;
    if (!(entry & ENTRY_P))
        return 0;
    if (entry & ENTRY_REFUSED)
        return -EINVAL;
    const struct frame *to = frame_at(frames, address);
    if (!to)
        return -EPERM;
    if (level > 1)
        return frames_get(frames, address, (enum frame_type)(level - 1));
    if (!(entry & ENTRY_W))
        return 0; /* reading is always allowed: all RAM is the guest's */
    return is_table(to) ? -EPERM : frames_get(frames, address, FRAME_WRITABLE);
}

static void
put_entry(struct frames *frames, unsigned level, uint64_t entry)
{
    if (entry & ENTRY_P && (level > 1 || entry & ENTRY_W))
        frames_put(frames, entry & ENTRY_ADDRESS);
}

/* Gives back the first `count` entries of a table. */
static void
put_entries(struct frames *frames, uint64_t table, unsigned level, unsigned count)
{
    for (unsigned slot = 0; slot < count; slot++)
        if (!is_reserved_slot(level, slot))
            put_entry(frames, level, read_entry(frames, table + 8 * slot));
}

/* The VMM's own entry in a root: written when it becomes one, erased when it is none any more. */
static void
set_reserved(struct frames *frames, uint64_t table, unsigned level, uint64_t value)
{
    if (level == TABLE_LEVELS)
        ram_write(frames->ram, table + 8 * HC_RESERVED_SLOT, &value, sizeof(value));
}

/* All entries of what is to become a table. The frame has its type already: an entry that leads
 * back to it finds that it is not free. */
static int
get_entries(struct frames *frames, uint64_t table, unsigned level)
{
    for (unsigned slot = 0; slot < ENTRY_COUNT; slot++) {
        uint64_t entry = read_entry(frames, table + 8 * slot);
        int rc = is_reserved_slot(level, slot) ? (entry ? -EPERM : 0)
                                               : get_entry(frames, level, entry);
        if (rc) {
            put_entries(frames, table, level, slot);
            return rc;
        }
    }
    set_reserved(frames, table, level, frames->root_entry);
    return 0;
}

int
frames_get(struct frames *frames, uint64_t address, enum frame_type type)
{
    struct frame *frame = frame_at(frames, address);

    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!frame)
        return -EPERM;
    if (frame->uses && frame->type != type)
        return -EBUSY;
    if (!frame->uses) {
        *frame = (struct frame){.uses = 1, .type = (uint8_t)type};
        int rc = is_table(frame) ? get_entries(frames, address, type) : 0;
        if (rc)
            *frame = (struct frame){0};
        return rc;
    }
    frame->uses++;
    return 0;
}

void
frames_put(struct frames *frames, uint64_t address)
{
    struct frame *frame = frame_at(frames, address);
    unsigned level = frame->type;

    if (--frame->uses)
        return;
    if (is_table(frame)) {
        set_reserved(frames, address, level, 0);
        put_entries(frames, address, level, ENTRY_COUNT);
    }
    *frame = (struct frame){0};
}

int
frames_pin(struct frames *frames, uint64_t address, uint64_t level)
{
    if (level < 1 || level > TABLE_LEVELS)
        return -EINVAL;
    struct frame *frame = frame_at(frames, address);
    if (frame && frame->pinned)
        return -EBUSY;
    int rc = frames_get(frames, address, (enum frame_type)level);
    if (!rc)
        frame->pinned = true;
    return rc;
}

int
frames_unpin(struct frames *frames, uint64_t address)
{
    struct frame *frame = frame_at(frames, address);

    if (address % PAGE_SIZE)
        return -EINVAL;
    if (!frame)
        return -EPERM;
    if (!frame->pinned)
        return -EINVAL;
    frame->pinned = false;
    frames_put(frames, address);
    return 0;
}

int
frames_update(struct frames *frames, uint64_t entry, uint64_t value)
{
    uint64_t table = entry & ~(uint64_t)(PAGE_SIZE - 1);
    unsigned slot = entry % PAGE_SIZE / 8;
    struct frame *frame = frame_at(frames, table);

    if (entry % 8)
        return -EINVAL;
    if (!frame)
        return -EPERM;
    if (is_table(frame)) {
        unsigned level = frame->type;
        if (is_reserved_slot(level, slot))
            return -EPERM;
        /* First the new one's uses, then the old one's: what both lead to is not checked again,
         * and a refusal has changed nothing. */
        uint64_t old = read_entry(frames, entry);
        int rc = get_entry(frames, level, value);
        if (rc)
            return rc;
        ram_write(frames->ram, entry, &value, sizeof(value));
        put_entry(frames, level, old);
        frames->stale |= old & ENTRY_P;
        return 0;
    }
    return ram_write(frames->ram, entry, &value, sizeof(value)) ? -EPERM : 0;
}
