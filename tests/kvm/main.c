/*
 * main.c - tests of the kvm engine on a real KVM: `make check-kvm` runs them in a machine that has
 * one; where /dev/kvm opens they run anywhere: build/MODE/kvm-tests [SUITE...].
 *
 * Where the probe guest fails, the suite that needs long mode is left out, and said so. Status 77:
 * there is no KVM at all.
 */
#include <stdio.h>

#include "engine/engine.h"
#include "engine/engines.h"
#include "tests/kvm/machine.h"
#include "tests/kvm/suites.h"

static const struct unit_suite *const suites[] = {
    &suite_kvm_exits, &suite_kvm_time, &suite_kvm_step,
    &suite_kvm_long, /* the last: left out if the probe fails */
};

int
main(int argc, char **argv)
{
    unsigned count = sizeof(suites) / sizeof(suites[0]);
    struct vm vm = {0};
    struct error err;

    if (ram_create(&vm.ram, RAM_MIN, &err) || engine_kvm.open(&vm, &err)) {
        fprintf(stderr, "kvm-tests: %s\n", err.message);
        return 77;
    }
    engine_kvm.close(&vm);
    ram_destroy(&vm.ram);
    if (engine_kvm.probe(&err)) {
        printf("kvm-tests: long mode is left out: %s\n", err.message);
        count--;
    }
    return unit_run(suites, count, argc, argv);
}
