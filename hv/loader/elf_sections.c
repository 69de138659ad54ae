/*
 * elf_sections.c - places an ELF file's section headers in guest memory (Multiboot Specification
 * 0.6.96, 3.3, `syms`): with them a kernel finds its own symbol table and prints backtraces.
 *
 * A section that belongs to a segment has been loaded already and has its address. The others,
 * symbols and strings among them, are copied behind the kernel, and their sh_addr is set in the
 * guest's copy of the table. Called by multiboot.c.
 */
#include <elf.h>
#include <string.h>

#include "loader/boot.h"
#include "loader/elf_sections.h"

/* A section header, wide enough for both classes. */
struct section {
    uint32_t type;
    uint64_t flags, offset, size;
};

static void
read_section(const struct elf_file *elf, const uint8_t *entry, struct section *s)
{
    if (elf->is64) {
        Elf64_Shdr h;
        memcpy(&h, entry, sizeof(h));
        *s = (struct section){h.sh_type, h.sh_flags, h.sh_offset, h.sh_size};
    } else {
        Elf32_Shdr h;
        memcpy(&h, entry, sizeof(h));
        *s = (struct section){h.sh_type, h.sh_flags, h.sh_offset, h.sh_size};
    }
}

/* Sets sh_addr in the guest's copy of the header that lies at gpa. */
static void
write_address(const struct elf_file *elf, struct ram *ram, uint64_t gpa, uint64_t address)
{
    uint32_t narrow = address;

    if (elf->is64)
        ram_write(ram, gpa + offsetof(Elf64_Shdr, sh_addr), &address, sizeof(address));
    else
        ram_write(ram, gpa + offsetof(Elf32_Shdr, sh_addr), &narrow, sizeof(narrow));
}

static uint64_t
align_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) & ~(to - 1);
}

bool
elf_place_sections(const struct elf_file *elf, struct ram *ram, uint64_t *end,
                   struct elf_section_table *table)
{
    const uint8_t *headers = elf->image->data + elf->shoff;
    uint64_t entry_size = elf->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    uint64_t at = align_up(*end > MEMORY_HIGH ? *end : MEMORY_HIGH, PAGE_SIZE);
    uint64_t size = elf->shnum * entry_size, next = at + size;

    if (!elf->shnum || boot_place(ram, at, headers, size, size, "the section table", NULL))
        return false;
    for (unsigned i = 0; i < elf->shnum; i++) {
        struct section s;
        read_section(elf, headers + i * entry_size, &s);
        if (s.type == SHT_NULL || s.type == SHT_NOBITS || (s.flags & SHF_ALLOC) || !s.size ||
            !boot_within(s.offset, s.size, elf->image->size))
            continue;
        next = align_up(next, 16);
        /* A hostile table may name the same bytes often: what does not fit any more stays out. */
        if (boot_place(ram, next, elf->image->data + s.offset, s.size, s.size, "a section", NULL))
            continue;
        write_address(elf, ram, at + i * entry_size, next);
        next += s.size;
    }
    *table = (struct elf_section_table){elf->shnum, entry_size, at};
    *end = next;
    return true;
}
