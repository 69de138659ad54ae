/*
 * root.c - the guest's file system: a root of its own, /proc, /dev, /tmp; the old root gone.
 *
 * All of it happens in the guest's own mount namespace, so that nothing is left on the host when the
 * last process of the guest is gone. The new root is built on SKI_BASE and then becomes "/":
 * pivot_root(".", ".") puts the old one on top of the new, where it is detached (pivot_root(2),
 * NOTES). After that no path leads to it, which is more than chroot does.
 *
 * Called by the steps of chapter 5. Next: filter.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "strategy/ski/own.h"

#define PLAIN (MS_NOSUID | MS_NODEV)

/* One word each: what busybox is called as. */
static const char *const applets[] = {
    "ash",    "awk",    "basename", "cat",   "chmod",    "chown",  "cmp",      "cp",    "cut",
    "date",   "dd",     "df",       "diff",  "du",       "echo",   "env",      "expr",  "false",
    "find",   "free",   "grep",     "head",  "hostname", "id",     "ifconfig", "kill",  "ln",
    "ls",     "md5sum", "mkdir",    "mknod", "mount",    "mv",     "nc",       "nproc", "od",
    "ping",   "printf", "ps",       "pwd",   "readlink", "rm",     "rmdir",    "sed",   "seq",
    "sh",     "sleep",  "sort",     "stat",  "sync",     "tail",   "tar",      "tee",   "test",
    "time",   "top",    "touch",    "tr",    "true",     "umount", "uname",    "uniq",  "uptime",
    "usleep", "vi",     "wc",       "wget",  "which",    "whoami", "xargs",    "yes",
};

static int
mount_at(const char *source, const char *target, const char *type, unsigned long flags,
         const char *data, struct error *err)
{
    if (mount(source, target, type, flags, data))
        return error_set(err, errno, "mounting %s on %s: %m", source ? source : "nothing", target);
    return 0;
}

/* A folder or an empty file to mount on; in a root that is the user's it must be there already. */
static int
need_folder(const char *path, struct error *err)
{
    struct stat st;

    if (!mkdir(path, 0755) || (!stat(path, &st) && S_ISDIR(st.st_mode)))
        return 0;
    return error_set(err, ENOENT, "the root file system has no folder /%s to mount on: make one",
                     path);
}

static int
need_file(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return error_set(err, errno, "/%s: %m", path);
    close(fd);
    return 0;
}

SKI_STEP(ski_step_private)
{
    return mount_at(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL, err);
}

/* The host's file that the program is, into the guest: the last part of where the program is. */
static int
copy_program(struct ski *ski, const char *folder, struct error *err)
{
    const char *name = strrchr(ski->spec->path, '/');
    char path[PATH_MAX];
    ssize_t sent;
    int rc = 0;

    snprintf(path, sizeof(path), "%s/%s", folder, name ? name + 1 : ski->spec->path);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (to < 0)
        return error_set(err, errno, "copying the program to %s: %m", path);
    while ((sent = sendfile(to, ski->copy, NULL, 1u << 20)) > 0)
        ;
    if (sent < 0)
        rc = error_set(err, errno, "copying the program to %s: %m", path);
    close(to);
    return rc;
}

static int
bind_read_only(const char *source, const char *target, struct error *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    int rc = mount_at(source, target, NULL, MS_BIND, NULL, err);

    if (!rc && mount_setattr(AT_FDCWD, target, 0, &attr, sizeof(attr)))
        rc = error_set(err, errno, "%s read-only: %m", target);
    return rc;
}

/* A root in memory: busybox, bound and so shared by all guests, and our programs. */
static int
build_minimal(struct ski *ski, struct error *err)
{
    static const char *const folders[] = {"bin", "proc", "dev", "tmp", "apps", "etc"};
    int rc = 0, apps = -1;

    /* "." is the folder of our programs, if it was asked for; hold it while we work elsewhere. */
    if (ski->options.app_folder && (apps = open(".", O_PATH | O_CLOEXEC)) < 0)
        return error_set(err, errno,
                         errno == EACCES ? "the folder of programs is not open to others, and the "
                                           "guest's root is nobody on this host: 'chmod -R o+rX' it"
                                         : "the folder of programs: %m");
    if ((rc = mount_at("tmpfs", SKI_BASE, "tmpfs", PLAIN, "mode=0755,size=32m", err)))
        return rc;
    if (chdir(SKI_BASE))
        return error_set(err, errno, SKI_BASE ": %m");
    for (unsigned i = 0; !rc && i < ARRAY_SIZE(folders); i++)
        rc = need_folder(folders[i], err);
    if (!rc && ski->busybox && !(rc = need_file("bin/busybox", err)))
        rc = bind_read_only(ski->busybox_path, "bin/busybox", err);
    for (unsigned i = 0; !rc && ski->busybox && i < ARRAY_SIZE(applets); i++) {
        char path[64];
        snprintf(path, sizeof(path), "bin/%s", applets[i]);
        if (symlink("busybox", path))
            rc = error_set(err, errno, "/%s: %m", path);
    }
    if (!rc && apps >= 0) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", apps);
        rc = bind_read_only(path, "apps", err);
    }
    if (apps >= 0)
        close(apps);
    return rc;
}

/*
 * Recursive, because mounts below it are locked to it in a user namespace (mount_namespaces(7)); and
 * read-only at once, for those below: the step "readonly" does the top only.
 */
