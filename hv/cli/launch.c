/*
 * launch.c - builds the machine that the command line describes, in the order of a PC's power-on:
 * memory, guest image, board, processor, console, and who watches.
 *
 * Called by cmd_run.c, cmd_debug.c and compare_round.c. Next: core/run.c, which runs it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/date.h"
#include "cli/guestdir.h"
#include "cli/launch.h"
#include "cli/launch_process.h"
#include "engine/engine.h"
#include "loader/loader.h"
#include "loader/symbols.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

#define MEM_DEFAULT (UINT64_C(128) << 20)

/* clang-format off */
const struct option_desc launch_option_table[] = {
    {"engine", 'e', "ENGINE", "What executes the guest: kvm, soft, host, or auto, which tries kvm (auto)."},
    {"strategy", 's', "STRATEGY", "How sensitive operations are virtualized (hardware); a file: a plug-in."},
    {"loader", 0, "LOADER", "Take this loader instead of the one that knows the file's format."},
    {"load-at", 0, "ADDRESS", "Where a flat image goes and starts."},
    {"mem", 'm', "SIZE", "The guest's memory, 1M to 3G (128M)."},
    {"bios", 0, "FILE", "Start this firmware ROM at the reset vector; there is no GUEST then."},
    {"disk", 0, "FILE", "Disk image that BIOS services read from (the boot sector's own file)."},
    {"initrd", 0, "FILE", "First root file system, for guests that take one."},
    {"date", 0, "DATE", "What the guest's clock starts at, UTC: 2025-01-31T23:59:58 (2025-01-01)."},
    {"append", 'a', "TEXT", "The guest's command line."},
    {"console", 'c', "WHERE", "The serial line: stdio, pty, null, or file:PATH (stdio)."},
    {"debug-exit-port", 0, "PORT", "A byte v written here ends the run with status (v << 1) | 1 (0xf4)."},
    {"trace", 't', "FILE", "Record every exit and entry in FILE; 'hv trace FILE' reads it."},
    {"trace-level", 0, "LEVEL", "Of a process: off, denied, or all its system calls (all with --trace)."},
    {"trace-guest", 0, NULL, "Record transfers inside the guest too (engine soft)."},
    {"limit", 'l', "WHAT=N", "End after exits=N or instructions=N; may be repeated."},
    {NULL},
};
/* clang-format on */

/* --- the options ---------------------------------------------------------------------------- */

/* "exits=N" or "instructions=N". */
static int
read_limit(struct run_limits *limits, const char *text, struct error *err)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    uint64_t *limit;

    if (length == 5 && !memcmp(text, "exits", length))
        limit = &limits->exits;
    else if (length == 12 && !memcmp(text, "instructions", length))
        limit = &limits->instructions;
    else
        return error_set(err, EINVAL, "option '--limit' takes exits=N or instructions=N, not '%s'",
                         text);
    int rc = parse_number(equals + 1, limit, err);
    if (rc)
        return error_prefix(err, rc, "option '--limit'");
    if (!*limit)
        return error_set(err, EINVAL,
                         "option '--limit': 0 would run nothing; leave it out for no "
                         "limit");
    return 0;
}

