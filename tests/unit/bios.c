/* bios.c - BIOS services, each called directly through the device. Next: bios_rom.c. */
#include "tests/random.h"
#include "tests/unit/bios_util.h"
#include "tests/unit/suites.h"

/* One service, as the stub asks for it. */
static void
call(struct machine *m, uint8_t vector, struct bios_block *b)
{
    b->vector = vector;
    b->result = 0xffff;
    CU_ASSERT_EQUAL(ram_write(&m->ram, BIOS_EBDA + BLOCK, b, sizeof(*b)), 0);
    bios_ops.write(&m->bios, 0, 4, (uint32_t)vector << 16 | (b->eax & 0xffff));
    CU_ASSERT_EQUAL(ram_read(&m->ram, BIOS_EBDA + BLOCK, b, sizeof(*b)), 0);
}

#define CALL(vector, ...) (b = (struct bios_block){__VA_ARGS__}, call(m, vector, &b))
#define CARRY             (b.flags & FLAG_CF)

/* IBM PC/AT Technical Reference: vectors, data area, model byte. */
static void
test_install(void)
{
    struct machine *m = machine_new(MIB);

    for (unsigned vector = 0; vector < 256; vector++)
        CU_ASSERT_EQUAL(peek(m, vector * 4 + 2, 2), 0xf000);
    CU_ASSERT_NOT_EQUAL(peek(m, 0x10 * 4, 2), peek(m, 0x13 * 4, 2));
    CU_ASSERT_EQUAL(peek(m, 0x71 * 4, 2), peek(m, 0x77 * 4, 2));
    CU_ASSERT_EQUAL(peek(m, peek(m, 0xff * 4, 2) + 0xf0000, 1), 0xcf); /* IRET */
    CU_ASSERT_EQUAL(peek(m, 0x40e, 2), 0x9fc0);
    CU_ASSERT_EQUAL(peek(m, 0x413, 2), 639);
    CU_ASSERT_EQUAL(peek(m, 0x475, 1), 1);
    CU_ASSERT_EQUAL(peek(m, 0xffffe, 1), 0xfc);
    CU_ASSERT_EQUAL(peek(m, 0xffff0, 1), 0xea); /* JMP FAR */
    machine_free(m);
}

static void
test_video(void)
{
    struct machine *m = machine_new(MIB);
    struct bios_block b;

    CALL(0x10, .eax = 0x0e41, .flags = 0x202);
    CU_ASSERT_EQUAL(b.result, RESULT_DONE);
    CALL(0x10, .eax = 0x0e0d);
    CALL(0x10, .eax = 0x0e0a);
    CALL(0x10, .eax = 0x0e42);
    CU_ASSERT(printed(m, "A\r\nB"));
    CALL(0x10, .eax = 0x0300);
    CU_ASSERT_EQUAL(b.edx, 0x0101);
    CU_ASSERT_EQUAL(b.ecx, 0x607);
    CALL(0x10, .eax = 0x0200, .edx = 0x184f);
    {
        CALL(0x10, .eax = 0x0e58);
    } /* the last cell: the screen scrolls */
    CALL(0x10, .eax = 0x0300);
    CU_ASSERT_EQUAL(b.edx, 0x1800);
    CALL(0x10, .eax = 0x12340003);
    CU_ASSERT_EQUAL(b.eax, 0x12340003);
    CALL(0x10, .eax = 0x0f00);
    CU_ASSERT_EQUAL(b.eax, 0x5003);
    CU_ASSERT(printed(m, "X"));
    CALL(0x10, .eax = 0x0a2d, .ecx = 3);
    CU_ASSERT(printed(m, "---"));
    ram_write(&m->ram, 0x20010, "h.i.", 4);
    CALL(0x10, .eax = 0x1303, .ecx = 2, .es = 0x2000, .ebp = 0x10);
    CU_ASSERT(printed(m, "hi"));
    CALL(0x10, .eax = 0x0a2d, .ecx = 0xffff); /* bounded */
    CU_ASSERT_EQUAL(m->console.kept_size, 2000);
    m->console.kept_size = 0;
    CALL(0x10, .eax = 0x1300, .ecx = 0xffff); /* this as well */
    CU_ASSERT_EQUAL(m->console.kept_size, 2000);
    CALL(0x10, .eax = 0x0200, .edx = 0x0500);
    CALL(0x10, .eax = 0x0e08); /* there is nothing to the left */
    CALL(0x10, .eax = 0x0300);
    CU_ASSERT_EQUAL(b.edx, 0x0500);
    uint64_t unknown = m->bios.s.unknown;
    CALL(0x10, .eax = 0xff00);
    CU_ASSERT_EQUAL(m->bios.s.unknown, unknown + 1);
    machine_free(m);
}

