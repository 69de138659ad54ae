/*
 * inside.c - the guest's side of the start, but for the mounts: its first process becomes nobody
 * outside and root inside, then pid 1; the program's process gives up what is left and execs.
 *
 * Called by start.c in the new process. No library's state is used that a fork could have cut in two.
 * Next: root.c for the mounts, filter.c for the filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "strategy/ski/own.h"

#define STATUS_START 125 /* the start failed; the supervisor has the sentence */

/* Sends the sentence to the supervisor and ends. */
static void __attribute__((noreturn)) give_up(struct ski *ski, int code, const struct error *why)
{
    struct {
        int code;
        struct error why;
    } report = {code, *why};

    if (write(ski->report[1], &report, sizeof(report)) != sizeof(report))
        _exit(STATUS_START + 1);
    _exit(STATUS_START);
}

void
ski_first_main(struct ski *ski)
{
    /* The kernel's struct sigaction, not the C library's: all zero is SIG_DFL and an empty mask. */
    static const uint64_t normal[4];
    struct error err = {""};

    /* The supervisor's handlers and mask are not ours. By the calls themselves: the C library's leave out
     * signals 32 and 33, which it uses, and which our caller may have ignored all the same. */
    for (int number = 1; number < NSIG; number++)
        syscall(SYS_rt_sigaction, number, normal, NULL, sizeof(normal[0]));
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &normal[3], NULL, sizeof(normal[3]));
    close(ski->go[1]);
    close(ski->report[0]);

    int rc = ski_walk(ski, SKI_FIRST, &err); /* returns in the program's process */
    if (!rc)
        rc = ski_walk(ski, SKI_PROGRAM, &err);
    give_up(ski, rc, &err);
}

/* --- chapters 3 and 4 ------------------------------------------------------------------------- */

SKI_STEP(ski_step_wait)
{
    if (read(ski->go[0], &ski->first, sizeof(ski->first)) != sizeof(ski->first))
        return error_set(err, ECANCELED, "the supervisor did not release the guest");
    return 0;
}

SKI_STEP(ski_step_session)
{
    if (setsid() < 0)
        return error_set(err, errno, "setsid: %m");
    return 0;
}

/* Without the maps of a range, setgroups is denied (maps.c), and our one uid is 0 already. */
SKI_STEP(ski_step_identity)
{
    if ((ski->range && setgroups(0, NULL)) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
        return error_set(err, errno, "becoming uid 0 of the user namespace: %m");
    return 0;
}

/* prctl(2): the death signal is of the thread that made us. If the supervisor died before this
 * call, its end of the pipe is closed. */
SKI_STEP(ski_step_deathsig)
{
    struct pollfd supervisor = {.fd = ski->go[0]};

    if (prctl(PR_SET_DUMPABLE, 1) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return error_set(err, errno, "prctl: %m");
    if (poll(&supervisor, 1, 0) > 0 && (supervisor.revents & POLLHUP))
        return error_set(err, ECANCELED, "the supervisor is gone");
    return 0;
}

SKI_STEP(ski_step_cgroupns)
{
    if (unshare(CLONE_NEWCGROUP))
        return error_set(err, errno, "unshare(CLONE_NEWCGROUP): %m");
    return 0;
}

SKI_STEP(ski_step_hostname)
{
    const char *name = ski->options.hostname ? ski->options.hostname : "ski";

    if (sethostname(name, strlen(name)))
        return error_set(err, errno, "sethostname '%s': %m", name);
    return 0;
}

SKI_STEP(ski_step_lo)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int rc = fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;

    if (fd >= 0)
        close(fd);
    if (rc)
        return error_set(err, -rc, "switching lo on: %s", strerror(-rc));
    return ski->options.net == SKI_NET_VETH ? ski_veth_inside(ski, err) : 0;
}

/* --- chapter 6 -------------------------------------------------------------------------------- */

/* time_namespaces(7): offsets are added to the host's clocks, and can be set until the namespace
 * has a process. */
SKI_STEP(ski_step_time)
{
    static const struct {
        clockid_t clock;
        const char *name;
    } clocks[] = {{CLOCK_MONOTONIC, "monotonic"}, {CLOCK_BOOTTIME, "boottime"}};
    char text[128];
    size_t used = 0;
    struct timespec now;

    if (unshare(CLONE_NEWTIME))
        return error_set(err, errno, "unshare(CLONE_NEWTIME): %m");
    for (unsigned i = 0; i < ARRAY_SIZE(clocks); i++) {
        clock_gettime(clocks[i].clock, &now);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s -%lld 0\n", clocks[i].name,
                                 (long long)now.tv_sec);
    }
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    int rc = fd < 0 || write(fd, text, used) < 0 ? -errno : 0;
    if (fd >= 0)
        close(fd);
    if (rc)
        return error_set(err, -rc, "writing /proc/self/timens_offsets: %s", strerror(-rc));
    return 0;
}

/* All but the pipe that reports a failure, which exec closes. */
SKI_STEP(ski_step_fds)
{
    if (ski->report[1] != 3) {
        if (dup3(ski->report[1], 3, O_CLOEXEC) < 0)
            return error_set(err, errno, "dup3: %m");
        ski->report[1] = 3;
    }
    if (close_range(4, ~0u, 0))
        return error_set(err, errno, "close_range: %m");
    return 0;
}

/* Not dumpable: the program may neither trace this process nor read its memory, which is a copy of
 * the supervisor's (ptrace(2), "Ptrace access mode checking"). exec makes the program dumpable. */
