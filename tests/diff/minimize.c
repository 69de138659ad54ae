/*
 * minimize.c - reduces a case that differs to the instruction at fault.
 *
 * First the shortest prefix that still differs; then its last instruction alone, started from the
 * state that the processor had reached before it. If that differs too, it is the whole story.
 */
#include "tests/diff/diff.h"

#include <stdio.h>
#include <string.h>

struct trial {
    struct diff_host *host;
    struct diff_machine *machine;
    const uint8_t *data; /* before the case */
    struct diff_end on_host, on_machine;
    uint32_t undefined;
};

/* Runs one case on both sides; what differs, or NULL. */
static const char *
try_case(struct trial *t, const struct diff_case *c)
{
    struct diff_arena *arena = t->host->arena;

    memcpy(t->host->data, t->data, DIFF_DATA_SIZE);
    memcpy(t->machine->data, t->data, DIFF_DATA_SIZE);
    arena->cases[0] = *c;
    arena->count = 1;
    host_start(t->host);
    machine_run(t->machine, c, &t->on_machine, NULL, NULL);
    host_wait(t->host);
    t->on_host = arena->ends[0];
    t->undefined = t->machine->undefined;
    return compare_ends(t->host, c, &t->on_host, &t->on_machine, t->undefined);
}

static struct diff_case
prefix_of(const struct diff_case *c, unsigned n)
{
    struct diff_case cut = *c;

    cut.ninsns = (uint8_t)n;
    cut.length = n ? (uint8_t)(c->insn[n - 1].at + c->insn[n - 1].length) : 0;
    return cut;
}

/* The nth instruction alone, from the state that the processor reached before it. */
static struct diff_case
last_of(const struct diff_case *c, unsigned n, const struct diff_end *before)
{
    struct diff_case one = *c;
    const struct diff_insn *insn = &c->insn[n];

    memmove(one.code, c->code + insn->at, insn->length);
    one.insn[0] = (struct diff_insn){0, insn->length, insn->row};
    one.ninsns = 1;
    one.length = insn->length;
    one.start = (uint16_t)(c->start + insn->at);
    one.in = before->regs;
    one.in.rip = diff_code_base(c) + one.start;
    return one;
}

void
minimize_case(struct diff_host *h, struct diff_machine *m, const struct diff_case *c,
              const uint8_t *data)
{
    struct trial t = {.host = h, .machine = m, .data = data};
    uint8_t before[DIFF_DATA_SIZE];
    struct diff_end state = {.regs = c->in};
    struct diff_case cut;
    const char *what = NULL;
    unsigned n;

    memcpy(before, data, sizeof(before));
    for (n = 1; n <= c->ninsns; n++) {
        cut = prefix_of(c, n);
        what = try_case(&t, &cut);
        if (what)
            break;
        state = t.on_host;
        memcpy(before, h->data, sizeof(before));
    }
    if (!what) {
        printf("  it does not differ when it runs alone: the state of an earlier case matters\n");
        return;
    }
    struct diff_case one = last_of(c, n - 1, &state);
    t.data = before;
    const char *alone = try_case(&t, &one);
    if (alone) {
        printf("  differs in %s, reduced to one instruction:\n", alone);
        cut = one;
    } else {
        printf("  differs in %s, reduced to %u instructions:\n", what, n);
        t.data = data;
        try_case(&t, &cut);
    }
    report_case(&cut, &t.on_host, &t.on_machine, t.undefined);
    if (t.on_host.memory != t.on_machine.memory)
        for (unsigned i = 0; i < DIFF_RW_SIZE; i++)
            if (h->data[i] != m->data[i]) {
                printf("  memory differs first at %x: processor %02x, interpreter %02x\n",
                       DIFF_DATA + i, h->data[i], m->data[i]);
                break;
            }
}
