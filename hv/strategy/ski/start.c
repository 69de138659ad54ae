/*
 * start.c - the supervisor's side: makes the guest's first process, waits for it, cleans up.
 *
 * Called by hv/cli (untraced) and by engine host (traced). The supervisor's own steps are here;
 * cgroup.c, maps.c, veth.c and filter.c have the larger ones. Next: inside.c, the other side.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "strategy/ski/own.h"

void
ski_options_init(struct ski_options *options)
{
    *options = (struct ski_options){
        .mem = UINT64_C(64) << 20,
        .pids = 32,
        .cpu = 50,
        .uid_first = 100000,
        .uid_count = 65536,
    };
}

/* Does this user namespace have the uids [first, first + count)? A line of uid_map is "inside
 * outside count". Root of a container has only what it was given. */
static bool
has_uids(uint32_t first, uint32_t count)
{
    unsigned long inside, outside, length;
    bool found = false;
    FILE *file = fopen("/proc/self/uid_map", "re");

    while (file && fscanf(file, "%lu %lu %lu", &inside, &outside, &length) == 3)
        found |= inside <= first && (uint64_t)first + count <= (uint64_t)inside + length;
    if (file)
        fclose(file);
    return found;
}

struct ski *
ski_open(const struct ski_options *options)
{
    struct ski *ski = calloc(1, sizeof(*ski));

    if (!ski)
        return NULL;
    ski->options = *options;
    ski->root = geteuid() == 0;
    ski->range = ski->root && has_uids(options->uid_first, options->uid_count);
    ski->go[0] = ski->go[1] = ski->report[0] = ski->report[1] = -1;
    ski->rootfs = ski->copy = -1;
    return ski;
}

/* --- the supervisor's steps ------------------------------------------------------------------- */

/* A busybox without a dynamic linker: the C library of the host is not in the guest. PT_INTERP is
 * what asks for one; its path would stand in the first page. */
static bool
is_static(const char *path)
{
    char page[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, page, sizeof(page));

    if (fd >= 0)
        close(fd);
    return size > 4 && !memcmp(page, "\177ELF", 4) && !memmem(page, (size_t)size, "/ld-linux", 9) &&
           !memmem(page, (size_t)size, "/ld-musl", 8);
}

