/*
 * steps.c - the steps from a command line to an isolated program, in order: the table that the code
 * walks and `--explain` prints.
 *
 * The order is the point. Limits are set before there is anything to limit; the maps are written
 * while the first process waits; it becomes uid 0 of its own namespace before it mounts; the mounts
 * are complete before the old root goes; privileges go last, because all before needs them; and the
 * filter goes in behind them, because it would deny most of it.
 *
 * Walked by start.c. Next: start.c for the supervisor's steps, inside.c and root.c for the guest's.
 */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#include "strategy/ski/own.h"

/* clang-format off */
const struct ski_layer ski_layers[] = {
    {SKI_LAYER_USER,     "user",     "user namespace: root in the guest is nobody outside"},
    {SKI_LAYER_MOUNT,    "mount",    "mount namespace and a root file system of its own"},
    {SKI_LAYER_PID,      "pid",      "pid namespace: the guest sees and signals its own only"},
    {SKI_LAYER_NET,      "net",      "network namespace: no interface but lo"},
    {SKI_LAYER_UTS,      "uts",      "a hostname of its own"},
    {SKI_LAYER_IPC,      "ipc",      "System V IPC and message queues of its own"},
    {SKI_LAYER_CGROUPNS, "cgroupns", "cgroup namespace: where it hangs in the host is hidden"},
    {SKI_LAYER_TIME,     "time",     "time namespace: its uptime begins at 0"},
    {SKI_LAYER_MASK,     "mask",     "covers over parts of /proc"},
    {SKI_LAYER_READONLY, "readonly", "a root file system that cannot be written"},
    {SKI_LAYER_CAPS,     "caps",     "no capabilities, and none to be had"},
    {SKI_LAYER_NNP,      "nnp",      "no_new_privs: exec never gives privileges"},
    {SKI_LAYER_SECCOMP,  "seccomp",  "the filter of system calls"},
    {SKI_LAYER_CGROUP,   "cgroup",   "memory, processes and CPU time limited by cgroup (root)"},
    {SKI_LAYER_RLIMITS,  "rlimits",  "limits of each process; without root also memory, processes"},
    {SKI_LAYER_FDS,      "fds",      "the supervisor's descriptors are closed"},
    {0, NULL, NULL},
};

