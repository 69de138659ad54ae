/*
 * main.c - runs every suite, or those whose name is given; ends with CUnit's summary.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <CUnit/Basic.h>

#include "tests/unit/suites.h"

static const struct unit_suite *const suites[] = {
    &suite_base,
    &suite_cli,
    &suite_isa_disasm,
    &suite_regs,
    &suite_tracer_record,
    &suite_loader_real,
    &suite_loader_elf,
    &suite_loader_multiboot,
    &suite_loader_linux,
};

static bool
wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc == 1;
}

int
main(int argc, char **argv)
{
    unsigned added = 0;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
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
