/*
 * proc.c - processes, and who runs next.
 *
 * Each process has an address space and a kernel stack. The scheduler, proc_run(), has a stack of
 * its own (boot.S): a process that stops running switches to it, and it switches to the next one.
 * So each turn is two proc_switch() (entry.S), and a process that ends can leave its stack behind.
 *
 *   READY -> RUNNING -> READY (turn is over) | WAITING (for a channel) | DONE (for its parent)
 *
 * A channel is just an address, of what the process waits for.
 */
#include "kernel.h"

#define MAX_PROCESSES 64

struct process *current;

static struct process processes[MAX_PROCESSES]; /* the first is process 1 */
static int last_pid;
static uint64_t scheduler_rsp;

/* --- starting --------------------------------------------------------------------------------- */

static void
set_name(struct process *p, const char *path)
{
    unsigned n = 0;
    for (; *path; path++)
        if (*path == '/')
            n = 0;
        else if (n < sizeof(p->name) - 1)
            p->name[n++] = *path;
    p->name[n] = 0;
}

/*
 * A new process' kernel stack, as if it had been interrupted in user mode and then switched away
 * from. Returns the frame, to be filled.
 *
 *   top     struct trap_frame      what trap_return pops
 *           trap_return            what proc_switch() returns to
 *   rsp ->  six registers          what proc_switch() pops
 */
static struct trap_frame *
make_stack(struct process *p)
{
    struct trap_frame *frame = (struct trap_frame *)(p->stack + PAGE) - 1;
    uint64_t *rsp = (uint64_t *)frame;
    *--rsp = (uint64_t)trap_return;
    p->rsp = (uint64_t)(rsp - 6); /* the page is zero */
    return frame;
}

/* How a program begins: all other registers are 0. */
static void
set_start(struct trap_frame *frame, uint64_t rip, uint64_t rsp)
{
    memset(frame, 0, sizeof(*frame));
    frame->rip = rip;
    frame->cs = USER_CS;
    frame->rflags = FLAG_ONE | FLAG_IF;
    frame->rsp = rsp;
    frame->ss = USER_DS;
}

static struct process *
find_free(void)
{
    for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
        if (p->state == PROCESS_FREE)
            return p;
    return NULL;
}

int
proc_fork(const struct trap_frame *frame)
{
    struct process *child = find_free();
    struct trap_frame *child_frame;

    if (!child)
        return -EAGAIN;
    child->stack = pmm_alloc();
    if (!child->stack)
        return -ENOMEM;
    if (space_clone(&child->space, &current->space)) {
        pmm_free(child->stack);
        return -ENOMEM;
    }
    child_frame = make_stack(child);
    *child_frame = *frame;
    child_frame->rax = 0;
    memcpy(child->name, current->name, sizeof(child->name));
    file_share_all(child->files, current->files);
    child->parent = current;
    child->pid = last_pid = last_pid == INT32_MAX ? 2 : last_pid + 1;
    child->state = PROCESS_READY;
    return child->pid;
}

/* The old space goes only when the new one is complete: after an error the caller runs on. */
int
proc_execve(struct trap_frame *frame, const struct args *args, const char *path)
{
    struct space space;
    uint64_t rip, rsp;
    int error = exec_load(&space, path, args, &rip, &rsp);
    if (error)
        return error;
    vm_use(space.pml4);
    space_destroy(&current->space);
    current->space = space;
    set_name(current, path);
    set_start(frame, rip, rsp);
    return 0;
}

/* --- scheduling ------------------------------------------------------------------------------- */

/* Round robin: the next one that is ready behind the last one that ran. */
static struct process *
pick(void)
{
    static unsigned last;
    for (unsigned i = 1; i <= MAX_PROCESSES; i++) {
        unsigned slot = (last + i) % MAX_PROCESSES;
        if (processes[slot].state == PROCESS_READY) {
            last = slot;
            return &processes[slot];
        }
    }
    return NULL;
}

static void
run(struct process *p)
{
    current = p;
    p->state = PROCESS_RUNNING;
    vm_use(p->space.pml4);
    cpu_set_kernel_stack((uint64_t)p->stack + PAGE);
    proc_switch(&scheduler_rsp, p->rsp);
    current = NULL;
    if (p->state == PROCESS_DONE) {
        pmm_free(p->stack);
        if (!p->parent)
            p->state = PROCESS_FREE;
    }
}

