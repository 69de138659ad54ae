/*
 * bios_disk.c - int 13h: the disk image as a drive with cylinders, heads and sectors, or with
 * logical block addresses.
 *
 * There is one disk. It answers as drive 80h, the first hard disk, and as drive 0, because many a
 * boot sector says 0 whatever DL held. It cannot be written. Called by bios.c.
 */
#include <string.h>

#include "base/util.h"
#include "device/bios.h"

#define SECTOR 512u

/* AH after a call. */
#define STATUS_OK          0x00
#define STATUS_BAD_COMMAND 0x01
#define STATUS_PROTECTED   0x03
#define STATUS_NOT_FOUND   0x04
#define STATUS_DMA         0x09 /* the buffer is not in memory */
#define STATUS_NOT_READY   0x80

struct geometry {
    uint32_t cylinders, heads, sectors;
};

static uint64_t
total_sectors(const struct bios *bios)
{
    return bios->disk_size / SECTOR + (bios->disk_size % SECTOR != 0);
}

/* An image of exactly a floppy disk's size has that disk's geometry; any other one is a hard disk
 * of 63 sectors a track and as many heads as keep the cylinders within the ten bits of CX. */
static struct geometry
geometry(const struct bios *bios)
{
    static const struct geometry floppies[] = {
        {40, 2, 9}, {80, 2, 9}, {80, 2, 15}, {80, 2, 18}, {80, 2, 36},
    };
    uint64_t total = total_sectors(bios);
    struct geometry g = {0, 16, 63};

    for (unsigned i = 0; i < ARRAY_SIZE(floppies); i++)
        if (bios->disk_size ==
            (uint64_t)floppies[i].cylinders * floppies[i].heads * floppies[i].sectors * SECTOR)
            return floppies[i];
    while (total > UINT64_C(1024) * g.heads * g.sectors && g.heads < 255)
        g.heads = g.heads == 128 ? 255 : g.heads * 2;
    uint64_t cylinders = (total + g.heads * g.sectors - 1) / (g.heads * g.sectors);
    g.cylinders = cylinders > 1024 ? 1024 : cylinders;
    return g;
}

/* Copies count sectors from lba on to guest memory. Returns a STATUS_*. */
static uint8_t
read_sectors(struct bios *bios, uint64_t lba, uint32_t count, uint64_t gpa, bool store)
{
    uint64_t total = total_sectors(bios), len = (uint64_t)count * SECTOR;

    if (!count)
        return STATUS_BAD_COMMAND;
    if (lba >= total || count > total - lba)
        return STATUS_NOT_FOUND;
    if (!store)
        return STATUS_OK;
    uint8_t *to = ram_at(bios->ram, gpa, len);
    if (!to)
        return STATUS_DMA;
    uint64_t have = bios->disk_size - lba * SECTOR;
    if (have > len)
        have = len;
    memcpy(to, bios->disk + lba * SECTOR, have);
    memset(to + have, 0, len - have); /* the short last sector */
    ram_written(bios->ram, gpa, len);
    return STATUS_OK;
}

/* CX and DH to a block number:  CH = cylinder bits 7-0,  CL = cylinder bits 9-8 | sector (6 bits),
 * counted from 1. False: no such place. */
static bool
chs_to_lba(const struct bios *bios, const struct bios_block *b, uint64_t *lba)
{
    struct geometry g = geometry(bios);
    uint32_t cylinder = (b->ecx >> 8 & 0xff) | (b->ecx & 0xc0) << 2;
    uint32_t sector = b->ecx & 0x3f, head = b->edx >> 8 & 0xff;

    if (!sector || sector > g.sectors || head >= g.heads || cylinder >= g.cylinders)
        return false;
    *lba = ((uint64_t)cylinder * g.heads + head) * g.sectors + sector - 1;
    return true;
}

/* AH=02 read, AH=04 verify: AL sectors at CX, DH to ES:BX. AL becomes how many were read. */
static uint8_t
disk_read_chs(struct bios *bios, struct bios_block *b)
{
    uint64_t lba;
    uint8_t status = STATUS_NOT_FOUND;

    if (chs_to_lba(bios, b, &lba))
        status = read_sectors(bios, lba, bios_al(b), bios_linear(b->es, b->ebx),
                              bios_ah(b) == 0x02);
    if (status)
        bios_set_al(b, 0);
    return status;
}

static uint8_t
disk_reset(struct bios *bios, struct bios_block *b)
{
    (void)bios, (void)b;
    return STATUS_OK;
}

static uint8_t
disk_last_status(struct bios *bios, struct bios_block *b)
{
    (void)b;
    return bios->s.disk_status;
}

static uint8_t
disk_write(struct bios *bios, struct bios_block *b)
{
    (void)bios;
    bios_set_al(b, 0);
    return STATUS_PROTECTED;
}

