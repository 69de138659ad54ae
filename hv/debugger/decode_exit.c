/*
 * decode_exit.c - the operands of an exit in words: who is at the port, which region an address is in,
 * which bits of a control register change, what a hypercall is asked.
 *
 * Called by context.c and explain.c. Next: explain.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "device/device.h"
#include "strategy/paravirt/paravirt.h"

const char *
decode_address_name(const struct machine *m, unsigned kind, uint64_t address)
{
    bool paravirt = m->strategy && !strcmp(m->strategy, "paravirt");

    switch (kind) {
    case TRACE_HYPERCALL:
        return paravirt && address < HC_COUNT ? paravirt_hypercalls[address].name : NULL;
    case TRACE_INJECT:
        if (paravirt && address == HC_EVENT_TRAP + HC_EVENT_TIMER)
            return "event timer";
        if (paravirt && address == HC_EVENT_TRAP + HC_EVENT_CONSOLE)
            return "event console";
        return address < 32 ? x86_vector_name((unsigned)address) : NULL;
    case TRACE_EXCEPTION:
    case TRACE_GUEST_FAULT:
    case TRACE_INTERRUPT: return address < 32 ? x86_vector_name((unsigned)address) : NULL;
    case TRACE_MSR: return address <= UINT32_MAX ? x86_msr_name((uint32_t)address) : NULL;
    default: return NULL;
    }
}

static const char *
size_name(unsigned size)
{
    return size == 1 ? "byte" : size == 2 ? "word" : size == 4 ? "dword" : "qword";
}

/* Who answers there, and with what: the device in the machine, or the actor in the recording. */
static void
add_device(const struct subject *s, char *text, size_t size)
{
    const struct bus_range *range = subject_device(s);
    const struct vm_exit *x = &s->exit;
    const char *name;

    if (!range) {
        if (s->machine->vm)
            decode_add(text, size, ": no device is there");
        return;
    }
    decode_add(text, size, ": %s", range->device->ops->name);
    /* What a chip takes an access for depends on its state, which is known at this edge alone. */
    if (!range->device->ops->register_name || s->edge != EDGE_OUT)
        return;
    name = range->device->ops->register_name(range->device->dev, x->access.address - range->base,
                                             x->access.write, x->access.value);
    if (name)
        decode_add(text, size, ", %s", name);
}

static void
decode_access(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;
    const char *where = x->kind == TRACE_IO ? "port" : "physical";
    uint64_t value = x->access.value;

    if (x->access.write)
        snprintf(text, size, "write %s 0x%" PRIx64, size_name(x->access.size), value);
    else
        snprintf(text, size, "read %s", size_name(x->access.size));
    if (x->access.write && x->access.size == 1 && value >= 0x20 && value < 0x7f)
        decode_add(text, size, " '%c'", (char)value);
    decode_add(text, size, " %s %s 0x%" PRIx64, x->access.write ? "to" : "from", where,
               x->access.address);
    add_device(s, text, size);
    if (!x->access.write && s->edge == EDGE_IN)
        decode_add(text, size, " -> 0x%" PRIx64, value);
}

static void
decode_exception(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;
    const char *name = x86_vector_name(x->exception.vector);
    char code[DECODE_SIZE];

    if (name)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "vector 0x%x", x->exception.vector);
    if (x->exception.vector == VEC_PF)
        decode_add(text, size, " at 0x%" PRIx64, x->exception.address);
    if (!x->exception.has_error)
        return;
    decode_add(text, size, ", error 0x%x", x->exception.error);
    decode_error_code(x->exception.vector, x->exception.error, code, sizeof(code));
    if (*code)
        decode_add(text, size, " (%s)", code);
}

/* "bytes" and the like from the table of hypercalls, each with its value. */
static void
decode_hypercall(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;
    const char *name = decode_address_name(s->machine, TRACE_HYPERCALL, x->hypercall.number), *at;
    unsigned known = s->here && s->machine->vm ? 3 : 1;

    if (!name) {
        snprintf(text, size, "number 0x%" PRIx64 ": there is no such hypercall",
                 x->hypercall.number);
        return;
    }
    snprintf(text, size, "%s(", name);
    at = paravirt_hypercalls[x->hypercall.number].arguments;
    for (unsigned i = 0; i < 3 && *at; i++) {
        size_t length = strcspn(at, ",");
        decode_add(text, size, "%s%.*s", i ? ", " : "", (int)length, at);
        if (i < known)
            decode_add(text, size, " 0x%" PRIx64, x->hypercall.args[i]);
        at += length;
        at += strspn(at, ", ");
    }
    decode_add(text, size, ")");
    if (s->edge == EDGE_IN && s->has_regs && x->hypercall.number != HC_IRET)
        decode_add(text, size, " = %" PRId64, (int64_t)s->regs.gpr[X86_RAX]);
}

