/*
 * host_stops.c - points to stop at in a traced process: the processor's own debug registers, which the
 * kernel keeps for each task. The program's text is not changed, so nobody who reads it, or shares
 * the page, can tell.
 *
 * A task that is made has none of them, and exec clears them, so they are set when a task goes on
 * if they are not what they should be.
 *
 * Next: points.c, which says what fits into them.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "engine/host.h"

#define UNARMED 0u /* host_task.armed */

/* si_code of SIGTRAP (sigaction(2)); SI_KERNEL, of INT3, is not among them. */
#define CODE_STEP  2 /* TRAP_TRACE */
#define CODE_POINT 4 /* TRAP_HWBKPT */

static long
poke(pid_t tid, unsigned number, uint64_t value)
{
    return ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, u_debugreg) + 8 * number,
                  (long)value);
}

static uint64_t
peek(pid_t tid, unsigned number)
{
    return (uint64_t)ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user, u_debugreg) + 8 * number,
                            0);
}

static int
arm(struct engine_vm *host, pid_t tid, bool step)
{
    uint64_t dr7 = 0;

    if (poke(tid, 7, 0))
        return -errno;
    for (unsigned i = 0; i < host->points; i++) {
        const struct debug_point *p = &host->point[i];
        if (step && p->how == POINT_EXECUTE)
            continue;
        if (poke(tid, i, p->address))
            return -errno;
        dr7 |= debug_point_dr7(p, i);
    }
    return dr7 && poke(tid, 7, dr7) ? -errno : 0;
}

/* A step begins at an instruction that it must not stop before: it looks for accesses alone. */
void
host_arm(struct engine_vm *host, struct host_task *task, bool step)
{
    unsigned should = step ? UNARMED : host->generation;

    if (!task->loud || (task->armed == host->generation && !step) || !host->generation)
        return;
    task->armed = arm(host, task->tid, step) ? UNARMED : should;
}

/* --- a trap ------------------------------------------------------------------------------------- */

bool
host_is_debug_trap(const struct host_task *task, int code)
{
    /* A program that sets TF itself wants its trap. A step into a signal's handler stops at its
     * beginning, with a code that is no fault's. */
    return code == CODE_POINT || (task->stepping && (code == CODE_STEP || code == SIGTRAP));
}

/* The point that register i of the task holds; NULL: none of today's. A task that was running when
 * the points were changed has the former ones. */
static const struct debug_point *
held_point(const struct engine_vm *host, pid_t tid, unsigned i)
{
    uint64_t address = peek(tid, i), dr7 = peek(tid, 7);

    for (unsigned j = 0; j < host->points; j++) {
        const struct debug_point *p = &host->point[j];
        if (p->address == address && (debug_point_dr7(p, i) & ~dr7) == 0 &&
            (dr7 >> (16 + 4 * i) & 0xf) == (unsigned)(p->length << 2 | p->how))
            return p;
    }
    return NULL;
}

bool
host_debug_exit(struct vcpu *vcpu, struct host_task *task)
{
    struct engine_vm *host = vcpu->vm->engine;
    const struct debug_point *hit = NULL;
    uint64_t dr6 = peek(task->tid, 6);

    poke(task->tid, 6, 0); /* else a step into a signal's handler, without a #DB, shows it again */
    for (unsigned i = 0; i < DEBUG_POINTS && !hit; i++)
        if (dr6 & UINT64_C(1) << i)
            hit = held_point(host, task->tid, i);
    if (!hit && !task->stepping) {
        host_task_resume(host, task);
        return false;
    }
    host_exit_begin(vcpu, task, TRACE_DEBUG);
    if (hit) {
        vcpu->exit.debug.at_point = true;
        vcpu->exit.debug.point = hit->id;
        vcpu->exit.debug.address = hit->how == POINT_EXECUTE ? 0 : hit->address;
    }
    return true;
}

/* --- setting them ------------------------------------------------------------------------------- */

int
host_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
               struct error *err)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct host_task *task = vcpu->engine->current;
    struct debug_point fresh[DEBUG_POINTS];
    int rc, n = debug_points(points, count, fresh, "", err);

    if (n < 0)
        return n;
    memcpy(host->point, fresh, (unsigned)n * sizeof(*fresh));
    host->points = (unsigned)n;
    host->generation++;
    if (!task || !task->stopped)
        return 0;
    rc = arm(host, task->tid, false);
    if (rc)
        return error_set(err, ENOTSUP,
                         "the kernel does not let a tracer use the debug registers for this: %s; "
                         "'si' and 'sx' step without them",
                         strerror(-rc));
    task->armed = host->generation;
    return 0;
}
