/*
 * describe.c - see describe.h. What address and value of each kind mean is the table in event.h.
 */
#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tracer/describe.h"

/* How the operands of a kind are said. */
enum form {
    FORM_PLAIN,  /* noun address, and a value if it is not 0 */
    FORM_ACCESS, /* read or write noun address <- value */
    FORM_VECTOR, /* an exception or interrupt */
    FORM_CPUID,
    FORM_IRQ,
    FORM_INPUT,
    FORM_SYSCALL,
    FORM_SYSRET,
    FORM_END,
    FORM_ENTRY,
    FORM_CALL, /* a system call of the host's */
    FORM_ANSWER,
    FORM_FAULT,
    FORM_SIGNAL,
    FORM_FORK,
    FORM_EXEC,
    FORM_PROCESS_END,
    FORM_NOTHING,
};

static const struct {
    const char *noun; /* of the address; NULL: none */
    uint8_t form;     /* enum form */
} kinds[TRACE_KIND_COUNT] = {
    [TRACE_IO] = {"port", FORM_ACCESS},
    [TRACE_MMIO] = {"address", FORM_ACCESS},
    [TRACE_HYPERCALL] = {"hypercall", FORM_PLAIN},
    [TRACE_MSR] = {"msr", FORM_ACCESS},
    [TRACE_CPUID] = {"leaf", FORM_CPUID},
    [TRACE_EXCEPTION] = {"vector", FORM_VECTOR},
    [TRACE_CR] = {"cr", FORM_ACCESS},
    [TRACE_DR] = {"dr", FORM_ACCESS},
    [TRACE_INVLPG] = {"address", FORM_PLAIN},
    [TRACE_ENTRY] = {NULL, FORM_ENTRY},
    [TRACE_INJECT] = {"vector", FORM_VECTOR},
    [TRACE_CALL] = {"", FORM_ACCESS},
    [TRACE_RETURN] = {"", FORM_ACCESS},
    [TRACE_SYSCALL] = {"number", FORM_SYSCALL},
    [TRACE_SYSRET] = {NULL, FORM_SYSRET},
    [TRACE_INTERRUPT] = {"vector", FORM_VECTOR},
    [TRACE_GUEST_FAULT] = {"vector", FORM_VECTOR},
    [TRACE_IRQ] = {"line", FORM_IRQ},
    [TRACE_INPUT] = {"source", FORM_INPUT},
    [TRACE_MARK] = {"mark", FORM_PLAIN},
    [TRACE_END] = {NULL, FORM_END},
    [TRACE_HOST_CALL] = {"call", FORM_CALL},
    [TRACE_DENIED] = {"call", FORM_CALL},
    [TRACE_HOST_RETURN] = {NULL, FORM_ANSWER},
    [TRACE_SIGNAL] = {"signal", FORM_SIGNAL},
    [TRACE_HOST_FAULT] = {"signal", FORM_FAULT},
    [TRACE_FORK] = {"process", FORM_FORK},
    [TRACE_EXEC] = {"process", FORM_EXEC},
    [TRACE_PROCESS_END] = {NULL, FORM_PROCESS_END},
    [TRACE_ARGUMENTS] = {NULL, FORM_NOTHING},
    [TRACE_TEXT] = {NULL, FORM_NOTHING},
};

const char *
describe_address_noun(const struct trace *trace, unsigned kind)
{
    bool exit = trace->kind[kind].class == TRACE_CLASS_EXIT;

    return exit && kind < TRACE_KIND_COUNT ? kinds[kind].noun : NULL;
}

/* " 'H'" for a byte that can be printed: the guest's console output is then legible. */
static const char *
letter(const struct trace_event *e, char text[8])
{
    text[0] = 0;
    if (e->size == 1 && e->value >= 0x20 && e->value < 0x7f)
        snprintf(text, 8, " '%c'", (char)e->value);
    return text;
}