const struct ski_step ski_steps[] = {
    {1, SKI_PARENT, 0, "open", "open, fchdir",
     "the guest's files are found with the caller's rights, before any are given up",
     ski_step_open, 0},
    {1, SKI_PARENT, SKI_LAYER_SECCOMP, "filter", "(BPF)",
     "the filter is written here: nothing is computed inside",
     ski_step_filter, 0},
    {1, SKI_PARENT, SKI_LAYER_CGROUP, "cgroup", "mkdir, write",
     "fork bombs, memory and CPU hogs: limits stand before there is a process",
     ski_step_cgroup, 0},
    {1, SKI_PARENT, SKI_LAYER_USER, "user", "CLONE_NEWUSER",
     "uid 0 and capabilities are worth something inside only",
     ski_step_namespace, CLONE_NEWUSER},
    {1, SKI_PARENT, SKI_LAYER_MOUNT, "mount", "CLONE_NEWNS",
     "mounts made inside reach the host, or the host's the guest",
     ski_step_namespace, CLONE_NEWNS},
    {1, SKI_PARENT, SKI_LAYER_PID, "pid", "CLONE_NEWPID",
     "seeing, signalling, tracing processes of the host; all end with pid 1",
     ski_step_namespace, CLONE_NEWPID},
    {1, SKI_PARENT, SKI_LAYER_UTS, "uts", "CLONE_NEWUTS",
     "renaming the host",
     ski_step_namespace, CLONE_NEWUTS},
    {1, SKI_PARENT, SKI_LAYER_IPC, "ipc", "CLONE_NEWIPC",
     "shared memory and queues of the host",
     ski_step_namespace, CLONE_NEWIPC},
    {1, SKI_PARENT, SKI_LAYER_NET, "net", "CLONE_NEWNET",
     "the host's interfaces, its 127.0.0.1 and its abstract sockets",
     ski_step_namespace, CLONE_NEWNET},
    {1, SKI_PARENT, 0, "clone3", "clone3",
     "the first process, in all of these at once; it waits at a pipe",
     ski_step_clone, 0},
    {2, SKI_PARENT, SKI_LAYER_USER, "maps", "write uid_map, gid_map",
     "a guest's uid 0 is an unused uid of the host's (root), or the caller's own",
     ski_step_maps, 0},
    {2, SKI_PARENT, SKI_LAYER_CGROUP, "attach", "write cgroup.procs",
     "it and all its children are counted from here on",
     ski_step_attach, 0},
    {2, SKI_PARENT, SKI_LAYER_NET, "veth", "netlink RTM_NEWLINK",
     "--net veth: one end of a virtual cable goes into the guest",
     ski_step_veth, 0},
    {2, SKI_PARENT, 0, "watch", "ptrace PTRACE_SEIZE",
     "a tracer, if there is one, sees the guest from here on",
     ski_step_watch, 0},
    {2, SKI_PARENT, 0, "release", "write to the pipe",
     "nothing ran before all this was in place",
     ski_step_release, 0},

    {3, SKI_FIRST, 0, "wait", "read from the pipe",
     "a supervisor that fails leaves no guest: the pipe is closed",
     ski_step_wait, 0},
    {3, SKI_FIRST, 0, "session", "setsid",
     "signals to, and input faked on, the caller's terminal",
     ski_step_session, 0},
    {3, SKI_FIRST, SKI_LAYER_USER, "identity", "setgroups, setresgid, setresuid",
     "the caller's uid and groups",
     ski_step_identity, 0},
    {3, SKI_FIRST, 0, "deathsig", "prctl PR_SET_DUMPABLE, PR_SET_PDEATHSIG",
     "a guest that outlives its supervisor; after setresuid, which resets both",
     ski_step_deathsig, 0},
    {4, SKI_FIRST, SKI_LAYER_CGROUPNS, "cgroupns", "unshare CLONE_NEWCGROUP",
     "its place in the host's cgroups shows; after the attach, so that this is its root",
     ski_step_cgroupns, 0},
    {4, SKI_FIRST, SKI_LAYER_UTS, "hostname", "sethostname",
     "(a name to know it by)",
     ski_step_hostname, 0},
    {4, SKI_FIRST, SKI_LAYER_NET, "lo", "ioctl SIOCSIFFLAGS",
     "(a new network namespace has lo, and it is down)",
     ski_step_lo, 0},
    {5, SKI_FIRST, SKI_LAYER_MOUNT, "private", "mount MS_REC|MS_PRIVATE",
     "mounts spread between the namespaces",
     ski_step_private, 0},
    {5, SKI_FIRST, SKI_LAYER_MOUNT, "root", "mount MS_BIND, or tmpfs",
     "the new root: --rootfs bound, or a minimal one in memory",
     ski_step_root, 0},
    {5, SKI_FIRST, SKI_LAYER_MOUNT, "proc", "mount proc, tmpfs",
     "a /proc of this pid namespace: the host's would show its processes",
     ski_step_proc, 0},
    {5, SKI_FIRST, SKI_LAYER_MOUNT, "dev", "mount tmpfs, MS_BIND, devpts",
     "devices: six harmless ones and terminals of its own, no disk, no memory",
     ski_step_dev, 0},
    {5, SKI_FIRST, SKI_LAYER_MOUNT, "pivot", "pivot_root, umount2 MNT_DETACH",
     "chroot escapes: the old root is not hidden, it is gone",
     ski_step_pivot, 0},
    {5, SKI_FIRST, SKI_LAYER_MASK, "mask", "mount over, mount_setattr",
     "what /proc says and lets one set about the whole kernel",
     ski_step_mask, 0},
    {5, SKI_FIRST, SKI_LAYER_READONLY, "readonly", "mount_setattr MOUNT_ATTR_RDONLY",
     "writing into the image that other guests start from",
     ski_step_readonly, 0},
    {6, SKI_FIRST, SKI_LAYER_TIME, "time", "unshare CLONE_NEWTIME, write timens_offsets",
     "telling guests on one host by the uptime; it holds for children, so before fork",
     ski_step_time, 0},
    {6, SKI_FIRST, SKI_LAYER_FDS, "fds", "close_range(3, ~0)",
     "a descriptor left open is a door: a folder of the host's, the tracer's pipe",
     ski_step_fds, 0},
    {6, SKI_FIRST, 0, "fork", "prctl PR_SET_DUMPABLE 0, fork",
     "pid 1 reaps orphans and cannot be traced or read; pid 2 becomes the program",
     ski_step_fork, 0},

    {7, SKI_PROGRAM, SKI_LAYER_RLIMITS, "rlimits", "setrlimit",
     "core files, too many descriptors; without root: memory and processes",
     ski_step_rlimits, 0},
    {7, SKI_PROGRAM, SKI_LAYER_CAPS, "caps", "prctl PR_CAPBSET_DROP, PR_CAP_AMBIENT, capset",
     "mounts, devices, raw sockets, all that root may even in a namespace of its own",
     ski_step_caps, 0},
    {7, SKI_PROGRAM, SKI_LAYER_NNP, "nnp", "prctl PR_SET_NO_NEW_PRIVS",
     "privileges by setuid files",
     ski_step_nnp, 0},
    {7, SKI_PROGRAM, SKI_LAYER_SECCOMP, "seccomp", "prctl PR_SET_SECCOMP",
     "system calls that a guest has no need of: the kernel's code behind them",
     ski_step_seccomp, 0},
    {7, SKI_PROGRAM, 0, "exec", "execve",
     "the program; the pipe that reports failures closes, so the supervisor knows",
     ski_step_exec, 0},
    {0, SKI_PARENT, 0, NULL, NULL, NULL, NULL, 0},
};
/* clang-format on */

int
ski_walk(struct ski *ski, enum ski_who who, struct error *err)
{
    for (const struct ski_step *step = ski_steps; step->name; step++) {
        if (step->who != who || (step->layer & ski->options.without))
            continue;
        int rc = step->run(ski, step, err);
        if (rc && (rc == -EPERM || rc == -EACCES) && !ski->root) {
            const struct error why = *err; /* a sentence cannot be written into itself */
            return error_set(err, -rc, "step '%s' of the isolation: %.300s%s", step->name,
                             why.message, ski_user_mend());
        }
        if (rc)
            return error_prefix(err, rc, "step '%s' of the isolation", step->name);
    }
    return 0;
}
