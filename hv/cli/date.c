/* date.c - see date.h. Called by launch.c for --date. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli/date.h"
#include "device/calendar.h"

#define YEAR_FIRST 1980u
#define YEAR_LAST  9899u /* what the clock can show (device/rtc.c) */

/* Takes `digits` digits, and before them `before` unless that is 0. */
static bool
take(const char **text, char before, unsigned digits, unsigned *value)
{
    const char *at = *text;

    if (before && *at++ != before)
        return false;
    *value = 0;
    for (; digits; digits--, at++) {
        if (!isdigit((unsigned char)*at))
            return false;
        *value = *value * 10 + (unsigned)(*at - '0');
    }
    *text = at;
    return true;
}

/* The month has such a day if it is the same one there and back. */
static bool
is_day(unsigned year, unsigned month, unsigned day)
{
    unsigned y, m, d;

    if (year < YEAR_FIRST || year > YEAR_LAST || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    calendar_date(calendar_days(year, month, day), &y, &m, &d);
    return m == month && d == day;
}

int
parse_date(const char *text, int64_t *seconds, struct error *err)
{
    unsigned year, month, day, hour = 0, minute = 0, second = 0;
    const char *at = text;
    bool good = take(&at, 0, 4, &year) && take(&at, '-', 2, &month) && take(&at, '-', 2, &day);

    if (good && *at == 'T') {
        good = take(&at, 'T', 2, &hour) && take(&at, ':', 2, &minute);
        if (good && *at == ':')
            good = take(&at, ':', 2, &second);
    }
    if (good && *at == 'Z')
        at++;
    if (!good || *at || hour > 23 || minute > 59 || second > 59 || !is_day(year, month, day))
        return error_set(err, EINVAL,
                         "'%s' is no date: give one as 2025-01-31 or 2025-01-31T23:59:58, in UTC, "
                         "from %u to %u",
                         text, YEAR_FIRST, YEAR_LAST);
    *seconds = calendar_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return 0;
}
