/*
 * explain_trap.c - why a deprivileged guest trapped: the dispatcher's decision, made again without
 * consequences.
 *
 * While the machine stands at the exit, the question is put to an observer: does the guest's own page
 * table allow the access, does the instruction succeed on the virtual processor, and what does it
 * change? Afterwards only the recording tells: which part of the VMM was called.
 *
 * Called by explain.c and context.c. Next: explain_paravirt.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "engine/monitor.h"
#include "strategy/trap/trap.h"
#include "tracer/describe.h"

#define ROOM 150 /* characters of a cause's details in one line */

enum cause {
    CAUSE_UNKNOWN,
    CAUSE_FILL,       /* the shadow lacked the entry */
    CAUSE_TABLE,      /* a page table of the guest's is written */
    CAUSE_DEVICE,     /* a device or ROM is there */
    CAUSE_SLOT,       /* the VMM's slot of the address space */
    CAUSE_GUEST,      /* the guest's own fault */
    CAUSE_PRIVILEGED, /* the instruction is carried out on the virtual processor */
    CAUSE_STEP,       /* the guest's own single step */
};

struct finding {
    enum cause cause;
    int emu;                /* of the instruction, enum emu_result */
    struct x86_fault fault; /* CAUSE_GUEST: which */
    struct x86_access access;
    struct x86_regs after; /* CAUSE_PRIVILEGED and EMU_OK */
    uint64_t gpa;
    /* From the recording: the device that the interpreter asked, and what; "": none. */
    char asked[TRACE_NAME_SIZE], request[DESCRIBE_SIZE];
};

/* --- while the machine stands there --------------------------------------------------------------- */

/* The rules of trap/dispatcher.c's page_fault(). */
static void
find_page_fault(const struct subject *s, struct observer *o, struct finding *f)
{
    const struct vm_exit *x = &s->exit;
    bool write = x->exception.error & PF_WRITE, writable;
    struct x86_walk walk;

    if ((x->exception.address >> 39 & 511) == MONITOR_SLOT) {
        f->cause = CAUSE_SLOT;
        return;
    }
    int emu = x86_page_walk(&o->cpu, x->exception.address,
                            (write ? ACCESS_WRITE : 0) |
                                (x->exception.error & PF_FETCH ? ACCESS_FETCH : 0),
                            o->cpu.cpl, &walk);
    if (emu) {
        f->cause = emu == EMU_FAULT ? CAUSE_GUEST : CAUSE_UNKNOWN;
        f->fault = o->cpu.fault;
        return;
    }
    f->gpa = walk.gpa;
    if (!o->cpu.mem.page(o->cpu.mem.ctx, walk.gpa).host)
        f->cause = CAUSE_DEVICE;
    else if (write && shadow_is_table(&trap_of(s->machine->vcpu)->shadow, walk.gpa))
        f->cause = CAUSE_TABLE;
    else if (write && (!ram_page(&s->machine->vm->ram, walk.gpa, &writable) || !writable))
        f->cause = CAUSE_DEVICE;
    else
        f->cause = CAUSE_FILL;
}

/* Any other exception: what does the virtual processor make of the instruction? */
static void
find_instruction(struct observer *o, struct finding *f)
{
    f->emu = x86_emulate_one(&o->cpu);
    f->fault = o->cpu.fault;
    f->access = o->cpu.access;
    f->after = o->cpu.r;
    f->cause = f->emu == EMU_FAULT ? CAUSE_GUEST : CAUSE_PRIVILEGED;
}

static void
find_now(const struct subject *s, struct finding *f)
{
    struct observer *o = observer_open(&s->machine->vm->ram, &s->regs, false);

    if (!o)
        return;
    o->cpu.r.shadow = 0;
    if (s->exit.exception.vector == VEC_PF)
        find_page_fault(s, o, f);
    else
        find_instruction(o, f);
    observer_close(o);
}

/* --- afterwards ----------------------------------------------------------------------------------- */

/* Which part of the VMM was called between exit and entry? The first call tells; if it is the
 * interpreter's, the next one may tell the device that it asked. complete: there will be no more calls
 * if the recording ends before an entry. */
