/*
 * store.c - ticket 6: one of three services, with a working set, and a cache of what memory is left.
 *
 *   role=db|web|mail   which service: its working set is 20, 8 or 6 MiB
 *   cache=SIZE         the cache (K, M); without it: all memory that is left
 *   ballast=SIZE       takes so much and does nothing with it
 *
 * The last line says how much memory was touched: the host has to have that much.
 */
#include "kit.h"

#define MIB     (UINT64_C(1) << 20)
#define START   (2 * MIB) /* what lies below is the kernel's */
#define PAGE    4096
#define RESERVE (512 * 1024)

static uint64_t
touch(uint64_t from, uint64_t bytes)
{
    for (uint64_t at = from; at < from + bytes; at += PAGE)
        *(volatile uint64_t *)at = at;
    return from + bytes;
}

uint8_t
appliance_main(void)
{
    const char *role = param_is("role", "db") ? "db" : param_is("role", "web") ? "web" : "mail";
    uint64_t need = (*role == 'd' ? 20 : *role == 'w' ? 8 : 6) * MIB;
    uint64_t memory = memory_size(), left, cache, ballast = param("ballast", 0);

    say("%s: %u MiB of memory, working set %u MiB\n", role, (unsigned)(memory / MIB),
        (unsigned)(need / MIB));
    if (memory < START + need + RESERVE)
        stop(3, "out of memory: the service is killed");
    left = memory - START - need - RESERVE;
    cache = param("cache", left);
    if (cache + ballast > left)
        stop(3, "out of memory: cache and ballast do not fit, the service is killed");
    touch(touch(touch(START, need), cache & -(uint64_t)PAGE), ballast & -(uint64_t)PAGE);
    /* What is not in the cache comes from the disk: a working set's eighth is asked for often. */
    unsigned misses = cache >= need / 8 ? 5 : (unsigned)(95 - cache * 90 / (need / 8));
    say("%s: served 1000 requests, %u%% from the disk, touched %u KiB\n", role, misses,
        (unsigned)((START + need + cache + ballast) / 1024));
    return 0;
}
