/*
 * rtc.h - the real-time clock and CMOS memory of a PC: Motorola MC146818A, with IRQ 8.
 *
 * Port 70: index (bits 6-0) and NMI mask (bit 7); port 71: the byte. Offsets: 0 and 1.
 */
#ifndef HV_DEVICE_RTC_H
#define HV_DEVICE_RTC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/line.h"
#include "device/device.h"

#define RTC_PORT  0x70
#define RTC_BYTES 128

struct rtc_state {
    uint64_t now;             /* guest time in ns of the last tick */
    int64_t chain;            /* guest time at which the divider chain was last at zero */
    uint64_t seconds;         /* of the chain that the registers show */
    uint64_t periods;         /* of the periodic rate that PF has seen */
    uint8_t bytes[RTC_BYTES]; /* registers 0-d, then memory; A without UIP */
    uint8_t index, nmi_masked;
};

struct rtc {
    struct rtc_state s;
    uint64_t due; /* follows from s: when the line rises next, in ns */
    struct line irq;
};

extern const struct device_ops rtc_ops;
/* rtc_names.c; device_ops.register_name. */
const char *rtc_register_name(void *dev, uint64_t offset, bool write, uint64_t value);

/* Sets what a BIOS finds at power-on: date (seconds since 1970 UTC), 24-hour BCD, and the size of
 * memory with its checksum. Call once, before the guest runs. */
void rtc_power_on(struct rtc *rtc, int64_t date, uint64_t mem_size);

#endif