static void
read_calls(const struct trace *trace, uint64_t at, struct finding *f, bool page_fault,
           bool complete)
{
    f->cause = CAUSE_GUEST;
    for (; at < trace->count; at++) {
        const struct trace_event *e = &trace->events[at];
        if (trace->kind[e->kind].class == TRACE_CLASS_EXIT || e->kind == TRACE_ENTRY)
            return;
        if (e->kind != TRACE_CALL)
            continue;
        if (trace->actor[e->to].domain == TRACE_DEVICE) {
            snprintf(f->asked, sizeof(f->asked), "%s", trace->actor[e->to].name);
            describe_operands(trace, e, NULL, f->request, sizeof(f->request));
            if (page_fault)
                f->cause = CAUSE_DEVICE;
            return;
        }
        if (e->to == TRACE_ACTOR_INTERPRETER)
            f->cause = page_fault ? CAUSE_TABLE : CAUSE_PRIVILEGED;
        else if (!strcmp(trace->actor[e->to].name, "shadow paging"))
            f->cause = CAUSE_FILL;
    }
    if (f->cause == CAUSE_GUEST && !complete)
        f->cause = CAUSE_UNKNOWN;
}

static void
find_recorded(const struct subject *s, struct finding *f)
{
    struct trace opened, *trace;
    struct error err = {""};
    uint64_t at;
    bool close;

    if (machine_trace(s->machine, &opened, &trace, &close, &err))
        return;
    if (trace_find_exit(trace, s->number, &at) == 0)
        read_calls(trace, at + 1, f, s->exit.exception.vector == VEC_PF, s->edge == EDGE_IN);
    if (close)
        trace_close(trace);
}

static void
find_cause(const struct subject *s, struct finding *f)
{
    memset(f, 0, sizeof(*f));
    if (s->exit.kind != TRACE_EXCEPTION)
        return;
    if (s->exit.exception.vector == VEC_DB)
        f->cause = CAUSE_STEP;
    else if (s->edge == EDGE_OUT && s->machine->vm && s->has_regs)
        find_now(s, f);
    else
        find_recorded(s, f);
}

/* --- in words ------------------------------------------------------------------------------------- */

static const char *
fault_name(const struct x86_fault *fault)
{
    const char *name = x86_vector_name(fault->vector);

    return name ? name : "an exception";
}

/* A device access of the interpreted instruction, in the words of an exit for it. */
static char *
access_text(const struct subject *s, const struct finding *f, char *text, size_t size)
{
    struct subject access = *s;

    access.exit.kind = f->access.port ? TRACE_IO : TRACE_MMIO;
    access.exit.access.address = f->access.address;
    access.exit.access.value = f->access.value;
    access.exit.access.size = f->access.size;
    access.exit.access.write = f->access.write;
    return decode_exit(&access, text, size);
}

/* The registers that the interpreted instruction changes: "cr3 0x1000 -> 0x2000". */
static char *
effect_text(const struct subject *s, const struct finding *f, char *text, size_t size)
{
    text[0] = 0;
    for (unsigned i = 0; i < x86_reg_count; i++) {
        const struct reg_desc *r = &x86_reg_table[i];
        uint64_t a = x86_reg_value(&s->regs, r), b = x86_reg_value(&f->after, r);
        if (a != b && strcmp(r->name, "rip"))
            decode_add(text, size, "%s%s 0x%" PRIx64 " -> 0x%" PRIx64, *text ? ", " : "", r->name,
                       a, b);
    }
    return text;
}