int
launch_read_options(struct launch_options *options, const struct args *args, struct error *err)
{
    const char *text;
    int rc;

    memset(options, 0, sizeof(*options));
    options->args = args;
    options->words = args->words;
    for (unsigned i = 0; i < args->words; i++)
        options->argv[i] = (char *)(uintptr_t)args->word[i];
    options->guest = args->words ? args->word[0] : NULL;
    options->bios = args_value(args, "bios");
    if (!options->guest == !options->bios)
        return error_set(err, EINVAL,
                         options->guest
                             ? "--bios starts a ROM instead of a guest: give one of the two"
                             : "which guest? Give a file, or a name that 'hv list guests' shows");
    options->engine = (text = args_value(args, "engine")) ? text : "auto";
    options->strategy = (text = args_value(args, "strategy")) ? text : "hardware";
    options->loader = args_value(args, "loader");
    options->disk = args_value(args, "disk");
    options->initrd = args_value(args, "initrd");
    options->append = (text = args_value(args, "append")) ? text : "";
    options->console = (text = args_value(args, "console")) ? text : "stdio";
    options->trace = args_value(args, "trace");
    options->trace_guest = args_flag(args, "trace-guest");
    if ((rc = launch_read_trace_level(options, args, err)))
        return rc;
    options->mem = MEM_DEFAULT;
    options->debug_exit_port = PC_DEBUG_EXIT_PORT;
    options->load_at_given = args_flag(args, "load-at");
    if (options->trace_guest && !options->trace)
        return error_set(err, EINVAL, "--trace-guest needs --trace FILE to record in");
    if ((rc = args_size(args, "mem", &options->mem, err)) ||
        (rc = args_number(args, "debug-exit-port", &options->debug_exit_port, err)) ||
        (rc = args_number(args, "load-at", &options->load_at, err)))
        return rc;
    if ((text = args_value(args, "date")) && (rc = parse_date(text, &options->date, err)))
        return error_prefix(err, rc, "option '--date'");
    if (!options->debug_exit_port || options->debug_exit_port > 0xffff)
        return error_set(err, EINVAL, "option '--debug-exit-port': a port is 1 to 0xffff");
    for (unsigned n = 0; (text = args_nth(args, "limit", n)); n++)
        if ((rc = read_limit(&options->limits, text, err)))
            return rc;
    return 0;
}

/* --- the machine ---------------------------------------------------------------------------- */

/* "'kwm' is not an engine; did you mean 'kvm'?" */
static int
not_in_table(const char *kind, const char *typed, const char *const *names, unsigned count,
             struct error *err)
{
    const char *near = nearest_name(typed, names, count);

    if (near)
        return error_set(err, EINVAL, "there is no %s '%s'; did you mean '%s'?", kind, typed, near);
    return error_set(err, EINVAL, "there is no %s '%s'; 'hv list' shows them", kind, typed);
}

/*
 * auto takes host for a strategy about a process; kvm if its probe guest ran (a /dev/kvm that opens
 * is not one that works), else soft, which runs everywhere, and notes why.
 */
static int
choose_engine(struct launch *launch, const struct launch_options *options, struct error *err)
{
    const char *names[ARGS_MAX] = {"auto"}, *name = options->engine;
    unsigned count = 1;

    if (!strcmp(name, "auto") && launch->vm.strategy->needs & CAP_PROCESS)
        name = "host";
    if (!strcmp(name, "auto")) {
        const struct engine_ops *kvm = engine_find("kvm");
        launch->vm.engine_ops = kvm && !kvm->probe(&launch->auto_note) ? kvm : engine_find("soft");
        if (launch->vm.engine_ops == kvm)
            launch->auto_note.message[0] = 0;
        return 0;
    }
    launch->vm.engine_ops = engine_find(name);
    if (!launch->vm.engine_ops) {
        for (const struct engine_ops *const *e = engine_table; *e && count < ARGS_MAX; e++)
            names[count++] = (*e)->name;
        return not_in_table("engine", name, names, count, err);
    }
    if (launch->vm.engine_ops->probe) {
        int rc = launch->vm.engine_ops->probe(err);
        if (rc)
            return error_prefix(err, rc, "engine %s", name);
    }
    return 0;
}

static int
choose_strategy(struct launch *launch, const struct launch_options *options, struct error *err)
{
    const char *names[ARGS_MAX];
    unsigned count = 0;

    if (strategy_is_path(options->strategy)) {
        launch->vm.strategy = strategy_load(options->strategy, err);
        if (!launch->vm.strategy)
            return -EINVAL;
    } else {
        launch->vm.strategy = strategy_find(options->strategy);
    }
    if (!launch->vm.strategy) {
        for (const struct strategy_ops *const *s = strategy_table; *s && count < ARGS_MAX; s++)
            names[count++] = (*s)->name;
        return not_in_table("strategy", options->strategy, names, count, err);
    }
    return 0;
}

