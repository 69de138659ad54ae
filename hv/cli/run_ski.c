/*
 * run_ski.c - `hv run --strategy ski -- PROGRAM ARGS`: isolates a process, waits for it, says how it
 * ended; `--explain` prints the steps instead.
 *
 * Called by cmd_run.c. Next: strategy/ski/steps.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/run_ski.h"
#include "cli/ski_options.h"

static void
print_steps(void)
{
    static const char *const who[] = {"supervisor", "first process", "program"};
    static const char *const chapters[] = {
        NULL,
        "prepare, then a process in new namespaces",
        "what only the outside can give it",
        "who it is",
        "names and lo",
        "its file system",
        "its clocks, its descriptors, pid 1",
        "the program: privileges go last",
    };
    unsigned chapter = 0;

    for (const struct ski_step *s = ski_steps; s->name; s++) {
        const char *layer = "";
        for (const struct ski_layer *l = ski_layers; l->name; l++)
            if (l->bit == s->layer)
                layer = l->name;
        if (s->chapter != chapter)
            printf("%s%u. %s (%s)\n", chapter ? "\n" : "", s->chapter, chapters[s->chapter],
                   who[s->who]);
        chapter = s->chapter;
        printf("   %-9s  %s\n              %s\n", s->name, s->call, s->stops);
        if (layer[0])
            printf("              --without %s leaves it out\n", layer);
    }
    printf("\nLayers, for --without:\n");
    for (const struct ski_layer *l = ski_layers; l->name; l++)
        printf("   %-9s  %s\n", l->name, l->text);
}

static volatile sig_atomic_t signal_caught;

static void
on_signal(int number)
{
    signal_caught = number;
}

/* A signal to hv ends the guest, which is in a session of its own and would not see it. */
static void
catch_signals(void (*handler)(int))
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = handler};

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

/* Until the guest has ended: 0; or a signal has come: -EINTR. One that comes between the question and
 * the waiting would be waited over, so it has to wait itself until ppoll() lets it in. */
static int
await_end(pid_t first)
{
    struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, first, 0), .events = POLLIN};
    sigset_t all, was;
    int ready = 0;

    if (p.fd < 0)
        return signal_caught ? -EINTR : 0; /* ski_wait() waits */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &was);
    while (!signal_caught && ready <= 0)
        ready = ppoll(&p, 1, NULL, &was);
    sigprocmask(SIG_SETMASK, &was, NULL);
    close(p.fd);
    return ready > 0 ? 0 : -EINTR;
}

/* What only a traced run has a use for (launch_wants_events() sends the rest there). */
static int
check_options(const struct args *args, struct error *err)
{
    const char *engine = args_value(args, "engine");
    int rc = ski_check_options(args, "ski", err);

    if (rc)
        return rc;
    if (args_flag(args, "console"))
        return error_set(err, EINVAL,
                         "option '--console' is for a guest with a machine of its own; a process "
                         "has hv's own input and output");
    if (args_flag(args, "trace-guest"))
        return error_set(err, EINVAL,
                         "--trace-guest needs --engine soft; strategy ski has --trace");
    if (engine && strcmp(engine, "auto") && strcmp(engine, "host"))
        return error_set(err, EINVAL,
                         "strategy ski runs a process of this host's kernel: engine host, not %s",
                         engine);
    return 0;
}

int
run_ski(const struct args *args)
{
    struct ski_setup setup;
    struct error err = {""};
    struct ski *ski;
    int status = STATUS_OURS, rc;
    pid_t first = 0;

    if (args_flag(args, "explain")) {
        print_steps();
        return STATUS_OK;
    }
    if (check_options(args, &err) || ski_read_options(&setup, args, 0, &err))
        return cli_error(STATUS_USER, "%s", err.message);
    ski_sweep();
    ski = ski_open(&setup.options);
    if (!ski)
        return cli_error(STATUS_OURS, "no memory");

    /* Ready before the guest is: it must not outlive us because a signal came in between. */
    catch_signals(on_signal);
    rc = ski_start(ski, &setup.spec, NULL, &first, &err);
    if (!rc && ski_degraded(ski)[0])
        fprintf(stderr, "hv: %s\n", ski_degraded(ski));
    if (!rc)
        rc = await_end(first);
    if (!rc)
        rc = ski_wait(ski, &status, &err);
    catch_signals(SIG_DFL);
    uint64_t killed = ski_oom_kills(ski);
    ski_close(ski);
    if (rc == -EINTR)
        return STATUS_SIGNAL + signal_caught;
    if (rc)
        return cli_error(STATUS_USER, "%s", err.message);
    if (killed)
        fprintf(stderr, "hv: the guest used up its memory: %" PRIu64 " killed (--mem)\n", killed);
    return status;
}
