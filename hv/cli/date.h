/* date.h - a date on the command line. */
#ifndef HV_CLI_DATE_H
#define HV_CLI_DATE_H

#include <stdint.h>

#include "base/error.h"

/* ISO 8601, always UTC: 2025-01-31, 2025-01-31T23:59 or 2025-01-31T23:59:58, with or without a Z
 * at the end; 1980 (no PC is older) to 9899. Seconds since 1970. 0 or -EINVAL. */
int parse_date(const char *text, int64_t *seconds, struct error *err);

#endif