/* AH=08: the greatest cylinder, head and sector numbers, in the form of AH=02. */
static uint8_t
disk_parameters(struct bios *bios, struct bios_block *b)
{
    struct geometry g = geometry(bios);
    uint32_t last = g.cylinders ? g.cylinders - 1 : 0;

    bios_set16(&b->ecx, (last & 0xff) << 8 | (last >> 2 & 0xc0) | g.sectors);
    bios_set16(&b->edx, (g.heads - 1) << 8 | 1); /* one drive */
    bios_set16(&b->ebx, 4);                      /* a 1.44 MB drive, if somebody takes it for one */
    bios_set_al(b, 0);
    return STATUS_OK;
}

/* AH=15: drive 80h is a hard disk (3) with CX:DX sectors, drive 0 a floppy without a change line
 * (1). That number comes in AH, so disk_service() must not put a status there. */
static uint8_t
disk_type(struct bios *bios, struct bios_block *b)
{
    uint64_t total = total_sectors(bios);

    if (b->edx & 0x80) {
        if (total > UINT32_MAX)
            total = UINT32_MAX;
        bios_set16(&b->ecx, total >> 16);
        bios_set16(&b->edx, total);
    }
    return STATUS_OK;
}

/* AH=41: are the calls by block address there? BX = aa55, version 2.1, fixed disk access. */
static uint8_t
disk_extensions(struct bios *bios, struct bios_block *b)
{
    (void)bios;
    if ((b->ebx & 0xffff) != 0x55aa)
        return STATUS_BAD_COMMAND;
    bios_set16(&b->ebx, 0xaa55);
    bios_set16(&b->ecx, 1);
    return STATUS_OK;
}

/* AH=42: reads what the packet at DS:SI says; its count becomes how many were read. */
static uint8_t
disk_read_lba(struct bios *bios, struct bios_block *b)
{
    struct {
        uint8_t size, reserved;
        uint16_t count, offset, segment;
        uint64_t lba;
    } __attribute__((packed)) packet;
    uint64_t at = bios_linear(b->ds, b->esi);

    if (ram_read(bios->ram, at, &packet, sizeof(packet)) || packet.size < sizeof(packet))
        return STATUS_BAD_COMMAND;
    uint8_t status = read_sectors(bios, packet.lba, packet.count,
                                  bios_linear(packet.segment, packet.offset), true);
    if (status) {
        packet.count = 0;
        ram_write(bios->ram, at, &packet, sizeof(packet));
    }
    return status;
}

/* AH=48: the drive's size, for who reads by block address. */
static uint8_t
disk_parameters_lba(struct bios *bios, struct bios_block *b)
{
    struct geometry g = geometry(bios);
    struct {
        uint16_t size, flags;
        uint32_t cylinders, heads, sectors;
        uint64_t total;
        uint16_t bytes;
    } __attribute__((packed))
    info = {26,        2 /* the geometry is valid */, g.cylinders, g.heads,
            g.sectors, total_sectors(bios),           SECTOR};
    uint64_t at = bios_linear(b->ds, b->esi);
    uint16_t size;

    if (ram_read(bios->ram, at, &size, sizeof(size)) || size < sizeof(info) ||
        ram_write(bios->ram, at, &info, sizeof(info)))
        return STATUS_BAD_COMMAND;
    return STATUS_OK;
}

void
bios_disk_service(struct bios *bios, struct bios_block *b)
{
    static const struct {
        uint8_t ah;
        uint8_t (*run)(struct bios *bios, struct bios_block *b);
    } functions[] = {
        {0x00, disk_reset},    {0x01, disk_last_status}, {0x02, disk_read_chs},
        {0x03, disk_write},    {0x04, disk_read_chs},    {0x08, disk_parameters},
        {0x0d, disk_reset},    {0x15, disk_type},        {0x41, disk_extensions},
        {0x42, disk_read_lba}, {0x43, disk_write},       {0x48, disk_parameters_lba},
    };
    uint8_t ah = bios_ah(b), drive = b->edx & 0xff, status = STATUS_BAD_COMMAND;

    if (drive == 0x80 || drive == 0) {
        if (!bios->disk_size)
            status = STATUS_NOT_READY;
        else
            for (unsigned i = 0; i < ARRAY_SIZE(functions); i++)
                if (functions[i].ah == ah)
                    status = functions[i].run(bios, b);
    }
    /* What AH tells besides the status. */
    uint8_t answer = status;
    if (!status && ah == 0x15)
        answer = drive ? 3 : 1;
    else if (!status && ah == 0x41)
        answer = 0x21;
    bios_set_ah(b, answer);
    bios_set_carry(b, status != STATUS_OK);
    bios->s.disk_status = status;
    ram_write(bios->ram, BDA_HARD_DISK_STATUS, &status, 1);
}

bool
bios_disk_boot(struct bios *bios)
{
    return bios->disk_size >= SECTOR && bios->disk[510] == 0x55 && bios->disk[511] == 0xaa &&
           ram_write(bios->ram, 0x7c00, bios->disk, SECTOR) == 0;
}
