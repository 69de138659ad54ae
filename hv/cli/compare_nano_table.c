/*
 * compare_nano_table.c - prints what compare_nano.c measured, beside the paper's numbers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/compare_nano.h"
#include "tracer/describe.h"
#include "tracer/json.h"

#define LEFT 10

/* Whole numbers, or the operation is not what we think: then the fraction shows it. A little more or
 * less is what printing a longer number took. */
static void
count_cell(double count, unsigned width)
{
    int64_t whole = (int64_t)(count + (count < 0 ? -0.5 : 0.5));
    double rest = count - (double)whole;
    char text[32];

    if (rest < 0.05 && rest > -0.05)
        snprintf(text, sizeof(text), "%" PRId64, whole);
    else
        snprintf(text, sizeof(text), "%.2f", count);
    printf(" %*s", (int)width, text);
}

static void
headings(const struct nano *nano, unsigned width)
{
    for (unsigned s = 0; s < nano->count; s++)
        printf(" %*s", (int)width, nano->strategies[s]);
}

static void
print_counts(const struct nano *nano)
{
    unsigned width = 11, group = nano->count * (width + 1);

    printf("%-*s %-*s  %-*s\n", LEFT, "", (int)group, " exits an operation", (int)group,
           " guest instructions an operation");
    printf("%-*s", LEFT, "");
    headings(nano, width);
    printf("  ");
    headings(nano, width);
    putchar('\n');
    for (unsigned n = 0; n < NANO_OPERATIONS; n++) {
        printf("%-*s", LEFT, nano_operations[n].name);
        for (unsigned s = 0; s < nano->count; s++)
            count_cell(nano->cost[n][s].exits, width);
        printf("  ");
        for (unsigned s = 0; s < nano->count; s++)
            if (nano->counted)
                count_cell(nano->cost[n][s].instructions, width);
            else
                printf(" %*s", (int)width, "-");
        putchar('\n');
    }
}

static void
time_cell(const struct compare_spread *ps, unsigned width)
{
    char text[3][DESCRIBE_SIZE], cell[4 * DESCRIBE_SIZE];

    snprintf(cell, sizeof(cell), "%s (%s..%s)",
             describe_time((double)ps->middle / 1000, text[0], sizeof(text[0])),
             describe_time((double)ps->least / 1000, text[1], sizeof(text[1])),
             describe_time((double)ps->most / 1000, text[2], sizeof(text[2])));
    printf(" %*s", (int)width, cell);
}

/* "hardware < trap": from the cheapest on. Two that the spread does not tell apart: "~". */
static void
print_order(const struct nano *nano, unsigned n)
{
    const struct nano_cost *cost = nano->cost[n];
    unsigned order[COMPARE_STRATEGIES];

    for (unsigned s = 0; s < nano->count; s++) {
        unsigned at = s;
        for (; at && cost[order[at - 1]].ps.middle > cost[s].ps.middle; at--)
            order[at] = order[at - 1];
        order[at] = s;
    }
    for (unsigned i = 0; i < nano->count; i++) {
        bool apart = i && cost[order[i - 1]].ps.most < cost[order[i]].ps.least;
        printf("%s%s", !i ? "" : apart ? " < " : " ~ ", nano->strategies[order[i]]);
    }
}

static void
print_times(const struct nano *nano)
{
    unsigned width = 34;

    printf("\n%-*s processor time of an operation: the middle of %u rounds (the least..the "
           "greatest)\n%-*s",
           LEFT, "", nano->rounds, LEFT, "");
    headings(nano, width);
    printf("   order\n");
    for (unsigned n = 0; n < NANO_OPERATIONS; n++) {
        printf("%-*s", LEFT, nano_operations[n].name);
        for (unsigned s = 0; s < nano->count; s++)
            time_cell(&nano->cost[n][s].ps, width);
        printf("   ");
        print_order(nano, n);
        putchar('\n');
    }
}

static void
print_paper(void)
{
    printf("\n%-*s Adams & Agesen 2006, cycles (quoted in a secondary copy)\n%-*s %12s %14s %12s   "
           "order\n",
           LEFT, "", LEFT, "", "native", "software VMM", "hardware VMM");
    for (unsigned n = 0; n < NANO_OPERATIONS; n++) {
        const struct nano_operation *op = &nano_operations[n];
        printf("%-*s %12s %14s %12s   %s\n", LEFT, op->name, op->paper[0], op->paper[1],
               op->paper[2], op->cheaper < 0 ? "software < hardware" : "hardware < software");
    }
}

void
nano_print(const struct nano *nano)
{
    printf("minios on engine %s, %" PRIu64 " operations\n\n", nano->job->options.engine,
           nano->operations);
    print_counts(nano);
    if (nano->times)
        print_times(nano);
    print_paper();
}

void
nano_print_json(const struct nano *nano)
{
    printf("{\"engine\": \"%s\", \"operations\": [\n", nano->job->options.engine);
    for (unsigned n = 0; n < NANO_OPERATIONS; n++) {
        const struct nano_operation *op = &nano_operations[n];
        printf("  {\"name\": \"%s\", \"paper\": {\"native\": \"%s\", \"software\": \"%s\", "
               "\"hardware\": \"%s\"}, \"strategies\": {",
               op->name, op->paper[0], op->paper[1], op->paper[2]);
        for (unsigned s = 0; s < nano->count; s++) {
            const struct nano_cost *c = &nano->cost[n][s];
            printf("%s\n    ", s ? "," : "");
            json_text(stdout, nano->strategies[s]);
            printf(": {\"exits\": %.3f, \"instructions\": %.3f, \"ps\": {\"middle\": %" PRIu64
                   ", \"least\": %" PRIu64 ", \"most\": %" PRIu64 "}}",
                   c->exits, c->instructions, c->ps.middle, c->ps.least, c->ps.most);
        }
        printf("}}%s\n", n + 1 < NANO_OPERATIONS ? "," : "");
    }
    puts("]}");
}
