/*
 * host.c - tests of engine host: a process under ptrace(2), well behaved and not.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "engine/engine.h"
#include "isa/x86/regs.h"
#include "tests/unit/host_run.h"
#include "tracer/read.h"
#include "tracer/record.h"
#include "tracer/syscall.h"
#include "unit.h"

/* --- a run ----------------------------------------------------------------------------------------- */

static void
record(struct host_run *run)
{
    struct trace_about about = {"host", "plain", "sh", "", ""};
    char message[256];

    snprintf(run->path, sizeof(run->path), "/tmp/hv-host-XXXXXX");
    close(mkstemp(run->path));
    CU_ASSERT_EQUAL_FATAL(
        recorder_open(&run->vm.recorder, run->path, &about, message, sizeof(message)), 0);
}

/* What was recorded; the caller closes it. */
static void
read_record(struct host_run *run, struct trace *trace)
{
    char message[256];

    recorder_close(run->vm.recorder);
    run->vm.recorder = NULL;
    CU_ASSERT_EQUAL_FATAL(trace_open(trace, run->path, message, sizeof(message)), 0);
}

/* `busybox sh -c script` to its end. */
static void
shell(struct host_run *run, const char *script, bool recorded)
{
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
    struct run_limits limits = {0};

    CU_ASSERT_EQUAL_FATAL(host_run_begin(run, "/bin/busybox", argv, PROCESS_TRACE_ALL), 0);
    if (recorded)
        record(run);
    vm_run(&run->vm, &limits, &run->result);
}

/* --- what is seen ------------------------------------------------------------------------------------ */

/* 20 children: each is forked, execs and exits, and no event is missing: every call that can come back
 * does, in its own vcpu. */
static void
test_nothing_lost(void)
{
    struct host_run run;
    struct trace trace;
    uint64_t calls = 0, answers = 0, open_calls = 0;
    const struct trace_event *in_call[256] = {NULL};

    shell(&run, "i=0; while [ $i -lt 20 ]; do /bin/busybox true; i=$((i+1)); done", true);
    CU_ASSERT_EQUAL(run.result.end, RUN_POWER_OFF);
    CU_ASSERT_EQUAL(run.result.status, 0);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_FORK], 20);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_EXEC], 21);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_PROCESS_END], 21);
    read_record(&run, &trace);
    CU_ASSERT_EQUAL(trace.lost, 0);
    CU_ASSERT_EQUAL(trace.exits, run.vm.exits);
    for (uint64_t i = 0; i < trace.count; i++) {
        const struct trace_event *e = &trace.events[i];
        if (e->kind == TRACE_HOST_CALL) {
            CU_ASSERT_PTR_NULL(in_call[e->vcpu]);
            in_call[e->vcpu] = e;
            calls++;
        } else if (e->kind == TRACE_HOST_RETURN) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(in_call[e->vcpu]);
            CU_ASSERT_EQUAL(in_call[e->vcpu]->address, e->address);
            in_call[e->vcpu] = NULL;
            answers++;
        }
    }
    for (unsigned v = 0; v < 256; v++)
        if (in_call[v]) {
            CU_ASSERT_STRING_EQUAL(syscall_name(in_call[v]->address), "exit_group");
            open_calls++;
        }
    CU_ASSERT_EQUAL(calls, run.vm.exits_by_kind[TRACE_HOST_CALL]);
    CU_ASSERT_EQUAL(open_calls, 21);
    CU_ASSERT_EQUAL(calls, answers + open_calls);
    trace_close(&trace);
    host_run_end(&run);
}

/* Level denied: births and deaths, and no calls. Level off: the status alone. */
static void
test_levels(void)
{
    char *const argv[] = {"sh", "-c", "/bin/busybox true; exit 7", NULL};
    struct run_limits limits = {0};
    struct host_run run;

    CU_ASSERT_EQUAL_FATAL(host_run_begin(&run, "/bin/busybox", argv, PROCESS_TRACE_DENIED), 0);
    vm_run(&run.vm, &limits, &run.result);
    CU_ASSERT_EQUAL(run.result.status, 7);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_HOST_CALL], 0);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_FORK], 1);
    CU_ASSERT_EQUAL(run.vm.exits_by_kind[TRACE_PROCESS_END], 2);
    host_run_end(&run);
    CU_ASSERT_EQUAL_FATAL(host_run_begin(&run, "/bin/busybox", argv, PROCESS_TRACE_OFF), 0);
    vm_run(&run.vm, &limits, &run.result);
    CU_ASSERT_EQUAL(run.result.end, RUN_POWER_OFF);
    CU_ASSERT_EQUAL(run.result.status, 7);
    CU_ASSERT_EQUAL(run.vm.exits, 0);
    host_run_end(&run);
}

