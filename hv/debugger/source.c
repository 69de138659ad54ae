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

/* The next line without its end, cut to the size; false: there is none. */
static bool
next_line(FILE *f, char *text, size_t size)
{
    size_t n = 0;
    int c = getc(f);

    if (c == EOF)
        return false;
    for (; c != EOF && c != '\n'; c = getc(f)) {
        bool shown = c == '\t' || (c >= ' ' && c != 0x7f); /* no escapes to the terminal */
        if (n + 1 < size)
            text[n++] = shown ? (char)c : '?';
    }
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

bool
source_line(struct debugger *debugger, const char *file, int line, char *text, size_t size)
{
    FILE *f = open_source(debugger, file);
    char whole[LINE_LONGEST];
    bool there = f != NULL;

    for (int i = 0; there && i < line; i++)
        there = next_line(f, whole, sizeof(whole));
    if (f)
        fclose(f);
    if (there)
        snprintf(text, size, "%s", whole + strspn(whole, " \t"));
    return there;
}
