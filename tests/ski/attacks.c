/*
 * attacks.c - the attacks of the containment table, run inside a guest of strategy ski.
 *
 *   attacks guest KEY=VALUE...     each attack in a process of its own; a line each
 *   attacks control KEY=VALUE...   outside, those that are harmless there: they must get through
 *   attacks sleep                  (for the test that kills the supervisor)
 *
 * A line is "NUMBER|ATTACK|LAYER|VERDICT|DETAIL". Verdicts: stopped, as expected; other, refused
 * with another error than expected; through; skipped, the host cannot test it. Linked statically:
 * the guest has no C library. Called by host.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/ski/attacks.h"

/* --- the table -------------------------------------------------------------------------------- */

static const struct attack {
    int number;
    const char *name, *layer;
    int (*run)(const struct told *told);
    int expected[4]; /* errno; above 1000: a signal */
    bool control;    /* harmless outside, where it must get through */
} attacks[] = {
    /* clang-format off */
    {1, "chroot, then .. upwards", "caps, seccomp, mount", chroot_and_up, {EPERM}, true},
    {1, "chroot, then fchdir", "caps, seccomp, mount", chroot_and_fchdir, {EPERM}, true},
    {2, "a host's file by its path", "mount", host_file, {ENOENT}, true},
    {2, "... by /proc/1/root", "mount, fork (not dumpable)", host_file_by_proc, {EACCES, ENOENT}, false},
    {3, "see the host's processes", "pid", see_pids, {ESRCH}, true},
    {3, "signal one", "pid, user", kill_host, {ESRCH}, true},
    {4, "mount", "caps, seccomp", mount_tmpfs, {EPERM}, false},
    {4, "remount / writable", "caps, seccomp", remount_writable, {EPERM}, false},
    {4, "umount a cover", "caps, seccomp", uncover, {EPERM}, false},
    {4, "fsopen", "caps, seccomp", new_mount_api, {EPERM}, false},
    {5, "unshare(CLONE_NEWUSER)", "seccomp", unshare_user, {EPERM}, true},
    {5, "clone(CLONE_NEWUSER)", "seccomp", clone_user, {EPERM}, true},
    {5, "clone3(CLONE_NEWUSER)", "seccomp", clone3_user, {ENOSYS}, true},
    {5, "setns of pid 1", "fork (not dumpable), seccomp", enter_pid1, {EACCES, EPERM}, false},
    {6, "mknod /dev/mem", "user, caps, seccomp", make_device, {EPERM}, false},
    {6, "open mem, kvm, disks", "mount", open_devices, {ENOENT}, false},
    {7, "ptrace pid 1", "fork (not dumpable), seccomp", trace_pid1, {EPERM}, false},
    {7, "/proc/1/mem", "fork (not dumpable)", read_pid1, {EACCES, EPERM}, false},
    {7, "/proc/1/exe", "fork (not dumpable)", name_pid1, {EACCES, EPERM}, false},
    {8, "open_by_handle_at", "caps, seccomp", open_by_number, {EPERM}, false},
    {9, "write core_pattern", "user, mask", core_pattern, {EACCES, EROFS}, false},
    {9, "write into /", "readonly", write_root, {EROFS}, false},
    {9, "read /proc/kallsyms", "mask", read_covered, {ENODATA}, true},
    {10, "keyctl", "seccomp", use_keyctl, {EPERM}, true},
    {10, "bpf", "seccomp, caps", use_bpf, {EPERM}, false},
    {10, "perf_event_open", "seccomp", use_perf, {EPERM}, false},
    {10, "userfaultfd", "seccomp", use_userfaultfd, {EPERM}, true},
    {10, "io_uring_setup", "seccomp", use_io_uring, {EPERM}, false},
    {10, "init_module", "user, caps, seccomp", use_init_module, {EPERM}, false},
    {10, "syslog", "seccomp", use_syslog, {EPERM}, false},
    {10, "reboot", "caps, seccomp", use_reboot, {EPERM}, false},
    {10, "clock_settime", "user, caps, seccomp", use_settime, {EPERM}, false},
    {11, "int 0x80 unshare", "seccomp", by_int80, {1000 + SIGSYS}, true},
    {11, "a number of x32", "seccomp", by_x32, {ENOSYS}, true},
    {12, "a descriptor left open", "fds", leaked_fd, {EBADF}, true},
    {12, "TIOCSTI", "seccomp", fake_input_plain, {EPERM}, false},
    {12, "TIOCSTI + (1 << 32)", "seccomp", fake_input_high, {EPERM}, false},
    {13, "the host's 127.0.0.1", "net", host_port, {ECONNREFUSED}, true},
    {13, "its abstract socket", "net", host_abstract, {ECONNREFUSED}, true},
    {13, "AF_VSOCK", "seccomp", use_vsock, {EPERM}, true},
    {13, "AF_PACKET", "caps, seccomp", use_packet, {EPERM}, false},
    {14, "fork bomb", "cgroup; rlimits", fork_bomb, {EAGAIN}, false},
    {14, "memory hog", "cgroup; rlimits", memory_hog, {ENOMEM, 1000 + SIGKILL}, false},
    {16, "write to the file that is stdin", "user, caps", reopen_input, {EACCES}, false},
    {17, "the host's shared memory", "ipc", host_memory, {ENOENT}, true},
    {18, "the host's uptime", "time", host_uptime, {ENODATA}, true},
    {19, "its place in the host's cgroups", "cgroupns", host_cgroup, {ENODATA}, false},
    /* clang-format on */
};

