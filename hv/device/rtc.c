/*
 * rtc.c - see rtc.h. Sections are those of Motorola's MC146818A data sheet (1984).
 *
 * The date advances with guest time, never with the host's clock, so that runs repeat. Registers
 * are brought up to date when somebody looks (catch_up), in one step for any span of time. Flags
 * in register C are set whether or not their interrupts are enabled, as the chip does.
 *
 * A periodic tick that comes while the one before is still in register C is lost, here and on the
 * chip: only the read of C re-arms the line. Next: pc.c, which wires it.
 */

#include "device/calendar.h"
#include "device/describe.h"
#include "device/rtc.h"

enum {
    SECONDS,
    SECONDS_ALARM,
    MINUTES,
    MINUTES_ALARM,
    HOURS,
    HOURS_ALARM,
    WEEKDAY,
    DAY,
    MONTH,
    YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
};

/* A    7   | 6 5 4   | 3 2 1 0
 *      UIP | divider | periodic rate: 0 none, r: 32768 >> (r - 1) Hz; 1, 2 as 8, 9 */
#define A_UIP        0x80
#define A_DIVIDER    0x70
#define A_DIVIDER_ON 0x20 /* a 32.768 kHz crystal; the other values stop or mistime the chain */
#define A_RATE       0x0f
/* B    7   | 6   | 5   | 4   | 3    | 2      | 1       | 0
 *      SET | PIE | AIE | UIE | SQWE | binary | 24-hour | daylight saving (not done) */
#define B_SET    0x80
#define B_PIE    0x40
#define B_AIE    0x20
#define B_UIE    0x10
#define B_SQWE   0x08
#define B_BINARY 0x04
#define B_24H    0x02
/* C    7    | 6  | 5  | 4  | 3-0      the bits of PF, AF, UF are those of their enables in B
 *      IRQF | PF | AF | UF | 0 */
#define C_IRQF    0x80
#define C_FLAGS   0x70
#define D_VRT     0x80 /* the battery is good */
#define HOUR_PM   0x80
#define NMI_MASK  0x80
#define ALARM_ANY 0xc0 /* an alarm byte from here on matches everything */

/* CMOS memory as the IBM PC AT's BIOS laid it out (Technical Reference, "Configuration CMOS RAM"). */
#define CMOS_EQUIPMENT    0x14
#define CMOS_BASE_KB      0x15 /* two bytes, low first; so are those below */
#define CMOS_EXTENDED_KB  0x17
#define CMOS_SUM_FIRST    0x10
#define CMOS_SUM_LAST     0x2d
#define CMOS_SUM          0x2e /* high byte first */
#define CMOS_EXTENDED_KB2 0x30
#define CMOS_CENTURY      0x32
#define CMOS_ABOVE_16M    0x34 /* in 64 KiB; what firmware reads for more than 64 MiB */
#define EQUIPMENT_FPU     0x02

#define NS_PER_SECOND INT64_C(1000000000)
#define DAY_SECONDS   86400
/* "Update cycle", table 5: UIP rises 244 us before a cycle of 1984 us; the new time is there, and
 * UF set, when it ends. */
#define UIP_NS (244000 + 1984000)

/* ---- the registers as a date ---- */

struct date {
    int64_t days;     /* since 1970-01-01 */
    uint32_t seconds; /* of the day */
};

static uint8_t
encode(const struct rtc_state *s, unsigned v)
{
    return (uint8_t)(s->bytes[REG_B] & B_BINARY ? v : v / 10 << 4 | v % 10);
}

/* At most 99 whatever the guest wrote. */
static unsigned
decode(const struct rtc_state *s, uint8_t v)
{
    unsigned n = s->bytes[REG_B] & B_BINARY ? v : (v >> 4) * 10u + (v & 15);

    return n % 100;
}

