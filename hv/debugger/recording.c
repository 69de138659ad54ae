/*
 * recording.c - see recording.h.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "debugger/recording.h"
#include "isa/x86/cpu.h"
#include "isa/x86/insn.h"
#include "strategy/paravirt/paravirt.h"
#include "tracer/card.h"

/* --- names -------------------------------------------------------------------------------------- */

/* view.h's name: what the processor's manual calls the address of an event. */
static const char *
address_name(unsigned kind, uint64_t address)
{
    switch (kind) {
    case TRACE_EXCEPTION:
    case TRACE_GUEST_FAULT:
    case TRACE_INJECT:
    case TRACE_INTERRUPT: return address < 32 ? x86_vector_name((unsigned)address) : NULL;
    case TRACE_MSR: return address <= UINT32_MAX ? x86_msr_name((uint32_t)address) : NULL;
    default: return NULL;
    }
}

/* The same where the strategy is paravirt: hypercalls have names, and vectors from 32 are events. */
static const char *
paravirt_name(unsigned kind, uint64_t address)
{
    if (kind == TRACE_HYPERCALL)
        return address < HC_COUNT ? paravirt_hypercalls[address].name : NULL;
    if (kind == TRACE_INJECT && address == HC_EVENT_TRAP + HC_EVENT_TIMER)
        return "event timer";
    if (kind == TRACE_INJECT && address == HC_EVENT_TRAP + HC_EVENT_CONSOLE)
        return "event console";
    return address_name(kind, address);
}

/* view.h's resolve: a name, or nothing where symbols_format() would repeat the number. */
static void
resolve(void *context, uint64_t rip, char *text, size_t size)
{
    struct symbols *symbols = context;
    uint64_t offset;

    text[0] = 0;
    if (symbols_name(symbols, rip, &offset))
        symbols_format(symbols, rip, text, size);
}

/* view.h's card: the instruction at the exit, as it is in the guest's file. The recording does not
 * say in which mode the processor was; the file's format is the best that is known. Programs of
 * the guest are other files. */
static void
add_instruction(void *context, struct card *card, const struct trace_event *exit)
{
    struct symbols *symbols = context;
    unsigned bits = symbols_bits(symbols);
    char text[96], label[40];
    uint8_t bytes[15];

    if (exit->from != TRACE_ACTOR_GUEST_KERNEL || !bits)
        return;
    size_t n = symbols_bytes(symbols, exit->rip, bytes, sizeof(bytes));
    if (n == 0 || !x86_disassemble(bytes, (unsigned)n, bits, exit->rip, text, sizeof(text)))
        return;
    snprintf(label, sizeof(label), "code at rip (%u bits)", bits);
    card_add_code(card, CARD_WHERE, label, "%s", text);
}

void
recording_view(struct view_options *options, const struct trace *trace, struct symbols *symbols)
{
    options->resolve = resolve;
    options->card = add_instruction;
    options->context = symbols;
    options->name = strcmp(trace->strategy, "paravirt") ? address_name : paravirt_name;
}

/* --- symbols ------------------------------------------------------------------------------------ */

/* Is it the file that the guest was started from? Its build-id tells, if it had one. */
static bool
is_recorded_guest(const struct symbols *symbols, const struct trace *trace)
{
    char build_id[64];

    symbols_build_id(symbols, build_id, sizeof(build_id));
    return !strcmp(build_id, trace->build_id);
}

/* The recording may come from anywhere, and so may the path in it: only a regular file is opened,
 * and one without symbols, or none at all, leaves the addresses without names. So does a guest
 * that was built again since: wrong names are worse than none. */
int
recording_symbols(struct symbols **symbols, const struct trace *trace, const char *path,
                  struct error *err)
{
    struct stat st;

    *symbols = NULL;
    err->message[0] = 0;
    if (path)
        return symbols_open(path, symbols, err);
    if (trace->guest[0] && stat(trace->guest, &st) == 0 && S_ISREG(st.st_mode))
        symbols_open(trace->guest, symbols, NULL);
    if (*symbols && !is_recorded_guest(*symbols, trace)) {
        error_set(err, ESTALE,
                  "'%s' is another build than the recorded one: addresses stay without names "
                  "(--symbols FILE takes them from FILE)",
                  trace->guest);
        symbols_close(*symbols);
        *symbols = NULL;
    }
    return 0;
}
