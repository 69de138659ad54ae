/*
 * box.c - lab 8: a container in one file. It leaks.
 *
 *     make
 *     ./box /bin/busybox sh           a shell in it
 *     ./outside attacks ./box         the containment table
 *     ./outside honest ./box          and does a program that means no harm still work?
 *
 * ./box PROGRAM [WORD...] runs a copy of the file PROGRAM (linked statically: there is no library in
 * there) as uid 0 of a small system of its own. No system call makes a container: it is a list of
 * steps, each of which takes something away. Read main(), then the table `steps` at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct box {
    int program;        /* the file, opened before anything was given up */
    char path[256];     /* where its copy is, inside */
    char **argv;        /* its words */
    const char *folder; /* what the new root is mounted on */
    uid_t uid;          /* who it is outside: whoever called, or nobody */
    gid_t gid;
};

/* Says that a hole is still there, and goes on: the box leaks, but runs. Returns 0. */
static inline int
not_yet(const char *what)
{
    fprintf(stderr, "box: %s is not written yet\n", what);
    return 0;
}

/* Each step returns 0, or -1 with errno: then there is no guest. */

/* --- who, and in which root: given ------------------------------------------------------------ */

/* user_namespaces(7): one uid may be mapped by its owner, who gives up setgroups for it. */
static int
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : write(fd, text, strlen(text));

    if (fd >= 0)
        close(fd);
    return size < 0 ? -1 : 0;
}

static int
identity(struct box *box)
{
    char uid[32], gid[32];

    snprintf(uid, sizeof(uid), "0 %u 1", (unsigned)box->uid);
    snprintf(gid, sizeof(gid), "0 %u 1", (unsigned)box->gid);
    return prctl(PR_SET_PDEATHSIG, SIGKILL) || write_file("/proc/self/setgroups", "deny") ||
           write_file("/proc/self/uid_map", uid) || write_file("/proc/self/gid_map", gid) ||
           setsid() < 0;
}

/* A root in memory with a copy of the program. It is the working directory from here on. Any folder would do to
 * mount it on: one that is there already, for one of its own would stay behind if the box were killed. */
static int
build_root(struct box *box)
{
    static const char *const folders[] = {"bin", "proc", "dev", "tmp", "etc"};
    ssize_t sent;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || /* what we mount stays here */
        mount("tmpfs", box->folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=32m") ||
        chdir(box->folder))
        return -1;
    for (unsigned i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (mkdir(folders[i], 0755))
            return -1;
    int to = open(box->path + 1, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (to < 0)
        return -1;
    while ((sent = sendfile(to, box->program, NULL, 1u << 20)) > 0)
        ;
    close(to);
    close(box->program);
    return sent || mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=32m");
}

/* A device node cannot be made in a user namespace: the host's harmless ones are bound. */
static int
build_dev(struct box *box)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom"};
    char from[64], to[64];

    (void)box;
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
        snprintf(to, sizeof(to), "dev/%s", nodes[i]);
        close(open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        if (mount(from, to, NULL, MS_BIND, NULL))
            return -1;
    }
    return mkdir("dev/pts", 0755) || symlink("pts/ptmx", "dev/ptmx") ||
           mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                 "newinstance,ptmxmode=0666,mode=0620");
}

/*
 * HOLE 1 - enter_root(): the new root becomes "/", and there is no way back.
 *
 * before    the new root is a mount, and the working directory
 * returns   0, or -1 with errno
 * after     "/" and the working directory are the new root; the old one is not mounted any more
 * hint      chroot() moves what "/" means for this process; the old root stays mounted behind it, and who
 *           may call chroot() again leaves (chroot(2), NOTES). pivot_root() exchanges the mounts
 *           themselves: read NOTES of pivot_root(2) about (".", "."), which needs no folder for the old root;
 *           it then lies over the new one at ".", from where umount2() with MNT_DETACH takes it. The C
 *           library has no pivot_root(): syscall(SYS_pivot_root, ...)
 */
static int
enter_root(struct box *box)
{
    (void)box;
    return not_yet("enter_root() (hole 1)") || chroot(".") || chdir("/");
}
/* END 1 */

/* What /proc tells about the kernel that all share; and the root cannot be written. */
static int
cover(struct box *box)
{
    static const char *const hidden[] = {"/proc/kallsyms", "/proc/kcore", "/proc/keys",
                                         "/proc/timer_list", "/proc/sysrq-trigger"};
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    (void)box;
    for (unsigned i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (!access(hidden[i], F_OK) && mount("/dev/null", hidden[i], NULL, MS_BIND, NULL))
            return -1;
    return mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL) ||
           mount_setattr(AT_FDCWD, "/proc/sys", AT_RECURSIVE, &attr, sizeof(attr)) ||
           mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr));
}

/* --- processes -------------------------------------------------------------------------------- */

