/*
 * demo_read.c - see demo.h. A demo's file, taken apart; labs/demos/README.md has the format.
 *
 * Called by cmd_demo.c. Next: demo_run.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/demo.h"

static char *
copy(const char *text)
{
    return strdup(text + strspn(text, " "));
}

/* Adds a line to a text of lines. */
static int
append(char **text, const char *line)
{
    size_t before = *text ? strlen(*text) : 0;
    char *longer = realloc(*text, before + strlen(line) + 2);

    if (!longer)
        return -ENOMEM;
    *text = longer;
    sprintf(longer + before, "%s\n", line);
    return 0;
}

/* The last step, if it has no command yet; else a new one. NULL: there are too many. */
static struct demo_step *
open_step(struct demo *demo, unsigned line)
{
    struct demo_step *last = demo->steps ? &demo->step[demo->steps - 1] : NULL;

    if (last && !last->command)
        return last;
    if (demo->steps == DEMO_STEPS)
        return NULL;
    last = &demo->step[demo->steps++];
    last->line = line;
    return last;
}

static int
read_command(struct demo *demo, const char *text, unsigned line, struct error *err)
{
    struct demo_step *step = open_step(demo, line);

    if (!step)
        return error_set(err, E2BIG, "more than %u steps", DEMO_STEPS);
    step->line = line;
    step->shell = text[0] == '$';
    if (!step->shell && !demo->sessions)
        return error_set(err, EINVAL, "a command of the debugger, and no ':debug WORDS' before");
    step->session = demo->sessions - 1;
    step->command = copy(text + step->shell);
    return step->command ? 0 : error_set(err, ENOMEM, "no memory");
}

/* ":debug": the commands that follow are a new session's. */
static int
read_session(struct demo *demo, const char *words, struct error *err)
{
    if (demo->sessions == DEMO_STEPS)
        return error_set(err, E2BIG, "more than %u sessions", DEMO_STEPS);
    demo->session_words[demo->sessions] = copy(words);
    return demo->session_words[demo->sessions++] ? 0 : error_set(err, ENOMEM, "no memory");
}

static int
read_check(struct demo_step *step, bool absent, const char *text, struct error *err)
{
    if (step->checks == DEMO_CHECKS)
        return error_set(err, E2BIG, "more than %u checks in a step", DEMO_CHECKS);
    if (!text[strspn(text, " ")])
        return error_set(err, EINVAL, "'%s' needs a text: anything at all has an empty one",
                         absent ? ":reject" : ":expect");
    step->check[step->checks].absent = absent;
    step->check[step->checks].text = copy(text);
    return step->check[step->checks++].text ? 0 : error_set(err, ENOMEM, "no memory");
}

/* ":picture FILE CAPTION" */
static int
read_picture(struct demo_step *step, const char *text, struct error *err)
{
    text += strspn(text, " ");
    size_t length = strcspn(text, " ");

    free(step->picture);
    free(step->caption);
    step->picture = strndup(text, length);
    step->caption = copy(text + length);
    if (!step->picture || !step->caption)
        return error_set(err, ENOMEM, "no memory");
    if (!length || strchr(step->picture, '/'))
        return error_set(err, EINVAL, "':picture' takes the name of a file that the step makes");
    return 0;
}

/* ":status N" */
static int
read_status(struct demo_step *step, const char *text, struct error *err)
{
    char end;

    if (sscanf(text, "%d %c", &step->status, &end) != 1)
        return error_set(err, EINVAL, "':status' takes a number, not '%s'", text);
    return 0;
}

static int
read_directive(struct demo *demo, const char *text, struct error *err)
{
    struct demo_step *step = demo->steps ? &demo->step[demo->steps - 1] : NULL;

    if (!strncmp(text, ":debug ", 7))
        return read_session(demo, text + 7, err);
    if (!step || !step->command)
        return error_set(err, EINVAL, "'%s' belongs behind a command", text);
    if (!strncmp(text, ":expect ", 8))
        return read_check(step, false, text + 8, err);
    if (!strncmp(text, ":reject ", 8))
        return read_check(step, true, text + 8, err);
    if (!strncmp(text, ":picture ", 9))
        return read_picture(step, text + 9, err);
    if (!strncmp(text, ":status ", 8) && step->shell)
        return read_status(step, text + 8, err);
    return error_set(err, EINVAL,
                     "'%s' is none of :debug, :expect, :reject, :status (of a '$ command') and "
                     ":picture",
                     text);
}

/* "title: ..." and its like, before the first other line. False: it is none. */
static bool
read_key(struct demo *demo, const char *line)
{
    const struct {
        const char *name;
        char *value;
        size_t size;
    } keys[] = {{"title:", demo->title, sizeof(demo->title)},
                {"shows:", demo->shows, sizeof(demo->shows)},
                {"minutes:", demo->minutes, sizeof(demo->minutes)},
                {"needs:", demo->needs, sizeof(demo->needs)}};

    for (unsigned i = 0; !demo->steps && i < ARRAY_SIZE(keys); i++) {
        size_t length = strlen(keys[i].name);
        if (strncmp(line, keys[i].name, length))
            continue;
        snprintf(keys[i].value, keys[i].size, "%s", line + length + strspn(line + length, " "));
        return true;
    }
    return false;
}

static int
read_line(struct demo *demo, const char *line, unsigned number, struct error *err)
{
    struct demo_step *step;

    if (!line[strspn(line, " ")] || read_key(demo, line))
        return 0;
    if (line[0] == ':')
        return read_directive(demo, line, err);
    if (line[0] != '#')
        return read_command(demo, line, number, err);
    if (!(step = open_step(demo, number)))
        return error_set(err, E2BIG, "more than %u steps", DEMO_STEPS);
    return append(&step->told, line + 1 + (line[1] == ' ')) ? error_set(err, ENOMEM, "no memory")
                                                            : 0;
}

int
demo_read(struct demo *demo, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    unsigned number = 0;
    int rc = 0;

    if (!file)
        return error_set(err, errno, "cannot read '%s': %s", path, strerror(errno));
    while (!rc && (length = getline(&line, &room, file)) > 0) {
        number++;
        line[strcspn(line, "\r\n")] = 0;
        rc = length > DEMO_LONGEST ? error_set(err, E2BIG, "the line is too long")
                                   : read_line(demo, line, number, err);
    }
    free(line);
    fclose(file);
    if (rc)
        error_prefix(err, rc, "%s:%u", path, number);
    else if (!demo->title[0] || !demo->steps)
        rc = error_set(err, EINVAL, "'%s' is no demo: it has no 'title:', or no step", path);
    return rc;
}

void
demo_free(struct demo *demo)
{
    for (unsigned i = 0; i < demo->steps; i++) {
        struct demo_step *s = &demo->step[i];
        for (unsigned c = 0; c < s->checks; c++)
            free(s->check[c].text);
        free(s->told);
        free(s->command);
        free(s->picture);
        free(s->caption);
        free(s->output);
        free(s->image);
    }
    for (unsigned i = 0; i < demo->sessions; i++)
        free(demo->session_words[i]);
    demo->steps = demo->sessions = 0;
}
