/*
 * cmd_audit.c - `hv audit`: which sensitive instructions trap here, and which do not.
 *
 * Each probe of audit.def runs once with a processor of its own (the reference), at CPL 3 without a
 * strategy, and under every strategy that the engine can carry; what is printed follows from the
 * results alone. Called by main.c through command_audit. Next: audit.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "strategy/strategy.h"

#define STRATEGIES_MAX 8
#define CELL           48
#define CELL_PAIR      (2 * CELL + 4)

/* What one probe did, everywhere. Index of a pair: without and with UMIP. */
struct row {
    struct audit_result reference, bare[2], under[STRATEGIES_MAX][2];
};

struct audit {
    const struct engine_ops *engine; /* NULL: the host */
    const struct strategy_ops *strategy[STRATEGIES_MAX];
    unsigned strategies;
    unsigned first, last; /* of the pairs: 0..1, or one of them */
    struct row *row;      /* audit_probe_count */
    bool values;
};

/* --- executing -------------------------------------------------------------------------------- */

static int
run_row(struct audit *a, unsigned n, struct error *err)
{
    const struct audit_probe *probe = &audit_probes[n];
    /* The host's processor cannot be had at CPL 0: soft tells what it would do there. */
    const struct engine_ops *reference = a->engine ? a->engine : engine_find("soft");
    struct row *row = &a->row[n];
    int rc = audit_run_guest(reference, strategy_find("hardware"), probe, false, &row->reference,
                             err);

    for (unsigned u = a->first; !rc && u <= a->last; u++) {
        rc = a->engine ? audit_run_guest(a->engine, NULL, probe, u, &row->bare[u], err)
                       : audit_run_host(probe, &row->bare[u], err);
        for (unsigned s = 0; !rc && s < a->strategies; s++)
            rc = audit_run_guest(a->engine, a->strategy[s], probe, u, &row->under[s][u], err);
    }
    return rc ? error_prefix(err, rc, "%s", probe->name) : 0;
}

/* --- text ------------------------------------------------------------------------------------- */

/* "#GP" of "#GP general protection". */
static void
put_vector(char *text, size_t size, unsigned vector)
{
    const char *name = x86_vector_name(vector);

    if (name)
        snprintf(text, size, "%.*s", (int)strcspn(name, " "), name);
    else
        snprintf(text, size, "vector %u", vector);
}

static void
describe_bare(const struct audit_probe *probe, const struct row *row, unsigned u, char cell[CELL])
{
    const struct audit_result *result = &row->bare[u];
    enum audit_verdict verdict = audit_judge(probe, &row->reference, result);
    char vector[16];

    put_vector(vector, sizeof(vector), result->vector);
    if (verdict == AUDIT_TRAPS)
        snprintf(cell, CELL, "traps (%s%s)", vector, result->elsewhere ? ", elsewhere" : "");
    else if (verdict == AUDIT_EMULATED)
        snprintf(cell, CELL, "emulated by the host (UMIP)");
    else
        snprintf(cell, CELL, "%s", audit_verdict_names[verdict]);
}

static void
describe_under(const struct audit_probe *probe, const struct row *row, unsigned s, unsigned u,
               char cell[CELL])
{
    const struct audit_result *result = &row->under[s][u];
    const char *what = audit_right(probe, &row->reference, result) ? "right" : "wrong";

    if (result->end == AUDIT_BROKE)
        what = "ends the guest";
    else if (result->no_flag)
        what = "no effect";
    if (result->exits)
        snprintf(cell, CELL, "%s, %" PRIu64 " exit%s", what, result->exits,
                 result->exits == 1 ? "" : "s");
    else
        snprintf(cell, CELL, "%s", what);
}

/* A strategy's cell: one text, or "without / with UMIP" where they differ. */
static void
describe_strategy(const struct audit *a, unsigned n, unsigned s, char cell[CELL_PAIR])
{
    char text[2][CELL];

    for (unsigned u = a->first; u <= a->last; u++)
        describe_under(&audit_probes[n], &a->row[n], s, u, text[u]);
    if (a->first == a->last || !strcmp(text[0], text[1]))
        snprintf(cell, CELL_PAIR, "%s", text[a->last]);
    else
        snprintf(cell, CELL_PAIR, "%s / %s", text[0], text[1]);
}

