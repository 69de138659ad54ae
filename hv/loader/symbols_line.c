/*
 * symbols_line.c - lines of source, from the DWARF line table (DWARF 5, 6.2).
 *
 * The rows are copied into one table sorted by address when the first one is asked for: a recording
 * that is only listed by function never pays for them.
 *
 * Called through symbols.h. Next: symbols_frame.c.
 */
#include <dwarf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/symbols_own.h"

Dwarf *
symbols_dwarf(struct symbols *s)
{
    if (!s->dwarf && s->elf && elf_kind(s->elf) == ELF_K_ELF)
        s->dwarf = dwarf_begin_elf(s->elf, DWARF_C_READ, NULL);
    return s->dwarf;
}

void
symbols_free_lines(struct symbols *s)
{
    for (size_t i = 0; i < s->files; i++)
        free(s->file[i]);
    free(s->file);
    free(s->line);
    if (s->dwarf)
        dwarf_end(s->dwarf);
}

/* --- reading ------------------------------------------------------------------------------------ */

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

/* The name that the compiler was given, below the folder where it ran: libdw may leave that out. */
static void
full_name(const char *folder, const char *name, char *text, size_t size)
{
    size_t n = folder ? strlen(folder) : 0;

    if (!n || *name == '/' || (!strncmp(name, folder, n) && name[n] == '/'))
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "%s/%s", folder, name);
}

/* The number of a file's name; consecutive rows nearly always have the same one. */
static bool
file_number(struct symbols *s, const char *folder, const char *name, uint32_t *number)
{
    char text[1024];

    full_name(folder, name, text, sizeof(text));
    for (size_t back = 1; back <= s->files && back <= 8; back++)
        if (!strcmp(s->file[s->files - back], text)) {
            *number = (uint32_t)(s->files - back);
            return true;
        }
    if (!grow((void **)&s->file, s->files, &s->file_room, sizeof(*s->file)))
        return false;
    s->file[s->files] = strdup(text);
    *number = (uint32_t)s->files;
    return s->file[s->files] && ++s->files;
}

static void
add_line(struct symbols *s, const char *folder, Dwarf_Line *row)
{
    Dwarf_Addr address;
    const char *name = dwarf_linesrc(row, NULL, NULL);
    bool end = false, statement = false;
    int number = 0;
    uint32_t file = 0;

    if (dwarf_lineaddr(row, &address) || dwarf_lineendsequence(row, &end) ||
        dwarf_lineno(row, &number) || dwarf_linebeginstatement(row, &statement))
        return;
    if (!end && (number <= 0 || !name || !file_number(s, folder, name, &file)))
        return;
    if (!grow((void **)&s->line, s->lines, &s->line_room, sizeof(*s->line)))
        return;
    s->line[s->lines] = (struct line){address, end ? 0 : (uint32_t)number, file, statement,
                                      (uint32_t)s->lines};
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
    Dwarf *dwarf = symbols_dwarf(s);

    s->lines_read = true;
    if (!dwarf)
        return;
    Dwarf_Off at = 0, next;
    size_t header;
    while (dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL) == 0 && next > at) {
        Dwarf_Die die;
        Dwarf_Lines *rows;
        size_t count;
        if (dwarf_offdie(dwarf, at + header, &die) && !dwarf_getsrclines(&die, &rows, &count)) {
            Dwarf_Attribute attribute;
            const char *folder = dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute));
            for (size_t i = 0; i < count; i++) {
                Dwarf_Line *row = dwarf_onesrcline(rows, i);
                if (row)
                    add_line(s, folder, row);
            }
        }
        at = next;
    }
    if (s->lines)
        qsort(s->line, s->lines, sizeof(*s->line), by_line_address);
}

/* The number of the first row above address. */
static size_t
row_above(struct symbols *s, uint64_t address)
{
    if (!s->lines_read)
        read_lines(s);
    size_t low = 0, high = s->lines;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->line[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
symbols_line(struct symbols *s, uint64_t address, const char **file, int *line)
{
    size_t above = s ? row_above(s, address) : 0;

    if (!above || !s->line[above - 1].number)
        return s && s->more && symbols_line(s->more, address - s->more->offset, file, line);
    *file = s->file[s->line[above - 1].file];
    *line = (int)s->line[above - 1].number;
    return true;
}

static bool
range_of_more(struct symbols *more, uint64_t address, uint64_t *start, uint64_t *end)
{
    bool found = symbols_line_range(more, address - more->offset, start, end);

    *start += found ? more->offset : 0;
    *end += found ? more->offset : 0;
    return found;
}

bool
symbols_line_range(struct symbols *s, uint64_t address, uint64_t *start, uint64_t *end)
{
    size_t above = s ? row_above(s, address) : 0;

    if (!above || !s->line[above - 1].number || above == s->lines)
        return s && s->more && range_of_more(s->more, address, start, end);
    const struct line *row = &s->line[above - 1];
    size_t first = above - 1;
    while (first && s->line[first - 1].number == row->number &&
           s->line[first - 1].file == row->file)
        first--;
    while (above + 1 < s->lines && s->line[above].number == row->number &&
           s->line[above].file == row->file)
        above++;
    *start = s->line[first].address;
    *end = s->line[above].address;
    return true;
}

bool
symbols_line_begins(struct symbols *s, uint64_t address)
{
    size_t above = s ? row_above(s, address) : 0;

    for (; above && s->line[above - 1].address == address; above--)
        if (s->line[above - 1].number && s->line[above - 1].statement)
            return true;
    return s && s->more && symbols_line_begins(s->more, address - s->more->offset);
}

/*
 * GCC gives a function two rows at least: its opening line, where the frame is set up, and the first
 * line of its body. The second address is where the arguments can be seen.
 */
uint64_t
symbols_body(struct symbols *s, uint64_t address)
{
    uint64_t start, end;

    if (!symbols_function(s, address, &start, &end) || start != address)
        return address;
    size_t above = row_above(s, address);
    if (s->more && (!above || !s->line[above - 1].number)) {
        uint64_t offset = s->more->offset;
        return symbols_body(s->more, address - offset) + offset;
    }
    if (!above || s->line[above - 1].address != address || !s->line[above - 1].number)
        return address;
    for (; above < s->lines && s->line[above].address < end && s->line[above].number; above++)
        if (s->line[above].statement)
            return s->line[above].address;
    return address;
}

const char *
symbols_file(struct symbols *s, size_t i)
{
    if (s && !s->lines_read)
        read_lines(s);
    if (!s)
        return NULL;
    return i < s->files ? s->file[i] : symbols_file(s->more, i - s->files);
}

/* Does the path end so, at a slash? */
static bool
path_ends(const char *path, const char *end)
{
    size_t a = strlen(path), b = strlen(end);

    return b && b <= a && !strcmp(path + a - b, end) && (a == b || path[a - b - 1] == '/');
}

bool
symbols_find_line(struct symbols *s, const char *file, int line, int *found, uint64_t *address)
{
    const struct line *best = NULL;

    if (!s || line <= 0)
        return false;
    if (!s->lines_read)
        read_lines(s);
    for (size_t i = 0; i < s->lines; i++) { /* by address: of equal ones the first stays */
        const struct line *row = &s->line[i];
        if (!row->number || !row->statement || row->number < (uint32_t)line ||
            (best && row->number >= best->number) || !path_ends(s->file[row->file], file))
            continue;
        best = row;
    }
    if (!best)
        return symbols_find_line(s->more, file, line, found, address);
    if (found)
        *found = (int)best->number;
    *address = best->address + s->offset;
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
