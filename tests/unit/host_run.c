/* host_run.c - see host_run.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/engine.h"
#include "strategy/strategy.h"
#include "tests/unit/host_run.h"
#include "tracer/record.h"

#define SECONDS 120 /* for one run; it needs far less than one */

/* --- a strategy that isolates nothing ------------------------------------------------------------- */

static int
attach(struct vcpu *vcpu, struct error *err)
{
    (void)vcpu;
    (void)err;
    return 0;
}

static enum strategy_verdict
pass(struct vcpu *vcpu, struct run_result *result)
{
    (void)vcpu;
    (void)result;
    return STRATEGY_PASS;
}

static const struct strategy_ops plain = {
    .abi = STRATEGY_ABI, .name = "plain", .needs = CAP_PROCESS, .attach = attach, .on_exit = pass};

int
host_run_begin(struct host_run *run, const char *path, char *const argv[], enum process_trace level)
{
    static char *const envp[] = {"PATH=/bin:/usr/bin", NULL};

    memset(run, 0, sizeof(*run));
    alarm(SECONDS);
    run->spec = (struct process_spec){.path = path, .argv = argv, .envp = envp};
    run->vm.vcpu[0].vm = &run->vm;
    run->vm.engine_ops = engine_find("host");
    run->vm.strategy = &plain;
    run->vm.program = &run->spec;
    run->vm.process_trace = level;
    run->vm.process_input = open("/dev/null", O_RDWR | O_CLOEXEC);
    run->vm.process_output = run->vm.process_input;
    int rc = run->vm.engine_ops->open(&run->vm, &run->err);
    run->open = rc == 0;
    return rc;
}

void
host_run_end(struct host_run *run)
{
    if (run->vm.recorder)
        recorder_close(run->vm.recorder);
    if (run->open)
        run->vm.engine_ops->close(&run->vm);
    close(run->vm.process_input);
    if (run->path[0])
        unlink(run->path);
    alarm(0);
}