/* --- steps, registers, memory ------------------------------------------------------------------------ */

static void
test_step(void)
{
    char *const argv[] = {"true", NULL};
    struct run_limits limits = {.step = true};
    struct host_run run;
    struct vcpu *vcpu = &run.vm.vcpu[0];
    struct x86_regs regs, after;
    uint64_t points = 0;
    uint8_t code[16];

    CU_ASSERT_EQUAL_FATAL(host_run_begin(&run, "/bin/busybox", argv, PROCESS_TRACE_ALL), 0);
    const struct engine_ops *engine = run.vm.engine_ops;
    CU_ASSERT_TRUE(vm_run_to_exit(&run.vm, vcpu, &limits, &run.result));
    CU_ASSERT_EQUAL(vcpu->exit.kind, TRACE_EXEC);
    CU_ASSERT_TRUE(vm_handle_exit(&run.vm, vcpu, &run.result));
    CU_ASSERT_EQUAL_FATAL(engine->get_regs(vcpu, &regs, &run.err), 0);
    CU_ASSERT_EQUAL(x86_cpl(&regs), 3);
    CU_ASSERT_EQUAL(engine->read(vcpu, regs.rip, code, sizeof(code), &run.err), 0);
    /* Text is not writable for the program, but for who debugs it; address 0 for nobody. */
    CU_ASSERT_EQUAL(engine->write(vcpu, regs.rip, code, sizeof(code), &run.err), 0);
    CU_ASSERT_EQUAL(engine->read(vcpu, 0, code, 1, &run.err), -EFAULT);
    CU_ASSERT_EQUAL(engine->read(vcpu, UINT64_MAX - 3, code, 8, &run.err), -EFAULT);
    for (int i = 0; i < 100; i++) {
        CU_ASSERT_FALSE_FATAL(vm_run_to_exit(&run.vm, vcpu, &limits, &run.result));
        CU_ASSERT_EQUAL_FATAL(run.result.end, RUN_DEBUG);
        CU_ASSERT_EQUAL(engine->get_regs(vcpu, &after, &run.err), 0);
        points += after.rip != regs.rip;
        regs = after;
    }
    CU_ASSERT_EQUAL(points, 100); /* each of them somewhere else: none was lost */
    regs.gpr[X86_R15] = 0x1234;
    CU_ASSERT_EQUAL(engine->set_regs(vcpu, &regs, &run.err), 0);
    CU_ASSERT_EQUAL(engine->get_regs(vcpu, &after, &run.err), 0);
    CU_ASSERT_EQUAL(after.gpr[X86_R15], 0x1234);
    regs.rip = 0x8000000000000000; /* not canonical */
    regs.seg[X86_FS].base = UINT64_MAX;
    CU_ASSERT_NOT_EQUAL(engine->set_regs(vcpu, &regs, &run.err), 0);
    host_run_end(&run);
}

