/*
 * subject.c - collecting what is known of one exit: from the machine if it stands there, else from
 * the recording.
 *
 * Called by context.c, commands_explain.c and info_exits.c. Next: decode_exit.c.
 */
#include <errno.h>
#include <string.h>

#include "debugger/explain.h"

int
subject_open(struct subject *s, struct debugger *debugger, uint64_t number, struct error *err)
{
    struct machine *m = debugger->machine;
    struct error ignored;

    memset(s, 0, sizeof(*s));
    s->debugger = debugger;
    s->machine = m;
    s->number = number;
    s->here = number && number == m->now.exits && (m->now.edge != EDGE_NONE || m->ended);
    s->edge = s->here ? m->now.edge : EDGE_NONE;
    /* A machine that stands there knows more than its recording, and opening that takes the longer
     * the more there is in it: not at every step. */
    if (!s->here || !m->vm) {
        int rc = machine_find_exit(m, number, &s->event, &s->entry, err);
        s->has_event = rc == 0;
        if (rc && !s->here)
            return rc;
    }
    if (s->here)
        s->exit = m->exit;
    else
        machine_exit_of_event(&s->exit, &s->event);
    s->has_regs = s->here && m->ops->get_regs(m, &s->regs, &ignored) == 0;
    return 0;
}

bool
subject_strategy_is(const struct subject *s, const char *name)
{
    return s->machine->strategy && !strcmp(s->machine->strategy, name);
}

const char *
subject_guest(const struct subject *s)
{
    return s->exit.user ? "guest user" : "guest kernel";
}

const char *
subject_other(const struct subject *s)
{
    return s->exit.kind == TRACE_HOST_CALL ? "host kernel" : "VMM";
}

char *
machine_instruction(struct machine *m, uint64_t rip, char *text, size_t size)
{
    uint8_t bytes[X86_INSN_MAX];
    unsigned n, code_size = machine_code_size(m);
    struct x86_regs regs;
    uint64_t at = rip;

    text[0] = 0;
    if (m->ops->get_regs(m, &regs, NULL) == 0)
        at = x86_regs_linear(&regs, X86_CS, rip);
    n = machine_fetch(m, SPACE_LINEAR, at, bytes, NULL);
    if (n)
        x86_disassemble(bytes, n, code_size, rip, text, (unsigned)size);
    return text;
}

struct bus_range *
subject_device(const struct subject *s)
{
    struct vm *vm = s->machine->vm;

    if (!vm || (s->exit.kind != TRACE_IO && s->exit.kind != TRACE_MMIO))
        return NULL;
    return bus_find(&vm->bus, s->exit.kind == TRACE_IO ? BUS_PORT : BUS_MMIO,
                    s->exit.access.address);
}
