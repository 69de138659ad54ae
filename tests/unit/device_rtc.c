/* device_rtc.c - tests of hv/device/rtc.c and calendar.c against Motorola's MC146818A data sheet. */
#include <string.h>

#include "device/calendar.h"
#include "device/pc.h"
#include "device/rtc.h"
#include "tests/unit/suites.h"

#define SECOND UINT64_C(1000000000)

struct rig {
    struct rtc rtc;
    int level;
    unsigned rises;
};

static void
wire(void *ctx, unsigned number, int level)
{
    struct rig *rig = ctx;

    (void)number;
    rig->rises += level && !rig->level;
    rig->level = level;
}

static void
set_up(struct rig *rig, int64_t date)
{
    memset(rig, 0, sizeof(*rig));
    rig->rtc.irq = (struct line){wire, rig, 8};
    rtc_power_on(&rig->rtc, date, 64 << 20);
}

static uint8_t
get(struct rig *rig, uint8_t reg)
{
    rtc_ops.write(&rig->rtc, 0, 1, reg);
    return (uint8_t)rtc_ops.read(&rig->rtc, 1, 1);
}

static void
put(struct rig *rig, uint8_t reg, uint8_t v)
{
    rtc_ops.write(&rig->rtc, 0, 1, reg);
    rtc_ops.write(&rig->rtc, 1, 1, v);
}

/* Century, year, month, day, weekday, hours, minutes, seconds, as the registers are. */
static void
expect_date(struct rig *rig, const char *bytes)
{
    static const uint8_t regs[8] = {0x32, 9, 8, 7, 6, 4, 2, 0};

    for (unsigned i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(get(rig, regs[i]), (uint8_t)bytes[i]);
}

static void
set_date(struct rig *rig, const char *bytes)
{
    static const uint8_t regs[8] = {0x32, 9, 8, 7, 6, 4, 2, 0};

    for (unsigned i = 0; i < 8; i++)
        put(rig, regs[i], (uint8_t)bytes[i]);
}

static void
test_calendar(void)
{
    unsigned year, month, day;

    CU_ASSERT_EQUAL(calendar_days(1970, 1, 1), 0);
    CU_ASSERT_EQUAL(calendar_days(2000, 3, 1), 11017);
    CU_ASSERT_EQUAL(calendar_days(2100, 3, 1) - calendar_days(2100, 2, 28), 1); /* no leap year */
    CU_ASSERT_EQUAL(calendar_days(2000, 3, 1) - calendar_days(2000, 2, 28), 2);
    /* Every day of 500 years there and back. */
    unsigned wrong = 0;
    for (int64_t d = calendar_days(1901, 1, 1); d < calendar_days(2401, 1, 1); d++) {
        calendar_date(d, &year, &month, &day);
        wrong += calendar_days(year, month, day) != d || month - 1 > 11 || day - 1 > 30;
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void
test_power_on(void)
{
    struct rig rig;

    set_up(&rig, PC_POWER_ON_DATE);
    expect_date(&rig, "\x20\x25\x01\x01\x04\x00\x00\x00"); /* a Wednesday */
    CU_ASSERT_EQUAL(get(&rig, 0x0a), 0x26);
    CU_ASSERT_EQUAL(get(&rig, 0x0b), 0x02);
    CU_ASSERT_EQUAL(get(&rig, 0x0d), 0x80);
    CU_ASSERT_EQUAL(get(&rig, 0x15) | get(&rig, 0x16) << 8, 640);
    CU_ASSERT_EQUAL(get(&rig, 0x17) | get(&rig, 0x18) << 8, 63 * 1024);
    CU_ASSERT_EQUAL(get(&rig, 0x34) | get(&rig, 0x35) << 8, 48 * 16);
    unsigned sum = 0;
    for (uint8_t i = 0x10; i <= 0x2d; i++)
        sum += get(&rig, i);
    CU_ASSERT_EQUAL(get(&rig, 0x2e) << 8 | get(&rig, 0x2f), sum);
    rtc_power_on(&rig.rtc, PC_POWER_ON_DATE, UINT64_C(3) << 30);
    CU_ASSERT_EQUAL(get(&rig, 0x17) | get(&rig, 0x18) << 8, 0xffff); /* as much as fits */
    rtc_power_on(&rig.rtc, INT64_MIN, 1 << 20);                      /* no such date: 1970 */
    CU_ASSERT_EQUAL(get(&rig, 9), 0x70);
    CU_ASSERT_EQUAL(get(&rig, 0x17), 0);
}

static void
test_ports(void)
{
    struct rig rig;

    set_up(&rig, PC_POWER_ON_DATE);
    put(&rig, 0x50, 0xa5);
    CU_ASSERT_EQUAL(get(&rig, 0xd0), 0xa5); /* bit 7 of the index is the NMI mask */
    CU_ASSERT_EQUAL(rig.rtc.s.nmi_masked, 1);
    CU_ASSERT_EQUAL(get(&rig, 0x50), 0xa5);
    CU_ASSERT_EQUAL(rig.rtc.s.nmi_masked, 0);
    CU_ASSERT_EQUAL(rtc_ops.read(&rig.rtc, 0, 1), 0xff);
    put(&rig, 0x0c, 0xff); /* read-only */
    put(&rig, 0x0d, 0x00);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0);
    CU_ASSERT_EQUAL(get(&rig, 0x0d), 0x80);
    put(&rig, 0x0a, 0xa6); /* UIP is read-only */
    CU_ASSERT_EQUAL(get(&rig, 0x0a), 0x26);
}

static void
test_clock(void)
{
    struct rig rig;

    set_up(&rig, PC_POWER_ON_DATE);
    rtc_ops.tick(&rig.rtc, SECOND - 1);
    CU_ASSERT_EQUAL(get(&rig, 0), 0);
    rtc_ops.tick(&rig.rtc, SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0), 1);
    rtc_ops.tick(&rig.rtc, 59 * SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0), 0x59);
    rtc_ops.tick(&rig.rtc, 3600 * SECOND);
    expect_date(&rig, "\x20\x25\x01\x01\x04\x01\x00\x00");
    /* From the last second of February, and of a century. */
    set_date(&rig, "\x20\x24\x02\x28\x04\x23\x59\x59");
    rtc_ops.tick(&rig.rtc, 3601 * SECOND);
    expect_date(&rig, "\x20\x24\x02\x29\x05\x00\x00\x00");
    set_date(&rig, "\x19\x99\x12\x31\x07\x23\x59\x59");
    rtc_ops.tick(&rig.rtc, 3602 * SECOND);
    expect_date(&rig, "\x20\x00\x01\x01\x01\x00\x00\x00");
    /* Ten years in one step: 3653 days, three leap days. */
    set_date(&rig, "\x20\x00\x01\x01\x01\x12\x34\x56");
    rtc_ops.tick(&rig.rtc, (3602 + 3653 * UINT64_C(86400)) * SECOND);
    expect_date(&rig, "\x20\x10\x01\x01\x07\x12\x34\x56");
    /* A century that is none, as an empty CMOS memory has: it is this one. */
    set_date(&rig, "\x00\x24\x05\x06\x02\x12\x34\x56");
    rtc_ops.tick(&rig.rtc, (3603 + 3653 * UINT64_C(86400)) * SECOND);
    expect_date(&rig, "\x20\x24\x05\x06\x02\x12\x34\x57");
}

