/*
 * lab_table.c - see lab_all.h. What came of a class: the table, and the same for a spreadsheet and for scripts.
 *
 * Names and reasons are the students', and may be any bytes. Called by lab_all.c. Next: tracer/put.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/lab_all.h"
#include "tracer/describe.h"
#include "tracer/put.h"

/* A name is the student's, and may be any bytes. As it can be printed: '?' for what a terminal obeys and
 * for what is no UTF-8. From malloc; NULL: no memory. */
static char *
printable(const char *name, const char *before)
{
    char *text;

    return asprintf(&text, "%s%s", before, name) < 0 ? NULL : describe_clean(text);
}

static void
put_json_row(struct put *put, const struct class *class, const struct submission *s)
{
    put_json_text(put, s == class->list ? "\n {\"name\": " : ",\n {\"name\": ", s->name);
    put_json_text(put, ", \"lab\": ", class->lab);
    put_json_number(put, ", \"score\": ", (uint64_t)s->score);
    put_json_number(put, ", \"total\": ", (uint64_t) class->total);
    put_json_text(put, ", \"state\": ", s->state);
    if (s->because)
        put_json_text(put, ", \"because\": ", s->because);
    put_char(put, '}');
}

/* A spreadsheet would take a text that begins with '=' for a formula and compute it: an apostrophe before
 * it says, as for one who types there, that it is text. RFC 4180 has no control characters. */
static void
put_csv_words(struct put *put, const char *words)
{
    char *text = printable(words, words[0] && strchr("=+-@", words[0]) ? "'" : "");

    put_csv(put, text ? text : "");
    free(text);
}

static void
put_csv_row(struct put *put, const struct class *class, const struct submission *s)
{
    put_csv_words(put, s->name);
    put_char(put, ',');
    put_csv(put, class->lab);
    put_char(put, ',');
    put_number(put, (uint64_t)s->score);
    put_char(put, ',');
    put_number(put, (uint64_t) class->total);
    put_char(put, ',');
    put_csv(put, s->state);
    put_char(put, ',');
    put_csv_words(put, s->because ? s->because : "");
    put_text(put, "\r\n");
}

static int
write_file(const struct class *class, const char *path, bool json, struct error *err)
{
    FILE *file = fopen(path, "we");
    struct put put;

    if (!file)
        return error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
    put_begin(&put, file);
    put_text(&put, json ? "[" : "name,lab,score,total,state,because\r\n");
    for (unsigned i = 0; i < class->count; i++)
        (json ? put_json_row : put_csv_row)(&put, class, &class->list[i]);
    put_text(&put, json ? "\n]\n" : "");
    bool lost = put_end(&put) != 0;
    if (fclose(file) || lost)
        return error_set(err, EIO, "cannot write '%s' to its end", path);
    return 0;
}

/* What was handed in otherwise would be missed by nobody but its student. */
static void
print_others(const struct class *class)
{
    char *name = printable(class->other, "");

    printf("not graded, since a submission is a folder, and no link: '%s'", name ? name : "");
    if (class->others > 1)
        printf(" and %u more", class->others - 1);
    putchar('\n');
    free(name);
}

/* printf() counts bytes: the width in which so many characters of UTF-8 fit. */
static int
wide(int columns, const char *text)
{
    for (; text && *text; text++)
        columns += ((unsigned char)*text & 0xc0) == 0x80;
    return columns;
}

static void
print_table(const struct class *class)
{
    unsigned full = 0, graded = 0, some = 0;

    for (unsigned i = 0; i < class->count; i++) {
        const struct submission *s = &class->list[i];
        char *name = printable(s->name, ""), *because = printable(s->because ? s->because : "", "");
        printf("  %-*s %3d/%d  %s%s%s\n", wide(24, name), name ? name : "", s->score, class->total,
               s->state, s->because ? ": " : "", because ? because : "");
        free(name);
        free(because);
        full += s->score == class->total;
        graded += !strcmp(s->state, "graded");
        some += s->because != NULL;
    }
    printf("%s: %u graded, %u full, %u without a score", class->lab, graded, full,
           class->count - graded - some);
    if (some)
        printf(", %u that could not be tried as a whole", some);
    putchar('\n');
    if (class->others)
        print_others(class);
}

/* Each as far as it goes: a disk that is full takes no other file's rows with it. */
int
lab_table_write(const struct class *class, const char *json, const char *csv, struct error *err)
{
    int rc, file_rc;

    print_table(class);
    rc = fflush(stdout) || ferror(stdout)
             ? error_set(err, EIO, "cannot write the table to its end: %s", strerror(errno))
             : 0;
    if (json && (file_rc = write_file(class, json, true, err)))
        rc = file_rc;
    if (csv && (file_rc = write_file(class, csv, false, err)))
        rc = file_rc;
    return rc;
}
