/* loader_linux.c - the Linux boot protocol; "boot" is Documentation/arch/x86/boot.rst. */
#include <errno.h>

#include <asm/bootparam.h>

#include "tests/unit/loader_util.h"
#include "tests/unit/suites.h"

#define MIB   (UINT64_C(1) << 20)
#define SETUP 0x600 /* two setup sectors: the protected-mode code starts here */
#define CODE  0x400

static uint8_t file[SETUP + CODE];

static struct setup_header *
header(void)
{
    return (struct setup_header *)(file + 0x1f1);
}

/* As memtest86+ 6.10 describes itself: protocol 2.12, not relocatable, at 1 MiB, 64-bit entry. */
static struct guest_image
kernel(void)
{
    for (unsigned i = 0; i < sizeof(file); i++)
        file[i] = i * 5;
    memset(file + 0x1f1, 0, 0x290 - 0x1f1);
    struct setup_header *h = header();
    h->setup_sects = 2;
    h->syssize = CODE / 16;
    h->boot_flag = 0xaa55;
    h->jump = 0x66eb; /* the header ends at 202 + 66 */
    h->header = 0x53726448;
    h->version = 0x020c;
    h->loadflags = LOADED_HIGH;
    h->code32_start = 0x100000;
    h->initrd_addr_max = 0xffffffff;
    h->kernel_alignment = 0x1000;
    h->xloadflags = XLF_KERNEL_64;
    h->cmdline_size = 255;
    h->pref_address = 0x100000;
    h->init_size = 0x6acf8;
    return (struct guest_image){.data = file, .size = sizeof(file), .command_line = "nosmp"};
}

static const struct boot_params *
params(const struct loaded *l)
{
    return ram_at(&l->ram, l->regs.gpr[X86_RSI], sizeof(struct boot_params));
}

static void
test_64(void)
{
    struct guest_image image = kernel();
    struct loaded l;

    CU_ASSERT(loader_linux.probe(&image));
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT(!memcmp(ram_at(&l.ram, 0x100000, CODE), file + SETUP, CODE));
    /* boot, "64-bit BOOT PROTOCOL": entry at +200, long mode, identity map, __BOOT_CS and _DS,
     * interrupts off, RSI = boot_params. */
    CU_ASSERT_EQUAL(l.regs.rip, 0x100200);
    CU_ASSERT(l.regs.efer & EFER_LMA);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].selector, 0x10);
    CU_ASSERT_EQUAL(l.regs.seg[X86_SS].selector, 0x18);
    CU_ASSERT_FALSE(l.regs.rflags & FLAG_IF);

    const struct boot_params *p = params(&l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL(p->hdr.header, 0x53726448);
    CU_ASSERT_EQUAL(p->hdr.type_of_loader, 0xff);
    CU_ASSERT_EQUAL(p->hdr.init_size, 0x6acf8);
    CU_ASSERT_EQUAL(p->hdr.code32_start, 0x100000);
    CU_ASSERT_STRING_EQUAL(ram_at(&l.ram, p->hdr.cmd_line_ptr, 6), "nosmp");
    CU_ASSERT_EQUAL(p->hdr.ramdisk_image, 0);
    CU_ASSERT_EQUAL(p->sentinel, 0); /* else the kernel distrusts the page */
    CU_ASSERT_EQUAL(p->e820_entries, 4);
    CU_ASSERT_EQUAL(p->e820_table[0].size, MEMORY_LOW_END);
    CU_ASSERT_EQUAL(p->e820_table[3].addr, MIB);
    CU_ASSERT_EQUAL(p->e820_table[3].size, 31 * MIB);
    CU_ASSERT_EQUAL(p->e820_table[3].type, 1);
    CU_ASSERT_EQUAL(p->alt_mem_k, 31 * 1024);
    loaded_free(&l);
}