/* "Time, calendar and alarm": binary or BCD, 12 or 24 hours. */
static void
test_formats(void)
{
    struct rig rig;
    uint64_t now = 0;

    set_up(&rig, PC_POWER_ON_DATE);
    put(&rig, 0x0b, 0x00);                              /* 12 hours, BCD */
    set_date(&rig, "\x20\x25\x01\x01\x04\x92\x59\x59"); /* 12:59:59 PM */
    rtc_ops.tick(&rig.rtc, now += SECOND);
    CU_ASSERT_EQUAL(get(&rig, 4), 0x81);                /* 1 PM */
    set_date(&rig, "\x20\x25\x01\x01\x04\x91\x59\x59"); /* 11:59:59 PM */
    rtc_ops.tick(&rig.rtc, now += SECOND);
    expect_date(&rig, "\x20\x25\x01\x02\x05\x12\x00\x00"); /* 12 AM, the next day */
    put(&rig, 0x0b, 0x06);                                 /* 24 hours, binary */
    set_date(&rig, "\x20\x63\x0c\x1f\x07\x17\x3b\x3b");    /* 2099-12-31 23:59:59 */
    rtc_ops.tick(&rig.rtc, now += SECOND);
    expect_date(&rig, "\x21\x00\x01\x01\x01\x00\x00\x00");
    put(&rig, 0x0b, 0x04); /* 12 hours, binary */
    put(&rig, 4, 0x8b), put(&rig, 2, 59), put(&rig, 0, 59);
    rtc_ops.tick(&rig.rtc, now += SECOND);
    CU_ASSERT_EQUAL(get(&rig, 4), 12);
}

