/* wordfile.c - see wordfile.h. Called by main.c before options.c takes the words apart. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/wordfile.h"

#define FILE_LIMIT  65536 /* bytes */
#define WORDS_LIMIT 1024

static int
add(struct wordfile *w, char *word, struct error *err)
{
    if (w->words == WORDS_LIMIT)
        return error_set(err, E2BIG, "more than %d words", WORDS_LIMIT);
    w->word[w->words++] = word;
    return 0;
}

static char *
skip_blanks(char *at)
{
    return at + strspn(at, " \t\r");
}

/* "mem 16M" -> --mem=16M; "guest FILE" -> FILE; "quiet" -> --quiet. The line ends with a zero byte
 * and has two bytes before it that may be overwritten (the dashes). */
static int
add_line(struct wordfile *w, char *line, struct error *err)
{
    char *name = skip_blanks(line);
    size_t length = strcspn(name, " \t\r=");
    char *value = skip_blanks(name + length), *end = name + strlen(name);

    if (*name == '#' || !*name)
        return 0;
    if (*value == '=')
        value = skip_blanks(value + 1);
    while (end > value && strchr(" \t\r", end[-1]))
        *--end = 0;
    if (length == 5 && !memcmp(name, "guest", length))
        return *value ? add(w, value, err)
                      : error_set(err, EINVAL, "'guest' needs a value: guest FILE");
    /* Without this, the word that comes next would be taken for the value. */
    const struct option_desc *o = option_find(w->command, name, length);
    if (o && o->value && !*value)
        return error_set(err, EINVAL, "'%s' needs a value: %s %s", o->name, o->name, o->value);
    /* "--name=value" fits where "  name value" stood: blanks between the two are closed up. */
    char *word = name - 2;
    memmove(word, "--", 2);
    if (*value) {
        name[length] = '=';
        memmove(name + length + 1, value, strlen(value) + 1);
    } else {
        name[length] = 0;
    }
    return add(w, word, err);
}

static int
add_file(struct wordfile *w, const char *path, struct error *err)
{
    uint8_t *data;
    size_t size;
    char *copy, *to;
    int rc = read_file(path, FILE_LIMIT, &data, &size, err);

    if (rc)
        return rc;
    /* Two bytes of room before each line: at the most one line a byte. */
    if (w->texts == (int)ARRAY_SIZE(w->text) || !(copy = malloc(3 * size + 3))) {
        free(data);
        return error_set(err, E2BIG, "%s: too many files, or no memory for it", path);
    }
    w->text[w->texts++] = to = copy;
    unsigned number = 0;
    for (char *line = (char *)data, *next; !rc && line < (char *)data + size; line = next) {
        number++;
        size_t length = strcspn(line, "\n");
        next = line + length + 1;
        line[length] = 0;
        memcpy(to, "  ", 2);
        memcpy(to + 2, line, length + 1);
        rc = add_line(w, to + 2, err);
        to += length + 3;
    }
    free(data);
    return rc ? error_prefix(err, rc, "%s:%u", path, number) : 0;
}

int
wordfile_expand(struct wordfile *w, const struct command *command, int argc, char **argv,
                struct error *err)
{
    bool options_end = false;
    int rc = 0;

    *w = (struct wordfile){.command = command};
    w->word = calloc(WORDS_LIMIT + 1, sizeof(*w->word));
    if (!w->word)
        return error_set(err, ENOMEM, "no memory for the command line");
    for (int i = 0; !rc && i < argc; i++) {
        options_end = options_end || !strcmp(argv[i], "--");
        rc = argv[i][0] == '@' && argv[i][1] && !options_end ? add_file(w, argv[i] + 1, err)
                                                             : add(w, argv[i], err);
    }
    return rc;
}

void
wordfile_free(struct wordfile *w)
{
    for (int i = 0; i < w->texts; i++)
        free(w->text[i]);
    free(w->word);
}
