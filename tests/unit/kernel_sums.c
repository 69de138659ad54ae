/* kernel_sums.c - see kernel_text.h. */
#include <elf.h>
#include <string.h>

#include "tests/unit/kernel_text.h"

uint64_t
checksum(uint64_t sum, const void *data, uint64_t size)
{
    const uint8_t *bytes = data;

    sum ^= UINT64_C(0xcbf29ce484222325);
    for (uint64_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, size - i < 8 ? size - i : 8);
        sum = (sum ^ word) * UINT64_C(0x100000001b3);
    }
    return sum;
}

bool
kernel_text_sums(const struct launch *launch, struct text_sums *sums)
{
    const Elf64_Ehdr *h = (const Elf64_Ehdr *)launch->data;

    *sums = (struct text_sums){0};
    if (launch->size < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
        h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_phoff > launch->size ||
        h->e_phnum > (launch->size - h->e_phoff) / sizeof(Elf64_Phdr))
        return false;
    const Elf64_Phdr *p = (const Elf64_Phdr *)(launch->data + h->e_phoff);
    for (unsigned i = 0; i < h->e_phnum; i++, p++) {
        if (p->p_type != PT_LOAD || p->p_flags & PF_W)
            continue;
        const void *memory = ram_at(&launch->vm.ram, p->p_paddr, p->p_filesz);
        if (!memory || p->p_offset > launch->size || p->p_filesz > launch->size - p->p_offset)
            return false;
        sums->file = checksum(sums->file, launch->data + p->p_offset, p->p_filesz);
        sums->memory = checksum(sums->memory, memory, p->p_filesz);
        sums->bytes += p->p_filesz;
    }
    return sums->bytes;
}
