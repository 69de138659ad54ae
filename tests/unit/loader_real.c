/* loader_real.c - the loaders whose guests start in real mode, and the choice of a loader. */
#include <errno.h>

#include "tests/unit/loader_util.h"
#include "tests/unit/suites.h"

#define MIB (UINT64_C(1) << 20)

static uint8_t sector[1024];

static struct guest_image
sector_image(size_t size)
{
    for (unsigned i = 0; i < sizeof(sector); i++)
        sector[i] = i * 7;
    sector[510] = 0x55, sector[511] = 0xaa;
    return (struct guest_image){.data = sector, .size = size};
}

static void
test_bootsector(void)
{
    struct guest_image image = sector_image(1024);
    struct loaded l;

    CU_ASSERT(loader_bootsector.probe(&image));
    load_image(&l, &loader_bootsector, &image, MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT(l.bios);
    /* BIOS Boot Specification 1.01, 6.5.1: 0000:7c00, drive in DL. */
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].selector, 0);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].base, 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0x7c00);
    CU_ASSERT_EQUAL(l.regs.gpr[X86_RDX], 0x80);
    CU_ASSERT(l.regs.rflags & FLAG_IF);
    CU_ASSERT_EQUAL(l.regs.cr0 & CR0_PE, 0);
    CU_ASSERT_EQUAL(memcmp(l.regs.fx, "\x7f\x03\0\0\0", 5), 0); /* firmware has executed FNINIT */
    CU_ASSERT(!memcmp(ram_at(&l.ram, 0x7c00, 512), sector, 512));
    CU_ASSERT_EQUAL(peek(&l, 0x7e00, 8), 0); /* one sector, not the disk */
    loaded_free(&l);

    image.size = 512; /* nothing but the sector */
    CU_ASSERT(loader_bootsector.probe(&image));
    image.size = 511; /* too short for its signature */
    CU_ASSERT_FALSE(loader_bootsector.probe(&image));
    mutate(&loader_bootsector, &image, 0, MIB);
    sector[511] = 0;
    image.size = 512;
    CU_ASSERT_FALSE(loader_bootsector.probe(&image));
}

static void
test_flat(void)
{
    struct guest_image image = sector_image(100);
    struct loaded l;

    load_image(&l, &loader_flat, &image, MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0x7c00);
    CU_ASSERT_FALSE(l.regs.rflags & FLAG_IF);
    CU_ASSERT(l.bios && !memcmp(ram_at(&l.ram, 0x7c00, 100), sector, 100));
    loaded_free(&l);

    /* Above 64 KiB the segment carries the address. */
    image.entry_given = true;
    image.load_at = 0x12345;
    load_image(&l, &loader_flat, &image, MIB);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].selector, 0x1234);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].base, 0x12340);
    CU_ASSERT_EQUAL(l.regs.rip, 5);
    CU_ASSERT(!memcmp(ram_at(&l.ram, 0x12345, 100), sector, 100));
    loaded_free(&l);

    image.load_at = 0xffff; /* as far as IP reaches */
    load_image(&l, &loader_flat, &image, MIB);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].selector, 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0xffff);
    loaded_free(&l);

    /* On the BIOS' data areas, below 500 and from 9fc00 on: then without a BIOS. */
    static const struct {
        uint32_t at;
        bool bios;
    } areas[] = {{0x400, false}, {0x4ff, false}, {0x500, true}, {0x9fb9c, true}, {0x9fb9d, false}};
    for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        image.load_at = areas[i].at;
        load_image(&l, &loader_flat, &image, MIB);
        CU_ASSERT(l.rc == 0 && l.bios == areas[i].bios);
        loaded_free(&l);
    }

    image.load_at = MIB;
    expect_refusal(&loader_flat, &image, 2 * MIB, -EINVAL, "real mode");
    image.load_at = UINT64_MAX - 10;
    expect_refusal(&loader_flat, &image, 2 * MIB, -EINVAL, "real mode");
    image.load_at = MIB - 99; /* one byte too many */
    expect_refusal(&loader_flat, &image, MIB, -EFBIG, "--mem");
}

