/*
 * commands_catch.c - catchpoints: `catch exit io port 0x3f8`, `catch entry`, `catch inject 32`.
 *
 * Called through the table of commands_stops.c. Next: stops.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/catch.h"
#include "debugger/settings.h"
#include "isa/x86/cpu.h"
#include "tracer/syscall.h"
#include "strategy/paravirt/paravirt.h"

/* Words that may stand before an operand; they say to which kinds of exits it belongs. */
#define KIND(k) (UINT64_C(1) << TRACE_##k)
static const struct {
    const char *name;
    uint64_t kinds;
} operands[] = {
    {"port", KIND(IO)},
    {"gpa", KIND(MMIO)},
    {"msr", KIND(MSR)},
    {"vector", KIND(EXCEPTION)},
    {"leaf", KIND(CPUID)},
    {"number", KIND(HYPERCALL) | KIND(HOST_CALL) | KIND(DENIED) | KIND(SIGNAL) | KIND(HOST_FAULT)},
    {"register", KIND(CR) | KIND(DR)},
    {"address", KIND(INVLPG)},
};
#define WITH_OPERAND                                                                               \
    (KIND(IO) | KIND(MMIO) | KIND(MSR) | KIND(EXCEPTION) | KIND(CPUID) | KIND(HYPERCALL) |         \
     KIND(CR) | KIND(DR) | KIND(INVLPG) | KIND(HOST_CALL) | KIND(DENIED) | KIND(SIGNAL) |          \
     KIND(HOST_FAULT))

static uint64_t
all_exits(void)
{
    uint64_t kinds = 0;

    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        if (trace_kinds[k].class == TRACE_CLASS_EXIT)
            kinds |= UINT64_C(1) << k;
    return kinds;
}

/* Is `typed` the manual's name, up to its first blank and without `prefix`, or with it? */
static bool
is_name(const char *name, const char *prefix, const char *typed)
{
    size_t n = name ? strcspn(name, " ") : 0, skip = strlen(prefix);

    if (!n)
        return false;
    if (strlen(typed) == n && !strncasecmp(typed, name, n))
        return true;
    return n > skip && !strncmp(name, prefix, skip) && strlen(typed) == n - skip &&
           !strncasecmp(typed, name + skip, n - skip);
}

/* The number of a name in the manual: "#PF" or "PF", "IA32_EFER" or "EFER". False: none. */
static bool
operand_by_name(uint64_t kinds, const char *text, uint64_t *operand)
{
    static const uint32_t first[] = {0, 0xc0000000, 0xc0010000, 0x4b564d00};
    char name[32];

    for (unsigned v = 0; kinds == KIND(EXCEPTION) && v < 32; v++)
        if (is_name(x86_vector_name(v), "#", text)) {
            *operand = v;
            return true;
        }
    for (unsigned n = 0; kinds == KIND(HYPERCALL) && n < HC_COUNT; n++)
        if (paravirt_hypercalls[n].name && is_name(paravirt_hypercalls[n].name, "", text)) {
            *operand = n;
            return true;
        }
    if (!(kinds & ~(KIND(HOST_CALL) | KIND(DENIED)))) {
        int call = syscall_number(text, strlen(text));
        *operand = (uint64_t)call;
        return call >= 0;
    }
    for (unsigned s = 1; !(kinds & ~(KIND(SIGNAL) | KIND(HOST_FAULT))) && s < 65; s++)
        if (is_name(syscall_signal(s, name, sizeof(name)), "SIG", text)) {
            *operand = s;
            return true;
        }
    for (unsigned i = 0; kinds == KIND(MSR) && i < ARRAY_SIZE(first); i++)
        for (uint32_t m = first[i]; m < first[i] + 0x1000; m++)
            if (is_name(x86_msr_name(m), "IA32_", text)) {
                *operand = m;
                return true;
            }
    return false;
}

/* The operand in what is left of the line, for exits of these kinds. */
static int
parse_operand(struct debugger *debugger, struct stop_entry *entry, const char *text,
              struct error *err)
{
    struct value value;
    int rc;

