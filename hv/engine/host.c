/*
 * host.c - the engine host: entering a process and coming back.
 *
 * To enter the guest is to let the task go whose exit is dealt with; to come back is a report of any
 * of them. There are no instructions to count and there is no state that could be copied: the other
 * half of each system call lies in the host's kernel. So a run cannot be repeated, nor taken back.
 *
 * Called through engine_ops by core/run.c. Next: host_start.c, then host_report.c.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "engine/engines.h"
#include "engine/host.h"
#include "isa/x86/regs.h"

#define WAIT_MS 50 /* not traced: how often it is looked whether the user wants to stop */

/* --- open and close ------------------------------------------------------------------------------- */

static void
host_close(struct vm *vm)
{
    struct engine_vm *host = vm->engine;

    host_tasks_end(vm);
    if (vm->process)
        vm->process->end(vm->process_context);
    if (host->pinned)
        sched_setaffinity(0, sizeof(host->cpus), &host->cpus);
    free(host->task);
    free(host);
    free(vm->vcpu[0].engine);
    vm->engine = NULL;
    vm->vcpu[0].engine = NULL;
}

static int
host_open(struct vm *vm, struct error *err)
{
    int rc;

    vm->engine = calloc(1, sizeof(*vm->engine));
    vm->vcpu[0].engine = calloc(1, sizeof(*vm->vcpu[0].engine));
    if (!vm->engine || !vm->vcpu[0].engine) {
        free(vm->engine), free(vm->vcpu[0].engine);
        vm->engine = NULL, vm->vcpu[0].engine = NULL;
        return error_set(err, ENOMEM, "no memory for the engine");
    }
    vm->engine->vm = vm;
    rc = host_start(vm, err);
    if (rc)
        host_close(vm);
    return rc;
}

/* --- run ------------------------------------------------------------------------------------------ */

static void
kicked(struct vcpu *vcpu)
{
    vcpu->vm->engine->kicked = 0;
    vcpu->exit.kind = TRACE_KICK;
    vcpu->exit.no_entry = true;
}

/* The program runs by itself: its end is all that can be seen. */
static int
run_untraced(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    struct engine_vm *host = vm->engine;
    int status, fd = (int)syscall(SYS_pidfd_open, host->first, 0);

    while (!host->kicked) {
        pid_t pid = waitpid(host->first, &status, WNOHANG);
        if (pid == host->first || (pid < 0 && errno == ECHILD)) {
            if (pid < 0)
                status = 0;
            host->first = 0;
            vm->power = POWER_OFF;
            vm->power_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            break;
        }
        /* Woken by the end; but a kick just before must not be missed for long. */
        if (fd < 0 || poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, WAIT_MS) < 0)
            sleep_ns(1000000);
    }
    if (fd >= 0)
        close(fd);
    kicked(vcpu);
    return 0;
}

/* Lets the task go whose exit was dealt with. */
static void
leave_exit(struct vcpu *vcpu)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct host_task *task = vcpu->engine->current;

    if (!task || !task->stopped)
        return;
    if (vcpu->exit.kind == TRACE_DENIED && task->at_call)
        host_refuse(task, vcpu->exit.call.result);
    host_task_resume(host, task);
}

/* The report of a task that is to be seen; the others are dealt with on the way. */
static int
next_exit(struct vcpu *vcpu, pid_t only, struct error *err)
{
    struct vm *vm = vcpu->vm;
    struct engine_vm *host = vm->engine;
    struct host_report report;
    int rc;

    for (;;) {
        rc = host_wait(host, only, &report);
        if (rc == -EINTR) {
            kicked(vcpu);
            return 0;
        }
        if (rc)
            return error_set(err, ECHILD,
                             "the processes of the guest are gone, and nobody said how they ended");
        if (host_report_take(vcpu, &report))
            return 0;
        if (vm->power != POWER_NONE) {
            kicked(vcpu);
            return 0;
        }
    }
}

