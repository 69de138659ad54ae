/*
 * pit_counter.c - see pit_counter.h. Sections are those of Intel's 8254 data sheet (231164-005).
 *
 * Nothing is simulated tick by tick: the counting element and OUT are functions of the ticks since
 * the count was loaded (element_of, out_of), so a guest that programs the shortest period costs
 * no more than one that programs the longest.
 *
 * Read those two first, then schedule_load() and counter_gate(): when a count is taken over.
 */
#include "device/device.h"
#include "device/pit_counter.h"

/* Control word    7 6     | 5 4    | 3 2 1 | 0
 *                 counter | access | mode  | BCD
 * Status byte     7   | 6          | 5-0
 *                 OUT | null count | control word */
#define CONTROL_BCD      0x01
#define CONTROL_KEPT     0x3f
#define ACCESS_HIGH      2
#define ACCESS_BOTH      3
#define STATUS_OUT       0x80
#define STATUS_NULL      0x40
#define CONTROL_AT_RESET 0x36 /* both bytes, mode 3, binary: as a BIOS leaves counter 0 */

static bool
is_bcd(const struct pit_counter *c)
{
    return c->control & CONTROL_BCD;
}

/* The element wraps at 10^4 or 2^16, so that a count of 0 is the largest ("Operation common to all
 * modes"). Digits above 9 are not allowed; they count as what they weigh. */
static uint32_t
modulus(const struct pit_counter *c)
{
    return is_bcd(c) ? 10000 : 0x10000;
}

static uint32_t
count_of(const struct pit_counter *c)
{
    uint32_t n = c->count;

    if (is_bcd(c))
        n = (n >> 12) * 1000 + (n >> 8 & 15) * 100 + (n >> 4 & 15) * 10 + (n & 15);
    n %= modulus(c);
    return n ? n : modulus(c);
}

static bool
is_periodic(const struct pit_counter *c)
{
    return c->mode == 2 || c->mode == 3;
}

/* In these modes gate low stops the counting; in 1 and 5 only its rise matters ("Gate pin"). */
static bool
stands(const struct pit_counter *c)
{
    return !c->gate && c->mode != 1 && c->mode != 5;
}

static uint64_t
elapsed_at(const struct pit_counter *c, uint64_t tick)
{
    return stands(c) ? c->elapsed : tick - c->origin;
}

/* Mode 3 is high for this many ticks of n, low for the rest: one more when n is odd. */
static uint32_t
high_half(uint32_t n)
{
    return (n + 1) / 2;
}

/* The counting element e ticks after the load. */
static uint32_t
element_of(const struct pit_counter *c, uint64_t e)
{
    uint32_t m = modulus(c), n = c->n;

    if (c->mode == 2)
        return n - (uint32_t)(e % n);
    if (c->mode == 3) {
        /* Counts down by two from n, or from n - 1 when n is odd, in both halves. */
        uint32_t at = (uint32_t)(e % n), half = high_half(n);
        return (n & ~1u) - 2 * (at < half ? at : at - half);
    }
    return (uint32_t)((n % m + m - e % m) % m); /* wraps and goes on */
}

static bool
out_of(const struct pit_counter *c, uint64_t e)
{
    switch (c->mode) {
    case 0: return e >= c->n;                         /* interrupt on terminal count */
    case 1: return e >= c->n;                         /* one-shot: low from the load on */
    case 2: return c->n == 1 || e % c->n != c->n - 1; /* 1 is illegal here: OUT stays high */
    case 3: return e % c->n < high_half(c->n);
    default: return e != c->n; /* strobes: low for one tick */
    }
}

bool
counter_out(const struct pit_counter *c, uint64_t tick)
{
    if (!c->counting)
        return c->mode != 0;
    if (is_periodic(c) && !c->gate)
        return true; /* "If GATE goes low during an output low, OUT is set high at once" */
    return out_of(c, elapsed_at(c, tick));
}

uint32_t
counter_element(const struct pit_counter *c, uint64_t tick)
{
    return c->counting ? element_of(c, elapsed_at(c, tick)) : c->held;
}

void
counter_sync(struct pit_counter *c, uint64_t tick)
{
    if (c->load_at > tick)
        return;
    c->n = count_of(c);
    c->elapsed = c->load_low ? high_half(c->n) : 0;
    c->origin = c->load_at - c->elapsed;
    c->counting = 1;
    c->load_at = DEVICE_NEVER;
    c->load_low = c->null_count = 0;
}

/* How often has OUT risen, e ticks after the load? */
static uint64_t
rises_until(const struct pit_counter *c, uint64_t e)
{
    if (is_periodic(c))
        return c->n > 1 ? e / c->n : 0;
    return e >= (uint64_t)c->n + (c->mode >= 4);
}

uint64_t
counter_rises(const struct pit_counter *c, uint64_t from, uint64_t to)
{
    if (!c->counting || stands(c))
        return 0;
    return rises_until(c, to - c->origin) - rises_until(c, from - c->origin);
}

uint64_t
counter_next(const struct pit_counter *c, uint64_t tick)
{
    if (!c->counting || stands(c))
        return DEVICE_NEVER;
    uint64_t e = tick - c->origin, at;
    if (is_periodic(c)) {
        if (c->n == 1)
            return DEVICE_NEVER;
        at = e - e % c->n;
        at += c->mode == 3 && e % c->n < high_half(c->n) ? high_half(c->n) : c->n;
    } else {
        at = (uint64_t)c->n + (c->mode >= 4);
        if (e >= at)
            return DEVICE_NEVER;
    }
    return c->origin + at;
}

