/* audit.c - tests of hv/cli/audit*.c: what traps at CPL 3, with and without UMIP, by the manual. */
#include <string.h>

#include "base/util.h"
#include "cli/audit.h"
#include "engine/engine.h"
#include "isa/x86/regs.h"
#include "strategy/strategy.h"
#include "tests/unit/suites.h"

static const struct audit_probe *
find(const char *name)
{
    for (unsigned n = 0; n < audit_probe_count; n++)
        if (!strcmp(audit_probes[n].name, name))
            return &audit_probes[n];
    CU_FAIL_FATAL("no such probe");
    return NULL;
}

static struct audit_result
run(const struct audit_probe *probe, const char *strategy, bool umip)
{
    struct audit_result result;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(audit_run_guest(engine_find("soft"),
                                          strategy ? strategy_find(strategy) : NULL, probe, umip,
                                          &result, &err),
                          0);
    return result;
}

static enum audit_verdict
verdict(const char *name, bool umip)
{
    const struct audit_probe *probe = find(name);
    struct audit_result reference = run(probe, "hardware", false), bare = run(probe, NULL, umip);

    return audit_judge(probe, &reference, &bare);
}

/* Robin & Irvine 2000, table 1 and 2: every name once, 18 of them. */
static void
test_names(void)
{
    static const char *const names[] = {"SGDT", "SIDT", "SLDT", "SMSW", "PUSHF", "POPF",
                                        "LAR",  "LSL",  "VERR", "VERW", "POP",   "PUSH",
                                        "CALL", "JMP",  "INTn", "RET",  "STR",   "MOV"};
    unsigned count = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        CU_ASSERT_NOT_EQUAL(find(names[i])->sense, AUDIT_NONE);
    for (unsigned n = 0; n < audit_probe_count; n++)
        count += audit_probes[n].sense != AUDIT_NONE;
    CU_ASSERT_EQUAL(count, 18);
}

/* SDM vol. 3, 2.5, CR4.UMIP: SGDT, SIDT, SLDT, SMSW and STR are #GP at CPL > 0; nothing else is
 * different. */
static void
test_umip(void)
{
    static const char *const umip[] = {"SGDT", "SIDT", "SLDT", "SMSW", "STR"};

    for (unsigned n = 0; n < audit_probe_count; n++) {
        const char *name = audit_probes[n].name;
        bool covered = false;
        for (unsigned i = 0; i < ARRAY_SIZE(umip); i++)
            covered |= !strcmp(name, umip[i]);
        CU_ASSERT_EQUAL(verdict(name, true) != verdict(name, false), covered);
        if (covered) {
            CU_ASSERT_EQUAL(verdict(name, false), AUDIT_LEAKS);
            CU_ASSERT_EQUAL(verdict(name, true), AUDIT_TRAPS);
            CU_ASSERT_EQUAL(run(find(name), NULL, true).vector, VEC_GP);
        }
    }
}

static void
test_holes(void)
{
    /* SDM vol. 2, POPF, table 4-16: CPL 3 > IOPL 0: IF stays, and no exception. */
    CU_ASSERT_EQUAL(verdict("POPF", false), AUDIT_WRONG);
    /* PUSHF shows the flags as they are; MOV from CS its RPL. */
    CU_ASSERT_EQUAL(verdict("PUSHF", false), AUDIT_LEAKS);
    CU_ASSERT_EQUAL(run(find("PUSHF"), NULL, false).word[0], FLAG_IF);
    CU_ASSERT_EQUAL(verdict("MOV", false), AUDIT_LEAKS);
    CU_ASSERT_EQUAL(run(find("MOV"), NULL, false).word[0], AUDIT_KERNEL_CS | 3);
    /* INT n: a gate with DPL < CPL is #GP (SDM vol. 3, 6.12.1.2). */
    CU_ASSERT_EQUAL(verdict("INTn", false), AUDIT_TRAPS);
    CU_ASSERT_EQUAL(verdict("RET", false), AUDIT_WRONG);
    /* What is privileged traps, or there would be nothing to build on. */
    CU_ASSERT_EQUAL(verdict("CLI", false), AUDIT_TRAPS);
    CU_ASSERT_EQUAL(verdict("MOV CR3", false), AUDIT_TRAPS);
    CU_ASSERT_EQUAL(verdict("RDMSR", false), AUDIT_TRAPS);
}