static void
describe_access(const struct trace_event *e, const char *noun, const char *name, char *text,
                size_t size)
{
    bool write = e->flags & TRACE_WRITE;
    const char *verb = write ? "write" : "read", *space = *noun ? " " : "";
    char c[8], number[24];

    snprintf(number, sizeof(number), "0x%" PRIx64, e->address);
    if (!name)
        name = number;
    if (e->kind == TRACE_CR || e->kind == TRACE_DR) {
        int n = snprintf(text, size, "%s %s%" PRIu64, verb, noun, e->address);
        if (write && n > 0 && (size_t)n < size)
            snprintf(text + n, size - (size_t)n, " <- 0x%" PRIx64, e->value);
        return;
    }
    /* A read has no value when it leaves the guest; the device's RETURN has it. */
    if (write)
        snprintf(text, size, "%s%s%s %s <- 0x%" PRIx64 "%s", verb, space, noun, name, e->value,
                 letter(e, c));
    else if (e->kind == TRACE_RETURN)
        snprintf(text, size, "%s%s%s %s -> 0x%" PRIx64 "%s", verb, space, noun, name, e->value,
                 letter(e, c));
    else
        snprintf(text, size, "%s%s%s %s", verb, space, noun, name);
}

#define PAGE_FAULT 14u /* the exception whose value is an address (event.h) */

/* "#PF page fault at 0x403000, error 0x6", "vector 0x20". */
static void
describe_vector(const struct trace_event *e, const char *name, char *text, size_t size)
{
    bool fault = e->kind == TRACE_EXCEPTION || e->kind == TRACE_GUEST_FAULT;
    char number[32];

    snprintf(number, sizeof(number), "vector 0x%" PRIx64, e->address);
    if (!name)
        name = number;
    if (fault && e->address == PAGE_FAULT)
        snprintf(text, size, "%s at 0x%" PRIx64 ", error 0x%x", name, e->value, e->extra);
    else if (fault && e->flags & TRACE_ERROR)
        snprintf(text, size, "%s, error 0x%" PRIx64, name, e->value);
    else
        snprintf(text, size, "%s", name);
}

static void
describe_plain(const struct trace_event *e, const char *noun, const char *name, char *text,
               size_t size)
{
    char number[24];

    if (!noun && !e->address && !e->value)
        return;
    snprintf(number, sizeof(number), "0x%" PRIx64, e->address);
    int n = snprintf(text, size, "%s%s%s", noun ? noun : "", noun ? " " : "", name ? name : number);
    if (e->value && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, ", 0x%" PRIx64, e->value);
}

static void
describe_end(const struct trace *t, const struct trace_event *e, char *text, size_t size)
{
    const char *why = e->address && e->address < t->kinds ? t->kind[e->address].name : NULL;

    if (why)
        snprintf(text, size, "after %s, status %" PRIu64, why, e->value);
    else
        snprintf(text, size, "status %" PRIu64, e->value);
}

/* --- system calls, and other exits of a process --------------------------------------------------- */

static void
take_arguments(struct syscall_values *v, const struct trace_event *note)
{
    const uint64_t values[] = {note->icount, note->rip, note->address, note->value};

    if (note->extra == 0 || note->extra >= SYSCALL_ARGUMENTS || note->extra != v->known)
        return;
    for (unsigned i = 0; i < 4 && v->known < SYSCALL_ARGUMENTS; i++)
        v->argument[v->known++] = values[i];
}

/* A long text has several notes, one behind the other. */
static void
take_text(struct syscall_values *v, const struct trace_event *note)
{
    static_assert(offsetof(struct trace_event, value) + 8 - offsetof(struct trace_event, icount) ==
                      TRACE_TEXT_SIZE,
                  "a text lies in four fields");
    if (note->extra >= SYSCALL_ARGUMENTS || note->size > TRACE_TEXT_SIZE ||
        v->text[note->extra].size + note->size > SYSCALL_TEXT)
        return;
    memcpy(v->text[note->extra].bytes + v->text[note->extra].size,
           (const char *)note + offsetof(struct trace_event, icount), note->size);
    v->text[note->extra].size = (uint8_t)(v->text[note->extra].size + note->size);
    v->text[note->extra].there = true;
    v->text[note->extra].cut = note->flags & TRACE_CUT;
}

