/* symbols.c - names and lines of addresses; the test program's own symbols are the example. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "loader/symbols.h"
#include "tests/random.h"
#include "tests/unit/suites.h"

/* The program is position-independent: addresses in the file differ from ours by a constant. */
int symbols_test_global(int n);
__attribute__((noinline)) int
symbols_test_global(int n)
{
    return n * 3;
}
enum { END_OF_GLOBAL = __LINE__ - 1 }; /* it has four lines */

int symbols_test_object[4] = {1, 2, 3, 4};

__asm__(".pushsection .text\n"
        ".globl symbols_test_label, symbols_test_sized, symbols_test_after\n"
        "symbols_test_label: nop; nop; nop; nop\n" /* no size: up to the next symbol */
        ".type symbols_test_sized, @function\n"
        "symbols_test_sized: nop; nop\n"
        ".size symbols_test_sized, 2\n"
        "nop; nop\n" /* belongs to nobody */
        "symbols_test_after: nop\n"
        ".popsection\n");

static struct symbols *
open_self(void)
{
    struct symbols *s = NULL;
    struct error err;
    CU_ASSERT_EQUAL_FATAL(symbols_open("/proc/self/exe", &s, &err), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

static void
expect_name(const struct symbols *s, uint64_t address, const char *name, uint64_t offset)
{
    uint64_t at = ~UINT64_C(0);
    const char *found = symbols_name(s, address, &at);

    CU_ASSERT(name ? found && !strcmp(found, name) : !found);
    if (name)
        CU_ASSERT_EQUAL(at, offset);
}

static void
test_names(void)
{
    struct symbols *s = open_self();
    uint64_t function, object, label;

    CU_ASSERT(symbols_address(s, "symbols_test_global", &function));
    CU_ASSERT(symbols_address(s, "symbols_test_object", &object));
    CU_ASSERT(symbols_address(s, "symbols_test_label", &label));
    /* The same distance as in memory. */
    CU_ASSERT_EQUAL(object - function,
                    (uintptr_t)symbols_test_object - (uintptr_t)symbols_test_global);
    expect_name(s, function, "symbols_test_global", 0);
    expect_name(s, function + 1, "symbols_test_global", 1);
    expect_name(s, object + 15, "symbols_test_object", 15);
    expect_name(s, label + 3, "symbols_test_label", 3);
    expect_name(s, label + 5, "symbols_test_sized", 1);
    expect_name(s, label + 6, NULL, 0); /* behind its size */
    expect_name(s, label + 8, "symbols_test_after", 0);
    expect_name(s, 0, NULL, 0);
    expect_name(s, UINT64_MAX, NULL, 0);
    CU_ASSERT_FALSE(symbols_address(s, "no_such_symbol", &function));
    CU_ASSERT_FALSE(symbols_address(s, "", &function));
    CU_ASSERT_FALSE(symbols_address(s, "~~~~", &function)); /* behind the last one */
    symbols_close(s);
}

static void
test_lines(void)
{
    struct symbols *s = open_self();
    uint64_t function;
    const char *file = "";
    char text[128], expected[128];
    int line = 0;

    CU_ASSERT(symbols_address(s, "symbols_test_global", &function));
    CU_ASSERT(symbols_line(s, function, &file, &line));
    CU_ASSERT(line > END_OF_GLOBAL - 4 && line <= END_OF_GLOBAL);
    CU_ASSERT(strlen(file) >= 20 && !strcmp(file + strlen(file) - 20, "tests/unit/symbols.c"));
    CU_ASSERT_FALSE(symbols_line(s, 0, &file, &line));
    CU_ASSERT_FALSE(symbols_line(s, UINT64_MAX, &file, &line));

    snprintf(expected, sizeof(expected), "symbols_test_global (symbols.c:%d)", line);
    CU_ASSERT_STRING_EQUAL(symbols_format(s, function, text, sizeof(text)), expected);
    CU_ASSERT_PTR_NOT_NULL(strstr(symbols_format(s, function + 1, text, sizeof(text)), "+0x1 ("));
    CU_ASSERT_STRING_EQUAL(symbols_format(s, 0x10, text, sizeof(text)), "0x10");
    CU_ASSERT_STRING_EQUAL(symbols_format(s, function, text, 8), "symbols");
    CU_ASSERT_PTR_EQUAL(symbols_format(s, function, text, 0), text);
    symbols_close(s);
}

static int
read_zeros(void *context, uint64_t address, void *to, size_t size)
{
    (void)context;
    memset(to, 0, size);
    return address % 16 ? 0 : -EFAULT;
}

/* What the debugger asks. */
static void
ask_more(struct symbols *s, uint64_t address)
{
    struct symbols_frame frame = {.known = 0xffff}, caller;
    uint64_t start, end, at;
    const char *file = symbols_file(s, 0);
    bool function;
    int found;

    if (file)
        symbols_find_line(s, file, 1, &found, &at);
    symbols_line_range(s, address, &start, &end);
    symbols_line_begins(s, address);
    symbols_body(s, address);
    for (size_t i = 0; symbols_list(s, i, &at, &function); i += 97) {
        frame.rip = at + i % 16;
        for (unsigned k = 0; k < 4 && symbols_unwind(s, &frame, read_zeros, NULL, &caller); k++)
            frame = caller;
        frame.known = 0xffff;
    }
}

/* Opens bytes as a file, and asks for everything. Returns what symbols_open() said. */
static int
open_bytes(const uint8_t *data, size_t size)
{
    struct symbols *s = NULL;
    struct error err;
    char path[32], text[256];
    uint64_t address = 0;
    const char *file;
    int line, fd = memfd_create("symbols", 0);

    CU_ASSERT_FATAL(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int rc = symbols_open(path, &s, &err);
    CU_ASSERT_EQUAL(!rc, s != NULL);
    if (!rc) {
        symbols_address(s, "symbols_test_global", &address);
        symbols_line(s, address, &file, &line);
        symbols_format(s, address, text, sizeof(text));
        symbols_build_id(s, text, sizeof(text));
        ask_more(s, address);
    }
    symbols_close(s);
    close(fd);
    return rc;
}

/* A file that is no ELF file or has no symbols is an empty set; one that cannot be read is not. */
static void
test_no_symbols(void)
{
    struct symbols *s = NULL;
    struct error err;
    uint64_t address;
    char text[32];

    CU_ASSERT_EQUAL(symbols_open("/nonexistent/file", &s, &err), -ENOENT);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "/nonexistent/file"));
    CU_ASSERT_EQUAL(open_bytes((const uint8_t *)"", 0), 0);
    CU_ASSERT_EQUAL(open_bytes((const uint8_t *)"no ELF file at all", 18), 0);

    CU_ASSERT_PTR_NULL(symbols_name(NULL, 0, &address));
    CU_ASSERT_FALSE(symbols_address(NULL, "main", &address));
    CU_ASSERT_STRING_EQUAL(symbols_format(NULL, 0x1234, text, sizeof(text)), "0x1234");
    symbols_close(NULL);
}

/* Truncated and damaged copies of the program: never a crash, whatever is found. */
static void
test_damaged(void)
{
    uint8_t *data = NULL;
    size_t size = 0;
    struct error err;
    uint64_t seed = 88172645463325252;

    CU_ASSERT_EQUAL_FATAL(read_file("/proc/self/exe", UINT64_C(1) << 30, &data, &size, &err), 0);
    uint64_t headers;
    memcpy(&headers, data + 0x28, sizeof(headers)); /* e_shoff */
    for (unsigned i = 1; i <= 8; i++)
        CU_ASSERT_EQUAL(open_bytes(data, size / 9 * i), 0);
    for (size_t cut = 0; cut < 64; cut += 7) /* within the ELF header */
        CU_ASSERT_EQUAL(open_bytes(data, cut), 0);
    for (unsigned i = 0; i < 24; i++) {
        /* Half of the damage hits the file's header and section headers. */
        uint64_t at[64];
        uint8_t old[64];
        for (unsigned k = 0; k < 64; k++) {
            uint64_t random = random_next(&seed);
            at[k] = i % 2 ? random % size : headers + random % (size - headers);
            old[k] = data[at[k]];
            data[at[k]] = random >> 40;
        }
        CU_ASSERT_EQUAL(open_bytes(data, size), 0);
        for (unsigned k = 64; k-- > 0;)
            data[at[k]] = old[k];
    }
    free(data);
}

static const struct unit_test tests[] = {
    {"names of addresses, addresses of names", test_names},
    {"lines", test_lines},
    {"files without symbols", test_no_symbols},
    {"damaged files", test_damaged},
    {NULL, NULL},
};
const struct unit_suite suite_symbols = {"symbols", tests};