static void
test_memory(void)
{
    struct machine *m = machine_new(20 * MIB);
    struct bios_block b;

    CALL(0x11, 0);
    CU_ASSERT_EQUAL(b.eax & 0x30, 0x20); /* 80x25 colour */
    CALL(0x12, 0);
    CU_ASSERT_EQUAL(b.eax, 639);
    CALL(0x15, .eax = 0x8800, .flags = FLAG_CF);
    CU_ASSERT(b.eax == 19 * 1024 && !CARRY);
    CALL(0x15, .eax = 0xe801, .flags = FLAG_CF);
    CU_ASSERT_EQUAL(b.eax, 15 * 1024);
    CU_ASSERT_EQUAL(b.ebx, 4 * 16);
    CU_ASSERT(b.ecx == b.eax && b.edx == b.ebx && !CARRY);
    /* ACPI 6.4, 15.1: start with EBX = 0, go on with what comes back, until it is 0. */
    uint64_t usable = 0;
    unsigned lines = 0;
    b.ebx = 0;
    do {
        b.eax = 0xe820, b.edx = 0x534d4150, b.ecx = 24, b.es = 0x3000, b.edi = 8;
        b.flags = FLAG_CF;
        call(m, 0x15, &b);
        CU_ASSERT(b.eax == 0x534d4150 && b.ecx == 20 && !CARRY);
        uint64_t size;
        ram_read(&m->ram, 0x30010, &size, 8);
        if (peek(m, 0x30018, 4) == 1)
            usable += size;
    } while (b.ebx && ++lines < 100);
    CU_ASSERT_EQUAL(usable, 19 * MIB + 639 * 1024);
    CU_ASSERT_EQUAL(lines, 3);
    b.eax = 0xe820, b.edx = 0, b.flags = 0; /* without "SMAP" */
    call(m, 0x15, &b);
    CU_ASSERT(CARRY && (b.eax >> 8 & 0xff) == 0x86);
    static const struct {
        uint32_t ebx, ecx, es;
    } bad[] = {
        {4, 20, 0x3000}, /* behind the last line */
        {99, 20, 0x3000},
        {0, 19, 0x3000}, /* no room for a line */
        {0, 20, 0xff00}, /* a ROM */
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        CALL(0x15, .eax = 0xe820, .edx = 0x534d4150, .ebx = bad[i].ebx, .ecx = bad[i].ecx,
             .es = bad[i].es);
        CU_ASSERT(CARRY);
    }
    b.eax = 0xc000, b.flags = 0;
    call(m, 0x15, &b);
    CU_ASSERT(CARRY && (b.eax >> 8 & 0xff) == 0x86);
    machine_free(m);
    m = machine_new(80 * MIB);
    CALL(0x15, .eax = 0x8800);
    CU_ASSERT_EQUAL(b.eax, 63 * 1024); /* more is not told here */
    machine_free(m);
}

static void
test_a20(void)
{
    struct machine *m = machine_new(MIB);
    struct bios_block b;

    CALL(0x15, .eax = 0x2402);
    CU_ASSERT(b.eax == 1 && !CARRY);
    CALL(0x15, .eax = 0x2400, .flags = FLAG_CF);
    CU_ASSERT(b.eax == 0 && !CARRY);
    CU_ASSERT_EQUAL(m->a20, 0);
    CALL(0x15, .eax = 0x2402);
    CU_ASSERT_EQUAL(b.eax, 0);
    CALL(0x15, .eax = 0x2401);
    CU_ASSERT_EQUAL(m->a20, 1);
    CALL(0x15, .eax = 0x2403);
    CU_ASSERT_EQUAL(b.ebx, 3);
    CALL(0x15, .eax = 0x2404);
    CU_ASSERT(CARRY);
    machine_free(m);
}

