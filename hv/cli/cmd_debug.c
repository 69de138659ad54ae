/*
 * cmd_debug.c - `hv debug GUEST`: builds a machine and hands it to the debugger; or opens a
 * recording of one that has ended.
 *
 * Called by main.c through command_debug. Next: prompt.c, script.c, then debugger/debugger.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/launch.h"
#include "cli/prompt.h"
#include "cli/ski_options.h"
#include "debugger/debugger.h"
#include "debugger/recording.h"
#include "tracer/read.h"

/* All that belongs to one `hv debug`. */
struct debugging {
    const struct args *args;
    struct launch_options options;
    struct launch launch;
    struct machine machine;
    struct debugger debugger;
    struct symbols *symbols;
    struct trace trace; /* post mortem */
    bool machine_open, launched, trace_open;
    int recording; /* the temporary recording; -1: none */
    char recording_path[64];
};

/* --- a machine that runs ---------------------------------------------------------------------- */

/* A file without a name: it vanishes with us, however we end. */
static int
make_recording(struct debugging *d, struct error *err)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/hv-XXXXXX", folder && folder[0] ? folder : "/tmp");
    d->recording = mkostemp(path, O_CLOEXEC);
    if (d->recording < 0)
        return error_set(err, errno,
                         "cannot make a temporary recording in '%s': %s; --trace FILE "
                         "says where",
                         path, strerror(errno));
    unlink(path);
    snprintf(d->recording_path, sizeof(d->recording_path), "/proc/self/fd/%d", d->recording);
    d->options.trace = d->recording_path;
    return 0;
}

static int
build(struct debugging *d, struct error *err)
{
    int rc = launch_open(&d->launch, &d->options, d->args, err);

    if (rc)
        return rc;
    d->launched = true;
    rc = machine_open_live(&d->machine, &d->launch.vm, d->options.trace, err);
    if (rc)
        return rc;
    d->machine_open = true;
    d->machine.symbols = d->symbols;
    return 0;
}

static int
tear_down(struct debugging *d, struct error *err)
{
    int rc = 0;

    if (d->machine_open)
        machine_close(&d->machine);
    if (d->launched)
        rc = launch_close(&d->launch, err);
    d->machine_open = d->launched = false;
    return rc;
}

/* debugger->restart. Without a machine there is nothing left to debug. */
static int
restart(struct debugger *debugger, struct error *err)
{
    struct debugging *d = debugger->restart_context;
    int rc;

    prompt_hold_interrupt(true); /* there is no machine to interrupt meanwhile */
    rc = tear_down(d, err);
    if (!rc)
        rc = build(d, err);
    if (!rc)
        prompt_hold_interrupt(false);
    if (rc) {
        debugger->quit = true;
        debugger->status = STATUS_USER;
    }
    return rc;
}

static int
open_live(struct debugging *d, struct error *err)
{
    const char *console = args_value(d->args, "console");
    int rc = ski_check_options(d->args, args_value(d->args, "strategy"), err);

    if (rc || (rc = launch_read_options(&d->options, d->args, err)))
        return rc;
    d->debugger.limits = d->options.limits;
    if (console && !strcmp(console, "stdio"))
        return error_set(err, EINVAL,
                         "the debugger reads standard input itself: 'type TEXT' types into the "
                         "guest, or use --console pty");
    d->options.console = console ? console : "stdout";
    if (!d->options.trace && (rc = make_recording(d, err)))
        return rc;
    d->options.trace_level = PROCESS_TRACE_ALL;
    if ((rc = build(d, err)))
        return rc;
    symbols_open(d->launch.path, &d->symbols, NULL);
    d->machine.symbols = d->symbols;
    d->debugger.restart = restart;
    d->debugger.restart_context = d;
    if (d->debugger.interactive && d->launch.auto_note.message[0])
        cli_error(STATUS_OK, "engine soft, because kvm does not work here: %s",
                  d->launch.auto_note.message);
    if (d->launch.console.name[0])
        fprintf(stderr, "hv: the guest's serial line is %s\n", d->launch.console.name);
    return 0;
}

/* --- a recording ------------------------------------------------------------------------------ */

static int
open_recording(struct debugging *d, const char *path, struct error *err)
{
    int rc = trace_open(&d->trace, path, err->message, sizeof(err->message));

    if (rc)
        return rc;
    d->trace_open = true;
    if ((rc = recording_symbols(&d->symbols, &d->trace, NULL, err)))
        return rc;
    if (err->message[0])
        fprintf(stderr, "hv: %s\n", err->message);
    rc = machine_open_recording(&d->machine, &d->trace, d->symbols, err);
    d->machine_open = rc == 0;
    return rc;
}

/* --- the session ------------------------------------------------------------------------------ */

