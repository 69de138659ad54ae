/*
 * symbols.c - see symbols.h: reads an ELF file's symbols into a table sorted by address and one by
 * name.
 *
 * Everything is copied out of libelf's structures at once, so that lookups depend on nothing of
 * theirs. Addresses are virtual, as the linker gave them.
 * Called by the tracer's commands and the debugger. Next: symbols_line.c.
 */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "loader/symbols_own.h"

#define FILE_MAX (UINT64_C(2) << 30)

/* --- reading the symbol table ----------------------------------------------------------------- */

/* The string at offset `at` of a section of the file, or NULL if it has no end in there. */
static const char *
string_at(const struct symbols *s, const GElf_Shdr *strings, uint64_t at)
{
    if (strings->sh_type != SHT_STRTAB || strings->sh_offset > s->size ||
        strings->sh_size > s->size - strings->sh_offset || at >= strings->sh_size)
        return NULL;
    const char *text = (const char *)s->data + strings->sh_offset + at;
    return memchr(text, 0, strings->sh_size - at) ? text : NULL;
}

/* Names for places in code and data; no sections, files, constants or undefined names. */
static bool
is_place(const GElf_Sym *sym)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);

    if (sym->st_shndx == SHN_UNDEF ||
        (sym->st_shndx >= SHN_LORESERVE && sym->st_shndx != SHN_XINDEX))
        return false;
    return type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE || type == STT_GNU_IFUNC;
}

/* 0: global function, 1: local function, 2, 3: objects, 4, 5: bare labels. */
static uint8_t
rank_of(const GElf_Sym *sym)
{
    unsigned type = GELF_ST_TYPE(sym->st_info);
    unsigned rank = type == STT_NOTYPE ? 4 : type == STT_OBJECT ? 2 : 0;

    return rank + (GELF_ST_BIND(sym->st_info) == STB_LOCAL);
}

/* Where the section of a symbol ends. */
static uint64_t
section_end(const struct symbols *s, const GElf_Sym *sym)
{
    GElf_Shdr section;
    Elf_Scn *scn = elf_getscn(s->elf, sym->st_shndx);

    if (!scn || !gelf_getshdr(scn, &section) || section.sh_addr + section.sh_size < section.sh_addr)
        return UINT64_MAX;
    return section.sh_addr + section.sh_size;
}

static int
by_address(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;

    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (x->rank != y->rank)
        return y->rank - x->rank; /* the best comes last: a search from above meets it first */
    return strcmp(y->name, x->name);
}

static int
by_name(const void *a, const void *b)
{
    const struct symbol *x = *(const struct symbol *const *)a;
    const struct symbol *y = *(const struct symbol *const *)b;
    int order = strcmp(x->name, y->name);

    if (order)
        return order;
    if (x->rank != y->rank)
        return x->rank - y->rank;
    return x->address < y->address ? -1 : x->address > y->address;
}

