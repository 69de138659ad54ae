/*
 * debug_commands.c - the table of the debugger's commands: complete, consistent, found by what a
 * user types.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/catch.h"
#include "debugger/escape.h"
#include "debugger/help.h"
#include "debugger/session.h"
#include "debugger/settings.h"
#include "tests/unit/unit.h"

/* --- a session whose machine is never moved --------------------------------------------------- */

static int
no_registers(struct machine *machine, struct x86_regs *regs, struct error *err)
{
    (void)machine, (void)regs;
    return error_set(err, ENODATA, "no registers");
}

static const struct machine_ops still_ops = {.name = "still", .get_regs = no_registers};

struct fixture {
    struct machine machine;
    struct debugger debugger;
    char *text; /* what was printed */
    size_t size;
    struct error err;
};

static void
set_up(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->machine.ops = &still_ops;
    FILE *out = open_memstream(&f->text, &f->size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL_FATAL(debugger_open(&f->debugger, &f->machine, out, &f->err), 0);
}

static void
tear_down(struct fixture *f)
{
    fclose(f->debugger.out);
    debugger_close(&f->debugger);
    free(f->text);
}

/* Executes a line; what was printed since the last is in f->text. */
static int
execute(struct fixture *f, const char *line)
{
    rewind(f->debugger.out);
    f->err.message[0] = 0;
    int rc = debugger_execute(&f->debugger, line, &f->err);
    fputc(0, f->debugger.out);
    fflush(f->debugger.out);
    CU_ASSERT(!rc || f->err.message[0]);
    return rc;
}

/* --- the table -------------------------------------------------------------------------------- */

/* The names that are promised: whole commands, then their short forms. */
static const char *const promised[] = {
    "stepi si",
    "nexti ni",
    "reverse-stepi rsi",
    "step s",
    "next n",
    "finish fin",
    "until u",
    "reverse-step rs",
    "stepexit sx",
    "nextexit nx",
    "reverse-stepexit rsx",
    "run r",
    "starti",
    "continue c",
    "reverse-continue rc",
    "seek",
    "when",
    "checkpoint",
    "restart",
    "break b",
    "tbreak tb",
    "hbreak hb",
    "watch",
    "rwatch",
    "awatch",
    "catch",
    "tcatch",
    "condition",
    "ignore",
    "commands",
    "delete",
    "enable",
    "disable",
    "x",
    "xp",
    "print p",
    "display",
    "undisplay",
    "disassemble disas",
    "list l",
    "backtrace bt",
    "info",
    "explain",
    "trace",
    "graph",
    "source",
    "show",
    "help",
    "apropos",
    "quit q",
    "alias",
    "set",
    "type",
};
static const char *const promised_info[] = {
    "registers", "sregs", "msr",     "cpuid", "exits",    "exit",        "mem",         "tlb",
    "gdt",       "idt",   "devices", "irq",   "strategy", "checkpoints", "breakpoints",
};
static const char *const promised_others[] = {
    "catch exit", "catch entry", "catch inject", "trace on",   "trace off",
    "trace save", "graph state", "graph ladder", "graph card", "show commands",
};

static const struct debug_command *
find(const struct debug_command *const *tables, const char *word)
{
    return debug_command_find(tables, word, strlen(word), NULL);
}

static void
test_promised(void)
{
    char name[32], alias[32];

    for (unsigned i = 0; i < ARRAY_SIZE(promised); i++) {
        alias[0] = 0;
        sscanf(promised[i], "%31s %31s", name, alias);
        const struct debug_command *c = find(debug_command_tables, name);
        CU_ASSERT_PTR_NOT_NULL(c);
        CU_ASSERT(c && !strcmp(c->name, name));
        if (!c || strcmp(c->name, name))
            printf("    %s is missing\n", name);
        CU_ASSERT(!alias[0] || find(debug_command_tables, alias) == c);
    }
    const struct debug_command *info = find(debug_command_tables, "info");
    for (unsigned i = 0; info && i < ARRAY_SIZE(promised_info); i++) {
        const struct debug_command *c = find(
            (const struct debug_command *const[]){info->table, NULL}, promised_info[i]);
        CU_ASSERT(c && !strcmp(c->name, promised_info[i]));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(promised_others); i++) {
        sscanf(promised_others[i], "%31s %31s", name, alias);
        const struct debug_command *parent = find(debug_command_tables, name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(parent);
        const struct debug_command *c = find(
            (const struct debug_command *const[]){parent->table, NULL}, alias);
        CU_ASSERT(c && !strcmp(c->name, alias));
    }
}

/* Does Tab offer `word` at the end of the line? NULL: does it offer nothing? */
static bool
offers(struct fixture *f, const char *line, const char *word)
{
    const char *blank = strrchr(line, ' ');
    bool files, found = !word;
    char **list = debug_complete(&f->debugger, line, blank ? (size_t)(blank + 1 - line) : 0,
                                 strlen(line), &files);

    for (size_t i = 0; list && list[i]; i++) {
        found = word ? found || !strcmp(list[i], word) : false;
        free(list[i]);
    }
    free(list);
    return found;
}

static bool
check_command(void *context, const struct debug_command *parent, const struct debug_command *c)
{
    struct fixture *f = context;
    char line[128], whole[64];
    bool in_group = parent != NULL;

    snprintf(whole, sizeof(whole), "%s%s%s", parent ? parent->name : "", parent ? " " : "",
             c->name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c->summary);
    CU_ASSERT_FATAL(c->example && c->arguments);
    CU_ASSERT(c->run || c->table);
    size_t n = strlen(c->summary);
    CU_ASSERT(n > 2 && (c->summary[n - 1] != '.' || c->summary[n - 2] == '.'));
    /* The example is one of this very command, by its whole name. */
    CU_ASSERT(!strncmp(c->example, whole, strlen(whole)));
    if (strncmp(c->example, whole, strlen(whole)))
        printf("    %s: its example is '%s'\n", whole, c->example);
    for (const char *const *g = debug_groups; *g && !in_group; g++)
        in_group = !strcmp(c->group, *g);
    CU_ASSERT(in_group);
    for (const char *t = c->text; t && *t; t += strcspn(t, "\n") + (t[strcspn(t, "\n")] == '\n'))
        if (strcspn(t, "\n") > 84) {
            CU_FAIL("a line of the help is too long");
            printf("    %s: %s\n", whole, t);
        }
    snprintf(line, sizeof(line), "help %s", whole);
    CU_ASSERT_EQUAL(execute(f, line), 0);
    CU_ASSERT(f->text && strstr(f->text, c->summary) && strstr(f->text, "\nFor example: "));
    whole[strlen(whole) - 1] = 0;
    CU_ASSERT(offers(f, whole, c->name));
    return true;
}

static void
test_help(void)
{
    struct fixture f;

    set_up(&f);
    debug_commands_visit(check_command, &f);
    CU_ASSERT_EQUAL(execute(&f, "help"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "reverse-stepexit, rsx"));
    CU_ASSERT_EQUAL(execute(&f, "help stops"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "tbreak"));
    CU_ASSERT_PTR_NULL(strstr(f.text, "stepexit"));
    CU_ASSERT_EQUAL(execute(&f, "apropos checkpoint"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "info checkpoints"));
    tear_down(&f);
}

/* --- words ------------------------------------------------------------------------------------ */

static void
test_words(void)
{
    struct error err = {""};

    CU_ASSERT_STRING_EQUAL(find(debug_command_tables, "cont")->name, "continue");
    CU_ASSERT_STRING_EQUAL(find(debug_command_tables, "undisp")->name, "undisplay");
    /* A whole name or alias wins over what it begins. */
    CU_ASSERT_STRING_EQUAL(find(debug_command_tables, "reverse-step")->name, "reverse-step");
    CU_ASSERT_STRING_EQUAL(find(debug_command_tables, "s")->name, "step");
    CU_ASSERT_STRING_EQUAL(find(debug_command_tables, "d")->name, "delete");
    CU_ASSERT_PTR_NULL(debug_command_find(debug_command_tables, "reverse", 7, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "ambiguous"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "reverse-stepexit"));
    CU_ASSERT_PTR_NULL(debug_command_find(debug_command_tables, "stpei", 5, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "did you mean"));
    CU_ASSERT_PTR_NULL(debug_command_find(debug_command_tables, "zzzzzz", 6, &err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "'help' lists them"));
    CU_ASSERT_PTR_NULL(debug_command_find(debug_command_tables, "", 0, &err));
}

static void
test_lines(void)
{
    struct fixture f;

    set_up(&f);
    CU_ASSERT_EQUAL(execute(&f, "   # a comment"), 0);
    CU_ASSERT_EQUAL(execute(&f, "  echo a\\tb \n"), 0);
    CU_ASSERT_STRING_EQUAL(f.text, "a\tb\n");
    CU_ASSERT_NOT_EQUAL(execute(&f, "echo \\q"), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "?"), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "stepi"), 0); /* COMMAND_LIVE, and there is no vm */
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.message, "recording"));
    CU_ASSERT_NOT_EQUAL(execute(&f, "catch"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.message, "exit, entry, inject"));
    CU_ASSERT_EQUAL(execute(&f, "alias e = echo one"), 0);
    CU_ASSERT_EQUAL(execute(&f, "e two"), 0);
    CU_ASSERT_STRING_EQUAL(f.text, "one two\n");
    CU_ASSERT_EQUAL(execute(&f, "alias loop = loop"), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "loop"), 0); /* ends */
    CU_ASSERT_EQUAL(execute(&f, "alias e ="), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "alias e"), 0);
    CU_ASSERT_EQUAL(execute(&f, "printf \"%d %04x %c%%|%-5d|\\n\", -1, 255, 'z', 7"), 0);
    CU_ASSERT_STRING_EQUAL(f.text, "-1 00ff z%|7    |\n");
    CU_ASSERT_NOT_EQUAL(execute(&f, "printf \"%d\\n\""), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "printf \"\\n\", 1"), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "printf \"%n\", 1"), 0);
    CU_ASSERT_EQUAL(execute(&f, "quit 3 + 4"), 0);
    CU_ASSERT(f.debugger.quit && f.debugger.status == 7);
    tear_down(&f);
}

