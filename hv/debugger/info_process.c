/*
 * info_process.c - `info maps`, `namespaces`, `cgroup`, `capabilities`, `filter`: what the host's kernel
 * knows of a process that is debugged (engine host), from /proc and the cgroup's files.
 *
 * What these files hold, a guest may have chosen (names of files, of processes): it is cleaned before
 * it is printed. Called through commands_info.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debugger/info.h"
#include "debugger/paint.h"
#include "strategy/ski/ski.h"
#include "tracer/describe.h"

#define LINES_MAX 4096 /* of a file that a guest can make long */

/* 0, or why there is no process to look at. */
static int
find_process(struct debugger *d, int *pid, struct error *err)
{
    const struct machine *m = d->machine;

    if (!m->vm)
        return error_set(err, ENODATA, "a recording has no process: it knows the exits alone");
    if (!m->vm->engine_ops->process)
        return error_set(err, ENOTSUP,
                         "engine %s runs a machine, not a process of this host: see 'info mem', "
                         "'info sregs'",
                         m->engine);
    *pid = m->ended ? 0 : m->vm->engine_ops->process(m->vcpu);
    if (!*pid)
        return error_set(err, ESRCH, "the process is gone");
    return 0;
}

int
info_of_machine(const struct debugger *d, const char *what, struct error *err)
{
    const struct machine *m = d->machine;

    if (!m->vm || !m->vm->engine_ops->process)
        return 0;
    return error_set(err, ENOTSUP,
                     "the guest is a process and sees no %s: the host's kernel keeps that for "
                     "itself; 'info maps', 'info registers' and 'info filter' show what a process "
                     "has",
                     what);
}

static FILE *
open_file(int pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return fopen(path, "re");
}

/* The first lines of a file, which is closed. */
static void
print_file(struct debugger *d, FILE *file, unsigned lines)
{
    char line[512];

    while (lines-- && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = 0;
        fprintf(d->out, "%s\n", describe_clean(line));
    }
    fclose(file);
}

int
info_maps(struct debugger *d, const char *arguments, struct error *err)
{
    int pid, rc = find_process(d, &pid, err);
    FILE *file;

    (void)arguments;
    if (rc)
        return rc;
    if (!(file = open_file(pid, "maps")))
        return error_set(err, errno, "cannot read the map of process %d: %s", pid, strerror(errno));
    fprintf(d->out, "process %d of the host\n", pid);
    print_file(d, file, LINES_MAX);
    return 0;
}

int
info_namespaces(struct debugger *d, const char *arguments, struct error *err)
{
    static const char *const names[] = {"user", "mnt", "pid",    "net",
                                        "uts",  "ipc", "cgroup", "time"};
    int pid, rc = find_process(d, &pid, err);

    (void)arguments;
    if (rc)
        return rc;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64], its[64] = "", ours[64] = "";
        snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, names[i]);
        bool known = readlink(path, its, sizeof(its) - 1) > 0;
        snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        known &= readlink(path, ours, sizeof(ours) - 1) > 0;
        fprintf(d->out, "%-8s %-24s %s\n", names[i], its,
                !known              ? "not known"
                : strcmp(its, ours) ? "its own"
                                    : "the host's: nothing is kept apart here");
    }
    return 0;
}

/* One file of the cgroup, if it is there: version 2's name or version 1's. */
static void
print_figure(struct debugger *d, const char *controller, const char *file, const char *label)
{
    struct ski *ski = d->machine->vm->process_context;
    const char *folder = ski ? ski_cgroup(ski, controller) : NULL;
    char path[512], line[128];
    FILE *in;

    if (!folder)
        return;
    snprintf(path, sizeof(path), "%.400s/%s", folder, file);
    if (!(in = fopen(path, "re")))
        return;
    while (fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\n")] = 0;
        fprintf(d->out, "%-8s %-28s %s\n", controller, label, describe_clean(line));
    }
    fclose(in);
}

int
info_cgroup(struct debugger *d, const char *arguments, struct error *err)
{
    static const struct {
        const char *controller, *file, *label;
    } figures[] = {
        {"memory", "memory.current", "bytes in use"},
        {"memory", "memory.usage_in_bytes", "bytes in use"},
        {"memory", "memory.max", "limit"},
        {"memory", "memory.limit_in_bytes", "limit"},
        {"pids", "pids.current", "processes"},
        {"pids", "pids.max", "limit"},
        {"cpu", "cpu.max", "us of each period"},
        {"cpu", "cpu.cfs_quota_us", "us of each period"},
        {"cpu", "cpu.stat", "used"},
    };
    int pid, rc = find_process(d, &pid, err);
    FILE *file;

    (void)arguments;
    if (rc)
        return rc;
    if ((file = open_file(pid, "cgroup")))
        print_file(d, file, 32);
    for (unsigned i = 0;
         !strcmp(d->machine->strategy, "ski") && i < sizeof(figures) / sizeof(figures[0]); i++)
        print_figure(d, figures[i].controller, figures[i].file, figures[i].label);
    return 0;
}

int
info_capabilities(struct debugger *d, const char *arguments, struct error *err)
{
    static const struct {
        const char *field, *text;
    } fields[] = {
        {"Uid:", "real, effective, saved, file system: as the host sees them"},
        {"CapPrm:", "may be made effective"},
        {"CapEff:", "what it may do now, in its user namespace"},
        {"CapBnd:", "what exec may ever give it"},
        {"CapAmb:", "what it keeps over exec"},
        {"NoNewPrivs:", "1: exec gives nothing, set-user-ID neither"},
        {"Seccomp:", "2: a filter decides each system call"},
        {"Seccomp_filters:", "how many filters"},
    };
    char line[256];
    int pid, rc = find_process(d, &pid, err);
    FILE *file;

    (void)arguments;
    if (rc)
        return rc;
    if (!(file = open_file(pid, "status")))
        return error_set(err, errno, "cannot read the state of process %d: %s", pid,
                         strerror(errno));
    while (fgets(line, sizeof(line), file))
        for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
            if (!strncmp(line, fields[i].field, strlen(fields[i].field))) {
                for (char *c = line; *c; c++)
                    *c = *c == '\t' ? ' ' : *c == '\n' ? 0 : *c;
                fprintf(d->out, "%-36s %s\n", describe_clean(line), fields[i].text);
            }
    fclose(file);
    return 0;
}

int
info_filter(struct debugger *d, const char *arguments, struct error *err)
{
    unsigned count = 0;

    (void)arguments;
    if (!d->machine->strategy || strcmp(d->machine->strategy, "ski"))
        return error_set(err, ENOTSUP, "strategy %s has no filter of system calls",
                         d->machine->strategy ? d->machine->strategy : "(unknown)");
    for (const struct ski_denial *row = ski_denials; row->name; row++, count++)
        fprintf(d->out, "%-18s %-7s %s%s%s\n", row->name, strerrorname_np(row->error),
                row->when ? row->when : "", row->when ? ": " : "", row->reason);
    fprintf(d->out,
            "%u are denied; what is not listed passes, and numbers that are newer than the "
            "list do not exist (ENOSYS)\n",
            count);
    return 0;
}