/* --- running them ----------------------------------------------------------------------------- */

/* No process for an attack: less its errno. */
#define UNMADE (2 * SKIP)

/* The child's answer comes by a pipe, the signal that killed it by wait. */
static int
run_apart(const struct attack *attack, const struct told *told)
{
    int fds[2], status, code = 0;
    bool answered;

    if (pipe(fds))
        return SKIP;
    fflush(stdout);
    pid_t pid = fork();
    int unmade = UNMADE - errno;
    if (pid == 0) {
        close(fds[0]);
        alarm(25);
        /* No descriptor of ours may be taken for one that was left open. */
        int to = dup2(fds[1], 2);
        close(fds[1]);
        code = attack->run(told);
        _exit(write(to, &code, sizeof(code)) != sizeof(code));
    }
    close(fds[1]);
    answered = read(fds[0], &code, sizeof(code)) == sizeof(code);
    close(fds[0]);
    if (pid < 0)
        return unmade;
    if (waitpid(pid, &status, 0) != pid)
        return SKIP;
    if (!answered && WIFSIGNALED(status))
        return -1000 - WTERMSIG(status);
    return answered ? code : SKIP;
}

static void
print_line(const struct attack *attack, int code)
{
    const char *verdict = "other";
    char detail[64];

    for (unsigned i = 0; i < 4; i++)
        if (attack->expected[i] && code == -attack->expected[i])
            verdict = "stopped";
    if (code <= SKIP)
        verdict = "skipped";
    else if (code >= 0)
        verdict = "through";
    if (code <= UNMADE)
        snprintf(detail, sizeof(detail), "no process for it: %s", strerrorname_np(UNMADE - code));
    else if (code == SKIP)
        snprintf(detail, sizeof(detail), "this kernel does not have it");
    else if (code < -1000)
        snprintf(detail, sizeof(detail), "SIG%s", sigabbrev_np(-code - 1000));
    else if (code < 0)
        snprintf(detail, sizeof(detail), "%s", strerrorname_np(-code));
    else
        snprintf(detail, sizeof(detail), "it worked");
    printf("%d|%s|%s|%s|%s\n", attack->number, attack->name, attack->layer, verdict, detail);
}

static long
number_of(const char *word, const char *key, long old)
{
    size_t length = strlen(key);

    return !strncmp(word, key, length) && word[length] == '=' ? atol(word + length + 1) : old;
}

int
main(int argc, char **argv)
{
    struct told told = {.secret = "/nowhere", .abstract = "nobody", .jail = "/tmp/jail"};
    bool control = argc > 1 && !strcmp(argv[1], "control");

    if (argc > 1 && !strcmp(argv[1], "sleep")) {
        printf("ready\n");
        fflush(stdout);
        for (;;)
            pause();
    }
    for (int i = 2; i < argc; i++) {
        if (!strncmp(argv[i], "secret=", 7))
            told.secret = argv[i] + 7;
        if (!strncmp(argv[i], "abstract=", 9))
            told.abstract = argv[i] + 9;
        if (control && !strncmp(argv[i], "jail=", 5))
            told.jail = argv[i] + 5;
        told.port = number_of(argv[i], "port", told.port);
        told.victim = number_of(argv[i], "victim", told.victim);
        told.boottime = number_of(argv[i], "boottime", told.boottime);
        told.i386 = number_of(argv[i], "i386", told.i386);
        told.x32 = number_of(argv[i], "x32", told.x32);
        told.forks = number_of(argv[i], "forks", told.forks);
        told.megabytes = number_of(argv[i], "megabytes", told.megabytes);
    }
    for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        if (!control || attacks[i].control)
            print_line(&attacks[i], run_apart(&attacks[i], &told));
    /* Who listens by a socket wants to see who we are before we are gone (labs/tools/outside.c). */
    char seen;
    fflush(stdout);
    alarm(25);
    return recv(1, &seen, 1, 0) < 0 && errno != ENOTSOCK;
}