/*
 * HOLE 2 - processes of its own.
 *
 * PROCESSES         more flags for clone(): which namespace counts pids from 1? The process that clone() makes
 *                   is its pid 1, and the program will be pid 2
 * mount_proc()      a /proc of this pid namespace at "proc", below the working directory: mount() of type
 *                   "proc", no suid, no devices, no exec. (A bound /proc shows the host's processes.)
 *                   Returns 0, or -1 with errno
 * first_process()   what pid 1 does, until the program ends. program: its pid. Returns the box' status:
 *                   the program's, or 128 and the signal that ended it
 * hint              who loses its parent becomes pid 1's child, and is a zombie until pid 1 has waited for
 *                   it; so wait for any (-1), and go on until it was the program. A wait can be
 *                   interrupted (EINTR). When pid 1 ends the kernel kills all others (pid_namespaces(7))
 */
#define PROCESSES 0

static int
mount_proc(struct box *box)
{
    (void)box;
    return not_yet("mount_proc() (hole 2)") || mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL);
}

static int
first_process(pid_t program)
{
    int status = 0;

    not_yet("first_process() (hole 2)");
    waitpid(program, &status, 0);
    return WEXITSTATUS(status);
}
/* END 2 */

/* --- what else is shared ---------------------------------------------------------------------- */

/* A network interface, on. */
static inline int
link_up(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    int rc = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &request);
    if (fd >= 0)
        close(fd);
    return rc;
}

/*
 * HOLE 3 - close the doors that were left open.
 *
 * DOORS           more flags for clone(): namespaces of its own for the network, for System V IPC, and for
 *                 where it hangs in the cgroups
 * close_doors()   closes every descriptor from 3 on, whoever opened it. Returns 0, or -1 with errno
 * hint            a namespace stops what is looked up by a name: a port, a key, a path. What is open
 *                 already needs no name: it goes through all namespaces. Do not count on O_CLOEXEC: those who
 *                 started the box may have forgotten it. close_range(2). And a new network namespace has
 *                 lo, but it is down; a program that talks to itself wants link_up("lo")
 */
#define DOORS 0

static int
close_doors(struct box *box)
{
    (void)box;
    return not_yet("close_doors() (hole 3)");
}
/* END 3 */

/* time_namespaces(7): its uptime begins at 0. It holds for children, so it comes before fork. */
static int
own_time(struct box *box)
{
    struct timespec now;
    char text[64];

    (void)box;
    if (unshare(CLONE_NEWTIME))
        return errno == EINVAL ? 0 : -1; /* this kernel has none */
    clock_gettime(CLOCK_BOOTTIME, &now);
    snprintf(text, sizeof(text), "boottime -%lld 0\n", (long long)now.tv_sec);
    return write_file("/proc/self/timens_offsets", text);
}

/* --- what the program may do ------------------------------------------------------------------ */

static int
limits(struct box *box)
{
    const struct rlimit core = {0, 0}, memory = {128 << 20, 128 << 20}, processes = {32, 32};

    (void)box;
    return setrlimit(RLIMIT_CORE, &core) || setrlimit(RLIMIT_AS, &memory) ||
           setrlimit(RLIMIT_NPROC, &processes);
}

/*
 * HOLE 4 - drop_privileges(): uid 0, and nothing that makes it root.
 *
 * before    all capabilities, in this user namespace: it may mount, make raw packets, pass over the modes of
 *           its owner's files. None is needed any more but by the filter, see below
 * returns   0, or -1 with errno
 * after     no capability in the bounding set, the ambient one, or the three of this process; and
 *           no_new_privs
 * hint      capabilities(7). What execve() gives to uid 0 is taken from the bounding set, so dropping the
 *           three sets alone lasts until the next execve(). Bounding: prctl PR_CAPBSET_DROP, one after the
 *           other; PR_CAPBSET_READ says -1 behind the last. That itself needs a capability, so it comes
 *           first. The three sets: syscall(SYS_capset, &header, data), version _LINUX_CAPABILITY_VERSION_3,
 *           whose data has two elements. no_new_privs (prctl) is for programs with a suid bit; and who
 *           has it may install a filter without any capability
 */
static int
drop_privileges(struct box *box)
{
    (void)box;
    return not_yet("drop_privileges() (hole 4)");
}
/* END 4 */

/* Instructions of a filter: the kernel's BPF machine has one register, A. An answer ends it.
 * IF_...(value, n): if A is so the next instruction is done, else n of them are skipped. */
#define LOAD(field)        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(action)     BPF_STMT(BPF_RET | BPF_K, action)
#define IF_EQUAL(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n)
#define IF_OTHER(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, n, 0)
#define IF_BITS(bits, n)   BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, n) /* any of these */
#define IF_ABOVE(value, n) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, 0, n)
#define REFUSE(error)      ANSWER(SECCOMP_RET_ERRNO | (error))
#define DENY(call)         IF_EQUAL(SYS_##call, 1), REFUSE(EPERM)

