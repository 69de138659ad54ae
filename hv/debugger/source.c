/*
 * source.c - see source.h: looks for a file where the user says, and prints lines.
 *
 * The guests are compiled with names relative to the project's folder (guests/minios/main.c), so
 * there they are found at once; elsewhere `directory` says where the sources lie. Of a name, the
 * beginning may be missing in such a folder: minios/main.c and main.c are tried too.
 *
 * Next: commands_source.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "debugger/display.h"
#include "debugger/source.h"

#define LINE_LONGEST 400 /* bytes that are printed of a line */

static FILE *
open_file(const char *path)
{
    struct stat info;

    /* Looked at before it is opened: a pipe would keep us waiting. */
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) ? fopen(path, "re") : NULL;
}

/* In a folder, by the whole name or its end. */
static FILE *
open_in(const char *folder, size_t length, const char *name)
{
    char path[4096];

    for (const char *rest = name; rest; rest = strchr(rest, '/')) {
        rest += *rest == '/';
        int n = snprintf(path, sizeof(path), "%.*s/%s", (int)length, folder, rest);
        FILE *f = n > 0 && (size_t)n < sizeof(path) ? open_file(path) : NULL;
        if (f)
            return f;
    }
    return NULL;
}

FILE *
source_open(const char *folder, const char *file)
{
    FILE *f = open_file(file);

    while (!f && folder && *folder) {
        size_t length = strcspn(folder, ":");
        f = length ? open_in(folder, length, file) : NULL;
        folder += length + (folder[length] == ':');
    }
    return f;
}

static FILE *
open_source(const struct debugger *debugger, const char *file)
{
    return source_open(debugger->displays ? debugger->displays->directories : NULL, file);
}

/* No escapes to the terminal. */
static char
shown(int c)
{
    return c == '\t' || (c >= ' ' && c != 0x7f) ? (char)c : '?';
}

/* The next line without its end, cut to the size; false: there is none. */
static bool
next_line(FILE *f, char *text, size_t size)
{
    size_t n = 0;
    int c = getc(f);

    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(f))
        if (n + 1 < size)
            text[n++] = shown(c);
    text[n] = 0;
    return true;
}

unsigned
source_print(struct debugger *debugger, const char *file, int first, int last, int mark,
             struct error *err)
{
    FILE *f = open_source(debugger, file);
    char text[LINE_LONGEST];
    unsigned printed = 0;

    if (!f) {
        error_set(err, ENOENT,
                  "the source %s is not here: start hv in the project's folder, or say where it "
                  "lies (directory FOLDER)",
                  file);
        return 0;
    }
    for (int line = 1; line <= last && next_line(f, text, sizeof(text)); line++)
        if (line >= first) {
            fprintf(debugger->out, "%s%d\t%s\n", mark ? line == mark ? "=> " : "   " : "", line,
                    text);
            printed++;
        }
    fclose(f);
    if (!printed)
        error_set(err, ENOENT, "%s has fewer than %d lines", file, first);
    return printed;
}

/* --- one line, at every stop ------------------------------------------------------------------- */

/* A stop shows one line, and a script stops many times a millisecond: the last files are kept. */
#define CACHE_FILES 8
#define CACHE_BYTES (1u << 20) /* of one file: lines behind that are not shown */

struct source_file {
    char *name;
    char *text;      /* NULL: it is not found */
    uint32_t *start; /* of each line, in the text */
    int lines;
};

struct source_cache {
    struct source_file file[CACHE_FILES];
    unsigned next; /* is replaced next */
};

static void
free_source(struct source_file *file)
{
    free(file->name);
    free(file->text);
    free(file->start);
    memset(file, 0, sizeof(*file));
}

void
source_forget(struct displays *displays)
{
    struct source_cache *cache = displays->sources;

    for (unsigned i = 0; cache && i < CACHE_FILES; i++)
        free_source(&cache->file[i]);
    free(cache);
    displays->sources = NULL;
}

/* A file that is not found, or for which there is no memory, has no lines. */
static void
read_source(const struct debugger *debugger, struct source_file *file, const char *name)
{
    FILE *f = open_source(debugger, name);
    char *text = f ? malloc(CACHE_BYTES + 1) : NULL;
    size_t n = text ? fread(text, 1, CACHE_BYTES, f) : 0;
    int lines = 0;

    memset(file, 0, sizeof(*file));
    file->name = strdup(name);
    if (f)
        fclose(f);
    if (!text)
        return;
    text[n] = 0;
    file->text = realloc(text, n + 1);
    if (!file->text)
        file->text = text;
    for (const char *at = file->text; (at = strchr(at, '\n')); at++)
        lines++;
    if (!(file->start = calloc((size_t)lines + 1, sizeof(*file->start))))
        return;
    for (const char *at = file->text; (at = strchr(at, '\n')); at++)
        file->start[++file->lines] = (uint32_t)(at + 1 - file->text);
    file->lines += file->text[file->start[file->lines]] != 0; /* one without an end */
}

static const struct source_file *
cached_source(const struct debugger *debugger, const char *name)
{
    struct displays *d = debugger->displays;

    if (!d->sources && !(d->sources = calloc(1, sizeof(*d->sources))))
        return NULL;
    for (unsigned i = 0; i < CACHE_FILES; i++)
        if (d->sources->file[i].name && !strcmp(d->sources->file[i].name, name))
            return &d->sources->file[i];
    struct source_file *file = &d->sources->file[d->sources->next++ % CACHE_FILES];
    free_source(file);
    read_source(debugger, file, name);
    return file;
}

bool
source_line(struct debugger *debugger, const char *name, int line, char *text, size_t size)
{
    const struct source_file *file = cached_source(debugger, name);
    size_t n = 0;

    if (!file || line < 1 || line > file->lines)
        return false;
    const char *at = file->text + file->start[line - 1];
    for (at += strspn(at, " \t"); *at && *at != '\n'; at++)
        if (n + 1 < size)
            text[n++] = shown(*at);
    text[n] = 0;
    return true;
}
