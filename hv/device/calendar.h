/* calendar.h - the Gregorian calendar for the real-time clock: days since 1970-01-01 and back. */
#ifndef HV_DEVICE_CALENDAR_H
#define HV_DEVICE_CALENDAR_H

#include <stdint.h>

/* month is 1 to 12, day 1 to 31; a day after the end of its month runs into the next one. */
int64_t calendar_days(int64_t year, unsigned month, unsigned day);
/* The inverse, for days from year 0 on. */
void calendar_date(int64_t days, unsigned *year, unsigned *month, unsigned *day);

#endif