static void
test_rom(void)
{
    static uint8_t rom[256 * 1024];
    struct guest_image image = {.data = rom, .size = sizeof(rom), .firmware = true};
    struct x86_regs reset;
    struct loaded l;
    uint8_t last[16];

    for (unsigned i = 0; i < sizeof(rom); i++)
        rom[i] = i ^ i >> 8 ^ i >> 16;
    load_image(&l, &loader_rom, &image, MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_FALSE(l.bios);
    x86_regs_reset(&reset); /* SDM vol. 3, 9.1.4: the first instruction is at fffffff0 */
    CU_ASSERT(!memcmp(&reset, &l.regs, sizeof(reset)));
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].base + l.regs.rip, 0xfffffff0);
    CU_ASSERT_EQUAL(ram_read(&l.ram, 0xfffffff0, last, 16), 0);
    CU_ASSERT(!memcmp(last, rom + sizeof(rom) - 16, 16));
    CU_ASSERT_EQUAL(peek(&l, 0x100000000 - sizeof(rom), 4), *(uint32_t *)rom);
    CU_ASSERT_EQUAL(ram_read(&l.ram, 0xffff0, last, 16), 0);
    CU_ASSERT(!memcmp(last, rom + sizeof(rom) - 16, 16));
    /* The last 128 KiB only. */
    CU_ASSERT_EQUAL(peek(&l, 0xe0000, 4), *(uint32_t *)(rom + 128 * 1024));
    CU_ASSERT_EQUAL(peek(&l, 0xdffff, 1), 0);
    loaded_free(&l);

    image.size = 64 * 1024; /* smaller than the window */
    load_image(&l, &loader_rom, &image, MIB);
    CU_ASSERT_EQUAL(peek(&l, 0xf0000, 4), *(uint32_t *)rom);
    CU_ASSERT_EQUAL(peek(&l, 0xeffff, 1), 0);
    loaded_free(&l);

    image.size = 65535;
    expect_refusal(&loader_rom, &image, MIB, -EINVAL, "multiple of 4 KiB");
    image.size = 0;
    expect_refusal(&loader_rom, &image, MIB, -EINVAL, "multiple of 4 KiB");

    /* The chip set decodes 16 MiB. */
    uint8_t *most = calloc(1, 16 * MIB + PAGE_SIZE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(most);
    image.data = most;
    image.size = 16 * MIB;
    load_image(&l, &loader_rom, &image, MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
    image.size += PAGE_SIZE;
    expect_refusal(&loader_rom, &image, MIB, -EINVAL, "at most 16 MiB");
    free(most);
}

/* Who gets a file: the order of loader_table. */
static void
test_choice(void)
{
    struct guest_image image = sector_image(1024);
    struct error err;

    image.path = "x";
    CU_ASSERT_PTR_EQUAL(loader_find(&image, NULL, &err), &loader_bootsector);
    memcpy(sector + 0x202, "HdrS", 4); /* a bzImage is a boot sector, too */
    CU_ASSERT_PTR_EQUAL(loader_find(&image, NULL, &err), &loader_linux);
    image.firmware = true;
    CU_ASSERT_PTR_EQUAL(loader_find(&image, NULL, &err), &loader_rom);
    image.firmware = false;
    CU_ASSERT_PTR_EQUAL(loader_find(&image, "flat", &err), &loader_flat);
    CU_ASSERT_PTR_NULL(loader_find(&image, "floppy", &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "floppy"));
    image.size = 100;
    CU_ASSERT_PTR_EQUAL(loader_find(&image, NULL, &err), &loader_flat);
    image.data = (const uint8_t *)"\177ELF";
    image.size = 4;
    CU_ASSERT_PTR_EQUAL(loader_find(&image, NULL, &err), &loader_elf);
    image.size = 0;
    CU_ASSERT_PTR_NULL(loader_find(&image, NULL, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "empty"));
}

static void
count_written(void *ctx, uint64_t gpa, uint64_t len)
{
    (void)gpa;
    *(uint64_t *)ctx += len;
}

/* boot_place() clears what the file does not hold, up to the last byte and not behind it. */
static void
test_place(void)
{
    uint64_t written = 0;
    struct ram ram;
    struct error err;

    CU_ASSERT_FATAL(ram_create(&ram, MIB, &err) == 0);
    ram.on_write = count_written;
    ram.on_write_ctx = &written;
    uint8_t *at = ram_at(&ram, 0x20000, 16);
    memset(at, 0xee, 16);
    CU_ASSERT_EQUAL(boot_place(&ram, 0x20000, "abc", 3, 9, "it", &err), 0);
    CU_ASSERT(!memcmp(at, "abc\0\0\0\0\0\0\xee", 10));
    CU_ASSERT_EQUAL(written, 9); /* who keeps decoded code is told, of the zeros as well */
    CU_ASSERT_EQUAL(boot_place(&ram, MIB - 3, "abc", 3, 3, "it", &err), 0);
    CU_ASSERT_EQUAL(boot_place(&ram, MIB - 3, "abc", 3, 4, "it", &err), -EFBIG);
    CU_ASSERT_EQUAL(boot_place(&ram, 8, "abc", 3, UINT64_MAX, "it", &err), -EFBIG);
    CU_ASSERT_EQUAL(boot_place(&ram, BOOT_RESERVED - 3, "abc", 3, 3, "it", &err), 0);
    CU_ASSERT_EQUAL(boot_place(&ram, BOOT_RESERVED - 3, "abc", 3, 4, "it", &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0x30000, "rom", 3, &err), 0);
    CU_ASSERT_EQUAL(boot_place(&ram, 0x2ffff, "abc", 3, 3, "it", &err), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "ROM"));
    ram_destroy(&ram);
}

static void
test_memory_map(void)
{
    struct memory_area map[MEMORY_AREAS];

    CU_ASSERT_EQUAL(memory_map(32 * MIB, map), 4);
    for (unsigned i = 1; i < 4; i++)
        CU_ASSERT(map[i].base >= map[i - 1].base + map[i - 1].size);
    CU_ASSERT_EQUAL(map[0].base, 0);
    CU_ASSERT_EQUAL(map[0].type, MEMORY_USABLE);
    CU_ASSERT_EQUAL(map[3].base + map[3].size, 32 * MIB);
    CU_ASSERT_EQUAL(map[3].type, MEMORY_USABLE);
    CU_ASSERT_EQUAL(memory_map(MIB, map), 3);
}

static const struct unit_test tests[] = {
    {"a boot sector starts at 0000:7c00", test_bootsector},
    {"a flat image starts where it was put", test_flat},
    {"a ROM ends at 4 GiB and at 1 MiB", test_rom},
    {"the loader is chosen by the file's bytes", test_choice},
    {"bytes are placed within memory and cleared behind", test_place},
    {"the memory map", test_memory_map},
    {NULL, NULL},
};
const struct unit_suite suite_loader_real = {"loader-real", tests};