SKI_STEP(ski_step_open)
{
    static const char *const busybox[] = {"/bin/busybox", "/usr/bin/busybox"};
    const struct ski_options *o = &ski->options;
    const char *folder = o->rootfs ? o->rootfs : o->app_folder;

    if (folder && (ski->rootfs = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return error_set(err, errno, "the folder '%s' cannot be opened: %m", folder);
    if (o->copy && (ski->copy = open(o->copy, O_RDONLY | O_CLOEXEC)) < 0)
        return error_set(err, errno, "the file '%s' cannot be opened: %m", o->copy);
    for (unsigned i = 0; !o->rootfs && !ski->busybox && i < ARRAY_SIZE(busybox); i++) {
        ski->busybox = is_static(busybox[i]);
        snprintf(ski->busybox_path, sizeof(ski->busybox_path), "%s", busybox[i]);
    }
    return 0;
}

SKI_STEP(ski_step_filter)
{
    ski->filter_length = ski_filter_build(ski->filter, ski->options.deny);
    return 0;
}

SKI_STEP(ski_step_cgroup)
{
    ski_cgroup_create(ski);
    return 0;
}

SKI_STEP(ski_step_namespace)
{
    ski->clone_flags |= step->flag;
    return 0;
}

/*
 * clone3 without a stack or CLONE_VM is fork. The child's working directory is the folder that it
 * will bind: the kernel moves it into the copied mounts, and no folder on the way to it need be
 * searchable for the guest's uid.
 */
SKI_STEP(ski_step_clone)
{
    struct clone_args args = {.flags = ski->clone_flags, .exit_signal = SIGCHLD};
    int back = -1, rc = 0;

    if (ski->rootfs >= 0) {
        back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (back < 0 || fchdir(ski->rootfs))
            rc = error_set(err, errno, "the working directory cannot be changed: %m");
    }
    if (!rc) {
        fflush(NULL); /* or both processes would write what is buffered */
        long pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0)
            ski_first_main(ski);
        ski->first = pid > 0 ? (pid_t)pid : 0;
        if (pid < 0)
            rc = error_set(err, errno, "clone3 with new namespaces: %m");
    }
    if (back >= 0) {
        if (fchdir(back) && !rc)
            rc = error_set(err, errno, "the working directory is gone: %m");
        close(back);
    }
    return rc;
}

SKI_STEP(ski_step_attach)
{
    return ski_cgroup_attach(ski, err);
}

SKI_STEP(ski_step_watch)
{
    return ski->watch ? ski->watch->attach(ski->watch->context, ski->first, err) : 0;
}

SKI_STEP(ski_step_release)
{
    /* What releases it is its pid on the host, which it does not know in its own pid namespace. */
    if (write(ski->go[1], &ski->first, sizeof(ski->first)) != sizeof(ski->first))
        return error_set(err, errno, "the guest's first process is gone");
    return 0;
}

/* --- start, wait, end ------------------------------------------------------------------------- */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* What the guest's side reported: 0 if its end of the pipe was closed without a word, by exec. */
static int
read_report(struct ski *ski, struct error *err)
{
    struct {
        int code;
        struct error why;
    } report;
    ssize_t size;

    do
        size = read(ski->report[0], &report, sizeof(report));
    while (size < 0 && errno == EINTR);
    if (size != sizeof(report))
        return 0;
    report.why.message[sizeof(report.why.message) - 1] = 0;
    return error_set(err, -report.code, "%s", report.why.message);
}

int
ski_start(struct ski *ski, const struct process_spec *spec, const struct process_watch *watch,
          pid_t *first, struct error *err)
{
    int rc = 0;

    ski->spec = spec;
    ski->watch = watch;
    ski->clone_flags = 0;
    if (!ski->root && !ski_has(ski, SKI_LAYER_USER))
        return error_set(err, EPERM,
                         "without a user namespace only root can make the others: leave out "
                         "--without user");
    if (pipe2(ski->go, O_CLOEXEC) || pipe2(ski->report, O_CLOEXEC))
        rc = error_set(err, errno, "no pipe: %m");
    if (!rc)
        rc = ski_walk(ski, SKI_PARENT, err);
    close_fd(&ski->go[0]);
    close_fd(&ski->report[1]);
    close_fd(&ski->rootfs);
    close_fd(&ski->copy);
    if (!rc && !watch)
        rc = read_report(ski, err);
    if (rc)
        ski_end(ski);
    else if (first)
        *first = ski->first;
    return rc;
}

int
ski_failed(struct ski *ski, struct error *err)
{
    return ski->report[0] >= 0 ? read_report(ski, err) : 0;
}

int
ski_wait(struct ski *ski, int *status, struct error *err)
{
    int raw;

    if (!ski->first)
        return error_set(err, ECHILD, "the guest is not running");
    if (waitpid(ski->first, &raw, 0) < 0)
        return error_set(err, errno, "waiting for the guest: %m");
    ski->first = 0;
    *status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return 0;
}

/* Traced, it may stop once more on its way out (PTRACE_EVENT_EXIT); it must not stay there. */
static void
kill_and_wait(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    for (;;) {
        pid_t got = waitpid(pid, &status, __WALL);
        if (got == pid && WIFSTOPPED(status))
            ptrace(PTRACE_CONT, pid, NULL, NULL);
        else if (got == pid || errno != EINTR)
            return;
    }
}

/* With pid 1 the kernel kills the whole pid namespace, and pid 1 is not waited for before the last
 * of it is gone. */
void
ski_end(struct ski *ski)
{
    if (ski->first) {
        kill_and_wait(ski->first);
        ski->first = 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        close_fd(&ski->go[i]);
        close_fd(&ski->report[i]);
    }
    close_fd(&ski->rootfs);
    close_fd(&ski->copy);
    ski_cgroup_remove(ski);
}

void
ski_close(struct ski *ski)
{
    if (ski)
        ski_end(ski);
    free(ski);
}

const char *
ski_degraded(const struct ski *ski)
{
    return ski->degraded;
}

/* --- core/process.h --------------------------------------------------------------------------- */

static int
process_start(void *context, const struct process_spec *spec, const struct process_watch *watch,
              pid_t *first, struct error *err)
{
    return ski_start(context, spec, watch, first, err);
}

static int
process_failed(void *context, struct error *err)
{
    return ski_failed(context, err);
}

static void
process_end(void *context)
{
    ski_end(context);
}

const struct process_start_ops ski_process_ops = {
    .start = process_start,
    .failed = process_failed,
    .end = process_end,
};
