/*
 * host_task.c - the tasks of the guest: who there is, letting them go, and killing them all.
 *
 * Next: host_report.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "engine/host.h"

#define END_NS 2000000000u /* how long the killed may take to be gone */

struct host_task *
host_task_find(const struct engine_vm *host, pid_t tid)
{
    for (unsigned i = 0; i < host->tasks; i++)
        if (host->task[i]->tid == tid)
            return host->task[i];
    return NULL;
}

struct host_task *
host_task_add(struct engine_vm *host, pid_t tid, bool loud)
{
    struct host_task *task;

    if (host->tasks == host->room) {
        unsigned room = host->room ? 2 * host->room : 16;
        struct host_task **grown = realloc(host->task, room * sizeof(*grown));
        if (!grown)
            return NULL;
        host->task = grown;
        host->room = room;
    }
    task = calloc(1, sizeof(*task));
    if (!task)
        return NULL;
    task->tid = task->pid = tid;
    task->loud = loud;
    if (loud)
        task->number = host->born++;
    host->task[host->tasks++] = task;
    return task;
}

void
host_task_remove(struct vm *vm, struct host_task *task)
{
    struct engine_vm *host = vm->engine;

    if (vm->vcpu[0].engine->current == task)
        vm->vcpu[0].engine->current = NULL;
    for (unsigned i = 0; i < host->tasks; i++)
        if (host->task[i] == task)
            host->task[i] = host->task[--host->tasks];
    if (host->running == task->tid)
        host->running = host->tasks ? host->task[0]->tid : 0;
    free(task);
}

void
host_task_resume(struct engine_vm *host, struct host_task *task)
{
    bool calls = task->loud && host->vm->process_trace == PROCESS_TRACE_ALL;

    host_arm(host, task, false);
    task->stopped = task->newborn = task->at_call = task->stepping = false;
    host->running = task->tid;
    if (task->listening)
        ptrace(PTRACE_LISTEN, task->tid, 0, 0);
    else /* ESRCH: it was killed; waitpid() will say so */
        ptrace(calls ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, 0, (long)task->signal);
    task->signal = 0;
}

void
host_task_step(struct engine_vm *host, struct host_task *task)
{
    host_arm(host, task, true);
    task->stopped = false;
    task->stepping = true;
    host->running = task->tid;
    ptrace(PTRACE_SINGLESTEP, task->tid, 0, (long)task->signal);
    task->signal = 0;
}

/* A killed task that is traced stops once more, at PTRACE_EVENT_EXIT: it is let go until it is gone. */
void
host_tasks_end(struct vm *vm)
{
    struct engine_vm *host = vm->engine;
    uint64_t until = now_ns() + END_NS;

    for (unsigned i = 0; i < host->tasks; i++) {
        kill(host->task[i]->tid, SIGKILL);
        ptrace(PTRACE_CONT, host->task[i]->tid, 0, 0); /* one that ends already does not feel it */
    }
    if (host->first)
        kill(host->first, SIGKILL);
    while ((host->tasks || host->first) && now_ns() < until) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);
        if (tid < 0 && errno != EINTR)
            break;
        if (tid <= 0) {
            sleep_ns(200000);
            continue;
        }
        if (WIFSTOPPED(status)) {
            kill(tid, SIGKILL);
            ptrace(PTRACE_CONT, tid, 0, 0);
            continue;
        }
        struct host_task *task = host_task_find(host, tid);
        if (task)
            host_task_remove(vm, task);
        if (tid == host->first)
            host->first = 0;
    }
    while (host->tasks)
        host_task_remove(vm, host->task[0]);
}
