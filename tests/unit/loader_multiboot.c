/* loader_multiboot.c - Multiboot 1 kernels; MB is the Multiboot Specification 0.6.96. */
#include <elf.h>
#include <errno.h>

#include "tests/unit/loader_util.h"
#include "tests/unit/suites.h"

#define MIB    (UINT64_C(1) << 20)
#define MAGIC  0x1badb002u
#define AT     0x40 /* file offset of the header */
#define KLUDGE 0x10000u

static uint8_t file[0x800];

/* Sums to zero with magic and flags (MB 3.1.2). */
static void
put_header(uint32_t at, uint32_t flags, const uint32_t *rest, unsigned count)
{
    const uint32_t h[3] = {MAGIC, flags, -(MAGIC + flags)};
    memcpy(file + at, h, sizeof(h));
    if (count)
        memcpy(file + at + sizeof(h), rest, count * 4);
}

/* A flat kernel at 1 MiB: 0x40 bytes in front of the header that are not loaded, then 0x100 bytes
 * of data and 0x1000 of bss. Entry behind the header. */
static struct guest_image
flat_kernel(void)
{
    const uint32_t rest[] = {0x100000, 0x100000, 0x100100, 0x101100, 0x100030, 1, 80, 25, 0};
    for (unsigned i = 0; i < sizeof(file); i++)
        file[i] = i * 3 + 1;
    put_header(AT, KLUDGE | 3, rest, 9);
    return (struct guest_image){.data = file, .size = sizeof(file), .command_line = "root=x"};
}

static uint32_t
word(const struct loaded *l, unsigned offset)
{
    return peek(l, l->regs.gpr[X86_RBX] + offset, 4);
}

static void
test_machine_state(void)
{
    struct guest_image image = flat_kernel();
    struct loaded l;

    CU_ASSERT(loader_multiboot.probe(&image));
    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_FALSE(l.bios);
    /* MB 3.2 */
    CU_ASSERT_EQUAL(l.regs.gpr[X86_RAX], 0x2badb002);
    for (unsigned i = 0; i < X86_NSEG; i++) {
        CU_ASSERT_EQUAL(l.regs.seg[i].base, 0);
        CU_ASSERT_EQUAL(l.regs.seg[i].limit, 0xffffffff);
        CU_ASSERT(l.regs.seg[i].attr & SEG_DB);
    }
    CU_ASSERT_EQUAL(l.regs.cr0 & (CR0_PE | CR0_PG), CR0_PE);
    CU_ASSERT_EQUAL(memcmp(l.regs.fx, "\x7f\x03\0\0\0", 5), 0); /* firmware has executed FNINIT */
    CU_ASSERT_EQUAL(l.regs.rflags & (FLAG_IF | FLAG_VM), 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100030);
    CU_ASSERT(!memcmp(ram_at(&l.ram, 0x100000, 0x100), file + AT, 0x100));
    CU_ASSERT_EQUAL(peek(&l, 0x100100, 8), 0); /* bss */
    loaded_free(&l);
}

static void
test_info(void)
{
    uint8_t initrd[100] = "module";
    struct guest_image image = flat_kernel();
    struct loaded l;

    image.initrd = initrd;
    image.initrd_size = sizeof(initrd);
    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    /* MB 3.3: memory, command line, modules, memory map, name of the loader. */
    CU_ASSERT_EQUAL(word(&l, 0), 0x1 | 0x4 | 0x8 | 0x40 | 0x200);
    CU_ASSERT_EQUAL(word(&l, 4), 639);
    CU_ASSERT_EQUAL(word(&l, 8), 3 * 1024);
    CU_ASSERT_STRING_EQUAL(ram_at(&l.ram, word(&l, 16), 7), "root=x");
    CU_ASSERT_EQUAL(word(&l, 20), 1);
    uint32_t mod = word(&l, 24);
    CU_ASSERT_EQUAL(peek(&l, mod, 4) % PAGE_SIZE, 0);
    CU_ASSERT_EQUAL(peek(&l, mod + 4, 4) - peek(&l, mod, 4), 100);
    CU_ASSERT_STRING_EQUAL(ram_at(&l.ram, peek(&l, mod, 4), 7), "module");
    CU_ASSERT_STRING_EQUAL(ram_at(&l.ram, peek(&l, mod + 8, 4), 7), "initrd");
    CU_ASSERT_STRING_EQUAL(ram_at(&l.ram, word(&l, 64), 3), "hv");
    /* The map: each entry is preceded by its size, which does not count itself. */
    uint32_t at = word(&l, 48), end = at + word(&l, 44);
    uint64_t usable = 0;
    while (at < end) {
        CU_ASSERT_EQUAL_FATAL(peek(&l, at, 4), 20);
        if (peek(&l, at + 20, 4) == 1)
            usable += peek(&l, at + 12, 8);
        at += peek(&l, at, 4) + 4;
    }
    CU_ASSERT_EQUAL(at, end);
    CU_ASSERT_EQUAL(usable, 3 * MIB + MEMORY_LOW_END);
    loaded_free(&l);
}

