/* paravirt_model.c - see paravirt_model.h: no counts are kept, everything follows from memory. */
#include <string.h>

#include "core/ram.h"
#include "guests/include/hypercall.h"
#include "tests/unit/paravirt_model.h"

static void demand(struct model *m, uint64_t address, unsigned type);

static void
look_at_entry(struct model *m, unsigned level, uint64_t entry)
{
    uint64_t address = entry & ENTRY_ADDRESS;

    m->looked++;
    if (!(entry & ENTRY_P))
        return;
    if (entry & ENTRY_REFUSED || address >= m->frames->ram->size)
        m->legal = false;
    else if (level > 1)
        demand(m, address, level - 1);
    else if (entry & ENTRY_W)
        demand(m, address, FRAME_WRITABLE);
}

static void
demand(struct model *m, uint64_t address, unsigned type)
{
    uint64_t f = address / PAGE_SIZE;

    if (address % PAGE_SIZE || address >= m->frames->ram->size ||
        (m->uses[f] && m->type[f] != type)) {
        m->legal = false;
        return;
    }
    m->type[f] = (uint8_t)type;
    if (m->uses[f]++ || type == FRAME_WRITABLE)
        return;
    const uint64_t *table = (const uint64_t *)(m->frames->ram->host + address);
    for (unsigned slot = 0; slot < 512; slot++) {
        bool ours = type == 4 && slot == HC_RESERVED_SLOT;
        bool was = m->frames->frame[f].type == 4;
        if (!ours)
            look_at_entry(m, type, table[slot]);
        else if (table[slot] != (was ? m->frames->root_entry : 0))
            m->legal = false;
    }
}

void
model_build(struct model *m, const struct frames *frames, const struct demand *demands,
            unsigned count)
{
    memset(m, 0, sizeof(*m));
    m->frames = frames;
    m->legal = true;
    for (unsigned i = 0; i < count; i++)
        demand(m, demands[i].address, demands[i].type);
}

bool
model_allows(struct model *m, uint64_t address, unsigned type)
{
    static struct model copy;

    copy = *m;
    demand(&copy, address, type);
    return copy.legal;
}

bool
model_allows_entry(struct model *m, unsigned level, uint64_t entry)
{
    static struct model copy;

    copy = *m;
    look_at_entry(&copy, level, entry);
    return copy.legal;
}

bool
model_agrees(const struct model *m)
{
    if (!m->legal)
        return false;
    for (uint64_t f = 0; f < m->frames->count; f++) {
        const struct frame *frame = &m->frames->frame[f];
        if (frame->uses != m->uses[f] || (frame->uses && frame->type != m->type[f]) ||
            (!frame->uses && (frame->type != FRAME_NONE || frame->pinned)))
            return false;
    }
    return true;
}
