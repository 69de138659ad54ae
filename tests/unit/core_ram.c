/* core_ram.c - tests of hv/core/ram.c: no byte outside the guest's memory can be named. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/ram.h"
#include "tests/unit/suites.h"

static const uint8_t image[5000] = {1, 2, 3, [4999] = 9};

static void
test_sizes(void)
{
    struct ram ram;
    struct error err;

    CU_ASSERT_EQUAL(ram_create(&ram, RAM_MIN - 1, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_create(&ram, RAM_MAX + 1, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_create(&ram, UINT64_MAX, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_create(&ram, RAM_MIN + 1, &err), 0);
    CU_ASSERT_EQUAL(ram.size, RAM_MIN + PAGE_SIZE);
    CU_ASSERT_EQUAL(ram.host[ram.size - 1], 0);
    ram_destroy(&ram);
    ram_destroy(&ram); /* harmless */
}

static void
test_bounds(void)
{
    struct ram ram;
    uint8_t byte[2] = {0xaa, 0xbb};

    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, RAM_MIN, NULL), 0);
    CU_ASSERT_PTR_EQUAL(ram_at(&ram, 0, RAM_MIN), ram.host);
    CU_ASSERT_PTR_NULL(ram_at(&ram, 0, RAM_MIN + 1));
    CU_ASSERT_PTR_NULL(ram_at(&ram, 1, RAM_MIN));
    CU_ASSERT_PTR_NULL(ram_at(&ram, RAM_MIN, 1));
    CU_ASSERT_PTR_NOT_NULL(ram_at(&ram, RAM_MIN, 0));
    /* Sums that wrap around must not look small. */
    CU_ASSERT_PTR_NULL(ram_at(&ram, UINT64_MAX, 1));
    CU_ASSERT_PTR_NULL(ram_at(&ram, UINT64_MAX, 2));
    CU_ASSERT_PTR_NULL(ram_at(&ram, 2, UINT64_MAX));
    CU_ASSERT_PTR_NULL(ram_at(&ram, UINT64_MAX - 10, UINT64_MAX));

    CU_ASSERT_EQUAL(ram_write(&ram, RAM_MIN - 1, byte, 2), -EFAULT);
    CU_ASSERT_EQUAL(ram.host[RAM_MIN - 1], 0); /* nothing moved */
    CU_ASSERT_EQUAL(ram_write(&ram, RAM_MIN - 2, byte, 2), 0);
    CU_ASSERT_EQUAL(ram.host[RAM_MIN - 1], 0xbb);
    byte[0] = byte[1] = 0;
    CU_ASSERT_EQUAL(ram_read(&ram, RAM_MIN - 1, byte, 2), -EFAULT);
    CU_ASSERT_EQUAL(byte[0], 0); /* nothing moved */
    CU_ASSERT_EQUAL(ram_read(&ram, UINT64_MAX, byte, 2), -EFAULT);
    CU_ASSERT_EQUAL(ram_read(&ram, UINT64_MAX, byte, 0), -EFAULT);
    CU_ASSERT_EQUAL(ram_read(&ram, 0, byte, UINT64_MAX), -EFAULT);
    CU_ASSERT_EQUAL(ram_read(&ram, RAM_MIN - 2, byte, 2), 0);
    CU_ASSERT_EQUAL(byte[1], 0xbb);
    ram_destroy(&ram);
}

static void
test_rom(void)
{
    struct ram ram;
    struct error err;
    uint8_t bytes[4] = {0};
    bool writable = true;

    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, RAM_MIN, NULL), 0);
    memset(ram.host, 0x55, RAM_MIN);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xf0001, image, 16, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xf0000, image, 0, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, UINT64_MAX - 0xfff, image, 16, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xf0000, image, sizeof(image), &err), 0);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xf1000, image, 16, &err), -EINVAL); /* overlap */
    CU_ASSERT_EQUAL(ram_add_rom(&ram, 0xfffff000, image, 1, &err), 0);

    /* It hides the RAM below, padded with ff to a page. */
    CU_ASSERT_EQUAL(ram_read(&ram, 0xeffff, bytes, 4), 0);
    CU_ASSERT_EQUAL(memcmp(bytes, "\x55\1\2\3", 4), 0);
    CU_ASSERT_EQUAL(ram_read(&ram, 0xf0000 + 4999, bytes, 2), 0);
    CU_ASSERT_EQUAL(memcmp(bytes, "\x09\xff", 2), 0);
    CU_ASSERT_EQUAL(ram_read(&ram, 0xf1fff, bytes, 2), 0);
    CU_ASSERT_EQUAL(memcmp(bytes, "\xff\x55", 2), 0);
    CU_ASSERT_EQUAL(ram_read(&ram, 0xffffffff, bytes, 2), -EFAULT);

    /* Nobody writes to it. */
    CU_ASSERT_EQUAL(ram_write(&ram, 0xeffff, bytes, 2), -EFAULT);
    CU_ASSERT_PTR_NULL(ram_at(&ram, 0, RAM_MIN));
    CU_ASSERT_PTR_NOT_NULL(ram_page(&ram, 0xf1234, &writable));
    CU_ASSERT_FALSE(writable);
    CU_ASSERT_PTR_EQUAL(ram_page(&ram, 0xb8123, &writable), ram.host + 0xb8000);
    CU_ASSERT_TRUE(writable);
    CU_ASSERT_PTR_NULL(ram_page(&ram, RAM_MIN, &writable));
    CU_ASSERT_PTR_NULL(ram_page(&ram, UINT64_MAX, &writable));
    ram_destroy(&ram);
}

