/*
 * expressions.c - hostile text for the debugger's expressions, locations and formats: none may crash
 * the VMM, run for long, or change the machine without an assignment.
 *
 *   fuzz_expressions [FIRST [COUNT]]: seeds FIRST to FIRST + COUNT - 1 (default 0, 10000)
 *
 * A third of the texts come from a grammar, a third are such with bytes changed, a third are tokens
 * and bytes at random. Each goes through every way in (expr.h, format.h). What the grammar makes must
 * mean the same when all parentheses are written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debugger/format.h"
#include "debugger/values.h"
#include "tests/random.h"
#include "tests/unit/debug_machine.h"

#define TEXT_MAX 1500u
#define SECONDS  60u /* for one seed; it needs microseconds */

static uint64_t state;
static bool cut;           /* a text was longer than TEXT_MAX */
static uint64_t evaluated; /* a fuzzer whose expressions are all refused tests little */

static unsigned
pick(unsigned n)
{
    return (unsigned)random_below(&state, n);
}

/* --- the grammar ---------------------------------------------------------------------------------- */

struct text {
    char bytes[TEXT_MAX + 64];
    size_t length;
};

static void
add(struct text *t, const char *s)
{
    size_t n = strlen(s);

    if (t->length + n < TEXT_MAX) {
        memcpy(t->bytes + t->length, s, n);
        t->length += n;
    } else {
        cut = true;
    }
    t->bytes[t->length] = 0;
}

static const char *const words[] = {
    "0",
    "1",
    "2",
    "63",
    "64",
    "0x1000",
    "0x10ff",
    "18446744073709551615",
    "9223372036854775807",
    "$rax",
    "$eax",
    "$ah",
    "$cs.base",
    "$pc",
    "$sp",
    "$mode",
    "$icount",
    "$exit",
    "$",
    "$$",
    "$1",
    "$_",
    "$v",
    "exit.reason",
    "exit.port",
    "exit.value",
    "exit.write",
    "exit.msr",
    "IO",
    "MSR",
    "'a'",
    "'\\n'",
};
/* With how tightly they bind (C11 6.5.5 to 6.5.14). */
static const struct {
    const char *text;
    unsigned binds;
} binary[] = {{"*", 11}, {"/", 11}, {"%", 11}, {"+", 10}, {"-", 10}, {"<<", 9},
              {">>", 9}, {"<", 8},  {"<=", 8}, {">", 8},  {">=", 8}, {"==", 7},
              {"!=", 7}, {"&", 6},  {"^", 5},  {"|", 4},  {"&&", 3}, {"||", 2}};
static const char *const prefix[] = {
    "-",        "~", "!",        "+", "(uint8_t)", "(int)", "(unsigned long)", "*(uint16_t *)",
    "{int8_t}", "*", "*(char *)"};
static const char *const pieces[] = {
    "(",  ")",       "[",    "]",    "{",  "}",   "?",  ":",     "=",  "==",     "&",
    "*",  ".",       ",",    " ",    "\t", "'",   "\"", "$",     "@",  "'x.c':", "x.c:12",
    "if", "uint8_t", "void", "long", "0x", "1e9", "/",  "/8xg ", "\\", "#",
};

#define CHAIN 5 /* operands without parentheses between them */

struct pair {
    struct text plain, full;
};

static void grow(struct pair *out, unsigned depth);

/* A word, a prefix before parentheses, or a conditional in them. */
static void
grow_operand(struct pair *out, unsigned depth)
{
    unsigned how = depth ? pick(6) : 4;
    const char *word = words[pick(sizeof(words) / sizeof(words[0]))];
    struct pair part;

    out->plain.length = out->full.length = 0;
    if (how > 3) {
        add(&out->plain, word);
        add(&out->full, word);
        return;
    }
    word = how ? prefix[pick(sizeof(prefix) / sizeof(prefix[0]))] : "";
    add(&out->plain, word);
    add(&out->full, word);
    for (unsigned i = 0; i < (how ? 1 : 3); i++) {
        const char *before = i == 0 ? "(" : i == 1 ? " ? " : " : ";
        grow(&part, depth - 1);
        add(&out->plain, before);
        add(&out->plain, part.plain.bytes);
        add(&out->full, before);
        add(&out->full, part.full.bytes);
    }
    add(&out->plain, ")");
    add(&out->full, ")");
}

/* All parentheses: the loosest operator is the root, of equal ones the last. */
static void
parenthesize(struct text *out, const struct pair *operand, const unsigned *operator, unsigned from,
             unsigned to)
{
    unsigned root = from;

    if (from == to) {
        add(out, operand[from].full.bytes);
        return;
    }
    for (unsigned i = from; i < to; i++)
        if (binary[operator[i]].binds <= binary[operator[root]].binds)
            root = i;
    add(out, "(");
    parenthesize(out, operand, operator, from, root);
    add(out, ") ");
    add(out, binary[operator[root]].text);
    add(out, " (");
    parenthesize(out, operand, operator, root + 1, to);
    add(out, ")");
}

