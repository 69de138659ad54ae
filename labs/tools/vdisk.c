/*
 * vdisk.c - the tool of ticket 7: looks at a virtual disk's map and journal, and changes them.
 *
 * It does what it is told, also what loses data; what a command does stands in its help. Read next:
 * vdisk.h, the format.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdisk.h"

static const char copy_name[] = "AB";

/* --- looking -------------------------------------------------------------------------------------------- */

static void
print_target(uint32_t p)
{
    if (p == VDISK_NOWHERE)
        printf(" %5s", "-");
    else
        printf(" %5u", p);
}

/* map [A|B]: where each virtual block lies. */
static int
show_map(struct vdisk *d, char **word)
{
    unsigned copy = word[0] && !strcmp(word[0], "B");

    for (unsigned i = 0; i < VDISK_MAP_BLOCKS; i++) {
        const struct vdisk_map *m = &d->map[copy][i];
        if (!vdisk_map_good(d, copy, i)) {
            printf("map block %u of copy %c: BAD, its checksum is wrong\n", i, copy_name[copy]);
            continue;
        }
        printf("map block %u of copy %c: good, up to record %" PRIu64 " of the journal\n", i,
               copy_name[copy], m->seq);
        for (unsigned e = 0; e < VDISK_ENTRIES; e++) {
            if (e % 12 == 0)
                printf("%s  %3u:", e ? "\n" : "", i * VDISK_ENTRIES + e);
            print_target(m->entry[e]);
        }
        putchar('\n');
    }
    return 0;
}

static int
show_journal(struct vdisk *d, char **word)
{
    const struct vdisk_record *list[VDISK_RECORDS];
    unsigned count = vdisk_journal(d, list);

    (void)word;
    for (unsigned i = 0; i < count; i++) {
        const struct vdisk_record *r = list[i];
        printf("%4" PRIu64 "  transaction %3u  ", r->seq, r->transaction);
        if (r->kind == VDISK_COMMIT) {
            puts("COMMIT");
            continue;
        }
        printf("block %3u:", r->virtual_block);
        print_target(r->from);
        fputs(" ->", stdout);
        print_target(r->to);
        puts(vdisk_committed(list, count, r->transaction) ? "" : "   (no commit)");
    }
    return 0;
}

/* Two virtual blocks at one place. */
static unsigned
check_shared(const struct vdisk *d)
{
    uint32_t owner[VDISK_PHYSICAL];
    unsigned problems = 0;

    memset(owner, 0xff, sizeof(owner));
    for (uint32_t v = 0; v < VDISK_VIRTUAL; v++) {
        uint32_t p = vdisk_find(d, v);
        if (p == VDISK_NOWHERE || !vdisk_map_good(d, 0, v / VDISK_ENTRIES))
            continue;
        if (owner[p] != VDISK_NOWHERE && ++problems)
            printf(
                "BAD   blocks %u and %u both lie at %u: at the least one has the other's bytes\n",
                owner[p], v, p);
        owner[p] = v;
    }
    return problems;
}

/* Committed, and newer than the map block that should have it. */
static unsigned
check_behind(const struct vdisk *d)
{
    const struct vdisk_record *list[VDISK_RECORDS];
    unsigned count = vdisk_journal(d, list), behind = 0, open = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct vdisk_record *r = list[i];
        unsigned block = r->virtual_block / VDISK_ENTRIES;
        if (r->kind != VDISK_MOVE)
            continue;
        if (!vdisk_committed(list, count, r->transaction))
            open++;
        else if (vdisk_map_good(d, 0, block) && r->seq > d->map[0][block].seq)
            behind++;
    }
    if (behind)
        printf("BAD   the journal is ahead of the map: %u committed writes are not in it\n",
               behind);
    printf("      journal: %u records, %u writes of them belong to transactions without commit\n",
           count, open);
    return behind;
}

