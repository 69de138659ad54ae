/*
 * debug_source.c - stepping by line and the stack of calls, on minios under every strategy.
 *
 * What minios does is known from its source: init_memory() calls vm_init(), which calls new_table(),
 * which calls pmm_alloc().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/launch.h"
#include "debugger/debugger.h"
#include "debugger/source_step.h"
#include "tests/unit/debug_machine.h"
#include "tests/unit/suites.h"

static const struct subject {
    const char *guest, *strategy;
} subjects[] = {
    {"build/guests/minios", "hardware"},
    {"build/guests/minios", "trap"},
    {"build/guests/minios-pv", "paravirt"},
};

#define TASKS "hz=1000 tasks=preempt" /* two programs, and the end; without it, a shell */

struct session {
    struct launch launch;
    struct machine machine;
    struct debugger debugger;
    char *printed;
    size_t size;
};

static void
session_open(struct session *s, const struct subject *subject, const char *append)
{
    struct args args = {0};
    struct error err;
    struct launch_options options = {
        .guest = subject->guest,
        .engine = "soft",
        .strategy = subject->strategy,
        .mem = UINT64_C(8) << 20,
        .console = "null",
        .append = append,
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
    };

    memset(s, 0, sizeof(*s));
    CU_ASSERT_EQUAL_FATAL(launch_open(&s->launch, &options, &args, &err), 0);
    CU_ASSERT_EQUAL_FATAL(machine_open_live(&s->machine, &s->launch.vm, NULL, &err), 0);
    CU_ASSERT_EQUAL_FATAL(symbols_open(subject->guest, &s->machine.symbols, &err), 0);
    FILE *out = open_memstream(&s->printed, &s->size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL_FATAL(debugger_open(&s->debugger, &s->machine, out, &err), 0);
}

static void
session_close(struct session *s)
{
    debugger_close(&s->debugger);
    fclose(s->debugger.out);
    free(s->printed);
    symbols_close(s->machine.symbols);
    machine_close(&s->machine);
    launch_close(&s->launch, NULL);
}

/* Executes a line; what it printed. */
static const char *
say(struct session *s, const char *line)
{
    struct error err = {""};

    fflush(s->debugger.out);
    rewind(s->debugger.out);
    int rc = debugger_execute(&s->debugger, line, &err);
    fputc(0, s->debugger.out);
    fflush(s->debugger.out);
    if (rc) {
        printf("\n  %s: %s\n", line, err.message);
        CU_FAIL("command");
    }
    return s->printed;
}

/* The names of the functions on the stack, from the innermost one: "pmm_alloc new_table ". */
static const char *
names(struct session *s, char *text, size_t size)
{
    struct symbols_frame frame, caller;
    size_t used = 0;

    CU_ASSERT_EQUAL_FATAL(stack_first(&s->debugger, &frame, NULL), 0);
    text[0] = 0;
    for (unsigned i = 0; i < 32; i++) {
        const char *name = symbols_name(s->machine.symbols, frame.rip - frame.called, NULL);
        used += (size_t)snprintf(text + used, size - used, "%s%s ", frame.interrupted ? "!" : "",
                                 name ? name : "?");
        if (used >= size || !stack_caller(&s->debugger, &frame, &caller))
            break;
        frame = caller;
    }
    return text;
}

static void
expect_names(struct session *s, const char *expected)
{
    char text[512];

    if (strcmp(names(s, text, sizeof(text)), expected)) {
        printf("\n  stack: %s, expected: %s\n", text, expected);
        CU_FAIL("stack");
    }
    CU_PASS("stack");
}

/* --- tests ---------------------------------------------------------------------------------------- */

/* Behind the prologue, where rbp is the function's own; *FUNCTION is its first instruction. */
static void
test_places(void)
{
    struct session s;
    uint64_t start, body, line;
    struct error err;

    session_open(&s, &subjects[0], TASKS);
    CU_ASSERT(symbols_address(s.machine.symbols, "vm_init", &start));
    CU_ASSERT_EQUAL(expr_location(&s.debugger, "vm_init", &body, &err), 0);
    CU_ASSERT(body > start && body < start + 64);
    CU_ASSERT_EQUAL(expr_location(&s.debugger, "*vm_init", &line, &err), 0);
    CU_ASSERT_EQUAL(line, start);
    CU_ASSERT_EQUAL(expr_location(&s.debugger, "vm_init+4", &line, &err), 0);
    CU_ASSERT_EQUAL(line, start + 4);
    say(&s, "tbreak vm_init");
    say(&s, "run");
    CU_ASSERT_EQUAL(s.machine.vm->engine_ops->icount(s.machine.vcpu), s.machine.now.icount);
    struct value sp, fp;
    CU_ASSERT_EQUAL(expr_evaluate_all(&s.debugger, "$pc", &sp, &err), 0);
    CU_ASSERT_EQUAL(sp.bits, body);
    CU_ASSERT_EQUAL(expr_evaluate_all(&s.debugger, "*(long *)($fp + 8)", &sp, &err), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(symbols_name(s.machine.symbols, sp.bits, NULL));
    CU_ASSERT_STRING_EQUAL(symbols_name(s.machine.symbols, sp.bits, NULL), "init_memory");
    /* The line that is there, by its file's name, whole or its end. */
    CU_ASSERT_EQUAL(expr_evaluate_all(&s.debugger, "'vm.c':1 == 'guests/minios/vm.c':1", &fp, &err),
                    0);
    CU_ASSERT_EQUAL(fp.bits, 1);
    CU_ASSERT_NOT_EQUAL(expr_location(&s.debugger, "m.c:1", &line, &err), 0);
    CU_ASSERT_NOT_EQUAL(expr_location(&s.debugger, "vm.c:99999", &line, &err), 0);
    session_close(&s);
}

/* At every instruction of a function and of those that it calls, prologue and RET included, its
 * callers are the same. */
static void
test_stack(void)
{
    static const char callers[] = "new_table vm_init init_memory kmain ";

    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct session s;
        char text[512];
        unsigned steps = 0;
        session_open(&s, &subjects[i], TASKS);
        say(&s, "tbreak *pmm_alloc");
        say(&s, "run");
        expect_names(&s, "pmm_alloc new_table vm_init init_memory kmain ");
        const char *in;
        while ((in = strstr(names(&s, text, sizeof(text)), "pmm_alloc ")) && steps++ < 10000) {
            if (strcmp(in + 10, callers)) {
                printf("\n  after %u: %s\n", steps, text);
                CU_FAIL("stack");
                break;
            }
            say(&s, "stepi");
        }
        CU_ASSERT(steps > 10);
        CU_ASSERT_STRING_EQUAL(text, callers);
        session_close(&s);
    }
}

/* The timer's interrupt, while the kernel waits for it. */
static void
test_interrupt(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct session s;
        char text[512];
        session_open(&s, &subjects[i], TASKS);
        say(&s, "tbreak trap");
        say(&s, "run");
        names(&s, text, sizeof(text));
        CU_ASSERT_EQUAL(strncmp(text, "trap trap_common !", 18), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "init_devices kmain "));
        CU_ASSERT_PTR_NOT_NULL(strstr(say(&s, "backtrace"), "<interrupt"));
        /* Its caller is the stub, which returns to what was interrupted. */
        say(&s, "finish");
        CU_ASSERT_EQUAL(strncmp(names(&s, text, sizeof(text)), "trap_return !", 13), 0);
        say(&s, "finish");
        CU_ASSERT_EQUAL(strncmp(names(&s, text, sizeof(text)), "init_devices kmain ", 19), 0);
        session_close(&s);
    }
}

