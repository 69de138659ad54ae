/*
 * elf_sections.h - the section headers of an ELF file, put into guest memory for a Multiboot kernel
 * that wants to read its own symbols. Private to hv/loader.
 */
#ifndef HV_LOADER_ELF_SECTIONS_H
#define HV_LOADER_ELF_SECTIONS_H

#include "loader/elf_file.h"

struct elf_section_table {
    uint32_t count, entry_size, address;
};

/* Copies the header table to the first page behind *end, and the contents of the sections that no
 * segment loads behind it, with sh_addr telling where; moves *end on. False: there are none, or
 * they do not fit. */
bool elf_place_sections(const struct elf_file *elf, struct ram *ram, uint64_t *end,
                        struct elf_section_table *table);

#endif