/* The reference itself: a kernel at CPL 0 sees what it set up (audit_guest.c). */
static void
test_reference(void)
{
    struct audit_result r = run(find("SGDT"), "hardware", true);

    CU_ASSERT_EQUAL(r.end, AUDIT_ENDED);
    CU_ASSERT_EQUAL(r.word[0], (uint64_t)AUDIT_GDT << 16 | (AUDIT_GDT_SIZE - 1));
    CU_ASSERT_EQUAL(run(find("STR"), "hardware", true).word[0], AUDIT_TR);
    CU_ASSERT_EQUAL(run(find("MOV"), "hardware", true).word[0], AUDIT_KERNEL_CS);
    CU_ASSERT_EQUAL(run(find("RET"), "hardware", true).word[0], AUDIT_USTACK);
    CU_ASSERT_FALSE(run(find("POPF"), "hardware", true).interrupts);
    CU_ASSERT_EQUAL(run(find("INTn"), "hardware", true).word[0], 1);
    /* A user may not load the kernel's DS: RPL and CPL > DPL (SDM vol. 2, POP). */
    CU_ASSERT_EQUAL(run(find("POP"), "hardware", true).end, AUDIT_FAULTED);
    CU_ASSERT_EQUAL(run(find("POP"), "hardware", true).vector, VEC_GP);
}

/* A strategy that traps cannot mend what does not trap, and mends what does. */
static void
test_trap(void)
{
    static const struct {
        const char *name;
        bool umip, right;
    } rows[] = {
        {"SGDT", false, false}, {"SGDT", true, true}, {"POPF", true, false}, {"MOV", true, false},
        {"CALL", true, true},   {"RET", true, true},  {"INTn", true, true},  {"CLI", true, true},
        {"JMP", true, true},    {"POP", true, true},  {"LAR", true, false},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct audit_probe *probe = find(rows[i].name);
        struct audit_result reference = run(probe, "hardware", false);
        struct audit_result result = run(probe, "trap", rows[i].umip);
        CU_ASSERT_EQUAL(audit_right(probe, &reference, &result), rows[i].right);
        CU_ASSERT_EQUAL(result.exits != 0, rows[i].right);
    }
}

/* The verdict follows from the results. */
static void
test_judge(void)
{
    struct audit_probe shows = {.sense = AUDIT_SHOWS}, changes = {.sense = AUDIT_CHANGES};
    struct audit_result reference = {.word = {1}}, other = {.word = {2}},
                        trapped = {.end = AUDIT_TRAPPED};

    CU_ASSERT_EQUAL(audit_judge(&shows, &reference, &reference), AUDIT_SAME);
    CU_ASSERT_EQUAL(audit_judge(&shows, &reference, &other), AUDIT_LEAKS);
    CU_ASSERT_EQUAL(audit_judge(&changes, &reference, &other), AUDIT_WRONG);
    CU_ASSERT_EQUAL(audit_judge(&changes, &reference, &trapped), AUDIT_TRAPS);
    other = reference;
    other.interrupts = true;
    CU_ASSERT_EQUAL(audit_judge(&changes, &reference, &other), AUDIT_SAME);
    changes.interrupts = true;
    CU_ASSERT_EQUAL(audit_judge(&changes, &reference, &other), AUDIT_WRONG);
    other.skipped = true;
    CU_ASSERT_EQUAL(audit_judge(&changes, &reference, &other), AUDIT_EMULATED);
}

/* On this host, whatever it is: what is privileged becomes a signal, POPF keeps IF. */
static void
test_host(void)
{
    static const char *const privileged[] = {"CLI", "MOV CR3", "RDMSR"};
    struct audit_result reference, result;
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(privileged); i++) {
        CU_ASSERT_EQUAL(audit_run_host(find(privileged[i]), &result, &err), 0);
        CU_ASSERT_EQUAL(result.end, AUDIT_TRAPPED);
        CU_ASSERT_EQUAL(result.vector, VEC_GP);
        CU_ASSERT_FALSE(result.elsewhere);
    }
    CU_ASSERT_EQUAL(audit_run_host(find("POPF"), &result, &err), 0);
    reference = run(find("POPF"), "hardware", false);
    CU_ASSERT_EQUAL(audit_judge(find("POPF"), &reference, &result), AUDIT_WRONG);
    CU_ASSERT_EQUAL(audit_run_host(find("MOV"), &result, &err), 0);
    CU_ASSERT_EQUAL(result.end, AUDIT_ENDED);
    CU_ASSERT_EQUAL(result.word[0] & 3, 3);
    CU_ASSERT_FALSE(result.skipped);
}

static const struct unit_test tests[] = {
    {"the 18 names", test_names},
    {"UMIP makes five trap and changes nothing else", test_umip},
    {"what is silent at CPL 3", test_holes},
    {"a kernel with the processor for itself", test_reference},
    {"what strategy trap mends", test_trap},
    {"the verdict follows from the results", test_judge},
    {"in a process of this host", test_host},
    {NULL, NULL},
};
const struct unit_suite suite_audit = {"audit", tests};
