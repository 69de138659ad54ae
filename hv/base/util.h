/* util.h - the few small things that every room needs. */
#ifndef HV_BASE_UTIL_H
#define HV_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* "64M", "4K", "1G", "0x100000" -> bytes. 0 or -EINVAL with a sentence. */
int parse_size(const char *text, uint64_t *bytes, struct error *err);
/* Decimal or 0x hexadecimal, the whole of text. 0 or -EINVAL with a sentence. */
int parse_number(const char *text, uint64_t *value, struct error *err);

/* A whole file in memory from malloc (a zero byte follows the last). 0 or -errno. A file larger
 * than `limit` bytes is -EFBIG. The caller frees *data. */
int read_file(const char *path, uint64_t limit, uint8_t **data, size_t *size, struct error *err);

/* Which of `count` names is nearest to what was typed, for "did you mean"; NULL: none is near. */
const char *nearest_name(const char *typed, const char *const *names, unsigned count);

/* Nanoseconds of the monotonic clock. */
uint64_t now_ns(void);
/* Sleeps that long, or until a signal arrives. Always false: nothing came in meanwhile. */
bool sleep_ns(uint64_t ns);

#endif
