/*
 * compare_sum.c - from several rounds to one result.
 *
 * Times are given as the middle one of the rounds, with the least and the greatest beside it: one
 * round that the host disturbed moves the greatest and nothing else. Next: compare_table.c.
 */
#include <stdlib.h>

#include "cli/compare.h"

static int
compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

struct compare_spread
compare_spread(uint64_t *values, unsigned count)
{
    if (!count)
        return (struct compare_spread){0};
    qsort(values, count, sizeof(*values), compare_numbers);
    return (struct compare_spread){values[count / 2], values[0], values[count - 1]};
}

static uint64_t
vmm_ns(const struct compare_sample *s)
{
    uint64_t rest = s->guest_ns + s->waiting_ns;

    return s->total_ns > rest ? s->total_ns - rest : 0;
}

void
compare_sum(struct compare_column *c)
{
    uint64_t total[COMPARE_ROUNDS], guest[COMPARE_ROUNDS], vmm[COMPARE_ROUNDS];
    uint64_t start[COMPARE_ROUNDS], memory[COMPARE_ROUNDS], cpu[COMPARE_ROUNDS];

    c->first = c->round[0];
    c->steady = c->alike = true;
    for (unsigned i = 0; i < c->rounds; i++) {
        const struct compare_sample *s = &c->round[i];
        total[i] = s->total_ns;
        cpu[i] = s->cpu_ns;
        guest[i] = s->guest_ns;
        vmm[i] = vmm_ns(s);
        start[i] = s->start_ns;
        memory[i] = s->memory;
        c->steady &= s->exits == c->first.exits && s->instructions == c->first.instructions;
        c->alike &= s->hash == c->first.hash;
    }
    c->total = compare_spread(total, c->rounds);
    c->cpu = compare_spread(cpu, c->rounds);
    c->guest = compare_spread(guest, c->rounds);
    c->vmm = compare_spread(vmm, c->rounds);
    c->start_ns = compare_spread(start, c->rounds);
    c->memory = compare_spread(memory, c->rounds);
}
