/*
 * syscall.c - the system calls: a small part of Linux', with its numbers, so that a program of
 * guests/apps runs on both.
 *
 * The number is in rax, arguments in rdi, rsi, rdx, r10; the result goes to rax, an error as its
 * negative number. SYSCALL itself has used up rcx and r11. entry.S calls syscall().
 */
#include "kernel.h"

#define PATH_MAX 128
#define WNOHANG  1

struct timespec {
    int64_t seconds, nanoseconds;
};

void
syscall_init(void)
{
    priv_set_syscall_entry(syscall_entry);
}

/* --- files -------------------------------------------------------------------------------------- */

/* read(fd, buffer, size) */
static int64_t
sys_read(struct trap_frame *f)
{
    return file_read(current->files, f->rdi, f->rsi, f->rdx);
}

/* write(fd, buffer, size) */
static int64_t
sys_write(struct trap_frame *f)
{
    return file_write(current->files, f->rdi, f->rsi, f->rdx);
}

/* close(fd) */
static int64_t
sys_close(struct trap_frame *f)
{
    return file_close(current->files, f->rdi);
}

/* pipe(int fds[2]): what is written to fds[1] is read from fds[0]. */
static int64_t
sys_pipe(struct trap_frame *f)
{
    int fds[2], error = file_pipe(current->files, fds);
    if (error)
        return error;
    error = space_copy_out(&current->space, f->rdi, fds, sizeof(fds));
    if (error) {
        file_close(current->files, fds[0]);
        file_close(current->files, fds[1]);
    }
    return error;
}

/* dup2(from, to) */
static int64_t
sys_dup2(struct trap_frame *f)
{
    return file_dup2(current->files, f->rdi, f->rsi);
}

/* --- processes ---------------------------------------------------------------------------------- */

static int64_t
sys_fork(struct trap_frame *f)
{
    return proc_fork(f);
}

/* Appends the strings of an array of pointers that ends with 0; NULL is an empty one. */
static int
gather(struct args *args, unsigned *count, uint64_t array)
{
    uint64_t string;
    for (; array; array += sizeof(string)) {
        int error = space_copy_in(&current->space, &string, array, sizeof(string));
        if (error || !string)
            return error;
        error = exec_add_user(args, &current->space, string);
        if (error)
            return error;
        ++*count;
    }
    return 0;
}

static int
copy_path(char path[PATH_MAX], uint64_t from)
{
    for (unsigned i = 0; i < PATH_MAX; i++) {
        int error = space_copy_in(&current->space, &path[i], from + i, 1);
        if (error || !path[i])
            return error;
    }
    return -ENOENT; /* none of ours is so long */
}

/* execve(path, argv, environment) */
static int64_t
sys_execve(struct trap_frame *f)
{
    char path[PATH_MAX];
    struct args *args;
    int error = copy_path(path, f->rdi);
    if (error)
        return error;
    args = pmm_alloc();
    if (!args)
        return -ENOMEM;
    error = gather(args, &args->argc, f->rsi);
    if (!error)
        error = gather(args, &args->envc, f->rdx);
    if (!error)
        error = proc_execve(f, args, path);
    pmm_free(args);
    return error;
}

/* wait4(pid, &status, options, NULL): pid -1 is any child; the only option is WNOHANG. */
static int64_t
sys_wait4(struct trap_frame *f)
{
    int pid = (int)f->rdi, status;
    if ((f->rdx & ~(uint64_t)WNOHANG) || f->r10 || pid == 0 || pid < -1)
        return -EINVAL;
    pid = proc_wait(pid, !(f->rdx & WNOHANG), &status);
    if (pid > 0 && f->rsi && space_copy_out(&current->space, f->rsi, &status, sizeof(status)))
        return -EFAULT;
    return pid;
}

/* kill(pid, signal): SIGKILL, as there are no handlers, or 0; pid -1 is all others but process 1. */
static int64_t
sys_kill(struct trap_frame *f)
{
    int pid = (int)f->rdi, signal = (int)f->rsi;
    if ((signal && signal != SIGKILL) || pid == 0 || pid < -1)
        return -EINVAL;
    return proc_signal(pid, signal);
}

static int64_t
sys_exit(struct trap_frame *f)
{
    proc_exit((int)(f->rdi & 0xff) << 8);
}

static int64_t
sys_sched_yield(struct trap_frame *f)
{
    (void)f;
    proc_yield();
    return 0;
}

static int64_t
sys_getpid(struct trap_frame *f)
{
    (void)f;
    return current->pid;
}

static int64_t
sys_getppid(struct trap_frame *f)
{
    (void)f;
    return current->parent && current->parent != current ? current->parent->pid : 0;
}

/* brk(end): where the heap ends now. */
static int64_t
sys_brk(struct trap_frame *f)
{
    return space_brk(&current->space, f->rdi);
}

/* --- time, name --------------------------------------------------------------------------------- */

/* nanosleep(wanted, left): at least that long, in whole ticks. */
static int64_t
sys_nanosleep(struct trap_frame *f)
{
    struct timespec t;
    int error = space_copy_in(&current->space, &t, f->rdi, sizeof(t));
    if (error)
        return error;
    if (t.seconds < 0 || t.nanoseconds < 0 || t.nanoseconds >= 1000000000)
        return -EINVAL;
    if (t.seconds > INT32_MAX)
        t.seconds = INT32_MAX;
    /* + 1: a part of the present tick is over already. */
    timer_sleep(timer_ticks() + t.seconds * timer_hz +
                (t.nanoseconds * timer_hz + 999999999) / 1000000000 + 1);
    return 0;
}

/* clock_gettime(clock, time): both clocks, 0 and 1, start when the machine does. */
static int64_t
sys_clock_gettime(struct trap_frame *f)
{
    uint64_t ticks = timer_ticks();
    struct timespec t = {ticks / timer_hz, ticks % timer_hz * 1000000000 / timer_hz};
    if (f->rdi > 1)
        return -EINVAL;
    return space_copy_out(&current->space, f->rsi, &t, sizeof(t));
}

/* uname(names) */
static int64_t
sys_uname(struct trap_frame *f)
{
    static const struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } names = {"minios", "guest", "2", "a kernel to read", "x86_64", ""};
    return space_copy_out(&current->space, f->rdi, &names, sizeof(names));
}

/* Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl. */
static int64_t (*const table[])(struct trap_frame *f) = {
    [0] = sys_read,      [1] = sys_write,           [3] = sys_close,
    [12] = sys_brk,      [22] = sys_pipe,           [24] = sys_sched_yield,
    [33] = sys_dup2,     [35] = sys_nanosleep,      [39] = sys_getpid,
    [57] = sys_fork,     [59] = sys_execve,         [60] = sys_exit,
    [61] = sys_wait4,    [62] = sys_kill,           [63] = sys_uname,
    [110] = sys_getppid, [228] = sys_clock_gettime, [231] = sys_exit, /* exit_group */
};

void
syscall(struct trap_frame *f)
{
    if (f->rax < sizeof(table) / sizeof(table[0]) && table[f->rax])
        f->rax = table[f->rax](f);
    else
        f->rax = -ENOSYS;
}
