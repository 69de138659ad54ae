/*
 * points.c - points to stop at, as the processor's debug registers can have them (SDM vol. 3, 17.2).
 *
 * There are four, DR0 to DR3, each of 1, 2, 4 or 8 aligned bytes; other ranges are cut into such
 * pieces. Reads alone cannot be watched.
 *
 *   DR7:  31-16 for each point, 4 bits: 3-2 LEN (0: 1, 1: 2, 3: 4, 2: 8), 1-0 R/W (0 execute, 1 write,
 *         3 access)    9 GE  8 LE   7-0 for each point, 2 bits: G, L
 *
 * Called by kvm_stops.c and host_stops.c, which differ in who writes the registers.
 */
#include <errno.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/points.h"

#define DR7_LE_GE 0x300u

/* DR7.LEN of each size, and back. */
static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
static const uint8_t sizes[] = {1, 2, 8, 4};

uint64_t
debug_point_dr7(const struct debug_point *p, unsigned number)
{
    /* G, too: a hardware task switch clears L. */
    return DR7_LE_GE | UINT64_C(3) << (2 * number) |
           (uint64_t)(p->length << 2 | p->how) << (16 + 4 * number);
}

unsigned
debug_point_size(const struct debug_point *p)
{
    return sizes[p->length];
}

/* The largest piece that begins at address and has room in size. */
static unsigned
piece_size(uint64_t address, uint64_t size)
{
    unsigned piece = 8;

    while (piece > size || address & (piece - 1))
        piece /= 2;
    return piece;
}

/* Adds one point to the n there are. How many there are then; -ENOSPC. */
static int
add_point(const struct stop_point *p, unsigned id, struct debug_point *to, int n)
{
    bool execute = p->kind == STOP_EXECUTE;
    uint64_t address = p->address, left = execute ? 1 : p->size;

    for (unsigned piece; left; address += piece, left -= piece) {
        piece = execute ? 1 : piece_size(address, left);
        if (n == (int)DEBUG_POINTS)
            return -ENOSPC;
        to[n++] = (struct debug_point){.address = address,
                                       .length = lengths[piece],
                                       .how = execute                 ? POINT_EXECUTE
                                              : p->kind == STOP_WRITE ? POINT_WRITE
                                                                      : POINT_ACCESS,
                                       .id = id};
    }
    return n;
}

int
debug_points(const struct stop_point *points, unsigned count, struct debug_point to[DEBUG_POINTS],
             const char *else_use, struct error *err)
{
    int n = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct stop_point *p = &points[i];
        if (p->kind == STOP_READ)
            return error_set(err, ENOTSUP,
                             "the processor cannot watch for reads alone: watch for accesses%s",
                             else_use);
        if (p->kind != STOP_EXECUTE && (!p->size || p->address + (p->size - 1) < p->address))
            return error_set(err, EINVAL,
                             "a watch point needs at least one byte, and an end that "
                             "is not behind the end of the address space");
        n = add_point(p, i, to, n);
        if (n < 0)
            return error_set(err, ENOSPC,
                             "the processor has four points, of at most 8 aligned bytes each: "
                             "delete some%s",
                             else_use);
    }
    return n;
}
