/*
 * elf_file.c - reads the headers of an ELF file and loads its segments (System V ABI, chapters 4
 * and 5; the structures are <elf.h>'s).
 *
 * The file is hostile: a number from it is compared with the file's size before it is used as an
 * offset, and no sum of two such numbers is formed unchecked. Headers are copied out with memcpy,
 * since nothing says that they are aligned. Called by elf.c and multiboot.c. Next: elf.c.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "loader/boot.h"
#include "loader/elf_file.h"

#define SEGMENTS_MAX 64 /* PT_LOAD; a linker makes two to six */

bool
elf_is(const struct guest_image *image)
{
    return image->size >= SELFMAG && !memcmp(image->data, ELFMAG, SELFMAG);
}

static int
refuse(const struct elf_file *elf, struct error *err, const char *why)
{
    return error_set(err, ENOEXEC, "%s cannot be loaded: %s", elf->image->path, why);
}

/* Takes what we need out of either header. False: the file ends before the header does. */
static bool
read_header(struct elf_file *elf, uint16_t *type, uint16_t *machine, unsigned *phentsize,
            unsigned *shentsize)
{
    const struct guest_image *image = elf->image;

#define TAKE(header_type)                                                                          \
    do {                                                                                           \
        header_type h;                                                                             \
        if (image->size < sizeof(h))                                                               \
            return false;                                                                          \
        memcpy(&h, image->data, sizeof(h));                                                        \
        *type = h.e_type, *machine = h.e_machine;                                                  \
        *phentsize = h.e_phentsize, *shentsize = h.e_shentsize;                                    \
        elf->entry = h.e_entry, elf->phoff = h.e_phoff, elf->shoff = h.e_shoff;                    \
        elf->phnum = h.e_phnum, elf->shnum = h.e_shnum, elf->shstrndx = h.e_shstrndx;              \
    } while (0)

    if (elf->is64)
        TAKE(Elf64_Ehdr);
    else
        TAKE(Elf32_Ehdr);
#undef TAKE
    return true;
}

