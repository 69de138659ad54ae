/*
 * script.c - lines that nobody types: a pipe, a file, the user's rc.
 *
 * No prompt, no repetition, and the first line that fails ends it. Called by cmd_debug.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/prompt.h"

int
script_run(struct debugger *debugger, FILE *in, struct error *err)
{
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    ssize_t length;
    int rc = 0;

    while (!rc && !debugger->quit && (length = getline(&line, &room, in)) > 0) {
        number++;
        if (strlen(line) != (size_t)length)
            rc = error_set(err, EINVAL, "a zero byte");
        else
            rc = debugger_execute(debugger, line, err);
        fflush(debugger->out);
    }
    free(line);
    return rc ? error_prefix(err, rc, "line %u", number) : 0;
}

bool
script_path(char *path, size_t size, const char *variable, const char *home_part, const char *rest)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    int n;

    /* A relative path is to be ignored, says the specification. */
    if (base && base[0] == '/')
        n = snprintf(path, size, "%s/%s", base, rest);
    else if (home && home[0] == '/')
        n = snprintf(path, size, "%s/%s/%s", home, home_part, rest);
    else
        return false;
    return n > 0 && (size_t)n < size;
}

void
script_run_rc(struct debugger *debugger)
{
    char path[4096];
    struct error err = {""};
    FILE *file;

    if (!script_path(path, sizeof(path), "XDG_CONFIG_HOME", ".config", "hv/rc") ||
        !(file = fopen(path, "re")))
        return;
    if (script_run(debugger, file, &err))
        cli_error(STATUS_USER, "%s: %s", path, err.message);
    fclose(file);
}
