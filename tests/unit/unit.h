/*
 * unit.h - how a file of unit tests is added: define its suite, name it in main.c's table.
 *
 * A test is a CUnit function. It asserts what the manual or the header's contract says, with the
 * section in a comment where there is one.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <CUnit/CUnit.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

struct unit_suite {
    const char *name;
    const struct unit_test *tests; /* ends with a NULL name */
};

/* Runs those suites whose name is in argv, or all; CUnit's summary. Returns main's status. */
int unit_run(const struct unit_suite *const *suites, unsigned count, int argc, char **argv);

#endif
