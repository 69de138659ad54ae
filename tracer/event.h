/*
 * event.h - the one format of every control transfer: guest, VMM, device, host.
 *
 * A recording is an array of these. The table, the statistics, the pictures and the debugger all
 * read it, and all number exits alike: exit N is the N-th record of class EXIT, counted from 1.
 * Nothing here knows of x86 or of hv: the reader could be pointed at any hypervisor's trace.
 *
 * Next: record.h (writing a recording), read.h (reading one).
 */
#ifndef TRACER_EVENT_H
#define TRACER_EVENT_H

#include <stdint.h>

enum trace_class {
    TRACE_CLASS_EXIT,
    TRACE_CLASS_ENTRY,
    TRACE_CLASS_CALL,
    TRACE_CLASS_GUEST,
    TRACE_CLASS_NOTE
};

enum trace_kind {
#define EVENT(id, name, class, text) TRACE_##id,
#include "tracer/events.def"
#undef EVENT
    TRACE_KIND_COUNT
};

/* The domains of docs/ARCHITECTURE.md: clusters of the state picture. */
enum trace_domain {
    TRACE_GUEST_USER,
    TRACE_GUEST_KERNEL,
    TRACE_VMM,
    TRACE_DEVICE,
    TRACE_HOST_KERNEL,
    TRACE_DOMAIN_COUNT
};

/*
 * Who takes part in transfers. Numbers below TRACE_ACTOR_FIRST_FREE are fixed; devices and other
 * named parts get the following ones, in the recording's actor table.
 */
enum trace_actor {
    TRACE_ACTOR_GUEST_USER,
    TRACE_ACTOR_GUEST_KERNEL,
    TRACE_ACTOR_DISPATCHER,  /* the VMM's run loop: decides who handles the exit */
    TRACE_ACTOR_INTERPRETER, /* the VMM's routines that emulate one instruction */
    TRACE_ACTOR_ALLOCATOR,   /* the VMM's resource map: ports, memory */
    TRACE_ACTOR_HOST_KERNEL,
    TRACE_ACTOR_FIRST_FREE,
    TRACE_ACTOR_MAX = 64,
};

/* Bits of `flags`. */
#define TRACE_WRITE   0x01u /* OUT, memory write, WRMSR, MOV to CRn; clear: a read */
#define TRACE_ERROR   0x02u /* `value` of an exception holds its error code */
#define TRACE_HANDLED 0x04u /* ENTRY: the strategy handled the exit, not the exit table */
#define TRACE_CUT     0x08u /* TEXT: there is more of it than this */
#define TRACE_FOREIGN 0x10u /* HOST_CALL, DENIED, HOST_RETURN: of int 80 or x32, another table */

#define TRACE_TEXT_SIZE 32u /* bytes of a TEXT */

/*
 * 48 bytes, little-endian, no padding: docs/RECORDING.md draws it.
 *
 *   kind            address        value
 *   IO              port           data written, or (on its RETURN) read
 *   MMIO            guest-physical data, likewise
 *   HYPERCALL       number         first argument
 *   MSR             index          value written
 *   CPUID           leaf           subleaf
 *   EXCEPTION       vector         error code; #PF: the faulting linear address
 *   GUEST_FAULT     vector         the same
 *   CR, DR          register       value written
 *   INVLPG          linear address -
 *   INTERRUPT, INJECT vector       -
 *   CALL, RETURN    port, address  data
 *   SYSCALL         number         first argument
 *   SYSRET          -              result
 *   MARK            number         -
 *   HOST_CALL, DENIED number       first argument
 *   HOST_RETURN     number         result
 *   SIGNAL          signal         who sent it, a process; 0: the kernel
 *   HOST_FAULT      signal         the address that could not be accessed, or 0
 *   FORK            child's pid    child's vcpu
 *   EXEC            pid            -
 *   PROCESS_END     signal, or 0   exit status
 *   IRQ             line           level
 *   INPUT           source         the byte
 *   END             trace_kind that ended the run    guest's status
 *
 * ARGUMENTS and TEXT belong to the event before them and use the fields from icount to value as they
 * need: arguments `extra` to `extra` + 3; `size` bytes of what argument `extra` points to.
 *
 * An EXIT goes from guest user or guest kernel to the VMM, an ENTRY the other way; but a HOST_CALL
 * goes to the host's kernel itself, and a HOST_RETURN comes from there; what a process does in the
 * course of a call (FORK, EXEC, PROCESS_END, DENIED) comes from that kernel, and its ENTRY goes back there. A process is a vcpu, in the
 * order of birth modulo 256; PROCESS_END is its last event. A RETURN goes
 * back from where the last CALL on this vcpu went. `to` has control until the vcpu's next event,
 * NOTEs left out: that is how time is told apart.
 */
struct trace_event {
    uint64_t time;   /* ns since the recording began, host's monotonic clock */
    uint64_t icount; /* guest instructions retired; 0 where the engine cannot count */
    uint64_t rip;    /* guest's instruction pointer */
    uint64_t address;
    uint64_t value;
    uint16_t kind;    /* enum trace_kind */
    uint8_t from, to; /* actors */
    uint8_t vcpu;
    uint8_t size;  /* bytes moved, where that makes sense */
    uint8_t flags; /* TRACE_* */
    uint8_t
        extra; /* #PF: the error code's low byte; HOST_FAULT: si_code; DENIED: the filter's number */
};

struct trace_kind_info {
    const char *name, *text;
    enum trace_class class;
};
/* Row k describes enum trace_kind k. */
extern const struct trace_kind_info trace_kinds[TRACE_KIND_COUNT];
extern const char *const trace_domain_names[TRACE_DOMAIN_COUNT];
extern const char *const trace_class_names[TRACE_CLASS_NOTE + 1];

struct trace_actor_info {
    const char *name;
    enum trace_domain domain;
};
/* The actors that every recording has. */
extern const struct trace_actor_info trace_fixed_actors[TRACE_ACTOR_FIRST_FREE];

#endif