static void
test_header_search(void)
{
    static uint8_t big[16384];
    struct guest_image image = {.data = big, .size = sizeof(big)};
    const uint32_t h[3] = {MAGIC, 0, -MAGIC};

    memcpy(big + 8180, h, 12); /* the last place in the first 8 KiB */
    CU_ASSERT(loader_multiboot.probe(&image));
    memset(big, 0, sizeof(big));
    memcpy(big + 8184, h, 12);
    CU_ASSERT_FALSE(loader_multiboot.probe(&image));
    memset(big, 0, sizeof(big));
    memcpy(big + 102, h, 12); /* not at a multiple of 4 */
    CU_ASSERT_FALSE(loader_multiboot.probe(&image));
    memcpy(big + 104, h, 12);
    CU_ASSERT(loader_multiboot.probe(&image));
    big[112]++; /* the checksum */
    CU_ASSERT_FALSE(loader_multiboot.probe(&image));
}

/* A 32-bit ELF file with a header in its text, a symbol table and strings. */
#define TEXT    0x200
#define SYMTAB  0x300
#define SECTION 0x400

static struct guest_image
elf_kernel(uint32_t flags)
{
    Elf32_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_386,
                    .e_entry = 0x100020,
                    .e_phoff = sizeof(h),
                    .e_phentsize = sizeof(Elf32_Phdr),
                    .e_phnum = 1,
                    .e_shoff = SECTION,
                    .e_shentsize = sizeof(Elf32_Shdr),
                    .e_shnum = 3,
                    .e_shstrndx = 2};
    Elf32_Phdr p = {.p_type = PT_LOAD,
                    .p_offset = TEXT,
                    .p_vaddr = 0x100000,
                    .p_paddr = 0x100000,
                    .p_filesz = 0x100,
                    .p_memsz = 0x100};
    Elf32_Shdr s[3] = {{0},
                       {.sh_type = SHT_PROGBITS,
                        .sh_flags = SHF_ALLOC,
                        .sh_addr = 0x100000,
                        .sh_offset = TEXT,
                        .sh_size = 0x100},
                       {.sh_type = SHT_SYMTAB, .sh_offset = SYMTAB, .sh_size = 0x20}};
    memset(file, 0, sizeof(file));
    memcpy(file, &h, sizeof(h));
    memcpy(file + sizeof(h), &p, sizeof(p));
    memcpy(file + SECTION, s, sizeof(s));
    memset(file + SYMTAB, 0x77, 0x20);
    const uint32_t text_mode[] = {0, 0, 0, 0, 0, 1, 80, 25, 0};
    put_header(TEXT, flags, text_mode, 9);
    return (struct guest_image){.data = file, .size = sizeof(file)};
}

static void
test_elf(void)
{
    struct guest_image image = elf_kernel(3);
    struct loaded l;

    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100020);
    CU_ASSERT(!memcmp(ram_at(&l.ram, 0x100000, 0x100), file + TEXT, 0x100));
    /* MB 3.3, bit 5: the section header table; what no segment loaded has got an address. */
    CU_ASSERT(word(&l, 0) & 0x20);
    CU_ASSERT_EQUAL(word(&l, 28), 3);
    CU_ASSERT_EQUAL(word(&l, 32), sizeof(Elf32_Shdr));
    CU_ASSERT_EQUAL(word(&l, 40), 2);
    const Elf32_Shdr *s = ram_at(&l.ram, word(&l, 36), 3 * sizeof(*s));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s[1].sh_addr, 0x100000);
    CU_ASSERT(s[2].sh_addr >= 0x101000 && s[2].sh_addr % 16 == 0);
    CU_ASSERT(!memcmp(ram_at(&l.ram, s[2].sh_addr, 0x20), file + SYMTAB, 0x20));
    loaded_free(&l);
    uint8_t initrd[1] = {0}; /* the module is behind them */
    image.initrd = initrd;
    image.initrd_size = sizeof(initrd);
    expect_refusal(&loader_multiboot, &image, 0x102000, -EFBIG, "initrd");

    /* Section headers that do not fit are left out, and the kernel still runs. */
    image = elf_kernel(3);
    ((Elf32_Ehdr *)file)->e_shnum = 0xffff;
    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_FALSE(word(&l, 0) & 0x20);
    loaded_free(&l);

    /* So are headers whose size is another than the loader knows. */
    image = elf_kernel(3);
    ((Elf32_Ehdr *)file)->e_shentsize = 1;
    ((Elf32_Ehdr *)file)->e_shnum = 100;
    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_FALSE(word(&l, 0) & 0x20);
    loaded_free(&l);

    /* Text mode is what there is: 80 by 25 at b8000 (MB 3.3, framebuffer_type 2). */
    image = elf_kernel(4);
    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT(word(&l, 0) & 0x1000);
    CU_ASSERT_EQUAL(word(&l, 88), 0xb8000);
    CU_ASSERT_EQUAL(peek(&l, BOOT_INFO + 109, 1), 2);
    loaded_free(&l);
}

