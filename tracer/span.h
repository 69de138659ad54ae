/*
 * span.h - turns a sequence of events into stretches of time, one rule for all views.
 *
 *   HANDLER  from an exit to the entry that resumes the guest: what the exit cost
 *   GUEST    from an entry to the next exit: the guest ran
 *   CALL     from a call to its return: what the device took; part of a HANDLER
 *   STAY     from any transfer to the next: control was where the transfer went
 *
 * HANDLER and GUEST together cover a run, and so do the STAYs. Each vcpu is followed by itself.
 * If an entry is recorded in two records (an INJECT, then an ENTRY), the guest starts at the last.
 * An entry that goes back to the host's kernel, within a system call, does not end the HANDLER.
 * A clock that goes backwards (a damaged file) gives spans of length 0.
 */
#ifndef TRACER_SPAN_H
#define TRACER_SPAN_H

#include <stdint.h>

#include "tracer/read.h"

enum span_kind { SPAN_HANDLER, SPAN_GUEST, SPAN_CALL, SPAN_STAY };

struct span {
    enum span_kind kind;
    const struct trace_event *began; /* the exit, entry, call or transfer */
    const struct trace_event *ended; /* HANDLER: the entry; GUEST: the exit */
    uint64_t ns;
    /* HANDLER: how much of ns was the way back: since the last device or part had answered, and
     * from an injection to its entry. If nobody was asked, only the latter is known. */
    uint64_t reentry;
    uint64_t host; /* HANDLER: how much of the rest of ns the host's kernel had (strategy ski) */
};

#define SPAN_CALL_DEPTH 8 /* calls within calls that are told apart */
#define SPAN_MAX        4 /* what one event can end */

/* One vcpu. All pointers are into the trace, or NULL. */
struct span_vcpu {
    const struct trace_event *exit, *entry, *last;
    const struct trace_event *back; /* the way back to the guest began here */
    const struct trace_event *call[SPAN_CALL_DEPTH];
    unsigned calls;
    uint64_t host; /* since the exit: ns in the host's kernel */
};

struct spans {
    const struct trace *trace;
    struct span_vcpu vcpu[256];
};

void spans_init(struct spans *spans, const struct trace *trace);
/* Takes the next event; writes the spans that it ends to out, returns how many. */
unsigned spans_event(struct spans *spans, const struct trace_event *event,
                     struct span out[SPAN_MAX]);
/* After the last event: the handler of one vcpu that still waits for its next exit. */
unsigned spans_end(struct spans *spans, unsigned vcpu, struct span out[SPAN_MAX]);

#endif
