/*
 * rtc_names.c - what the clock's bytes are called (MC146818A data sheet, "Address map").
 *
 * Called by the debugger through rtc_ops.
 */
#include "device/rtc.h"

const char *
rtc_register_name(void *dev, uint64_t offset, bool write, uint64_t value)
{
    /* clang-format off */
    static const char *const names[] = {
        "seconds", "seconds alarm", "minutes", "minutes alarm", "hours", "hours alarm",
        "day of the week", "day of the month", "month", "year",
        "register A: divider and rate", "register B: control",
        "register C: which interrupts happened (a read clears them)", "register D: the battery",
    };
    /* clang-format on */
    uint8_t index = ((struct rtc *)dev)->s.index;

    (void)write;
    (void)value;
    if (offset == 0)
        return "index of the byte that port 71 reaches";
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : "a byte of CMOS memory";
}
