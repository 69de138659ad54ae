/* escape.h - C's escapes in what is typed: \n, \t, \\, \x41, \033. Next: escape.c. */
#ifndef HV_DEBUGGER_ESCAPE_H
#define HV_DEBUGGER_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The bytes that `text` stands for. 0; -EINVAL for an escape that is none, -E2BIG for more than
 * `room` bytes, with a sentence. */
int unescape(const char *text, uint8_t *bytes, size_t room, size_t *count, struct error *err);

#endif