/* "Time, calendar and alarm": 12-hour mode counts 12, 1 .. 11 and marks PM with bit 7. */
static uint8_t
encode_hour(const struct rtc_state *s, unsigned hour)
{
    if (s->bytes[REG_B] & B_24H)
        return encode(s, hour);
    return encode(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned
decode_hour(const struct rtc_state *s, uint8_t v)
{
    if (s->bytes[REG_B] & B_24H)
        return decode(s, v) % 24;
    return decode(s, v & 0x7f) % 12 + (v & HOUR_PM ? 12 : 0);
}

/* The registers as a date. The guest may have written anything: out of range is brought in range. */
static struct date
get_date(const struct rtc_state *s)
{
    const uint8_t *b = s->bytes;
    unsigned century = (b[CMOS_CENTURY] >> 4) * 10u + (b[CMOS_CENTURY] & 15);
    unsigned month = decode(s, b[MONTH]), day = decode(s, b[DAY]);

    month = month < 1 ? 1 : month > 12 ? 12 : month;
    day = day < 1 ? 1 : day > 31 ? 31 : day;
    if (century < 19 || century > 98)
        century = 20;
    return (struct date){
        .days = calendar_days(century * 100 + decode(s, b[YEAR]), month, day),
        .seconds = decode_hour(s, b[HOURS]) * 3600 + decode(s, b[MINUTES]) % 60 * 60 +
                   decode(s, b[SECONDS]) % 60,
    };
}

static void
put_date(struct rtc_state *s, struct date date)
{
    unsigned year, month, day;
    uint8_t *b = s->bytes;

    calendar_date(date.days, &year, &month, &day);
    b[SECONDS] = encode(s, date.seconds % 60);
    b[MINUTES] = encode(s, date.seconds / 60 % 60);
    b[HOURS] = encode_hour(s, date.seconds / 3600);
    b[DAY] = encode(s, day);
    b[MONTH] = encode(s, month);
    b[YEAR] = encode(s, year % 100);
    b[CMOS_CENTURY] = (uint8_t)(year / 1000 % 10 << 4 | year / 100 % 10);
}

/* The date `seconds` later. The day of the week is a counter of its own, 1 to 7. */
static void
advance(struct rtc_state *s, uint64_t seconds)
{
    struct date date = get_date(s);
    uint64_t sum = date.seconds + seconds % DAY_SECONDS;
    uint64_t days = seconds / DAY_SECONDS + sum / DAY_SECONDS;
    unsigned weekday = decode(s, s->bytes[WEEKDAY]);

    date.days += (int64_t)days;
    date.seconds = (uint32_t)(sum % DAY_SECONDS);
    s->bytes[WEEKDAY] = encode(s, (unsigned)((weekday + 6 + days) % 7) + 1);
    put_date(s, date);
}

/* ---- alarm and periodic rate ---- */

static bool
alarm_matches(uint8_t alarm, uint8_t now)
{
    return alarm >= ALARM_ANY || alarm == now;
}

/* Seconds from the time shown to the next alarm, 1 to 86400, or DEVICE_NEVER: an alarm byte that
 * is no time. Skips whole hours and minutes that cannot match. */
static uint64_t
until_alarm(const struct rtc_state *s)
{
    const uint8_t *b = s->bytes;
    uint32_t from = get_date(s).seconds, t = from + 1;

    while (t <= from + DAY_SECONDS) {
        uint32_t of_day = t % DAY_SECONDS;
        if (!alarm_matches(b[HOURS_ALARM], encode_hour(s, of_day / 3600)))
            t += 3600 - of_day % 3600;
        else if (!alarm_matches(b[MINUTES_ALARM], encode(s, of_day / 60 % 60)))
            t += 60 - of_day % 60;
        else if (!alarm_matches(b[SECONDS_ALARM], encode(s, of_day % 60)))
            t++;
        else
            return t - from;
    }
    return DEVICE_NEVER;
}

static bool
chain_runs(const struct rtc_state *s)
{
    return (s->bytes[REG_A] & A_DIVIDER) == A_DIVIDER_ON;
}

/* Do the time registers advance? */
static bool
clock_runs(const struct rtc_state *s)
{
    return chain_runs(s) && !(s->bytes[REG_B] & B_SET);
}

/* Nanoseconds since the chain was at zero. */
static uint64_t
chain_ns(const struct rtc_state *s)
{
    return s->now - (uint64_t)s->chain;
}

/* "Periodic interrupt rate": the period in cycles of 32768 Hz, or 0. */
static unsigned
period_cycles(const struct rtc_state *s)
{
    unsigned rate = s->bytes[REG_A] & A_RATE;

    if (!rate || !chain_runs(s))
        return 0;
    return 1u << ((rate < 3 ? rate + 7 : rate) - 1);
}

static uint64_t
periods_of(const struct rtc_state *s)
{
    unsigned cycles = period_cycles(s);

    return cycles ? (uint64_t)((unsigned __int128)chain_ns(s) * 32768 / NS_PER_SECOND) / cycles : 0;
}

/* ---- time and the interrupt line ---- */

static void
update_line(struct rtc *rtc)
{
    uint8_t *b = rtc->s.bytes;
    bool irq = b[REG_C] & b[REG_B] & C_FLAGS;

    b[REG_C] = (uint8_t)((b[REG_C] & C_FLAGS) | (irq ? C_IRQF : 0));
    line_set(&rtc->irq, irq);
}

/* After a change of the chain, the rate or SET: what lies behind us is no event. */
static void
rebase(struct rtc_state *s)
{
    s->seconds = chain_ns(s) / NS_PER_SECOND;
    s->periods = periods_of(s);
}

static void
catch_up(struct rtc *rtc)
{
    struct rtc_state *s = &rtc->s;
    uint64_t seconds = chain_ns(s) / NS_PER_SECOND, periods = periods_of(s);
    uint8_t flags = 0;

    if (clock_runs(s) && seconds > s->seconds) {
        flags |= B_UIE;
        if (until_alarm(s) <= seconds - s->seconds)
            flags |= B_AIE;
        advance(s, seconds - s->seconds);
    }
    if (periods > s->periods)
        flags |= B_PIE;
    s->seconds = seconds;
    s->periods = periods;
    if (flags & ~s->bytes[REG_C]) {
        s->bytes[REG_C] |= flags;
        update_line(rtc);
    }
}

/* Only what raises the line is worth waking for; while it is high nothing more can. Kept in `due`,
 * so that a tick before it costs one comparison. */
static void
update_due(struct rtc *rtc)
{
    const struct rtc_state *s = &rtc->s;
    uint8_t b = s->bytes[REG_B];

    rtc->due = DEVICE_NEVER;
    if (s->bytes[REG_C] & C_IRQF)
        return;
    if (clock_runs(s) && b & (B_UIE | B_AIE)) {
        uint64_t wait = b & B_UIE ? 1 : until_alarm(s);
        if (wait != DEVICE_NEVER)
            rtc->due = (s->seconds + wait) * NS_PER_SECOND + (uint64_t)s->chain;
    }
    if (b & B_PIE && period_cycles(s)) {
        unsigned __int128 cycles = (unsigned __int128)(s->periods + 1) * period_cycles(s);
        uint64_t at = (uint64_t)((cycles * NS_PER_SECOND + 32767) / 32768) + (uint64_t)s->chain;
        rtc->due = at < rtc->due ? at : rtc->due;
    }
}

static void
rtc_tick(void *dev, uint64_t now)
{
    struct rtc *rtc = dev;

    if (now > rtc->s.now)
        rtc->s.now = now;
    if (rtc->s.now < rtc->due)
        return;
    catch_up(rtc);
    update_due(rtc);
}

static uint64_t
rtc_next(void *dev)
{
    return ((struct rtc *)dev)->due;
}

/* ---- ports ---- */

static uint8_t
read_a(const struct rtc_state *s)
{
    uint64_t left = NS_PER_SECOND - chain_ns(s) % NS_PER_SECOND;

    return s->bytes[REG_A] | (clock_runs(s) && left <= UIP_NS ? A_UIP : 0);
}

static uint64_t
rtc_read(void *dev, uint64_t offset, unsigned size)
{
    struct rtc *rtc = dev;
    struct rtc_state *s = &rtc->s;

    (void)size;
    if (offset == 0)
        return 0xff; /* the index cannot be read back */
    catch_up(rtc);
    if (s->index == REG_A)
        return read_a(s);
    uint8_t value = s->bytes[s->index];
    if (s->index == REG_C) { /* reading clears the flags and the line */
        s->bytes[REG_C] = 0;
        update_line(rtc);
    }
    update_due(rtc);
    return value;
}

static void
write_a(struct rtc_state *s, uint8_t v)
{
    bool ran = chain_runs(s);

    s->bytes[REG_A] = v & (uint8_t)~A_UIP;
    /* "Divider control": after a reset of the chain the first update comes half a second later. */
    if (!ran && chain_runs(s))
        s->chain = (int64_t)(s->now - NS_PER_SECOND / 2);
    rebase(s);
}

static void
write_b(struct rtc_state *s, uint8_t v)
{
    if (v & B_SET)
        v &= (uint8_t)~B_UIE; /* "SET ... clears UIE" */
    s->bytes[REG_B] = v;
}

static void
rtc_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct rtc *rtc = dev;
    struct rtc_state *s = &rtc->s;
    uint8_t v = (uint8_t)value;

    (void)size;
    if (offset == 0) {
        s->index = v & (RTC_BYTES - 1);
        s->nmi_masked = (v & NMI_MASK) != 0;
        return;
    }
    catch_up(rtc);
    switch (s->index) {
    case REG_A: write_a(s, v); break;
    case REG_B: write_b(s, v); break;
    case REG_C:
    case REG_D: return; /* read-only */
    default: s->bytes[s->index] = v;
    }
    update_line(rtc);
    update_due(rtc);
}

/* ---- power-on, reset, state ---- */

static void
put16(uint8_t *at, uint64_t v)
{
    v = v > 0xffff ? 0xffff : v;
    at[0] = (uint8_t)v, at[1] = (uint8_t)(v >> 8);
}

void
rtc_power_on(struct rtc *rtc, int64_t date, uint64_t mem_size)
{
    struct rtc_state *s = &rtc->s;
    uint64_t extended = mem_size > 1 << 20 ? (mem_size - (1 << 20)) >> 10 : 0;
    int64_t days = date / DAY_SECONDS;
    unsigned sum = 0;

    *s = (struct rtc_state){0};
    if (days < 0 || days > calendar_days(9899, 12, 31))
        days = date = 0;
    s->bytes[REG_A] = A_DIVIDER_ON | 6; /* 1024 Hz, as a BIOS sets it */
    s->bytes[REG_B] = B_24H;
    s->bytes[REG_D] = D_VRT;
    put_date(s, (struct date){.days = days, .seconds = (uint32_t)(date % DAY_SECONDS)});
    s->bytes[WEEKDAY] = (uint8_t)((days + 4) % 7 + 1); /* 1970-01-01 was a Thursday; 1: Sunday */

    s->bytes[CMOS_EQUIPMENT] = EQUIPMENT_FPU;
    put16(s->bytes + CMOS_BASE_KB, 640);
    put16(s->bytes + CMOS_EXTENDED_KB, extended);
    put16(s->bytes + CMOS_EXTENDED_KB2, extended);
    put16(s->bytes + CMOS_ABOVE_16M, mem_size > 16 << 20 ? (mem_size - (16 << 20)) >> 16 : 0);
    for (unsigned i = CMOS_SUM_FIRST; i <= CMOS_SUM_LAST; i++)
        sum += s->bytes[i];
    s->bytes[CMOS_SUM] = (uint8_t)(sum >> 8);
    s->bytes[CMOS_SUM + 1] = (uint8_t)sum;
    rtc->due = DEVICE_NEVER;
    update_line(rtc);
}

/* "RESET": interrupts off and their flags clear; the time and the memory stay. */
static void
rtc_reset(void *dev)
{
    struct rtc *rtc = dev;

    rtc->s.bytes[REG_B] &= (uint8_t) ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    rtc->s.bytes[REG_C] = 0;
    rtc->s.index = rtc->s.nmi_masked = 0;
    rtc->due = DEVICE_NEVER;
    update_line(rtc);
}

static void *
rtc_state(void *dev, size_t *size)
{
    struct rtc *rtc = dev;

    *size = sizeof(rtc->s);
    return &rtc->s;
}

static void
rtc_restored(void *dev)
{
    struct rtc *rtc = dev;

    rtc->s.index &= RTC_BYTES - 1;
    update_line(rtc);
    update_due(rtc);
}

static void
rtc_describe(void *dev, char *text, size_t size)
{
    const struct rtc_state *s = &((struct rtc *)dev)->s;
    struct date date = get_date(s);
    unsigned year, month, day;
    struct text t;

    calendar_date(date.days, &year, &month, &day);
    text_begin(&t, text, size);
    text_add(&t, "date %04u-%02u-%02u %02u:%02u:%02u%s\n", year, month, day, date.seconds / 3600,
             date.seconds / 60 % 60, date.seconds % 60, clock_runs(s) ? "" : ", stopped");
    text_add(&t, "alarm %02x:%02x:%02x, periodic every %u/32768 s\n", s->bytes[HOURS_ALARM],
             s->bytes[MINUTES_ALARM], s->bytes[SECONDS_ALARM], period_cycles(s));
    text_add(&t, "A %02x, B %02x, C %02x, index %02x%s\n", read_a(s), s->bytes[REG_B],
             s->bytes[REG_C], s->index, s->nmi_masked ? ", NMI masked" : "");
}

const struct device_ops rtc_ops = {
    .name = "rtc",
    .summary = "Motorola MC146818A: date, alarm, periodic interrupt, CMOS memory",
    .width = 1,
    .read = rtc_read,
    .write = rtc_write,
    .tick = rtc_tick,
    .next = rtc_next,
    .reset = rtc_reset,
    .state = rtc_state,
    .restored = rtc_restored,
    .describe = rtc_describe,
    .register_name = rtc_register_name,
    .manual = "Motorola MC146818A data sheet",
};
