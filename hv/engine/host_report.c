/*
 * host_report.c - what waitpid() says of a traced task, and which exit that is (ptrace(2)).
 *
 * A task that was seized stops for four reasons: at a system call (SIGTRAP | 80), at an event that
 * the tracer has asked for (its number above the signal), with all of its process because of a signal
 * such as SIGSTOP (PTRACE_EVENT_STOP with that signal), and before a signal is delivered. Only what
 * happens to tasks after the first exec is an exit.
 *
 * SIGKILL is delivered at any time, so a task may be gone whatever waitpid() has said of it: every
 * ptrace() here may fail with ESRCH, and then the next report says how it ended.
 *
 * Called by host.c. Next: host_call.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/host.h"

#define CODE_CALL_DONE 1 /* TRAP_BRKPT, of a SIGTRAP: a step began within a system call */
#define SYSCALL_STOP   (SIGTRAP | 0x80)

int
host_wait(struct engine_vm *host, pid_t only, struct host_report *report)
{
    if (host->kept.tid && (!only || host->kept.tid == only)) {
        *report = host->kept;
        host->kept.tid = 0;
        return 0;
    }
    for (;;) {
        if (host->kicked)
            return -EINTR;
        report->tid = waitpid(only ? only : -1, &report->status, __WALL);
        if (report->tid >= 0)
            return 0;
        if (errno != EINTR)
            return -ECHILD;
    }
}

void
host_exit_begin(struct vcpu *vcpu, struct host_task *task, enum trace_kind kind)
{
    struct __ptrace_syscall_info info;

    memset(&info, 0, sizeof(info));
    /* Of any stop it tells the instruction pointer. */
    if (task->at_call)
        info = task->call;
    else
        ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info);
    vcpu->exit = (struct vm_exit){
        .kind = kind, .rip = info.instruction_pointer, .user = true, .in_kernel = task->in_call};
    vcpu->id = task->number;
    vcpu->engine->current = task;
}

/* --- birth and death ---------------------------------------------------------------------------- */

/* Those whose parent was killed before it could tell of them wait in vain. */
static void
adopt_orphans(struct engine_vm *host)
{
    for (unsigned i = 0; i < host->tasks; i++)
        if (host->task[i]->newborn)
            host_task_resume(host, host->task[i]);
}

/* The parent tells of its child, which may have stopped already. */
static bool
forked(struct vcpu *vcpu, struct host_task *parent)
{
    struct engine_vm *host = vcpu->vm->engine;
    unsigned long tid = 0;

    if (ptrace(PTRACE_GETEVENTMSG, parent->tid, 0, &tid) || !tid) {
        host_task_resume(host, parent);
        return false;
    }
    struct host_task *child = host_task_find(host, (pid_t)tid);
    if (child && child->loud != parent->loud) { /* it was taken for another's */
        child->loud = parent->loud;
        child->number = parent->loud ? host->born++ : 0;
    }
    if (!child)
        child = host_task_add(host, (pid_t)tid, parent->loud);
    else
        host_task_resume(host, child);
    if (!parent->loud || !child) {
        host_task_resume(host, parent);
        return false;
    }
    host_exit_begin(vcpu, parent, TRACE_FORK);
    vcpu->exit.process.pid = tid;
    vcpu->exit.process.vcpu = child->number & 0xff;
    return true;
}

/* A thread that is not its process' first may exec: then it takes the first one's number, the tid,
 * and nobody tells of its own end. */
static bool
execed(struct vcpu *vcpu, struct host_task *task)
{
    struct engine_vm *host = vcpu->vm->engine;
    unsigned long former = 0;

    if (!ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &former) && (pid_t)former != task->tid) {
        struct host_task *old = host_task_find(host, (pid_t)former);
        if (old) {
            pid_t tid = task->tid;
            host_task_remove(vcpu->vm, task);
            task = old;
            task->tid = task->pid = tid;
            task->stopped = true;
        }
    }
    if (!task->loud)
        task->number = host->born++;
    task->loud = true;
    task->armed = 0; /* the new program's debug registers are empty */
    host->entered = true;
    host_execed(vcpu, task);
    return true;
}

/* wait's status, of which PTRACE_EVENT_EXIT tells beforehand. */
static bool
ending(struct vcpu *vcpu, struct host_task *task, int status)
{
    if (!task->loud || task->ending)
        return false;
    host_exit_begin(vcpu, task, TRACE_PROCESS_END);
    vcpu->exit.no_entry = true;
    vcpu->exit.signal.number = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
    vcpu->exit.signal.value = WIFEXITED(status) ? (uint64_t)WEXITSTATUS(status) : 0;
    task->ending = true;
    return true;
}