static void
test_32(void)
{
    struct guest_image image = kernel();
    struct loaded l;

    header()->xloadflags = 0;
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    /* boot, "32-bit BOOT PROTOCOL": flat, paging off, ESI = boot_params; EBP, EDI, EBX are 0. */
    CU_ASSERT_EQUAL(l.regs.rip, 0x100000);
    CU_ASSERT_EQUAL(l.regs.cr0 & (CR0_PE | CR0_PG), CR0_PE);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].selector, 0x10);
    CU_ASSERT_EQUAL(l.regs.gpr[X86_RBP] | l.regs.gpr[X86_RDI] | l.regs.gpr[X86_RBX], 0);
    CU_ASSERT_EQUAL(params(&l)->hdr.version, 0x020c);
    loaded_free(&l);

    image = kernel(); /* xloadflags did not exist yet: whatever is there means nothing */
    header()->version = 0x020b;
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100000);
    loaded_free(&l);
}

static void
test_placement(void)
{
    static uint8_t initrd[10000];
    struct guest_image image = kernel();
    struct loaded l;

    header()->relocatable_kernel = 1;
    header()->pref_address = 16 * MIB;
    header()->kernel_alignment = 2 * MIB;
    header()->init_size = 4 * MIB;
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(l.regs.rip, 16 * MIB + 0x200);
    CU_ASSERT_EQUAL(params(&l)->hdr.code32_start, 16 * MIB);
    loaded_free(&l);
    load_image(&l, &loader_linux, &image, 19 * MIB); /* too small: the lowest aligned address */
    CU_ASSERT_EQUAL(l.regs.rip, 2 * MIB + 0x200);
    loaded_free(&l);
    expect_refusal(&loader_linux, &image, 5 * MIB, -EFBIG, "--mem");

    image.initrd = initrd;
    image.initrd_size = sizeof(initrd);
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(params(&l)->hdr.ramdisk_image, 32 * MIB - 3 * PAGE_SIZE);
    CU_ASSERT_EQUAL(params(&l)->hdr.ramdisk_size, sizeof(initrd));
    loaded_free(&l);
    header()->initrd_addr_max = 24 * MIB - 1; /* the highest byte it may have */
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(params(&l)->hdr.ramdisk_image, 24 * MIB - 3 * PAGE_SIZE);
    loaded_free(&l);
    image.initrd_size = 2 * PAGE_SIZE; /* up to that byte */
    load_image(&l, &loader_linux, &image, 32 * MIB);
    CU_ASSERT_EQUAL(params(&l)->hdr.ramdisk_image, 24 * MIB - 2 * PAGE_SIZE);
    loaded_free(&l);
    header()->initrd_addr_max = 16 * MIB; /* below the kernel's end */
    expect_refusal(&loader_linux, &image, 32 * MIB, -EFBIG, "initrd");

    image = kernel(); /* it wants to be where the real-mode world is */
    header()->relocatable_kernel = 1;
    header()->pref_address = 0x10000;
    load_image(&l, &loader_linux, &image, 8 * MIB);
    CU_ASSERT_EQUAL(l.regs.rip, MIB + 0x200);
    loaded_free(&l);
    /* One that cannot be relocated is loaded at 1 MiB and moves itself to pref_address: the initrd is
     * behind both, however little the kernel says that it needs. */
    const uint64_t runs_at[] = {2 * MIB, 0x10000}, last[] = {2 * MIB, MIB};
    for (unsigned i = 0; i < 2; i++) {
        image = kernel();
        header()->pref_address = runs_at[i];
        header()->init_size = 0;
        image.initrd = initrd;
        image.initrd_size = 1;
        expect_refusal(&loader_linux, &image, last[i] + PAGE_SIZE, -EFBIG, "initrd");
        load_image(&l, &loader_linux, &image, last[i] + 2 * PAGE_SIZE);
        CU_ASSERT_EQUAL(l.rc, 0);
        CU_ASSERT_EQUAL(params(&l)->hdr.ramdisk_image, last[i] + PAGE_SIZE);
        loaded_free(&l);
    }
}

