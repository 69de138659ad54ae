/*
 * interrupt.c - interrupts and exceptions on their way into the guest (SDM vol. 3, chapter 6).
 *
 * x86_deliver_event() does it once: through the IVT in real mode, through a gate of the IDT
 * otherwise, perhaps to an inner ring's stack. If that faults, nothing has changed, and the two
 * functions at the end go on with the new fault, with #DF, or give up: shutdown.
 *
 * Frame, as IRET expects it (iret.c), in slots of 2, 4 or 8 bytes by the gate's size:
 *
 *   | old SS       |  to an inner ring, and always in long mode
 *   | old SP       |
 *   | flags        |
 *   | old CS       |
 *   | return rip   |
 *   | error code   |  of the exceptions that have one
 *   +--------------+ new SP
 *
 * Called by the engines and by fastcall.c (INT n). Next: fastcall.c.
 */
#include "isa/x86/system.h"

/* One delivery: what is known of it, and then what the checks have found. */
struct delivery {
    enum x86_event type;
    const struct x86_fault *what;
    uint64_t return_rip;
    struct x86_descriptor gate;
    struct x86_descriptor code;
    unsigned cpl;  /* of the handler */
    unsigned size; /* of a slot of the frame */
    struct x86_stack stack;
    struct x86_segment cs;
    uint64_t rip;
    uint64_t slot[6];
    unsigned slots;
};

/* --- what every mode does --------------------------------------------------------------------- */

/*
 * CR2 and DR6 are written when the exception is found, not when its handler is reached. Of DR6,
 * bits 3-0 say which breakpoints are met now, the others pile up (SDM vol. 3, 17.2.3).
 */
static void
record_cause(struct x86_cpu *cpu, const struct x86_fault *what)
{
    if (what->vector == VEC_PF)
        cpu->r.cr2 = what->address;
    if (what->vector == VEC_DB && what->dr6)
        cpu->r.dr[6] = (cpu->r.dr[6] & ~UINT64_C(0xf)) | what->dr6;
}

/* Is it of the class 'fault': reported before the instruction, which will be tried again? */
static bool
is_fault(const struct x86_fault *what)
{
    switch (what->vector) {
    case VEC_DE:
    case VEC_BR:
    case VEC_UD:
    case VEC_NM:
    case VEC_TS:
    case VEC_NP:
    case VEC_SS:
    case VEC_GP:
    case VEC_PF:
    case VEC_MF:
    case VEC_AC:
    case VEC_XM: return true;
    case VEC_DB: /* an access to the debug registers (DR7.GD); other causes are traps or push RF as
                    it is */
        return what->dr6 & DR6_BD;
    default: return false;
    }
}

/* The image of the flags. Faults, and what comes between two iterations of REP, have RF set in it, so
 * that an instruction breakpoint does not strike again when the instruction is restarted; INT n
 * pushes it clear (SDM vol. 3, 17.3.1.1). */
static uint64_t
flags_image(const struct x86_cpu *cpu, const struct delivery *d)
{
    if (d->type == X86_EVENT_SOFTWARE)
        return cpu->r.rflags & ~(uint64_t)FLAG_RF;
    if ((d->type == X86_EVENT_EXCEPTION && is_fault(d->what)) || x86_between_iterations(cpu))
        return cpu->r.rflags | FLAG_RF;
    return cpu->r.rflags;
}

/* The handler starts: whatever kept events away is over. */
static void
commit(struct x86_cpu *cpu, const struct delivery *d, uint64_t flags)
{
    unsigned from_cpl = cpu->cpl;
    bool exception = d->type == X86_EVENT_EXCEPTION;

    x86_stack_commit(cpu, &d->stack);
    cpu->r.seg[X86_CS] = d->cs;
    cpu->r.rip = d->rip;
    cpu->r.rflags = flags;
    cpu->r.halted = 0;
    cpu->r.shadow = 0;
    cpu->step_trap = false; /* TF is clear: no trap after INT n (SDM vol. 3, 17.3.1.4) */
    if (d->type == X86_EVENT_NMI)
        cpu->r.nmi_blocked = 1;
    if (exception) {
        record_cause(cpu, d->what);
        if (d->what->vector == VEC_DB)
            cpu->r.dr[7] &= ~(uint64_t)DR7_GD; /* the handler may use them (SDM vol. 3, 17.2.4) */
    }
    x86_update_mode(cpu);
    if (cpu->hooks.transfer)
        cpu->hooks.transfer(cpu->hooks.ctx, exception ? X86_T_EXCEPTION : X86_T_INTERRUPT,
                            d->what->vector, from_cpl);
}

