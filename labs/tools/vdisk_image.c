/*
 * vdisk_image.c - see vdisk.h: checksums, the journal in its order, replay, writes.
 *
 * Used by vdisk.c, the tool that is handed out, and vdisk_make.c, which makes the ticket's image.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdisk.h"

#define TEXT_MAX 60 /* of a block, in a list */

/* --- files ------------------------------------------------------------------------------------------ */

int
vdisk_load(struct vdisk *d, const char *path)
{
    FILE *file = fopen(path, "rbe");

    if (!file)
        return -1;
    int ok = fread(d, sizeof(*d), 1, file) == 1 && fgetc(file) == EOF;
    fclose(file);
    errno = EINVAL;
    return ok ? 0 : -1;
}

int
vdisk_save(const struct vdisk *d, const char *path)
{
    FILE *file = fopen(path, "wbe");

    if (!file)
        return -1;
    int ok = fwrite(d, sizeof(*d), 1, file) == 1;
    return fclose(file) || !ok ? -1 : 0;
}

/* --- checksums --------------------------------------------------------------------------------------- */

/* CRC-32 (IEEE 802.3, reflected). */
static uint32_t
crc32(const void *bytes, size_t count)
{
    uint32_t crc = ~0u;

    for (const uint8_t *b = bytes; count--; b++) {
        crc ^= *b;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Everything behind the member crc. */
#define CRC_OF(p)                                                                                  \
    crc32((const char *)(p) + offsetof(__typeof__(*(p)), crc) + 4,                                 \
          sizeof(*(p)) - offsetof(__typeof__(*(p)), crc) - 4)

bool
vdisk_map_good(const struct vdisk *d, unsigned copy, unsigned block)
{
    const struct vdisk_map *m = &d->map[copy][block];

    return m->magic == VDISK_MAP_MAGIC && m->crc == CRC_OF(m);
}

bool
vdisk_record_good(const struct vdisk_record *r)
{
    return r->magic == VDISK_RECORD_MAGIC && r->crc == CRC_OF(r) && r->seq &&
           (r->kind == VDISK_COMMIT ||
            (r->kind == VDISK_MOVE && r->virtual_block < VDISK_VIRTUAL && r->to < VDISK_PHYSICAL));
}

void
vdisk_map_seal(struct vdisk_map *m)
{
    m->magic = VDISK_MAP_MAGIC;
    m->crc = CRC_OF(m);
}

void
vdisk_record_seal(struct vdisk_record *r)
{
    r->magic = VDISK_RECORD_MAGIC;
    r->crc = CRC_OF(r);
}

void
vdisk_super_seal(struct vdisk *d)
{
    memcpy(d->super.magic, VDISK_MAGIC, sizeof(VDISK_MAGIC));
    d->super.crc = CRC_OF(&d->super);
}

bool
vdisk_super_good(const struct vdisk *d)
{
    return !memcmp(d->super.magic, VDISK_MAGIC, sizeof(VDISK_MAGIC)) &&
           d->super.crc == CRC_OF(&d->super);
}

/* --- the journal --------------------------------------------------------------------------------------- */

static int
by_seq(const void *a, const void *b)
{
    const struct vdisk_record *x = *(const struct vdisk_record *const *)a;
    const struct vdisk_record *y = *(const struct vdisk_record *const *)b;

    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

unsigned
vdisk_journal(const struct vdisk *d, const struct vdisk_record *list[VDISK_RECORDS])
{
    unsigned count = 0;

    for (unsigned i = 0; i < VDISK_RECORDS; i++)
        if (vdisk_record_good(&d->journal[i]))
            list[count++] = &d->journal[i];
    qsort(list, count, sizeof(*list), by_seq);
    return count;
}

bool
vdisk_committed(const struct vdisk_record *const *list, unsigned count, uint32_t transaction)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i]->kind == VDISK_COMMIT && list[i]->transaction == transaction)
            return true;
    return false;
}

unsigned
vdisk_replay(struct vdisk *d, bool all)
{
    const struct vdisk_record *list[VDISK_RECORDS];
    unsigned count = vdisk_journal(d, list), changed = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct vdisk_record *r = list[i];
        unsigned block = r->virtual_block / VDISK_ENTRIES;
        struct vdisk_map *m = &d->map[0][block];

        if (r->kind != VDISK_MOVE || !vdisk_map_good(d, 0, block) || r->seq <= m->seq ||
            !(all || vdisk_committed(list, count, r->transaction)))
            continue;
        m->entry[r->virtual_block % VDISK_ENTRIES] = r->to;
        m->seq = r->seq;
        vdisk_map_seal(m);
        changed++;
    }
    return changed;
}