/* On a terminal an empty line repeats; a script's does nothing. */
static void
test_repeat(void)
{
    struct fixture f;

    set_up(&f);
    CU_ASSERT_NOT_EQUAL(execute(&f, "stepexit nonsense"), 0);
    CU_ASSERT_EQUAL(execute(&f, ""), 0);
    f.debugger.interactive = true;
    CU_ASSERT_NOT_EQUAL(execute(&f, "stepexit nonsense"), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, ""), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, ""), 0);
    CU_ASSERT_EQUAL(execute(&f, "when"), 0);
    CU_ASSERT_EQUAL(execute(&f, ""), 0); /* `when` does not repeat */
    tear_down(&f);
}

/* --- stops ------------------------------------------------------------------------------------ */

static void
test_catch(void)
{
    static const char *const good[] = {
        "catch exit",
        "catch exit io",
        "catch exit io 0x3f8",
        "catch exit io port 0x3f8",
        "catch exit any port 1",
        "catch exit io mmio",
        "catch exit port 0x60",
        "catch exit msr EFER",
        "catch exit msr msr 0xc0000080",
        "catch exit msr if exit.write",
        "catch exit cr 3",
        "catch entry",
        "catch exit exception #PF",
        "catch exit exception 14",
        "tcatch exit hypercall",
        "catch exit if exit.port == 3",
    };
    static const char *const bad[] = {
        "catch exit io msr 3",   "catch exit hlt 3",  "catch exit oi",
        "catch exit io port",    "catch exit io if",  "catch exit io if (",
        "catch exit msr NOSUCH", "catch exit io 1 2", "catch foo",
    };
    struct fixture f;

    set_up(&f);
    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        CU_ASSERT_EQUAL(execute(&f, good[i]), 0);
        if (f.err.message[0])
            printf("    %s: %s\n", good[i], f.err.message);
    }
    CU_ASSERT_EQUAL(f.debugger.stops->count, ARRAY_SIZE(good));
    CU_ASSERT_EQUAL(f.debugger.stops->entry[3]->operand, 0x3f8);
    CU_ASSERT_EQUAL(f.debugger.stops->entry[7]->operand, 0xc0000080);
    CU_ASSERT_EQUAL(f.debugger.stops->entry[12]->operand, 14);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        CU_ASSERT_NOT_EQUAL(execute(&f, bad[i]), 0);
        if (!f.err.message[0])
            printf("    %s is accepted\n", bad[i]);
    }
    CU_ASSERT_EQUAL(f.debugger.stops->count, ARRAY_SIZE(good));
    tear_down(&f);
}

