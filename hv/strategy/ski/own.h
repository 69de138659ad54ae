/*
 * own.h - what the files of strategy ski share: a guest's state, and the functions of its steps.
 *
 * Three processes read struct ski, each its own copy after a fork: the supervisor (hv), the guest's
 * first process, which becomes its pid 1, and the program. Next: steps.c.
 */
#ifndef HV_STRATEGY_SKI_OWN_H
#define HV_STRATEGY_SKI_OWN_H

#include <limits.h>
#include <linux/filter.h>

#include "strategy/ski/ski.h"

/* The new root is built on top of this folder, in the guest's own mount namespace. */
#define SKI_BASE "/tmp"

#define SKI_CGROUPS    3u   /* as many controllers as we use: memory, pids, cpu */
#define SKI_FILTER_MAX 512u /* instructions */

struct ski_cgroup {
    char path[PATH_MAX]; /* "" : none */
    bool v2;
    uint32_t controllers; /* bit i: the i-th of cgroup.c's table is held here */
};

struct ski {
    struct ski_options options;
    const struct process_spec *spec;
    const struct process_watch *watch;
    bool root;     /* may make cgroups and network devices */
    bool range;    /* may map a range of uids; else only its own one */
    pid_t first;   /* the guest's first process; 0: none, or waited for */
    int go[2];     /* parent -> first: its pid releases it; closed: the supervisor is gone */
    int report[2]; /* first, program -> parent: why it could not start; closed by exec */
    int rootfs;    /* folder that becomes the root, or is bound at /apps; -1: none */
    int copy;      /* file to copy; -1: none */
    bool busybox;  /* the host has a static one */
    char busybox_path[64];
    uint64_t clone_flags;
    struct ski_cgroup cgroup[SKI_CGROUPS];
    uint32_t limited; /* controllers that hold the guest */
    char degraded[256];
    bool filtered; /* the filter is installed in this process */
    struct sock_filter filter[SKI_FILTER_MAX];
    unsigned filter_length;
};

static inline bool
ski_has(const struct ski *ski, uint32_t layer)
{
    return !(ski->options.without & layer);
}

/* Takes the steps of `who`, in order, those left out excepted. */
int ski_walk(struct ski *ski, enum ski_who who, struct error *err);
/* Everything after clone3 in the new process; sends what fails to the parent. Does not return. */
void ski_first_main(struct ski *ski) __attribute__((noreturn));
/* The guest's pid 1 from now on: waits for all, ends with the program's status. Does not return. */
void ski_reap(struct ski *ski, pid_t program) __attribute__((noreturn));

/* cgroup.c: creates the guest's cgroups with their limits; `degraded` gets what could not be. */
void ski_cgroup_create(struct ski *ski);
int ski_cgroup_attach(struct ski *ski, struct error *err);
void ski_cgroup_remove(struct ski *ski);

/* veth.c, the guest's end of the cable: an address for eth0. */
int ski_veth_inside(struct ski *ski, struct error *err);

/* maps.c: why a user namespace may be refused on this host, and the mend; "" if nothing is known. */
const char *ski_user_mend(void);

/* filter.c: writes the program of the filter, returns its length. */
unsigned ski_filter_build(struct sock_filter *filter, enum ski_deny deny);

/* A step of the table, as its `run`; few need all three. */
#define SKI_UNUSED __attribute__((unused))
#define SKI_STEP(name)                                                                             \
    int name(struct ski *ski SKI_UNUSED, const struct ski_step *step SKI_UNUSED,                   \
             struct error *err SKI_UNUSED)

SKI_STEP(ski_step_open);
SKI_STEP(ski_step_cgroup);
SKI_STEP(ski_step_filter);
SKI_STEP(ski_step_namespace);
SKI_STEP(ski_step_clone);
SKI_STEP(ski_step_maps);
SKI_STEP(ski_step_attach);
SKI_STEP(ski_step_veth);
SKI_STEP(ski_step_watch);
SKI_STEP(ski_step_release);

SKI_STEP(ski_step_wait);
SKI_STEP(ski_step_session);
SKI_STEP(ski_step_identity);
SKI_STEP(ski_step_deathsig);
SKI_STEP(ski_step_cgroupns);
SKI_STEP(ski_step_hostname);
SKI_STEP(ski_step_lo);
SKI_STEP(ski_step_private);
SKI_STEP(ski_step_root);
SKI_STEP(ski_step_proc);
SKI_STEP(ski_step_dev);
SKI_STEP(ski_step_pivot);
SKI_STEP(ski_step_mask);
SKI_STEP(ski_step_readonly);
SKI_STEP(ski_step_time);
SKI_STEP(ski_step_fds);
SKI_STEP(ski_step_fork);

SKI_STEP(ski_step_rlimits);
SKI_STEP(ski_step_caps);
SKI_STEP(ski_step_nnp);
SKI_STEP(ski_step_seccomp);
SKI_STEP(ski_step_exec);

#endif