static void
print_words(const char *who, const struct audit_probe *probe, const struct audit_result *result)
{
    unsigned last = AUDIT_WORDS;
    char vector[16];

    printf("        %-22s", who);
    while (last && !result->word[last - 1])
        last--;
    if (result->end == AUDIT_FAULTED || result->end == AUDIT_TRAPPED) {
        put_vector(vector, sizeof(vector), result->vector);
        printf(" %s", vector);
    } else if (result->end == AUDIT_BROKE) {
        printf(" %s", result->message.message);
    } else {
        for (unsigned i = 0; i < (last ? last : 1); i++)
            printf(" %" PRIx64, result->word[i]);
    }
    printf(probe->interrupts ? " IF %d\n" : "\n", result->interrupts);
}

static void
print_values(const struct audit *a, unsigned n)
{
    static const char *const with[] = {"", ", UMIP"};
    const struct audit_probe *probe = &audit_probes[n];
    char who[64];

    print_words("on its own", probe, &a->row[n].reference);
    for (unsigned u = a->first; u <= a->last; u++) {
        snprintf(who, sizeof(who), "at CPL 3%s", with[u]);
        print_words(who, probe, &a->row[n].bare[u]);
    }
    for (unsigned s = 0; s < a->strategies; s++)
        for (unsigned u = a->first; u <= a->last; u++) {
            snprintf(who, sizeof(who), "%s%s", a->strategy[s]->name, with[u]);
            print_words(who, probe, &a->row[n].under[s][u]);
        }
}

/* Two tables, each within a hundred columns: without a VMM's help, and under the strategies. */
static void
print_row(const struct audit *a, unsigned n)
{
    const struct audit_probe *probe = &audit_probes[n];
    char cell[CELL_PAIR];

    printf("%-8s %-43s", probe->name, probe->form);
    for (unsigned u = a->first; u <= a->last; u++) {
        describe_bare(probe, &a->row[n], u, cell);
        printf(u < a->last ? " %-15s" : " %s", cell);
    }
    putchar('\n');
    if (a->values)
        print_values(a, n);
}

static void
print_under(const struct audit *a, unsigned n)
{
    char cell[CELL_PAIR];

    printf("%-8s", audit_probes[n].name);
    for (unsigned s = 0; s < a->strategies; s++) {
        describe_strategy(a, n, s, cell);
        printf(s + 1 < a->strategies ? " %-24s" : " %s", cell);
    }
    putchar('\n');
}

static void
print_heading(const struct audit *a)
{
    static const char *const columns[] = {"CPL 3", "CPL 3, UMIP"};

    printf("%-8s %-43s", "", "what is executed");
    for (unsigned u = a->first; u <= a->last; u++)
        printf(u < a->last ? " %-15s" : " %s", a->engine ? columns[u] : "a process of this host");
    putchar('\n');
}

static void
print_heading_under(const struct audit *a)
{
    printf("\nThe same under each strategy: is it right, and how many exits does it take?%s\n%-8s",
           a->first < a->last ? "\nTwo answers: without UMIP / with UMIP." : "", "");
    for (unsigned s = 0; s < a->strategies; s++)
        printf(s + 1 < a->strategies ? " %-24s" : " %s", a->strategy[s]->name);
    putchar('\n');
}

static void
print_table(const struct audit *a, void (*print)(const struct audit *, unsigned))
{
    for (unsigned n = 0; n < audit_probe_count; n++) {
        if (audit_probes[n].sense == AUDIT_NONE && audit_probes[n - 1].sense != AUDIT_NONE)
            puts("for comparison, privileged instructions:");
        print(a, n);
    }
}

/* --- the verdict ------------------------------------------------------------------------------ */

struct count {
    unsigned names, verdict[AUDIT_VERDICTS];
};

static struct count
count_verdicts(const struct audit *a, unsigned u)
{
    struct count count = {0};

    for (unsigned n = 0; n < audit_probe_count; n++)
        if (audit_probes[n].sense != AUDIT_NONE) {
            count.names++;
            count
                .verdict[audit_judge(&audit_probes[n], &a->row[n].reference, &a->row[n].bare[u])]++;
        }
    return count;
}