/* The register's present value is known at EDGE_OUT alone; behind it, it is the new one. */
static void
decode_register(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;
    const char *space = x->kind == TRACE_CR ? "CR" : "DR";
    const struct bit_name *names = x->kind == TRACE_CR ? decode_cr_bits(x->reg.number) : NULL;
    uint64_t old = x->reg.number == 0 ? s->regs.cr0 : s->regs.cr4;
    char bits[DECODE_SIZE];

    snprintf(text, size, "%s %s%u", x->reg.write ? "write" : "read", space, x->reg.number);
    if (!x->reg.write)
        return;
    decode_add(text, size, " <- 0x%" PRIx64, x->reg.value);
    if (!names)
        return;
    decode_add(text, size, " (%s", decode_bits(names, x->reg.value, bits, sizeof(bits)));
    if (s->edge == EDGE_OUT && s->has_regs && old != x->reg.value)
        decode_add(text, size, "; changes %s",
                   decode_bit_changes(names, old, x->reg.value, bits, sizeof(bits)));
    decode_add(text, size, ")");
}

static void
decode_msr(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;
    const char *name = x86_msr_name(x->msr.index);
    const uint32_t efer = 0xc0000080u;
    char bits[DECODE_SIZE];

    snprintf(text, size, "%s msr 0x%x", x->msr.write ? "write" : "read", x->msr.index);
    decode_add(text, size, " %s", name ? name : "(this processor has none of that number)");
    if (x->msr.write) {
        decode_add(text, size, " <- 0x%" PRIx64, x->msr.value);
        if (x->msr.index == efer)
            decode_add(text, size, " (%s)",
                       decode_bits(decode_efer, x->msr.value, bits, sizeof(bits)));
    }
    if (s->edge == EDGE_IN && x->msr.refused)
        decode_add(text, size, ": refused, #GP");
}

/* What the well-known leaves are about (SDM vol. 2, CPUID). */
static const char *
leaf_name(uint32_t leaf)
{
    switch (leaf) {
    case 0: return "vendor, highest leaf";
    case 1: return "family, features";
    case 7: return "more features";
    case 0xb: return "topology";
    case 0xd: return "extended state";
    case 0x40000000: return "which hypervisor";
    case 0x80000000: return "highest extended leaf";
    case 0x80000001: return "extended features";
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: return "brand string";
    case 0x80000008: return "address sizes";
    default: return NULL;
    }
}

char *
decode_exit(const struct subject *s, char *text, size_t size)
{
    const struct vm_exit *x = &s->exit;

    text[0] = 0;
    switch (x->kind) {
    case TRACE_IO:
    case TRACE_MMIO: decode_access(s, text, size); break;
    case TRACE_HYPERCALL: decode_hypercall(s, text, size); break;
    case TRACE_MSR: decode_msr(s, text, size); break;
    case TRACE_CPUID:
        snprintf(text, size, "leaf 0x%x, subleaf 0x%x", x->cpuid.leaf, x->cpuid.subleaf);
        if (leaf_name(x->cpuid.leaf))
            decode_add(text, size, ": %s", leaf_name(x->cpuid.leaf));
        break;
    case TRACE_EXCEPTION: decode_exception(s, text, size); break;
    case TRACE_CR:
    case TRACE_DR: decode_register(s, text, size); break;
    case TRACE_HOST_CALL:
    case TRACE_DENIED:
    case TRACE_SIGNAL:
    case TRACE_HOST_FAULT:
    case TRACE_FORK:
    case TRACE_EXEC:
    case TRACE_PROCESS_END: decode_process(s, text, size); break;
    case TRACE_INVLPG: snprintf(text, size, "linear address 0x%" PRIx64, x->invlpg.address); break;
    case TRACE_FAIL_ENTRY:
    case TRACE_INTERNAL_ERROR:
    case TRACE_UNIMPLEMENTED:
    case TRACE_UNKNOWN:
        if (s->here)
            snprintf(text, size, "%s (code 0x%" PRIx64 ")",
                     x->failure.text ? x->failure.text : trace_kinds[x->kind].text,
                     x->failure.code);
        break;
    default: break;
    }
    return text;
}