static void
frame_add(struct delivery *d, uint64_t value)
{
    d->slot[d->slots++] = value;
}

static int
frame_push(struct x86_cpu *cpu, struct delivery *d)
{
    for (unsigned i = 0; i < d->slots; i++)
        TRY(x86_stack_push(cpu, &d->stack, d->size, d->slot[i]));
    return EMU_OK;
}

/* --- real mode -------------------------------------------------------------------------------- */

/* The IVT holds 4 bytes a vector: IP, then CS. No privilege, no error codes (SDM vol. 3, 20.1.4). */
static int
deliver_real(struct x86_cpu *cpu, struct delivery *d)
{
    unsigned entry = d->what->vector * 4u;
    uint64_t pointer;

    if (entry + 3 > cpu->r.idtr.limit)
        return x86_raise_error(cpu, VEC_GP, d->what->vector * 8u | ERROR_IDT);
    TRY(x86_table_read(cpu, cpu->r.idtr.base, entry, 4, &pointer));
    x86_stack_current(cpu, &d->stack);
    d->size = 2;
    frame_add(d, flags_image(cpu, d));
    frame_add(d, cpu->r.seg[X86_CS].selector);
    frame_add(d, d->return_rip);
    TRY(x86_stack_reserve(cpu, &d->stack, d->slots, d->size));
    d->rip = pointer & 0xffffu;
    d->cs = cpu->r.seg[X86_CS];
    if (d->rip > d->cs.limit)
        return x86_gp0(cpu);
    x86_segment_set_real(&d->cs, (uint16_t)(pointer >> 16));
    TRY(frame_push(cpu, d));
    commit(cpu, d, cpu->r.rflags & ~(uint64_t)(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF));
    return EMU_OK;
}

/* --- protected and long mode ------------------------------------------------------------------ */

static bool
is_gate(const struct x86_cpu *cpu, uint16_t attr)
{
    if (attr & SEG_S)
        return false;
    switch (attr & SEG_TYPE) {
    case SYS_INT:
    case SYS_TRAP: return true;
    case SYS_INT16:
    case SYS_TRAP16:
    case SYS_TASK_GATE: return !x86_long_mode(cpu);
    default: return false;
    }
}

/* Reads the vector's gate, of 8 bytes or in long mode 16. Faults name the vector: bit IDT. */
static int
fetch_gate(struct x86_cpu *cpu, struct delivery *d)
{
    bool wide = x86_long_mode(cpu);
    unsigned vector = d->what->vector, size = wide ? 16 : 8, entry = vector * size;
    uint32_t error = vector * 8 | ERROR_IDT;
    uint64_t low, high = 0;

    if (entry + size - 1 > cpu->r.idtr.limit)
        return x86_raise_error(cpu, VEC_GP, error);
    TRY(x86_table_read(cpu, cpu->r.idtr.base, entry, 8, &low));
    if (wide)
        TRY(x86_table_read(cpu, cpu->r.idtr.base, entry + 8, 8, &high));
    x86_descriptor_unpack(low, high, &d->gate);
    if (!is_gate(cpu, d->gate.attr))
        return x86_raise_error(cpu, VEC_GP, error);
    /* A program may call only the gates that are meant for its ring; hardware is not asked. */
    if (d->type == X86_EVENT_SOFTWARE && attr_dpl(d->gate.attr) < cpu->cpl)
        return x86_raise_error(cpu, VEC_GP, error);
    if (!(d->gate.attr & SEG_P))
        return x86_raise_error(cpu, VEC_NP, error);
    if ((d->gate.attr & SEG_TYPE) == SYS_TASK_GATE)
        return x86_unimplemented(cpu, "hardware task switch (task gate in the IDT)");
    return EMU_OK;
}