static int
host_run(struct vcpu *vcpu, uint64_t deadline, uint64_t budget, struct error *err)
{
    (void)deadline; /* no device of ours is ever due */
    (void)budget;
    if (!vcpu->vm->engine->traced)
        return run_untraced(vcpu);
    if (vcpu->exit.kind == TRACE_EXEC && !vcpu->vm->exits) {
        vcpu->exit.no_entry = false; /* the first exec, where open() has left it */
        return 0;
    }
    leave_exit(vcpu);
    return next_exit(vcpu, 0, err);
}

/* Is the task's next instruction SYSCALL, SYSENTER or INT 80? A step over it would show no call. */
static bool
at_call_instruction(struct vcpu *vcpu)
{
    struct x86_regs regs;
    uint8_t code[2];

    if (host_get_regs(vcpu, &regs, NULL) || host_read(vcpu, regs.rip, code, sizeof(code), NULL))
        return false;
    return (code[0] == 0x0f && (code[1] == 0x05 || code[1] == 0x34)) ||
           (code[0] == 0xcd && code[1] == 0x80);
}

/* One instruction of the current task; the others' reports wait meanwhile. A task in the kernel has
 * none: then it is as run(). */
static int
host_step(struct vcpu *vcpu, struct error *err)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct host_task *task = vcpu->engine->current;

    if (!host->traced || !task || !task->stopped || task->in_call || task->listening ||
        task->ending || vcpu->exit.kind == TRACE_DENIED ||
        (vcpu->exit.kind == TRACE_EXEC && !vcpu->vm->exits) || at_call_instruction(vcpu))
        return host_run(vcpu, UINT64_MAX, UINT64_MAX, err);
    host_task_step(host, task);
    return next_exit(vcpu, task->tid, err);
}

/* --- what a process has not ------------------------------------------------------------------------- */

static bool
host_can_inject(struct vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

static int
host_inject(struct vcpu *vcpu, uint8_t vector, struct error *err)
{
    (void)vcpu;
    return error_set(err, ENOTSUP, "a process takes signals, not interrupts (vector 0x%x)", vector);
}

static void
host_flush_tlb(struct vcpu *vcpu)
{
    (void)vcpu; /* the host's kernel keeps the tables */
}

/* Async-signal-safe: ptrace() is a plain system call here. That one task stops is enough for waitpid()
 * to come back; if it is stopped or dead already, there is a report without our help. */
static void
host_kick(struct vcpu *vcpu)
{
    struct engine_vm *host = vcpu->vm->engine;
    int saved = errno;

    host->kicked = 1;
    if (host->traced && host->running)
        ptrace(PTRACE_INTERRUPT, host->running, 0, 0);
    errno = saved;
}

static uint64_t
host_time(struct vcpu *vcpu)
{
    return now_ns() - vcpu->vm->engine->start;
}

static uint64_t
host_icount(struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

static void
host_idle_until(struct vcpu *vcpu, uint64_t t)
{
    (void)vcpu;
    (void)t;
}

static int
host_process(struct vcpu *vcpu)
{
    return vcpu->engine->current ? vcpu->engine->current->pid : 0;
}

#define EXIT(kind) (UINT64_C(1) << TRACE_##kind)

const struct engine_ops engine_host = {
    .name = "host",
    .summary = "a process of this host: the processor runs it, exits are system calls and signals",
    .caps = CAP_PROCESS | CAP_STEP,
    .exits = EXIT(HOST_CALL) | EXIT(DENIED) | EXIT(SIGNAL) | EXIT(HOST_FAULT) | EXIT(FORK) |
             EXIT(EXEC) | EXIT(PROCESS_END) | EXIT(HLT) | EXIT(DEBUG) | EXIT(KICK),
    .probe = host_probe,
    .open = host_open,
    .close = host_close,
    .run = host_run,
    .step = host_step,
    .emulate = host_emulate,
    .get_regs = host_get_regs,
    .set_regs = host_set_regs,
    .can_inject = host_can_inject,
    .inject = host_inject,
    .set_stops = host_set_stops,
    .flush_tlb = host_flush_tlb,
    .kick = host_kick,
    .time = host_time,
    .icount = host_icount,
    .idle_until = host_idle_until,
    .read = host_read,
    .write = host_write,
    .process = host_process,
};