static void
print_verdict(const struct audit *a, unsigned u)
{
    struct count c = count_verdicts(a, u);
    unsigned holes = c.verdict[AUDIT_WRONG] + c.verdict[AUDIT_LEAKS];

    printf("\n%s: of %u names %u trap, %u leak state, %u are silently wrong",
           !a->engine ? "On this host"
           : u        ? "With UMIP"
                      : "Without UMIP",
           c.names, c.verdict[AUDIT_TRAPS], c.verdict[AUDIT_LEAKS], c.verdict[AUDIT_WRONG]);
    if (c.verdict[AUDIT_EMULATED])
        printf(",\n%u are emulated by the host's kernel", c.verdict[AUDIT_EMULATED]);
    if (c.verdict[AUDIT_SAME])
        printf(",%s%u did here what %s with a processor of %s own",
               c.verdict[AUDIT_EMULATED] ? " " : "\n", c.verdict[AUDIT_SAME],
               c.verdict[AUDIT_SAME] == 1 ? "it does" : "they do",
               c.verdict[AUDIT_SAME] == 1 ? "its" : "their");
    printf(".\nPopek & Goldberg, theorem 1:\n%s\n",
           holes ? "its condition, that every sensitive instruction is privileged, does not hold."
                 : "nothing seen here speaks against its condition, that every sensitive\n"
                   "instruction is privileged.");
}

#define NAMES_A_LINE 12 /* with what stands before them */

/* How many of the list a strategy gets wrong, and which. */
static void
print_strategy(const struct audit *a, unsigned s, unsigned u)
{
    unsigned wrong = 0, names = 0;

    printf("strategy %s%s:", a->strategy[s]->name,
           a->first == a->last ? ""
           : u                 ? " with UMIP"
                               : " without UMIP");
    for (unsigned n = 0; n < audit_probe_count; n++) {
        if (audit_probes[n].sense == AUDIT_NONE)
            continue;
        names++;
        if (audit_right(&audit_probes[n], &a->row[n].reference, &a->row[n].under[s][u]))
            continue;
        if (!wrong++)
            printf(" not right:");
        printf("%s %s", wrong == NAMES_A_LINE ? "\n   " : "", audit_probes[n].name);
    }
    puts(!wrong ? " all are right" : wrong == names ? " (all)" : "");
}

static void
print_text(const struct audit *a)
{
    printf("engine %s\n\n", a->engine ? a->engine->name : "host");
    if (a->engine && a->last == 0)
        puts("CR4.UMIP is clear, as asked or because the processor does not have it.\n");
    print_heading(a);
    print_table(a, print_row);
    if (a->strategies) {
        print_heading_under(a);
        print_table(a, print_under);
    }
    for (unsigned u = a->first; u <= a->last; u++)
        print_verdict(a, u);
    puts("The condition is sufficient, not necessary: that it fails does not mean that this "
         "processor\ncannot be virtualized, only that trap-and-emulate alone cannot do it.\n");
    for (unsigned s = 0; s < a->strategies; s++)
        for (unsigned u = a->first; u <= a->last; u++)
            print_strategy(a, s, u);
    if (!a->engine)
        puts("Strategies need a guest kernel: see them with --engine soft.");
    puts("\nThe names are Robin & Irvine's (2000). The usual text says that they are 17; the list "
         "has 18.");
}

/* --- JSON --------------------------------------------------------------------------------------- */

static void
json_result(const struct audit_result *result)
{
    static const char *const ends[] = {"ended", "faulted", "trapped", "broke"};

    printf("{\"end\": \"%s\", \"vector\": %u, \"interrupts\": %s, \"exits\": %" PRIu64
           ", \"words\": [",
           ends[result->end], result->vector, result->interrupts ? "true" : "false", result->exits);
    for (unsigned i = 0; i < AUDIT_WORDS; i++)
        printf("%s\"0x%" PRIx64 "\"", i ? ", " : "", result->word[i]);
    printf("]}");
}

static void
json_row(const struct audit *a, unsigned n)
{
    static const char *const senses[] = {"shows", "depends", "changes", "privileged"};
    const struct audit_probe *probe = &audit_probes[n];
    const struct row *row = &a->row[n];

    printf("  {\"name\": \"%s\", \"form\": \"%s\", \"sense\": \"%s\",\n   \"reference\": ",
           probe->name, probe->form, senses[probe->sense]);
    json_result(&row->reference);
    printf(",\n   \"runs\": [");
    for (unsigned u = a->first; u <= a->last; u++) {
        printf("%s\n    {\"strategy\": null, \"umip\": %s, \"verdict\": \"%s\", \"result\": ",
               u > a->first ? "," : "", u ? "true" : "false",
               audit_verdict_names[audit_judge(probe, &row->reference, &row->bare[u])]);
        json_result(&row->bare[u]);
        putchar('}');
        for (unsigned s = 0; s < a->strategies; s++) {
            printf(",\n    {\"strategy\": \"%s\", \"umip\": %s, \"right\": %s, \"result\": ",
                   a->strategy[s]->name, u ? "true" : "false",
                   audit_right(probe, &row->reference, &row->under[s][u]) ? "true" : "false");
            json_result(&row->under[s][u]);
            putchar('}');
        }
    }
    printf("]}");
}

