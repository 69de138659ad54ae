/*
 * diff_table.c - two recordings side by side, as a table; see diff.h.
 */
#include <inttypes.h>

#include "tracer/describe.h"
#include "tracer/diff.h"

#define ROWS 60 /* of each class */

static void
put_mean(FILE *out, const struct diff_side *side)
{
    char text[32];

    fprintf(out, " %9s", side->timed ? describe_time(diff_mean(side), text, sizeof(text)) : "-");
}

/* "!" at the left of what has changed, "+" new, "-" gone: the table is read without colours. */
static void
put_row(FILE *out, const struct diff *d, const struct diff_edge *e)
{
    static const char marks[DIFF_CHANGES] = {' ', '!', '+', '-'};
    const struct diff_side *a = &e->side[DIFF_A], *b = &e->side[DIFF_B];
    char ends[80], text[32];

    snprintf(ends, sizeof(ends), "%s -> %s", d->actor[e->from].name, d->actor[e->to].name);
    fprintf(out, "%c %-14s %-28s %12s", marks[diff_change_of(d, e)], d->kind[e->kind]->name, ends,
            describe_count(diff_count(a), text, sizeof(text)));
    fprintf(out, " %12s", describe_count(diff_count(b), text, sizeof(text)));
    fprintf(out, " %8s",
            diff_text((double)diff_count(a), (double)diff_count(b), text, sizeof(text)));
    if (d->times) {
        put_mean(out, a);
        put_mean(out, b);
        fprintf(out, " %8s",
                a->timed && b->timed ? diff_text(diff_mean(a), diff_mean(b), text, sizeof(text))
                                     : "-");
    }
    fputc('\n', out);
}

static void
put_class(FILE *out, const struct diff *d, enum trace_class class, const char *title)
{
    uint32_t rows = 0, more = 0;
    uint64_t events[2] = {0, 0};
    char a[32], b[32];

    for (uint32_t i = 0; i < d->edges; i++) {
        const struct diff_edge *e = &d->edge[i];
        if (d->kind[e->kind]->class != class)
            continue;
        if (rows == 0)
            fprintf(out, "\n  %-14s %-28s %12s %12s %8s%s\n", title, "from -> to", "A", "B",
                    "change", d->times ? "    mean A    mean B   change" : "");
        if (rows++ < ROWS) {
            put_row(out, d, e);
            continue;
        }
        more++;
        events[0] += diff_count(&e->side[DIFF_A]);
        events[1] += diff_count(&e->side[DIFF_B]);
    }
    if (more)
        fprintf(out, "  and %" PRIu32 " more, %s events in A and %s in B\n", more,
                describe_count(events[0], a, sizeof(a)), describe_count(events[1], b, sizeof(b)));
}

static void
put_sum(FILE *out, const char *what, const uint64_t ns[2])
{
    char text[32];

    fprintf(out, "  %-14s %-28s %12s", what, "", describe_time((double)ns[0], text, sizeof(text)));
    fprintf(out, " %12s", describe_time((double)ns[1], text, sizeof(text)));
    fprintf(out, " %8s\n", diff_text((double)ns[0], (double)ns[1], text, sizeof(text)));
}

static void
put_sums(FILE *out, const struct diff *d)
{
    char text[32];

    fprintf(out, "\n  %-14s %-28s %12s %12s %8s\n", "altogether", "", "A", "B", "change");
    fprintf(out, "  %-14s %-28s %12s", "exits", "",
            describe_count(d->exits[0], text, sizeof(text)));
    fprintf(out, " %12s", describe_count(d->exits[1], text, sizeof(text)));
    fprintf(out, " %8s\n", diff_text((double)d->exits[0], (double)d->exits[1], text, sizeof(text)));
    if (!d->times)
        return;
    put_sum(out, "guest ran", d->guest_ns);
    if (d->host_ns[0] || d->host_ns[1])
        put_sum(out, "host kernel", d->host_ns);
    put_sum(out, "VMM worked", d->vmm_ns);
    put_sum(out, "hlt waited", d->waiting_ns);
    put_sum(out, "all", d->total_ns);
}

void
diff_table(const struct diff *d, FILE *out)
{
    static const char *const titles[] = {
        [TRACE_CLASS_EXIT] = "exits",       [TRACE_CLASS_ENTRY] = "entries",
        [TRACE_CLASS_CALL] = "calls",       [TRACE_CLASS_GUEST] = "in the guest",
        [TRACE_CLASS_NOTE] = "from device",
    };
    char text[400];

    for (unsigned side = 0; side < 2; side++)
        fprintf(out, "%c  %s: %s\n", 'A' + (int)side, d->name[side],
                diff_about(d, side, text, sizeof(text)));
    for (unsigned class = TRACE_CLASS_EXIT; class <= TRACE_CLASS_NOTE; class ++)
        put_class(out, d, class, titles[class]);
    put_sums(out, d);
    fprintf(out, "\n+ only in B, - only in A, ! another count%s. Calls count with their answers.\n",
            d->times ? ", or a mean cost twice as high or low" : "");
    if (diff_inside_text(d))
        fprintf(out, "%s\n", diff_inside_text(d));
}
