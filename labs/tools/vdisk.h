/*
 * vdisk.h - a virtual disk of ticket 7: blocks that lie where a mapping table says.
 *
 * What a guest calls block V (virtual) is block P (physical) of the image. A write never
 * overwrites: it takes a free P for the new bytes, says so in the journal, commits, and only then changes
 * the map. So after a power cut a write has happened as a whole or not at all.
 *
 *   block 0                 superblock
 *   VDISK_MAP[0] ...        the map in use, copy A: VDISK_MAP_BLOCKS blocks
 *   VDISK_MAP[1] ...        the map as it was at the last checkpoint, copy B
 *   VDISK_JOURNAL ...       what has been written since that checkpoint, a ring
 *   VDISK_DATA ...          the guest's bytes
 *
 * All numbers are little-endian, as on the machines that hv runs on. Read next: vdisk_image.c.
 */
#ifndef LABS_VDISK_H
#define LABS_VDISK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define VDISK_BLOCK        512
#define VDISK_ENTRIES      124 /* of one map block */
#define VDISK_MAP_BLOCKS   4
#define VDISK_VIRTUAL      (VDISK_ENTRIES * VDISK_MAP_BLOCKS)
#define VDISK_RECORD       64
#define VDISK_RECORDS      256 /* of the journal */
#define VDISK_PHYSICAL     1024
#define VDISK_MAP(copy)    (1 + (copy)*VDISK_MAP_BLOCKS)
#define VDISK_JOURNAL      VDISK_MAP(2)
#define VDISK_DATA         (VDISK_JOURNAL + VDISK_RECORDS * VDISK_RECORD / VDISK_BLOCK)
#define VDISK_BLOCKS       (VDISK_DATA + VDISK_PHYSICAL)
#define VDISK_NOWHERE      0xffffffffu /* never written: reads as zeros */
#define VDISK_MAGIC        "vdisk 1"
#define VDISK_MAP_MAGIC    0x50414d56u /* "VMAP" */
#define VDISK_RECORD_MAGIC 0x4c4e4a56u /* "VJNL" */

struct vdisk_super {
    char magic[8];
    uint32_t crc; /* of the rest */
    uint32_t virtual_blocks, physical_blocks;
    uint8_t fill[VDISK_BLOCK - 20];
};

/* A block of the map. crc covers what follows it. */
struct vdisk_map {
    uint32_t magic, crc;
    uint64_t seq; /* the last record of the journal that is in it */
    uint32_t entry[VDISK_ENTRIES];
};

enum vdisk_kind { VDISK_MOVE = 1, VDISK_COMMIT = 2 };

struct vdisk_record {
    uint32_t magic, crc;
    uint64_t seq; /* 1, 2, 3, ...: the order of the records, wherever they lie */
    uint32_t transaction, kind;
    uint32_t virtual_block, from, to; /* MOVE: the map's entry before and after */
    uint8_t fill[VDISK_RECORD - 36];
};

struct vdisk {
    struct vdisk_super super;
    struct vdisk_map map[2][VDISK_MAP_BLOCKS];
    struct vdisk_record journal[VDISK_RECORDS];
    uint8_t data[VDISK_PHYSICAL][VDISK_BLOCK];
};

_Static_assert(sizeof(struct vdisk_map) == VDISK_BLOCK, "a map block is a block");
_Static_assert(sizeof(struct vdisk_record) == VDISK_RECORD, "records lie close");
_Static_assert(sizeof(struct vdisk) == (uint64_t)VDISK_BLOCKS * VDISK_BLOCK, "nothing between");

/* A whole image from a file, or to it. 0, or -1 with errno; a file of another size is EINVAL. */
int vdisk_load(struct vdisk *d, const char *path);
int vdisk_save(const struct vdisk *d, const char *path);

/* Do magic and checksum of a map block (copy 0: A, 1: B) fit? Of a record of the journal? */
bool vdisk_map_good(const struct vdisk *d, unsigned copy, unsigned block);
bool vdisk_record_good(const struct vdisk_record *r);
void vdisk_map_seal(struct vdisk_map *m);
void vdisk_record_seal(struct vdisk_record *r);
void vdisk_super_seal(struct vdisk *d);
bool vdisk_super_good(const struct vdisk *d);

/* The good records of the journal by seq: how many. */
unsigned vdisk_journal(const struct vdisk *d, const struct vdisk_record *list[VDISK_RECORDS]);
bool vdisk_committed(const struct vdisk_record *const *list, unsigned count, uint32_t transaction);

/* Where V lies by copy A; VDISK_NOWHERE also for an entry that cannot be. */
uint32_t vdisk_find(const struct vdisk *d, uint32_t v);
/* A hash of what a guest reads from V (FNV-1a, 64 bits). */
uint64_t vdisk_hash(const struct vdisk *d, uint32_t v);

/* A line "V HASH TEXT", with the first line of the block if it is one. */
void vdisk_print(const struct vdisk *d, uint32_t v, FILE *out);

/* Carries records into copy A that are newer than its blocks: those of committed transactions, or of
 * all. Leaves bad map blocks alone. How many entries it changed. */
unsigned vdisk_replay(struct vdisk *d, bool all);

/* Transactions, as the running disk makes them. write: false if the disk is full. Until commit the
 * map stays. apply false: the power fails before the map is changed. */
bool vdisk_write(struct vdisk *d, uint32_t transaction, uint32_t v, const void *bytes);
void vdisk_commit(struct vdisk *d, uint32_t transaction, bool apply);
/* Copy B becomes what A is, and the journal empty. */
void vdisk_checkpoint(struct vdisk *d);

#endif