SKI_STEP(ski_step_fork)
{
    /* Without a pid namespace orphans come to us all the same. */
    if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_CHILD_SUBREAPER, 1))
        return error_set(err, errno, "prctl: %m");
    pid_t program = fork();
    if (program < 0)
        return error_set(err, errno, "fork: %m");
    if (program > 0)
        ski_reap(ski, program);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL))
        return error_set(err, errno, "prctl: %m");
    return 0;
}

/* Without a pid namespace nobody else ends the children that the program leaves. */
static void
kill_children(void)
{
    char path[64], text[4096];

    snprintf(path, sizeof(path), "/proc/self/task/%ld/children", syscall(SYS_gettid));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[size > 0 ? size : 0] = 0;
    for (char *at = text; *at; at += strspn(at, " \n")) {
        int pid = 0;
        if (sscanf(at, "%d", &pid) == 1 && pid > 1)
            kill(pid, SIGKILL);
        at += strcspn(at, " \n");
    }
}

void
ski_reap(struct ski *ski, pid_t program)
{
    static const uint32_t layers = SKI_LAYER_CAPS | SKI_LAYER_NNP | SKI_LAYER_SECCOMP;
    struct error err;
    int status, result = STATUS_START;
    pid_t pid;

    /* It needs no privileges from here on, and nobody's pipes. */
    for (const struct ski_step *step = ski_steps; step->name; step++)
        if (step->who == SKI_PROGRAM && (step->layer & layers & ~ski->options.without) &&
            step->run(ski, step, &err))
            _exit(STATUS_START);
    if (ski_has(ski, SKI_LAYER_FDS))
        close_range(0, ~0u, 0);
    else
        close(ski->report[1]);

    for (;;) {
        pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno != EINTR)
            break;
        if (pid == program) {
            result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            if (ski_has(ski, SKI_LAYER_PID))
                break;
            program = 0; /* it is over; no process has that pid */
        }
        if (!program)
            kill_children();
    }
    _exit(result);
}

/* --- chapter 7 -------------------------------------------------------------------------------- */

SKI_STEP(ski_step_rlimits)
{
    const struct ski_options *o = &ski->options;
    const struct {
        int resource;
        uint64_t value;
        bool wanted;
    } limits[] = {
        {RLIMIT_CORE, 0, true},
        {RLIMIT_NOFILE, 1024, true},
        {RLIMIT_MEMLOCK, 0x10000, true},
        {RLIMIT_AS, o->mem, !ski_cgroup(ski, "memory")},
        {RLIMIT_NPROC, o->pids, !ski_cgroup(ski, "pids")},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
        struct rlimit limit;
        if (!limits[i].wanted || getrlimit((__rlimit_resource_t)limits[i].resource, &limit))
            continue;
        /* A lower limit that is there already stays. */
        if (limit.rlim_max > limits[i].value)
            limit.rlim_max = limits[i].value;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit))
            return error_set(err, errno, "setrlimit: %m");
    }
    return 0;
}

/*
 * capabilities(7): out of the bounding set, no exec can bring one back; ambient ones would survive
 * an exec; then the three sets of this process. A filter needs no_new_privs or CAP_SYS_ADMIN: where
 * the first is left out, the filter has to go in before the second goes away.
 */
SKI_STEP(ski_step_caps)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};

    if (!ski_has(ski, SKI_LAYER_NNP) && ski_has(ski, SKI_LAYER_SECCOMP)) {
        int rc = ski_step_seccomp(ski, step, err);
        if (rc)
            return rc;
    }
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
            return error_set(err, errno, "dropping capability %lu: %m", cap);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
        syscall(SYS_capset, &header, none))
        return error_set(err, errno, "dropping capabilities: %m");
    return 0;
}

SKI_STEP(ski_step_nnp)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return error_set(err, errno, "no_new_privs: %m");
    return 0;
}

SKI_STEP(ski_step_seccomp)
{
    struct sock_fprog program = {.len = (unsigned short)ski->filter_length, .filter = ski->filter};

    if (!ski->filtered && prctl(PR_SET_SECCOMP, 2 /* SECCOMP_MODE_FILTER */, &program))
        return error_set(err, errno, "installing the filter: %m");
    ski->filtered = true;
    return 0;
}

/* A bare name is looked for where a shell would, inside. */
SKI_STEP(ski_step_exec)
{
    static const char *const folders[] = {"/bin", "/usr/bin", "/sbin", "/usr/sbin",
                                          "/usr/local/bin"};
    const struct process_spec *spec = ski->spec;
    char path[PATH_MAX];
    int code = ENOENT;

    if (ski->options.cwd && chdir(ski->options.cwd))
        return error_set(err, errno, "the guest has no folder '%s': %m", ski->options.cwd);
    if (strchr(spec->path, '/')) {
        execve(spec->path, spec->argv, spec->envp);
        code = errno;
    } else {
        for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
            snprintf(path, sizeof(path), "%s/%s", folders[i], spec->path);
            execve(path, spec->argv, spec->envp);
            if (errno != ENOENT && errno != ENOTDIR)
                code = errno;
        }
    }
    return error_set(err, code, "'%s' cannot be run in the guest: %s%s", spec->path, strerror(code),
                     code == ENOENT ? " (it, or the loader that it asks for, is not in its root "
                                      "file system; './FILE' takes a file of the host's)"
                                    : "");
}