static void
test_keyboard(void)
{
    struct machine *m = machine_new(MIB);
    struct bios_block b;

    CALL(0x16, .eax = 0x0100);
    CU_ASSERT(b.flags & FLAG_ZF);
    CALL(0x16, .eax = 0x0000);
    CU_ASSERT_EQUAL(b.result, RESULT_WAIT);
    CU_ASSERT_EQUAL(b.eax, 0);
    m->keys = "aZ\n \177\003\033?"; /* scan codes: IBM PC/AT Technical Reference, "Keyboard" */
    CALL(0x16, .eax = 0x0100, .flags = FLAG_ZF);
    CU_ASSERT(!(b.flags & FLAG_ZF));
    static const uint16_t codes[] = {0x1e61, 0x2c5a, 0x1c0d, 0x3920,
                                     0x0e08, 0x2e03, 0x011b, 0x353f};
    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
        CALL(0x16, .eax = i % 2 ? 0x1000 : 0);
        CU_ASSERT_EQUAL(b.result, RESULT_DONE);
        CU_ASSERT_EQUAL(b.eax, codes[i]);
    }
    CALL(0x14, .eax = 0x0200);
    CU_ASSERT_EQUAL(b.eax >> 8, 0x80);
    m->keys = "k";
    CALL(0x14, .eax = 0x0300);
    CU_ASSERT_EQUAL(b.eax >> 8 & 1, 1);
    CALL(0x14, .eax = 0x0200);
    CU_ASSERT_EQUAL(b.eax, 'k');
    CALL(0x14, .eax = 0x0200);
    CU_ASSERT_EQUAL(b.eax >> 8, 0x80); /* it was taken */
    CALL(0x14, .eax = 0x0158);
    CU_ASSERT(printed(m, "X"));
    machine_free(m);
}

static void
test_time(void)
{
    struct machine *m = machine_new(MIB);
    struct bios_block b;

    CALL(0x1a, .eax = 0x0100, .ecx = 0x12, .edx = 0x3456);
    CU_ASSERT_EQUAL(peek(m, 0x46c, 4), 0x123456);
    ram_write(&m->ram, 0x470, "\1", 1); /* midnight has passed */
    CALL(0x1a, .flags = FLAG_CF);
    CU_ASSERT(b.ecx == 0x12 && b.edx == 0x3456 && !CARRY);
    CU_ASSERT_EQUAL(b.eax, 1);
    CALL(0x1a, 0);
    CU_ASSERT_EQUAL(b.eax, 0);
    CALL(0x1a, .eax = 0x0400);
    CU_ASSERT(CARRY);
    machine_free(m);
}

/* Of the disk's data alone, not of the block of registers. */
static void
count_written(void *ctx, uint64_t gpa, uint64_t len)
{
    *(uint64_t *)ctx += gpa >= 0x10000 && gpa < 0x20000 ? len : 0;
}

static void
test_disk_chs(void)
{
    struct machine *m = machine_new(MIB);
    uint64_t written = 0;
    struct bios_block b;

    CALL(0x13, .eax = 0x0000, .edx = 0x80);
    CU_ASSERT(b.eax == 0 && !CARRY);
    CALL(0x13, .eax = 0x0000, .edx = 0x81);
    CU_ASSERT(b.eax == 0x0100 && CARRY);
    /* Sectors count from 1; 63 to a track: block 63 is head 1, sector 1. */
    memset(ram_at(&m->ram, 0x10020, 1024), 0xee, 1024);
    m->ram.on_write = count_written, m->ram.on_write_ctx = &written;
    CALL(0x13, .eax = 0x0202, .ecx = 0x0001, .edx = 0x0180, .es = 0x1000, .ebx = 0x20,
         .flags = FLAG_CF);
    CU_ASSERT_EQUAL(b.eax, 2);
    CU_ASSERT_FALSE(CARRY);
    CU_ASSERT(!memcmp(ram_at(&m->ram, 0x10020, 512 + 100), disk + 63 * 512, 512 + 100));
    CU_ASSERT_EQUAL(written, 1024); /* an engine that keeps decoded code must be told */
    CU_ASSERT_EQUAL(peek(m, 0x10020 + 512 + 100, 4), 0); /* the short sector's rest */
    CALL(0x13, .eax = 0x0203, .ecx = 0x0001, .edx = 0x0180);
    CU_ASSERT(b.eax == 0x0400 && CARRY);
    CALL(0x13, .eax = 0x0100, .edx = 0x80);
    CU_ASSERT_EQUAL(b.eax, 0x0400);
    CALL(0x13, .eax = 0x0201, .ecx = 0x0000, .edx = 0x80);
    CU_ASSERT_EQUAL(b.eax, 0x0400);
    CALL(0x13, .eax = 0x0200, .ecx = 0x0001, .edx = 0x80);
    CU_ASSERT_EQUAL(b.eax, 0x0100);
    {
        CALL(0x13, .eax = 0x0201, .ecx = 1, .edx = 0x80, .es = 0xffff, .ebx = 0xfff0);
        CU_ASSERT_EQUAL(b.eax, 0x0900);
    } /* no memory there */
    {
        CALL(0x13, .eax = 0x0201, .ecx = 1, .edx = 0x80, .es = 0xff00);
        CU_ASSERT_EQUAL(b.eax, 0x0900);
    } /* ROM */
    CALL(0x13, .eax = 0x0301, .ecx = 1, .edx = 0x80);
    CU_ASSERT(b.eax == 0x0300 && CARRY);
    CALL(0x13, .eax = 0x0800, .edx = 0x80);
    CU_ASSERT_EQUAL(b.ecx, 63);
    CU_ASSERT_EQUAL(b.edx, 0x0f01);
    CALL(0x13, .eax = 0x1500, .edx = 0x80);
    CU_ASSERT(b.eax >> 8 == 3 && !CARRY);
    CU_ASSERT(b.ecx == 0 && b.edx == 65);

    m->bios.disk_size = 1474560; /* 1.44 MB: 80 cylinders, 2 heads, 18 sectors */
    CALL(0x13, .eax = 0x0800, .edx = 0);
    CU_ASSERT_EQUAL(b.ecx, 0x4f12);
    CU_ASSERT_EQUAL(b.edx, 0x0101);
    m->bios.disk_size = 8 * 1024 * MIB; /* more cylinders than CX can say: 1023 is the last */
    CALL(0x13, .eax = 0x0800, .edx = 0x80);
    CU_ASSERT_EQUAL(b.ecx, 0xffff);
    CU_ASSERT_EQUAL(b.edx, 0xfe01);
    m->bios.disk_size = 0;
    CALL(0x13, .eax = 0x0201, .ecx = 1, .edx = 0x80);
    CU_ASSERT(b.eax >> 8 == 0x80 && CARRY);
    machine_free(m);
}

