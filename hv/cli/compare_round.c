/*
 * compare_round.c - one run for `hv compare`, in a child process: so each begins with the same
 * memory, what it takes can be seen, and one that crashes takes no other with it.
 *
 * The engine's functions are wrapped to tell the guest's time from the VMM's: run() is the guest,
 * sleeping in HLT is neither, all else is the VMM. Reading the clock twice costs about 50 ns an
 * exit, which is part of the VMM's time.
 *
 * Called by cmd_compare.c and compare_nano.c. Next: launch.c, core/run.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/compare.h"
#include "cli/guestdir.h"
#include "engine/engine.h"
#include "strategy/strategy.h"

/* --- the engine, with a clock ------------------------------------------------------------------- */

struct timed_engine {
    struct engine_ops ops; /* first: vm->engine_ops points here */
    const struct engine_ops *inner;
    uint64_t guest_ns, waiting_ns;
    uint64_t idle_since; /* now, when idle() asked for the guest's time */
    uint64_t stop_at;    /* instructions: then note the time; UINT64_MAX: not again */
    uint64_t reached;    /* that time */
};

static struct timed_engine *
timed_of(const struct vcpu *vcpu)
{
    return (struct timed_engine *)(uintptr_t)vcpu->vm->engine_ops;
}

/* An engine that does not count: a strategy that keeps the mode itself knows. */
static bool
enters_user(struct vcpu *vcpu)
{
    const struct strategy_ops *strategy = vcpu->vm->strategy;

    return !(timed_of(vcpu)->inner->caps & CAP_ICOUNT) && strategy->in_user &&
           strategy->in_user(vcpu);
}

/* Runs to stop_at first, if it lies ahead: the run loop does not see that stop. */
static int
run_to_mark(struct timed_engine *t, struct vcpu *vcpu, uint64_t deadline, uint64_t *budget,
            struct error *err)
{
    uint64_t done = t->inner->icount(vcpu), room = t->stop_at > done ? t->stop_at - done : 0;
    int rc = 0;

    if (*budget <= room)
        return t->inner->run(vcpu, deadline, *budget, err);
    if (room) {
        rc = t->inner->run(vcpu, deadline, room, err);
        if (rc || vcpu->exit.kind != TRACE_LIMIT)
            return rc;
        *budget -= *budget == UINT64_MAX ? 0 : room;
    }
    t->stop_at = UINT64_MAX;
    t->reached = now_ns();
    return t->inner->run(vcpu, deadline, *budget, err);
}

static int
timed_run(struct vcpu *vcpu, uint64_t deadline, uint64_t budget, struct error *err)
{
    struct timed_engine *t = timed_of(vcpu);
    uint64_t start = now_ns();
    if (!t->reached && (enters_user(vcpu) || t->inner->caps & CAP_PROCESS))
        t->reached = start;
    int rc = t->stop_at == UINT64_MAX ? t->inner->run(vcpu, deadline, budget, err)
                                      : run_to_mark(t, vcpu, deadline, &budget, err);

    t->guest_ns += now_ns() - start;
    return rc;
}

/* core/run.c asks for the time, sleeps, and says how far the guest's time has come. */
static uint64_t
timed_time(struct vcpu *vcpu)
{
    struct timed_engine *t = timed_of(vcpu);

    if (vcpu->halted)
        t->idle_since = now_ns();
    return t->inner->time(vcpu);
}

static void
timed_idle_until(struct vcpu *vcpu, uint64_t to)
{
    struct timed_engine *t = timed_of(vcpu);

    t->waiting_ns += now_ns() - t->idle_since;
    t->inner->idle_until(vcpu, to);
}

static void
wrap_engine(struct timed_engine *t, struct vm *vm, const struct compare_start *start)
{
    *t = (struct timed_engine){.ops = *vm->engine_ops, .inner = vm->engine_ops};
    t->ops.run = timed_run;
    t->ops.time = timed_time;
    if (t->ops.idle_until)
        t->ops.idle_until = timed_idle_until;
    t->stop_at = start && start->known && t->inner->caps & CAP_ICOUNT ? start->instructions
                                                                      : UINT64_MAX;
    vm->engine_ops = &t->ops;
}

static uint64_t
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- memory ------------------------------------------------------------------------------------- */

/* Bytes of this process that no file holds (proc(5), statm: resident less shared). */
static uint64_t
own_memory(void)
{
    unsigned long resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (!file)
        return 0;
    if (fscanf(file, "%*u %lu %lu", &resident, &shared) != 2)
        resident = shared = 0;
    fclose(file);
    return (resident - shared) * (uint64_t)PAGE_SIZE;
}

