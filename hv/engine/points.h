/*
 * points.h - points to stop at in the processor's own debug registers, for the engines that run the
 * guest on it: kvm_stops.c and host_stops.c.
 */
#ifndef HV_ENGINE_POINTS_H
#define HV_ENGINE_POINTS_H

#include <stdint.h>

struct error;
struct stop_point;

/* A point in one of DR0 to DR3; length and how as DR7 has them. */
#define DEBUG_POINTS 4u
struct debug_point {
    uint64_t address;
    uint8_t length, how;
    unsigned id; /* as set_stops() got it */
};

/* enum debug_point.how (SDM vol. 3, 17.2.4). */
#define POINT_EXECUTE 0
#define POINT_WRITE   1
#define POINT_ACCESS  3

/* How many of the registers these points need, each cut into pieces that one can have. -ENOTSUP,
 * -EINVAL or -ENOSPC with a sentence, which ends with `else_use`, and *to is not to be used. */
int debug_points(const struct stop_point *points, unsigned count,
                 struct debug_point to[DEBUG_POINTS], const char *else_use, struct error *err);
/* DR7 with this one point enabled in register `number`; those of several are or'ed. */
uint64_t debug_point_dr7(const struct debug_point *p, unsigned number);
/* Bytes: 1, 2, 4 or 8. */
unsigned debug_point_size(const struct debug_point *p);

#endif