static int
line_of(struct session *s)
{
    struct symbols_frame frame;
    const char *file;
    int line = 0;

    stack_first(&s->debugger, &frame, NULL);
    CU_ASSERT(symbols_line(s->machine.symbols, frame.rip, &file, &line));
    return line;
}

static void
seek_to(struct session *s, const struct moment *moment)
{
    struct stop stop;

    CU_ASSERT_EQUAL(s->machine.ops->seek(&s->machine, moment, &stop, NULL), 0);
}

/* step enters a call, next does not; finish comes back; and all of it backwards. */
static void
test_steps(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct session s;
        session_open(&s, &subjects[i], TASKS);
        say(&s, "tbreak vm_init");
        say(&s, "run");
        expect_names(&s, "vm_init init_memory kmain ");
        say(&s, "tbreak new_table");
        say(&s, "continue");
        int line = line_of(&s);
        struct moment before = s.machine.now;
        say(&s, "step");
        expect_names(&s, "pmm_alloc new_table vm_init init_memory kmain ");
        CU_ASSERT_PTR_NOT_NULL(strstr(say(&s, "finish"), "Value returned"));
        expect_names(&s, "new_table vm_init init_memory kmain ");
        /* The same by next, which sees nothing of pmm_alloc(). */
        seek_to(&s, &before);
        CU_ASSERT_EQUAL(line_of(&s), line);
        say(&s, "next");
        CU_ASSERT(line_of(&s) != line);
        expect_names(&s, "new_table vm_init init_memory kmain ");
        say(&s, "reverse-next");
        CU_ASSERT_EQUAL(line_of(&s), line);
        expect_names(&s, "new_table vm_init init_memory kmain ");
        /* Into it by its end, and out of it to where it was called. */
        seek_to(&s, &before);
        say(&s, "next");
        say(&s, "reverse-step");
        expect_names(&s, "pmm_alloc new_table vm_init init_memory kmain ");
        say(&s, "reverse-finish");
        expect_names(&s, "new_table vm_init init_memory kmain ");
        CU_ASSERT_EQUAL(moment_compare(&s.machine.now, &before) < 0 ||
                            s.machine.now.icount - before.icount < 8,
                        true);
        session_close(&s);
    }
}

