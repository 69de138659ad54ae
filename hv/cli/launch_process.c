/*
 * launch_process.c - see launch_process.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/guestdir.h"
#include "cli/launch_process.h"
#include "cli/ski_options.h"
#include "engine/engine.h"
#include "strategy/strategy.h"

#define PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

/* The program gets nothing of hv's own environment: what it prints should not depend on it. */
static char *const environment[] = {"PATH=" PATH, "HOME=/", "TERM=linux", NULL};

bool
launch_wants_events(const struct args *args)
{
    static const char *const uses[] = {"trace", "trace-level", "limit", "stats", "top", "gdb"};

    for (unsigned i = 0; i < args->options; i++)
        for (unsigned n = 0; n < ARRAY_SIZE(uses); n++)
            if (!strcmp(args->option[i].desc->name, uses[n]))
                return true;
    return false;
}

int
launch_read_trace_level(struct launch_options *options, const struct args *args, struct error *err)
{
    static const char *const names[] = {"off", "denied", "all"};
    const char *text = args_value(args, "trace-level");

    options->trace_level = launch_wants_events(args) ? PROCESS_TRACE_ALL : PROCESS_TRACE_OFF;
    if (!text)
        return 0;
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(text, names[i])) {
            options->trace_level = (enum process_trace)i;
            return 0;
        }
    return error_set(err, EINVAL, "option '--trace-level' takes off, denied or all, not '%s'",
                     text);
}

bool
launch_find_app(const char *name, char *path, size_t size)
{
    char folder[PATH_MAX];

    if (strchr(name, '/') || !guestdir_find(folder, sizeof(folder)))
        return false;
    return snprintf(path, size, "%s/apps/%s", folder, name) < (int)size && !access(path, X_OK);
}

/* One of our own, a path, or a name that is looked for in PATH. */
static int
find_program(const char *name, char *path, size_t size, struct error *err)
{
    if (launch_find_app(name, path, size))
        return 0;
    if (strchr(name, '/')) {
        snprintf(path, size, "%s", name);
        return 0;
    }
    for (const char *at = PATH; *at; at += strcspn(at, ":"), at += *at == ':')
        if (snprintf(path, size, "%.*s/%s", (int)strcspn(at, ":"), at, name) < (int)size &&
            !access(path, X_OK))
            return 0;
    return error_set(err, ENOENT,
                     "there is no program '%s': give a path, or one of ours ('hv list apps')",
                     name);
}

/* Its standard input and output, instead of a serial line. */
static int
open_files(struct launch *launch, const struct launch_options *options, struct error *err)
{
    const char *what = options->console, *path = NULL;

    if (!strcmp(what, "stdio"))
        return 0;
    if (!strncmp(what, "file:", 5) && what[5])
        path = what + 5;
    else if (!strcmp(what, "null"))
        path = "/dev/null";
    else if (strcmp(what, "stdout"))
        return error_set(err, EINVAL, "'%s': the files of a process are stdio, null or file:PATH",
                         what);
    launch->input = open(options->input ? options->input : "/dev/null", O_RDONLY | O_CLOEXEC);
    if (launch->input >= 0 && options->keep_output)
        launch->output = memfd_create("output", MFD_CLOEXEC);
    else if (launch->input >= 0 && path)
        launch->output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
    if (launch->input < 0 || launch->output < 0)
        return error_set(err, errno, "cannot open '%s': %s",
                         launch->input < 0 && options->input ? options->input
                         : path                              ? path
                                                             : "/dev/null",
                         strerror(errno));
    return 0;
}

/* Without isolation: a program of the host's, as it is. */
static int
plain_program(struct launch *launch, const struct launch_options *options, struct error *err)
{
    if (!options->words)
        return error_set(err, EINVAL, "which program? strategy %s runs one on this host's kernel",
                         launch->vm.strategy->name);
    launch->program = (struct process_spec){
        .path = launch->path, .argv = options->argv, .envp = environment};
    return find_program(options->argv[0], launch->path, sizeof(launch->path), err);
}

/* The path on the host of the program that a guest of ski sees at spec.path, as far as it can be
 * known: for its symbols, and the recording's header. */
static void
host_path(struct launch *launch)
{
    const struct ski_setup *setup = launch->ski_setup;
    const char *path = setup->spec.path;

    if (setup->options.copy)
        snprintf(launch->path, sizeof(launch->path), "%s", setup->options.copy);
    else if (setup->options.app_folder && !strncmp(path, "/apps/", 6))
        snprintf(launch->path, sizeof(launch->path), "%.2000s/%.2000s", setup->options.app_folder,
                 path + 6);
    else
        snprintf(launch->path, sizeof(launch->path), "%.2000s%.2000s",
                 setup->options.rootfs ? setup->options.rootfs : "", path);
}

static int
ski_program(struct launch *launch, const struct launch_options *options, struct error *err)
{
    int rc;

    launch->ski_setup = calloc(1, sizeof(*launch->ski_setup));
    if (!launch->ski_setup)
        return error_set(err, ENOMEM, "no memory for the guest");
    rc = ski_read_options(launch->ski_setup, options->args, 0, err);
    if (rc)
        return rc;
    /* Who looks on names the denial, and answers in the filter's place. */
    if (options->trace_level != PROCESS_TRACE_OFF)
        launch->ski_setup->options.deny = SKI_DENY_TRACE;
    ski_sweep();
    launch->ski = ski_open(&launch->ski_setup->options);
    if (!launch->ski)
        return error_set(err, ENOMEM, "no memory for the guest");
    launch->program = launch->ski_setup->spec;
    launch->vm.process_context = launch->ski;
    host_path(launch);
    return 0;
}

int
launch_process(struct launch *launch, const struct launch_options *options, struct error *err)
{
    struct vm *vm = &launch->vm;
    int rc;

    rc = !strcmp(vm->strategy->name, "ski") ? ski_program(launch, options, err)
                                            : plain_program(launch, options, err);
    if (rc || (rc = open_files(launch, options, err)) ||
        (rc = console_open(&launch->console, "null", err)))
        return rc;
    vm->console = &launch->console;
    vm->program = &launch->program;
    vm->process_input = launch->input > 0 ? launch->input : -1;
    vm->process_output = launch->output > 0 ? launch->output : -1;
    vm->process_trace = options->trace_level;
    if (vm->strategy->prepare && (rc = vm->strategy->prepare(vm, err)))
        return rc;
    vm->vcpu[0].vm = vm;
    return vm->engine_ops->open(vm, err);
}

void
launch_process_close(struct launch *launch)
{
    if (launch->input > 0)
        close(launch->input);
    if (launch->output > 0)
        close(launch->output);
    launch->input = launch->output = 0;
    ski_close(launch->ski);
    free(launch->ski_setup);
    launch->ski = NULL;
    launch->ski_setup = NULL;
}