static void
test_disk_places(void)
{
    struct machine *m = machine_new(MIB);
    struct bios_block b;

    /* On a floppy disk: CX is ch | cl, CL bits 7 and 6 are the cylinder's bits 9 and 8. */
    m->bios.disk_size = 1474560;
    static const struct {
        uint16_t cx, dh;
        uint8_t status;
    } places[] = {
        {0x4f12, 1, 0}, {0x4f13, 1, 4},                 /* a 19th sector */
        {0x4f00, 1, 4},                                 /* they count from 1 */
        {0x0001, 2, 4},                                 /* a third head */
        {0x5012, 1, 4}, {0x0052, 0, 4}, {0x0092, 0, 4}, /* cylinders 80, 256, 512 */
    };
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        CALL(0x13, .eax = 0x0401, .ecx = places[i].cx, .edx = (uint32_t)places[i].dh << 8);
        CU_ASSERT_EQUAL(b.eax >> 8, places[i].status);
    }
    m->bios.disk_size = UINT64_C(300) * 16 * 63 * 512; /* cylinders 256 and 512 of 300 */
    CALL(0x13, .eax = 0x0401, .ecx = 0x0041, .edx = 0x80);
    CU_ASSERT_EQUAL(b.eax >> 8, 0);
    CALL(0x13, .eax = 0x0401, .ecx = 0x0081, .edx = 0x80);
    CU_ASSERT_EQUAL(b.eax >> 8, 4);
    machine_free(m);
}

static void
put_packet(struct machine *m, uint16_t count, uint16_t segment, uint64_t lba)
{
    uint8_t packet[16] = {16, 0, count & 0xff, count >> 8, 0, 0, segment & 0xff, segment >> 8};
    memcpy(packet + 8, &lba, 8);
    ram_write(&m->ram, 0x20004, packet, sizeof(packet));
}