int
elf_open(struct elf_file *elf, const struct guest_image *image, struct error *err)
{
    uint16_t type, machine;
    unsigned phentsize, shentsize;

    memset(elf, 0, sizeof(*elf));
    elf->image = image;
    if (!elf_is(image))
        return refuse(elf, err, "it is no ELF file (it does not start with 7f 45 4c 46)");
    if (image->size < EI_NIDENT)
        return refuse(elf, err, "it ends within its ELF header");
    uint8_t class = image->data[EI_CLASS];
    if (class != ELFCLASS32 && class != ELFCLASS64)
        return refuse(elf, err, "its ELF class is neither 32 nor 64 bits");
    if (image->data[EI_DATA] != ELFDATA2LSB)
        return refuse(elf, err, "it is big-endian, and x86 is little-endian");
    elf->is64 = class == ELFCLASS64;
    if (!read_header(elf, &type, &machine, &phentsize, &shentsize))
        return refuse(elf, err, "it ends within its ELF header");
    if (machine != (elf->is64 ? EM_X86_64 : EM_386))
        return refuse(elf, err,
                      elf->is64 ? "it is a 64-bit file for another machine than x86-64"
                                : "it is a 32-bit file for another machine than i386");
    if (type == ET_DYN)
        return refuse(elf, err, "it is position-independent: link it with -static -no-pie");
    if (type != ET_EXEC)
        return refuse(elf, err, "it is no executable (object file or core dump): link it first");
    if (!elf->phnum)
        return refuse(elf, err, "it has no program headers, so nothing says what to load");
    if (phentsize != (elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
        return refuse(elf, err, "its program headers have a wrong size");
    if (elf->phnum == PN_XNUM ||
        !boot_within(elf->phoff, (uint64_t)elf->phnum * phentsize, image->size))
        return refuse(elf, err, "its program headers lie outside the file (is it truncated?)");
    /* Sections do not matter for loading: unusable ones are only left out. */
    if (shentsize != (elf->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)) || !elf->shoff ||
        !boot_within(elf->shoff, (uint64_t)elf->shnum * shentsize, image->size))
        elf->shnum = 0;
    return 0;
}

void
elf_segment(const struct elf_file *elf, unsigned i, struct elf_segment *seg)
{
    const uint8_t *table = elf->image->data + elf->phoff;

    if (elf->is64) {
        Elf64_Phdr h;
        memcpy(&h, table + i * sizeof(h), sizeof(h));
        *seg = (struct elf_segment){h.p_type,  h.p_offset, h.p_vaddr,
                                    h.p_paddr, h.p_filesz, h.p_memsz};
    } else {
        Elf32_Phdr h;
        memcpy(&h, table + i * sizeof(h), sizeof(h));
        *seg = (struct elf_segment){h.p_type,  h.p_offset, h.p_vaddr,
                                    h.p_paddr, h.p_filesz, h.p_memsz};
    }
}

/* One PT_LOAD header against the file; boot_place() checks it against the guest's memory. */
static int
check_segment(const struct elf_file *elf, const struct elf_segment *seg, const char *what,
              struct error *err)
{
    const char *path = elf->image->path;

    if (seg->filesz > seg->memsz)
        return error_set(err, ENOEXEC,
                         "%s of %s has more bytes in the file (%" PRIu64
                         ") than in memory (%" PRIu64 ")",
                         what, path, seg->filesz, seg->memsz);
    if (!boot_within(seg->offset, seg->filesz, elf->image->size))
        return error_set(err, ENOEXEC,
                         "%s of %s lies outside the file (offset %#" PRIx64 ", %" PRIu64
                         " bytes): is it truncated?",
                         what, path, seg->offset, seg->filesz);
    return 0;
}

/* The loadable segments, checked against the file and each other. Their number or -errno. */
static int
collect_segments(const struct elf_file *elf, struct elf_segment load[SEGMENTS_MAX],
                 struct error *err)
{
    unsigned count = 0;

    for (unsigned i = 0; i < elf->phnum; i++) {
        struct elf_segment seg;
        char what[32];
        elf_segment(elf, i, &seg);
        snprintf(what, sizeof(what), "segment %u", i);
        if (seg.type == PT_INTERP || seg.type == PT_DYNAMIC)
            return refuse(elf, err, "it wants a dynamic linker: link it with -static -no-pie");
        if (seg.type != PT_LOAD || !seg.memsz)
            continue;
        if (count == SEGMENTS_MAX)
            return refuse(elf, err, "it has more than 64 loadable segments");
        int rc = check_segment(elf, &seg, what, err);
        if (rc)
            return rc;
        for (unsigned k = 0; k < count; k++) {
            const struct elf_segment *a = &load[k];
            bool apart = a->paddr <= seg.paddr ? seg.paddr - a->paddr >= a->memsz
                                               : a->paddr - seg.paddr >= seg.memsz;
            if (!apart)
                return error_set(err, ENOEXEC,
                                 "%s of %s overlaps another one at physical address %#" PRIx64,
                                 what, elf->image->path, seg.paddr);
        }
        load[count++] = seg;
    }
    if (!count)
        return refuse(elf, err, "it has no loadable segment (PT_LOAD)");
    return count;
}

/* The entry point is a virtual address, and the guest starts with none but physical ones: find
 * its segment. A kernel linked high but loaded low thus starts at its low copy. */
static bool
entry_to_physical(uint64_t entry, const struct elf_segment *load, unsigned count, uint64_t *to)
{
    for (unsigned i = 0; i < count; i++)
        if (entry >= load[i].vaddr && entry - load[i].vaddr < load[i].memsz) {
            *to = load[i].paddr + (entry - load[i].vaddr);
            return true;
        }
    for (unsigned i = 0; i < count; i++) /* some linker scripts give the physical one */
        if (entry >= load[i].paddr && entry - load[i].paddr < load[i].memsz) {
            *to = entry;
            return true;
        }
    return false;
}

int
elf_load(const struct elf_file *elf, struct ram *ram, struct elf_layout *layout, struct error *err)
{
    struct elf_segment load[SEGMENTS_MAX];
    int count = collect_segments(elf, load, err);

    if (count < 0)
        return count;
    if (!entry_to_physical(elf->entry, load, count, &layout->entry))
        return error_set(err, ENOEXEC,
                         "the entry point %#" PRIx64 " of %s lies in none of its segments",
                         elf->entry, elf->image->path);
    layout->start = UINT64_MAX;
    layout->end = 0;
    for (int i = 0; i < count; i++) {
        const struct elf_segment *seg = &load[i];
        char what[64];
        snprintf(what, sizeof(what), "the segment at offset %#" PRIx64, seg->offset);
        int rc = boot_place(ram, seg->paddr, elf->image->data + seg->offset, seg->filesz,
                            seg->memsz, what, err);
        if (rc)
            return error_prefix(err, rc, "%s", elf->image->path);
        if (seg->paddr < layout->start)
            layout->start = seg->paddr;
        if (seg->paddr + seg->memsz > layout->end)
            layout->end = seg->paddr + seg->memsz;
    }
    return 0;
}
