/* base.c - tests of hv/base. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "tests/unit/unit.h"
#include "tests/unit/suites.h"

static void
test_parse_size(void)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t bytes;
    } cases[] = {
        {"4096", 0, 4096},
        {"64M", 0, 64u << 20},
        {"1g", 0, 1u << 30},
        {"16KiB", 0, 16384},
        {"0x1000", 0, 0x1000},
        {"", -EINVAL, 0},
        {"12X", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"M", -EINVAL, 0},
        {"1Mx", -EINVAL, 0},
        {"99999999999999999999", -EINVAL, 0},
        {"17179869184G", -EINVAL, 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t bytes = 0;
        struct error err;
        int rc = parse_size(cases[i].text, &bytes, &err);
        CU_ASSERT_EQUAL(rc, cases[i].rc);
        if (rc == 0)
            CU_ASSERT_EQUAL(bytes, cases[i].bytes);
    }
}

static void
test_error_prefix(void)
{
    struct error err;
    CU_ASSERT_EQUAL(error_set(&err, ENOENT, "no %s", "file"), -ENOENT);
    CU_ASSERT_EQUAL(error_prefix(&err, -ENOENT, "loading"), -ENOENT);
    CU_ASSERT_STRING_EQUAL(err.message, "loading: no file");
    CU_ASSERT_EQUAL(error_set(NULL, EINVAL, "unseen"), -EINVAL);
}

static void
test_read_file(void)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct error err;

    CU_ASSERT_EQUAL(read_file("/nonexistent/file", 100, &data, &size, &err), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "/nonexistent/file"));
    CU_ASSERT_EQUAL(read_file("/", 100, &data, &size, &err), -EINVAL);
    CU_ASSERT_EQUAL(read_file("/proc/self/exe", 10, &data, &size, &err), -EFBIG);
    CU_ASSERT_PTR_NULL(data);
}

static const struct unit_test tests[] = {
    {"sizes with units, and what is no size", test_parse_size},
    {"errors carry their sentence up", test_error_prefix},
    {"files that are missing, no files, too large", test_read_file},
    {NULL, NULL},
};
const struct unit_suite suite_base = {"base", tests};