static int
check(struct vdisk *d, char **word)
{
    unsigned problems = 0;

    (void)word;
    if (!vdisk_super_good(d) && ++problems)
        puts("BAD   superblock");
    for (unsigned copy = 0; copy < 2; copy++)
        for (unsigned i = 0; i < VDISK_MAP_BLOCKS; i++)
            if (!vdisk_map_good(d, copy, i) && ++problems)
                printf("BAD   map block %u of copy %c: blocks %u to %u are %s\n", i,
                       copy_name[copy], i * VDISK_ENTRIES, (i + 1) * VDISK_ENTRIES - 1,
                       copy ? "not in the checkpoint" : "nowhere to be found");
    problems += check_shared(d);
    problems += check_behind(d);
    puts(problems ? "The disk has problems." : "The disk is sound in itself.");
    return problems != 0;
}

static int
number(const char *text, uint32_t limit, uint32_t *value)
{
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : limit;

    if (!text || !*text || *end || n >= limit) {
        fprintf(stderr, "vdisk: a number from 0 to %u, not '%s'\n", limit - 1, text ? text : "");
        return -1;
    }
    *value = (uint32_t)n;
    return 0;
}

static int
read_block(struct vdisk *d, char **word)
{
    uint32_t v, p;

    if (number(word[0], VDISK_VIRTUAL, &v))
        return 2;
    p = vdisk_find(d, v);
    if (!vdisk_map_good(d, 0, v / VDISK_ENTRIES)) {
        fprintf(stderr, "vdisk: where block %u lies is not known: its block of the map is bad\n",
                v);
        return 1;
    }
    if (p == VDISK_NOWHERE)
        puts("(zeros: nothing was ever written there)");
    else
        printf("%.*s", VDISK_BLOCK, (char *)d->data[p]);
    return 0;
}

static int
peek(struct vdisk *d, char **word)
{
    uint32_t p;

    if (number(word[0], VDISK_PHYSICAL, &p))
        return 2;
    printf("%.*s", VDISK_BLOCK, (char *)d->data[p]);
    return 0;
}

/* Hash and first line of each block; the hash decides, the line is for people. */
static int
list(struct vdisk *d, char **word)
{
    (void)word;
    for (uint32_t v = 0; v < VDISK_VIRTUAL; v++)
        vdisk_print(d, v, stdout);
    return 0;
}

/* --- changing -------------------------------------------------------------------------------------------- */

static int
copy_map(struct vdisk *d, char **word)
{
    uint32_t block;

    if (!word[0]) {
        memcpy(d->map[0], d->map[1], sizeof(d->map[0]));
        puts("copy A is what B is: the map of the last checkpoint");
    } else if (number(word[0], VDISK_MAP_BLOCKS, &block)) {
        return 2;
    } else {
        d->map[0][block] = d->map[1][block];
        printf("map block %u of copy A is what B has: that of the last checkpoint\n", block);
    }
    return 0;
}

static int
replay(struct vdisk *d, char **word)
{
    bool all = word[0] && !strcmp(word[0], "all");

    printf("%u entries of the map changed\n", vdisk_replay(d, all));
    return 0;
}

static int
set(struct vdisk *d, char **word)
{
    uint32_t v, p;

    if (number(word[0], VDISK_VIRTUAL, &v) || number(word[0] ? word[1] : NULL, VDISK_PHYSICAL, &p))
        return 2;
    struct vdisk_map *m = &d->map[0][v / VDISK_ENTRIES];
    m->entry[v % VDISK_ENTRIES] = p;
    vdisk_map_seal(m);
    return 0;
}

static int
forget(struct vdisk *d, char **word)
{
    (void)word;
    memset(d->journal, 0, sizeof(d->journal));
    puts("the journal is empty");
    return 0;
}

