/*
 * audit.h - what a sensitive instruction does where it must not: the parts of `hv audit`.
 *
 *   audit.def, audit_probes.S  the instructions, and a short program for each
 *   audit_guest.c              executes one in a virtual machine, under a strategy or under none
 *   audit_host.c               executes one in a child process of this host
 *   audit.c                    compares two results: trapped, the same, wrong, a leak
 *   cmd_audit.c                prints
 *
 * Nothing is known beforehand: the measure of each result is what the same bytes do in a kernel
 * that has the processor for itself (strategy hardware at CPL 0).
 */
#ifndef HV_CLI_AUDIT_H
#define HV_CLI_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/audit_layout.h"

struct engine_ops;
struct strategy_ops;

enum audit_sense { AUDIT_SHOWS, AUDIT_DEPENDS, AUDIT_CHANGES, AUDIT_NONE };

struct audit_probe {
    const char *name, *form;
    enum audit_sense sense;
    bool user;       /* the guest's user mode executes it, else its kernel */
    bool interrupts; /* IF is set at the start; then IF at the end is part of the result */
    /* In audit_probes.S: the probe, the instruction that it is about, the final HLT. */
    const uint8_t *start, *at, *end;
};
extern const struct audit_probe audit_probes[];
extern const unsigned audit_probe_count;

/* How one execution of a probe ended. */
enum audit_end {
    AUDIT_ENDED,   /* it ran to its end, */
    AUDIT_FAULTED, /* the guest's own kernel got an exception, */
    AUDIT_TRAPPED, /* the VMM got an exception (or the host's kernel, which sent a signal), */
    AUDIT_BROKE,   /* or the guest was ended */
};

struct audit_result {
    enum audit_end end;
    uint8_t vector; /* FAULTED, TRAPPED */
    bool elsewhere; /* TRAPPED: at another instruction than the one it is about */
    bool skipped;   /* host: single step passed over the instruction: a kernel emulated it */
    bool interrupts;
    bool no_flag; /* interrupts were not on at the start: this strategy has them elsewhere */
    uint64_t word[AUDIT_WORDS];
    uint64_t exits;       /* that the instruction itself caused: without shadow paging's faults */
    struct error message; /* BROKE */
};

/* Executes a probe on an engine. strategy NULL: without any, at CPL 3, with descriptor tables as a
 * simple VMM would make them: the guest's segments, their DPL raised to 3. umip: CR4.UMIP as the
 * guest sets it. 0, or -errno with a sentence if the machine could not be built. */
int audit_run_guest(const struct engine_ops *engine, const struct strategy_ops *strategy,
                    const struct audit_probe *probe, bool umip, struct audit_result *result,
                    struct error *err);
/* In a child process of this host. */
int audit_run_host(const struct audit_probe *probe, struct audit_result *result, struct error *err);
/* Has this host's processor UMIP, and has its kernel turned it on? */
bool audit_host_has_umip(void);

enum audit_verdict {
    AUDIT_SAME,     /* as on a processor of its own */
    AUDIT_TRAPS,    /* the VMM gets to know, and can do what is right */
    AUDIT_WRONG,    /* another effect, and nobody is told */
    AUDIT_LEAKS,    /* shows what belongs to the VMM, and nobody is told */
    AUDIT_EMULATED, /* it trapped, and the host's kernel answered with values that it made up */
    AUDIT_VERDICTS,
};
extern const char *const audit_verdict_names[AUDIT_VERDICTS];

/* `result` at CPL 3, against what the same probe does with a processor of its own. */
enum audit_verdict audit_judge(const struct audit_probe *probe,
                               const struct audit_result *reference,
                               const struct audit_result *result);
/* Did the guest see what it should (a strategy's result)? */
bool audit_right(const struct audit_probe *probe, const struct audit_result *reference,
                 const struct audit_result *result);

/* audit_probes.S; audit_address() is where one of its labels will run. */
extern const uint8_t audit_start[], audit_faults[], audit_int80[];
extern const uint64_t audit_size;

static inline uint64_t
audit_address(const uint8_t *label)
{
    return AUDIT_CODE + (uint64_t)(label - audit_start);
}

#endif