int
proc_run(const struct args *args)
{
    struct process *init = &processes[0];
    uint64_t rip, rsp;
    int status, error;

    *init = (struct process){.pid = last_pid = 1, .parent = init};
    error = exec_load(&init->space, args->bytes, args, &rip, &rsp);
    init->stack = error ? NULL : pmm_alloc();
    if (!init->stack)
        panic(NULL, "cannot run %s: error %d", args->bytes, error ? -error : ENOMEM);
    set_start(make_stack(init), rip, rsp);
    set_name(init, args->bytes);
    file_open_console(init->files);
    init->state = PROCESS_READY;

    while (init->state != PROCESS_DONE) {
        struct process *p = pick();
        if (p)
            run(p);
        else
            priv_idle(); /* an interrupt will make somebody ready */
    }
    status = init->status;
    for (struct process *p = processes; p < processes + MAX_PROCESSES; p++) {
        if (p->state == PROCESS_READY || p->state == PROCESS_WAITING) {
            file_close_all(p->files);
            vm_use(NULL);
            space_destroy(&p->space);
            pmm_free(p->stack);
        }
        p->state = PROCESS_FREE;
    }
    return status;
}

static void
leave(enum process_state state)
{
    current->state = state;
    proc_switch(&current->rsp, scheduler_rsp);
}

void
proc_yield(void)
{
    leave(PROCESS_READY);
}

void
proc_sleep(const void *channel)
{
    current->channel = channel;
    leave(PROCESS_WAITING);
}

void
proc_wake(const void *channel)
{
    for (struct process *p = processes; p < processes + MAX_PROCESSES; p++)
        if (p->state == PROCESS_WAITING && p->channel == channel)
            p->state = PROCESS_READY;
}

void
proc_tick(bool user)
{
    if (user)
        proc_yield();
}

/* --- ending ----------------------------------------------------------------------------------- */

/* Gives back what p has, except its kernel stack, and tells its parent. p's space is not in use. */
static void
finish(struct process *p, int status)
{
    p->status = status;
    file_close_all(p->files);
    space_destroy(&p->space);
    for (struct process *child = processes; child < processes + MAX_PROCESSES; child++)
        if (child->parent == p && child != p) { /* nobody will wait for it any more */
            child->parent = NULL;
            if (child->state == PROCESS_DONE)
                child->state = PROCESS_FREE;
        }
    if (p->parent)
        proc_wake(p->parent);
}

void
proc_exit(int status)
{
    vm_use(NULL); /* before its tables go; the kernel's half is the same in all */
    finish(current, status);
    leave(PROCESS_DONE);
    panic(NULL, "%s[%d] came back", current->name, current->pid);
}

/* As on Linux, nobody ends process 1, and pid -1 is all others but the caller. */
int
proc_signal(int pid, int signal)
{
    bool any = false;

    for (struct process *p = processes; p < processes + MAX_PROCESSES; p++) {
        if (p->state == PROCESS_FREE ||
            (pid == -1 ? p == processes || p == current : p->pid != pid))
            continue;
        any = true;
        if (!signal || p == processes || p->state == PROCESS_DONE)
            continue;
        if (p == current)
            proc_exit(signal);
        finish(p, signal);
        pmm_free(p->stack);
        p->state = p->parent ? PROCESS_DONE : PROCESS_FREE;
    }
    return any ? 0 : -ESRCH;
}

void
proc_kill(int signal, const char *format, ...)
{
    va_list args;
    if (!note_quiet) {
        kprintf("minios: %s[%d] killed: ", current->name, current->pid);
        va_start(args, format);
        kvprintf(format, args);
        va_end(args);
        kprintf("\n");
    }
    proc_exit(signal);
}

int
proc_wait(int pid, bool wait, int *status)
{
    for (;;) {
        bool any = false;
        for (struct process *p = processes; p < processes + MAX_PROCESSES; p++) {
            if (p->state == PROCESS_FREE || p->parent != current || p == current ||
                (pid != -1 && p->pid != pid))
                continue;
            any = true;
            if (p->state == PROCESS_DONE) {
                *status = p->status;
                p->state = PROCESS_FREE;
                return p->pid;
            }
        }
        if (!any)
            return -ECHILD;
        if (!wait)
            return 0;
        proc_sleep(current);
    }
}