static void
test_changing(void)
{
    struct fixture f;
    const struct stops *stops;

    set_up(&f);
    stops = f.debugger.stops;
    execute(&f, "catch exit io");
    execute(&f, "catch exit hlt");
    execute(&f, "catch entry");
    execute(&f, "catch exit msr");
    CU_ASSERT_EQUAL(execute(&f, "disable 2-3"), 0);
    CU_ASSERT(stops->entry[0]->enabled && !stops->entry[1]->enabled && !stops->entry[2]->enabled);
    CU_ASSERT_EQUAL(execute(&f, "enable once 2"), 0);
    CU_ASSERT(stops->entry[1]->enabled && stops->entry[1]->once && stops->entry[1]->disable);
    CU_ASSERT_EQUAL(execute(&f, "condition 1 exit.port == 5"), 0);
    CU_ASSERT_NOT_EQUAL(execute(&f, "condition 1 )"), 0);
    CU_ASSERT_STRING_EQUAL(stops->entry[0]->condition, "exit.port == 5");
    CU_ASSERT_EQUAL(execute(&f, "ignore 1 5"), 0);
    CU_ASSERT_EQUAL(execute(&f, "commands 1"), 0);
    CU_ASSERT_EQUAL(execute(&f, "silent"), 0);
    CU_ASSERT_EQUAL(execute(&f, "echo hello"), 0);
    CU_ASSERT_EQUAL(execute(&f, "end"), 0);
    CU_ASSERT_STRING_EQUAL(stops->entry[0]->commands, "silent\necho hello\n");
    CU_ASSERT_EQUAL(execute(&f, "info breakpoints"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "stops only if exit.port == 5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "will be passed 5 times"));
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "echo hello"));
    CU_ASSERT_EQUAL(execute(&f, "delete 1 4"), 0);
    CU_ASSERT_EQUAL(stops->count, 2);
    CU_ASSERT_NOT_EQUAL(execute(&f, "delete 1"), 0);
    CU_ASSERT_EQUAL(execute(&f, "delete"), 0);
    CU_ASSERT_EQUAL(stops->count, 0);
    CU_ASSERT_EQUAL(execute(&f, "catch exit io"), 0);
    CU_ASSERT_EQUAL(stops->entry[0]->number, 5); /* a number is given once */
    tear_down(&f);
}

