/*
 * vdisk_make.c - makes the disk of ticket 7, in use and then damaged: vdisk-make SEED IMAGE HASHES.
 *
 * IMAGE is the disk after a power cut and with a bad block in its map. HASHES gets a line "V HASH TEXT"
 * for each virtual block: what a guest has to find there, from a model that knows nothing of the map. It is not
 * handed out. Used by the Makefile, tests.sh of the ticket and tests/labs/vdisk.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdisk.h"

#define TRANSACTIONS 30
#define WRITES_MAX   6
#define ABORT_EVERY  5 /* on the average: a transaction that its writer gave up */

/* xorshift64: the same numbers everywhere. */
static uint64_t
next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

static void
invoice(char block[VDISK_BLOCK], uint32_t v, unsigned revision, uint64_t *random)
{
    memset(block, 0, VDISK_BLOCK);
    snprintf(block, VDISK_BLOCK, "invoice %03u revision %u amount %u.%02u\n", v, revision,
             (unsigned)(next(random) % 9000), (unsigned)(next(random) % 100));
}

struct model {
    char block[VDISK_VIRTUAL][VDISK_BLOCK];
    unsigned revision[VDISK_VIRTUAL];
};

/* One transaction of a few writes. A writer may give up; the power may fail before the commit. */
static void
transact(struct vdisk *d, struct model *m, uint32_t number, bool commit, bool apply,
         uint64_t *random)
{
    uint32_t written[WRITES_MAX];
    unsigned count = 1 + (unsigned)(next(random) % WRITES_MAX);
    char bytes[WRITES_MAX][VDISK_BLOCK];

    for (unsigned i = 0; i < count; i++) {
        uint32_t v = written[i] = (uint32_t)(next(random) % VDISK_VIRTUAL);
        invoice(bytes[i], v, m->revision[v] + 1, random);
        vdisk_write(d, number, v, bytes[i]);
    }
    if (!commit)
        return;
    vdisk_commit(d, number, apply);
    for (unsigned i = 0; i < count; i++) {
        memcpy(m->block[written[i]], bytes[i], VDISK_BLOCK);
        m->revision[written[i]]++;
    }
}

static void
fill(struct vdisk *d, struct model *m, uint64_t *random)
{
    vdisk_super_seal(d);
    d->super.virtual_blocks = VDISK_VIRTUAL;
    d->super.physical_blocks = VDISK_PHYSICAL;
    vdisk_super_seal(d);
    for (uint32_t v = 0; v < VDISK_VIRTUAL; v++) {
        /* 481 has no factor in common with 496: every block once, in no order. */
        uint32_t p = v * 481 % VDISK_VIRTUAL;
        invoice(m->block[v], v, m->revision[v] = 1, random);
        memcpy(d->data[p], m->block[v], VDISK_BLOCK);
        d->map[0][v / VDISK_ENTRIES].entry[v % VDISK_ENTRIES] = p;
    }
    for (unsigned i = 0; i < VDISK_MAP_BLOCKS; i++)
        vdisk_map_seal(&d->map[0][i]);
    vdisk_checkpoint(d);
}

/* The block of the map that changed most since the checkpoint is overwritten. */
static void
damage(struct vdisk *d, uint64_t *random)
{
    unsigned worst = 0, most = 0;

    for (unsigned i = 0; i < VDISK_MAP_BLOCKS; i++) {
        unsigned differ = 0;
        for (unsigned e = 0; e < VDISK_ENTRIES; e++)
            differ += d->map[0][i].entry[e] != d->map[1][i].entry[e];
        if (differ > most) {
            most = differ;
            worst = i;
        }
    }
    uint8_t *bytes = (uint8_t *)&d->map[0][worst];
    for (unsigned i = 0; i < VDISK_BLOCK; i++)
        bytes[i] = i < VDISK_BLOCK / 2 ? (uint8_t)next(random) : 0;
}

int
main(int argc, char **argv)
{
    struct vdisk *d = calloc(1, sizeof(*d));
    struct model *m = calloc(1, sizeof(*m));
    uint64_t random = argc == 4 ? strtoull(argv[1], NULL, 0) * 2654435761u + 88172645463325252u : 0;
    uint32_t number = 0;

    if (argc != 4 || !d || !m) {
        fputs("usage: vdisk-make SEED IMAGE HASHES\n", stderr);
        return 1;
    }
    fill(d, m, &random);
    while (++number <= TRANSACTIONS)
        transact(d, m, number, next(&random) % ABORT_EVERY != 0, true, &random);
    /* The power cut: one write was committed and is not in the map yet, one was under way. */
    transact(d, m, number++, true, false, &random);
    transact(d, m, number, false, false, &random);
    damage(d, &random);

    FILE *hashes = fopen(argv[3], "we");
    if (!hashes || vdisk_save(d, argv[2])) {
        perror("vdisk-make");
        return 1;
    }
    for (uint32_t v = 0; v < VDISK_VIRTUAL; v++) {
        struct vdisk *one = d; /* the model's block, hashed as a block that lies at 0 */
        memcpy(one->data[0], m->block[v], VDISK_BLOCK);
        one->map[0][v / VDISK_ENTRIES].entry[v % VDISK_ENTRIES] = 0;
        vdisk_print(one, v, hashes);
    }
    free(d);
    free(m);
    return fclose(hashes) ? 1 : 0;
}
