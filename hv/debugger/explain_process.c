/*
 * explain_process.c - why a process came out, who answers it, and what it sees: engine host.
 *
 * Under a single kernel image the same kernel serves guest and host. What keeps them apart is which
 * tables that kernel looks in: a namespace's, or the host's; and whether a filter lets it look at all.
 * The table here says for each call which of them is asked; the denials are strategy/ski's own.
 *
 * Called by explain.c. Next: info_process.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "strategy/ski/ski.h"

/* Who answers: a layer of ski.h, and the calls that ask it. */
static const struct {
    const char *layer, *calls, *text;
} answers[] = {
    {"pid", " getpid getppid kill tkill tgkill wait4 waitid setpgid getpgid getsid gettid ptrace ",
     "the pid namespace: a number means what it means in there; processes outside have none"},
    {"pid", " fork vfork clone ",
     "the pid namespace numbers the child, and the cgroup's pids limit (or RLIMIT_NPROC) counts "
     "it"},
    {"uts", " uname sethostname setdomainname ",
     "the UTS namespace has the name; release and version are the one kernel's, inside as outside"},
    {"mount",
     " open openat openat2 creat stat lstat newfstatat statx access faccessat faccessat2 "
     "execve execveat readlink readlinkat chdir mkdir mkdirat unlink unlinkat rename "
     "renameat link linkat symlink symlinkat chmod fchmodat chown truncate getcwd statfs ",
     "the mount namespace: the path begins at the guest's own root, and ends within it"},
    {"net", " socket connect bind listen accept accept4 socketpair ",
     "the network namespace: its own lo, its own ports, its own abstract sockets"},
    {"user", " getuid geteuid getgid getegid setuid setgid setresuid setresgid ",
     "the user namespace: a uid in there is another one outside"},
    {"ipc", " shmget shmat semget msgget mq_open ", "the IPC namespace: its own keys"},
    {"time", " clock_gettime clock_nanosleep ",
     "the time namespace shifts the monotonic and the boot clock; the wall clock is the host's"},
    {"cgroup", " mmap brk mremap ", "the cgroup's memory limit (or RLIMIT_AS) counts it"},
};

static void
say_call(const struct subject *s)
{
    const char *name = s->exit.call.foreign ? NULL : syscall_name(s->exit.call.number);
    const struct ski_denial *denial = name ? ski_denial_find((int)s->exit.call.number) : NULL;
    char spaced[64];

    explain_say(s, "Why",
                "SYSCALL enters the host's kernel at once; ptrace lets hv look before the "
                "kernel does, and again with the result. Without hv it is the same call.");
    if (!subject_strategy_is(s, "ski")) {
        explain_say(
            s, "Answer",
            "the kernel, by what the process has made of itself: this strategy puts nothing "
            "around it ('info namespaces', 'info capabilities').");
        explain_say(s, "Manual", "syscalls(2), ptrace(2), namespaces(7)");
        return;
    }
    snprintf(spaced, sizeof(spaced), " %s ", name ? name : "?");
    for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (strstr(answers[i].calls, spaced)) {
            explain_say(s, "Answer", "%s (layer %s).", answers[i].text, answers[i].layer);
            break;
        }
    if (!name)
        explain_say(s, "Answer", "the filter: such a number is not for this guest.");
    else if (denial)
        explain_say(s, "Filter", "denies it%s%s: %s. The guest gets -%s.",
                    denial->when ? " with " : "", denial->when ? denial->when : "", denial->reason,
                    strerrorname_np(denial->error));
    else
        explain_say(s, "Filter", "lets it pass, whatever its arguments.");
    explain_say(s, "Manual", "syscalls(2), ptrace(2), namespaces(7); docs/SKI.md");
}

static void
say_denied(const struct subject *s)
{
    const struct ski_denial *denial = ski_denial_of_filter(s->exit.call.filter);

    explain_say(s, "Why", "the program's seccomp filter said SECCOMP_RET_TRACE: ask the tracer.");
    if (denial)
        explain_say(s, "Filter", "%s%s%s: %s. The guest gets -%s.", denial->name,
                    denial->when ? " with " : "", denial->when ? denial->when : "", denial->reason,
                    strerrorname_np(denial->error));
    else
        explain_say(s, "Filter",
                    "it does not know the number: for this guest such a call does not "
                    "exist (-ENOSYS).");
    explain_say(s, "VMM", "the strategy chooses the answer, and the call is not carried out.");
    explain_say(s, "Manual", "seccomp(2), SECCOMP_RET_TRACE; docs/SKI.md");
}

static void
say_signal(const struct subject *s)
{
    bool fault = s->exit.kind == TRACE_HOST_FAULT;

    explain_say(s, "Why", "%s",
                fault ? "the processor raised an exception at CPL 3. The host's kernel took it by "
                        "its own IDT, and makes a signal of it"
                      : "somebody sent it, or the kernel did; a tracer is told before it is "
                        "delivered.");
    explain_say(s, "Guest", "its handler runs, or what signal(7) says for a process without one.");
    explain_say(s, "Manual", "signal(7), sigaction(2): si_code; ptrace(2): Signal-delivery-stop");
}

bool
explain_process(const struct subject *s)
{
    switch (s->exit.kind) {
    case TRACE_HOST_CALL: say_call(s); return true;
    case TRACE_DENIED: say_denied(s); return true;
    case TRACE_SIGNAL:
    case TRACE_HOST_FAULT: say_signal(s); return true;
    case TRACE_FORK:
        explain_say(s, "Why",
                    "a child was made, and is traced from its first instruction "
                    "(PTRACE_O_TRACEFORK). It is another vcpu of the recording, and an "
                    "ordinary process of the host: 'ps' outside shows it.");
        explain_say(s, "Manual", "clone(2), ptrace(2), pid_namespaces(7)");
        return true;
    case TRACE_EXEC:
        explain_say(s, "Why",
                    "the host's kernel has put another program into the process; this is "
                    "before its first instruction.");
        explain_say(s, "Manual", "execve(2), ptrace(2): PTRACE_EVENT_EXEC");
        return true;
    case TRACE_PROCESS_END:
        explain_say(s, "Why",
                    "it has ended, by itself or by a signal; its memory is there until it "
                    "goes on (PTRACE_EVENT_EXIT). When the first one is gone the guest "
                    "has ended, and the kernel kills what is left of its pid namespace.");
        explain_say(s, "Manual", "exit_group(2), pid_namespaces(7)");
        return true;
    default: return false;
    }
}
