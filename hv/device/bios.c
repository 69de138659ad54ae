/*
 * bios.c - see bios.h: takes a call from the stubs in bios_rom.S and does the service.
 *
 * The table `services` below lists them all. What the guest hands over, registers and pointers, is
 * hostile like everything from a guest: memory is reached through ram_read() and ram_write() only,
 * and no loop runs longer than a screen has cells. Next: bios_console.c, then bios_disk.c.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "device/bios.h"
#include "isa/x86/regs.h"
#include "loader/loader.h"

extern const uint8_t bios_rom_start[], bios_rom_end[]; /* bios_rom.S */
extern const uint16_t bios_rom_vectors[];

/* Equipment (int 11h): bits 11-9 serial ports = 1, bits 5-4 video = 80x25 colour. */
#define EQUIPMENT 0x0220
#define TEXT_MODE 3
#define SMAP      0x534d4150u /* "SMAP", E820's password */

void
bios_set_carry(struct bios_block *b, bool set)
{
    b->flags = set ? b->flags | FLAG_CF : b->flags & ~FLAG_CF;
}

uint32_t
bios_peek(const struct bios *bios, uint64_t gpa, unsigned size)
{
    uint32_t value = 0;

    ram_read(bios->ram, gpa, &value, size);
    return value;
}

void
bios_poke(struct bios *bios, uint64_t gpa, unsigned size, uint32_t value)
{
    ram_write(bios->ram, gpa, &value, size);
}

void
bios_unknown(struct bios *bios, struct bios_block *b)
{
    bios->s.unknown++;
    bios->s.strange[0] = b->vector;
    bios->s.strange[1] = b->eax;
    if (b->vector == 0x15)
        bios_set_ah(b, 0x86);
    if (b->vector == 0x15 || b->vector == 0x1a)
        bios_set_carry(b, true);
}

/* --- int 11h, 12h, 15h, 1ah: the machine ------------------------------------------------------ */

static void
equipment_service(struct bios *bios, struct bios_block *b)
{
    bios_set16(&b->eax, bios_peek(bios, BDA_EQUIPMENT, 2));
}

static void
memory_service(struct bios *bios, struct bios_block *b)
{
    bios_set16(&b->eax, bios_peek(bios, BDA_MEMORY, 2));
}

/* AX=E820: the EBX-th line of the memory map to ES:DI, and in EBX the next one's number. */
static void
memory_map_service(struct bios *bios, struct bios_block *b)
{
    struct memory_area map[MEMORY_AREAS];
    unsigned count = memory_map(bios->ram->size, map);
    uint8_t line[20];

    if (b->edx != SMAP || b->ecx < sizeof(line) || b->ebx >= count) {
        bios_set_ah(b, 0x86);
        bios_set_carry(b, true);
        return;
    }
    const struct memory_area *area = &map[b->ebx];
    memcpy(line, &area->base, 8);
    memcpy(line + 8, &area->size, 8);
    memcpy(line + 16, &area->type, 4);
    bool failed = ram_write(bios->ram, bios_linear(b->es, b->edi), line, sizeof(line));
    b->eax = SMAP;
    b->ecx = sizeof(line);
    b->ebx = b->ebx + 1 == count ? 0 : b->ebx + 1;
    bios_set_carry(b, failed);
}

/* AX=E801: KiB between 1 and 16 MiB in AX and CX, blocks of 64 KiB above in BX and DX. */
static void
memory_size_service(struct bios *bios, struct bios_block *b)
{
    uint64_t above_1m = (bios->ram->size - MEMORY_HIGH) >> 10;
    uint64_t low = above_1m < 0x3c00 ? above_1m : 0x3c00, high = (above_1m - low) >> 6;

    bios_set16(&b->eax, low);
    bios_set16(&b->ecx, low);
    bios_set16(&b->ebx, high);
    bios_set16(&b->edx, high);
    bios_set_carry(b, false);
}

/* AH=24: the gate that hides address bit 20 (the 8086 had no such bit). */
static void
a20_service(struct bios *bios, struct bios_block *b)
{
    switch (bios_al(b)) {
    case 0x00:
    case 0x01:
        bios->s.a20_open = bios_al(b);
        line_set(&bios->a20, bios->s.a20_open);
        break;
    case 0x02: bios_set_al(b, bios->s.a20_open); break;
    case 0x03: bios_set16(&b->ebx, 3); break; /* keyboard controller and port 92 do it, too */
    default: bios_unknown(bios, b); return;
    }
    bios_set_ah(b, 0);
    bios_set_carry(b, false);
}

