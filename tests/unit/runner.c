/*
 * runner.c - runs suites with CUnit: called by the main.c of each test program.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "tests/unit/unit.h"

static bool
wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc == 1;
}

int
unit_run(const struct unit_suite *const *suites, unsigned count, int argc, char **argv)
{
    unsigned added = 0;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (unsigned i = 0; i < count; i++) {
        if (!wanted(suites[i]->name, argc, argv))
            continue;
        CU_pSuite suite = CU_add_suite(suites[i]->name, NULL, NULL);
        for (const struct unit_test *t = suites[i]->tests; t->name; t++)
            if (!suite || !CU_add_test(suite, t->name, t->run)) {
                fprintf(stderr, "unit: cannot add '%s': %s\n", t->name, CU_get_error_msg());
                return 2;
            }
        added++;
    }
    if (!added) {
        fprintf(stderr, "unit: no suite has that name\n");
        return 2;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures(), run = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failed || !run;
}