static void
print_json(const struct audit *a)
{
    printf("{\"engine\": \"%s\", \"probes\": [\n", a->engine ? a->engine->name : "host");
    for (unsigned n = 0; n < audit_probe_count; n++) {
        json_row(a, n);
        puts(n + 1 < audit_probe_count ? "," : "");
    }
    printf("]}\n");
}

/* --- the command -------------------------------------------------------------------------------- */

/* A processor without UMIP refuses the bit in CR4. */
static int
check_umip(struct audit *a, bool asked, struct error *err)
{
    struct audit_result result;

    if (!a->last || !audit_run_guest(a->engine, strategy_find("hardware"), &audit_probes[0], true,
                                     &result, err))
        return 0;
    if (asked)
        return error_prefix(err, -1, "CR4.UMIP cannot be set here");
    a->last = 0;
    return 0;
}

/* soft by default: the same table everywhere. */
static int
read_options(struct audit *a, const struct args *args, struct error *err)
{
    const char *engine = args_value(args, "engine"), *umip = args_value(args, "umip");

    a->values = args_flag(args, "values");
    a->last = 1;
    if (umip && !strcmp(umip, "on"))
        a->first = 1;
    else if (umip && !strcmp(umip, "off"))
        a->last = 0;
    else if (umip && strcmp(umip, "both"))
        return error_set(err, 1, "option '--umip' takes on, off or both, not '%s'", umip);
    if (engine && !strcmp(engine, "host")) {
        if (umip)
            return error_set(err, 1,
                             "UMIP is the host's to turn on: --umip is for --engine soft or kvm");
        a->first = a->last = audit_host_has_umip();
        return 0;
    }
    a->engine = engine_find(engine ? engine : "soft");
    if (!a->engine)
        return error_set(err, 1, "there is no engine '%s' to audit: soft, kvm and host can be",
                         engine);
    if (a->engine->probe && a->engine->probe(err))
        return error_prefix(err, -1, "engine %s", engine);
    for (unsigned i = 0; strategy_table[i] && a->strategies < STRATEGIES_MAX; i++)
        if (!strategy_check(strategy_table[i], a->engine, NULL))
            a->strategy[a->strategies++] = strategy_table[i];
    return check_umip(a, umip != NULL, err);
}

static int
run_audit(const struct args *args)
{
    struct audit audit = {0};
    struct error err = {""};
    int rc = read_options(&audit, args, &err);

    if (rc)
        return cli_error(STATUS_USER, "%s", err.message);
    audit.row = calloc(audit_probe_count, sizeof(*audit.row));
    if (!audit.row)
        return cli_error(STATUS_OURS, "no memory for the results");
    for (unsigned n = 0; !rc && n < audit_probe_count; n++)
        rc = run_row(&audit, n, &err);
    if (!rc && args_flag(args, "json"))
        print_json(&audit);
    else if (!rc)
        print_text(&audit);
    free(audit.row);
    return rc ? cli_error(STATUS_OURS, "%s", err.message) : STATUS_OK;
}

static const struct option_desc options[] = {
    {"engine", 'e', "ENGINE",
     "What executes them: soft, kvm, or host, a process of this host (soft)."},
    {"umip", 0, "WHICH", "With CR4.UMIP set (on), clear (off), or both (both)."},
    {"values", 'v', NULL, "Print what each instruction gave, too."},
    {"json", 'j', NULL, "Print everything as JSON."},
    {NULL},
};

const struct command command_audit = {
    .name = "audit",
    .words = "",
    .summary = "Execute every sensitive instruction without privilege, and say what happens.",
    .text =
        "The instructions are those that keep x86 from being virtualized by trap-and-emulate\n"
        "(Robin & Irvine 2000). Each is executed at CPL 3 as a guest's kernel would execute it,\n"
        "and what it does is compared with what it does when the kernel has the processor for\n"
        "itself: it traps; it leaks state (shows what belongs to the VMM); it is silently wrong\n"
        "(does something else, and nobody is told); or it does the same. UMIP is the bit of CR4\n"
        "that makes SGDT, SIDT, SLDT, STR and SMSW fault at CPL 3. Then the same under each\n"
        "strategy: is what the guest's kernel sees right, and how many exits did it cost?\n\n"
        "With --engine host a child process of this host executes them on the processor itself.\n"
        "Linux answers the five of UMIP with values that it makes up: emulated by the host.\n",
    .options = {options},
    .run = run_audit,
};
