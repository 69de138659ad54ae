/* calendar.c - see calendar.h. Called by rtc.c. */
#include "device/calendar.h"

/* Years are counted from March, so that the leap day is the last one of its year. */
int64_t
calendar_days(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    unsigned m = month <= 2 ? month + 9 : month - 3; /* March is 0 */

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

void
calendar_date(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    unsigned y = (unsigned)((days + 719468) / 366), m = 1;

    while (calendar_days(y + 1, 1, 1) <= days)
        y++;
    while (m < 12 && calendar_days(y, m + 1, 1) <= days)
        m++;
    *year = y, *month = m, *day = (unsigned)(days - calendar_days(y, m, 1)) + 1;
}
