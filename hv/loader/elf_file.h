/*
 * elf_file.h - the parts of an ELF file that loading needs, alike for 32 and 64 bits, every offset
 * checked against the file. Private to hv/loader: used by elf.c and multiboot.c.
 */
#ifndef HV_LOADER_ELF_FILE_H
#define HV_LOADER_ELF_FILE_H

#include "loader/loader.h"

struct elf_file {
    const struct guest_image *image;
    bool is64;
    uint64_t entry; /* as the file says: a virtual address */
    uint64_t phoff, shoff;
    unsigned phnum, shnum, shstrndx; /* shnum is 0 if the section headers are not usable */
};

struct elf_segment {
    uint32_t type; /* PT_* */
    uint64_t offset, vaddr, paddr, filesz, memsz;
};

/* Does it start like an ELF file? */
bool elf_is(const struct guest_image *image);
/* Reads and checks the file header: a static x86 executable, headers within the file.
 * 0 or -ENOEXEC with a sentence. */
int elf_open(struct elf_file *elf, const struct guest_image *image, struct error *err);
/* The i-th program header, i < phnum; unchecked, as the file has it. */
void elf_segment(const struct elf_file *elf, unsigned i, struct elf_segment *seg);

/* Where a loaded file came to lie. */
struct elf_layout {
    uint64_t entry; /* physical */
    uint64_t start; /* lowest address of a segment */
    uint64_t end;   /* first address behind the highest */
};
/* Copies the PT_LOAD segments to their physical addresses and clears what the file does not hold.
 * Refuses segments that overlap or do not fit. 0 or -errno with a sentence. */
int elf_load(const struct elf_file *elf, struct ram *ram, struct elf_layout *layout,
             struct error *err);

#endif