/* "Update cycle": UIP is set 244 us before it and for its 1984 us; SET stops it. */
static void
test_update(void)
{
    struct rig rig;

    set_up(&rig, PC_POWER_ON_DATE);
    rtc_ops.tick(&rig.rtc, SECOND - 2228001);
    CU_ASSERT_EQUAL(get(&rig, 0x0a) & 0x80, 0);
    rtc_ops.tick(&rig.rtc, SECOND - 2228000);
    CU_ASSERT_EQUAL(get(&rig, 0x0a) & 0x80, 0x80);
    rtc_ops.tick(&rig.rtc, SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0x0a) & 0x80, 0);
    put(&rig, 0x0b, 0x92); /* SET clears UIE */
    CU_ASSERT_EQUAL(get(&rig, 0x0b), 0x82);
    rtc_ops.tick(&rig.rtc, 2 * SECOND - 1);
    CU_ASSERT_EQUAL(get(&rig, 0x0a) & 0x80, 0);
    rtc_ops.tick(&rig.rtc, 10 * SECOND + 5);
    CU_ASSERT_EQUAL(get(&rig, 0), 1);
    put(&rig, 0x0b, 0x02);
    rtc_ops.tick(&rig.rtc, 11 * SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0), 2);
    /* "Divider control": held in reset; the first update comes half a second after. */
    put(&rig, 0x0a, 0x76);
    rtc_ops.tick(&rig.rtc, 20 * SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0), 2);
    rtc_ops.tick(&rig.rtc, 20 * SECOND + 300);
    put(&rig, 0x0a, 0x26);
    rtc_ops.tick(&rig.rtc, 20 * SECOND + SECOND / 2 + 299);
    CU_ASSERT_EQUAL(get(&rig, 0), 2);
    rtc_ops.tick(&rig.rtc, 20 * SECOND + SECOND / 2 + 300);
    CU_ASSERT_EQUAL(get(&rig, 0), 3);
}

static void
test_update_interrupt(void)
{
    struct rig rig;

    set_up(&rig, PC_POWER_ON_DATE);
    put(&rig, 0x0a, 0x20); /* no periodic flag in register C */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), DEVICE_NEVER);
    put(&rig, 0x0b, 0x12);
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), SECOND);
    rtc_ops.tick(&rig.rtc, SECOND);
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), DEVICE_NEVER); /* while the line is high */
    rtc_ops.tick(&rig.rtc, 3 * SECOND);
    CU_ASSERT_EQUAL(rig.rises, 1);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0x90); /* IRQF, UF */
    CU_ASSERT_EQUAL(rig.level, 0);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0);
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), 4 * SECOND);
    /* The flag comes without its enable too, but not the line; enabling it later raises it. */
    put(&rig, 0x0b, 0x02);
    rtc_ops.tick(&rig.rtc, 5 * SECOND);
    CU_ASSERT_EQUAL(rig.level, 0);
    put(&rig, 0x0b, 0x12);
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0x90);
}

static void
test_alarm(void)
{
    struct rig rig;
    uint64_t now = 0;

    set_up(&rig, PC_POWER_ON_DATE);
    put(&rig, 0x0a, 0x20); /* no periodic flag in register C */
    put(&rig, 0x0b, 0x22);
    put(&rig, 1, 0x30), put(&rig, 3, 0x15), put(&rig, 5, 0x06); /* 06:15:30 */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), (6 * 3600 + 15 * 60 + 30) * SECOND);
    rtc_ops.tick(&rig.rtc, now = rtc_ops.next(&rig.rtc));
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0xb0);                        /* IRQF, AF, UF */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), now + 86400 * SECOND); /* tomorrow */
    put(&rig, 5, 0xff);                                            /* every hour */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), now + 3600 * SECOND);
    put(&rig, 3, 0xc0); /* every minute */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), now + 60 * SECOND);
    put(&rig, 1, 0xc0); /* every second */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), now + SECOND);
    put(&rig, 1, 0x99); /* never */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), DEVICE_NEVER);
    rtc_ops.tick(&rig.rtc, now += 86400 * SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0x10);
    /* A jump over the alarm sets AF. */
    put(&rig, 1, 0x31), put(&rig, 3, 0x15), put(&rig, 5, 0x06);
    rtc_ops.tick(&rig.rtc, now += 5 * SECOND);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0xb0);
    /* 12 hours: the alarm is compared as it is written. */
    put(&rig, 0x0b, 0x20);
    put(&rig, 4, 0x11), put(&rig, 2, 0x59), put(&rig, 0, 0x59);
    put(&rig, 1, 0), put(&rig, 3, 0), put(&rig, 5, 0x92); /* noon */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), now + SECOND);
}