/* getpid() of the x32 table, which most hosts do not have: no name of ours fits it, at either end. */
static void
test_foreign(void)
{
    static const uint8_t code[] = {
        0xb8, 0x27, 0, 0, 0x40, 0x0f, 0x05, /* mov $0x40000027; syscall */
        0xb8, 0xe7, 0, 0, 0,    0x31, 0xff, /* exit_group(0) */
        0x0f, 0x05};
    char *const argv[] = {"true", NULL};
    struct run_limits limits = {0};
    struct host_run run;
    struct vcpu *vcpu = &run.vm.vcpu[0];
    struct x86_regs regs;
    struct trace trace;
    unsigned foreign = 0;

    CU_ASSERT_EQUAL_FATAL(host_run_begin(&run, "/bin/busybox", argv, PROCESS_TRACE_ALL), 0);
    record(&run);
    CU_ASSERT_TRUE(vm_run_to_exit(&run.vm, vcpu, &limits, &run.result));
    CU_ASSERT_TRUE(vm_handle_exit(&run.vm, vcpu, &run.result));
    CU_ASSERT_EQUAL_FATAL(run.vm.engine_ops->get_regs(vcpu, &regs, &run.err), 0);
    CU_ASSERT_EQUAL_FATAL(run.vm.engine_ops->write(vcpu, regs.rip, code, sizeof(code), &run.err),
                          0);
    vm_run(&run.vm, &limits, &run.result);
    CU_ASSERT_EQUAL(run.result.status, 0);
    read_record(&run, &trace);
    for (uint64_t i = 0; i < trace.count; i++) {
        const struct trace_event *e = &trace.events[i];
        if (e->kind != TRACE_HOST_CALL && e->kind != TRACE_HOST_RETURN)
            continue;
        CU_ASSERT_EQUAL((e->flags & TRACE_FOREIGN) != 0, e->address == 0x40000027);
        foreign += (e->flags & TRACE_FOREIGN) != 0;
    }
    CU_ASSERT_EQUAL(foreign, 2); /* the call and its answer */
    trace_close(&trace);
    host_run_end(&run);
}

/* --- bad guests -------------------------------------------------------------------------------------- */

static void
expect(const char *script, enum run_end how, int status)
{
    struct host_run run;

    shell(&run, script, false);
    CU_ASSERT_EQUAL(run.result.end, how);
    if (how == RUN_POWER_OFF)
        CU_ASSERT_EQUAL(run.result.status, status);
    host_run_end(&run);
}

static void
test_bad_guests(void)
{
    expect("kill -9 $$", RUN_POWER_OFF, 137);
    expect("kill -SEGV $$", RUN_POWER_OFF, 139);
    expect("exec 0<&- 1>&- 2>&-; exit 3", RUN_POWER_OFF, 3);
    expect("f=$(mktemp); printf '\\177ELF\\2\\1\\1garbage' > $f; chmod +x $f; $f; rm -f $f; exit 5",
           RUN_POWER_OFF, 5);
    expect("(kill -9 $$) & (kill -9 $$) & wait", RUN_POWER_OFF, 137);
    /* Nobody is left to send SIGCONT. */
    expect("kill -STOP $$", RUN_HALTED, 0);
    /* ... and here there is somebody. */
    expect("p=$$; (while :; do sleep 0.05; kill -CONT $p; done) & kill -STOP $$; exit 4",
           RUN_POWER_OFF, 4);
    /* What is left behind dies with the guest. */
    expect("sleep 1000 & sleep 1000 & exit 6", RUN_POWER_OFF, 6);
    /* Many at once, dying while they are born. */
    expect("for i in 1 2 3 4 5 6 7 8; do (for j in 1 2 3 4; do (kill -9 $$) & done) & done; "
           "while :; do :; done",
           RUN_POWER_OFF, 137);
}

static void
test_no_such_program(void)
{
    char *const argv[] = {"x", NULL};
    struct host_run run;

    CU_ASSERT_EQUAL(host_run_begin(&run, "/no/such/program", argv, PROCESS_TRACE_ALL), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(run.err.message, "/no/such/program"));
    host_run_end(&run);
    CU_ASSERT_EQUAL(host_run_begin(&run, "/no/such/program", argv, PROCESS_TRACE_OFF), -ENOENT);
    host_run_end(&run);
}

/* --- the user, and the end of hv --------------------------------------------------------------------- */

static struct vm *volatile kicked;

static void
on_signal(int number)
{
    (void)number;
    kicked->stop = 1;
    kicked->engine_ops->kick(&kicked->vcpu[0]);
}

/* A guest that waits for ever is stopped from outside. */
static void
test_kick(void)
{
    char *const argv[] = {"sleep", "1000", NULL};
    struct sigaction action = {.sa_handler = on_signal}, before;
    struct run_limits limits = {0};
    struct host_run run;

    for (enum process_trace level = PROCESS_TRACE_OFF; level <= PROCESS_TRACE_ALL; level++) {
        CU_ASSERT_EQUAL_FATAL(host_run_begin(&run, "/bin/busybox", argv, level), 0);
        kicked = &run.vm;
        sigaction(SIGUSR1, &action, &before);
        pid_t pid = fork();
        if (pid == 0) {
            usleep(50000);
            kill(getppid(), SIGUSR1);
            _exit(0);
        }
        vm_run(&run.vm, &limits, &run.result);
        CU_ASSERT_EQUAL(run.result.end, RUN_STOPPED);
        host_run_end(&run);
        waitpid(pid, NULL, 0);
        sigaction(SIGUSR1, &before, NULL);
    }
}

