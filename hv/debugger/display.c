/*
 * display.c - see display.h.
 *
 * Called by commands_look.c and, at each stop, by go.c. Next: commands_look.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/display.h"
#include "debugger/source.h"

int
displays_open(struct displays **out, struct error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out ? 0 : error_set(err, ENOMEM, "no memory for what `display` shows");
}

void
displays_close(struct displays *displays)
{
    if (!displays)
        return;
    displays_remove(displays, 0, NULL);
    free(displays->list_file);
    source_forget(displays);
    free(displays->directories);
    free(displays);
}

int
displays_add(struct displays *displays, const struct format *format, const char *text,
             struct display **out, struct error *err)
{
    if (displays->count == DISPLAYS_MAX)
        return error_set(err, ENOSPC, "there are %d displays already: undisplay one", DISPLAYS_MAX);
    struct display *d = &displays->display[displays->count];
    *d = (struct display){displays->last + 1, *format, strdup(text)};
    if (!d->text)
        return error_set(err, ENOMEM, "no memory for a display");
    displays->count++;
    displays->last++;
    *out = d;
    return 0;
}

int
displays_remove(struct displays *displays, uint64_t number, struct error *err)
{
    unsigned kept = 0, before = displays->count;

    for (unsigned i = 0; i < before; i++)
        if (number && displays->display[i].number != number)
            displays->display[kept++] = displays->display[i];
        else
            free(displays->display[i].text);
    displays->count = kept;
    if (number && kept == before)
        return error_set(err, ENOENT, "there is no display %" PRIu64 " (`info display` lists them)",
                         number);
    return 0;
}

/* "/8xb " as it was typed, or nothing. */
static const char *
slash(const struct format *f, char text[24])
{
    static const char units[] = " bh w   g";
    size_t n = 1;

    text[0] = '/';
    if (f->count)
        n += (size_t)snprintf(text + n, 16, "%u", f->count);
    if (f->letter)
        text[n++] = f->letter;
    if (f->size)
        text[n++] = units[f->size];
    text[n] = 0;
    return n == 1 ? "" : text;
}

void
display_show(struct debugger *debugger, const struct display *d)
{
    bool examines = d->format.letter == 'i' || d->format.letter == 's' || d->format.size;
    char text[160], how[24];
    struct value value;
    struct error why;
    int rc = expr_evaluate_all(debugger, d->text, &value, &why);

    fprintf(debugger->out, "%u: ", d->number);
    if (examines && !rc) {
        struct format format = d->format;
        format_complete(&format, &(struct format){0});
        fprintf(debugger->out, "x%s %s\n", slash(&d->format, how), d->text);
        rc = format_memory(debugger, SPACE_LINEAR, &format, &value.bits, &why);
        if (rc)
            fprintf(debugger->out, "(%s)\n", why.message);
        return;
    }
    const char *letter = slash(&d->format, how);
    fprintf(debugger->out, "%s%s%s = ", letter, *letter ? " " : "", d->text);
    if (rc)
        fprintf(debugger->out, "(%s)\n", why.message);
    else
        fprintf(debugger->out, "%s\n",
                format_value(debugger, &value, d->format.letter, text, sizeof(text)));
}

void
displays_show(struct debugger *debugger)
{
    const struct displays *displays = debugger->displays;

    for (unsigned i = 0; displays && i < displays->count; i++)
        display_show(debugger, &displays->display[i]);
}

int
displays_list(struct debugger *debugger, const char *arguments, struct error *err)
{
    const struct displays *displays = debugger->displays;
    char how[24];

    (void)arguments;
    (void)err;
    if (!displays->count)
        fprintf(debugger->out, "There are no displays: display EXPRESSION makes one.\n");
    for (unsigned i = 0; i < displays->count; i++)
        fprintf(debugger->out, "%-3u %-6s %s\n", displays->display[i].number,
                slash(&displays->display[i].format, how), displays->display[i].text);
    return 0;
}