char *
explain_trap_cause(const struct subject *s, char *text, size_t size)
{
    char more[DECODE_SIZE];
    struct finding f;

    text[0] = 0;
    find_cause(s, &f);
    switch (f.cause) {
    case CAUSE_UNKNOWN: break;
    case CAUSE_FILL:
        snprintf(text, size, "cause: the guest's tables allow it, the shadow %s",
                 s->exit.exception.error & PF_PRESENT ? "does not yet (dirty bit)"
                                                      : "lacks the entry");
        break;
    case CAUSE_TABLE: snprintf(text, size, "cause: a page table of the guest's is written"); break;
    case CAUSE_DEVICE: snprintf(text, size, "cause: a device or ROM is there"); break;
    case CAUSE_SLOT: snprintf(text, size, "cause: the VMM's own slot of the address space"); break;
    case CAUSE_GUEST: snprintf(text, size, "cause: the guest's own fault, for its kernel"); break;
    case CAUSE_PRIVILEGED:
        snprintf(text, size, "cause: an instruction for the virtual processor");
        if (s->edge == EDGE_OUT && (f.emu == EMU_IO || f.emu == EMU_MMIO))
            decode_add(text, size, ": %.*s", ROOM, access_text(s, &f, more, sizeof(more)));
        else if (s->edge == EDGE_OUT && f.emu == EMU_OK && *effect_text(s, &f, more, sizeof(more)))
            decode_add(text, size, ": %.*s", ROOM, more);
        else if (*f.asked)
            decode_add(text, size, ": %s, %s", f.asked, f.request);
        break;
    case CAUSE_STEP: snprintf(text, size, "cause: the guest's own single step"); break;
    }
    return text;
}

/* What the interpreted instruction will do, tried on a copy. */
static void
say_effect(const struct subject *s, const struct finding *f)
{
    char text[DECODE_SIZE];

    switch (f->emu) {
    case EMU_IO:
    case EMU_MMIO:
        explain_say(s, "", "It is: %s. The allocator is asked for the device.",
                    access_text(s, f, text, sizeof(text)));
        return;
    case EMU_HALT:
        explain_say(s, "",
                    "It is HLT: the VMM waits for the next interrupt, and no real processor "
                    "sleeps.");
        return;
    case EMU_OK: break;
    default: return;
    }
    if (*effect_text(s, f, text, sizeof(text)))
        explain_say(s, "", "On the virtual processor it will change %s.", text);
    else
        explain_say(s, "", "On the virtual processor it changes no register but rip.");
}

static void
say_page_fault(const struct subject *s, const struct finding *f)
{
    char a[DECODE_SIZE], b[DECODE_SIZE], c[DECODE_SIZE];

    where_text(where_is(AT_TRAP_PAGE_FAULT), a, sizeof(a));
    if (f->cause == CAUSE_FILL) {
        explain_say(s, "Why",
                    "The processor walks shadow page tables, not the guest's own. The guest's "
                    "tables allow this access; %s (a hidden page fault).",
                    s->exit.exception.error & PF_PRESENT
                        ? "the shadow's entry is narrower: a page stays read-only there until the "
                          "guest's dirty bit is set, so that the bit stays true"
                        : "the shadow just has no entry for it yet");
        explain_say(s, "VMM", "%s walks the guest's tables; %s then enters the page by %s.", a,
                    where_text(where_is(AT_TRAP_FILL_SHADOW), b, sizeof(b)),
                    where_text(where_is(AT_SHADOW_MAP), c, sizeof(c)));
        explain_say(s, "Guest",
                    "Nothing: it executes the same instruction again, and only time has "
                    "passed.");
    } else if (f->cause == CAUSE_TABLE) {
        explain_say(s, "Why",
                    "The page holds one of the guest's page tables. The shadow maps it "
                    "read-only, so that no change to it is missed.");
        explain_say(s, "VMM", "%s lets %s do the write; %s drops what was shadowed of the entry.",
                    a, where_text(where_is(AT_TRAP_INTERPRET), b, sizeof(b)),
                    where_text(where_is(AT_SHADOW_WRITTEN), c, sizeof(c)));
        explain_say(s, "Guest",
                    "Its table has changed, as it wanted; it goes on behind the "
                    "instruction.");
    } else if (f->cause == CAUSE_SLOT) {
        explain_say(s, "Why",
                    "Slot %u of the address space is the VMM's: the real GDT, IDT and TSS "
                    "lie there, so the shadows have no room for what the guest has.",
                    MONITOR_SLOT);
        explain_say(s, "VMM", "%s lets %s carry the instruction out.", a,
                    where_text(where_is(AT_TRAP_INTERPRET), b, sizeof(b)));
    } else {
        explain_say(s, "Why",
                    "No RAM that may be written is behind that address, but a device or "
                    "a ROM: the shadow never maps it.");
        explain_say(s, "VMM", "%s lets %s carry the instruction out; the allocator (%s) answers.",
                    a, where_text(where_is(AT_TRAP_INTERPRET), b, sizeof(b)),
                    where_text(where_is(AT_ACCESS), c, sizeof(c)));
    }
    explain_say(s, "Manual", "Adams & Agesen 2006, 2.3 (shadow paging); SDM vol. 3, 4.7 (#PF)");
}

