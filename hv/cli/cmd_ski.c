/*
 * cmd_ski.c - `hv ski`: what can be done with guests of strategy ski beside running one.
 *
 *   spawn   N guests at once from one image: how long a start takes, how much memory a guest is
 *   sweep   what killed supervisors have left
 *   denied  the system calls that the filter denies, and why
 *
 * Called by main.c through command_ski. Next: strategy/ski/start.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/ski_options.h"

#define SPAWN_MAX 10000

/* --- spawn ------------------------------------------------------------------------------------ */

struct spawn {
    unsigned count, started;
    struct ski **guest;
    pid_t *first;       /* of each, its first process */
    uint64_t *ns;       /* from before the first step to the exec of the program */
    uint64_t available; /* of the host's memory, before, in KiB */
};

static int
by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* "MemAvailable:  123 kB" of /proc/meminfo (proc(5)). */
static uint64_t
memory_available(void)
{
    char line[128];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/meminfo", "re");

    while (file && fgets(line, sizeof(line), file) &&
           sscanf(line, "MemAvailable: %" SCNu64, &kib) != 1)
        ;
    if (file)
        fclose(file);
    return kib;
}

/* What the cgroups say: memory that is charged to the guests, the page cache of their files too. */
static uint64_t
memory_charged(const struct spawn *spawn)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < spawn->started; i++) {
        uint64_t v2 = ski_cgroup_number(spawn->guest[i], "memory", "memory.current", NULL);
        bytes += v2 ? v2
                    : ski_cgroup_number(spawn->guest[i], "memory", "memory.usage_in_bytes", NULL);
    }
    return bytes;
}

static int
start_all(struct spawn *spawn, const struct ski_setup *setup, struct error *err)
{
    int rc = 0;

    for (unsigned i = 0; i < spawn->count && !rc; i++) {
        uint64_t start = now_ns();
        spawn->guest[i] = ski_open(&setup->options);
        if (!spawn->guest[i])
            return error_set(err, ENOMEM, "no memory for guest %u", i + 1);
        rc = ski_start(spawn->guest[i], &setup->spec, NULL, &spawn->first[i], err);
        spawn->ns[i] = now_ns() - start;
        if (!rc)
            spawn->started++;
    }
    return rc ? error_prefix(err, rc, "guest %u", spawn->started + 1) : 0;
}

/* How many have ended by now; ski_close() still waits for them. */
static unsigned
count_ended(const struct spawn *spawn)
{
    unsigned ended = 0;

    for (unsigned i = 0; i < spawn->started; i++) {
        siginfo_t info = {.si_pid = 0};
        ended += !waitid(P_PID, (id_t)spawn->first[i], &info, WEXITED | WNOHANG | WNOWAIT) &&
                 info.si_pid;
    }
    return ended;
}

static void
report(struct spawn *spawn)
{
    unsigned n = spawn->started, ended = count_ended(spawn);
    uint64_t left = memory_available(), charged = memory_charged(spawn);

    if (!n)
        return;
    qsort(spawn->ns, n, sizeof(spawn->ns[0]), by_value);
    if (ended)
        printf("%u guests, of which %u have ended: not all were there at once\n", n, ended);
    else
        printf("%u guests, all alive at once\n", n);
    printf("start to the program's first instruction (exec): median %.2f ms, p99 %.2f ms, longest "
           "%.2f ms\n",
           (double)spawn->ns[n / 2] / 1e6, (double)spawn->ns[(n * 99 - 1) / 100] / 1e6,
           (double)spawn->ns[n - 1] / 1e6);
    if (spawn->available > left)
        printf("memory of the host that is gone: %.0f KiB a guest; %.0f guests would fill a GiB\n",
               (double)(spawn->available - left) / n,
               1048576.0 * n / (double)(spawn->available - left));
    if (charged)
        printf("memory charged to their cgroups: %.0f KiB a guest\n", (double)charged / 1024 / n);
    if (ski_degraded(spawn->guest[0])[0])
        printf("%s\n", ski_degraded(spawn->guest[0]));
}