/* How much of the guest's RAM has been touched, and so is there. */
static uint64_t
resident_ram(const struct ram *ram)
{
    uint64_t pages = ram->size / PAGE_SIZE, count = 0;
    unsigned char *there = malloc(pages);

    if (there && !mincore(ram->host, ram->size, there))
        for (uint64_t i = 0; i < pages; i++)
            count += there[i] & 1;
    free(there);
    return count * PAGE_SIZE;
}

/* --- what was printed --------------------------------------------------------------------------- */

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static bool
begins_with(const uint8_t *text, size_t size, const char *with)
{
    return size >= strlen(with) && !memcmp(text, with, strlen(with));
}

/* "nano: NAME count N ticks T" */
static void
read_nano(const uint8_t *line, size_t size, struct compare_sample *sample)
{
    char text[128];

    snprintf(text, sizeof(text), "%.*s", (int)(size < sizeof(text) ? size : sizeof(text) - 1),
             (const char *)line);
    if (sscanf(text, "nano: %*31s count %" SCNu64 " ticks %" SCNu64, &sample->counted,
               &sample->ticks) != 2)
        sample->counted = 0;
}

void
compare_hash(const uint8_t *text, size_t size, struct compare_sample *sample)
{
    sample->hash = FNV_START;
    sample->length = 0;
    for (size_t at = 0, length; at < size; at += length) {
        const uint8_t *end = memchr(text + at, '\n', size - at);
        length = end ? (size_t)(end - (text + at)) + 1 : size - at;
        if (begins_with(text + at, length, "minios: "))
            continue;
        if (begins_with(text + at, length, "nano: "))
            read_nano(text + at, length, sample);
        for (size_t i = 0; i < length; i++)
            if (text[at + i] != '\r') {
                sample->hash = (sample->hash ^ text[at + i]) * FNV_PRIME;
                sample->length++;
            }
    }
}

/* --- the child ------------------------------------------------------------------------------------ */

void
compare_guest(const char *guest, const char *strategy, char *text, size_t size)
{
    char path[PATH_MAX];

    if (!strcmp(strategy, "paravirt")) {
        snprintf(text, size, "%s-pv", guest);
        guestdir_resolve(text, path, sizeof(path));
        if (!access(path, R_OK))
            return;
    }
    snprintf(text, size, "%s", guest);
}

/* A process has written to a file of its own. */
static void
hash_output(int fd, struct compare_sample *sample)
{
    off_t size = lseek(fd, 0, SEEK_END);
    void *text = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    compare_hash(text == MAP_FAILED ? NULL : text, text == MAP_FAILED ? 0 : (size_t)size, sample);
    if (text != MAP_FAILED)
        munmap(text, (size_t)size);
}

static void
measure(struct launch *launch, const struct launch_options *options,
        const struct compare_start *start, uint64_t begin, uint64_t memory,
        struct compare_sample *sample)
{
    struct vm *vm = &launch->vm;
    struct run_result result;
    struct timed_engine timed;

    wrap_engine(&timed, vm, start);
    uint64_t ran = now_ns(), cpu = cpu_ns();
    vm_run(vm, &options->limits, &result);
    sample->total_ns = now_ns() - ran;
    sample->cpu_ns = cpu_ns() - cpu;
    sample->guest_ns = timed.guest_ns;
    sample->waiting_ns = timed.waiting_ns;
    sample->start_ns = timed.reached ? timed.reached - begin : 0;
    sample->end = result.end;
    sample->status = result.status;
    sample->message = result.message;
    sample->exits = vm->exits;
    memcpy(sample->by_kind, vm->exits_by_kind, sizeof(sample->by_kind));
    sample->instructions = timed.inner->caps & CAP_ICOUNT ? timed.inner->icount(&vm->vcpu[0]) : 0;
    uint64_t all = own_memory() - memory, ram = resident_ram(&vm->ram);
    sample->memory = all > ram ? all - ram : 0;
    vm->engine_ops = timed.inner;
    if (timed.inner->caps & CAP_PROCESS)
        hash_output(launch->output, sample);
    else
        compare_hash(launch->console.kept, launch->console.kept_size, sample);
}

bool
compare_is_process(const char *strategy)
{
    const struct strategy_ops *found = strategy ? strategy_find(strategy) : NULL;

    return found && found->needs & CAP_PROCESS;
}