/* -x FILE and -ex COMMAND, in the order given; the first that fails ends them. */
static int
execute_options(struct debugging *d, struct error *err)
{
    const struct args *args = d->args;
    int rc = 0;

    for (unsigned i = 0; !rc && !d->debugger.quit && i < args->options; i++) {
        const char *name = args->option[i].desc->name, *value = args->option[i].value;
        if (!strcmp(name, "execute")) {
            FILE *file = fopen(value, "re");
            if (!file)
                return error_set(err, errno, "cannot read '%s': %s", value, strerror(errno));
            rc = script_run(&d->debugger, file, err);
            if (rc)
                error_prefix(err, rc, "%s", value);
            fclose(file);
        } else if (!strcmp(name, "ex")) {
            rc = debugger_execute(&d->debugger, value, err);
        }
    }
    return rc;
}

/* Returns hv's status. */
static int
session(struct debugging *d)
{
    struct debugger *debugger = &d->debugger;
    struct error err = {""};
    int rc;

    if (!args_flag(d->args, "nx"))
        script_run_rc(debugger);
    if (debugger->interactive && !debugger->quit) {
        debugger_show_stop(debugger, &(struct stop){.why = STOP_BEGINNING});
        fprintf(debugger->out, "'help' lists the commands, Tab completes them.%s\n",
                d->machine.vm ? " Ctrl-C stops a guest that runs." : "");
    }
    rc = execute_options(d, &err);
    if (rc) {
        fflush(debugger->out);
        cli_error(STATUS_USER, "%s", err.message);
        if (!debugger->interactive)
            return STATUS_USER;
    }
    if (debugger->interactive && !debugger->quit) {
        prompt_run(debugger);
    } else if (!args_flag(d->args, "batch") && !debugger->quit &&
               script_run(debugger, stdin, &err)) {
        fflush(debugger->out);
        return cli_error(STATUS_USER, "%s", err.message);
    }
    return debugger->status;
}

static int
run_debug(const struct args *args)
{
    static const struct debugging empty;
    struct debugging *d = malloc(sizeof(*d));
    const char *trace = args_value(args, "trace"), *no_color = getenv("NO_COLOR");
    struct error err = {""};
    int rc, status = STATUS_USER;

    if (!d)
        return cli_error(STATUS_OURS, "no memory for the debugger");
    *d = empty;
    d->args = args;
    d->recording = -1;
    if ((rc = debugger_open(&d->debugger, &d->machine, stdout, &err)))
        goto out;
    d->debugger.interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
                              !args_flag(args, "batch");
    d->debugger.settings.color = d->debugger.interactive && !(no_color && *no_color);
    d->debugger.ask = prompt_ask;
    if (!args->words && !args_value(args, "bios") && trace)
        rc = open_recording(d, trace, &err);
    else
        rc = open_live(d, &err);
    if (rc)
        goto out;
    if (d->debugger.interactive) /* Ctrl-C ends a script as it ends any program */
        prompt_catch_interrupt(&d->machine);
    status = session(d);
    if (d->debugger.interactive)
        prompt_catch_interrupt(NULL);
out:
    fflush(stdout);
    if (rc)
        cli_error(STATUS_USER, "%s", err.message);
    debugger_close(&d->debugger);
    if (tear_down(d, &err) && !rc)
        status = cli_error(STATUS_USER, "%s", err.message);
    if (d->trace_open)
        trace_close(&d->trace);
    symbols_close(d->symbols);
    if (d->recording >= 0)
        close(d->recording);
    free(d);
    return status;
}

static const struct option_desc options[] = {
    {"execute", 'x', "FILE", "Execute the lines of FILE; may be repeated."},
    {"ex", 0, "COMMAND", "Execute one command; may be repeated, in order with -x."},
    {"batch", 'b', NULL, "End when -x and -ex are done; never ask."},
    {"nx", 'n', NULL, "Do not read the rc file."},
    {NULL},
};

const struct command command_debug = {
    .name = "debug",
    .words = "[GUEST | PROGRAM [ARGUMENT]...]",
    .max = ARGS_MAX,
    .summary = "Step through a guest: by instruction, line or exit, forwards and backwards.",
    .text =
        "GUEST is as in 'hv run'. 'help' at the prompt lists the commands; docs/gen/debugger.md\n"
        "and the manual page have them, too. The guest's serial line is printed between them;\n"
        "'type TEXT' types into it. Ctrl-C stops a guest that runs.\n\n"
        "hv debug --trace FILE without a GUEST opens a recording: all commands that look\n"
        "work, and exits can be walked both ways. With a GUEST it is where to record.\n\n"
        "Commands come from -x and -ex, then from standard input. If that is no terminal\n"
        "there is no prompt and no repetition, and the first command that fails ends hv\n"
        "with status 1; otherwise the status is 0, or that of 'quit STATUS'. Before all,\n"
        "$XDG_CONFIG_HOME/hv/rc (~/.config/hv/rc) is read, never a file of the working\n"
        "folder.\n",
    .options = {launch_option_table, options, ski_option_table},
    .run = run_debug,
};