/* Each step back goes back, also from where a jump leads into the midst of a line's code. */
static void
test_back_moves(void)
{
    static const char *const command[] = {"reverse-step", "reverse-next"};

    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct session s;
        session_open(&s, &subjects[i], TASKS);
        say(&s, "tbreak init_memory"); /* behind several calls of note() */
        say(&s, "run");
        struct moment begin = s.machine.now;
        for (unsigned c = 0; c < ARRAY_SIZE(command); c++) {
            seek_to(&s, &begin);
            struct moment before = begin;
            for (unsigned n = 0; n < 50 && before.icount; n++) {
                say(&s, command[c]);
                CU_ASSERT(s.machine.now.icount < before.icount);
                before = s.machine.now;
            }
        }
        session_close(&s);
    }
}

/* free_table() calls itself for each level: next sees one call of it alone, to its end. */
static void
test_recursion(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct session s;
        char text[512];
        unsigned steps = 0;
        session_open(&s, &subjects[i], TASKS);
        say(&s, "tbreak free_table");
        say(&s, "run");
        while (!strncmp(names(&s, text, sizeof(text)), "free_table ", 11) && steps++ < 5000) {
            if (strstr(text + 11, "free_table ")) {
                printf("\n  after %u: %s\n", steps, text);
                CU_FAIL("within the recursion");
                break;
            }
            say(&s, "next");
        }
        CU_ASSERT(steps > 10 && steps < 5000);
        session_close(&s);
    }
}

/* The shell's first system call, from the kernel's C to the program's first instruction: two files'
 * symbols, two stacks. */
