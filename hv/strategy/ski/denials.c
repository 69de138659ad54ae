/*
 * denials.c - the system calls that a guest is denied, and why, one by one.
 *
 * Every guest of ski is served by the host's own kernel, so what a system call does inside that
 * kernel is done to the host. A namespace or a lost capability already refuses most of these; the
 * filter is there for the bug that makes it not so, and for what no namespace covers. Anything not
 * listed is allowed; anything newer than this list does not exist (filter.c).
 *
 * syscalls(2). Called by filter.c, docs and debugger. Next: filter.c.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "strategy/ski/ski.h"

#define DENY(call, reason)                                                                         \
    {                                                                                              \
        SYS_##call, #call, EPERM, NULL, reason                                                     \
    }
#define ABSENT(call, reason)                                                                       \
    {                                                                                              \
        SYS_##call, #call, ENOSYS, NULL, reason                                                    \
    }
#define WHEN(call, when, reason)                                                                   \
    {                                                                                              \
        SYS_##call, #call, EPERM, when, reason                                                     \
    }

/* clang-format off */
const struct ski_denial ski_denials[] = {
    /* New namespaces: a user namespace gives all capabilities anew, and with them much code. */
    DENY(unshare,           "a user namespace of its own would give it all capabilities again"),
    DENY(setns,             "entering another guest's or the host's namespaces"),
    WHEN(clone, "CLONE_NEW*", "as unshare"),
    ABSENT(clone3,          "its flags lie in memory, where a filter cannot look; libc uses clone instead"),

    /* Mounts. */
    DENY(mount,             "covers and read-only mounts could be undone"),
    DENY(umount2,           "what is under a cover would show"),
    DENY(pivot_root,        "the root is not the guest's to change"),
    DENY(chroot,            "the classical way out: chroot again, then fchdir and .."),
    DENY(fsopen,            "mounting, the new way"),
    DENY(fsconfig,          "mounting, the new way"),
    DENY(fsmount,           "mounting, the new way"),
    DENY(fspick,            "remounting, the new way"),
    DENY(open_tree,         "a detached copy of a mount escapes its covers"),
    DENY(move_mount,        "covers could be moved away"),
    DENY(mount_setattr,     "read-only could be undone"),
    DENY(swapon,            "swap is the host's"),
    DENY(swapoff,           "swap is the host's"),
    DENY(quotactl,          "quotas are the host's"),
    DENY(quotactl_fd,       "quotas are the host's"),

    /* Files and devices. */
    WHEN(mknod, "S_IFCHR, S_IFBLK", "a device node is the device: disks, memory"),
    WHEN(mknodat, "S_IFCHR, S_IFBLK", "as mknod"),
    DENY(open_by_handle_at, "opens files by number, past every root: the 'shocker' escape"),
    DENY(name_to_handle_at, "gives the numbers for it"),
    DENY(fanotify_init,     "watches whole file systems of the host"),
    DENY(acct,              "writes the host's accounting file"),
    DENY(uselib,            "obsolete; a source of bugs"),
    DENY(sysfs,             "obsolete"),

    /* Other processes. */
    DENY(ptrace,            "tracing is the way into a process with more rights"),
    DENY(process_vm_readv,  "reads another process' memory"),
    DENY(process_vm_writev, "writes another process' memory"),
    DENY(process_madvise,   "acts on another process' memory"),
    DENY(pidfd_getfd,       "takes another process' open files"),
    DENY(kcmp,              "compares kernel addresses: helps exploits"),
    DENY(migrate_pages,     "moves another process' memory"),
    DENY(move_pages,        "moves another process' memory"),
    DENY(vhangup,           "hangs up a terminal"),

    /* The one kernel. */
    DENY(init_module,       "code into the kernel"),
    DENY(finit_module,      "code into the kernel"),
    DENY(delete_module,     "code out of the kernel"),
    DENY(create_module,     "obsolete"),
    DENY(query_module,      "obsolete"),
    DENY(get_kernel_syms,   "obsolete; kernel addresses"),
    DENY(kexec_load,        "another kernel for everybody"),
    DENY(kexec_file_load,   "another kernel for everybody"),
    DENY(reboot,            "the machine is everybody's"),
    DENY(syslog,            "the kernel's messages tell of all guests"),
    DENY(bpf,               "a compiler in the kernel; the verifier's bugs are escapes"),
    DENY(perf_event_open,   "counters and samples of the whole machine; side channels"),
    DENY(userfaultfd,       "stops the kernel in the middle of a copy: makes races winnable"),
    DENY(io_uring_setup,    "system calls that no filter sees"),
    DENY(io_uring_enter,    "system calls that no filter sees"),
    DENY(io_uring_register, "system calls that no filter sees"),
    DENY(keyctl,            "keys have no namespace of their own"),
    DENY(add_key,           "keys have no namespace of their own"),
    DENY(request_key,       "keys have no namespace; starts a program on the host"),
    DENY(lookup_dcookie,    "obsolete; names of the host's files"),
    DENY(nfsservctl,        "obsolete"),
    DENY(_sysctl,           "obsolete"),
    DENY(iopl,              "ports of the real machine"),
    DENY(ioperm,            "ports of the real machine"),
    DENY(modify_ldt,        "segments of old; a source of bugs"),
    DENY(set_mempolicy,     "memory placement is the host's"),
    DENY(mbind,             "memory placement is the host's"),

    /* Clocks and names of all. */
    DENY(settimeofday,      "the time of day has no namespace"),
    DENY(clock_settime,     "the time of day has no namespace"),
    DENY(adjtimex,          "the time of day has no namespace"),
    DENY(clock_adjtime,     "the time of day has no namespace"),
    DENY(sethostname,       "the name was given at the start"),
    DENY(setdomainname,     "the name was given at the start"),

    /* By argument (filter.c). */
    WHEN(ioctl, "TIOCSTI, TIOCLINUX", "types into the caller's terminal"),
    WHEN(socket, "not UNIX, INET, INET6", "VSOCK reaches the hypervisor below, PACKET the cable, "
                                          "and rare families are rarely tested"),
    WHEN(socketpair, "not UNIX, INET, INET6", "as socket"),
    WHEN(personality, "not 0, not a question", "turns off address randomization, maps page 0"),
    {0, NULL, 0, NULL, NULL},
};
/* clang-format on */

const struct ski_denial *
ski_denial_find(int number)
{
    for (const struct ski_denial *d = ski_denials; d->name; d++)
        if (d->number == number)
            return d;
    return NULL;
}
