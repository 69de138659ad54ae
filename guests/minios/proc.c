/*
 * proc.c - tasks, and who runs next.
 *
 * Each task has an address space and a kernel stack. The scheduler, proc_run(), has a stack of its
 * own (boot.S): a task that stops running switches to it, and it switches to the next task.
 * So each turn is two proc_switch() (entry.S), and a task that ends can leave its stack behind.
 *
 *   READY -> RUNNING -> READY (turn is over) | SLEEPING, READING (waits) | DONE
 */
#include "kernel.h"

#define MAX_TASKS 8

struct task *current;

static struct task tasks[MAX_TASKS]; /* the pid is the index + 1: none is used twice (yet) */
static uint64_t scheduler_rsp;
static bool serial;
static unsigned switches, preemptions;

/* --- starting --------------------------------------------------------------------------------- */

/*
 * The new task's kernel stack, as if it had been interrupted in user mode at its first instruction
 * and then switched away from:
 *
 *   top     struct trap_frame      what trap_return pops
 *           trap_return            what proc_switch() returns to
 *   rsp ->  six registers          what proc_switch() pops
 */
static void
make_stack(struct task *t, uint64_t user_rip, uint64_t user_rsp)
{
    struct trap_frame *frame = (struct trap_frame *)(t->stack + PAGE) - 1;
    uint64_t *rsp = (uint64_t *)frame;
    frame->rip = user_rip;
    frame->cs = USER_CS;
    frame->rflags = FLAG_ONE | FLAG_IF;
    frame->rsp = user_rsp;
    frame->ss = USER_DS;
    *--rsp = (uint64_t)trap_return;
    t->rsp = (uint64_t)(rsp - 6); /* the page is zero */
}

struct task *
proc_spawn(const char *program, const char *name, const char *argument)
{
    const char *const argv[] = {name, argument, NULL};
    struct task *t = NULL;
    uint64_t rip, rsp;

    for (int i = 0; i < MAX_TASKS && !t; i++)
        if (tasks[i].state == TASK_FREE) {
            t = &tasks[i];
            t->pid = i + 1;
        }
    if (!t || !vm_create(&t->space))
        return NULL;
    t->name = name;
    t->stack = pmm_alloc();
    if (!t->stack || !exec_load(&t->space, program, argv, &rip, &rsp)) {
        if (t->stack)
            pmm_free(t->stack);
        vm_destroy(&t->space);
        return NULL;
    }
    make_stack(t, rip, rsp);
    t->state = TASK_READY;
    kprintf("minios: %s[%d] runs %s%s%s\n", t->name, t->pid, program, *argument ? " " : "",
            argument);
    return t;
}

/* --- scheduling ------------------------------------------------------------------------------- */

/* Whose turn is it? Round robin from behind the last one; serial: the first that is not done, or
 * nobody while it waits. *alive: is there anybody at all? */
static struct task *
pick(bool *alive)
{
    static unsigned last = MAX_TASKS - 1;
    *alive = false;
    for (unsigned i = 1; i <= MAX_TASKS; i++) {
        unsigned slot = serial ? i - 1 : (last + i) % MAX_TASKS;
        struct task *t = &tasks[slot];
        if (t->state == TASK_FREE || t->state == TASK_DONE)
            continue;
        *alive = true;
        if (t->state == TASK_READY) {
            last = slot;
            return t;
        }
        if (serial)
            return NULL;
    }
    return NULL;
}

void
proc_run(bool one_by_one)
{
    serial = one_by_one;
    for (;;) {
        bool alive;
        struct task *t = pick(&alive);
        if (!alive)
            return;
        if (!t) {
            priv_idle(); /* an interrupt will make somebody ready */
            continue;
        }
        switches++;
        current = t;
        t->state = TASK_RUNNING;
        vm_use(&t->space);
        cpu_set_kernel_stack((uint64_t)t->stack + PAGE);
        proc_switch(&scheduler_rsp, t->rsp);
        current = NULL;
        if (t->state == TASK_DONE)
            pmm_free(t->stack);
    }
}

void
proc_wait(enum task_state state)
{
    current->state = state;
    proc_switch(&current->rsp, scheduler_rsp);
}

void
proc_yield(void)
{
    proc_wait(TASK_READY);
}

void
proc_wake(enum task_state state)
{
    for (int i = 0; i < MAX_TASKS; i++)
        if (tasks[i].state == state &&
            (state != TASK_SLEEPING || tasks[i].wake_tick <= timer_ticks()))
            tasks[i].state = TASK_READY;
}

void
proc_tick(bool user)
{
    if (!user || serial)
        return;
    preemptions++;
    proc_yield();
}

/* --- ending ----------------------------------------------------------------------------------- */

void
proc_exit(int status)
{
    current->status = status;
    vm_use(NULL); /* before its tables go; the kernel's half is the same in all */
    vm_destroy(&current->space);
    proc_wait(TASK_DONE);
    panic(NULL, "%s[%d] came back", current->name, current->pid);
}

void
proc_kill(const char *format, ...)
{
    va_list args;
    kprintf("minios: %s[%d] killed: ", current->name, current->pid);
    va_start(args, format);
    kvprintf(format, args);
    va_end(args);
    kprintf("\n");
    current->killed = true;
    proc_exit(0);
}

/* All but the first line is the same in every run. */
void
proc_summary(void)
{
    if (!serial)
        kprintf("minios: %u ticks, %u switches, %u of them because a turn was over\n",
                (unsigned)timer_ticks(), switches, preemptions);
    for (int i = 0; i < MAX_TASKS; i++) {
        const struct task *t = &tasks[i];
        if (t->state != TASK_DONE)
            continue;
        kprintf("minios: %s[%d] ", t->name, t->pid);
        if (t->killed)
            kprintf("was killed");
        else
            kprintf("exited with %d", t->status);
        kprintf(": %u system calls, %u pages on demand\n", t->syscalls, t->space.demand_pages);
    }
}
