/* debugger_rig.c - see debugger_rig.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "debugger/history.h"
#include "tests/unit/debugger_rig.h"
#include "tests/unit/suites.h"

void
rig_open(struct rig *rig, const struct subject *subject)
{
    struct args args = {0};
    int fd;

    memset(rig, 0, sizeof(*rig));
    snprintf(rig->trace, sizeof(rig->trace), "/tmp/hv-back-XXXXXX");
    fd = mkstemp(rig->trace);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    struct launch_options options = {
        .guest = subject->guest,
        .engine = "soft",
        .strategy = subject->strategy,
        .mem = UINT64_C(8) << 20,
        .append = subject->append,
        .console = "null",
        .trace = rig->trace,
        .trace_guest = true,
        .debug_exit_port = PC_DEBUG_EXIT_PORT,
    };
    int rc = launch_open(&rig->launch, &options, &args, &rig->err);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    rig->launch.console.keep = true;
    rc = machine_open_live(&rig->machine, &rig->launch.vm, rig->trace, &rig->err);
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rig->machine.history);
    history_set_step(rig->machine.history, 10000);
}

void
rig_close(struct rig *rig)
{
    machine_close(&rig->machine);
    launch_close(&rig->launch, NULL);
    unlink(rig->trace);
}

void
rig_seek(struct rig *rig, const struct moment *to)
{
    struct stop stop;
    int rc = rig->machine.ops->seek(&rig->machine, to, &stop, &rig->err);

    CU_ASSERT_EQUAL_FATAL(rc, 0);
    CU_ASSERT_EQUAL(stop.why, STOP_DONE);
    CU_ASSERT_EQUAL(moment_compare(&rig->machine.now, to), 0);
}

void
rig_type(struct rig *rig, const struct subject *subject)
{
    if (!subject->type)
        return;
    rig_seek(rig, &(struct moment){.exits = subject->type_at, .edge = EDGE_IN});
    CU_ASSERT_EQUAL(machine_type(&rig->machine, subject->type, strlen(subject->type), &rig->err),
                    0);
}

void
rig_run_to_end(struct rig *rig)
{
    const struct machine_goal goal = {0};
    struct stop stop;

    CU_ASSERT_EQUAL_FATAL(rig->machine.ops->forward(&rig->machine, &goal, &stop, &rig->err), 0);
    CU_ASSERT_EQUAL_FATAL(stop.why, STOP_END);
    CU_ASSERT_EQUAL(rig->machine.result.end, RUN_POWER_OFF);
}
