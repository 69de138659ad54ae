/*
 * multiboot.c - a kernel that asks for a Multiboot 1 boot loader, as many teaching kernels do.
 *
 * "Multiboot Specification version 0.6.96", here MB. The kernel says what it wants by a header in
 * its first 8 KiB; the image is either described by that header ("a.out kludge") or an ELF file.
 * The loader answers with struct multiboot_info, whose address is in EBX (MB 3.2, 3.3).
 * Memory below 1 MiB is laid out as abi.h says, with the info structure's page at BOOT_INFO.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "loader/boot.h"
#include "loader/elf_file.h"
#include "loader/elf_sections.h"
#include "loader/formats.h"

#define SEARCH        8192u
#define HEADER_MAGIC  0x1badb002u
#define RUNNING_MAGIC 0x2badb002u /* in EAX: "a Multiboot loader was here" */

/* Flags of the header. Of bits 0-15 the loader must refuse what it does not know (MB 3.1.2). */
#define WANT_PAGE_ALIGN 0x00000001u /* modules at page boundaries: ours always are */
#define WANT_MEMORY     0x00000002u
#define WANT_VIDEO      0x00000004u
#define WANT_KNOWN      (WANT_PAGE_ALIGN | WANT_MEMORY | WANT_VIDEO)
#define WANT_MUST       0x0000ffffu
#define HAS_ADDRESSES   0x00010000u

struct header {
    uint32_t magic, flags, checksum;                                          /* their sum is 0 */
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr; /* HAS_ADDRESSES */
    uint32_t mode_type, width, height, depth;                                 /* WANT_VIDEO */
};
#define HEADER_SHORT     12u
#define HEADER_ADDRESSES 32u
#define HEADER_VIDEO     48u
#define VIDEO_TEXT       1u /* mode_type */

/* Flags of the info structure: which members are valid (MB 3.3). */
#define INFO_MEMORY      0x0001u
#define INFO_CMDLINE     0x0004u
#define INFO_MODULES     0x0008u
#define INFO_ELF         0x0020u
#define INFO_MMAP        0x0040u
#define INFO_NAME        0x0200u
#define INFO_FRAMEBUFFER 0x1000u

struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper; /* KiB from 0 and from 1 MiB */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t elf_num, elf_size, elf_addr, elf_shndx;
    uint32_t mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr;
    uint32_t config_table, boot_loader_name, apm_table;
    uint32_t vbe_control_info, vbe_mode_info;
    uint16_t vbe_mode, vbe_interface_seg, vbe_interface_off, vbe_interface_len;
    uint64_t framebuffer_addr;
    uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
    uint8_t framebuffer_bpp, framebuffer_type, color_info[6];
} __attribute__((packed));

struct mmap_entry {
    uint32_t size; /* of the rest */
    uint64_t base, length;
    uint32_t type;
} __attribute__((packed));

struct module {
    uint32_t start, end, string, reserved;
};

/* The page at BOOT_INFO as the guest sees it. */
struct info_page {
    struct multiboot_info info;
    struct mmap_entry mmap[MEMORY_AREAS];
    struct module module;
    char name[8], module_name[8];
};
#define PAGE_ADDRESS(member) (BOOT_INFO + offsetof(struct info_page, member))

/* Finds the header at a multiple of 4 in the first 8 KiB (MB 3.1). Members that lie behind the end
 * of the file are 0. */
static bool
find_header(const struct guest_image *image, struct header *header, uint64_t *offset)
{
    uint64_t end = image->size < SEARCH ? image->size : SEARCH;

    for (uint64_t at = 0; boot_within(at, HEADER_SHORT, end); at += 4) {
        uint64_t rest = image->size - at;
        memset(header, 0, sizeof(*header));
        memcpy(header, image->data + at, rest < sizeof(*header) ? rest : sizeof(*header));
        if (header->magic == HEADER_MAGIC &&
            (uint32_t)(header->magic + header->flags + header->checksum) == 0) {
            *offset = at;
            return true;
        }
    }
    return false;
}