/* The handler's code: of this ring or an inner one; in long mode 64-bit code. */
static int
fetch_code(struct x86_cpu *cpu, struct delivery *d)
{
    uint16_t selector = d->gate.selector;
    unsigned dpl;

    if (selector_is_null(selector))
        return x86_gp0(cpu);
    TRY(x86_fetch_descriptor(cpu, selector, VEC_GP, &d->code));
    dpl = attr_dpl(d->code.attr);
    if (!attr_is_code(d->code.attr) || dpl > cpu->cpl)
        return raise_selector(cpu, VEC_GP, selector);
    if (x86_long_mode(cpu) && (d->code.attr & (SEG_L | SEG_DB)) != SEG_L)
        return raise_selector(cpu, VEC_GP, selector);
    if (!(d->code.attr & SEG_P))
        return raise_selector(cpu, VEC_NP, selector);
    d->cpl = attr_is_conforming(d->code.attr) ? cpu->cpl : dpl;
    d->rip = d->gate.base;
    return EMU_OK;
}

/*
 * The present stack, the one that the TSS names for the handler's ring, or in long mode the one
 * of the gate's IST field. Long mode aligns it to 16 bytes and always pushes SS:RSP
 * (SDM vol. 3, 6.14.2 to 6.14.5).
 */
static int
choose_stack(struct x86_cpu *cpu, struct delivery *d)
{
    bool inner = d->cpl < cpu->cpl, wide = x86_long_mode(cpu);
    unsigned ist = wide ? d->gate.count & 0x7u : 0;

    x86_stack_current(cpu, &d->stack);
    d->stack.check_alignment = false; /* no #AC inside a delivery: it could only repeat itself */
    if (wide)
        d->stack.width = 8;
    if (inner)
        TRY(x86_stack_inner(cpu, d->cpl, ist, &d->stack));
    else if (ist)
        TRY(x86_stack_ist(cpu, ist, &d->stack));
    if (wide)
        d->stack.sp &= ~UINT64_C(0xf);
    if (inner || wide) {
        frame_add(d, cpu->r.seg[X86_SS].selector);
        frame_add(d, cpu->r.gpr[X86_RSP]);
    }
    return EMU_OK;
}

static unsigned
gate_size(const struct x86_cpu *cpu, const struct x86_descriptor *gate)
{
    if (x86_long_mode(cpu))
        return 8;
    return gate->attr & 0x8u ? 4 : 2;
}

static int
deliver_protected(struct x86_cpu *cpu, struct delivery *d)
{
    uint32_t clear = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM;

    TRY(fetch_gate(cpu, d));
    TRY(fetch_code(cpu, d));
    d->size = gate_size(cpu, &d->gate);
    TRY(choose_stack(cpu, d));
    frame_add(d, flags_image(cpu, d));
    frame_add(d, cpu->r.seg[X86_CS].selector);
    frame_add(d, d->return_rip);
    if (d->what->has_error)
        frame_add(d, d->what->error);
    TRY(x86_stack_reserve(cpu, &d->stack, d->slots, d->size));
    TRY(x86_code_check_rip(cpu, &d->code, &d->rip));
    TRY(x86_descriptor_use(cpu, selector_with_rpl(d->gate.selector, d->cpl), &d->code, &d->cs));
    TRY(frame_push(cpu, d));
    if (!(d->gate.attr & 0x1u)) /* types 6 and e are interrupt gates, 7 and f trap gates */
        clear |= FLAG_IF;
    commit(cpu, d, cpu->r.rflags & ~(uint64_t)clear);
    return EMU_OK;
}

int
x86_deliver_event(struct x86_cpu *cpu, enum x86_event type, const struct x86_fault *what,
                  uint64_t next_rip)
{
    struct delivery d = {.type = type, .what = what, .return_rip = next_rip};
    int rc;

    if (cpu->r.rflags & FLAG_VM)
        return x86_unimplemented(cpu, "virtual-8086 mode");
    rc = cpu->mode == MODE_REAL ? deliver_real(cpu, &d) : deliver_protected(cpu, &d);
    /* Error codes say EXT if it was not the program that asked for the event by INT n, INT3 or
     * INTO; that of a page fault has no such bit (SDM vol. 3, 6.13). */
    if (rc == EMU_FAULT && type != X86_EVENT_SOFTWARE && cpu->fault.has_error &&
        cpu->fault.vector != VEC_PF)
        cpu->fault.error |= ERROR_EXT;
    return rc;
}

/* --- faults on the way ------------------------------------------------------------------------ */

