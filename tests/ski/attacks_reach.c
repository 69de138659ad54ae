/*
 * attacks_reach.c - attacks 1 to 9: out of the root, to processes, mounts, namespaces, devices and files.
 *
 * Called by attacks.c, each in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <dirent.h>
#include <unistd.h>

#include "tests/ski/attacks.h"

/* --- 1, 2: out of the root -------------------------------------------------------------------- */

static int
leave_jail(const struct told *told)
{
    int code = errno;

    rmdir(told->jail);
    return -code;
}

/* A second chroot while the working directory is outside of it; then ".." has no end (chroot(2)). */
int
chroot_and_up(const struct told *told)
{
    struct stat st;

    mkdir(told->jail, 0700);
    if (chroot(told->jail))
        return leave_jail(told);
    for (int i = 0; i < 64; i++)
        if (chdir(".."))
            return -errno;
    return chroot(".") ? -errno : result(stat(told->secret, &st));
}

/* The same by a descriptor of the old root. */
int
chroot_and_fchdir(const struct told *told)
{
    struct stat st;
    int root = open("/", O_RDONLY | O_DIRECTORY);

    mkdir(told->jail, 0700);
    if (chroot(told->jail))
        return leave_jail(told);
    if (chdir("/") || fchdir(root))
        return -errno;
    for (int i = 0; i < 64; i++)
        if (chdir(".."))
            return -errno;
    return chroot(".") ? -errno : result(stat(told->secret, &st));
}

int
host_file(const struct told *told)
{
    return result(open(told->secret, O_RDONLY));
}

int
host_file_by_proc(const struct told *told)
{
    char path[4096];

    snprintf(path, sizeof(path), "/proc/1/root%s", told->secret);
    return result(open(path, O_RDONLY));
}

/* --- 3: processes ----------------------------------------------------------------------------- */

int
see_pids(const struct told *told)
{
    char path[300], name[64] = "";
    DIR *proc = opendir("/proc");
    struct dirent *entry;

    (void)told;
    while (proc && (entry = readdir(proc))) {
        snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file && fgets(name, sizeof(name), file) && !strncmp(name, VICTIM_NAME, 10))
            return 0;
        if (file)
            fclose(file);
    }
    return -ESRCH;
}

int
kill_host(const struct told *told)
{
    return result(kill((pid_t)told->victim, 0));
}

/* --- 4: mounts -------------------------------------------------------------------------------- */

int
mount_tmpfs(const struct told *told)
{
    (void)told;
    return result(mount("none", "/tmp", "tmpfs", 0, NULL));
}

int
remount_writable(const struct told *told)
{
    (void)told;
    return result(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
}

int
uncover(const struct told *told)
{
    (void)told;
    return result(umount2("/proc/timer_list", MNT_DETACH));
}

int
new_mount_api(const struct told *told)
{
    (void)told;
    return result(syscall(SYS_fsopen, "tmpfs", 0));
}

/* --- 5: namespaces ---------------------------------------------------------------------------- */

int
unshare_user(const struct told *told)
{
    (void)told;
    return result(unshare(CLONE_NEWUSER));
}

int
clone_user(const struct told *told)
{
    (void)told;
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return result(pid);
}

int
clone3_user(const struct told *told)
{
    uint64_t args[8] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};

    (void)told;
    long pid = syscall(SYS_clone3, args, sizeof(args));
    if (pid == 0)
        _exit(0);
    return result(pid);
}

int
enter_pid1(const struct told *told)
{
    (void)told;
    int fd = open("/proc/1/ns/mnt", O_RDONLY);
    return fd < 0 ? -errno : result(setns(fd, 0));
}

/* --- 6 to 9: devices, processes, files -------------------------------------------------------- */

int
make_device(const struct told *told)
{
    (void)told;
    return result(mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)));
}

int
open_devices(const struct told *told)
{
    static const char *const names[] = {"/dev/mem", "/dev/kvm",   "/dev/vda",
                                        "/dev/sda", "/dev/loop0", "/dev/kmsg"};
    (void)told;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (open(names[i], O_RDONLY) >= 0)
            return 0;
        else if (errno != ENOENT)
            return -errno;
    return -ENOENT;
}

int
trace_pid1(const struct told *told)
{
    (void)told;
    return result(ptrace(PTRACE_SEIZE, 1, NULL, NULL));
}

int
read_pid1(const struct told *told)
{
    (void)told;
    return result(open("/proc/1/mem", O_RDONLY));
}

int
name_pid1(const struct told *told)
{
    char path[256];
    (void)told;
    return result(readlink("/proc/1/exe", path, sizeof(path)));
}

/* Inode 2 is the root of an ext file system, whichever part of it is mounted here. */
int
open_by_number(const struct told *told)
{
    struct {
        struct file_handle handle;
        uint32_t inode[2];
    } h = {.handle = {.handle_bytes = 8, .handle_type = 1}, .inode = {2, 0}};

    (void)told;
    int fd = (int)syscall(SYS_open_by_handle_at, AT_FDCWD, &h, O_RDONLY);
    /* The handle was looked at: whoever knows the right one is in. */
    return fd >= 0 || errno == ESTALE || errno == EINVAL ? 0 : -errno;
}

int
core_pattern(const struct told *told)
{
    (void)told;
    return result(open("/proc/sys/kernel/core_pattern", O_WRONLY));
}

int
write_root(const struct told *told)
{
    (void)told;
    int fd = open("/ski-attack", O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        unlink("/ski-attack");
    return result(fd);
}

int
read_covered(const struct told *told)
{
    char byte;

    (void)told;
    int fd = open("/proc/kallsyms", O_RDONLY);
    return fd < 0 ? -errno : read(fd, &byte, 1) == 1 ? 0 : -ENODATA;
}
