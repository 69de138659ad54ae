/*
 * host.c - the host's side of the containment tests: runs the attacks (on what bait.c has set up)
 * in a guest of strategy ski, prints the table and counts.
 *
 *   host HV ATTACKS FOLDER table       the control run, the table, a killed supervisor
 *   host HV ATTACKS FOLDER traced      the table under a tracer, that sees denied calls, and all
 *   host HV ATTACKS FOLDER matrix      the table again with each layer left out in turn (Markdown)
 *   host HV ATTACKS FOLDER lifecycle N   N starts and kills; nothing may be left
 *
 * FOLDER is an empty folder of the caller's; it is the working directory, and HV and ATTACKS are
 * names in it. Last line: "N passed, N failed, N skipped"; status 1 if any failed. Called by run.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "strategy/ski/ski.h"
#include "tests/ski/attacks.h"
#include "tests/ski/host.h"

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void
verdict(struct host *host, bool good, const char *what)
{
    printf("%s: %s\n", good ? "passed" : "FAILED", what);
    *(good ? &host->passed : &host->failed) += 1;
}

/* --- a run of the attacks --------------------------------------------------------------------- */

/* argv as a process, its output parsed. Standard input is the secret. */
static void
run(struct host *host, const char *const *argv, struct table *table)
{
    char line[512], path[4096];
    int fds[2], status = -1;

    table->rows = 0;
    if (pipe2(fds, O_CLOEXEC))
        return;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        snprintf(path, sizeof(path), "%s/secret", host->bait.folder);
        dup2(fds[1], 1);
        dup2(open(path, O_RDONLY | O_CLOEXEC), 0);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    note_hv(pid);
    close(fds[1]);
    FILE *file = fdopen(fds[0], "r");
    while (file && fgets(line, sizeof(line), file))
        if (table->rows < ROWS && bait_parse(line, &table->row[table->rows]))
            table->rows++;
    if (file)
        fclose(file);
    waitpid(pid, &status, 0);
    table->status = status;
}

void
run_guest(struct host *host, const char *without, struct table *table, long forks, long megabytes)
{
    char bomb[32], hog[32];
    const char *argv[32] = {host->hv, "run", "--strategy", "ski", "--i-know"};
    unsigned n = 5;

    snprintf(bomb, sizeof(bomb), "forks=%ld", forks);
    snprintf(hog, sizeof(hog), "megabytes=%ld", megabytes);
    if (host->level) {
        argv[n++] = "--trace";
        argv[n++] = "run.hvt";
        argv[n++] = "--trace-level";
        argv[n++] = host->level;
    }
    if (without) {
        argv[n++] = "--without";
        argv[n++] = without;
    }
    argv[n++] = "--";
    argv[n++] = host->attacks;
    argv[n++] = "guest";
    for (unsigned i = 0; i < 8; i++)
        argv[n++] = host->bait.words[i];
    argv[n++] = bomb;
    argv[n++] = hog;
    run(host, argv, table);
}

static void
run_control(struct host *host, struct table *table)
{
    const char *argv[16] = {host->attacks, "control"};

    for (unsigned i = 0; i < 8; i++)
        argv[2 + i] = host->bait.words[i];
    run(host, argv, table);
    rmdir(host->bait.words[7] + 5);
}

/* --- the table -------------------------------------------------------------------------------- */

static void
print_table(struct host *host, const struct table *table)
{
    for (unsigned i = 0; i < table->rows; i++) {
        const struct row *row = &table->row[i];
        bool stopped = !strcmp(row->verdict, "stopped"), skip = !strcmp(row->verdict, "skipped");
        printf("%2d  %-34s %-28s %s (%s)\n", row->number, row->name, row->layer,
               stopped ? "stopped"
               : skip  ? "skipped"
                       : "FAILED",
               row->detail);
        *(stopped ? &host->passed : skip ? &host->skipped : &host->failed) += 1;
    }
    if (table->rows < 40 || table->status)
        verdict(host, false, "the guest did not make all of its attacks");
}

/* Which of the attacks do work where nothing stops them? */
static void
print_control(struct host *host, const struct table *table)
{
    unsigned through = 0;

    for (unsigned i = 0; i < table->rows; i++) {
        const struct row *row = &table->row[i];
        if (!strcmp(row->verdict, "through"))
            through++;
        else
            printf("    %-34s not shown to work outside: %s\n", row->name, row->detail);
    }
    printf("    %u of the %u that are harmless outside get through there\n", through, table->rows);
    verdict(host, through >= (host->bait.root ? 15u : 10u),
            "control: the attacks work without isolation");
}

/* --- 15: the supervisor is killed ------------------------------------------------------------- */

/* hv with a guest that sleeps; returns when the guest is there. */
pid_t
start_sleeper(struct host *host, int *out)
{
    int fds[2];
    char byte;

    if (pipe2(fds, O_CLOEXEC))
        return -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 2);
        if (host->level)
            execl(host->hv, host->hv, "run", "--strategy", "ski", "--trace", "run.hvt",
                  "--trace-level", host->level, "--", host->attacks, "sleep", NULL);
        execl(host->hv, host->hv, "run", "--strategy", "ski", "--", host->attacks, "sleep", NULL);
        _exit(127);
    }
    note_hv(pid);
    close(fds[1]);
    *out = fds[0];
    if (read(fds[0], &byte, 1) != 1) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return -1;
    }
    return pid;
}