static void
test_condition_text(void)
{
    char text[] = "kmain if $rax", bare[] = "if(1)", none[] = "elif_x";

    CU_ASSERT_STRING_EQUAL(stops_split_condition(text), "$rax");
    CU_ASSERT_STRING_EQUAL(text, "kmain");
    CU_ASSERT_STRING_EQUAL(stops_split_condition(bare), "(1)");
    CU_ASSERT_STRING_EQUAL(bare, "");
    CU_ASSERT_PTR_NULL(stops_split_condition(none));
}

/* --- settings, escapes, Tab ------------------------------------------------------------------- */

static void
test_settings(void)
{
    struct fixture f;

    set_up(&f);
    CU_ASSERT_EQUAL(execute(&f, "set exit-edge both"), 0);
    CU_ASSERT_EQUAL(f.debugger.settings.exit_edge, EDGE_OUT | EDGE_IN);
    CU_ASSERT_NOT_EQUAL(execute(&f, "set exit-edge sideways"), 0);
    CU_ASSERT_EQUAL(execute(&f, "set skip io, hlt"), 0);
    CU_ASSERT_EQUAL(f.debugger.settings.skip_kinds, UINT64_C(1) << TRACE_IO | UINT64_C(1)
                                                                                  << TRACE_HLT);
    CU_ASSERT_EQUAL(execute(&f, "show skip-exits"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.text, "io hlt"));
    CU_ASSERT_NOT_EQUAL(execute(&f, "set lsitsize 3"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(f.err.message, "listsize"));
    CU_ASSERT_NOT_EQUAL(execute(&f, "set co on"), 0); /* color, confirm */
    CU_ASSERT_NOT_EQUAL(execute(&f, "set listsize 0"), 0);
    CU_ASSERT_EQUAL(execute(&f, "set $v = 6 * 7"), 0);
    CU_ASSERT_EQUAL(execute(&f, "printf \"%d\", $v"), 0);
    CU_ASSERT_STRING_EQUAL(f.text, "42");
    tear_down(&f);
}

static void
test_escapes(void)
{
    uint8_t bytes[8];
    size_t count;

    CU_ASSERT_EQUAL(unescape("a\\n\\x1b\\101\\\\", bytes, sizeof(bytes), &count, NULL), 0);
    CU_ASSERT_EQUAL(count, 5);
    CU_ASSERT_EQUAL(memcmp(bytes,
                           "a\n\x1b"
                           "A\\",
                           5),
                    0);
    CU_ASSERT_EQUAL(unescape("\\", bytes, sizeof(bytes), &count, NULL), -EINVAL);
    CU_ASSERT_EQUAL(unescape("\\777", bytes, sizeof(bytes), &count, NULL), -EINVAL);
    CU_ASSERT_EQUAL(unescape("\\xg", bytes, sizeof(bytes), &count, NULL), -EINVAL);
    CU_ASSERT_EQUAL(unescape("123456789", bytes, sizeof(bytes), &count, NULL), -E2BIG);
}

static void
test_complete(void)
{
    struct fixture f;

    set_up(&f);
    CU_ASSERT(offers(&f, "reverse-", "reverse-stepexit"));
    CU_ASSERT(offers(&f, "", "apropos"));
    CU_ASSERT(offers(&f, "info br", "breakpoints"));
    CU_ASSERT(offers(&f, "help inf", "info"));
    CU_ASSERT(offers(&f, "help info reg", "registers"));
    CU_ASSERT(offers(&f, "catch e", "exit"));
    CU_ASSERT(offers(&f, "catch exit hyp", "hypercall"));
    CU_ASSERT(offers(&f, "catch exit io po", "port"));
    CU_ASSERT(offers(&f, "set ex", "exit-edge"));
    CU_ASSERT(offers(&f, "set exit-edge b", "both"));
    CU_ASSERT(offers(&f, "print $ra", "$rax"));
    CU_ASSERT(offers(&f, "print *($r1", "*($r10"));
    CU_ASSERT(offers(&f, "p exit.po", "exit.port"));
    CU_ASSERT(offers(&f, "x/4x $rs", "$rsp"));
    CU_ASSERT(offers(&f, "nonsense f", NULL));
    CU_ASSERT(offers(&f, "when ", NULL));
    execute(&f, "alias ce = catch exit");
    CU_ASSERT(offers(&f, "c", "ce"));
    CU_ASSERT(offers(&f, "ce hl", "hlt"));
    tear_down(&f);
}

static const struct unit_test tests[] = {
    {"every command that is promised", test_promised},
    {"every command has help and an example, and Tab knows it", test_help},
    {"beginnings, aliases, slips", test_words},
    {"lines", test_lines},
    {"an empty line", test_repeat},
    {"catchpoints", test_catch},
    {"changing stops", test_changing},
    {"if", test_condition_text},
    {"settings", test_settings},
    {"escapes", test_escapes},
    {"Tab", test_complete},
    {NULL, NULL},
};
const struct unit_suite suite_debug_commands = {"debug_commands", tests};