/* A write by our own error, one byte before or after guest memory or into a ROM, faults. */
static void
test_guard_pages(void)
{
    struct ram ram;

    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, RAM_MIN, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(ram_add_rom(&ram, 0xf0000, image, 16, NULL), 0);
    CU_ASSERT_EQUAL_FATAL(ram_add_private(&ram, PAGE_SIZE, NULL), 0);
    volatile uint8_t *const bad[] = {ram.host - 1,         ram.host + RAM_MIN,
                                     ram.rom[0].host,      ram.rom[0].host + PAGE_SIZE,
                                     ram.private_host - 1, ram.private_host + PAGE_SIZE};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, SIG_DFL); /* a sanitizer may have its own */
            *bad[i] = 1;
            _exit(0);
        }
        CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
        CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
    ram_destroy(&ram);
}

static void
count_writes(void *ctx, uint64_t gpa, uint64_t len)
{
    *(uint64_t *)ctx += gpa * 1000 + len;
}

static void
test_on_write(void)
{
    struct ram ram;
    uint64_t seen = 0;

    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, RAM_MIN, NULL), 0);
    ram_write(&ram, 1, "x", 1); /* nobody listens */
    ram.on_write = count_writes, ram.on_write_ctx = &seen;
    ram_write(&ram, 7, "abc", 3);
    CU_ASSERT_EQUAL(seen, 7003);
    ram_write(&ram, 7, "abc", 0);
    ram_write(&ram, RAM_MIN, "abc", 3);
    CU_ASSERT_EQUAL(seen, 7003); /* neither wrote anything */
    ram_destroy(&ram);
}

/* The VMM's own memory: the processor reaches it, a guest's addresses do not. */
static void
test_private(void)
{
    struct ram ram;
    struct error err;
    uint8_t byte = 7;
    bool writable;

    CU_ASSERT_EQUAL_FATAL(ram_create(&ram, RAM_MIN, &err), 0);
    CU_ASSERT_PTR_NULL(ram_page(&ram, RAM_PRIVATE, &writable));
    CU_ASSERT_EQUAL(ram_add_private(&ram, 100, &err), -EINVAL);
    CU_ASSERT_EQUAL(ram_add_private(&ram, RAM_PRIVATE_MAX + PAGE_SIZE, &err), -EINVAL);
    CU_ASSERT_EQUAL_FATAL(ram_add_private(&ram, 2 * PAGE_SIZE, &err), 0);
    CU_ASSERT_EQUAL(ram_add_private(&ram, PAGE_SIZE, &err), -EBUSY);
    CU_ASSERT_PTR_EQUAL(ram_page(&ram, RAM_PRIVATE + PAGE_SIZE + 5, &writable),
                        ram.private_host + PAGE_SIZE);
    CU_ASSERT_TRUE(writable);
    CU_ASSERT_PTR_NULL(ram_page(&ram, RAM_PRIVATE + 2 * PAGE_SIZE, &writable));
    CU_ASSERT_PTR_NULL(ram_at(&ram, RAM_PRIVATE, 1));
    CU_ASSERT_EQUAL(ram_read(&ram, RAM_PRIVATE, &byte, 1), -EFAULT);
    CU_ASSERT_EQUAL(ram_write(&ram, RAM_PRIVATE, &byte, 1), -EFAULT);
    CU_ASSERT_EQUAL(ram_add_rom(&ram, RAM_PRIVATE, &byte, 1, &err), -EINVAL);
    ram_destroy(&ram);
}

static const struct unit_test tests[] = {
    {"sizes that are refused and rounded", test_sizes},
    {"bounds, with lengths that wrap around", test_bounds},
    {"ROM hides RAM and cannot be written", test_rom},
    {"guard pages fault", test_guard_pages},
    {"writes are told to the engine", test_on_write},
    {"the VMM's private memory", test_private},
    {NULL, NULL},
};
const struct unit_suite suite_core_ram = {"core_ram", tests};
