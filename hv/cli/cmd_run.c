/*
 * cmd_run.c - `hv run GUEST`: builds a machine, runs it to its end, says how it ended.
 *
 * Called by main.c through command_run. Next: launch.c, then core/run.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/launch.h"
#include "cli/launch_process.h"
#include "cli/run_gdb.h"
#include "cli/run_ski.h"
#include "cli/ski_options.h"
#include "cli/ski_options.h"
#include "cli/tables.h"
#include "cli/top.h"
#include "engine/engine.h"
#include "strategy/strategy.h"

/* hv's own exit status for the end of a run. */
static int
status_of(const struct run_result *result)
{
    switch (result->end) {
    case RUN_POWER_OFF: return result->status;
    case RUN_RESET: return STATUS_OK;
    case RUN_HALTED: return STATUS_OK;
    case RUN_SHUTDOWN:
    case RUN_REFUSED: return STATUS_USER;
    case RUN_LIMIT: return STATUS_LIMIT;
    case RUN_INJECT:
    case RUN_DEBUG: return STATUS_OK;
    case RUN_STOPPED: return launch_signal() ? STATUS_SIGNAL + launch_signal() : STATUS_OK;
    case RUN_FAILED: return STATUS_OURS;
    }
    return STATUS_OURS;
}

/* "hv: the guest powered off with status 1 after 72 exits (soft, hardware)" */
static void
say_how_it_ended(const struct vm *vm, const struct run_result *result)
{
    const char *more = result->message.message;

    fprintf(stderr, "hv: %s",
            result->end == RUN_POWER_OFF && vm->engine_ops->caps & CAP_PROCESS
                ? "the program ended"
                : run_end_text(result->end));
    if (result->end == RUN_POWER_OFF)
        fprintf(stderr, " with status %d", result->status);
    if (more[0])
        fprintf(stderr, ": %s", more);
    fprintf(stderr, " (%" PRIu64 " exit%s, engine %s, strategy %s)\n", vm->exits,
            vm->exits == 1 ? "" : "s", vm->engine_ops->name, vm->strategy->name);
}

/* How many exits of each kind, the most frequent first. */
static void
print_counts(const struct vm *vm)
{
    uint64_t left[TRACE_KIND_COUNT];

    memcpy(left, vm->exits_by_kind, sizeof(left));
    fprintf(stderr, "%12s %6s  exit\n", "count", "share");
    for (;;) {
        unsigned most = 0;
        for (unsigned k = 1; k < TRACE_KIND_COUNT; k++)
            if (left[k] > left[most])
                most = k;
        if (!left[most])
            break;
        fprintf(stderr, "%12" PRIu64 " %5.1f%%  %-14s %s\n", left[most],
                100.0 * (double)left[most] / (double)vm->exits, trace_kinds[most].name,
                trace_kinds[most].text);
        left[most] = 0;
    }
    for (unsigned space = 0; space < BUS_SPACES; space++)
        if (vm->bus.unclaimed[space])
            fprintf(stderr, "%12" PRIu64 "         accesses to %s that no device has\n",
                    vm->bus.unclaimed[space], space == BUS_PORT ? "ports" : "physical addresses");
}

/* --top takes the terminal, so that the guest's serial line cannot have it. */
static int
check_top(const struct args *args, struct launch_options *options, struct error *err)
{
    bool given = args_value(args, "console") != NULL;

    if (args_value(args, "gdb"))
        return error_set(err, EINVAL, "--top and --gdb do not go together");
    if (!isatty(STDERR_FILENO))
        return error_set(err, EINVAL,
                         "--top draws on a terminal, and standard error is none: "
                         "--stats prints the counts at the end");
    if (given && !strncmp(options->console, "std", 3) &&
        (isatty(STDOUT_FILENO) || isatty(STDIN_FILENO)))
        return error_set(err, EINVAL,
                         "--top and the guest's serial line cannot share a terminal: "
                         "take --console pty, null or file:PATH");
    if (!given && isatty(STDOUT_FILENO))
        options->console = "null";
    else if (!given)
        options->console = "stdout";
    return 0;
}