static int
bind_rootfs(struct ski *ski, struct error *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    int rc = mount_at(".", SKI_BASE, NULL, MS_BIND | MS_REC, NULL, err);

    if (rc == -EACCES)
        return error_set(err, EACCES,
                         "the root file system is not open to others, and the guest's root is "
                         "nobody on this host: 'chmod o+rx' it");
    if (rc)
        return rc;
    if (chdir(SKI_BASE))
        return error_set(err, errno, SKI_BASE ": %m");
    if (ski_has(ski, SKI_LAYER_READONLY))
        attr.attr_set |= MOUNT_ATTR_RDONLY;
    if (mount_setattr(AT_FDCWD, ".", AT_RECURSIVE, &attr, sizeof(attr)))
        return error_set(err, errno, "mount_setattr of the root: %m");
    return 0;
}

/* The working directory is the new root from here on. */
SKI_STEP(ski_step_root)
{
    if (ski->options.rootfs)
        return bind_rootfs(ski, err);
    return build_minimal(ski, err);
}

/* A new proc shows this pid namespace; without one it must be the host's, bound. */
SKI_STEP(ski_step_proc)
{
    int rc = need_folder("proc", err);

    if (!rc && ski_has(ski, SKI_LAYER_PID))
        rc = mount_at("proc", "proc", "proc", PLAIN | MS_NOEXEC, NULL, err);
    else if (!rc)
        rc = mount_at("/proc", "proc", NULL, MS_BIND | MS_REC, NULL, err);
    if (rc || (rc = need_folder("tmp", err)) ||
        (rc = mount_at("tmpfs", "tmp", "tmpfs", PLAIN, "mode=1777,size=32m", err)))
        return rc;
    return ski->copy >= 0 ? copy_program(ski, "tmp", err) : 0;
}

/* Device nodes cannot be made in a user namespace, and would be dead on this tmpfs (nodev): the
 * host's own are bound. */
SKI_STEP(ski_step_dev)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {
        {"pts/ptmx", "dev/ptmx"},          {"/proc/self/fd", "dev/fd"},
        {"/proc/self/fd/0", "dev/stdin"},  {"/proc/self/fd/1", "dev/stdout"},
        {"/proc/self/fd/2", "dev/stderr"},
    };
    char from[64], to[64];
    int rc = need_folder("dev", err);

    if (!rc)
        rc = mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=1m", err);
    for (unsigned i = 0; !rc && i < ARRAY_SIZE(nodes); i++) {
        snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
        snprintf(to, sizeof(to), "dev/%s", nodes[i]);
        if (!(rc = need_file(to, err)))
            rc = mount_at(from, to, NULL, MS_BIND, NULL, err);
    }
    for (unsigned i = 0; !rc && i < ARRAY_SIZE(links); i++)
        if (symlink(links[i][0], links[i][1]))
            rc = error_set(err, errno, "/%s: %m", links[i][1]);
    if (rc || (rc = need_folder("dev/pts", err)) || (rc = need_folder("dev/shm", err)) ||
        (rc = mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=0620", err)))
        return rc;
    return mount_at("tmpfs", "dev/shm", "tmpfs", PLAIN | MS_NOEXEC, "mode=1777,size=4m", err);
}

SKI_STEP(ski_step_pivot)
{
    if (syscall(SYS_pivot_root, ".", "."))
        return error_set(err, errno, "pivot_root: %m");
    if (umount2(".", MNT_DETACH) || chdir("/"))
        return error_set(err, errno, "detaching the old root: %m");
    return 0;
}

/*
 * Parts of /proc and /sys that tell of, or set, the one kernel that all share. What is not there is
 * not covered.
 */
SKI_STEP(ski_step_mask)
{
    static const char *const hidden[] = {
        "/proc/kcore",         "/proc/keys",        "/proc/key-users",
        "/proc/timer_list",    "/proc/sched_debug", "/proc/latency_stats",
        "/proc/kallsyms",      "/proc/kmsg",        "/proc/kpagecount",
        "/proc/kpageflags",    "/proc/kpagecgroup", "/proc/config.gz",
        "/proc/interrupts",    "/proc/acpi",        "/proc/scsi",
        "/proc/asound",        "/proc/driver",      "/sys",
        "/proc/sysrq-trigger",
    };
    static const char *const fixed[] = {"/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq",
                                        "/proc/mtrr"};
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    struct stat st;
    int rc = 0;

    if (!ski_has(ski, SKI_LAYER_MOUNT))
        return 0; /* these would be the host's */
    for (unsigned i = 0; !rc && i < ARRAY_SIZE(hidden); i++) {
        if (lstat(hidden[i], &st))
            continue;
        if (S_ISDIR(st.st_mode))
            rc = mount_at("tmpfs", hidden[i], "tmpfs", MS_RDONLY | PLAIN | MS_NOEXEC,
                          "mode=0755,size=4k", err);
        else
            rc = mount_at("/dev/null", hidden[i], NULL, MS_BIND, NULL, err);
    }
    for (unsigned i = 0; !rc && i < ARRAY_SIZE(fixed); i++) {
        if (lstat(fixed[i], &st))
            continue;
        rc = mount_at(fixed[i], fixed[i], NULL, MS_BIND | MS_REC, NULL, err);
        if (!rc && mount_setattr(AT_FDCWD, fixed[i], AT_RECURSIVE, &read_only, sizeof(read_only)))
            rc = error_set(err, errno, "%s read-only: %m", fixed[i]);
    }
    return rc;
}

SKI_STEP(ski_step_readonly)
{
    static const char *const mounts[] = {"/", "/dev"};
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    if (!ski_has(ski, SKI_LAYER_MOUNT))
        return 0;
    for (unsigned i = 0; i < ARRAY_SIZE(mounts); i++)
        if (mount_setattr(AT_FDCWD, mounts[i], 0, &attr, sizeof(attr)) && errno != EINVAL &&
            errno != ENOENT)
            return error_set(err, errno, "%s read-only: %m", mounts[i]);
    return 0;
}