/* Can the engine do what the strategy and the other options need? */
static int
check_engine(struct launch *launch, const struct launch_options *options, struct error *err)
{
    const struct engine_ops *engine = launch->vm.engine_ops;

    if (options->words > 1 && !(launch->vm.strategy->needs & CAP_PROCESS))
        return error_set(err, EINVAL,
                         "a guest of strategy %s takes no words ('%s'): its command line goes in "
                         "--append",
                         launch->vm.strategy->name, options->argv[1]);
    if (options->trace_guest && !(engine->caps & CAP_TRACE_GUEST))
        return error_set(err, ENOTSUP,
                         "engine %s cannot show transfers inside the guest: "
                         "--trace-guest needs --engine soft",
                         engine->name);
    if (options->limits.instructions && !(engine->caps & CAP_ICOUNT))
        return error_set(err, ENOTSUP,
                         "engine %s does not count instructions: --limit "
                         "instructions=N needs --engine soft",
                         engine->name);
    launch->vm.trace_guest = options->trace_guest;
    return strategy_check(launch->vm.strategy, engine, err);
}

/* Reads the guest's files; the loader that knows the format puts them into memory. */
static int
load_guest(struct launch *launch, const struct launch_options *options, bool *bios,
           struct error *err)
{
    struct guest_image image = {
        .path = launch->path,
        .command_line = options->append,
        .firmware = options->bios,
        .entry_given = options->load_at_given,
        .load_at = options->load_at,
    };
    int rc;

    guestdir_resolve(options->bios ? options->bios : options->guest, launch->path,
                     sizeof(launch->path));
    rc = read_file(launch->path, RAM_MAX, &launch->data, &launch->size, err);
    if (rc == -ENOENT && options->guest && !strchr(options->guest, '/'))
        return error_set(err, ENOENT,
                         "there is no file '%s' here, and no guest of that name "
                         "('hv list guests')",
                         options->guest);
    if (!rc && options->disk)
        rc = read_file(options->disk, RAM_MAX, &launch->disk, &launch->disk_size, err);
    if (!rc && options->initrd)
        rc = read_file(options->initrd, RAM_MAX, &launch->initrd, &launch->initrd_size, err);
    if (rc)
        return rc;
    image.data = launch->data;
    image.size = launch->size;
    image.initrd = launch->initrd;
    image.initrd_size = launch->initrd_size;
    launch->loader = loader_find(&image, options->loader, err);
    if (!launch->loader)
        return -EINVAL;
    x86_regs_reset(&launch->regs);
    return launch->loader->load(&image, &launch->vm.ram, &launch->regs, bios, err);
}

/* hv's command line as the user typed it; cut if it is very long. */
static void
command_line(const struct args *args, char *text, size_t size)
{
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < args->argc && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", args->argv[i]);
}

static int
open_recording(struct launch *launch, const struct launch_options *options, const struct args *args,
               struct error *err)
{
    char command[1024], build_id[64] = "";
    struct trace_about about = {
        .engine = launch->vm.engine_ops->name,
        .strategy = launch->vm.strategy->name,
        .guest = launch->path,
        .build_id = build_id,
        .command = command,
    };
    struct symbols *symbols;
    int rc;

    if (!options->trace)
        return 0;
    if (!symbols_open(launch->path, &symbols, NULL)) {
        symbols_build_id(symbols, build_id, sizeof(build_id));
        symbols_close(symbols);
    }
    command_line(args, command, sizeof(command));
    rc = recorder_open(&launch->vm.recorder, options->trace, &about, err->message,
                       sizeof(err->message));
    if (!rc)
        vm_name_actors(&launch->vm);
    return rc;
}

/* The steps, in order. What was done stays for launch_close() to undo. */
static int
build(struct launch *launch, const struct launch_options *options, const struct args *args,
      struct error *err)
{
    struct vm *vm = &launch->vm;
    struct pc_options board = {.debug_exit_port = (uint16_t)options->debug_exit_port,
                               .date = options->date};
    int rc;

