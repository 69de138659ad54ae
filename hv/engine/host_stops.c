/*
 * host_stops.c - points to stop at in a traced process: the processor's own debug registers, which the
 * kernel keeps for each task (SDM vol. 3, 17.2). The program's text is not changed, so nobody who
 * reads it, or shares the page, can tell.
 *
 *   DR7:  31-16 for each point, 4 bits: 3-2 LEN (0: 1, 1: 2, 3: 4, 2: 8), 1-0 R/W (0 execute, 1 write,
 *         3 access)    9 GE  8 LE   7-0 for each point, 2 bits: G, L
 *
 * A task that is made has none of them, and exec clears them, so they are set when a task goes on
 * if they are not what they should be.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "engine/host.h"

#define DR7_LE_GE  0x300u
#define DR6_POINTS 0x00fu
#define UNARMED    0u

/* si_code of SIGTRAP (sigaction(2)); SI_KERNEL, of INT3, is not among them. */
#define CODE_STEP  2 /* TRAP_TRACE */
#define CODE_POINT 4 /* TRAP_HWBKPT */

static long
poke(pid_t tid, unsigned number, uint64_t value)
{
    return ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, u_debugreg) + 8 * number,
                  (long)value);
}

static int
arm(struct engine_vm *host, pid_t tid, bool step)
{
    uint64_t dr7 = 0;

    if (poke(tid, 7, 0))
        return -errno;
    for (unsigned i = 0; i < host->points; i++) {
        const struct host_point *p = &host->point[i];
        if (step && !p->how)
            continue;
        if (poke(tid, i, p->address))
            return -errno;
        dr7 |= UINT64_C(1) << (2 * i) | (uint64_t)(p->length << 2 | p->how) << (16 + 4 * i);
    }
    return dr7 && poke(tid, 7, dr7 | DR7_LE_GE) ? -errno : 0;
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

bool
host_debug_exit(struct vcpu *vcpu, struct host_task *task, int code)
{
    struct engine_vm *host = vcpu->vm->engine;
    long dr6;

    /* A step into a signal's handler stops at its beginning, with a code that is no fault's. */
    if (code != CODE_STEP && code != CODE_POINT && !(task->stepping && code == SIGTRAP))
        return false;
    errno = 0;
    dr6 = ptrace(PTRACE_PEEKUSER, task->tid, offsetof(struct user, u_debugreg) + 8 * 6, 0);
    poke(task->tid, 6, 0);
    host_exit_begin(vcpu, task, TRACE_DEBUG);
    for (unsigned i = 0; !errno && i < host->points; i++)
        if (dr6 & DR6_POINTS & 1L << i) {
            vcpu->exit.debug.at_point = true;
            vcpu->exit.debug.point = host->point[i].id;
            vcpu->exit.debug.address = host->point[i].how ? host->point[i].address : 0;
            break;
        }
    return true;
}

/* --- setting them ------------------------------------------------------------------------------- */

/* The largest piece that begins at address and has room in size. */
static unsigned
piece_size(uint64_t address, uint64_t size)
{
    unsigned piece = 8;

    while (piece > size || address & (piece - 1))
        piece /= 2;
    return piece;
}

/* Adds one point, in pieces; false: there is no room. */
static bool
add_point(const struct stop_point *p, unsigned id, struct host_point *to, unsigned *n)
{
    static const uint8_t length[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
    uint64_t address = p->address, left = p->kind == STOP_EXECUTE ? 1 : p->size;

    for (unsigned piece; left; address += piece, left -= piece) {
        piece = p->kind == STOP_EXECUTE ? 1 : piece_size(address, left);
        if (*n == HOST_POINTS)
            return false;
        to[(*n)++] = (struct host_point){.address = address,
                                         .length = length[piece],
                                         .how = p->kind == STOP_EXECUTE ? 0
                                                : p->kind == STOP_WRITE ? 1
                                                                        : 3,
                                         .id = id};
    }
    return true;
}

int
host_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
               struct error *err)
{
    struct engine_vm *host = vcpu->vm->engine;
    struct host_task *task = vcpu->engine->current;
    struct host_point fresh[HOST_POINTS];
    unsigned n = 0;
    int rc;

    for (unsigned i = 0; i < count; i++) {
        const struct stop_point *p = &points[i];
        if (p->kind == STOP_READ)
            return error_set(err, ENOTSUP,
                             "the processor cannot watch for reads alone: watch for accesses");
        if (p->kind != STOP_EXECUTE && (!p->size || p->address + (p->size - 1) < p->address))
            return error_set(err, EINVAL,
                             "a watch point needs at least one byte, and an end that is not "
                             "behind the end of the address space");
        if (!add_point(p, i, fresh, &n))
            return error_set(err, ENOSPC,
                             "the processor has four points, of at most 8 aligned bytes each: "
                             "delete some");
    }
    memcpy(host->point, fresh, n * sizeof(*fresh));
    host->points = n;
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
