/* points.c - tests of what fits into the debug registers (engine/points.h). */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/points.h"
#include "tests/unit/suites.h"

/* DR7 knows 1, 2, 4 and 8 aligned bytes (SDM vol. 3, 17.2.4): other points are cut. */
static void
test_points(void)
{
    const struct stop_point aligned = {0x1000, 8, STOP_WRITE}, odd = {0x1001, 6, STOP_ACCESS};
    const struct stop_point two[] = {{0x2001, 0, STOP_EXECUTE}, {0x3000, 4, STOP_WRITE}};
    const struct stop_point large = {0x1001, 40, STOP_WRITE}, none = {0x1000, 0, STOP_WRITE};
    const struct stop_point around = {UINT64_MAX - 3, 5, STOP_WRITE};
    const struct stop_point last = {UINT64_MAX - 3, 4, STOP_WRITE}, reads = {0, 1, STOP_READ};
    struct debug_point p[DEBUG_POINTS];
    struct error err;

    CU_ASSERT_EQUAL(debug_points(&aligned, 1, p, "", &err), 1);
    CU_ASSERT(p[0].address == 0x1000 && p[0].length == 2 && p[0].how == 1 && p[0].id == 0);
    CU_ASSERT_EQUAL(debug_point_dr7(&p[0], 1), 0x0090030c);
    CU_ASSERT_EQUAL(debug_points(&odd, 1, p, "", &err), 4);
    CU_ASSERT(p[0].address == 0x1001 && p[0].length == 0 && p[0].how == 3);
    CU_ASSERT(p[1].address == 0x1002 && p[1].length == 1);
    CU_ASSERT(p[2].address == 0x1004 && p[2].length == 1);
    CU_ASSERT(p[3].address == 0x1006 && p[3].length == 0);
    CU_ASSERT_EQUAL(debug_points(two, 2, p, "", &err), 2);
    CU_ASSERT(p[0].address == 0x2001 && p[0].length == 0 && p[0].how == 0 && p[0].id == 0);
    CU_ASSERT(p[1].address == 0x3000 && p[1].length == 3 && p[1].how == 1 && p[1].id == 1);
    CU_ASSERT_EQUAL(debug_point_dr7(&p[1], 3), 0xd00003c0);
    CU_ASSERT_EQUAL(debug_points((const struct stop_point[]){two[0], odd}, 2, p, ": or else", &err),
                    -ENOSPC);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, ": or else"));
    CU_ASSERT_EQUAL(debug_points(&large, 1, p, "", &err), -ENOSPC);
    CU_ASSERT_EQUAL(debug_points(&none, 1, p, "", &err), -EINVAL);
    CU_ASSERT_EQUAL(debug_points(&around, 1, p, "", &err), -EINVAL);
    CU_ASSERT_EQUAL(debug_points(&last, 1, p, "", &err), 1);
    CU_ASSERT_EQUAL(debug_points(&reads, 1, p, "", &err), -ENOTSUP);
    for (unsigned size = 1; size <= 8; size *= 2) {
        const struct stop_point it = {0x1000, size, STOP_WRITE};
        CU_ASSERT_EQUAL(debug_points(&it, 1, p, "", &err), 1);
        CU_ASSERT_EQUAL(debug_point_size(p), size);
    }
}

static const struct unit_test tests[] = {
    {"points in debug registers", test_points},
    {NULL, NULL},
};

const struct unit_suite suite_points = {"points", tests};
