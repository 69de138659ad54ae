/* loader_elf.c - ELF executables: where segments go, how the guest starts, what is refused. */
#include <elf.h>
#include <errno.h>

#include "tests/unit/loader_util.h"
#include "tests/unit/suites.h"

#define MIB  (UINT64_C(1) << 20)
#define CODE 0x200 /* file offset of segment 0's 64 bytes; segment 1's 32 bytes follow */

/* A kernel of two segments; the second has 0x1000 bytes, of which 32 are in the file. Linked at
 * ffffffff80100000 (64 bits) or c0100000, loaded at 1 MiB. */
static uint8_t file[CODE + 96];
#define EHDR ((Elf64_Ehdr *)file)
#define PHDR ((Elf64_Phdr *)(file + sizeof(Elf64_Ehdr)))

static struct guest_image
elf64(void)
{
    const uint64_t high = 0xffffffff80000000;
    Elf64_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_X86_64,
                    .e_version = EV_CURRENT,
                    .e_entry = high + 0x100010,
                    .e_phoff = sizeof(h),
                    .e_ehsize = sizeof(h),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 3};
    Elf64_Phdr p[3] = {
        {.p_type = PT_NOTE, .p_offset = UINT64_MAX, .p_filesz = UINT64_MAX}, /* is not loaded */
        {.p_type = PT_LOAD,
         .p_offset = CODE,
         .p_vaddr = high + 0x100000,
         .p_paddr = 0x100000,
         .p_filesz = 64,
         .p_memsz = 64},
        {.p_type = PT_LOAD,
         .p_offset = CODE + 64,
         .p_vaddr = high + 0x200000,
         .p_paddr = 0x200000,
         .p_filesz = 32,
         .p_memsz = 0x1000},
    };
    memset(file, 0, sizeof(file));
    memcpy(file, &h, sizeof(h));
    memcpy(file + sizeof(h), p, sizeof(p));
    for (unsigned i = 0; i < 96; i++)
        file[CODE + i] = i + 1;
    return (struct guest_image){.data = file, .size = sizeof(file), .command_line = "a=1 b"};
}

static struct guest_image
elf32(void)
{
    Elf32_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_EXEC,
                    .e_machine = EM_386,
                    .e_version = EV_CURRENT,
                    .e_entry = 0xc0100010,
                    .e_phoff = sizeof(h),
                    .e_ehsize = sizeof(h),
                    .e_phentsize = sizeof(Elf32_Phdr),
                    .e_phnum = 2};
    Elf32_Phdr p[2] = {
        {.p_type = PT_LOAD,
         .p_offset = CODE,
         .p_vaddr = 0xc0100000,
         .p_paddr = 0x100000,
         .p_filesz = 64,
         .p_memsz = 64},
        {.p_type = PT_LOAD,
         .p_offset = CODE + 64,
         .p_vaddr = 0xc0200000,
         .p_paddr = 0x200000,
         .p_filesz = 32,
         .p_memsz = 0x1000},
    };
    elf64();
    memset(file, 0, CODE);
    memcpy(file, &h, sizeof(h));
    memcpy(file + sizeof(h), p, sizeof(p));
    return (struct guest_image){.data = file, .size = sizeof(file)};
}

static void
check_segments(const struct loaded *l)
{
    CU_ASSERT(!memcmp(ram_at(&l->ram, 0x100000, 64), file + CODE, 64));
    CU_ASSERT(!memcmp(ram_at(&l->ram, 0x200000, 32), file + CODE + 64, 32));
    CU_ASSERT_EQUAL(peek(l, 0x200020, 8), 0);
}

