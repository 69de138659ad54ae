/*
 * host_call.c - system calls of a traced process: what is asked, letting the host's kernel answer, and
 * refusing.
 *
 * A call is two stops: before the kernel looks at it, and before it goes back to the program. Between
 * them, if a seccomp filter says SECCOMP_RET_TRACE, there is a third, DENIED: then the call is not
 * carried out unless the tracer lets it, and the strategy chooses what the program is told.
 *
 * Called through host_report.c. Next: host_regs.c.
 */
#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/host.h"
#include "isa/x86/regs.h"
#include "tracer/syscall.h"

#define X32_BIT     0x40000000u /* of the number: the x32 table */
#define SYSCALL_LEN 2u          /* bytes of SYSCALL and of INT 80 */

/* --- what is asked --------------------------------------------------------------------------------- */

/* The bytes at an argument: up to `most`, or to a zero byte. What cannot be read is left out. */
static void
read_text(struct vcpu *vcpu, struct exit_call *call, unsigned i, bool zero, uint64_t most)
{
    uint64_t address = call->args[i], room = sizeof(call->text[i].bytes), got = 0;
    char *to = call->text[i].bytes, *end;

    if (!address)
        return;
    if (most < room)
        room = most;
    while (got < room) { /* page by page: the next one may not be there */
        uint64_t n = 0x1000 - (address + got) % 0x1000;
        n = n < room - got ? n : room - got;
        if (host_read(vcpu, address + got, to + got, (size_t)n, NULL))
            break;
        end = zero ? memchr(to + got, 0, (size_t)n) : NULL;
        got += end ? (uint64_t)(end - (to + got)) : n;
        if (end)
            room = got;
    }
    call->text[i].there = got > 0 || room == got;
    call->text[i].size = (uint8_t)got;
    call->text[i].cut = zero ? got == sizeof(call->text[i].bytes) : got < most;
}

static void
read_texts(struct vcpu *vcpu, struct exit_call *call, uint64_t number)
{
    for (unsigned i = 0; i < 6; i++) {
        char type = syscall_argument_text(number, i);
        if (type == 's')
            read_text(vcpu, call, i, true, UINT64_MAX);
        else if (type == 'b' && i < 5 && (int64_t)call->args[i + 1] > 0)
            read_text(vcpu, call, i, false, call->args[i + 1]);
    }
}

/* By int 80, or with an x32 number: another table than x86-64's. */
static bool
is_foreign(const struct __ptrace_syscall_info *call)
{
    return call->arch != AUDIT_ARCH_X86_64 || call->entry.nr & X32_BIT;
}

/* Fills vcpu->exit for a call at its first stop or at the filter's. */
static void
begin_call(struct vcpu *vcpu, struct host_task *task, enum trace_kind kind)
{
    struct engine_vm *host = vcpu->vm->engine;
    const struct __ptrace_syscall_info *info = &task->call;

    host_exit_begin(vcpu, task, kind);
    memset(&host->call, 0, sizeof(host->call));
    for (unsigned i = 0; i < 6; i++)
        host->call.args[i] = info->entry.args[i];
    vcpu->exit.rip = info->instruction_pointer - SYSCALL_LEN;
    vcpu->exit.call.number = info->entry.nr;
    vcpu->exit.call.first = info->entry.args[0];
    vcpu->exit.call.foreign = is_foreign(info);
    vcpu->exit.call.more = &host->call;
    if (!vcpu->exit.call.foreign)
        read_texts(vcpu, &host->call, info->entry.nr);
}

/* --- the two stops --------------------------------------------------------------------------------- */

/* The kernel goes back to the program. */
static void
answered(struct vcpu *vcpu, struct host_task *task, int64_t result)
{
    unsigned id = vcpu->id;

    task->in_call = task->at_call = false;
    vcpu->id = task->number;
    vcpu->exit.rip = task->call.instruction_pointer;
    vm_record_answer(vcpu->vm, vcpu, task->call.entry.nr, is_foreign(&task->call), result);
    vcpu->id = id;
}