static void
test_refused(void)
{
    struct guest_image image;
    char line[257];

#define REFUSE(change, mem, rc, words)                                                             \
    image = kernel();                                                                              \
    change;                                                                                        \
    expect_refusal(&loader_linux, &image, mem, rc, words)

    REFUSE(header()->version = 0x0201, 8 * MIB, -ENOEXEC, "older than 2.02");
    REFUSE(header()->loadflags = 0, 8 * MIB, -ENOEXEC, "zImage");
    REFUSE(header()->jump = 0x02eb, 8 * MIB, -ENOEXEC, "too short");
    REFUSE(header()->setup_sects = 0, 8 * MIB, -ENOEXEC, "truncated"); /* means 4 */
    REFUSE(header()->setup_sects = 255, 8 * MIB, -ENOEXEC, "truncated");
    REFUSE(header()->syssize = CODE / 16 + 1, 8 * MIB, -ENOEXEC, "truncated");
    REFUSE(header()->syssize = 0xffffffff, 8 * MIB, -ENOEXEC, "truncated");
    REFUSE(header()->init_size = 0xffffffff, 8 * MIB, -EFBIG, "--mem");
    REFUSE(header()->pref_address = UINT64_MAX, 8 * MIB, -EFBIG, "--mem");
    REFUSE(image.size = SETUP, 8 * MIB, -ENOEXEC, "truncated");
    REFUSE(image.size = SETUP;
           header()->syssize = 0, 8 * MIB, -ENOEXEC, "before its protected-mode");
    REFUSE(image.size = 0x260, 8 * MIB, -ENOEXEC, "within its setup header");
    REFUSE(image.size = SETUP + 0x200; header()->syssize = 0x20, 8 * MIB, -ENOEXEC, "64-bit entry");
    REFUSE(header()->relocatable_kernel = 1;
           header()->kernel_alignment = 0x3000, 8 * MIB, -ENOEXEC, "power of two");
    REFUSE(header()->relocatable_kernel = 1;
           header()->kernel_alignment = 0, 8 * MIB, -ENOEXEC, "power of two");

    memset(line, 'a', sizeof(line));
    line[256] = 0;
    REFUSE(image.command_line = line, 8 * MIB, -E2BIG, "at most 255");
    line[255] = 0;
    struct loaded l;
    load_image(&l, &loader_linux, &image, 8 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
    image = kernel();
    header()->setup_data = 0x1234; /* boot: "a linked list", the loader's: there is none */
    load_image(&l, &loader_linux, &image, 8 * MIB);
    CU_ASSERT_EQUAL(params(&l)->hdr.setup_data, 0);
    loaded_free(&l);
    line[255] = 'a';
    image = kernel();
    image.command_line = line;
    header()->version = 0x0206; /* the first with cmdline_size */
    header()->cmdline_size = 256;
    load_image(&l, &loader_linux, &image, 8 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
    image = kernel();
    header()->version = 0x0202; /* the oldest that will do: it has no 64-bit entry */
    load_image(&l, &loader_linux, &image, 8 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100000);
    loaded_free(&l);
}

/* The last paragraph of 16 bytes may be short in the file: memtest86+ 6.10's is. */
static void
test_short_paragraph(void)
{
    struct guest_image image = kernel();
    struct loaded l;

    image.size -= 15;
    load_image(&l, &loader_linux, &image, 8 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
    image.size--;
    expect_refusal(&loader_linux, &image, 8 * MIB, -ENOEXEC, "truncated");
}

static void
test_mutations(void)
{
    struct guest_image image = kernel();
    CU_ASSERT(mutate(&loader_linux, &image, 0, 8 * MIB) > 0);
    memset(file, 0, 0x1f1);
    CU_ASSERT(mutate(&loader_linux, &image, 0x270, 8 * MIB) > 100);
    header()->relocatable_kernel = 1;
    CU_ASSERT(mutate(&loader_linux, &image, 0x270, 8 * MIB) > 100);
}

static const struct unit_test tests[] = {
    {"a 64-bit kernel and its boot_params", test_64},
    {"a 32-bit kernel", test_32},
    {"where kernel and initrd go", test_placement},
    {"what is refused, and with which words", test_refused},
    {"a short last paragraph", test_short_paragraph},
    {"truncated and mutated files", test_mutations},
    {NULL, NULL},
};
const struct unit_suite suite_loader_linux = {"loader-linux", tests};