bool
counter_line(const struct pit_counter *c, uint64_t tick)
{
    return c->mode == 2 || c->mode >= 4 || counter_out(c, tick);
}

/* ---- programming ---- */

/* Freezes the element: what a counter shows whose count was taken away. */
static void
stop(struct pit_counter *c, uint64_t tick)
{
    c->held = counter_element(c, tick);
    c->counting = 0;
    c->load_at = DEVICE_NEVER;
    c->load_low = 0;
}

void
counter_latch(struct pit_counter *c, uint64_t tick)
{
    uint32_t v = counter_element(c, tick) % modulus(c);

    if (c->latched)
        return; /* "The second latch command is ignored" until the first has been read */
    if (is_bcd(c))
        v = v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
    c->latch = (uint16_t)v;
    c->latched = c->access == ACCESS_BOTH ? 2 : 1;
}

void
counter_latch_status(struct pit_counter *c, uint64_t tick)
{
    if (c->status_latched)
        return;
    c->status = (uint8_t)(c->control | (counter_out(c, tick) ? STATUS_OUT : 0) |
                          (c->null_count ? STATUS_NULL : 0));
    c->status_latched = 1;
}

void
counter_control(struct pit_counter *c, uint64_t tick, uint8_t v)
{
    stop(c, tick);
    c->control = v & CONTROL_KEPT;
    c->access = v >> 4 & 3;
    c->mode = v >> 1 & 7;
    if (c->mode > 5)
        c->mode &= 3; /* 6 and 7 are 2 and 3: "X10", "X11" */
    c->written = c->write_high = c->read_high = c->latched = c->status_latched = 0;
    c->null_count = 1;
}

/* The count register is complete: when does the element take it over ("Mode definitions")? */
static void
schedule_load(struct pit_counter *c, uint64_t tick)
{
    c->written = c->null_count = 1;
    if (c->mode == 1 || c->mode == 5)
        return; /* at the next rise of gate */
    if (!is_periodic(c) || !c->counting) {
        c->load_at = tick + 1;
    } else if (c->gate && c->load_at == DEVICE_NEVER) {
        /* A periodic counter finishes its period, mode 3 its half; while gate is low it waits for
         * the rise. A load that is due already takes the new value along. */
        uint64_t e = tick - c->origin, at = e % c->n;
        c->load_low = c->mode == 3 && c->n > 1 && at < high_half(c->n);
        c->load_at = tick - at + (c->load_low ? high_half(c->n) : c->n);
    }
}

void
counter_write(struct pit_counter *c, uint64_t tick, uint8_t v)
{
    bool high = c->access == ACCESS_HIGH;
    bool complete = c->access != ACCESS_BOTH || c->write_high;

    if (c->mode == 0)
        stop(c, tick); /* the first byte stops the counting and sets OUT low at once */
    if (!complete)
        c->low_byte = v; /* the count register takes both bytes at once */
    else if (c->access == ACCESS_BOTH)
        c->count = (uint16_t)(v << 8 | c->low_byte);
    else
        c->count = high ? (uint16_t)(v << 8) : v; /* the byte not written is zero */
    if (c->access == ACCESS_BOTH)
        c->write_high = !c->write_high;
    if (complete)
        schedule_load(c, tick);
}

uint8_t
counter_read(struct pit_counter *c, uint64_t tick)
{
    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    bool was_latched = c->latched, high = c->access == ACCESS_HIGH;

    if (!was_latched)
        counter_latch(c, tick); /* a direct read: the element as it is now */
    uint16_t value = c->latch;
    if (c->access == ACCESS_BOTH) {
        high = c->read_high;
        c->read_high = !c->read_high;
    }
    c->latched = was_latched ? (uint8_t)(c->latched - 1) : 0;
    return (uint8_t)(high ? value >> 8 : value);
}

/* "Gate pin operations summary": low stops modes 0, 2, 3, 4; a rise starts 1 and 5 and restarts 2
 * and 3 at the next clock. */
void
counter_gate(struct pit_counter *c, uint64_t tick, bool level)
{
    if (level == c->gate)
        return;
    if (!level) {
        c->elapsed = c->counting ? elapsed_at(c, tick) : 0;
        c->gate = 0;
        if (is_periodic(c) && c->counting)
            c->load_at = DEVICE_NEVER, c->load_low = 0; /* the rise will load */
        return;
    }
    if (is_periodic(c))
        c->elapsed = 0; /* OUT is high until the load */
    if (stands(c))
        c->origin = tick - c->elapsed; /* goes on where it stood */
    c->gate = 1;
    if ((c->mode == 1 || c->mode == 5 || (is_periodic(c) && c->counting)) && c->written)
        c->load_at = tick + 1, c->load_low = 0;
}

/* ---- power-on and snapshots ---- */

void
counter_reset(struct pit_counter *c, bool gate)
{
    *c = (struct pit_counter){.load_at = DEVICE_NEVER,
                              .control = CONTROL_AT_RESET,
                              .mode = 3,
                              .access = ACCESS_BOTH,
                              .null_count = 1,
                              .gate = gate};
}

/* Nothing that was read from a file may make us divide by zero. */
void
counter_restored(struct pit_counter *c)
{
    c->counting = c->counting && c->n >= 1 && c->n <= 0x10000;
    c->mode %= 6;
}