static void
run_in_child(const struct compare_job *job, const char *strategy, int recording,
             const struct compare_start *start, struct compare_sample *sample)
{
    struct launch_options options = job->options;
    uint64_t memory = own_memory(), begin = now_ns();
    char guest[PATH_MAX], trace[32];
    struct launch launch;

    compare_guest(job->guest, strategy, guest, sizeof(guest));
    options.guest = guest;
    options.words = 1; /* an app's arguments are in append */
    options.append = job->append;
    options.strategy = strategy;
    options.console = "null";
    if (compare_is_process(strategy)) {
        options.engine = "host";
        options.input = job->input;
        options.keep_output = true;
        options.trace_level = recording >= 0 ? PROCESS_TRACE_ALL : PROCESS_TRACE_OFF;
    }
    if (recording >= 0) {
        snprintf(trace, sizeof(trace), "/proc/self/fd/%d", recording);
        options.trace = trace;
        options.trace_guest = !strcmp(options.engine, "soft");
    }
    if (launch_open(&launch, &options, job->args, &sample->failed))
        return;
    launch.console.keep = true;
    if (job->input && !options.keep_output) {
        launch.console.in = open(job->input, O_RDONLY | O_CLOEXEC);
        if (launch.console.in < 0)
            error_set(&sample->failed, errno, "cannot open '%s': %s", job->input, strerror(errno));
    }
    if (!sample->failed.message[0])
        measure(&launch, &options, start, begin, memory, sample);
    launch_close(&launch, sample->failed.message[0] ? NULL : &sample->failed);
}

/* --- the parent ----------------------------------------------------------------------------------- */

/* All of it, or what there is before the end. */
static size_t
read_pipe(int fd, void *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = read(fd, (uint8_t *)data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static int
wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            break;
    return status;
}

int
compare_round(const struct compare_job *job, const char *strategy, int recording,
              const struct compare_start *start, struct compare_sample *sample, struct error *err)
{
    int fds[2];

    *sample = (struct compare_sample){0};
    if (pipe2(fds, O_CLOEXEC))
        return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        run_in_child(job, strategy, recording, start, sample);
        bool ok = write(fds[1], sample, sizeof(*sample)) == sizeof(*sample);
        _exit(!ok);
    }
    close(fds[1]);
    size_t got = pid > 0 ? read_pipe(fds[0], sample, sizeof(*sample)) : 0;
    close(fds[0]);
    if (pid < 0)
        return error_set(err, EAGAIN, "cannot make a child process: %s", strerror(errno));
    int status = wait_for(pid);
    if (got != sizeof(*sample)) {
        *sample = (struct compare_sample){0};
        return error_set(err, EIO, "the run under strategy %s ended without a result (%s %d)",
                         strategy, WIFSIGNALED(status) ? "signal" : "status",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return 0;
}

/* Everything that the app writes; the caller frees it. */
static uint8_t *
read_all(int fd, size_t *size)
{
    size_t room = 65536, n;
    uint8_t *text = malloc(room), *more;

    *size = 0;
    while (text && (n = read_pipe(fd, text + *size, room - *size)) > 0) {
        *size += n;
        if (*size < room)
            continue;
        more = room < CONSOLE_KEEP_MAX ? realloc(text, room *= 2) : NULL;
        if (!more)
            break;
        text = more;
    }
    return text;
}

int
compare_native(const struct compare_job *job, struct compare_sample *sample, struct error *err)
{
    int fds[2];
    size_t size;

    *sample = (struct compare_sample){0};
    if (pipe2(fds, O_CLOEXEC))
        return error_set(err, errno, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    uint64_t begin = now_ns();
    pid_t pid = fork();
    if (pid == 0) {
        int in = open(job->input ? job->input : "/dev/null", O_RDONLY);
        /* In the apps' folder: a shell among them finds the others there, as under minios. */
        char folder[PATH_MAX];
        snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(job->app, '/') - job->app),
                 job->app);
        if (in >= 0 && dup2(in, 0) == 0 && dup2(fds[1], 1) == 1 && !chdir(folder))
            execv(job->app, job->argv);
        _exit(127);
    }
    close(fds[1]);
    uint8_t *text = pid > 0 ? read_all(fds[0], &size) : NULL;
    close(fds[0]);
    if (pid < 0)
        return error_set(err, EAGAIN, "cannot make a child process: %s", strerror(errno));
    int status = wait_for(pid);
    sample->total_ns = sample->guest_ns = now_ns() - begin;
    sample->end = RUN_POWER_OFF;
    sample->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (text)
        compare_hash(text, size, sample);
    free(text);
    return 0;
}