/* How long a guest outlives its supervisor's SIGKILL, in seconds; -1: it did not start. Its own end of the
 * pipe is closed when its last process is gone; its pid 1, an orphan, is ours to wait for. */
static double
outlives(struct host *host)
{
    char text[256];
    int out = -1;
    pid_t pid = start_sleeper(host, &out);

    if (pid < 0)
        return -1;
    double start = now(), gone;
    kill(pid, SIGKILL);
    while (read(out, text, sizeof(text)) > 0)
        ;
    gone = now() - start;
    close(out);
    waitpid(pid, NULL, 0);
    return gone;
}

/* The best of three: others may have the processor for a while. */
static void
kill_supervisor(struct host *host)
{
    char text[128];
    double gone = 0;

    for (int tries = 0; tries < 3 && (tries == 0 || gone >= 0.5); tries++)
        gone = outlives(host);
    if (gone < 0)
        snprintf(text, sizeof(text), "15: the guest did not start");
    else
        snprintf(text, sizeof(text),
                 "15: SIGKILL of the supervisor: the guest is gone after %.1f ms", gone * 1e3);
    verdict(host, gone >= 0 && gone < 0.5, text);
}

/* --- the matrix ------------------------------------------------------------------------------- */

static char
mark(const struct row *row)
{
    return !strcmp(row->verdict, "stopped")   ? '.'
           : !strcmp(row->verdict, "through") ? 'X'
           : !strcmp(row->verdict, "skipped") ? '-'
                                              : 'o';
}

/* A column a layer; rows that no layer's absence changes are printed, too: several layers stop them. */
static void
matrix(struct host *host)
{
    static struct table all[24];
    const char *name[24] = {"all"};
    unsigned layers = 1;

    run_guest(host, NULL, &all[0], 36, 80);
    for (const struct ski_layer *l = ski_layers; l->name && layers < 24; l++) {
        if (!host->bait.root && (l->bit & (SKI_LAYER_USER | SKI_LAYER_CGROUP)))
            continue; /* there is nothing without the one, and never the other */
        name[layers] = l->name;
        run_guest(host, l->name, &all[layers], 36, 80);
        if (all[layers].rows != all[0].rows)
            verdict(host, false, l->name);
        layers++;
    }
    printf("| # | attack |");
    for (unsigned i = 0; i < layers; i++)
        printf(" %s |", name[i]);
    printf("\n| --- | --- |");
    for (unsigned i = 0; i < layers; i++)
        printf(" --- |");
    printf("\n");
    for (unsigned r = 0; r < all[0].rows; r++) {
        printf("| %d | %s |", all[0].row[r].number, all[0].row[r].name);
        for (unsigned i = 0; i < layers; i++)
            printf(" %c |", r < all[i].rows ? mark(&all[i].row[r]) : '?');
        printf("\n");
        bool good = strcmp(all[0].row[r].verdict, "through") && mark(&all[0].row[r]) != 'o';
        *(good ? &host->passed : &host->failed) += 1;
    }
}

/* A tracer answers the denied calls itself; nothing may get through because of that. */
static void
traced(struct host *host, struct table *table)
{
    static const char *const levels[] = {"denied", "all"};
    static struct before before;

    look_before(host, &before);
    for (unsigned i = 0; i < 2; i++) {
        host->level = levels[i];
        printf("traced, level %s:\n", levels[i]);
        run_guest(host, NULL, table, 100, 512);
        print_table(host, table);
        kill_supervisor(host);
        unlink("run.hvt");
    }
    host->level = NULL;
    run_guest(host, NULL, table, 1, 1);
    check_nothing_left(host, &before);
}

int
main(int argc, char **argv)
{
    static struct table table;
    static struct before before;

    if (argc < 5)
        return 2;
    struct host host = {.hv = argv[1], .attacks = argv[2], .bait = {.folder = argv[3]}};
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what hv loses comes to us */
    bait_set_up(&host.bait);
    if (!strcmp(argv[4], "table")) {
        look_before(&host, &before);
        printf("control, without isolation:\n");
        run_control(&host, &table);
        print_control(&host, &table);
        printf("\n #  attack                             stopped by                   result\n");
        run_guest(&host, NULL, &table, 100, 512);
        print_table(&host, &table);
        kill_supervisor(&host);
        run_guest(&host, NULL, &table, 1, 1);
        check_nothing_left(&host, &before);
    } else if (!strcmp(argv[4], "traced")) {
        traced(&host, &table);
    } else if (!strcmp(argv[4], "matrix")) {
        matrix(&host);
    } else if (argc > 5) {
        lifecycle(&host, (unsigned)atoi(argv[5]));
    }
    bait_tear_down(&host.bait);
    fprintf(stderr, "ski as %s, %s: %u passed, %u failed, %u skipped\n",
            host.bait.root ? "root" : "a user", argv[4], host.passed, host.failed, host.skipped);
    return host.failed != 0;
}
