/*
 * symbols_own.h - the tables behind symbols.h, for the files that fill and search them.
 *
 *   symbols.c        names
 *   symbols_line.c   lines of source
 *   symbols_frame.c  where a function keeps its caller's registers
 */
#ifndef HV_LOADER_SYMBOLS_OWN_H
#define HV_LOADER_SYMBOLS_OWN_H

#include <elfutils/libdw.h>

#include "loader/symbols.h"

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
    bool statement;  /* a good place to stop at (DWARF 5, 6.2.2: is_stmt) */
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
    bool frames_read;
    Dwarf *dwarf;         /* NULL: none, or not yet opened */
    Dwarf_CFI *frames[2]; /* of .debug_frame, of .eh_frame */
    struct symbols *more; /* of another file, asked where this one knows nothing */
    uint64_t offset;      /* what is added to all addresses of such a file; the first one's is 0 */
};

/* The file's DWARF, opened when it is first asked for; NULL: it has none. */
Dwarf *symbols_dwarf(struct symbols *s);
void symbols_free_lines(struct symbols *s);
void symbols_free_frames(struct symbols *s);

#endif