static int
run_machine(const struct args *args)
{
    struct launch_options options;
    struct launch launch;
    struct top top = {.running = false};
    struct run_result result = {.end = RUN_FAILED};
    struct error err = {""};
    int failed = 0;

    /* 1. Build the machine and load the guest. */
    if (ski_check_options(args, args_value(args, "strategy"), &err) ||
        launch_read_options(&options, args, &err) ||
        (args_flag(args, "top") && check_top(args, &options, &err)) ||
        launch_open(&launch, &options, args, &err))
        return cli_error(STATUS_USER, "%s", err.message);
    if (launch.auto_note.message[0])
        cli_error(STATUS_OK, "engine soft, because kvm does not work here: %s",
                  launch.auto_note.message);
    if (launch.console.raw)
        fputs("hv: the terminal is the guest's now; Ctrl-A x ends the run\n", stderr);
    if (launch.console.name[0])
        fprintf(stderr, "hv: the guest's serial line is %s\n", launch.console.name);

    /* 2. Run it until it ends, the budget is used up, or a signal comes. */
    struct top_about about = {options.guest ? options.guest : options.bios,
                              launch.console.name[0] ? launch.console.name : options.console};
    launch_catch_signals(&launch.vm);
    if (args_flag(args, "top"))
        failed = top_start(&top, &launch.vm, &about, &err);
    if (!failed && args_value(args, "gdb"))
        failed = run_gdb(&launch, &options, args_value(args, "gdb"), &result, &err);
    else if (!failed)
        vm_run(&launch.vm, &options.limits, &result);
    launch_catch_signals(NULL);
    top_stop(&top);
    if (failed == -EINTR)
        result.end = RUN_STOPPED;
    else if (failed) {
        launch_close(&launch, NULL);
        return cli_error(STATUS_USER, "%s", err.message);
    }

    /* 3. Restore the terminal, then say how it ended. */
    int lost = launch_close(&launch, &err);
    say_how_it_ended(&launch.vm, &result);
    if (args_flag(args, "stats"))
        print_counts(&launch.vm);
    if (lost)
        return cli_error(launch_signal() ? status_of(&result) : STATUS_USER, "%s", err.message);
    return status_of(&result);
}

static int
run_run(const struct args *args)
{
    if (args_flag(args, "list-exits")) {
        print_exit_table(stdout);
        return STATUS_OK;
    }
    if (args_flag(args, "explain") ||
        (args_value(args, "strategy") && !strcmp(args_value(args, "strategy"), "ski") &&
         !launch_wants_events(args)))
        return run_ski(args);
    return run_machine(args);
}

static const struct option_desc options[] = {
    {"stats", 'v', NULL, "Print how many exits of each kind there were."},
    {"top", 0, NULL, "Show meanwhile which exits there are, refreshed each second."},
    {"gdb", 'g', "WHERE",
     "Wait for gdb at :PORT, HOST:PORT or unix:PATH before the first instruction."},
    {"list-exits", 0, NULL, "Print which exits each engine can show, and run nothing."},
    {NULL},
};

const struct command command_run = {
    .name = "run",
    .words = "GUEST | -- PROGRAM ARGS",
    .max = ARGS_MAX,
    .summary = "Run a guest.",
    .text =
        "GUEST is a file, or the name of one of our own ('hv list guests'). Its format is\n"
        "seen from its bytes. The guest's serial line is the terminal; Ctrl-A x ends the\n"
        "run, Ctrl-A Ctrl-A types one Ctrl-A.\n\n"
        "On engine soft nobody waits in vain: when no more input can come (</dev/null), a\n"
        "guest that sleeps until its timer is taken there at once, and its clock with it. A\n"
        "guest that never ends then makes exits as fast as it can: say --limit.\n\n"
        "@FILE on this command line, as on every other, stands for options in a file: a line\n"
        "'mem 16M' is --mem 16M, 'guest FILE' is the GUEST, '#' begins a comment.\n\n"
        "With --strategy ski there is no machine: PROGRAM is a process of this host's\n"
        "kernel, kept apart by namespaces, a root file system, a filter of system calls\n"
        "and limits (--explain). A bare name is one of guests/apps, else what the guest\n"
        "has in /bin; /PATH is the guest's; ./FILE is a file of the host's, copied. --mem\n"
        "is 64M then, and the status the program's own, or 128 + its signal.\n\n"
        "With --top the terminal shows which exits the guest makes now, and how many a second;\n"
        "the guest's serial line then goes nowhere unless --console says where.\n\n"
        "Status: the guest's own if it ends by itself ((v << 1) | 1 for a byte v written to\n"
        "the debug-exit port, 0 after HLT with nothing to wake it or a reset); 1 for what\n"
        "you can mend, also a triple fault of the guest; 2 if the engine cannot go on;\n"
        "124 when --limit is used up; 128 + N after signal N.\n",
    .options = {launch_option_table, options, ski_option_table},
    .run = run_run,
};