    for (unsigned i = 0; i < ARRAY_SIZE(operands); i++) {
        size_t n = strlen(operands[i].name);
        if (strncmp(text, operands[i].name, n) || (text[n] && !strchr(" \t", text[n])))
            continue;
        if (!(entry->kinds & operands[i].kinds))
            return error_set(err, EINVAL, "%s has no %s",
                             entry->type == CATCH_INJECT ? "an interrupt" : "such an exit",
                             operands[i].name);
        entry->kinds &= operands[i].kinds;
        text += n + strspn(text + n, " \t");
        break;
    }
    if (!*text)
        return error_set(err, EINVAL, "a number is missing at the end");
    entry->operand_given = true;
    if (operand_by_name(entry->kinds, text, &entry->operand))
        return 0;
    if ((rc = expr_evaluate_all(debugger, text, &value, err)))
        return rc;
    if (entry->type == CATCH_INJECT && value.bits > 255)
        return error_set(err, EINVAL, "a vector is a number from 0 to 255");
    entry->operand = value.bits;
    return 0;
}

/* "[REASON]... [PORT]" into the entry. */
static int
parse_catch(struct debugger *debugger, struct stop_entry *entry, const char *text,
            struct error *err)
{
    uint64_t kinds = 0;

    while (*text && entry->type != CATCH_INJECT) {
        size_t n = strcspn(text, " \t,");
        unsigned kind = parse_kind(text, n);
        /* "syscall exit": some calls have the name of a reason. */
        if (kinds && !(kinds & ~(KIND(HOST_CALL) | KIND(DENIED))) && syscall_number(text, n) >= 0)
            break;
        if (!kind && n == 3 && !memcmp(text, "any", 3))
            kinds |= all_exits();
        else if (kind && !(kind == TRACE_MSR && kinds))
            kinds |= UINT64_C(1) << kind;
        else
            break;
        text += n + strspn(text + n, " \t,");
    }
    entry->kinds = kinds ? kinds : entry->type == CATCH_INJECT ? KIND(EXCEPTION) : all_exits();
    if (!*text)
        return 0;
    if (entry->type != CATCH_INJECT && !(entry->kinds & WITH_OPERAND))
        return error_set(err, EINVAL, "such an exit has no operand '%.32s'", text);
    if (!kinds && entry->type != CATCH_INJECT) {
        /* Neither a reason nor one of the words above: most likely a mistyped reason. */
        bool known = false;
        for (unsigned i = 0; i < ARRAY_SIZE(operands); i++)
            known |= !strncmp(text, operands[i].name, strlen(operands[i].name));
        if (!known)
            return error_set(err, EINVAL,
                             "there is no reason '%.*s' for an exit; 'hv run --list-exits' shows "
                             "them",
                             (int)(strcspn(text, " \t,") > 32 ? 32 : strcspn(text, " \t,")), text);
    }
    return parse_operand(debugger, entry, text, err);
}

/* Where the guest's kernel runs at CPL 3 an instruction that needs privilege is a #GP, whatever it is,
 * and a kernel built for a VMM has none: who waits for `io` there waits for ever. */
static void
warn_of_never(const struct debugger *debugger, const struct stop_entry *entry)
{
    const uint64_t privileged = KIND(IO) | KIND(HLT) | KIND(MSR) | KIND(CR) | KIND(DR) |
                                KIND(INVLPG) | KIND(DTABLE);
    const char *strategy = debugger->machine->strategy;

    if (entry->type == CATCH_INJECT || entry->kinds & ~privileged)
        return;
    if (strategy && !strcmp(strategy, "trap"))
        fprintf(debugger->out, "  under strategy trap such an instruction leaves the guest as "
                               "exception GP\n");
    if (strategy && !strcmp(strategy, "paravirt"))
        fprintf(debugger->out, "  under strategy paravirt the kernel asks instead: "
                               "'catch exit hypercall'\n");
}

