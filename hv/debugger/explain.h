/*
 * explain.h - one exit, with all that is known of it: what `explain`, `info exit` and the context at a
 * stop speak about.
 *
 * Next: subject.c, decode_exit.c, then explain.c.
 */
#ifndef HV_DEBUGGER_EXPLAIN_H
#define HV_DEBUGGER_EXPLAIN_H

#include "debugger/debugger.h"
#include "debugger/decode.h"
#include "tracer/syscall.h"

struct subject {
    struct debugger *debugger;
    struct machine *machine;
    uint64_t number; /* of the exit */
    struct vm_exit exit;
    /* The machine stands at this exit's edge: its registers, memory and devices are as they were then.
     * Else all that is known is in the recording. */
    bool here;
    enum machine_edge edge; /* EDGE_NONE if not here */
    bool has_regs;
    struct x86_regs regs;
    bool has_event;                  /* not where the machine itself stands there */
    struct trace_event event, entry; /* entry.kind is TRACE_END if there is none (yet) */
};

/* --- subject.c ---------------------------------------------------------------------------------- */

/* Collects what is known of exit `number`. -ENOENT with a sentence if there is no such exit. */
int subject_open(struct subject *subject, struct debugger *debugger, uint64_t number,
                 struct error *err);
bool subject_strategy_is(const struct subject *subject, const char *name);
/* "guest kernel", "guest user" */
const char *subject_guest(const struct subject *subject);
/* Who has it meanwhile: "VMM", or "host kernel" for a process' system call. */
const char *subject_other(const struct subject *subject);
/* The instruction at rip as text, "" if it cannot be read. Returns text. */
char *machine_instruction(struct machine *machine, uint64_t rip, char *text, size_t size);
/* The device that answers for an IO or MMIO exit, NULL: nobody, or not known (a recording). */
struct bus_range *subject_device(const struct subject *subject);

/* --- decode_exit.c ------------------------------------------------------------------------------ */

/* The operands in words: "write byte 0x48 'H' to port 0x3f8: uart, transmitter holding register".
 * Returns text, "" if this kind has none. */
char *decode_exit(const struct subject *subject, char *text, size_t size);
/* decode_process.c: the same for the exits of a process (engine host). */
char *decode_process(const struct subject *subject, char *text, size_t size);
/* The call with all that is known of its arguments: from the machine, else from the recording. */
void decode_call_values(const struct subject *subject, struct syscall_values *values);
/* view.h's name: "#PF page fault", "IA32_EFER", a hypercall. NULL: none. */
const char *decode_address_name(const struct machine *machine, unsigned kind, uint64_t address);

/* --- where the VMM does it: explain_where.c -------------------------------------------------------- */

/* A function of hv. The build makes the list from the sources: it names no function that is not there,
 * and no line that is not its. */
struct where {
    const char *function, *file;
    int line;
};
enum where_id {
#define WHERE(id, function, file, line) AT_##id,
#define WHERE_EXIT(kind, function, file, line)
#define WHERE_HYPERCALL(number, function, file, line)
#include "where.def"
#undef WHERE
#undef WHERE_EXIT
#undef WHERE_HYPERCALL
    AT_COUNT
};
/* "handle_io (hv/core/dispatch.c:72)". Returns text. */
char *where_text(const struct where *where, char *text, size_t size);
const struct where *where_is(enum where_id id);
/* The exit table's handler of this kind, and the function behind a hypercall; NULL: there is none. */
const struct where *where_exit(enum trace_kind kind);
const struct where *where_hypercall(uint64_t number);

/* --- explain.c and the strategies ------------------------------------------------------------------ */

/* Prints the explanation. */
void explain_exit(const struct subject *subject);
/* One paragraph: What, Why, VMM, Guest, Manual. */
void explain_say(const struct subject *subject, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the strategy found the exit to be, in one line, where the exit itself does not say so: the cause
 * of a trap. "" if there is no more to say. Returns text. */
char *explain_cause(const struct subject *subject, char *text, size_t size);

/* explain_hardware.c, explain_trap.c, explain_paravirt.c: why, VMM, guest, manual. */
void explain_hardware(const struct subject *subject);
void explain_trap(const struct subject *subject);
void explain_paravirt(const struct subject *subject);
/* explain_process.c: the exits of engine host. False: it is none of these. */
bool explain_process(const struct subject *subject);
char *explain_trap_cause(const struct subject *subject, char *text, size_t size);
char *explain_paravirt_cause(const struct subject *subject, char *text, size_t size);
/* explain_end.c: an exit after which there is no entry: triple fault, refused entry. False: it is not
 * such a one. */
bool explain_end(const struct subject *subject);
/* explain_inject.c: the interrupt that is about to be handed over. Only if machine_at_inject(). */
void explain_inject(struct debugger *debugger);
/* The machine has ended: why, walking back. */
void explain_machine_end(struct debugger *debugger);

#endif