/* The guests hold still: they read from a pipe that nobody writes to, and print nowhere. */
static int
hold_still(int saved[2])
{
    int fds[2], nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    fflush(stdout);
    saved[0] = dup(STDIN_FILENO);
    saved[1] = dup(STDOUT_FILENO);
    if (nowhere < 0 || saved[0] < 0 || saved[1] < 0 || pipe(fds))
        return -errno;
    dup2(fds[0], STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    close(fds[0]);
    close(nowhere);
    return fds[1];
}

static int
spawn_run(const struct args *args)
{
    struct ski_setup setup;
    struct spawn spawn = {0};
    struct error err = {""};
    uint64_t count = 100;
    int saved[2], rc;

    if (args_number(args, "count", &count, &err) || ski_read_options(&setup, args, 1, &err))
        return cli_error(STATUS_USER, "%s", err.message);
    if (count < 1 || count > SPAWN_MAX)
        return cli_error(STATUS_USER, "option '--count': 1 to %d guests", SPAWN_MAX);
    spawn.count = (unsigned)count;
    spawn.guest = calloc(count, sizeof(struct ski *));
    spawn.first = calloc(count, sizeof(pid_t));
    spawn.ns = calloc(count, sizeof(uint64_t));
    int hold = hold_still(saved);
    if (!spawn.guest || !spawn.first || !spawn.ns || hold < 0)
        return cli_error(STATUS_OURS, "no memory or no pipe");
    ski_sweep();
    spawn.available = memory_available();
    rc = start_all(&spawn, &setup, &err);
    dup2(saved[0], STDIN_FILENO);
    dup2(saved[1], STDOUT_FILENO);
    report(&spawn);
    for (unsigned i = 0; i < spawn.count; i++)
        ski_close(spawn.guest[i]);
    close(hold);
    close(saved[0]);
    close(saved[1]);
    free(spawn.guest);
    free(spawn.first);
    free(spawn.ns);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}

/* --- the others ------------------------------------------------------------------------------- */

static int
print_denied(void)
{
    unsigned count = 0;

    for (const struct ski_denial *d = ski_denials; d->name; d++, count++)
        printf("%-18s %-22s %-6s %s\n", d->name, d->when ? d->when : "", strerrorname_np(d->error),
               d->reason);
    printf("%u system calls; another architecture: killed; numbers newer than these and those of "
           "x32: ENOSYS\n",
           count);
    return STATUS_OK;
}

static int
run_ski_command(const struct args *args)
{
    const char *action = args->word[0];

    if (!strcmp(action, "spawn"))
        return spawn_run(args);
    if (!strcmp(action, "denied"))
        return print_denied();
    if (!strcmp(action, "sweep")) {
        printf("%u cgroups of killed supervisors removed\n", ski_sweep());
        return STATUS_OK;
    }
    return cli_error(STATUS_USER, "'hv ski' does not know '%s': spawn, sweep, denied", action);
}

static const struct option_desc options[] = {
    {"count", 'n', "N", "spawn: so many guests (100)."},
    {"mem", 'm', "SIZE", "Each guest's memory at most (64M)."},
    {NULL},
};

const struct command command_ski = {
    .name = "ski",
    .words = "spawn -- PROGRAM ARGS | sweep | denied",
    .min = 1,
    .max = ARGS_MAX,
    .summary = "Start many isolated processes at once; look after them.",
    .text = "spawn starts N guests of strategy ski from one image and prints how long a start\n"
            "takes and how much memory a guest is. The guests read from a pipe that nobody\n"
            "writes to, and print nowhere; take a program that waits, as 'cat', to have them all "
            "alive at once.\n\n"
            "sweep removes cgroups that killed supervisors have left; each start does it, too.\n"
            "denied lists the system calls that the filter denies, and why (docs/SKI.md).\n",
    .options = {options, ski_option_table},
    .run = run_ski_command,
};