void
describe_call_values(struct syscall_values *v, const struct trace *t,
                     const struct trace_event *event)
{
    *v = (struct syscall_values){.number = event->address,
                                 .argument = {event->value},
                                 .known = 1,
                                 .foreign = event->flags & TRACE_FOREIGN};
    if (event < t->events || event >= t->events + t->count)
        return;
    for (const struct trace_event *e = event + 1; e < t->events + t->count; e++) {
        if (e->kind == TRACE_ARGUMENTS)
            take_arguments(v, e);
        else if (e->kind == TRACE_TEXT)
            take_text(v, e);
        else
            break;
    }
}

static void
describe_call(const struct trace *t, const struct trace_event *e, char *text, size_t size)
{
    struct syscall_values values;

    describe_call_values(&values, t, e);
    syscall_format(&values, false, text, size);
}

static void
describe_answer(const struct trace_event *e, char *text, size_t size)
{
    bool foreign = e->flags & TRACE_FOREIGN;
    const char *call = foreign ? "32-bit call" : syscall_name(e->address);
    char result[32];

    snprintf(text, size, "%s = %s", call ? call : "call",
             syscall_result(e->address, foreign, (int64_t)e->value, result, sizeof(result)));
}

bool
describe_is_part(const struct trace_event *e)
{
    return e->kind == TRACE_ARGUMENTS || e->kind == TRACE_TEXT;
}

char *
describe_part(const struct trace_event *e, char *text, size_t size)
{
    if (e->kind == TRACE_TEXT)
        return syscall_quote((const char *)e + offsetof(struct trace_event, icount),
                             e->size < TRACE_TEXT_SIZE ? e->size : TRACE_TEXT_SIZE,
                             e->flags & TRACE_CUT, text, size);
    if (e->extra > 1) /* of six arguments, the last */
        snprintf(text, size, "0x%" PRIx64, e->icount);
    else
        snprintf(text, size, "0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64, e->icount,
                 e->rip, e->address, e->value);
    return text;
}

/* What signals of the processor's say by their code (sigaction(2), si_code). */
static void
describe_fault(const struct trace_event *e, char *text, size_t size)
{
    char name[32];

    snprintf(text, size, "%s at 0x%" PRIx64 "%s", syscall_signal(e->address, name, sizeof(name)),
             e->value,
             e->address != SIGSEGV ? ""
             : e->extra == 1       ? ", not mapped"
             : e->extra == 2       ? ", not permitted"
                                   : "");
}

static void
describe_signal(const struct trace_event *e, char *text, size_t size)
{
    char name[32];

    syscall_signal(e->address, name, sizeof(name));
    if (e->value)
        snprintf(text, size, "%s from process %" PRIu64, name, e->value);
    else
        snprintf(text, size, "%s", name);
}

static void
describe_process_end(const struct trace_event *e, char *text, size_t size)
{
    char name[32];

    if (e->address)
        snprintf(text, size, "killed by %s", syscall_signal(e->address, name, sizeof(name)));
    else
        snprintf(text, size, "status %" PRIu64, e->value);
}

/* The program's path lies in a note, as a call's text does. */
static void
describe_exec(const struct trace *t, const struct trace_event *e, char *text, size_t size)
{
    struct syscall_values values;

    describe_call_values(&values, t, e);
    snprintf(text, size, "%.*s, process %" PRIu64, (int)values.text[0].size, values.text[0].bytes,
             e->address);
    describe_clean(text);
}