static void
test_program(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(subjects); i++) {
        struct session s;
        char text[512];
        uint64_t main_body;
        session_open(&s, &subjects[i], "");
        CU_ASSERT_EQUAL(symbols_add(s.machine.symbols, "/nonexistent", 0, NULL), -ENOENT);
        say(&s, "add-symbol-file build/guests/apps/sh -o 1 - 1");
        CU_ASSERT_EQUAL(expr_location(&s.debugger, "main", &main_body, NULL), 0);
        CU_ASSERT(main_body > 0x400000 && main_body < 0x500000);
        say(&s, "tbreak main");
        say(&s, "run");
        expect_names(&s, "main _start ");
        say(&s, "tbreak syscall");
        say(&s, "continue");
        names(&s, text, sizeof(text));
        CU_ASSERT_EQUAL(strncmp(text, "syscall ", 8), 0);
        const char *program = strchr(text, '!');
        CU_ASSERT(program && strstr(program, " main _start "));
        session_close(&s);
    }
}

/* Without call frame information: the caller's rbp at rbp, above it where it goes on (System V psABI,
 * 3.2.2), in words of the code's size. */
static void
test_frame_pointers(void)
{
    static const uint64_t wide[] = {FAKE_MEMORY + 0x40, 0x401010, 0, 0, 0, 0, 0, 0, 0, 0x401020};
    static const uint32_t narrow[] = {FAKE_MEMORY + 0x40, 0x401010};
    struct symbols_frame frame, caller, outer;
    struct fake_machine fake;
    struct error err;

    fake_machine_open(&fake);
    memcpy(fake.memory, wide, sizeof(wide));
    fake.regs.rip = 0x401000;
    fake.regs.gpr[X86_RBP] = FAKE_MEMORY;
    fake.regs.gpr[X86_RSP] = FAKE_MEMORY - 8;
    CU_ASSERT_EQUAL(stack_first(&fake.debugger, &frame, &err), 0);
    CU_ASSERT_TRUE_FATAL(stack_caller(&fake.debugger, &frame, &caller));
    CU_ASSERT_EQUAL(caller.rip, 0x401010);
    CU_ASSERT_EQUAL(caller.cfa, FAKE_MEMORY + 16);
    CU_ASSERT_EQUAL(caller.gpr[X86_RBP], FAKE_MEMORY + 0x40);
    CU_ASSERT_EQUAL(caller.gpr[X86_RSP], FAKE_MEMORY + 16);
    /* Its caller begins with rbp 0, and is no function that is known: the outermost. */
    CU_ASSERT_FALSE(stack_caller(&fake.debugger, &caller, &outer));
    fake.regs.gpr[X86_RSP] = FAKE_MEMORY + 16; /* a frame below the stack is none */
    CU_ASSERT_EQUAL(stack_first(&fake.debugger, &frame, &err), 0);
    CU_ASSERT_FALSE(stack_caller(&fake.debugger, &frame, &caller));
    fake.regs.gpr[X86_RSP] = FAKE_MEMORY - 4;
    fake.regs.efer = 0;
    CU_ASSERT_EQUAL(stack_first(&fake.debugger, &frame, &err), 0);
    CU_ASSERT_FALSE(stack_caller(&fake.debugger, &frame, &caller)); /* 16 bits: not told */
    fake.regs.seg[X86_CS].attr = SEG_P | SEG_S | SEG_CODE | SEG_DB;
    memcpy(fake.memory, narrow, sizeof(narrow));
    CU_ASSERT_TRUE(stack_caller(&fake.debugger, &frame, &caller));
    CU_ASSERT_EQUAL(caller.rip, 0x401010);
    CU_ASSERT_EQUAL(caller.cfa, FAKE_MEMORY + 8);
    fake_machine_close(&fake);
}

static const struct unit_test tests[] = {
    {"places: functions behind their prologue, lines", test_places},
    {"the stack is right at every instruction of a function", test_stack},
    {"... and across an interrupt", test_interrupt},
    {"... and without the file's help", test_frame_pointers},
    {"each step back by line goes back", test_back_moves},
    {"step, finish, and back", test_steps},
    {"next over a recursion", test_recursion},
    {"a program beside the kernel", test_program},
    {NULL, NULL},
};
const struct unit_suite suite_debug_source = {"debug_source", tests};