/* One SHT_SYMTAB section. 0 or -ENOMEM. */
static int
read_table(struct symbols *s, Elf_Scn *scn, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    Elf_Scn *strings_scn = elf_getscn(s->elf, header->sh_link);
    GElf_Shdr strings;

    if (!data || !data->d_buf || !strings_scn || !gelf_getshdr(strings_scn, &strings))
        return 0;
    size_t entry = gelf_fsize(s->elf, ELF_T_SYM, 1, EV_CURRENT);
    size_t total = entry ? data->d_size / entry : 0;
    struct symbol *more = realloc(s->by_address, (s->count + total + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    s->by_address = more;
    for (size_t i = 0; i < total && i < INT32_MAX; i++) {
        GElf_Sym sym;
        if (!gelf_getsym(data, (int)i, &sym) || !is_place(&sym))
            continue;
        const char *name = string_at(s, &strings, sym.st_name);
        if (!name || !*name)
            continue;
        uint64_t end = sym.st_size ? sym.st_value + sym.st_size : 0;
        if (sym.st_size && end < sym.st_value)
            continue;
        if (!sym.st_size)
            end = section_end(s, &sym);
        s->by_address[s->count++] = (struct symbol){sym.st_value, end, name, rank_of(&sym),
                                                    !sym.st_size};
    }
    return 0;
}

/* Ends each label where the next symbol begins, if that is before its section does. */
static void
end_labels(struct symbols *s)
{
    uint64_t above = UINT64_MAX, here = UINT64_MAX;

    for (size_t i = s->count; i-- > 0;) {
        struct symbol *symbol = &s->by_address[i];
        if (symbol->address != here)
            above = here, here = symbol->address;
        if (symbol->sizeless && symbol->end > above)
            symbol->end = above;
    }
}

static int
read_symbols(struct symbols *s)
{
    int rc = 0;

    for (Elf_Scn *scn = NULL; !rc && (scn = elf_nextscn(s->elf, scn));) {
        GElf_Shdr header;
        if (gelf_getshdr(scn, &header) && header.sh_type == SHT_SYMTAB)
            rc = read_table(s, scn, &header);
    }
    if (rc || !s->count)
        return rc;
    qsort(s->by_address, s->count, sizeof(*s->by_address), by_address);
    end_labels(s);
    s->by_name = malloc(s->count * sizeof(*s->by_name));
    if (!s->by_name)
        return -ENOMEM;
    for (size_t i = 0; i < s->count; i++)
        s->by_name[i] = &s->by_address[i];
    qsort(s->by_name, s->count, sizeof(*s->by_name), by_name);
    return 0;
}

int
symbols_open(const char *path, struct symbols **out, struct error *err)
{
    struct symbols *s = calloc(1, sizeof(*s));
    int rc;

    *out = NULL;
    if (!s)
        return error_set(err, ENOMEM, "no memory for the symbols of '%s'", path);
    rc = read_file(path, FILE_MAX, &s->data, &s->size, err);
    if (rc) {
        free(s);
        return rc;
    }
    elf_version(EV_CURRENT);
    s->elf = elf_memory((char *)s->data, s->size);
    if (s->elf && elf_kind(s->elf) == ELF_K_ELF && read_symbols(s)) {
        symbols_close(s);
        return error_set(err, ENOMEM, "no memory for the symbols of '%s'", path);
    }
    *out = s;
    return 0;
}

void
symbols_close(struct symbols *s)
{
    if (!s)
        return;
    symbols_close(s->more);
    symbols_free_frames(s);
    symbols_free_lines(s);
    free(s->by_name);
    free(s->by_address);
    elf_end(s->elf);
    free(s->data);
    free(s);
}

int
symbols_add(struct symbols *s, const char *path, uint64_t offset, struct error *err)
{
    struct symbols *more;
    int rc = symbols_open(path, &more, err);

    if (rc)
        return rc;
    while (s->more)
        s = s->more;
    s->more = more;
    more->offset = offset;
    return 0;
}

/* --- looking up names ------------------------------------------------------------------------- */

/* How many of the symbols that begin below an address are looked at: local labels within a
 * function end before it does, so the nearest one need not be the one that holds the address. */
#define LOOK_BACK 64

static const struct symbol *
find_address(const struct symbols *s, uint64_t address)
{
    size_t low = 0, high = s ? s->count : 0;

    while (low < high) { /* afterwards low is the first symbol that begins above address */
        size_t middle = low + (high - low) / 2;
        if (s->by_address[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; i > 0 && low - i < LOOK_BACK; i--) {
        const struct symbol *symbol = &s->by_address[i - 1];
        if (address < symbol->end)
            return symbol;
    }
    return NULL;
}

const char *
symbols_name(const struct symbols *s, uint64_t address, uint64_t *offset)
{
    const struct symbol *symbol = find_address(s, address);

    if (!symbol && s && s->more)
        return symbols_name(s->more, address - s->more->offset, offset);
    if (symbol && offset)
        *offset = address - symbol->address;
    return symbol ? symbol->name : NULL;
}

bool
symbols_address(const struct symbols *s, const char *name, uint64_t *address)
{
    size_t low = 0, high = s ? s->count : 0;

    while (low < high) { /* afterwards low is the first symbol not below name: the best one */
        size_t middle = low + (high - low) / 2;
        if (strcmp(s->by_name[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (!s)
        return false;
    if (low == s->count || strcmp(s->by_name[low]->name, name))
        return symbols_address(s->more, name, address);
    *address = s->by_name[low]->address + s->offset;
    return true;
}

bool
symbols_function(const struct symbols *s, uint64_t address, uint64_t *start, uint64_t *end)
{
    const struct symbol *symbol = find_address(s, address);

    if (!symbol && s && s->more) {
        uint64_t offset = s->more->offset;
        bool found = symbols_function(s->more, address - offset, start, end);
        *start += found ? offset : 0;
        *end += found ? offset : 0;
        return found;
    }
    if (!symbol || symbol->rank == 2 || symbol->rank == 3)
        return false;
    *start = symbol->address;
    *end = symbol->end;
    return true;
}

const char *
symbols_list(const struct symbols *s, size_t i, uint64_t *address, bool *function)
{
    if (!s)
        return NULL;
    if (i >= s->count)
        return symbols_list(s->more, i - s->count, address, function);
    *address = s->by_name[i]->address + s->offset;
    *function = s->by_name[i]->rank < 2;
    return s->by_name[i]->name;
}

unsigned
symbols_bits(const struct symbols *s)
{
    int class = s ? gelf_getclass(s->elf) : ELFCLASSNONE;

    return class == ELFCLASS64 ? 64 : class == ELFCLASS32 ? 32 : 0;
}

size_t
symbols_bytes(const struct symbols *s, uint64_t address, void *bytes, size_t size)
{
    size_t count = 0;
    GElf_Phdr p;

    if (!symbols_bits(s) || elf_getphdrnum(s->elf, &count))
        return 0;
    for (size_t i = 0; i < count && i < INT_MAX && gelf_getphdr(s->elf, (int)i, &p); i++) {
        uint64_t at = address - p.p_vaddr;
        if (p.p_type != PT_LOAD || address < p.p_vaddr || at >= p.p_filesz ||
            p.p_offset > s->size || p.p_filesz > s->size - p.p_offset)
            continue;
        size_t n = p.p_filesz - at < size ? (size_t)(p.p_filesz - at) : size;
        memcpy(bytes, s->data + p.p_offset + at, n);
        return n;
    }
    return 0;
}

bool
symbols_build_id(const struct symbols *s, char *text, size_t size)
{
    const void *bytes;
    ssize_t count = s && s->elf ? dwelf_elf_gnu_build_id(s->elf, &bytes) : 0;

    if (size)
        text[0] = 0;
    if (count <= 0 || (size_t)count > (size - 1) / 2)
        return false;
    for (ssize_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    return true;
}
