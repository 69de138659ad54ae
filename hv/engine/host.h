/*
 * host.h - the engine host: a process of this host, run by the processor itself, under ptrace(2).
 *
 * The guest has no kernel of its own: the host's answers its system calls, and tells the engine,
 * which is their tracer, when one begins and ends. Who isolates the process is another's business
 * (core/process.h); the engine follows whatever that one has started, and is silent until the first
 * exec: what comes before is the isolation being built.
 *
 * A task is a thread, as the kernel calls it; each is a vcpu of its own in the recording. All stops
 * of all tasks come through one waitpid(). One task at a time is `current`: the one whose exit
 * run() has returned; it stands still until the run goes on, the others do not.
 *
 *   host.c         the table of functions: open, run, step, close
 *   host_start.c   the process exists, and was let go
 *   host_task.c    the tasks there are
 *   host_report.c  what waitpid() says, and the exit that it is
 *   host_call.c    system calls: their arguments, and letting them through
 *   host_regs.c    registers
 *   host_memory.c  memory
 *   host_stops.c   points to stop at
 */
#ifndef HV_ENGINE_HOST_H
#define HV_ENGINE_HOST_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#undef PAGE_SIZE /* the C library has it there; ours is in core/ram.h */

#include "core/vm.h"
#include "engine/engine.h"
#include "engine/points.h"

struct host_task {
    pid_t tid, pid;  /* pid: of its process, a "thread group" */
    unsigned number; /* its vcpu, by birth */
    bool loud;       /* it or an ancestor has exec'ed: its stops are exits */
    bool stopped;    /* in a ptrace-stop, and we know it */
    bool listening;  /* stopped by a signal such as SIGSTOP, until SIGCONT */
    bool newborn;    /* it has stopped before its parent has told of it: it waits */
    bool in_call;    /* between the two stops of a system call */
    bool at_call;    /* at the first of them */
    bool stepping;   /* it was let go for one instruction */
    bool ending;     /* its PROCESS_END was an exit */
    int signal;      /* to be delivered when it goes on */
    struct __ptrace_syscall_info call;
    unsigned armed; /* the generation of stop points that its debug registers hold; 0: none */
};

/* waitpid()'s word of one task. */
struct host_report {
    pid_t tid; /* 0: none */
    int status;
};

struct engine_vm {
    struct vm *vm;
    bool traced; /* else only the end is waited for */
    pid_t first; /* who was started; 0: it is gone */
    struct host_task **task;
    unsigned tasks, room, born;
    struct host_report kept; /* taken while another task's was waited for */
    struct exit_call call;   /* of the last exit */
    bool entered;            /* the first exec was told */
    bool halted;             /* all are stopped by signals, and that was told */
    uint64_t start;          /* ns: when guest time began */
    cpu_set_t cpus;          /* hv's own, before it was pinned */
    bool pinned;
    struct debug_point point[DEBUG_POINTS];
    unsigned points, generation;
    volatile sig_atomic_t kicked;
    volatile pid_t running; /* some task that was let go: whom kick() interrupts */
};

struct engine_vcpu {
    struct host_task *current; /* NULL: it is gone */
};

/* --- host_start.c ------------------------------------------------------------------------------ */

int host_probe(struct error *err);
/* Starts vm->program; returns with it at its first instruction, or with a sentence. */
int host_start(struct vm *vm, struct error *err);

/* --- host_task.c ------------------------------------------------------------------------------- */

struct host_task *host_task_find(const struct engine_vm *host, pid_t tid);
/* NULL: no memory. */
struct host_task *host_task_add(struct engine_vm *host, pid_t tid, bool loud);
void host_task_remove(struct vm *vm, struct host_task *task);
/* Lets it go. A task that was killed meanwhile does not mind. */
void host_task_resume(struct engine_vm *host, struct host_task *task);
/* The same, for one instruction. */
void host_task_step(struct engine_vm *host, struct host_task *task);
/* Kills all and waits until they are gone. */
void host_tasks_end(struct vm *vm);

/* --- host_report.c ----------------------------------------------------------------------------- */

/* Waits for the next report, of `only` or (0) of any task. 0, -EINTR: kicked; -ECHILD: nobody is
 * left. */
int host_wait(struct engine_vm *host, pid_t only, struct host_report *report);
/* What it means. True: vcpu->exit is filled, and the task is current; false: nothing that anybody
 * needs to know of, and the task goes on. */
bool host_report_take(struct vcpu *vcpu, const struct host_report *report);
/* An exit of `kind` by this task, which becomes the current one. */
void host_exit_begin(struct vcpu *vcpu, struct host_task *task, enum trace_kind kind);

/* --- host_call.c ------------------------------------------------------------------------------- */

bool host_call_stop(struct vcpu *vcpu, struct host_task *task);
void host_denied(struct vcpu *vcpu, struct host_task *task, unsigned long data);
void host_execed(struct vcpu *vcpu, struct host_task *task);
/* engine_ops.emulate: the host's kernel carries the call out. */
int host_emulate(struct vcpu *vcpu, struct error *err);
/* The last exit was DENIED: the call is not carried out, and this is its result. */
void host_refuse(struct host_task *task, int64_t result);

/* --- host_regs.c, host_memory.c, host_stops.c ---------------------------------------------------- */

int host_get_regs(struct vcpu *vcpu, struct x86_regs *regs, struct error *err);
int host_set_regs(struct vcpu *vcpu, const struct x86_regs *regs, struct error *err);
int host_read(struct vcpu *vcpu, uint64_t address, void *to, size_t size, struct error *err);
int host_write(struct vcpu *vcpu, uint64_t address, const void *from, size_t size,
               struct error *err);
int host_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
                   struct error *err);
/* The task's debug registers hold what they should; step: without the EXECUTE points. */
void host_arm(struct engine_vm *host, struct host_task *task, bool step);
/* Is a SIGTRAP with this si_code the end of a step, or a point? */
bool host_is_debug_trap(const struct host_task *task, int code);
/* It is: fills vcpu->exit. False: a point that was taken away meanwhile, and the task goes on. */
bool host_debug_exit(struct vcpu *vcpu, struct host_task *task);

#endif
