/*
 * audit_host.c - executes one probe in a child process of this host, at CPL 3 on its processor.
 *
 * The host's kernel is the VMM here. What traps becomes a signal; but on a processor with UMIP
 * Linux answers SGDT, SIDT, SLDT, STR and SMSW itself, with values that it makes up
 * (arch/x86/kernel/umip.c). Single step tells: an instruction that a kernel emulated is passed over
 * without the trap that follows each one that the processor executed.
 *
 * Called by cmd_audit.c. The child ends in the signal handler, and tells all through a pipe.
 */
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/audit.h"
#include "isa/x86/insn.h"
#include "isa/x86/regs.h"

#define ID7_ECX_UMIP (1u << 2)

/* Where the handler finds what it needs. The GS and FS that it runs with may be a probe's, so it
 * uses no library function, and no memory but this page. */
struct audit_child {
    uint64_t at;      /* address of the instruction */
    uint64_t at_seen; /* single step has stood there, */
    uint64_t behind;  /* and next it stood here */
    int pipe;
};
#define CHILD ((struct audit_child *)(AUDIT_CODE + AUDIT_WINDOW - 0x1000))

struct audit_report {
    uint64_t vector, rip, flags, behind, word[AUDIT_WORDS], done;
};

static long
system_call(long number, long a, const void *b, long c)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

/* Without a stack protector, whose value is at FS:28, and without checks of ASan. */
__attribute__((no_sanitize("address", "undefined"), no_stack_protector)) static void
on_signal(int number, siginfo_t *info, void *context)
{
    const greg_t *r = ((const ucontext_t *)context)->uc_mcontext.gregs;
    const volatile uint64_t *out = (const uint64_t *)AUDIT_OUT;
    uint64_t rip = (uint64_t)r[REG_RIP];
    struct audit_report report;

    (void)info;
    if (number == SIGTRAP && r[REG_TRAPNO] == VEC_DB) { /* a step */
        if (CHILD->at_seen && !CHILD->behind)
            CHILD->behind = rip;
        CHILD->at_seen |= rip == CHILD->at;
        return;
    }
    report.vector = (uint64_t)r[REG_TRAPNO];
    report.rip = rip;
    report.flags = (uint64_t)r[REG_EFL];
    report.behind = CHILD->behind;
    for (unsigned i = 0; i < AUDIT_WORDS; i++)
        report.word[i] = out[i];
    report.done = out[AUDIT_WORDS];
    system_call(SYS_write, CHILD->pipe, &report, sizeof(report));
    system_call(SYS_exit_group, 0, NULL, 0);
}

/* Never returns: a signal ends it. */
static void
enter(uint64_t start, bool step)
{
    uint64_t flags = FLAG_ONE | FLAG_IF | (step ? FLAG_TF : 0);

    __asm__ volatile("movq %[stack], %%rsp\n\t"
                     "pushq %[flags]\n\t"
                     "popfq\n\t"
                     "jmpq *%[start]"
                     :
                     : [stack] "r"((uint64_t)AUDIT_STACK), [flags] "r"(flags), [start] "r"(start),
                       "D"((uint64_t)AUDIT_OUT)
                     : "memory");
    __builtin_unreachable();
}

/* Ends with an errno as its status if it cannot even begin. */
static void
child(const struct audit_probe *probe, bool step, int pipe, void *stack, size_t stack_size)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    stack_t alternative = {.ss_sp = stack, .ss_size = stack_size};
    void *window = mmap((void *)AUDIT_CODE, AUDIT_WINDOW, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (window != (void *)AUDIT_CODE)
        _exit(window == MAP_FAILED ? errno : EEXIST);
    memcpy(window, audit_start, audit_size);
    *CHILD = (struct audit_child){.at = audit_address(probe->at), .pipe = pipe};
    if (sigaltstack(&alternative, NULL))
        _exit(errno);
    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
        sigaction(signals[i], &action, NULL);
    alarm(5); /* of the wall clock; a probe takes microseconds */
    enter(audit_address(probe->start), step);
}

static int
run_child(const struct audit_probe *probe, bool step, struct audit_report *report,
          struct error *err)
{
    size_t stack_size = 0x10000;
    void *stack = malloc(stack_size);
    int fds[2], status = 0;
    ssize_t got = 0;
    pid_t pid;

    if (!stack || pipe(fds)) {
        free(stack);
        return error_set(err, ENOMEM, "cannot make a child process: no memory, or no files left");
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(probe, step, fds[1], stack, stack_size);
    close(fds[1]);
    if (pid > 0) {
        do
            got = read(fds[0], report, sizeof(*report));
        while (got < 0 && errno == EINTR);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(fds[0]);
    free(stack);
    if (pid < 0)
        return error_set(err, EAGAIN, "cannot make a child process: %s", strerror(errno));
    if (got == sizeof(*report))
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status))
        return error_set(err, WEXITSTATUS(status),
                         "a child process of this host may not have code at address 0x%x: %s",
                         AUDIT_CODE, strerror(WEXITSTATUS(status)));
    return error_set(err, EIO, "the child process that executed %s ended without a word (%s %d)",
                     probe->name, WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

bool
audit_host_has_umip(void)
{
    unsigned a, b, c = 0, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & ID7_ECX_UMIP;
}

/* The instruction that follows the one that the probe is about. */
static uint64_t
address_behind(const struct audit_probe *probe)
{
    struct x86_insn insn;

    return audit_address(probe->at) + (uint64_t)x86_decode(probe->at, 15, 8, &insn);
}

int
audit_run_host(const struct audit_probe *probe, struct audit_result *result, struct error *err)
{
    struct audit_report report, stepped;
    int rc = run_child(probe, false, &report, err);

    *result = (struct audit_result){.end = AUDIT_ENDED};
    if (rc)
        return rc;
    memcpy(result->word, report.word, sizeof(result->word));
    result->interrupts = report.flags & FLAG_IF;
    if (report.rip != audit_address(probe->end)) {
        result->end = AUDIT_TRAPPED;
        result->vector = (uint8_t)report.vector;
        result->elsewhere = report.rip != audit_address(probe->at);
    } else if (probe->sense == AUDIT_SHOWS) {
        if ((rc = run_child(probe, true, &stepped, err)))
            return rc;
        result->skipped = stepped.behind && stepped.behind != address_behind(probe);
    }
    return 0;
}