static void
grow(struct pair *out, unsigned depth)
{
    struct pair operand[CHAIN];
    unsigned operator[CHAIN], count = 1 + pick(CHAIN);

    out->plain.length = out->full.length = 0;
    for (unsigned i = 0; i < count; i++) {
        operator[i] = pick(sizeof(binary) / sizeof(binary[0]));
        grow_operand(&operand[i], depth);
        add(&out->plain, operand[i].plain.bytes);
        if (i + 1 < count) {
            add(&out->plain, " ");
            add(&out->plain, binary[operator[i]].text);
            add(&out->plain, " ");
        }
    }
    parenthesize(&out->full, operand, operator, 0, count - 1);
}

static void
damage(struct text *t)
{
    for (unsigned n = 1 + pick(4); n && t->length; n--) {
        size_t at = pick((unsigned)t->length);
        switch (pick(3)) {
        case 0: t->bytes[at] = (char)(1 + pick(255)); break;
        case 1:
            memmove(t->bytes + at, t->bytes + at + 1, t->length - at);
            t->length--;
            break;
        default: t->bytes[at] = *pieces[pick(sizeof(pieces) / sizeof(pieces[0]))]; break;
        }
    }
}

static void
chaos(struct text *t)
{
    char one[2] = "";

    for (unsigned n = pick(pick(8) ? 20 : 300); n; n--)
        switch (pick(4)) {
        case 0: add(t, words[pick(sizeof(words) / sizeof(words[0]))]); break;
        case 1: add(t, binary[pick(sizeof(binary) / sizeof(binary[0]))].text); break;
        case 2: add(t, pieces[pick(sizeof(pieces) / sizeof(pieces[0]))]); break;
        default:
            *one = (char)(1 + pick(255));
            add(t, one);
            break;
        }
}

/* --- the property --------------------------------------------------------------------------------- */

static int
fail(const char *what, const char *text, const char *more)
{
    printf("%s: %s %s\n", what, text, more);
    return 1;
}

/* Every way in. The copy ends where its memory does, so that asan sees a read behind it. */
static int
try_all(struct fake_machine *fake, const char *bytes, size_t length)
{
    struct debugger *d = &fake->debugger;
    char *text = malloc(length + 1);
    const char *at = text;
    struct error err = {""};
    struct format format;
    struct value value, again;
    uint64_t address;
    bool assigned;
    int bad = 0;

    if (!text)
        return fail("no memory", "", "");
    memcpy(text, bytes, length);
    text[length] = 0;
    int rc = expr_evaluate_all(d, text, &value, &err);
    if (rc && !err.message[0])
        bad |= fail("no sentence", text, "");
    if (!rc && (expr_evaluate_all(d, text, &again, NULL) || again.bits != value.bits))
        bad |= fail("not the same twice", text, "");
    rc = expr_evaluate(d, &at, &value, &err);
    if (at < text || at > text + length)
        bad |= fail("behind its end", text, "");
    expr_location(d, text, &address, &err);
    if (fake->writes)
        bad |= fail("changed the machine", text, "");
    expr_assign(d, text, &value, &assigned, &err);
    fake->writes = 0;
    at = text;
    if (!format_parse(&at, &format, &err) && !expr_evaluate(d, &at, &value, &err)) {
        char small[8], large[200];
        format_value(d, &value, format.letter, small, sizeof(small));
        format_value(d, &value, format.letter, large, sizeof(large));
        if (strlen(small) >= sizeof(small) || strlen(large) >= sizeof(large))
            bad |= fail("wrote behind its end", text, "");
    }
    free(text);
    return bad;
}

/* The text without parentheses means what it means with all of them. */
static int
same_meaning(struct fake_machine *fake, const struct pair *pair)
{
    struct value a = {0}, b = {0};

    if (cut)
        return 0;
    int rc = expr_evaluate_all(&fake->debugger, pair->plain.bytes, &a, NULL);
    evaluated += !rc;
    if (rc == expr_evaluate_all(&fake->debugger, pair->full.bytes, &b, NULL) &&
        (rc || a.bits == b.bits))
        return 0;
    return fail("two meanings", pair->plain.bytes, pair->full.bytes);
}

static int
one_seed(struct fake_machine *fake, uint64_t seed)
{
    struct pair pair = {{"", 0}, {"", 0}};
    int bad = 0;

    cut = false;
    state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned i = 0; i < 16; i++)
        fake->regs.gpr[i] = pick(2) ? random_next(&state) : FAKE_MEMORY + pick(256);
    fake->machine.exit = (struct vm_exit){.kind = pick(2) ? TRACE_IO : (enum trace_kind)pick(25)};
    fake->machine.exit.access.address = pick(1024);
    if (seed % 3 == 2) {
        chaos(&pair.plain);
    } else {
        grow(&pair, pick(3));
        if (seed % 3)
            damage(&pair.plain);
        else
            bad = same_meaning(fake, &pair);
    }
    return bad | try_all(fake, pair.plain.bytes, pair.plain.length);
}

int
main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000;
    static struct fake_machine fake;
    int bad = 0;

    fake_machine_open(&fake);
    for (uint64_t seed = first; !bad && seed - first < count; seed++) {
        if (seed % 1024 == 0)
            alarm(SECONDS);
        bad = one_seed(&fake, seed);
        if (bad)
            printf("seed %" PRIu64 "\n", seed);
    }
    fake_machine_close(&fake);
    if (!bad)
        printf("fuzz_expressions: %" PRIu64 " texts, %" PRIu64 " pairs compared, no finding\n",
               count, evaluated);
    return bad;
}
