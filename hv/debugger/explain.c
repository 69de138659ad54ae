/*
 * explain.c - `explain`: what this exit was, why it left the guest, what the VMM does, what the guest
 * sees of it, and which page of which manual to read.
 *
 * What and where come from the exit and from hv's own tables; the reasons are the strategies'.
 *
 * Called by commands_explain.c. Next: explain_hardware.c, explain_trap.c, explain_paravirt.c,
 * explain_end.c.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debugger/explain.h"
#include "debugger/paint.h"
#include "loader/symbols.h"
#include "tracer/describe.h"

void
explain_say(const struct subject *s, const char *label, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    paint_paragraph(s->debugger, label, describe_clean(text));
}

char *
explain_cause(const struct subject *s, char *text, size_t size)
{
    if (subject_strategy_is(s, "trap"))
        return explain_trap_cause(s, text, size);
    if (subject_strategy_is(s, "paravirt"))
        return explain_paravirt_cause(s, text, size);
    text[0] = 0;
    return text;
}

static void
title(const struct subject *s)
{
    const struct debugger *d = s->debugger;
    const char *when = s->machine->ended && s->here && s->edge != EDGE_OUT ? "It was the last one."
                       : s->edge == EDGE_OUT ? "It has happened, nobody has dealt with it yet."
                       : s->edge == EDGE_IN  ? "It is dealt with, the guest is about to go on."
                                             : "In the past: what the recording knows of it.";

    fprintf(d->out, "%sexit %" PRIu64 ": %s%s, on engine %s under strategy %s\n",
            paint_on(d, PAINT_TITLE), s->number, trace_kinds[s->exit.kind].name, paint_off(d),
            s->machine->engine, s->machine->strategy);
    paint_paragraph(d, "When", when);
}

/* What happened: the kind's sentence, the operands, where. */
static void
say_what(const struct subject *s)
{
    char operands[DECODE_SIZE], place[DECODE_SIZE], insn[DECODE_SIZE];

    explain_say(s, "What", "%s", trace_kinds[s->exit.kind].text);
    if (*decode_exit(s, operands, sizeof(operands)))
        explain_say(s, "", "%s", operands);
    symbols_format(s->machine->symbols, s->exit.rip, place, sizeof(place));
    machine_instruction(s->machine, s->exit.rip, insn, sizeof(insn));
    explain_say(s, "", "The %s was at %s%s%s%s", subject_guest(s), place, *insn ? ": " : "", insn,
                s->edge == EDGE_IN && *insn ? " (before it was dealt with)" : "");
}

void
explain_exit(const struct subject *s)
{
    title(s);
    say_what(s);
    if (explain_process(s) || explain_end(s))
        return;
    if (subject_strategy_is(s, "trap"))
        explain_trap(s);
    else if (subject_strategy_is(s, "paravirt"))
        explain_paravirt(s);
    else
        explain_hardware(s);
}
