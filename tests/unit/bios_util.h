/*
 * bios_util.h - a machine with BIOS services, for the tests of the device and of its ROM.
 */
#ifndef TESTS_UNIT_BIOS_UTIL_H
#define TESTS_UNIT_BIOS_UTIL_H

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "device/bios.h"
#include "isa/x86/cpu.h"
#include "tests/unit/unit.h"

#define MIB (UINT64_C(1) << 20)

static uint8_t disk[64 * 512 + 100]; /* the 65th sector is short */

struct machine {
    struct ram ram;
    struct console console;
    struct bios bios;
    const char *keys; /* still to be typed */
    int a20;
    struct x86_cpu cpu;
    unsigned calls, halts;
};

static inline int
next_key(void *ctx)
{
    struct machine *m = ctx;
    return m->keys && *m->keys ? (uint8_t)*m->keys++ : -1;
}

static inline void
set_a20(void *ctx, unsigned number, int level)
{
    (void)number;
    ((struct machine *)ctx)->a20 = level;
}

static inline struct machine *
machine_new(uint64_t mem_size)
{
    struct machine *m = calloc(1, sizeof(*m));
    struct error err;

    for (unsigned i = 0; i < sizeof(disk); i++)
        disk[i] = i >> 9 ^ i;
    disk[510] = 0x55, disk[511] = 0xaa;
    CU_ASSERT_FATAL(m && ram_create(&m->ram, mem_size, &err) == 0);
    CU_ASSERT_EQUAL_FATAL(console_open(&m->console, "null", &err), 0);
    m->console.keep = true;
    m->bios = (struct bios){.ram = &m->ram,
                            .console = &m->console,
                            .input = {m, next_key},
                            .a20 = {set_a20, m, 0},
                            .disk = disk,
                            .disk_size = sizeof(disk)};
    CU_ASSERT_EQUAL_FATAL(bios_install(&m->bios, &err), 0);
    return m;
}

static inline void
machine_free(struct machine *m)
{
    console_close(&m->console);
    console_free(&m->console);
    ram_destroy(&m->ram);
    free(m);
}

/* What has been printed so far, and forgets it. */
static inline bool
printed(struct machine *m, const char *text)
{
    bool same = m->console.kept_size == strlen(text) &&
                (!*text || !memcmp(m->console.kept, text, strlen(text)));
    m->console.kept_size = 0;
    return same;
}

static inline uint32_t
peek(struct machine *m, uint64_t gpa, unsigned size)
{
    uint32_t value = 0;
    CU_ASSERT_EQUAL(ram_read(&m->ram, gpa, &value, size), 0);
    return value;
}

#endif
