/*
 * player_source.c - the guest's source for the player: the lines at which it came out, and some
 * around them. Never a whole file that nothing touched.
 *
 * Where the lines are comes from player_options: the tracer reads no ELF files. The names of the
 * files may come from a hostile guest's file, so only what looks like source is shown: no guest
 * shall carry a file of the user's into a page that is then given to others.
 *
 * Called by player.c and player_events.c.
 */
#include <stdlib.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/player_own.h"

#define AROUND      10  /* lines before and after */
#define LINE_LENGTH 200 /* bytes that are shown of a line */
#define FILE_LINES  100000

static bool
is_source(const char *name)
{
    static const char *const suffixes[] = {".c",  ".h",   ".S",   ".s",   ".asm", ".inc",
                                           ".cc", ".cpp", ".cxx", ".hpp", ".rs",  ".zig"};
    const char *suffix = strrchr(name, '.');

    for (size_t i = 0; suffix && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (!strcmp(suffix, suffixes[i]))
            return true;
    return false;
}

/* The row of a file, a new one if need be; -1: there are too many, or it is no source. */
static int
find_file(struct player *p, const char *name)
{
    for (int i = 0; i < p->files; i++)
        if (!strcmp(p->file[i].name, name))
            return i;
    if (p->files == PLAYER_FILES || !is_source(name))
        return -1;
    struct player_file *grown = realloc(p->file, (size_t)(p->files + 1) * sizeof(*grown));
    if (!grown)
        return -1;
    p->file = grown;
    memset(&grown[p->files], 0, sizeof(*grown));
    grown[p->files].name = name;
    return p->files++;
}

int
player_touch_line(struct player *p, uint64_t rip, int *line)
{
    const char *name;

    *line = 0;
    if (!p->options->line || !p->options->line(p->options->source_context, rip, &name, line))
        return -1;
    int row = find_file(p, name);
    if (row < 0 || *line < 1 || *line > FILE_LINES)
        return -1;
    struct player_file *file = &p->file[row];
    for (int i = 0; i < file->lines; i++)
        if (file->line[i] == *line)
            return row;
    if (file->lines == PLAYER_LINES)
        return -1;
    file->line[file->lines++] = *line;
    return row;
}

/* --- printing ----------------------------------------------------------------------------------- */

/* The next line without its end, tabs as blanks; false: there is none. */
static bool
next_line(FILE *f, char text[LINE_LENGTH + 1])
{
    size_t n = 0;
    int c = getc(f);

    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(f)) {
        size_t to = c == '\t' ? n / 8 * 8 + 8 : n + 1;
        for (; n < to && n < LINE_LENGTH; n++)
            text[n] = (char)(c == '\t' ? ' ' : c == 0 ? '?' : c);
    }
    text[n] = 0;
    return true;
}

/* Marks in want[] the lines to be shown; want has FILE_LINES + 1. */
static void
mark_lines(const struct player_file *file, bool *want)
{
    for (int i = 0; i < file->lines; i++) {
        int first = file->line[i] - AROUND, last = file->line[i] + AROUND;
        for (int line = first < 1 ? 1 : first; line <= last && line <= FILE_LINES; line++)
            want[line] = true;
    }
}

/* [[first,["text",...]],...]: lines that follow each other are one part. */
static void
print_parts(FILE *f, const bool *want, FILE *out)
{
    char text[LINE_LENGTH + 1];
    bool open = false, any = false;

    fputc('[', out);
    for (int line = 1; line <= FILE_LINES && next_line(f, text); line++) {
        if (!want[line]) {
            fputs(open ? "]]" : "", out);
            open = false;
            continue;
        }
        if (!open)
            fprintf(out, "%s[%d,[", any ? "," : "", line);
        else
            fputs(",\n", out);
        json_text(out, text);
        open = any = true;
    }
    fputs(open ? "]]]" : "]", out);
}

void
player_print_source(const struct player *p, FILE *out)
{
    bool *want = malloc(FILE_LINES + 1);

    fprintf(out, "\"files\":[");
    for (int i = 0; i < p->files; i++) {
        const struct player_file *file = &p->file[i];
        FILE *f = want && p->options->source
                      ? p->options->source(p->options->source_context, file->name)
                      : NULL;
        fputs(i ? ",\n[" : "\n[", out);
        json_text(out, file->name);
        fputc(',', out);
        if (f) {
            memset(want, 0, FILE_LINES + 1);
            mark_lines(file, want);
            print_parts(f, want, out);
            fclose(f);
        } else {
            fputs("null", out);
        }
        fputc(']', out);
    }
    fputc(']', out);
    free(want);
}
