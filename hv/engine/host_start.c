/*
 * host_start.c - the process of engine host begins: whoever isolates it starts it, or fork and exec
 * do; the engine takes hold of it, and follows it silently to the first instruction of the program.
 *
 * While it is traced, tracer and guest share one processor: at each stop one waits for the other
 * anyway, and to wake somebody on another processor takes several times longer (docs/ENGINES.md has
 * the figures).
 *
 * Next: host_report.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "engine/host.h"

#define OPTIONS                                                                                    \
    (PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |      \
     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

/* --- may we trace at all? ----------------------------------------------------------------------- */

int
host_probe(struct error *err)
{
    pid_t pid = fork();
    int failed;

    if (pid < 0)
        return error_set(err, errno, "cannot make a process: %s", strerror(errno));
    if (pid == 0) {
        pause();
        _exit(0);
    }
    failed = ptrace(PTRACE_SEIZE, pid, 0, 0L) ? errno : 0;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    if (failed)
        return error_set(err, failed,
                         "a process may not trace its own child here (%s): look at "
                         "/proc/sys/kernel/yama/ptrace_scope, and at the container that hv runs in",
                         strerror(failed));
    return 0;
}

/* --- without isolation -------------------------------------------------------------------------- */

/* The child: waits to be let go, then becomes the program, or says why not. */
static void
become(const struct process_spec *spec, int go, int failure)
{
    char byte;
    int number;

    while (read(go, &byte, 1) < 0 && errno == EINTR)
        ;
    execve(spec->path, spec->argv, spec->envp);
    number = errno;
    if (write(failure, &number, sizeof(number)) != sizeof(number))
        _exit(126);
    _exit(127);
}

/* The pipe closes when the program begins (O_CLOEXEC), or holds execve()'s errno. */
struct plain {
    int failure;
};

static int
plain_failed(struct plain *plain, const struct process_spec *spec, struct error *err)
{
    int number = 0;
    ssize_t n = read(plain->failure, &number, sizeof(number));

    if (n != (ssize_t)sizeof(number))
        return 0;
    return error_set(err, number, "cannot run '%s': %s", spec->path, strerror(number));
}

static int
plain_start(struct plain *plain, const struct process_spec *spec, const struct process_watch *watch,
            pid_t *first, struct error *err)
{
    int go[2], failure[2], rc = 0;
    pid_t pid;

    if (pipe2(go, O_CLOEXEC))
        return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
    if (pipe2(failure, O_CLOEXEC)) {
        close(go[0]), close(go[1]);
        return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
    }
    pid = fork();
    if (pid == 0) {
        close(go[1]);
        become(spec, go[0], failure[1]);
    }
    close(go[0]), close(failure[1]);
    plain->failure = failure[0];
    if (pid < 0)
        rc = error_set(err, errno, "cannot make a process: %s", strerror(errno));
    else if (watch)
        rc = watch->attach(watch->context, pid, err);
    if (rc && pid > 0)
        kill(pid, SIGKILL);
    close(go[1]); /* it may go */
    if (rc && pid > 0)
        while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
            ;
    if (rc)
        return rc;
    *first = pid;
    return 0;
}

/* --- tracing from the beginning ------------------------------------------------------------------ */

static int
attach(void *context, pid_t pid, struct error *err)
{
    struct engine_vm *host = context;

    if (ptrace(PTRACE_SEIZE, pid, 0, (long)OPTIONS))
        return error_set(err, errno, "cannot trace process %d: %s", (int)pid, strerror(errno));
    if (!host_task_add(host, pid, false))
        return error_set(err, ENOMEM, "no memory for a task");
    host->first = pid;
    return 0;
}

static void
pin(struct engine_vm *host)
{
    int cpu = sched_getcpu();
    cpu_set_t one;

    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(host->cpus), &host->cpus))
        return;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    host->pinned = !sched_setaffinity(0, sizeof(one), &one);
}

/* The child inherits descriptors 0, 1 and 2 as they are now: *saved are hv's own. */
static int
redirect(const struct vm *vm, int saved[3], struct error *err)
{
    const int wanted[3] = {vm->process_input, vm->process_output, vm->process_output};

    for (int fd = 0; fd < 3; fd++)
        saved[fd] = wanted[fd] < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    for (int fd = 0; fd < 3; fd++)
        if (wanted[fd] >= 0 && (saved[fd] < 0 || dup2(wanted[fd], fd) < 0))
            return error_set(err, errno, "cannot give the program its files: %s", strerror(errno));
    return 0;
}

static void
restore(int saved[3])
{
    for (int fd = 0; fd < 3; fd++)
        if (saved[fd] >= 0) {
            dup2(saved[fd], fd);
            close(saved[fd]);
        }
}

static int
start(struct vm *vm, struct plain *plain, struct error *err)
{
    struct engine_vm *host = vm->engine;
    const struct process_watch watch = {.attach = attach, .context = host};
    const struct process_watch *watches = host->traced ? &watch : NULL;
    int saved[3], rc;
    pid_t first = 0;

    fflush(NULL);
    rc = redirect(vm, saved, err);
    if (!rc)
        rc = vm->process
                 ? vm->process->start(vm->process_context, vm->program, watches, &first, err)
                 : plain_start(plain, vm->program, watches, &first, err);
    restore(saved);
    host->first = rc ? 0 : first;
    return rc;
}

/* Follows everybody until one has exec'ed: that one is the program, and stays stopped. */
static int
follow(struct vm *vm, struct plain *plain, struct error *err)
{
    struct engine_vm *host = vm->engine;
    struct vcpu *vcpu = &vm->vcpu[0];
    struct host_report report;
    int rc;

    while (!(rc = host_wait(host, 0, &report)))
        if (host_report_take(vcpu, &report)) {
            if (vcpu->exit.kind == TRACE_EXEC)
                return 0;
            break;
        }
    if (rc == -EINTR)
        return error_set(err, EINTR, "interrupted before the program began");
    rc = vm->process ? vm->process->failed(vm->process_context, err)
                     : plain_failed(plain, vm->program, err);
    return rc ? rc
              : error_set(err, ECHILD, "the process has ended before it became '%s'",
                          vm->program->path);
}

int
host_start(struct vm *vm, struct error *err)
{
    struct engine_vm *host = vm->engine;
    struct plain plain = {-1};
    int rc;

    if (!vm->program)
        return error_set(err, EINVAL, "engine host runs a program of this host, and got none");
    host->traced = vm->process_trace != PROCESS_TRACE_OFF;
    if (host->traced)
        pin(host);
    rc = start(vm, &plain, err);
    if (!rc && host->traced)
        rc = follow(vm, &plain, err);
    else if (!rc && !vm->process)
        rc = plain_failed(&plain, vm->program, err);
    if (plain.failure >= 0)
        close(plain.failure);
    host->start = now_ns();
    vm->vcpu[0].exit.no_entry = true; /* it has not come out yet: run() shows the exec first */
    return rc;
}