static void
say_guest_fault(const struct subject *s, const struct finding *f)
{
    char a[DECODE_SIZE], walk[DECODE_SIZE];
    const struct x86_fault *fault = &f->fault;
    struct observer *o;

    explain_say(s, "Why",
                "It would have faulted on a real machine, too: the guest's own tables or "
                "rules forbid it. Every exception of a deprivileged guest reaches the "
                "VMM first.");
    if (s->edge == EDGE_OUT && fault->vector == VEC_PF && s->has_regs &&
        (o = observer_open(&s->machine->vm->ram, &s->regs, false))) {
        decode_walk_end(o, fault->address, walk, sizeof(walk));
        explain_say(s, "", "0x%" PRIx64 ": %s", fault->address, walk);
        observer_close(o);
    }
    explain_say(s, "VMM",
                "%s delivers %s to the guest's kernel: it builds the frame that the "
                "guest's IDT asks for, on the virtual processor.",
                where_text(where_is(AT_TRAP_FINISH), a, sizeof(a)),
                s->edge == EDGE_OUT ? fault_name(fault) : "it");
    explain_say(s, "Guest", "Its handler runs, as if the processor had called it.");
    explain_say(s, "Manual", "SDM vol. 3, 6.12 to 6.15");
}

void
explain_trap(const struct subject *s)
{
    char a[DECODE_SIZE], b[DECODE_SIZE];
    struct finding f;

    if (s->exit.kind != TRACE_EXCEPTION) {
        explain_hardware(s);
        return;
    }
    find_cause(s, &f);
    explain_say(s, "", "%s looks first and %s decides.",
                where_text(where_is(AT_TRAP_ON_EXIT), a, sizeof(a)),
                where_text(where_is(AT_TRAP_DISPATCH), b, sizeof(b)));
    switch (f.cause) {
    case CAUSE_FILL:
    case CAUSE_TABLE:
    case CAUSE_DEVICE:
    case CAUSE_SLOT: say_page_fault(s, &f); return;
    case CAUSE_GUEST: say_guest_fault(s, &f); return;
    case CAUSE_PRIVILEGED:
        explain_say(s, "Why",
                    "The guest's kernel runs at CPL 3 and believes itself at CPL %u. An "
                    "instruction that needs privilege, or a descriptor, faults for real: "
                    "that is the trap of trap-and-emulate.",
                    s->has_regs ? x86_cpl(&s->regs) : 0);
        explain_say(s, "VMM",
                    "%s has the interpreter (%s) carry it out on the virtual processor; "
                    "%s makes the real one of it.",
                    where_text(where_is(AT_TRAP_INTERPRET), a, sizeof(a)), "hv/isa/x86",
                    where_text(where_is(AT_TRAP_ENTER), b, sizeof(b)));
        if (s->edge == EDGE_OUT && s->has_regs)
            say_effect(s, &f);
        else if (*f.asked)
            explain_say(s, "", "It asked device '%s': %s.", f.asked, f.request);
        explain_say(s, "Guest",
                    "The instruction has done what the manual says; the guest goes on "
                    "behind it.");
        explain_say(s, "Manual",
                    "Popek & Goldberg 1974 (dispatcher, interpreter); SDM vol. 3, 5.9 "
                    "(privileged instructions)");
        return;
    case CAUSE_STEP:
        explain_say(s, "VMM",
                    "The guest has TF set: the #DB after the instruction is delivered to "
                    "its kernel.");
        explain_say(s, "Manual", "SDM vol. 3, 17.3.1.4");
        return;
    default: explain_say(s, "Why", "The recording does not tell the dispatcher's reason."); return;
    }
}