static int
add_catch(struct debugger *debugger, const char *arguments, enum stop_type type, bool once,
          struct error *err)
{
    static const char *const names[] = {"exit", "entry", "inject"};
    char what[96], *text = strdup(arguments);
    char *condition = text ? stops_split_condition(text) : NULL;
    struct stop_entry *entry;
    int rc;

    if (!text)
        return error_set(err, ENOMEM, "no memory for a stop");
    snprintf(what, sizeof(what), "%s%s%.64s", names[type - CATCH_EXIT], *text ? " " : "", text);
    if (!(entry = stops_add(debugger->stops, type, what, err))) {
        free(text);
        return -ENOSPC;
    }
    entry->once = once;
    if ((rc = parse_catch(debugger, entry, text, err))) {
        stops_delete(debugger->stops, entry);
        debugger->stops->last--;
    } else {
        rc = stops_finish(debugger, entry, condition, err);
        if (!rc)
            warn_of_never(debugger, entry);
    }
    free(text);
    return rc;
}

static int
run_catch_exit(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_catch(debugger, arguments, CATCH_EXIT, false, err);
}

static int
run_catch_entry(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_catch(debugger, arguments, CATCH_ENTRY, false, err);
}

static int
run_catch_inject(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_catch(debugger, arguments, CATCH_INJECT, false, err);
}

static int
run_tcatch_exit(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_catch(debugger, arguments, CATCH_EXIT, true, err);
}

static int
run_tcatch_entry(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_catch(debugger, arguments, CATCH_ENTRY, true, err);
}

static int
run_tcatch_inject(struct debugger *debugger, const char *arguments, struct error *err)
{
    return add_catch(debugger, arguments, CATCH_INJECT, true, err);
}

#define EXIT_TEXT                                                                                  \
    "REASON is io, mmio, hlt, hypercall, msr, cpuid, exception, cr ... ('hv run\n"                 \
    "--list-exits'), several of them, or any. A number behind it chooses by port,\n"               \
    "guest-physical address, MSR, vector, leaf or hypercall; the words port, gpa,\n"               \
    "msr, vector, leaf, number, register, address may stand before it. Exceptions, MSRs\n"         \
    "and hypercalls have names, too: exception PF, msr EFER, hypercall set-root; so have\n"        \
    "system calls and signals of a process: syscall openat, fault SEGV."

/* clang-format off */
const struct debug_command commands_catch[] = {
    {"exit", NULL, "stops", "[REASON]... [[port|gpa|msr|vector|...] N] [if EXPRESSION]",
     "Stop when the guest has exited, before the VMM deals with it", EXIT_TEXT,
     "catch exit io port 0x3f8", COMPLETE_REASON, 0, NULL, run_catch_exit},
    {"entry", NULL, "stops", "[REASON]... [[port|gpa|msr|vector|...] N] [if EXPRESSION]",
     "Stop when an exit was dealt with and the guest is about to go on", EXIT_TEXT,
     "catch entry msr EFER", COMPLETE_REASON, 0, NULL, run_catch_entry},
    {"inject", NULL, "stops", "[VECTOR] [if EXPRESSION]",
     "Stop when an interrupt is about to be handed to the guest", NULL,
     "catch inject 32", COMPLETE_EXPRESSION, 0, NULL, run_catch_inject},
    {0},
};
const struct debug_command commands_tcatch[] = {
    {"exit", NULL, "stops", "[REASON]... [N] [if EXPRESSION]", "As 'catch exit', once", NULL,
     "tcatch exit hypercall set-root", COMPLETE_REASON, 0, NULL, run_tcatch_exit},
    {"entry", NULL, "stops", "[REASON]... [N] [if EXPRESSION]", "As 'catch entry', once", NULL,
     "tcatch entry io", COMPLETE_REASON, 0, NULL, run_tcatch_entry},
    {"inject", NULL, "stops", "[VECTOR] [if EXPRESSION]", "As 'catch inject', once", NULL,
     "tcatch inject", COMPLETE_EXPRESSION, 0, NULL, run_tcatch_inject},
    {0},
};
/* clang-format on */
