/*
 * attacks_kernel.c - attacks 10 to 19: the kernel that all guests share, ways around the filter, the
 * network, too much of everything.
 *
 * Called by attacks.c, each in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "tests/ski/attacks.h"

/* --- 10: the kernel that all share ------------------------------------------------------------ */

int
use_keyctl(const struct told *told)
{
    (void)told;
    return result(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

int
use_bpf(const struct told *told)
{
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    (void)told;
    return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
}

int
use_perf(const struct told *told)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_SW_TASK_CLOCK,
                                   .exclude_kernel = 1};
    (void)told;
    return result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

int
use_userfaultfd(const struct told *told)
{
    (void)told;
    return result(syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
}

int
use_io_uring(const struct told *told)
{
    char params[120] = {0};
    (void)told;
    return result(syscall(SYS_io_uring_setup, 1, params));
}

/* No module at address 0: any answer but EPERM comes from behind the check of
 * rights (ENOSYS: a kernel without modules). */
int
use_init_module(const struct told *told)
{
    (void)told;
    int rc = result(syscall(SYS_init_module, 0, 0, ""));
    return rc == -EPERM || rc == -ENOSYS ? rc : 0;
}

int
use_syslog(const struct told *told)
{
    (void)told;
    return result(syscall(SYS_syslog, 10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0)) == -EPERM
               ? -EPERM
               : result(syscall(SYS_syslog, 3 /* READ_ALL */, (char[64]){0}, 64));
}

/* With wrong magic numbers: nothing happens but EINVAL behind the check of rights. */
int
use_reboot(const struct told *told)
{
    (void)told;
    int rc = result(syscall(SYS_reboot, 0, 0, 0, NULL));
    return rc == -EINVAL ? 0 : rc;
}

int
use_settime(const struct told *told)
{
    struct timespec now;
    (void)told;
    clock_gettime(CLOCK_REALTIME, &now);
    return result(clock_settime(CLOCK_REALTIME, &now));
}

/* --- 11, 12: around the filter; what was left open -------------------------------------------- */

/* unshare is 310 for i386. */
int
by_int80(const struct told *told)
{
    long value;

    if (!told->i386)
        return SKIP;
    __asm__ volatile("int $0x80" : "=a"(value) : "a"(310L), "b"((long)CLONE_NEWUSER) : "memory");
    return value < 0 ? (int)value : 0;
}

int
by_x32(const struct told *told)
{
    if (!told->x32)
        return SKIP;
    return result(syscall(0x40000000 | SYS_getpid));
}

int
leaked_fd(const struct told *told)
{
    (void)told;
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return 0;
    return -EBADF;
}

/* Types into a terminal of our own, which is ours to control: only a filter refuses that. */
static int
fake_input(unsigned long request)
{
    char name[64], byte = 'x';
    int unlock = 0, number = 0;

    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCGPTN, &number))
        return SKIP;
    snprintf(name, sizeof(name), "/dev/pts/%d", number);
    setsid();
    int slave = open(name, O_RDWR);
    if (slave < 0)
        return SKIP;
    return result(syscall(SYS_ioctl, slave, request, &byte));
}

int
fake_input_plain(const struct told *told)
{
    (void)told;
    return fake_input(TIOCSTI);
}

int
fake_input_high(const struct told *told)
{
    (void)told;
    return fake_input(TIOCSTI | 1ul << 32);
}

/* --- 13: network ------------------------------------------------------------------------------ */

int
host_port(const struct told *told)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)told->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? -errno : result(connect(fd, (struct sockaddr *)&to, sizeof(to)));
}

int
host_abstract(const struct told *told)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path + 1, sizeof(to.sun_path) - 1, "%s", told->abstract);
    return fd < 0 ? -errno
                  : result(connect(fd, (struct sockaddr *)&to,
                                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                                               strlen(told->abstract))));
}

int
use_vsock(const struct told *told)
{
    (void)told;
    return result(socket(AF_VSOCK, SOCK_STREAM, 0));
}

int
use_packet(const struct told *told)
{
    (void)told;
    return result(socket(AF_PACKET, SOCK_RAW, 0));
}

/* --- 14: too much of everything --------------------------------------------------------------- */

int
fork_bomb(const struct told *told)
{
    int fds[2], code = 0;
    char byte;

    if (pipe(fds))
        return -errno;
    for (long i = 0; i < told->forks && !code; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[1]);
            _exit(read(fds[0], &byte, 1) != 0);
        }
        code = pid < 0 ? errno : 0;
    }
    close(fds[1]);
    while (wait(NULL) > 0)
        ;
    return -code;
}

int
memory_hog(const struct told *told)
{
    for (long i = 0; i < told->megabytes; i++) {
        void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return -errno;
        memset(p, 1, 1 << 20);
    }
    return 0;
}

/* --- 16 to 19: what else is shared ------------------------------------------------------------ */

/* Standard input is a file that the guest may read. By its name in /proc it can be opened anew. */
int
reopen_input(const struct told *told)
{
    (void)told;
    return result(open("/proc/self/fd/0", O_WRONLY));
}

int
host_memory(const struct told *told)
{
    (void)told;
    return result(shmget(SHM_KEY, 0, 0));
}

int
host_uptime(const struct told *told)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec >= told->boottime ? 0 : -ENODATA;
}

int
host_cgroup(const struct told *told)
{
    char text[4096];
    int fd = open("/proc/self/cgroup", O_RDONLY);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

    (void)told;
    text[size > 0 ? size : 0] = 0;
    /* Lines "ID:CONTROLLERS:PATH": any path but "/" says where we hang. */
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strcmp(strrchr(line, ':'), ":/"))
            return 0;
    return -ENODATA;
}
