/*
 * symbols.c - see symbols.h: reads an ELF file's symbols and DWARF lines into two sorted tables.
 *
 * Everything is copied out of libelf's and libdw's structures at once, so that lookups depend on
 * nothing of theirs. Lines are read when the first one is asked for: a recording that is only
 * listed by function never pays for them. Addresses are virtual, as the linker gave them.
 * Called by the tracer's commands and the debugger.
 */
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "loader/symbols.h"

#define FILE_MAX (UINT64_C(2) << 30)

struct symbol {
    uint64_t address, end; /* first byte behind it */
    const char *name;      /* in symbols->data */
    uint8_t rank;          /* of several at one address or of one name, the lowest is the best */
    bool sizeless;         /* a label: it reaches to the next symbol */
};

struct line {
    uint64_t address;
    uint32_t number; /* 0: a sequence of lines ends here */
    uint32_t file;   /* index into symbols->file */
    uint32_t order;  /* as in the file: of two rows at one address the later one holds */
};

struct symbols {
    uint8_t *data; /* the file; names point into it */
    size_t size;
    Elf *elf;
    struct symbol *by_address;
    const struct symbol **by_name;
    size_t count;
    bool lines_read;
    struct line *line;
    size_t lines, line_room;
    char **file;
    size_t files, file_room;
};

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
    for (size_t i = 0; i < s->files; i++)
        free(s->file[i]);
    free(s->file);
    free(s->line);
    free(s->by_name);
    free(s->by_address);
    elf_end(s->elf);
    free(s->data);
    free(s);
}

/* --- looking up names ------------------------------------------------------------------------- */

/* How many of the symbols that begin below an address are looked at: local labels within a
 * function end before it does, so the nearest one need not be the one that holds the address. */
#define LOOK_BACK 64

const char *
symbols_name(const struct symbols *s, uint64_t address, uint64_t *offset)
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
        if (address < symbol->end) {
            if (offset)
                *offset = address - symbol->address;
            return symbol->name;
        }
    }
    return NULL;
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
    if (!s || low == s->count || strcmp(s->by_name[low]->name, name))
        return false;
    *address = s->by_name[low]->address;
    return true;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* Makes room for one more element; false: no memory, and nothing has changed. */
static bool
grow(void **array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room ? *room * 2 : 256;
    void *more = realloc(*array, wanted * size);
    if (!more)
        return false;
    *array = more;
    *room = wanted;
    return true;
}

/* The number of a file's name; consecutive rows nearly always have the same one. */
static bool
file_number(struct symbols *s, const char *name, uint32_t *number)
{
    for (size_t back = 1; back <= s->files && back <= 8; back++)
        if (!strcmp(s->file[s->files - back], name)) {
            *number = s->files - back;
            return true;
        }
    if (!grow((void **)&s->file, s->files, &s->file_room, sizeof(*s->file)))
        return false;
    s->file[s->files] = strdup(name);
    *number = s->files;
    return s->file[s->files] && ++s->files;
}

static void
add_line(struct symbols *s, Dwarf_Line *row)
{
    Dwarf_Addr address;
    const char *name = dwarf_linesrc(row, NULL, NULL);
    bool end = false;
    int number = 0;
    uint32_t file = 0;

    if (dwarf_lineaddr(row, &address) || dwarf_lineendsequence(row, &end) ||
        dwarf_lineno(row, &number))
        return;
    if (!end && (number <= 0 || !name || !file_number(s, name, &file)))
        return;
    if (!grow((void **)&s->line, s->lines, &s->line_room, sizeof(*s->line)))
        return;
    s->line[s->lines] = (struct line){address, end ? 0 : number, file, s->lines};
    s->lines++;
}

/* A row that ends a sequence comes before one that begins another at the same address. */
static int
by_line_address(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    if (!x->number != !y->number)
        return !x->number ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void
read_lines(struct symbols *s)
{
    s->lines_read = true;
    if (!s->elf || elf_kind(s->elf) != ELF_K_ELF)
        return;
    Dwarf *dwarf = dwarf_begin_elf(s->elf, DWARF_C_READ, NULL);
    if (!dwarf)
        return;
    Dwarf_Off at = 0, next;
    size_t header;
    while (dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL) == 0 && next > at) {
        Dwarf_Die die;
        Dwarf_Lines *rows;
        size_t count;
        if (dwarf_offdie(dwarf, at + header, &die) && !dwarf_getsrclines(&die, &rows, &count))
            for (size_t i = 0; i < count; i++) {
                Dwarf_Line *row = dwarf_onesrcline(rows, i);
                if (row)
                    add_line(s, row);
            }
        at = next;
    }
    dwarf_end(dwarf);
    if (s->lines)
        qsort(s->line, s->lines, sizeof(*s->line), by_line_address);
}

bool
symbols_line(struct symbols *s, uint64_t address, const char **file, int *line)
{
    if (!s)
        return false;
    if (!s->lines_read)
        read_lines(s);
    size_t low = 0, high = s->lines;
    while (low < high) { /* afterwards low is the first row above address */
        size_t middle = low + (high - low) / 2;
        if (s->line[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || !s->line[low - 1].number)
        return false;
    *file = s->file[s->line[low - 1].file];
    *line = s->line[low - 1].number;
    return true;
}

char *
symbols_format(struct symbols *s, uint64_t address, char *text, size_t size)
{
    uint64_t offset;
    const char *name = symbols_name(s, address, &offset), *file;
    char place[32] = "";
    int line;

    if (!size)
        return text;
    if (!name) {
        snprintf(text, size, "%#" PRIx64, address);
        return text;
    }
    if (offset)
        snprintf(place, sizeof(place), "+%#" PRIx64, offset);
    if (symbols_line(s, address, &file, &line)) {
        const char *slash = strrchr(file, '/');
        snprintf(text, size, "%s%s (%s:%d)", name, place, slash ? slash + 1 : file, line);
    } else {
        snprintf(text, size, "%s%s", name, place);
    }
    return text;
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