static void
system_service(struct bios *bios, struct bios_block *b)
{
    uint64_t above_1m = (bios->ram->size - MEMORY_HIGH) >> 10;

    if ((b->eax & 0xffff) == 0xe820)
        memory_map_service(bios, b);
    else if ((b->eax & 0xffff) == 0xe801)
        memory_size_service(bios, b);
    else if (bios_ah(b) == 0x24)
        a20_service(bios, b);
    else if (bios_ah(b) == 0x88) { /* at most 63 MiB: more does not fit old programs */
        bios_set16(&b->eax, above_1m < 0xfc00 ? above_1m : 0xfc00);
        bios_set_carry(b, false);
    } else
        bios_unknown(bios, b);
}

/* AH=00: ticks since midnight in CX:DX, AL: midnight has passed since last asked. AH=01 sets. */
static void
time_service(struct bios *bios, struct bios_block *b)
{
    uint32_t ticks = bios_peek(bios, BDA_TICKS, 4);

    switch (bios_ah(b)) {
    case 0x00:
        bios_set16(&b->ecx, ticks >> 16);
        bios_set16(&b->edx, ticks);
        bios_set_al(b, bios_peek(bios, BDA_MIDNIGHT, 1));
        break;
    case 0x01: bios_poke(bios, BDA_TICKS, 4, b->ecx << 16 | (b->edx & 0xffff)); break;
    default: bios_unknown(bios, b); return;
    }
    bios_poke(bios, BDA_MIDNIGHT, 1, 0);
    bios_set_carry(b, false);
}

/* --- int 18h, 19h and exceptions: start and end ----------------------------------------------- */

static void
say_and_halt(struct bios *bios, struct bios_block *b, const char *text)
{
    for (; *text; text++)
        bios_print(bios, *text);
    b->result = RESULT_HALT;
}

static void
boot_service(struct bios *bios, struct bios_block *b)
{
    if (b->vector == 0x19 && bios_disk_boot(bios)) {
        b->edx = 0x80;
        b->result = RESULT_BOOT;
        return;
    }
    say_and_halt(bios, b, "\r\nBIOS: no boot sector (55 aa at 510) on the disk, halted\r\n");
}

/* A PC's BIOS returns from an exception, which then comes again, for ever. */
static void
exception_service(struct bios *bios, struct bios_block *b)
{
    char text[80];

    if (b->vector == 0x0f) /* the PIC's spurious interrupt: to be ignored (8259A, "IR level") */
        return;
    snprintf(text, sizeof(text), "\r\nBIOS: exception %02x at %04x:%04x, halted\r\n", b->vector,
             b->cs, b->ip);
    say_and_halt(bios, b, text);
}

/* --- the device ------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    uint8_t first, last; /* vectors */
    const char *name;
    void (*run)(struct bios *bios, struct bios_block *b);
} services[] = {
    {0x00, 0x0f, "exception",   exception_service},
    {0x10, 0x10, "video",       bios_video_service},
    {0x11, 0x11, "equipment",   equipment_service},
    {0x12, 0x12, "memory size", memory_service},
    {0x13, 0x13, "disk",        bios_disk_service},
    {0x14, 0x14, "serial line", bios_serial_service},
    {0x15, 0x15, "system",      system_service},
    {0x16, 0x16, "keyboard",    bios_keyboard_service},
    {0x18, 0x19, "boot",        boot_service},
    {0x1a, 0x1a, "time",        time_service},
};
/* clang-format on */

static void
bios_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct bios *bios = dev;
    struct bios_block b;

    (void)value; /* for the recording; the block has it all */
    if (offset || size != 4 || ram_read(bios->ram, BIOS_EBDA + BLOCK, &b, sizeof(b)))
        return;
    bios->s.calls++;
    bios->s.last[0] = b.vector;
    bios->s.last[1] = b.eax;
    b.result = RESULT_DONE;
    for (unsigned i = 0; i < ARRAY_SIZE(services); i++)
        if (b.vector >= services[i].first && b.vector <= services[i].last)
            services[i].run(bios, &b);
    ram_write(bios->ram, BIOS_EBDA + BLOCK, &b, sizeof(b));
}