static void
test_refused(void)
{
    uint8_t initrd[1] = {0};
    struct guest_image image;
    struct loaded l;

#define REFUSE(at, value, rc, words)                                                               \
    image = flat_kernel();                                                                         \
    *(uint32_t *)(file + AT + at) = value;                                                         \
    expect_refusal(&loader_multiboot, &image, 4 * MIB, rc, words)

    image = flat_kernel(); /* the whole file; and MB 3.1.2: bits 16-31 may be ignored */
    put_header(AT, KLUDGE | 0x80000000, NULL, 0);
    *(uint32_t *)(file + AT + 20) = 0x100000 + sizeof(file) - AT;
    load_image(&l, &loader_multiboot, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
    image = flat_kernel(); /* it ends at 101100: the module is behind that */
    image.initrd = initrd;
    image.initrd_size = sizeof(initrd);
    expect_refusal(&loader_multiboot, &image, 0x102000, -EFBIG, "initrd");
    REFUSE(0, 0, -ENOEXEC, "no Multiboot header");
    REFUSE(12, 0xfffff, -ENOEXEC, "before the file");  /* header_addr < load_addr */
    REFUSE(12, 0x100041, -ENOEXEC, "before the file"); /* more bytes in front than there are */
    REFUSE(20, 0xfffff, -ENOEXEC, "load_end_addr");
    REFUSE(20, 0x100001 + sizeof(file) - AT, -ENOEXEC, "load_end_addr");
    REFUSE(24, 0x1000ff, -ENOEXEC, "bss_end_addr");
    REFUSE(24, 0xffffffff, -EFBIG, "--mem");
    REFUSE(28, 0x101100, -ENOEXEC, "entry_addr");
    REFUSE(28, 0xfffff, -ENOEXEC, "entry_addr");

    image = flat_kernel();
    put_header(AT, KLUDGE | 8, NULL, 0); /* MB 3.1.2: must not be ignored */
    expect_refusal(&loader_multiboot, &image, 4 * MIB, -ENOTSUP, "demands");
    put_header(AT, KLUDGE | 0x8000, NULL, 0);
    expect_refusal(&loader_multiboot, &image, 4 * MIB, -ENOTSUP, "demands");
    put_header(AT, 3, NULL, 0);
    expect_refusal(&loader_multiboot, &image, 4 * MIB, -ENOEXEC, "no ELF file");
    put_header(AT, KLUDGE | 4, NULL, 0);
    *(uint32_t *)(file + AT + 32) = 0; /* linear graphics */
    expect_refusal(&loader_multiboot, &image, 4 * MIB, -ENOEXEC, "graphics");
    image = flat_kernel();
    image.size = AT + 31;
    expect_refusal(&loader_multiboot, &image, 4 * MIB, -ENOEXEC, "within its Multiboot header");
    image = flat_kernel();
    *(uint32_t *)(file + AT + 12) = *(uint32_t *)(file + AT + 16) = 0x9000; /* on our tables */
    *(uint32_t *)(file + AT + 28) = 0x9000;
    *(uint32_t *)(file + AT + 20) = *(uint32_t *)(file + AT + 24) = 0;
    expect_refusal(&loader_multiboot, &image, 4 * MIB, -EINVAL, "loader's own memory");
}

static void
test_mutations(void)
{
    struct guest_image image = flat_kernel();
    CU_ASSERT(mutate(&loader_multiboot, &image, AT + 48, 4 * MIB) > 100);
    image = elf_kernel(7);
    CU_ASSERT(mutate(&loader_multiboot, &image, 0x60, 4 * MIB) > 100);
    /* The section headers, which lie at the end of the file. */
    memmove(file + 0x60, file + SECTION, 3 * sizeof(Elf32_Shdr));
    ((Elf32_Ehdr *)file)->e_shoff = 0x60;
    CU_ASSERT(mutate(&loader_multiboot, &image, 0x60 + 3 * sizeof(Elf32_Shdr), 4 * MIB) > 100);
}

static const struct unit_test tests[] = {
    {"machine state at entry", test_machine_state},
    {"the info structure", test_info},
    {"where the header is looked for", test_header_search},
    {"ELF kernels and their section headers", test_elf},
    {"what is refused, and with which words", test_refused},
    {"truncated and mutated files", test_mutations},
    {NULL, NULL},
};
const struct unit_suite suite_loader_multiboot = {"loader-multiboot", tests};