/* What guests/include/abi.h promises to a 64-bit guest. */
static void
test_elf64(void)
{
    struct guest_image image = elf64();
    struct loaded l;

    load_image(&l, &loader_elf, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_FALSE(l.bios);
    check_segments(&l);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100010); /* virtual entry, physical start */
    CU_ASSERT_EQUAL(l.regs.efer & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA);
    CU_ASSERT_EQUAL(l.regs.cr0 & (CR0_PE | CR0_PG), CR0_PE | CR0_PG);
    CU_ASSERT_EQUAL(memcmp(l.regs.fx, "\x7f\x03\0\0\0", 5), 0); /* firmware has executed FNINIT */
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].selector, BOOT_CS);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].attr & (SEG_L | SEG_DB), SEG_L);
    CU_ASSERT_EQUAL(l.regs.seg[X86_SS].selector, BOOT_DS);
    CU_ASSERT_EQUAL(l.regs.rflags, FLAG_ONE);
    CU_ASSERT_EQUAL(l.regs.gpr[X86_RSP], BOOT_STACK_TOP);
    CU_ASSERT_EQUAL(l.regs.gpr[X86_RAX], BOOT_INFO_MAGIC);

    const struct boot_info *info = ram_at(&l.ram, l.regs.gpr[X86_RDI], sizeof(*info));
    CU_ASSERT_PTR_NOT_NULL_FATAL(info);
    CU_ASSERT_EQUAL(info->magic, BOOT_INFO_MAGIC);
    CU_ASSERT_EQUAL(info->size, sizeof(*info));
    CU_ASSERT_EQUAL(info->memory_size, 4 * MIB);
    CU_ASSERT_STRING_EQUAL(ram_at(&l.ram, info->command_line, 6), "a=1 b");
    CU_ASSERT_EQUAL(info->initrd_start, 0);
    CU_ASSERT_EQUAL(info->initrd_size, 0);

    /* The descriptors in the guest's GDT are those that the segment registers were loaded from:
     * SDM vol. 3, figures 5-1 and 3-8: code 64-bit, data 32-bit, 4 GiB. */
    CU_ASSERT_EQUAL(peek(&l, l.regs.gdtr.base + BOOT_CS, 8), 0x00af9b000000ffff);
    CU_ASSERT_EQUAL(peek(&l, l.regs.gdtr.base + BOOT_DS, 8), 0x00cf93000000ffff);
    CU_ASSERT_EQUAL(l.regs.gdtr.limit, BOOT_DS + 7);
    loaded_free(&l);
}

/* Every 2 MiB of the first 4 GiB at its own address (SDM vol. 3, 4.5.4), and nothing behind. */
static void
test_identity_map(void)
{
    struct guest_image image = elf64();
    struct loaded l;

    load_image(&l, &loader_elf, &image, 4 * MIB);
    const uint64_t frame = 0x000ffffffffff000, bits = 0x83;
    uint64_t pdpt = peek(&l, l.regs.cr3, 8);
    CU_ASSERT_EQUAL(pdpt & 0xfff, 3);
    for (uint64_t at = 0; at < UINT64_C(4) << 30; at += 2 * MIB) {
        uint64_t pd = peek(&l, (pdpt & frame) + (at >> 30) * 8, 8);
        uint64_t pde = peek(&l, (pd & frame) + (at >> 21 & 511) * 8, 8);
        if ((pd & 0xfff) != 3 || pde != (at | bits))
            CU_FAIL("not the page's own address");
    }
    CU_ASSERT_EQUAL(peek(&l, (pdpt & frame) + 4 * 8, 8), 0);
    CU_ASSERT_EQUAL(peek(&l, l.regs.cr3 + 8, 8), 0);
    loaded_free(&l);
}

static void
test_elf32(void)
{
    struct guest_image image = elf32();
    struct loaded l;

    load_image(&l, &loader_elf, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    check_segments(&l);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100010);
    CU_ASSERT_EQUAL(l.regs.cr0 & (CR0_PE | CR0_PG), CR0_PE);
    CU_ASSERT_EQUAL(l.regs.efer, 0);
    CU_ASSERT_EQUAL(l.regs.seg[X86_CS].attr & (SEG_L | SEG_DB), SEG_DB);
    CU_ASSERT_EQUAL(l.regs.seg[X86_DS].limit, 0xffffffff);
    CU_ASSERT_EQUAL(l.regs.gpr[X86_RSI], BOOT_INFO);
    CU_ASSERT_EQUAL(peek(&l, BOOT_INFO, 4), BOOT_INFO_MAGIC);
    CU_ASSERT_EQUAL(peek(&l, l.regs.gdtr.base + BOOT_CS, 8), 0x00cf9b000000ffff);
    loaded_free(&l);
}