/* SDM vol. 3, table 6-4 (interrupt and exception classes). */
enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum fault_class
classify(enum x86_event type, unsigned vector)
{
    if (type != X86_EVENT_EXCEPTION)
        return BENIGN;
    switch (vector) {
    case VEC_DE:
    case VEC_TS:
    case VEC_NP:
    case VEC_SS:
    case VEC_GP: return CONTRIBUTORY;
    case VEC_PF: return PAGE_FAULT;
    case VEC_DF: return DOUBLE_FAULT;
    default: return BENIGN;
    }
}

/* SDM vol. 3, table 6-5: a row for the first event, a column for the fault that it met. */
enum verdict { NEXT, DOUBLE, SHUTDOWN };

static const uint8_t verdicts[4][4] = {
    /*                 benign  contributory  page fault  double fault */
    [BENIGN] = {NEXT, NEXT, NEXT, NEXT},
    [CONTRIBUTORY] = {NEXT, DOUBLE, NEXT, NEXT},
    [PAGE_FAULT] = {NEXT, DOUBLE, DOUBLE, NEXT},
    [DOUBLE_FAULT] = {NEXT, SHUTDOWN, SHUTDOWN, SHUTDOWN},
};

/*
 * Delivers until something arrives. Ends: each fault inside a delivery is contributory or a page
 * fault, so the class only rises, from benign to shutdown. A delivery that had to wait for a
 * device starts again from the first event and meets the same faults with the same answers.
 */
static int
deliver_chain(struct x86_cpu *cpu, enum x86_event type, const struct x86_fault *first)
{
    struct x86_fault what = *first;

    cpu->replay.next = 0;
    if (type == X86_EVENT_EXCEPTION)
        record_cause(cpu, &what);
    for (;;) {
        cpu->replay.writes = 0;
        int rc = x86_deliver_event(cpu, type, &what, cpu->r.rip);
        if (rc != EMU_FAULT)
            return rc;
        record_cause(cpu, &cpu->fault);
        enum fault_class a = classify(type, what.vector);
        enum fault_class b = classify(X86_EVENT_EXCEPTION, cpu->fault.vector);
        if (verdicts[a][b] == SHUTDOWN)
            return EMU_SHUTDOWN;
        what = cpu->fault;
        if (verdicts[a][b] == DOUBLE)
            what = (struct x86_fault){.vector = VEC_DF, .has_error = true};
        type = X86_EVENT_EXCEPTION;
    }
}

/* A device has to act first: x86_deliver_fault() will find here what it was about. */
static int
wait_for_device(struct x86_cpu *cpu, enum x86_event type, const struct x86_fault *first, int rc)
{
    cpu->fault = *first;
    cpu->delivering = 1 + type;
    return rc;
}

/*
 * Around the chain: what the instruction before has written leaves first, what it had asked of
 * devices is forgotten; answers that the delivery itself waits for (a stack or a table in a
 * device's memory) are kept until it is done.
 */
static int
deliver(struct x86_cpu *cpu, enum x86_event type, const struct x86_fault *first)
{
    struct x86_replay *replay = &cpu->replay;
    int rc;

    if (replay->written < replay->writes) {
        cpu->access = replay->write[replay->written++];
        if (replay->written == replay->writes)
            x86_replay_reset(cpu);
        return wait_for_device(cpu, type, first, cpu->access.port ? EMU_IO : EMU_MMIO);
    }
    if (!cpu->delivering)
        x86_replay_reset(cpu);
    rc = deliver_chain(cpu, type, first);
    if (rc != EMU_OK)
        replay->writes = 0; /* not committed: nothing leaves */
    if (rc == EMU_MMIO)
        return wait_for_device(cpu, type, first, rc);
    if (!replay->writes)
        x86_replay_reset(cpu);
    cpu->fault = *first;
    cpu->delivering = 0;
    return rc;
}

int
x86_deliver_fault(struct x86_cpu *cpu)
{
    struct x86_fault first = cpu->fault;

    return deliver(cpu, cpu->delivering ? cpu->delivering - 1u : X86_EVENT_EXCEPTION, &first);
}

int
x86_deliver_interrupt(struct x86_cpu *cpu, uint8_t vector)
{
    struct x86_fault what = {.vector = vector};

    return deliver(cpu, X86_EVENT_EXTERNAL, &what);
}