char *
describe_operands(const struct trace *t, const struct trace_event *e, describe_name_fn *name_fn,
                  char *text, size_t size)
{
    const char *name = name_fn ? name_fn(e->kind, e->address) : NULL;
    const char *noun = e->kind < TRACE_KIND_COUNT ? kinds[e->kind].noun : NULL;
    enum form form = e->kind < TRACE_KIND_COUNT ? kinds[e->kind].form : FORM_PLAIN;
    char c[8];

    text[0] = 0;
    switch (form) {
    case FORM_PLAIN: describe_plain(e, noun, name, text, size); break;
    case FORM_ACCESS: describe_access(e, noun, name, text, size); break;
    case FORM_VECTOR: describe_vector(e, name, text, size); break;
    case FORM_CPUID:
        snprintf(text, size, "leaf 0x%" PRIx64 ", subleaf 0x%" PRIx64, e->address, e->value);
        break;
    case FORM_IRQ:
        snprintf(text, size, "line %" PRIu64 " %s", e->address, e->value ? "raised" : "lowered");
        break;
    case FORM_INPUT:
        snprintf(text, size, "source %" PRIu64 ": 0x%" PRIx64 "%s", e->address, e->value,
                 letter(e, c));
        break;
    case FORM_SYSCALL:
        snprintf(text, size, "number %" PRIu64 ", argument 0x%" PRIx64, e->address, e->value);
        break;
    case FORM_SYSRET: snprintf(text, size, "result 0x%" PRIx64, e->value); break;
    case FORM_END: describe_end(t, e, text, size); break;
    case FORM_CALL: describe_call(t, e, text, size); break;
    case FORM_ANSWER: describe_answer(e, text, size); break;
    case FORM_FAULT: describe_fault(e, text, size); break;
    case FORM_SIGNAL: describe_signal(e, text, size); break;
    case FORM_FORK:
        snprintf(text, size, "process %" PRIu64 ", vcpu %" PRIu64, e->address, e->value);
        break;
    case FORM_EXEC: describe_exec(t, e, text, size); break;
    case FORM_PROCESS_END: describe_process_end(e, text, size); break;
    case FORM_NOTHING: break;
    case FORM_ENTRY:
        if (e->flags & TRACE_HANDLED)
            snprintf(text, size, "handled by the strategy");
        break;
    }
    return text;
}

char *
describe_transfer(const struct trace *t, const struct trace_event *e, describe_name_fn *name,
                  char *text, size_t size)
{
    bool call = e->kind == TRACE_CALL, answer = e->kind == TRACE_RETURN;
    unsigned part = call ? e->to : e->from;

    if ((call || answer) && part == TRACE_ACTOR_INTERPRETER)
        snprintf(text, size, "%s", call ? "carry out the instruction" : "done");
    else if (call && t->actor[part].domain == TRACE_VMM && part != TRACE_ACTOR_ALLOCATOR)
        snprintf(text, size, "0x%" PRIx64 ", 0x%" PRIx64, e->address, e->value);
    else if (answer && t->actor[part].domain == TRACE_VMM && part != TRACE_ACTOR_ALLOCATOR)
        snprintf(text, size, "-> 0x%" PRIx64, e->value);
    else
        describe_operands(t, e, name, text, size);
    return text;
}

char *
describe_time(double ns, char *text, size_t size)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    unsigned unit = 0;

    /* 999.5 would be printed as 1000. */
    while (unit < 3 && ns >= (unit ? 999.5 : 1000)) {
        ns /= 1000;
        unit++;
    }
    snprintf(text, size, "%.*f %s",
             unit == 0 || ns >= 99.95 ? 0
             : ns >= 9.995            ? 1
                                      : 2,
             ns, units[unit]);
    return text;
}

char *
describe_count(uint64_t count, char *text, size_t size)
{
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%" PRIu64, count);
    size_t to = 0;

    for (int i = 0; i < n && to + 1 < size; i++) {
        if (i && (n - i) % 3 == 0 && to + 2 < size)
            text[to++] = ',';
        text[to++] = digits[i];
    }
    text[to] = 0;
    return text;
}

/* A zero byte ends the text and is in no character, so nothing behind it is looked at. */
unsigned
describe_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned n = p[0] < 0x80   ? 1
                 : p[0] < 0xc2 ? 0
                 : p[0] < 0xe0 ? 2
                 : p[0] < 0xf0 ? 3
                 : p[0] < 0xf5 ? 4
                               : 0;

    if (n == 1)
        return p[0] >= 0x20 && p[0] != 0x7f;
    if (p[0] == 0xc2 && p[1] < 0xa0)
        return 0; /* U+0080 to U+009F: control characters that terminals obey */
    /* Longer than need be, half of a surrogate pair, beyond U+10FFFF: RFC 3629, section 4. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    for (unsigned i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

char *
describe_clean(char *text)
{
    for (char *p = text; *p;) {
        unsigned n = describe_utf8(p);
        if (n == 0)
            *p = '?';
        p += n ? n : 1;
    }
    return text;
}