/* "Periodic interrupt rate", table 5. */
static void
test_periodic(void)
{
    static const struct {
        uint8_t rate;
        unsigned hz;
    } rates[] = {{1, 256}, {2, 128}, {3, 8192}, {6, 1024}, {8, 256}, {15, 2}};
    struct rig rig;

    for (unsigned i = 0; i < 6; i++) {
        set_up(&rig, PC_POWER_ON_DATE);
        put(&rig, 0x0a, 0x20 | rates[i].rate);
        put(&rig, 0x0b, 0x42);
        unsigned n = 0;
        while (rtc_ops.next(&rig.rtc) <= SECOND) {
            rtc_ops.tick(&rig.rtc, rtc_ops.next(&rig.rtc));
            n++;
            CU_ASSERT_EQUAL(rig.rises, n);
            CU_ASSERT_EQUAL(get(&rig, 0x0c) & 0xc0, 0xc0);
        }
        CU_ASSERT_EQUAL(n, rates[i].hz);
    }
    /* A slower rate counts from now, not from the ticks of the faster one. */
    put(&rig, 0x0a, 0x26);
    rtc_ops.tick(&rig.rtc, 10 * SECOND);
    get(&rig, 0x0c);
    put(&rig, 0x0a, 0x2f);
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), 10 * SECOND + SECOND / 2);
    put(&rig, 0x0a, 0x20); /* rate 0: none */
    CU_ASSERT_EQUAL(rtc_ops.next(&rig.rtc), DEVICE_NEVER);
    /* Not read in time: one request, as on the chip. */
    put(&rig, 0x0a, 0x26);
    rig.rises = 0;
    rtc_ops.tick(&rig.rtc, 20 * SECOND);
    rtc_ops.tick(&rig.rtc, 30 * SECOND);
    CU_ASSERT_EQUAL(rig.rises, 1);
}

/* "RESET": interrupts off, time and memory stay. */
static void
test_reset(void)
{
    struct rig rig;

    set_up(&rig, PC_POWER_ON_DATE);
    put(&rig, 0x0b, 0x7a);
    put(&rig, 0x40, 0x77);
    rtc_ops.tick(&rig.rtc, 5 * SECOND);
    CU_ASSERT_EQUAL(rig.level, 1);
    rtc_ops.reset(&rig.rtc);
    CU_ASSERT_EQUAL(rig.level, 0);
    CU_ASSERT_EQUAL(get(&rig, 0x0b), 0x02);
    CU_ASSERT_EQUAL(get(&rig, 0x0c), 0);
    CU_ASSERT_EQUAL(get(&rig, 0x40), 0x77);
    CU_ASSERT_EQUAL(get(&rig, 0), 5);
}

/* What a guest or a snapshot may write into every register, in every format. */
static void
test_nonsense(void)
{
    struct rig rig;
    char text[300];
    size_t size;

    for (unsigned fill = 0; fill < 256; fill++) {
        set_up(&rig, PC_POWER_ON_DATE);
        for (uint8_t reg = 0; reg < RTC_BYTES; reg++)
            put(&rig, reg, (uint8_t)fill);
        put(&rig, 0x0a, 0x2f);
        rtc_ops.tick(&rig.rtc, 100 * 365 * UINT64_C(86400) * SECOND);
        unsigned month = get(&rig, 8);
        CU_ASSERT_TRUE((fill & 0x80) || (month >= 1 && month <= 0x12)); /* SET keeps what it is */
        memset(rtc_ops.state(&rig.rtc, &size), (int)fill, sizeof(rig.rtc.s));
        rtc_ops.restored(&rig.rtc);
        rtc_ops.tick(&rig.rtc, UINT64_MAX);
        rtc_ops.describe(&rig.rtc, text, sizeof(text));
        CU_ASSERT_TRUE(rig.rtc.s.index < RTC_BYTES);
    }
}

static const struct unit_test tests[] = {
    {"calendar", test_calendar},
    {"after power-on, CMOS memory", test_power_on},
    {"ports and read-only registers", test_ports},
    {"the clock runs", test_clock},
    {"BCD, binary, 12 and 24 hours", test_formats},
    {"update cycle, SET, divider", test_update},
    {"update-ended interrupt", test_update_interrupt},
    {"alarm", test_alarm},
    {"periodic interrupt", test_periodic},
    {"reset", test_reset},
    {"nonsense in all registers", test_nonsense},
    {NULL, NULL},
};
const struct unit_suite suite_device_rtc = {"device_rtc", tests};