static uint64_t
bios_read(void *dev, uint64_t offset, unsigned size)
{
    (void)dev, (void)offset, (void)size;
    return UINT64_MAX;
}

static void
bios_reset(void *dev)
{
    struct bios *bios = dev;

    memset(&bios->s, 0, sizeof(bios->s));
    bios->s.a20_open = 1;
}

/* The A20 wire ends at the keyboard controller, whose own state keeps the gate: no restored(). */
static void *
bios_state(void *dev, size_t *size)
{
    struct bios *bios = dev;

    *size = sizeof(bios->s);
    return &bios->s;
}

static void
bios_describe(void *dev, char *text, size_t size)
{
    const struct bios *bios = dev;
    const struct bios_state *s = &bios->s;

    snprintf(text, size,
             "calls    %llu, the last one int %02x with AX=%04x\n"
             "unknown  %llu, the last one int %02x with AX=%04x\n"
             "disk     %llu bytes, last status %02x\n"
             "A20      %s\n",
             (unsigned long long)s->calls, s->last[0], s->last[1], (unsigned long long)s->unknown,
             s->strange[0], s->strange[1], (unsigned long long)bios->disk_size, s->disk_status,
             s->a20_open ? "open" : "closed");
}

static const char *
bios_register_name(void *dev, uint64_t offset, bool write, uint64_t value)
{
    (void)dev;
    if (offset || !write)
        return NULL;
    switch (value >> 16 & 0xff) {
    case 0x10: return "service int 10h: video";
    case 0x11: return "service int 11h: equipment";
    case 0x12: return "service int 12h: memory size";
    case 0x13: return "service int 13h: disk";
    case 0x14: return "service int 14h: serial port";
    case 0x15: return "service int 15h: system";
    case 0x16: return "service int 16h: keyboard";
    case 0x19: return "service int 19h: boot";
    case 0x1a: return "service int 1Ah: time";
    default: return "a service of the BIOS";
    }
}

const struct device_ops bios_ops = {
    .name = "bios",
    .summary = "BIOS services for boot sectors: console, disk reads, memory size, A20, time",
    .read = bios_read,
    .write = bios_write,
    .reset = bios_reset,
    .state = bios_state,
    .describe = bios_describe,
    .register_name = bios_register_name,
    .manual = "IBM PC AT Technical Reference, section 5",
};

/* The interrupt vectors are at 0: offset, segment (SDM vol. 3, 20.1.4). */
static void
install_vectors(struct bios *bios)
{
    for (const uint16_t *row = bios_rom_vectors; row[0] <= row[1]; row += 3)
        for (uint32_t vector = row[0]; vector <= row[1]; vector++)
            bios_poke(bios, vector * 4, 4, (uint32_t)BIOS_ROM_SEG << 16 | row[2]);
}

int
bios_install(struct bios *bios, struct error *err)
{
    static const struct {
        uint32_t at;
        uint8_t size;
        uint32_t value;
    } data[] = {
        {BDA_COM1, 2, 0x3f8},           {BDA_EBDA, 2, BIOS_EBDA_SEG},
        {BDA_EQUIPMENT, 2, EQUIPMENT},  {BDA_MEMORY, 2, MEMORY_LOW_END >> 10},
        {BDA_KEY_HEAD, 2, 0x1e},        {BDA_KEY_TAIL, 2, 0x1e},
        {BDA_VIDEO_MODE, 1, TEXT_MODE}, {BDA_COLUMNS, 2, BIOS_COLUMNS},
        {BDA_PAGE_SIZE, 2, 0x1000},     {BDA_SHAPE, 2, 0x0607},
        {BDA_CRTC, 2, 0x3d4},           {BDA_KEY_START, 2, 0x1e},
        {BDA_KEY_END, 2, 0x3e},         {BDA_LAST_ROW, 1, BIOS_ROWS - 1},
        {BDA_CHAR_HEIGHT, 1, 16},       {BIOS_EBDA, 1, 1},
    };

    bios_reset(bios);
    install_vectors(bios);
    for (unsigned i = 0; i < ARRAY_SIZE(data); i++)
        bios_poke(bios, data[i].at, data[i].size, data[i].value);
    bios_poke(bios, BDA_HARD_DISKS, 1, bios->disk_size != 0);
    return ram_add_rom(bios->ram, BIOS_ROM, bios_rom_start, bios_rom_end - bios_rom_start, err);
}