static void
test_initrd(void)
{
    static uint8_t initrd[5000];
    struct guest_image image = elf64();
    struct loaded l;

    memset(initrd, 0x5a, sizeof(initrd));
    image.initrd = initrd;
    image.initrd_size = sizeof(initrd);
    load_image(&l, &loader_elf, &image, 4 * MIB);
    const struct boot_info *info = ram_at(&l.ram, BOOT_INFO, sizeof(*info));
    CU_ASSERT_EQUAL(info->initrd_size, sizeof(initrd));
    CU_ASSERT_EQUAL(info->initrd_start, 4 * MIB - 2 * PAGE_SIZE); /* as high as it goes */
    CU_ASSERT(!memcmp(ram_at(&l.ram, info->initrd_start, 5000), initrd, 5000));
    loaded_free(&l);

    PHDR[2].p_memsz = 0x1001; /* 201000 is the kernel's last byte: only two pages are left */
    load_image(&l, &loader_elf, &image, 0x204000);
    CU_ASSERT_EQUAL(peek(&l, BOOT_INFO + offsetof(struct boot_info, initrd_start), 8), 0x202000);
    loaded_free(&l);
    expect_refusal(&loader_elf, &image, 0x203000, -EFBIG, "initrd");
    /* A segment of zeros alone, right behind another one, is the kernel's as well. */
    PHDR[2].p_filesz = 0;
    PHDR[2].p_paddr = 0x100040;
    PHDR[2].p_memsz = 0x201000 - 0x100040;
    load_image(&l, &loader_elf, &image, 0x203000);
    CU_ASSERT_EQUAL(peek(&l, BOOT_INFO + offsetof(struct boot_info, initrd_start), 8), 0x201000);
    loaded_free(&l);
    expect_refusal(&loader_elf, &image, 0x202000, -EFBIG, "initrd");
    image.initrd_size = SIZE_MAX;
    expect_refusal(&loader_elf, &image, 4 * MIB, -EFBIG, "initrd");

    char line[5000];
    memset(line, 'x', sizeof(line));
    line[4999] = 0;
    image = elf64();
    image.command_line = line;
    expect_refusal(&loader_elf, &image, 4 * MIB, -E2BIG, "command line");
    line[BOOT_CMDLINE_MAX] = 0;
    load_image(&l, &loader_elf, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_EQUAL(peek(&l, BOOT_CMDLINE + BOOT_CMDLINE_MAX, 1), 0);
    loaded_free(&l);
}

static void
test_refused(void)
{
    struct guest_image image;

#define REFUSE(change, rc, words)                                                                  \
    image = elf64();                                                                               \
    change;                                                                                        \
    expect_refusal(&loader_elf, &image, 4 * MIB, rc, words)

    REFUSE(file[EI_CLASS] = 3, -ENOEXEC, "class");
    REFUSE(file[EI_DATA] = ELFDATA2MSB, -ENOEXEC, "big-endian");
    REFUSE(EHDR->e_machine = EM_AARCH64, -ENOEXEC, "another machine");
    REFUSE(EHDR->e_machine = EM_386, -ENOEXEC, "another machine");
    REFUSE(EHDR->e_type = ET_DYN, -ENOEXEC, "-no-pie");
    REFUSE(EHDR->e_type = ET_REL, -ENOEXEC, "link it first");
    REFUSE(EHDR->e_phnum = 0, -ENOEXEC, "no program headers");
    REFUSE(EHDR->e_phnum = PN_XNUM, -ENOEXEC, "outside the file");
    REFUSE(EHDR->e_phoff = UINT64_MAX - 8, -ENOEXEC, "outside the file");
    REFUSE(EHDR->e_phentsize = 55, -ENOEXEC, "wrong size");
    REFUSE(EHDR->e_entry = 0x5000000, -ENOEXEC, "entry point");
    REFUSE(EHDR->e_entry = 0x201000, -ENOEXEC, "entry point"); /* the first byte behind */
    REFUSE(EHDR->e_entry = PHDR[2].p_vaddr + 0x1000, -ENOEXEC, "entry point");
    REFUSE(PHDR[0].p_type = PT_INTERP, -ENOEXEC, "dynamic linker");
    REFUSE(PHDR[1].p_filesz = 65, -ENOEXEC, "more bytes in the file");
    REFUSE(PHDR[1].p_offset = UINT64_MAX - 10, -ENOEXEC, "outside the file");
    REFUSE(PHDR[2].p_offset = sizeof(file) - 31, -ENOEXEC, "outside the file");
    REFUSE(PHDR[2].p_memsz = UINT64_MAX, -EFBIG, "--mem");
    REFUSE(PHDR[2].p_paddr = UINT64_MAX - 100, -EFBIG, "--mem");
    REFUSE(PHDR[2].p_paddr = 4 * MIB - 0xfff, -EFBIG, "--mem");
    REFUSE(PHDR[2].p_paddr = 0x10003f, -ENOEXEC, "overlaps");
    REFUSE(PHDR[2].p_paddr = 0x100000 - 0xfff, -ENOEXEC, "overlaps");
    REFUSE(PHDR[2].p_paddr = BOOT_RESERVED_END - 1, -EINVAL, "loader's own memory");
    REFUSE(PHDR[2].p_paddr = 0, -EINVAL, "loader's own memory");
    REFUSE(PHDR[1].p_type = PHDR[2].p_type = PT_NULL, -ENOEXEC, "no loadable segment");
    REFUSE(image.size = CODE + 95, -ENOEXEC, "truncated");
    image = elf32();
    ((Elf32_Ehdr *)file)->e_machine = EM_X86_64; /* the x32 ABI's */
    expect_refusal(&loader_elf, &image, 4 * MIB, -ENOEXEC, "another machine");

    struct loaded l; /* neighbours, an empty segment, and one just behind the loader's memory */
    image = elf64();
    PHDR[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_paddr = 0x100010};
    PHDR[2].p_paddr = 0x100040;
    load_image(&l, &loader_elf, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
    image = elf64();
    PHDR[2].p_paddr = BOOT_RESERVED_END;
    load_image(&l, &loader_elf, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    loaded_free(&l);
}

/* As many segments as there is room for, and one more. */
static void
test_many(void)
{
    static uint8_t big[sizeof(Elf64_Ehdr) + 65 * sizeof(Elf64_Phdr)];
    struct guest_image image = elf64();
    struct loaded l;

    memcpy(big, file, sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr));
    for (unsigned i = 0; i < 65; i++)
        ((Elf64_Phdr *)(big + sizeof(Elf64_Ehdr)))[i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                                                     .p_vaddr = 0x100000 + 16 * i,
                                                                     .p_paddr = 0x100000 + 16 * i,
                                                                     .p_memsz = 16};
    ((Elf64_Ehdr *)big)->e_entry = 0x100000 + 16 * 63;
    image.data = big;
    image.size = sizeof(big);
    ((Elf64_Ehdr *)big)->e_phnum = 64;
    load_image(&l, &loader_elf, &image, 4 * MIB);
    CU_ASSERT_EQUAL(l.rc, 0);
    CU_ASSERT_EQUAL(l.regs.rip, 0x100000 + 16 * 63);
    loaded_free(&l);
    ((Elf64_Ehdr *)big)->e_phnum = 65;
    expect_refusal(&loader_elf, &image, 4 * MIB, -ENOEXEC, "more than 64");
}

static void
test_mutations(void)
{
    struct guest_image image = elf64();
    unsigned accepted = mutate(&loader_elf, &image, sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr),
                               4 * MIB);
    CU_ASSERT(accepted > 100); /* flags, alignments, e_version ...: nobody looks at them */
    image = elf32();
    accepted = mutate(&loader_elf, &image, sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr), 4 * MIB);
    CU_ASSERT(accepted > 100);
}

static const struct unit_test tests[] = {
    {"a 64-bit file starts in long mode, as abi.h says", test_elf64},
    {"the first 4 GiB are mapped one to one", test_identity_map},
    {"a 32-bit file starts in flat protected mode", test_elf32},
    {"initrd and command line, and what is too long", test_initrd},
    {"what is refused, and with which words", test_refused},
    {"64 segments", test_many},
    {"truncated and mutated files", test_mutations},
    {NULL, NULL},
};
const struct unit_suite suite_loader_elf = {"loader-elf", tests};