static void
test_disk_lba(void)
{
    struct machine *m = machine_new(MIB);
    static const struct bios_block read = {.eax = 0x4200, .edx = 0x80, .ds = 0x2000, .esi = 4};
    struct bios_block b = {.eax = 0x4100, .ebx = 0x55aa, .edx = 0x80, .flags = FLAG_CF};

    call(m, 0x13, &b);
    CU_ASSERT(b.ebx == 0xaa55 && (b.ecx & 1) && !CARRY);
    put_packet(m, 3, 0x1000, 5);
    b = read;
    call(m, 0x13, &b);
    CU_ASSERT(b.eax >> 8 == 0 && !CARRY);
    CU_ASSERT(!memcmp(ram_at(&m->ram, 0x10000, 1536), disk + 5 * 512, 1536));

    static const struct {
        uint16_t count, segment;
        uint64_t lba;
        uint8_t status;
    } bad[] = {
        {2, 0x1000, 64, 4},         {1, 0x1000, 65, 4},
        {1, 0x1000, UINT64_MAX, 4}, {0, 0x1000, 0, 1},
        {65, 0xf800, 0, 9},         {0xffff, 0x1000, 0, 4},
        {1, 0xff00, 0, 9},          {1, 0xffff, 0, 9 /* above 1 MiB */},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        put_packet(m, bad[i].count, bad[i].segment, bad[i].lba);
        b = read;
        call(m, 0x13, &b);
        CU_ASSERT_EQUAL(b.eax >> 8, bad[i].status);
        CU_ASSERT(CARRY);
        CU_ASSERT_EQUAL(peek(m, 0x20006, 2), 0); /* none was read */
    }
    b = read;
    b.ds = b.esi = 0xffff; /* the packet itself is not in memory */
    call(m, 0x13, &b);
    CU_ASSERT(CARRY);

    ram_write(&m->ram, 0x20004, "\x1a\0", 2);
    b = read;
    b.eax = 0x4800;
    call(m, 0x13, &b);
    CU_ASSERT_FALSE(CARRY);
    CU_ASSERT_EQUAL(peek(m, 0x20004 + 16, 4), 65);
    CU_ASSERT_EQUAL(peek(m, 0x20004 + 24, 2), 512);
    ram_write(&m->ram, 0x20004, "\x19\0", 2); /* no room for all of it */
    b = read;
    b.eax = 0x4800;
    call(m, 0x13, &b);
    CU_ASSERT(b.eax >> 8 == 1 && CARRY);
    put_packet(m, 1, 0x1000, 0);
    ram_write(&m->ram, 0x20004, "\x0f", 1); /* a packet that is too short */
    b = read;
    call(m, 0x13, &b);
    CU_ASSERT(b.eax >> 8 == 1 && CARRY);
    machine_free(m);
}

/* BIOS Boot Specification 1.01, 6.5.1: 512 bytes that end with 55 aa, or there is nothing to start. */
static void
test_start(void)
{
    struct machine *m = machine_new(MIB);
    struct bios_block b;

    CALL(0x19, 0);
    CU_ASSERT_EQUAL(b.result, RESULT_BOOT);
    CU_ASSERT_EQUAL(b.edx, 0x80);
    m->bios.disk_size = 511;
    CALL(0x19, 0);
    CU_ASSERT_EQUAL(b.result, RESULT_HALT);
    m->console.kept_size = 0;
    CALL(0x0f, 0); /* IRQ 7, spurious (8259A data sheet, "Edge and level triggered modes") */
    CU_ASSERT_EQUAL(b.result, RESULT_DONE);
    CU_ASSERT(printed(m, ""));
    machine_free(m);
}

/* Any bytes in the block, on a small and a 64 KiB disk: nothing may leave the guest's memory. */
static void
test_random_calls(void)
{
    struct machine *m = machine_new(MIB);
    uint64_t seed = 88172645463325252;

    for (unsigned i = 0; i < 20000; i++) {
        struct bios_block b;
        for (unsigned k = 0; k < sizeof(b); k++)
            ((uint8_t *)&b)[k] = (uint8_t)random_below(&seed, 256);
        b.eax &= random_next(&seed) & 0xff3f;
        if (i % 3)
            b.edx = (b.edx & 0xffffff00) | 0x80;
        m->bios.disk_size = i % 5 ? sizeof(disk) : 0;
        call(m, random_below(&seed, 0x1c), &b);
        CU_ASSERT(b.result <= RESULT_HALT);
        m->console.kept_size = 0;
    }
    bios_ops.write(&m->bios, 0, 1, 0); /* not the access that the stub makes */
    bios_ops.write(&m->bios, 1, 4, 0);
    CU_ASSERT_EQUAL(m->bios.s.calls, 20000);
    machine_free(m);
}

static const struct unit_test tests[] = {
    {"vectors, data area, ROM", test_install},
    {"int 10h: screen", test_video},
    {"int 11h, 12h, 15h: memory", test_memory},
    {"int 15h: A20", test_a20},
    {"int 16h and 14h: keys", test_keyboard},
    {"int 1ah: time", test_time},
    {"int 13h: cylinders, heads, sectors", test_disk_chs},
    {"int 13h: which places there are", test_disk_places},
    {"int 13h: block addresses", test_disk_lba},
    {"what a start needs", test_start},
    {"20000 random calls", test_random_calls},
    {NULL, NULL},
};
const struct unit_suite suite_bios = {"bios", tests};