static bool
gone(struct vcpu *vcpu, struct host_task *task, const struct host_report *report)
{
    struct vm *vm = vcpu->vm;
    struct engine_vm *host = vm->engine;

    if (report->tid == host->first) {
        /* The guest ends with the process that was started, as a machine does with its power. */
        int status = report->status;
        host->first = 0;
        vm->power = POWER_OFF;
        vm->power_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    bool exit = task && ending(vcpu, task, report->status);
    if (task)
        host_task_remove(vm, task);
    adopt_orphans(host);
    return exit;
}

/* --- signals -------------------------------------------------------------------------------------- */

/* What the processor refused, and not another process: the kernel says so by a positive code. */
static bool
is_fault(const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP: return info->si_code > 0;
    default: return false;
    }
}

static bool
signalled(struct vcpu *vcpu, struct host_task *task, int number)
{
    struct engine_vm *host = vcpu->vm->engine;
    siginfo_t info;

    task->signal = number;
    memset(&info, 0, sizeof(info));
    if (ptrace(PTRACE_GETSIGINFO, task->tid, 0, &info) || !task->loud) {
        host_task_resume(host, task);
        return false;
    }
    if (number == SIGTRAP && task->stepping && info.si_code == CODE_CALL_DONE) {
        task->signal = 0; /* back from the kernel, and no instruction was executed yet */
        host_task_step(host, task);
        return false;
    }
    if (number == SIGTRAP && host_is_debug_trap(task, info.si_code)) {
        task->signal = 0; /* it is the debugger's, not the guest's */
        return host_debug_exit(vcpu, task);
    }
    bool fault = is_fault(&info);
    host_exit_begin(vcpu, task, fault ? TRACE_HOST_FAULT : TRACE_SIGNAL);
    vcpu->exit.signal.number = (uint32_t)number;
    vcpu->exit.signal.code = info.si_code;
    if (fault)
        vcpu->exit.signal.value = (uint64_t)(uintptr_t)info.si_addr;
    else if (info.si_code <= 0 || number == SIGCHLD)
        vcpu->exit.signal.value = (uint64_t)info.si_pid;
    return true;
}

/* Does anybody run who could wake the others? */
static bool
all_listen(const struct engine_vm *host)
{
    bool any = false;

    for (unsigned i = 0; i < host->tasks; i++) {
        const struct host_task *task = host->task[i];
        if (task->loud && !task->listening)
            return false;
        any |= task->loud;
    }
    return any;
}

/* SIGSTOP and its like have stopped the process, or it goes on, or kick() has asked; or it is the
 * first stop of all of a task that was just made. */
static bool
stopped(struct vcpu *vcpu, struct host_task *task, int number)
{
    struct engine_vm *host = vcpu->vm->engine;

    task->listening = number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
                      number == SIGTTOU;
    if (!task->listening)
        host->halted = false;
    if (task->listening && !host->halted && all_listen(host)) {
        host->halted = true;
        host_exit_begin(vcpu, task, TRACE_HLT);
        return true;
    }
    if (task->stepping && !task->listening)
        host_task_step(host, task); /* kick() came before the instruction was executed */
    else
        host_task_resume(host, task);
    return false;
}

/* --- any ------------------------------------------------------------------------------------------ */

static bool
event(struct vcpu *vcpu, struct host_task *task, int number, int sig)
{
    unsigned long message = 0;

    switch (number) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: return forked(vcpu, task);
    case PTRACE_EVENT_EXEC: return execed(vcpu, task);
    case PTRACE_EVENT_STOP: return stopped(vcpu, task, sig);
    case PTRACE_EVENT_SECCOMP:
        ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &message);
        host_denied(vcpu, task, message);
        return true;
    case PTRACE_EVENT_EXIT:
        ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &message);
        if (ending(vcpu, task, (int)message))
            return true;
        break;
    default: break;
    }
    host_task_resume(vcpu->vm->engine, task);
    return false;
}

bool
host_report_take(struct vcpu *vcpu, const struct host_report *report)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct host_task *task = host_task_find(host, report->tid);
    int status = report->status, sig;

    if (!WIFSTOPPED(status))
        return gone(vcpu, task, report);
    if (!task) { /* a child whose parent has not told of it: it waits, see forked() */
        task = host_task_add(host, report->tid, host->entered);
        if (task)
            task->stopped = task->newborn = true;
        return false;
    }
    sig = WSTOPSIG(status);
    task->stopped = true;
    if (sig == SYSCALL_STOP)
        return host_call_stop(vcpu, task);
    if (status >> 16)
        return event(vcpu, task, status >> 16, sig);
    return signalled(vcpu, task, sig);
}
