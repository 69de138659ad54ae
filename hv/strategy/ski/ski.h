/*
 * ski.h - strategy ski, the single kernel image: the host's own kernel serves every guest, and what
 * keeps guest and host apart are namespaces, a root file system, capabilities, a filter of system
 * calls and limits.
 *
 * A guest is a process with a table of steps behind it (steps.c): the code walks the table, and
 * `hv run --strategy ski --explain` prints it. Used by hv/cli, and by engine host through
 * core/process.h. Next: steps.c, then start.c.
 */
#ifndef HV_STRATEGY_SKI_SKI_H
#define HV_STRATEGY_SKI_SKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "core/process.h"

struct ski;

/* --- layers: what can be left out (--without), for the lesson --------------------------------- */

#define SKI_LAYER_USER     0x0001u /* user namespace and its maps */
#define SKI_LAYER_MOUNT    0x0002u /* mount namespace, root file system, pivot_root */
#define SKI_LAYER_PID      0x0004u
#define SKI_LAYER_NET      0x0008u
#define SKI_LAYER_UTS      0x0010u
#define SKI_LAYER_IPC      0x0020u
#define SKI_LAYER_CGROUPNS 0x0040u
#define SKI_LAYER_TIME     0x0080u
#define SKI_LAYER_MASK     0x0100u /* covers over parts of /proc */
#define SKI_LAYER_READONLY 0x0200u /* the root file system read-only */
#define SKI_LAYER_CAPS     0x0400u /* capabilities dropped */
#define SKI_LAYER_NNP      0x0800u /* no_new_privs */
#define SKI_LAYER_SECCOMP  0x1000u
#define SKI_LAYER_CGROUP   0x2000u /* limits of memory, processes, CPU by cgroup */
#define SKI_LAYER_RLIMITS  0x4000u
#define SKI_LAYER_FDS      0x8000u /* descriptors of the supervisor closed */

struct ski_layer {
    uint32_t bit;
    const char *name, *text;
};
extern const struct ski_layer ski_layers[]; /* ends with a NULL name */

/* --- options ---------------------------------------------------------------------------------- */

enum ski_net { SKI_NET_NONE, SKI_NET_VETH };

/* What the filter does with a denied system call: answers, or tells the tracer, which must answer. */
enum ski_deny { SKI_DENY_ERRNO, SKI_DENY_TRACE };

struct ski_options {
    const char *rootfs;     /* a folder; NULL: a minimal one in memory */
    const char *app_folder; /* bound at /apps of the minimal one; NULL: none */
    const char *copy;       /* a file of the host's, copied to where spec.path says; NULL: none */
    const char *cwd;        /* where the program begins; NULL: "/" */
    const char *hostname;   /* NULL: "ski" */
    uint64_t mem;           /* bytes */
    uint64_t pids;          /* processes and threads */
    unsigned cpu;           /* percent of one CPU */
    enum ski_net net;
    uint32_t without; /* SKI_LAYER_* */
    enum ski_deny deny;
    uint32_t uid_first, uid_count; /* root: host uids that stand for 0, 1, ... in the guest */
};

/* 64 MiB, 32 processes, half a CPU, no network but lo, uids 100000 to 165535. */
void ski_options_init(struct ski_options *options);

/* --- a guest ---------------------------------------------------------------------------------- */

/* Allocates a guest that is not started. NULL: no memory. options' strings outlive it. */
struct ski *ski_open(const struct ski_options *options);
/* As process_start_ops.start (core/process.h), with a struct ski as context. */
int ski_start(struct ski *ski, const struct process_spec *spec, const struct process_watch *watch,
              pid_t *first, struct error *err);
/* Untraced: waits until the guest ends. *status: the program's own, or 128 + its signal. */
int ski_wait(struct ski *ski, int *status, struct error *err);
int ski_failed(struct ski *ski, struct error *err);
/* Kills the guest if it still runs, removes its cgroups. The struct can be started again. */
void ski_end(struct ski *ski);
/* ski_end(), and frees it. NULL is fine. */
void ski_close(struct ski *ski);
/* One sentence about limits that could not be set as asked ("" if all were); valid after ski_start(). */
const char *ski_degraded(const struct ski *ski);
/* The folder of the guest's cgroup that holds `controller` ("memory"), or NULL. */
const char *ski_cgroup(const struct ski *ski, const char *controller);
/* A number in a file of that cgroup: the whole of it, or the one behind `key` in a list. 0: unknown. */
uint64_t ski_cgroup_number(const struct ski *ski, const char *controller, const char *file,
                           const char *key);
/* How many of its processes were killed because the guest's memory was used up. */
uint64_t ski_oom_kills(const struct ski *ski);

/* context: a struct ski. */
extern const struct process_start_ops ski_process_ops;

/* Removes what supervisors that were killed have left: cgroups. Returns how many. Once before the first
 * ski_start(): it looks through all cgroups of the host. */
unsigned ski_sweep(void);

/* --- the steps -------------------------------------------------------------------------------- */

/* Who takes a step: the supervisor, the guest's first process, the program's own. */
enum ski_who { SKI_PARENT, SKI_FIRST, SKI_PROGRAM };

struct ski_step {
    unsigned chapter; /* 1 to 7: the order of docs/SKI.md */
    enum ski_who who;
    uint32_t layer; /* SKI_LAYER_*; 0: cannot be left out */
    const char *name;
    const char *call;  /* what is called */
    const char *stops; /* what it stops, or what it is for */
    int (*run)(struct ski *ski, const struct ski_step *step, struct error *err);
    uint64_t flag; /* of clone3, for a namespace */
};
extern const struct ski_step ski_steps[]; /* ends with a NULL name */

/* --- the filter ------------------------------------------------------------------------------- */

/* A system call that the filter denies. */
struct ski_denial {
    int number;
    const char *name;
    int error;          /* the guest gets -error */
    const char *when;   /* NULL: always; else which arguments */
    const char *reason; /* why: what the kernel would let a guest do */
};
extern const struct ski_denial ski_denials[]; /* ends with a NULL name */
/* By number; NULL: allowed, whatever its arguments. With SKI_DENY_TRACE the tracer finds the row's
 * index + 1 in PTRACE_GETEVENTMSG, and 0 for a number newer than the table (answer -ENOSYS). */
const struct ski_denial *ski_denial_find(int number);
/* The row that a filter with SKI_DENY_TRACE has named; NULL: a number newer than the table. */
const struct ski_denial *ski_denial_of_filter(uint16_t data);

#endif