/* --- the guest's view --------------------------------------------------------------------------------- */

uint32_t
vdisk_find(const struct vdisk *d, uint32_t v)
{
    uint32_t p = d->map[0][v / VDISK_ENTRIES].entry[v % VDISK_ENTRIES];

    return p < VDISK_PHYSICAL ? p : VDISK_NOWHERE;
}

uint64_t
vdisk_hash(const struct vdisk *d, uint32_t v)
{
    uint32_t p = vdisk_find(d, v);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (unsigned i = 0; i < VDISK_BLOCK; i++)
        hash = (hash ^ (p == VDISK_NOWHERE ? 0 : d->data[p][i])) * UINT64_C(0x100000001b3);
    return hash;
}

void
vdisk_print(const struct vdisk *d, uint32_t v, FILE *out)
{
    uint32_t p = vdisk_find(d, v);

    fprintf(out, "%03u %016" PRIx64 " ", v, vdisk_hash(d, v));
    for (unsigned i = 0; p != VDISK_NOWHERE && i < TEXT_MAX; i++) {
        uint8_t c = d->data[p][i];
        if (c < ' ' || c > '~')
            break;
        fputc(c, out);
    }
    fputc('\n', out);
}

/* --- writing -------------------------------------------------------------------------------------------- */

/* In use: in the map, or the target of a write that will be in it: one of a transaction under way, or
 * one that was committed before a power cut and waits in the journal. */
static void
mark_used(const struct vdisk *d, uint32_t transaction, bool used[VDISK_PHYSICAL])
{
    const struct vdisk_record *list[VDISK_RECORDS];
    unsigned count = vdisk_journal(d, list);

    for (uint32_t v = 0; v < VDISK_VIRTUAL; v++)
        if (vdisk_find(d, v) != VDISK_NOWHERE)
            used[vdisk_find(d, v)] = true;
    for (unsigned i = 0; i < count; i++) {
        const struct vdisk_record *r = list[i];
        bool waits = r->kind == VDISK_MOVE &&
                     r->seq > d->map[0][r->virtual_block / VDISK_ENTRIES].seq &&
                     vdisk_committed(list, count, r->transaction);
        if (waits || (r->kind == VDISK_MOVE && r->transaction == transaction))
            used[r->to] = true;
    }
}

static void
append(struct vdisk *d, struct vdisk_record r)
{
    const struct vdisk_record *list[VDISK_RECORDS];
    unsigned count = vdisk_journal(d, list);

    r.seq = count ? list[count - 1]->seq + 1 : 1;
    for (unsigned i = 0; i < VDISK_MAP_BLOCKS; i++) /* an emptied journal goes on, not back */
        if (d->map[0][i].seq >= r.seq)
            r.seq = d->map[0][i].seq + 1;
    vdisk_record_seal(&r);
    d->journal[r.seq % VDISK_RECORDS] = r;
}

bool
vdisk_write(struct vdisk *d, uint32_t transaction, uint32_t v, const void *bytes)
{
    bool used[VDISK_PHYSICAL] = {false};
    uint32_t p = 0;

    mark_used(d, transaction, used);
    while (p < VDISK_PHYSICAL && used[p])
        p++;
    if (p == VDISK_PHYSICAL)
        return false;
    memcpy(d->data[p], bytes, VDISK_BLOCK);
    append(d, (struct vdisk_record){.transaction = transaction,
                                    .kind = VDISK_MOVE,
                                    .virtual_block = v,
                                    .from = vdisk_find(d, v),
                                    .to = p});
    return true;
}

void
vdisk_commit(struct vdisk *d, uint32_t transaction, bool apply)
{
    append(d, (struct vdisk_record){.transaction = transaction, .kind = VDISK_COMMIT});
    if (apply)
        vdisk_replay(d, false);
}

void
vdisk_checkpoint(struct vdisk *d)
{
    memcpy(d->map[1], d->map[0], sizeof(d->map[0]));
    memset(d->journal, 0, sizeof(d->journal));
}