static bool
multiboot_probe(const struct guest_image *image)
{
    struct header header;
    uint64_t offset;

    return find_header(image, &header, &offset);
}

static int
refuse(const struct guest_image *image, struct error *err, const char *why)
{
    return error_set(err, ENOEXEC, "the Multiboot kernel %s cannot be loaded: %s", image->path,
                     why);
}

/* What the kernel demands of its loader, and whether the header is whole. */
static int
check_header(const struct guest_image *image, const struct header *header, uint64_t offset,
             struct error *err)
{
    uint64_t needs = header->flags & WANT_VIDEO      ? HEADER_VIDEO
                     : header->flags & HAS_ADDRESSES ? HEADER_ADDRESSES
                                                     : HEADER_SHORT;

    if (!boot_within(offset, needs, image->size))
        return refuse(image, err, "it ends within its Multiboot header");
    if (header->flags & WANT_MUST & ~WANT_KNOWN)
        return error_set(err, ENOTSUP,
                         "the Multiboot kernel %s demands features that do not exist here (flags "
                         "%#x, known are %#x)",
                         image->path, header->flags & WANT_MUST, WANT_KNOWN);
    if ((header->flags & WANT_VIDEO) && header->mode_type != VIDEO_TEXT)
        return refuse(image, err,
                      "it wants a graphics mode, and there is no display: clear bit 2 of the "
                      "header's flags, or ask for text (mode_type 1)");
    return 0;
}

/* The image by the header's own addresses (MB 3.1.3). */
static int
load_by_header(const struct guest_image *image, const struct header *h, uint64_t offset,
               struct ram *ram, struct elf_layout *layout, struct error *err)
{
    if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > offset)
        return refuse(image, err, "header_addr and load_addr put its start before the file's");
    uint64_t start = offset - (h->header_addr - h->load_addr);
    uint64_t len = image->size - start; /* load_end_addr 0: the whole file */

    if (h->load_end_addr) {
        if (h->load_end_addr < h->load_addr || h->load_end_addr - h->load_addr > len)
            return refuse(image, err, "load_end_addr lies outside the file (is it truncated?)");
        len = h->load_end_addr - h->load_addr;
    }
    uint64_t total = len;
    if (h->bss_end_addr) {
        if (h->bss_end_addr < h->load_addr + len)
            return refuse(image, err, "bss_end_addr lies before the end of the loaded data");
        total = h->bss_end_addr - h->load_addr;
    }
    if (h->entry_addr < h->load_addr || h->entry_addr - h->load_addr >= total)
        return refuse(image, err, "entry_addr lies outside what it loads");
    *layout = (struct elf_layout){
        .entry = h->entry_addr, .start = h->load_addr, .end = h->load_addr + total};
    return boot_place(ram, h->load_addr, image->data + start, len, total, image->path, err);
}

static int
load_by_elf(const struct guest_image *image, struct ram *ram, struct elf_layout *layout,
            struct multiboot_info *info, struct error *err)
{
    struct elf_file elf;

    if (!elf_is(image))
        return refuse(image, err,
                      "it is no ELF file, and its header has no addresses (bit 16 of the flags)");
    int rc = elf_open(&elf, image, err);
    if (!rc)
        rc = elf_load(&elf, ram, layout, err);
    if (rc)
        return rc;
    /* For kernels that print their own symbols. Not worth a failure: it is left out if too big. */
    struct elf_section_table table;
    if (elf_place_sections(&elf, ram, &layout->end, &table)) {
        info->flags |= INFO_ELF;
        info->elf_num = table.count;
        info->elf_size = table.entry_size;
        info->elf_addr = table.address;
        info->elf_shndx = elf.shstrndx;
    }
    return 0;
}