/* SIGKILL of hv: PTRACE_O_EXITKILL takes the guest along. */
static void
test_hv_killed(void)
{
    int fds[2];
    pid_t guest = 0;

    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    pid_t hv = fork();
    if (hv == 0) {
        char *const argv[] = {"sleep", "1000", NULL};
        struct run_limits limits = {0};
        struct host_run run;
        if (host_run_begin(&run, "/bin/busybox", argv, PROCESS_TRACE_ALL))
            _exit(1);
        guest = run.vm.engine_ops->process(&run.vm.vcpu[0]);
        if (write(fds[1], &guest, sizeof(guest)) != sizeof(guest))
            _exit(1);
        vm_run(&run.vm, &limits, &run.result);
        _exit(0);
    }
    close(fds[1]);
    CU_ASSERT_EQUAL_FATAL(read(fds[0], &guest, sizeof(guest)), sizeof(guest));
    usleep(50000);
    CU_ASSERT_EQUAL(kill(guest, 0), 0);
    kill(hv, SIGKILL);
    waitpid(hv, NULL, 0);
    bool gone = false;
    for (int i = 0; i < 1000 && !gone; i++) {
        char path[64], state = 0;
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)guest);
        FILE *file = fopen(path, "re");
        if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        if (file)
            fclose(file);
        gone = !file || state == 'Z' || state == 'X';
        usleep(10000);
    }
    CU_ASSERT_TRUE(gone);
    close(fds[0]);
}

/* --- words --------------------------------------------------------------------------------------------- */

static void
test_words(void)
{
    struct syscall_values v = {
        .number = 257, .argument = {(uint32_t)-100, 0x1000, 0x80241, 0644}, .known = 6};
    char text[128];

    v.text[1].there = true;
    v.text[1].size = 6;
    memcpy(v.text[1].bytes, "/a\n\"\x1b\xff", 6);
    CU_ASSERT_STRING_EQUAL(syscall_format(&v, false, text, sizeof(text)),
                           "openat(AT_FDCWD, \"/a\\n\\\"\\x1b\\xff\", "
                           "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644)");
    v.argument[2] = 0;
    CU_ASSERT_STRING_EQUAL(syscall_format(&v, true, text, sizeof(text)),
                           "openat(dir=AT_FDCWD, path=\"/a\\n\\\"\\x1b\\xff\", flags=O_RDONLY)");
    for (size_t size = 1; size < 60; size++)
        CU_ASSERT_TRUE(strlen(syscall_format(&v, true, text, size)) < size);
    for (uint64_t number = 0; number < 600; number++) {
        v = (struct syscall_values){.number = number, .known = 1 + number % 6};
        syscall_format(&v, number & 1, text, sizeof(text));
        CU_ASSERT_TRUE(strlen(text) < sizeof(text));
    }
    v = (struct syscall_values){.number = UINT64_MAX, .known = 6, .foreign = true};
    syscall_format(&v, true, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(syscall_result(257, false, -2, text, sizeof(text)), "-ENOENT");
    CU_ASSERT_STRING_EQUAL(syscall_result(9, false, 0x7f0000001000, text, sizeof(text)),
                           "0x7f0000001000");
    CU_ASSERT_STRING_EQUAL(syscall_result(0, false, -512, text, sizeof(text)), "-ERESTARTSYS");
    CU_ASSERT_EQUAL(syscall_number("openat", 6), 257);
    CU_ASSERT_EQUAL(syscall_number("opena", 5), -1);
}

static const struct unit_test tests[] = {
    {"system calls in words", test_words},
    {"no event is lost", test_nothing_lost},
    {"levels", test_levels},
    {"steps, registers, memory", test_step},
    {"a call by another table", test_foreign},
    {"bad guests", test_bad_guests},
    {"no such program", test_no_such_program},
    {"a guest that waits is stopped", test_kick},
    {"hv is killed", test_hv_killed},
    {NULL, NULL},
};

const struct unit_suite suite_host = {"host", tests};
