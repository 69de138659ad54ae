/*
 * syscall.c - the system calls: a small part of Linux', with its numbers, so that a program of
 * guests/apps runs on both.
 *
 * The number is in rax, arguments in rdi, rsi, rdx; the result goes to rax, an error as its
 * negative number. SYSCALL itself has used up rcx and r11. entry.S calls syscall().
 */
#include "kernel.h"

#define EBADF  9
#define EFAULT 14
#define EINVAL 22
#define ENOSYS 38

struct timespec {
    int64_t seconds, nanoseconds;
};

void
syscall_init(void)
{
    priv_set_syscall_entry(syscall_entry);
}

/* read(0, buffer, size): waits for at least one byte from the console. What is read is sent back,
 * so that the typist sees it. */
static int64_t
sys_read(const struct trap_frame *f)
{
    uint64_t done = 0;
    int byte;
    if (f->rdi != 0)
        return -EBADF;
    while (done < f->rdx) {
        char c;
        while ((byte = console_get()) < 0 && !done)
            proc_wait(TASK_READING);
        if (byte < 0)
            break;
        c = (char)byte;
        priv_console_write(&c, 1);
        if (!vm_copy_out(&current->space, f->rsi + done, &c, 1))
            return -EFAULT;
        done++;
    }
    return done;
}

/* write(1 or 2, buffer, size). Interrupts are off, so one call's bytes stay together. */
static int64_t
sys_write(const struct trap_frame *f)
{
    char part[128];
    uint64_t done = 0;
    if (f->rdi != 1 && f->rdi != 2)
        return -EBADF;
    while (done < f->rdx) {
        size_t n = f->rdx - done < sizeof(part) ? f->rdx - done : sizeof(part);
        if (!vm_copy_in(&current->space, part, f->rsi + done, n))
            return -EFAULT;
        priv_console_write(part, n);
        done += n;
    }
    return done;
}

static int64_t
sys_sched_yield(const struct trap_frame *f)
{
    (void)f;
    proc_yield();
    return 0;
}

/* nanosleep(wanted, left): at least that long, in whole ticks. */
static int64_t
sys_nanosleep(const struct trap_frame *f)
{
    struct timespec t;
    if (!vm_copy_in(&current->space, &t, f->rdi, sizeof(t)))
        return -EFAULT;
    if (t.seconds < 0 || t.nanoseconds < 0 || t.nanoseconds >= 1000000000)
        return -EINVAL;
    if (t.seconds > INT32_MAX)
        t.seconds = INT32_MAX;
    /* + 1: a part of the present tick is over already. */
    current->wake_tick = timer_ticks() + t.seconds * timer_hz +
                         (t.nanoseconds * timer_hz + 999999999) / 1000000000 + 1;
    proc_wait(TASK_SLEEPING);
    return 0;
}

static int64_t
sys_getpid(const struct trap_frame *f)
{
    (void)f;
    return current->pid;
}

static int64_t
sys_exit(const struct trap_frame *f)
{
    proc_exit(f->rdi & 0xff);
}

/* clock_gettime(clock, time): both clocks, 0 and 1, start when the machine does. */
static int64_t
sys_clock_gettime(const struct trap_frame *f)
{
    uint64_t ticks = timer_ticks();
    struct timespec t = {ticks / timer_hz, ticks % timer_hz * 1000000000 / timer_hz};
    if (f->rdi > 1)
        return -EINVAL;
    return vm_copy_out(&current->space, f->rsi, &t, sizeof(t)) ? 0 : -EFAULT;
}

/* Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl. */
static int64_t (*const table[])(const struct trap_frame *f) = {
    [0] = sys_read,
    [1] = sys_write,
    [24] = sys_sched_yield,
    [35] = sys_nanosleep,
    [39] = sys_getpid,
    [60] = sys_exit,
    [228] = sys_clock_gettime,
    [231] = sys_exit, /* exit_group */
};

void
syscall(struct trap_frame *f)
{
    current->syscalls++;
    if (f->rax < sizeof(table) / sizeof(table[0]) && table[f->rax])
        f->rax = table[f->rax](f);
    else
        f->rax = -ENOSYS;
}
