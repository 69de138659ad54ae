/*
 * main.c - runs Debian's memtest86+ on the soft engine and reads its screen.
 *
 * memtest86+ is a guest that nobody here wrote: it sizes memory, calibrates timers, relocates
 * itself while it runs, and notices every bit that the interpreter gets wrong. It draws its screen
 * on the serial line. When the screen says that test #5 runs and there are no errors, tests #0 to
 * #4 have passed, and hv is told to stop.
 *
 * Usage: memtest-run HV IMAGE INSTRUCTIONS. Status 0: passed; 1: errors, or the number of
 * instructions was used up. Called by check.sh. Next: screen.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/memtest/screen.h"

#define TESTS 5 /* the first that need not pass */

enum verdict { GOES_ON, PASSED, FAILED };

struct run {
    struct screen screen;
    int keyboard, serial; /* hv's standard input and output */
    pid_t pid;
    int test; /* that was seen last; -1: none */
};

static void
die(const char *what)
{
    fprintf(stderr, "memtest-run: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void
start(struct run *r, const char *hv, const char *image, const char *instructions)
{
    char limit[64];
    int in[2], out[2];

    snprintf(limit, sizeof(limit), "instructions=%s", instructions);
    if (pipe(in) || pipe(out))
        die("pipe");
    r->pid = fork();
    if (r->pid < 0)
        die("fork");
    if (!r->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl(hv, hv, "run", "--engine", "soft", "--mem", "32M", "--append",
              "console=ttyS0,115200 nosmp", "--limit", limit, image, (char *)NULL);
        die(hv);
    }
    close(in[0]);
    close(out[1]);
    r->keyboard = in[1];
    r->serial = out[0];
}

/*
 * The terminal is cleared when memtest86+ has set up its serial line. It then waits some seconds
 * for a key before it starts: Enter spares us these. Should it be lost, all takes longer.
 */
static void
press_enter(struct run *r)
{
    if (r->keyboard < 0)
        return;
    if (write(r->keyboard, "\r", 1) != 1)
        die("hv has closed its standard input");
    close(r->keyboard);
    r->keyboard = -1;
}

/* The row with the errors is the last one of an update: with it the screen is true. */
static enum verdict
judge(struct run *r)
{
    int test = screen_number(&r->screen, "Test #"), errors = screen_number(&r->screen, "Errors:");

    if (test < 0 || errors < 0)
        return GOES_ON;
    if (test != r->test)
        printf("  test #%d has started, errors: %d\n", test, errors);
    fflush(stdout);
    r->test = test;
    if (errors)
        return FAILED;
    return test >= TESTS ? PASSED : GOES_ON;
}

static enum verdict
watch(struct run *r)
{
    enum verdict verdict = GOES_ON;
    char bytes[256];
    ssize_t n;

    while (verdict == GOES_ON && (n = read(r->serial, bytes, sizeof(bytes))) > 0) {
        press_enter(r);
        for (ssize_t i = 0; i < n && verdict == GOES_ON; i++)
            if (screen_put(&r->screen, bytes[i]) &&
                strstr(r->screen.text[r->screen.row], "Errors:"))
                verdict = judge(r);
    }
    return verdict;
}

/* What hv still has to say: it would complain if nobody took it. */
static void
drain(struct run *r)
{
    char bytes[256];

    while (read(r->serial, bytes, sizeof(bytes)) > 0)
        ;
    close(r->serial);
}

int
main(int argc, char **argv)
{
    static struct run r = {.test = -1};

    if (argc != 4) {
        fprintf(stderr, "usage: memtest-run HV IMAGE INSTRUCTIONS\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    screen_clear(&r.screen);
    start(&r, argv[1], argv[2], argv[3]);
    enum verdict verdict = watch(&r);
    if (verdict != GOES_ON)
        kill(r.pid, SIGINT);
    drain(&r);
    while (waitpid(r.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    screen_print(&r.screen, stdout);
    printf("  %s: tests #0 to #%d: %s\n", argv[2], TESTS - 1,
           verdict == PASSED   ? "complete, 0 errors"
           : verdict == FAILED ? "there are ERRORS"
                               : "NOT complete when hv ended");
    return verdict != PASSED;
}