    /* 1. Who executes, and how sensitive operations are virtualized. */
    if ((rc = choose_strategy(launch, options, err)) ||
        (rc = choose_engine(launch, options, err)) || (rc = check_engine(launch, options, err)))
        return rc;
    if (vm->engine_ops->caps & CAP_PROCESS) { /* no memory of its own, no board, no processor */
        if ((rc = launch_process(launch, options, err)))
            return rc;
        goto watch;
    }

    /* 2. Memory, with the guest in it. */
    if ((rc = vm_create(vm, options->mem, err)) ||
        (rc = load_guest(launch, options, &board.as_after_bios, err)))
        return rc;

    /* 3. The board: the console first, because the UART writes to it. A boot sector's own file is
     * the disk that it reads more of itself from. */
    board.disk = launch->disk ? launch->disk : launch->data;
    board.disk_size = launch->disk ? launch->disk_size : launch->size;
    if ((rc = console_open(&launch->console, options->console, err)))
        return rc;
    vm->console = &launch->console;
    launch->console.stop = &vm->asked;
    if ((rc = pc_create(vm, &board, &launch->pc, err)))
        return rc;

    /* 4. The processor, in the state that the loader asks for. */
    if ((vm->strategy->prepare && (rc = vm->strategy->prepare(vm, err))) ||
        (rc = vm->engine_ops->open(vm, err)) ||
        (rc = vm->engine_ops->set_regs(&vm->vcpu[0], &launch->regs, err)))
        return rc;

    /* 5. Who watches: the recorder first, to see what the strategy does. */
watch:
    if ((rc = open_recording(launch, options, args, err)) ||
        (rc = vm->strategy->attach(&vm->vcpu[0], err)))
        return rc;
    launch->attached = true;
    return 0;
}

int
launch_open(struct launch *launch, const struct launch_options *options, const struct args *args,
            struct error *err)
{
    memset(launch, 0, sizeof(*launch));
    launch->console.in = launch->console.out = -1;
    int rc = build(launch, options, args, err);
    if (rc)
        launch_close(launch, NULL);
    return rc;
}

int
launch_close(struct launch *launch, struct error *err)
{
    struct vm *vm = &launch->vm;
    int rc = 0, lost;

    if (launch->attached && vm->strategy->detach)
        vm->strategy->detach(&vm->vcpu[0]);
    if (vm->recorder) {
        uint64_t events = recorder_lost(vm->recorder);
        rc = recorder_close(vm->recorder);
        if (events)
            rc = error_set(err, ENOSPC,
                           "the recording lacks its last %" PRIu64 " events: the "
                           "disk is full",
                           events);
        else if (rc)
            rc = error_set(err, -rc, "the recording could not be closed: %s", strerror(-rc));
    }
    if (vm->engine)
        vm->engine_ops->close(vm);
    launch_process_close(launch);
    pc_destroy(launch->pc);
    console_close(&launch->console);
    lost = console_status(&launch->console, rc ? NULL : err);
    console_free(&launch->console);
    vm_destroy(vm);
    free(launch->data);
    free(launch->initrd);
    free(launch->disk);
    launch->data = launch->initrd = launch->disk = NULL;
    return rc ? rc : lost;
}

/* --- signals -------------------------------------------------------------------------------- */

/* What a handler may touch; set before it can run. */
static struct vm *volatile signal_vm;
static volatile sig_atomic_t signal_seen;

static void
on_signal(int number)
{
    struct vm *vm = signal_vm;

    signal_seen = number;
    if (vm) {
        vm->asked = 1;
        vm->stop = 1;
        if (vm->engine)
            vm->engine_ops->kick(&vm->vcpu[0]);
    }
}

void
launch_catch_signals(struct vm *vm)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = vm ? on_signal : SIG_DFL};

    /* No SA_RESTART: an ioctl or a poll that waits must come back. */
    signal_vm = vm;
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

int
launch_signal(void)
{
    return signal_seen;
}
