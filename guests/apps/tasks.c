/*
 * tasks.c - runs several programs. `tasks serial|preempt|faults`
 *
 *   serial    one after the other: the console is the same to the byte in every run
 *   preempt   all at once, the timer takes turns
 *   faults    one after the other, programs that each do what ends them
 */
#include "lib.h"

struct task {
    char *program, *name, *argument;
};

static const struct task standard[] = {
    {"count", "red", "4"}, /* two that compute: they compete for the processor */
    {"count", "blue", "4"},
    {"nap", "nap", "2"},         /* one that mostly sleeps */
    {"lazy", "lazy", NULL},      /* one whose memory appears as it is touched */
    {"probe", "probe", NULL},    /* one that asks for what it must not get */
    {"wild", "wild", "nowhere"}, /* and one that the kernel has to end */
    {0},
};
static const struct task faults[] = {
    {"wild", "wild", "kernel"},     {"wild", "wild", "code"},   {"wild", "wild", "stack"},
    {"wild", "wild", "privileged"}, {"wild", "wild", "divide"}, {"wild", "wild", "undefined"},
    {"wild", "wild", "breakpoint"}, {"wild", "wild", "float"},  {0},
};

static int64_t
start(const char *argv0, const struct task *t, char **envp)
{
    char *argv[] = {t->name, t->argument, NULL}, path[256];
    int64_t pid = sys_fork();
    if (pid)
        return pid;
    if (path_beside(argv0, t->program, path, sizeof(path)))
        sys_execve(path, argv, envp);
    say("tasks: cannot run %s\n", t->program);
    sys_exit(127);
}

static void
finish(const struct task *t, int64_t pid)
{
    int status = 0;
    if (pid < 0 || sys_wait(pid, &status) != pid)
        say("tasks: %s is lost\n", t->name);
    else if (status & 0x7f)
        say("tasks: %s %s was ended by signal %d\n", t->name, t->argument ? t->argument : "",
            (int64_t)(status & 0x7f));
    else
        say("tasks: %s exited with %d\n", t->name, (int64_t)status_of(status));
}

int
main(int argc, char **argv, char **envp)
{
    const char *kind = argc > 1 ? argv[1] : "serial";
    const struct task *tasks = equal(kind, "faults") ? faults : standard;
    int64_t pids[8];
    bool serial = !equal(kind, "preempt");

    for (int i = 0; tasks[i].program; i++) {
        pids[i] = start(argv[0], &tasks[i], envp);
        if (serial)
            finish(&tasks[i], pids[i]);
    }
    for (int i = 0; tasks[i].program && !serial; i++)
        finish(&tasks[i], pids[i]);
    return 0;
}