#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/*
 * HOLE 5 - the filter of system calls.
 *
 * filter[]           runs at each system call. A struct seccomp_data says nr, arch, args[0..5]; the
 *                    instructions above are all that you need
 * install_filter()   prctl PR_SET_SECCOMP, SECCOMP_MODE_FILTER, a struct sock_fprog. Returns 0, or -1 with errno
 * refuses            another architecture: SECCOMP_RET_KILL_PROCESS (there, number 310 is another call)
 *                    numbers of x32 (0x40000000 and above), clone3: ENOSYS
 *                    new namespaces: unshare, setns; clone, if args[0] has one of NEW_NAMESPACES
 *                    mounts: mount umount2 pivot_root chroot fsopen fsmount open_tree move_mount mount_setattr
 *                    processes, files by number: ptrace process_vm_readv process_vm_writev open_by_handle_at
 *                    the one kernel: keyctl add_key request_key bpf perf_event_open userfaultfd io_uring_setup
 *                    init_module finit_module delete_module kexec_load syslog reboot clock_settime
 *                    settimeofday; ioctl, if args[1] is TIOCSTI; sockets but AF_UNIX, AF_INET, AF_INET6: EPERM
 * allows             everything else. A filter that refuses all stops all attacks, and all work
 * hint               arch first; nr again behind each look at an argument, for A is then something else.
 *                    LOAD takes 32 bits: of args[1] it is the low half, which is what the kernel takes
 *                    for ioctl, too. clone3 has its flags in memory, where no filter can look; with
 *                    ENOSYS the C library takes clone. n counts instructions: REFUSE is one, DENY two. The
 *                    kernel takes no filter (EINVAL) with a skip behind its end, or whose end is no ANSWER.
 *                    'info filter' in `hv debug --strategy ski -- hello` has hv's list
 */
static const struct sock_filter filter[] = {
    ANSWER(SECCOMP_RET_ALLOW),
};

static int
install_filter(struct box *box)
{
    (void)box;
    (void)filter;
    return not_yet("install_filter() (hole 5)");
}
/* END 5 */

/* --- the order of it all: given --------------------------------------------------------------- */

/* pid 1 was box, and its memory is a copy of box': not dumpable, nobody inside may read or trace it,
 * not even with all capabilities of the user namespace (ptrace(2)). execve undoes that for the program. */
static int
fork_program(struct box *box)
{
    (void)box;
    if (prctl(PR_SET_DUMPABLE, 0))
        return -1;
    fflush(NULL);
    pid_t program = fork();
    if (program > 0)
        _exit(first_process(program));
    return program < 0 ? -1 : 0;
}

static int
execute(struct box *box)
{
    static char *const environment[] = {"PATH=/bin", "HOME=/", "TERM=linux", NULL};

    return execve(box->path, box->argv, environment);
}

static const struct step {
    const char *name;
    int (*run)(struct box *box);
} steps[] = {
    {"identity: uid 0 of a user namespace, which is one harmless uid outside", identity},
    {"root: a file system of its own", build_root},
    {"proc: its own processes", mount_proc},
    {"dev: five devices that are nobody's secret", build_dev},
    {"enter: that root becomes /", enter_root},
    {"cover: what /proc would tell; / cannot be written", cover},
    {"time: an uptime of its own", own_time},
    {"doors: nothing is left open", close_doors},
    {"fork: pid 1 stays, pid 2 goes on", fork_program},
    {"limits: memory, processes", limits},
    {"privileges: none", drop_privileges},
    {"filter: last, because it denies most of the above", install_filter},
    {"execute", execute},
};

static int
inside(struct box *box)
{
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i].run(box)) {
            fprintf(stderr, "box: step %s: %s\n", steps[i].name, strerror(errno));
            _exit(125);
        }
    _exit(125);
}

int
main(int argc, char **argv)
{
    struct box box = {.argv = argv + 1};
    const unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | PROCESSES | DOORS |
                                SIGCHLD;
    int status = 125 << 8;

    if (argc < 2 || (box.program = open(argv[1], O_RDONLY | O_CLOEXEC)) < 0) {
        fprintf(stderr, "usage: box PROGRAM [WORD...]: PROGRAM is a file, linked statically\n");
        return 125;
    }
    const char *slash = strrchr(argv[1], '/'), *place = getenv("TMPDIR");
    box.folder = place ? place : "/tmp";
    snprintf(box.path, sizeof(box.path), "/bin/%s", slash ? slash + 1 : argv[1]);
    /* A container needs no root: box gives it up first, and is nobody. (Else this is refused.) */
    if (!setgroups(0, NULL) && !geteuid() &&
        (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
         prctl(PR_SET_DUMPABLE, 1)))
        return 125;
    box.uid = geteuid();
    box.gid = getegid();
    fflush(NULL);
    pid_t first = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (first == 0)
        inside(&box);
    if (first < 0)
        fprintf(stderr, "box: clone() with new namespaces: %s ('hv doctor' may know why)\n",
                strerror(errno));
    while (first > 0 && waitpid(first, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
