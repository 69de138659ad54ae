/* text.c - the code of programs: the .text section of an ELF file. Called by main.c. */
#include "tests/decode/decode.h"

#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Elf_Scn *
find_text(Elf *elf)
{
    Elf_Scn *section = NULL;
    size_t names;
    GElf_Shdr header;

    if (elf_getshdrstrndx(elf, &names))
        return NULL;
    while ((section = elf_nextscn(elf, section))) {
        const char *name;
        if (!gelf_getshdr(section, &header))
            continue;
        name = elf_strptr(elf, names, header.sh_name);
        if (name && !strcmp(name, ".text") && header.sh_type == SHT_PROGBITS)
            return section;
    }
    return NULL;
}

bool
text_of_elf(const char *path, uint8_t **code, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf = NULL;
    Elf_Scn *section = NULL;
    Elf_Data *data = NULL;

    *code = NULL;
    elf_version(EV_CURRENT);
    if (fd >= 0)
        elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf)
        section = find_text(elf);
    if (section)
        data = elf_getdata(section, NULL);
    if (data && data->d_buf && data->d_size) {
        *size = data->d_size;
        *code = malloc(*size);
        if (*code)
            memcpy(*code, data->d_buf, *size);
    } else {
        fprintf(stderr, "diff_decode: %s: no .text can be read from it\n", path);
    }
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    return *code;
}

static int
note_libc(struct dl_phdr_info *info, size_t size, void *ctx)
{
    const char **found = ctx;

    (void)size;
    if (!strstr(info->dlpi_name, "/libc.so"))
        return 0;
    *found = info->dlpi_name; /* the loader keeps it */
    return 1;
}

const char *
text_libc_path(void)
{
    const char *path = "";

    dl_iterate_phdr(note_libc, &path);
    return path;
}