bool
host_call_stop(struct vcpu *vcpu, struct host_task *task)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct __ptrace_syscall_info info;

    memset(&info, 0, sizeof(info));
    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) < 0 || !task->loud) {
        host_task_resume(host, task);
        return false;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
        /* The end of the first exec: its beginning was before anybody looked. */
        if (task->in_call)
            answered(vcpu, task, info.exit.rval);
        host_task_resume(host, task);
        return false;
    }
    task->call = info;
    task->in_call = task->at_call = true;
    begin_call(vcpu, task, TRACE_HOST_CALL);
    vcpu->exit.no_entry = true;
    vcpu->exit.in_kernel = false;
    return true;
}

void
host_denied(struct vcpu *vcpu, struct host_task *task, unsigned long data)
{
    if (!task->in_call) { /* calls are not looked at: this is the first that is heard of it */
        struct __ptrace_syscall_info info;
        memset(&info, 0, sizeof(info));
        ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info);
        info.entry.nr = info.seccomp.nr;
        for (unsigned i = 0; i < 6; i++)
            info.entry.args[i] = info.seccomp.args[i];
        task->call = info;
    }
    task->at_call = true;
    begin_call(vcpu, task, TRACE_DENIED);
    vcpu->exit.call.filter = (uint16_t)data;
}

/* orig_rax is the number that the kernel is about to look up: no call has -1, and then rax is what the
 * program gets. */
void
host_refuse(struct host_task *task, int64_t result)
{
    ptrace(PTRACE_POKEUSER, task->tid, offsetof(struct user_regs_struct, orig_rax), -1L);
    ptrace(PTRACE_POKEUSER, task->tid, offsetof(struct user_regs_struct, rax), (long)result);
}

/*
 * Lets the current task's call through to its second stop, so that who looks sees the answer. If
 * another task has something to say first, the call may be one that waits for it: then the answer
 * comes in the course of run().
 */
int
host_emulate(struct vcpu *vcpu, struct error *err)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct host_task *task = vcpu->engine->current;
    struct __ptrace_syscall_info info;
    struct host_report report;

    (void)err;
    vcpu->exit.call.pending = true;
    if (!task || host->kept.tid)
        return 0; /* run() lets it go */
    host_task_resume(host, task);
    if (host_wait(host, 0, &report))
        return 0;
    memset(&info, 0, sizeof(info));
    if (report.tid != task->tid || !WIFSTOPPED(report.status) ||
        WSTOPSIG(report.status) != (SIGTRAP | 0x80) ||
        ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) < 0) {
        host->kept = report;
        return 0;
    }
    task->stopped = true;
    vcpu->exit.call.pending = false;
    vcpu->exit.call.result = info.exit.rval;
    uint64_t rip = vcpu->exit.rip;
    answered(vcpu, task, info.exit.rval);
    vcpu->exit.rip = rip;
    return 0;
}

/* --- exec ------------------------------------------------------------------------------------------- */

/* The program's path, as /proc shows it. */
void
host_execed(struct vcpu *vcpu, struct host_task *task)
{
    struct engine_vm *host = vcpu->vm->engine;
    char link[64], path[sizeof(host->call.text[0].bytes) + 1];
    ssize_t n;

    host_exit_begin(vcpu, task, TRACE_EXEC);
    memset(&host->call, 0, sizeof(host->call));
    snprintf(link, sizeof(link), "/proc/%d/exe", (int)task->pid);
    n = readlink(link, path, sizeof(path));
    if (n > 0) {
        host->call.text[0].there = true;
        host->call.text[0].cut = n == (ssize_t)sizeof(path);
        host->call.text[0].size = (uint8_t)(n - host->call.text[0].cut);
        memcpy(host->call.text[0].bytes, path, host->call.text[0].size);
    }
    vcpu->exit.call.number = (uint64_t)task->pid;
    vcpu->exit.call.more = &host->call;
}