static int
repair(struct vdisk *d, char **word)
{
    const struct vdisk_record *list[VDISK_RECORDS];
    unsigned count = vdisk_journal(d, list);

    for (unsigned i = 0; i < VDISK_MAP_BLOCKS; i++) {
        struct vdisk_map *m = &d->map[0][i];
        if (!vdisk_map_good(d, 0, i)) {
            memset(m, 0xff, sizeof(*m));
            m->seq = count ? list[count - 1]->seq : 0;
            vdisk_map_seal(m);
            printf("map block %u: emptied\n", i);
        }
    }
    return forget(d, word);
}

static int
checkpoint(struct vdisk *d, char **word)
{
    (void)word;
    if (check(d, word)) {
        fputs("vdisk: no checkpoint of a disk with problems\n", stderr);
        return 1;
    }
    vdisk_checkpoint(d);
    puts("copy B is what A is, the journal is empty");
    return 0;
}

static int
write_block(struct vdisk *d, char **word)
{
    const struct vdisk_record *list[VDISK_RECORDS];
    uint32_t v, transaction = 1;
    char bytes[VDISK_BLOCK] = "";
    unsigned count = vdisk_journal(d, list);

    if (number(word[0], VDISK_VIRTUAL, &v))
        return 2;
    if (check(d, word)) {
        fputs("vdisk: writing to a disk with problems would make it worse\n", stderr);
        return 1;
    }
    for (unsigned i = 0; i < count; i++)
        if (list[i]->transaction >= transaction)
            transaction = list[i]->transaction + 1;
    snprintf(bytes, sizeof(bytes), "%s\n", word[1] ? word[1] : "");
    if (!vdisk_write(d, transaction, v, bytes)) {
        fputs("vdisk: the disk is full\n", stderr);
        return 1;
    }
    vdisk_commit(d, transaction, true);
    return 0;
}

/* --- the list ---------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct command {
    const char *name, *words, *help;
    int (*run)(struct vdisk *d, char **word);
    bool changes;
} commands[] = {
    {"check", "", "is the disk sound in itself? (It cannot know what should be in a block.)", check, false},
    {"map", "[A|B]", "where each block lies, by the map in use (A) or that of the last checkpoint (B)", show_map, false},
    {"journal", "", "every write since the last checkpoint, and which transactions were committed", show_journal, false},
    {"read", "V", "block V as the guest reads it, by copy A", read_block, false},
    {"peek", "P", "what lies at place P, whosever it is", peek, false},
    {"list", "", "a hash and the first line of each block, by copy A", list, false},
    {"copy-map", "[N]", "A becomes what B is: all of the map, or block N of it", copy_map, true},
    {"replay", "[all]", "carry into A what the journal has and A has not: committed writes, or all", replay, true},
    {"set", "V P", "by hand: block V lies at P", set, true},
    {"write", "V TEXT", "a write of the guest's", write_block, true},
    {"checkpoint", "", "B becomes what A is, and the journal empty", checkpoint, true},
    {"forget", "", "empty the journal", forget, true},
    {"repair", "", "make the map readable: empty its bad blocks, and the journal", repair, true},
    {NULL},
};
/* clang-format on */

static int
usage(void)
{
    fputs("usage: vdisk IMAGE COMMAND [WORD]...\n", stderr);
    for (const struct command *c = commands; c->name; c++)
        fprintf(stderr, "  %-10s %-7s %s\n", c->name, c->words, c->help);
    fputs("There is no way back: keep a copy of IMAGE before you change it.\n", stderr);
    return 2;
}

int
main(int argc, char **argv)
{
    static struct vdisk disk; /* of this process, which ends with one command */
    const struct command *c = commands;

    while (argc >= 3 && c->name && strcmp(c->name, argv[2]))
        c++;
    if (argc < 3 || !c->name)
        return usage();
    if (vdisk_load(&disk, argv[1])) {
        fprintf(stderr, "vdisk: %s: %s\n", argv[1],
                errno == EINVAL ? "not a vdisk image (the size is wrong)" : strerror(errno));
        return 2;
    }
    int status = c->run(&disk, argv + 3);
    if (!status && c->changes && vdisk_save(&disk, argv[1])) {
        fprintf(stderr, "vdisk: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    return status;
}
