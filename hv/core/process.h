/*
 * process.h - the guest of engine host is a process: who starts it, and how a tracer gets hold of it.
 *
 * strategy->prepare hangs a struct process_start_ops at vm->process (core/vm.h); without one the engine forks and
 * execs by itself. The starter isolates (strategy ski), the engine traces; neither knows the other.
 */
#ifndef HV_CORE_PROCESS_H
#define HV_CORE_PROCESS_H

#include <sys/types.h>

#include "base/error.h"

/* What is to run. The strings belong to the caller and outlive the process. */
struct process_spec {
    const char *path;  /* as the guest sees it, after all isolation */
    char *const *argv; /* argv[0] included; ends with NULL */
    char *const *envp;
};

/*
 * Called in the parent when the first process exists and waits at a pipe, before it is released: the
 * moment for PTRACE_SEIZE. It will clone and exec, and a starter may put a process of its own (a pid
 * 1 that reaps) before the program, so the tracer's options must follow forks; the program is
 * whoever execs first. 0, or -errno with a sentence: then the process is killed and start() fails.
 */
struct process_watch {
    int (*attach)(void *context, pid_t pid, struct error *err);
    void *context;
};

/* Of how much a tracer is told (--trace-level). */
enum process_trace {
    PROCESS_TRACE_OFF,    /* the end alone */
    PROCESS_TRACE_DENIED, /* system calls that were denied, signals, fork, exec, exit */
    PROCESS_TRACE_ALL,    /* and all system calls */
};

struct process_start_ops {
    /*
     * watch NULL: nobody traces, and start() returns when the program was exec'ed or why it was not.
     * Else it returns as soon as the first process, *first (a pid of the caller's; the caller's own
     * child), is released: nobody else could resume it from its stops.
     */
    int (*start)(void *context, const struct process_spec *spec, const struct process_watch *watch,
                 pid_t *first, struct error *err);
    /* Traced, and the first process has ended: 0 if the program was exec'ed, else -errno with a
     * sentence that says which step of the isolation failed. Does not block. */
    int (*failed)(void *context, struct error *err);
    /* Kills what is left, frees what start() made outside the processes. After a start() that failed
     * too; more than once does no harm. */
    void (*end)(void *context);
};

#endif
