/*
 * decode_gate.c - an event on its way through IDT, GDT, TSS and stack: what stops it, and which bit.
 *
 * The questions are asked in the processor's order (SDM vol. 3, 6.12 to 6.14; hv/isa/x86/interrupt.c
 * does it for the guest), so the first bad answer is the one that the guest met.
 *
 * Called by explain_end.c and info_tables.c. Next: decode_walk.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/decode.h"
#include "isa/x86/system.h"

int
decode_gate(struct observer *o, unsigned vector, struct x86_descriptor *gate)
{
    unsigned size = x86_long_mode(&o->cpu) ? 16 : 8, entry = vector * size;
    uint64_t words[2] = {0};

    if (entry + size - 1 > o->cpu.r.idtr.limit)
        return -ERANGE;
    if (observer_read(o, o->cpu.r.idtr.base + entry, words, size, NULL))
        return -EFAULT;
    x86_descriptor_unpack(words[0], words[1], gate);
    gate->linear = o->cpu.r.idtr.base + entry;
    return 0;
}

/* The code segment that a gate names. */
static bool
code_problem(struct observer *o, const struct x86_descriptor *gate, char *text, size_t size)
{
    struct x86_cpu *cpu = &o->cpu;
    uint16_t selector = gate->selector;
    struct x86_descriptor code;
    bool found, long_mode = x86_long_mode(cpu);
    size_t before = strnlen(text, size);
    char what[DECODE_SIZE];

    if (selector_is_null(selector)) {
        decode_add(text, size, "its selector (bits 31-16) is null");
        return true;
    }
    if (x86_find_descriptor(cpu, selector, &code, &found)) {
        decode_add(text, size, "its selector 0x%x: the %s is not readable there", selector,
                   selector & SELECTOR_TI ? "LDT" : "GDT");
        return true;
    }
    decode_add(text, size, "its selector 0x%x ", selector);
    if (!found && !(selector & SELECTOR_TI))
        decode_add(text, size, "lies behind the GDT's limit 0x%x", cpu->r.gdtr.limit);
    else if (!found)
        decode_add(text, size, "is in no LDT");
    else if (!attr_is_code(code.attr))
        decode_add(text, size, "names no code segment but: %s",
                   decode_attr(code.attr, long_mode, what, sizeof(what)));
    else if (attr_dpl(code.attr) > cpu->cpl)
        decode_add(text, size,
                   "names code of DPL %u: the handler would have less privilege "
                   "than the program at CPL %u",
                   attr_dpl(code.attr), cpu->cpl);
    else if (long_mode && (code.attr & (SEG_L | SEG_DB)) != SEG_L)
        decode_add(text, size, "names code that is not 64-bit: L (bit 53) is %s, D (bit 54) is %s",
                   code.attr & SEG_L ? "set" : "clear", code.attr & SEG_DB ? "set" : "clear");
    else if (!(code.attr & SEG_P))
        decode_add(text, size, "names code that is not present: P (bit 47) is clear");
    else {
        text[before] = 0; /* nothing to say of it */
        return false;
    }
    return true;
}

/* The offset, once the code segment is a good one. */
static bool
offset_problem(struct observer *o, const struct x86_descriptor *gate, char *text, size_t size)
{
    struct x86_descriptor code;
    bool found;

    if (x86_long_mode(&o->cpu)) {
        if (x86_canonical(gate->base))
            return false;
        decode_add(text, size, "its offset 0x%" PRIx64 " is not canonical", gate->base);
        return true;
    }
    if (x86_find_descriptor(&o->cpu, gate->selector, &code, &found) || !found ||
        gate->base <= code.limit)
        return false;
    decode_add(text, size, "its offset 0x%" PRIx64 " is behind the code segment's limit 0x%x",
               gate->base, code.limit);
    return true;
}

/* Real mode has a table of far pointers and no bits that could be wrong (SDM vol. 3, 20.1.4). */
static bool
real_problem(struct observer *o, unsigned vector, char *text, size_t size)
{
    if (vector * 4 + 3 <= o->cpu.r.idtr.limit)
        return false;
    snprintf(text, size,
             "vector %u lies behind the limit 0x%x of the interrupt vector table at 0x%" PRIx64,
             vector, o->cpu.r.idtr.limit, o->cpu.r.idtr.base);
    return true;
}

static bool
type_problem(struct observer *o, const struct x86_descriptor *gate, enum x86_event event,
             char *text, size_t size)
{
    unsigned type = gate->attr & (SEG_S | SEG_TYPE);
    bool long_mode = x86_long_mode(&o->cpu);

    if (!decode_gate_type(type, long_mode))
        decode_add(text, size,
                   "its type (bits 44-40) is 0x%x, which is no interrupt or trap gate%s", type,
                   long_mode ? " in long mode (0xe, 0xf)" : "");
    else if (event == X86_EVENT_SOFTWARE && attr_dpl(gate->attr) < o->cpu.cpl)
        decode_add(text, size,
                   "its DPL (bits 46-45) is %u, and a program at CPL %u may not call it "
                   "by INT",
                   attr_dpl(gate->attr), o->cpu.cpl);
    else if (!(gate->attr & SEG_P))
        decode_add(text, size, "P (bit 47) is clear: it is not present");
    else
        return false;
    return true;
}