static void
put_memory_map(struct info_page *page, const struct ram *ram)
{
    struct memory_area map[MEMORY_AREAS];
    unsigned n = memory_map(ram->size, map);

    for (unsigned i = 0; i < n; i++)
        page->mmap[i] = (struct mmap_entry){.size = sizeof(page->mmap[i]) - 4,
                                            .base = map[i].base,
                                            .length = map[i].size,
                                            .type = map[i].type};
    page->info.flags |= INFO_MEMORY | INFO_MMAP;
    page->info.mem_lower = MEMORY_LOW_END >> 10;
    page->info.mem_upper = (ram->size - MEMORY_HIGH) >> 10;
    page->info.mmap_length = n * sizeof(page->mmap[0]);
    page->info.mmap_addr = PAGE_ADDRESS(mmap);
}

/* The text screen at b8000: 80 by 25 cells of a character and an attribute (MB 3.3, type 2). */
static void
put_text_mode(struct multiboot_info *info)
{
    info->flags |= INFO_FRAMEBUFFER;
    info->framebuffer_addr = 0xb8000;
    info->framebuffer_pitch = 160;
    info->framebuffer_width = 80;
    info->framebuffer_height = 25;
    info->framebuffer_bpp = 16;
    info->framebuffer_type = 2;
}

/* Everything of the info page but the ELF sections, and what it points to. */
static int
put_info(const struct guest_image *image, struct ram *ram, struct info_page *page, uint64_t end,
         struct error *err)
{
    uint64_t initrd;
    int rc = boot_put_command_line(ram, image, BOOT_CMDLINE_MAX, err);

    if (!rc)
        rc = boot_put_initrd(ram, image, end > MEMORY_HIGH ? end : MEMORY_HIGH, ram->size, &initrd,
                             err);
    if (rc)
        return rc;
    put_memory_map(page, ram);
    page->info.flags |= INFO_CMDLINE | INFO_MODULES | INFO_NAME;
    page->info.cmdline = BOOT_CMDLINE;
    page->info.boot_loader_name = PAGE_ADDRESS(name);
    strcpy(page->name, "hv");
    page->info.mods_addr = PAGE_ADDRESS(module);
    if (image->initrd) {
        page->info.mods_count = 1;
        page->module = (struct module){.start = initrd,
                                       .end = initrd + image->initrd_size,
                                       .string = PAGE_ADDRESS(module_name)};
        strcpy(page->module_name, "initrd");
    }
    boot_put(ram, BOOT_INFO, page, sizeof(*page));
    return 0;
}

static int
multiboot_load(const struct guest_image *image, struct ram *ram, struct x86_regs *regs, bool *bios,
               struct error *err)
{
    struct header header;
    struct elf_layout layout;
    struct info_page page;
    uint64_t offset;

    *bios = false;
    memset(&page, 0, sizeof(page));
    if (!find_header(image, &header, &offset))
        return refuse(image, err, "there is no Multiboot header in its first 8 KiB");
    int rc = check_header(image, &header, offset, err);
    if (!rc && (header.flags & HAS_ADDRESSES))
        rc = load_by_header(image, &header, offset, ram, &layout, err);
    else if (!rc)
        rc = load_by_elf(image, ram, &layout, &page.info, err);
    if (!rc && (header.flags & WANT_VIDEO))
        put_text_mode(&page.info);
    if (!rc)
        rc = put_info(image, ram, &page, layout.end, err);
    if (rc)
        return rc;

    boot_state_flat32(ram, regs, layout.entry);
    regs->gpr[X86_RAX] = RUNNING_MAGIC;
    regs->gpr[X86_RBX] = BOOT_INFO;
    return 0;
}

const struct loader_ops loader_multiboot = {
    .name = "multiboot",
    .summary = "a kernel with a Multiboot 1 header, ELF or not: 32-bit protected mode",
    .probe = multiboot_probe,
    .load = multiboot_load,
};
