/*
 * pty.c - a user at a terminal: types what a script says into a program, and prints what it shows.
 *
 *   pty SCRIPT PROGRAM ARGUMENT...
 *
 * SCRIPT is a file; each line is first the text to wait for, a '|', then what to type, with \t, \r,
 * \n, \e, \\, \xHH. An empty first part waits for nothing; an empty second part types nothing. Gives
 * up SECONDS after it began to wait. Status: the program's, or 99 with a sentence on stderr.
 * Called by debug.sh.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "debugger/escape.h"

#define SECONDS 120 /* a loaded machine is slow, and no failure */

/* What has come and was not yet waited for. */
static char seen[1 << 16];
static size_t seen_size;

/* Reads for up to `ms`. False: the program has closed its terminal, or nothing came. */
static bool
read_more(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char bytes[1024];

    if (poll(&p, 1, ms) <= 0)
        return false;
    ssize_t n = read(fd, bytes, sizeof(bytes));
    if (n <= 0)
        return false;
    fwrite(bytes, 1, (size_t)n, stdout);
    if ((size_t)n >= sizeof(seen) - seen_size)
        seen_size = 0;
    memcpy(seen + seen_size, bytes, (size_t)n);
    seen_size += (size_t)n;
    seen[seen_size] = 0;
    return true;
}

/* Waits for `text`; forgets what came up to its end. */
static bool
wait_for(int fd, const char *text)
{
    char *at;

    while (!(at = strstr(seen, text)))
        if (!read_more(fd, SECONDS * 1000))
            return false;
    at += strlen(text);
    seen_size -= (size_t)(at - seen);
    memmove(seen, at, seen_size + 1);
    return true;
}

static int
fail(const char *what, const char *text)
{
    fprintf(stderr, "pty: %s '%s'\n", what, text);
    return 99;
}

static int
play(int fd, FILE *script)
{
    char line[1024];

    while (fgets(line, sizeof(line), script)) {
        uint8_t bytes[512], text[512];
        size_t count, length;
        line[strcspn(line, "\n")] = 0;
        char *bar = strchr(line, '|');
        if (!bar)
            return fail("no '|' in", line);
        *bar = 0;
        if (unescape(line, text, sizeof(text) - 1, &length, NULL) ||
            unescape(bar + 1, bytes, sizeof(bytes), &count, NULL))
            return fail("not understood:", line);
        text[length] = 0;
        if (length && !wait_for(fd, (const char *)text))
            return fail("this did not come:", line);
        if (count && write(fd, bytes, count) != (ssize_t)count)
            return fail("cannot type", bar + 1);
    }
    return 0;
}

int
main(int argc, char **argv)
{
    struct winsize size = {.ws_row = 40, .ws_col = 120};
    FILE *script = argc > 2 ? fopen(argv[1], "re") : NULL;
    int fd, status;

    if (!script)
        return fail("needs a script and a program:", argc > 1 ? argv[1] : "");
    pid_t child = forkpty(&fd, NULL, NULL, &size);
    if (child < 0)
        return fail("forkpty:", strerror(errno));
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int rc = play(fd, script);
    fclose(script);
    while (rc == 0 && read_more(fd, SECONDS * 1000))
        ;
    close(fd); /* hangs up: a program that still waits ends */
    waitpid(child, &status, 0);
    fflush(stdout);
    if (rc)
        return rc;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