/* offset_too: the offset is looked at as well, which the processor does after the stack. */
static bool
gate_problem(struct observer *o, unsigned vector, enum x86_event type, bool offset_too, char *text,
             size_t size)
{
    struct x86_descriptor gate;
    uint64_t bad = 0;
    uint8_t probe[16];

    text[0] = 0;
    if (o->cpu.mode == MODE_REAL)
        return real_problem(o, vector, text, size);
    switch (decode_gate(o, vector, &gate)) {
    case -ERANGE:
        snprintf(text, size, "vector %u lies behind the IDT's limit 0x%x: it has room for %u gates",
                 vector, o->cpu.r.idtr.limit,
                 (o->cpu.r.idtr.limit + 1u) / (x86_long_mode(&o->cpu) ? 16 : 8));
        return true;
    case -EFAULT:
        observer_read(o, o->cpu.r.idtr.base + vector * (x86_long_mode(&o->cpu) ? 16u : 8u), probe,
                      x86_long_mode(&o->cpu) ? 16 : 8, &bad);
        snprintf(text, size, "gate %u of the IDT cannot be read at 0x%" PRIx64 ": ", vector, bad);
        decode_walk_end(o, bad, text + strlen(text), size - strlen(text));
        return true;
    default: break;
    }
    snprintf(text, size, "gate %u of the IDT, at 0x%" PRIx64 ": ", vector, gate.linear);
    return type_problem(o, &gate, type, text, size) || code_problem(o, &gate, text, size) ||
           (offset_too && offset_problem(o, &gate, text, size));
}

bool
decode_gate_problem(struct observer *o, unsigned vector, enum x86_event type, char *text,
                    size_t size)
{
    return gate_problem(o, vector, type, true, text, size);
}

/* Where the handler's stack comes from. */
static void
stack_source(struct observer *o, unsigned vector, char *text, size_t size)
{
    struct x86_cpu *cpu = &o->cpu;
    struct x86_descriptor gate, code;
    bool found = false;
    unsigned ist, ring;

    snprintf(text, size, "the present stack, RSP 0x%" PRIx64, cpu->r.gpr[X86_RSP]);
    if (cpu->mode == MODE_REAL || decode_gate(o, vector, &gate))
        return;
    ist = x86_long_mode(cpu) ? gate.count & 7u : 0;
    if (x86_find_descriptor(cpu, gate.selector, &code, &found) || !found)
        return;
    ring = attr_is_conforming(code.attr) ? cpu->cpl : attr_dpl(code.attr);
    if (!ist && ring >= cpu->cpl)
        return;
    if (!x86_long_mode(cpu)) {
        snprintf(text, size, "the stack that the TSS at 0x%" PRIx64 " has for ring %u",
                 cpu->r.tr.base, ring);
        return;
    }
    unsigned offset = ist ? ist * 8 + 0x1c : ring * 8 + 4;
    uint64_t sp = 0;
    if (observer_read(o, cpu->r.tr.base + offset, &sp, sizeof(sp), NULL) == 0)
        snprintf(text, size, "the stack %s%u of the TSS, 0x%" PRIx64, ist ? "IST" : "RSP",
                 ist ? ist : ring, sp);
    else
        snprintf(text, size, "the stack %s%u of the TSS at 0x%" PRIx64 ", which cannot be read",
                 ist ? "IST" : "RSP", ist ? ist : ring, cpu->r.tr.base);
}

/* Which of the processor's own tables holds this address? */
static const char *
table_at(const struct x86_regs *r, uint64_t address)
{
    if (address - r->idtr.base <= r->idtr.limit)
        return "the IDT";
    if (address - r->gdtr.base <= r->gdtr.limit)
        return "the GDT";
    if (address - r->tr.base <= r->tr.limit)
        return "the TSS";
    return NULL;
}

void
decode_delivery_problem(struct observer *o, unsigned vector, enum x86_event type,
                        const struct x86_fault *fault, char *text, size_t size)
{
    char stack[DECODE_SIZE], walk[DECODE_SIZE];
    const char *table;

    /* A table in which the address lies is looked at first by the processor, too. */
    table = fault->vector == VEC_PF ? table_at(&o->cpu.r, fault->address) : NULL;
    if (!table && gate_problem(o, vector, type, fault->vector == VEC_GP, text, size))
        return;
    stack_source(o, vector, stack, sizeof(stack));
    switch (fault->vector) {
    case VEC_PF:
        decode_walk_end(o, fault->address, walk, sizeof(walk));
        if (table)
            snprintf(text, size, "%s cannot be used at 0x%" PRIx64 ": %s", table, fault->address,
                     walk);
        else
            snprintf(
                text, size,
                "the gate is good, but the frame goes to %s, which is not writable at 0x%" PRIx64
                ": %s",
                stack, fault->address, walk);
        break;
    case VEC_TS:
        snprintf(text, size,
                 "the gate is good, but the TSS (TR 0x%x, at 0x%" PRIx64 ", limit 0x%x) "
                 "gives no stack: it is too short, or the SS in it is bad",
                 o->cpu.r.tr.selector, o->cpu.r.tr.base, o->cpu.r.tr.limit);
        break;
    case VEC_SS:
        snprintf(text, size, "the gate is good, but the frame does not fit on %s: %s", stack,
                 x86_long_mode(&o->cpu) ? "an address of it is not canonical"
                                        : "it is outside the stack segment");
        break;
    default:
        snprintf(text, size, "the gate is good, but delivering through it raised %s on %s",
                 x86_vector_name(fault->vector) ? x86_vector_name(fault->vector) : "a fault",
                 stack);
    }
}
