/*
 * pit8254.c - see pit8254.h. Sections are those of Intel's 8254 data sheet (231164-005).
 *
 * Nothing is simulated tick by tick: the counting element and OUT are functions of the ticks since
 * the count was loaded (element_of, out_of), so a guest that programs the shortest period costs
 * no more than one that programs the longest. Ticks come from guest time in one exact division
 * from power-on, so nothing drifts.
 *
 * When guest time jumps over several periods at once, IRQ 0 rises once: the 8259's edge latch
 * holds one request, and a guest with interrupts disabled loses ticks on a PC as well. They are
 * counted in `merged`. The run loop avoids it by calling tick() when next() is due.
 *
 * Read element_of() and out_of() first, then next_change() and drive_until(), then the ports.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "device/describe.h"
#include "device/pit8254.h"

/* Control word (port 43)   7 6     | 5 4    | 3 2 1 | 0
 *                          counter | access | mode  | BCD
 * Counter 3: read-back     1 1     | !count | !status | counters 2 1 0 | 0 */
#define CONTROL_BCD    0x01
#define CONTROL_KEPT   0x3f
#define ACCESS_LATCH   0
#define ACCESS_LOW     1
#define ACCESS_HIGH    2
#define ACCESS_BOTH    3
#define READ_BACK      3
#define READ_NO_COUNT  0x20
#define READ_NO_STATUS 0x10
/* Status byte              7   | 6          | 5-0
 *                          OUT | null count | control word */
#define STATUS_OUT  0x80
#define STATUS_NULL 0x40
/* Port 61                  7-6 | 5     | 4       | 3 2          | 1       | 0
 *                          0   | OUT 2 | refresh | NMI disables | speaker | gate 2 */
#define P61_GATE_2    0x01
#define P61_WRITABLE  0x0f
#define P61_REFRESH   0x10
#define P61_OUT_2     0x20
#define REFRESH_TICKS 18 /* counter 1 asks for a refresh each 15 us (IBM PC AT, page 1-22) */

#define NS_PER_SECOND    UINT64_C(1000000000)
#define CONTROL_AT_RESET 0x36 /* both bytes, mode 3, binary: as a BIOS leaves counter 0 */

static uint64_t
ticks_of(uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * PIT_HZ / NS_PER_SECOND);
}

/* The first ns at which ticks_of() is `tick`. */
static uint64_t
ns_of(uint64_t tick)
{
    unsigned __int128 ns = ((unsigned __int128)tick * NS_PER_SECOND + PIT_HZ - 1) / PIT_HZ;

    return ns < DEVICE_NEVER ? (uint64_t)ns : DEVICE_NEVER;
}

/* ---- one counter as a function of time ---- */

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
    case 0: return e >= c->n; /* interrupt on terminal count */
    case 1:
        return e >= c->n; /* one-shot: low from the load on */
    /* A count of 1 is illegal in modes 2 and 3: OUT stays high. */
    case 2: return c->n == 1 || e % c->n != c->n - 1;
    case 3: return e % c->n < high_half(c->n);
    default: return e != c->n; /* strobes: low for one tick */
    }
}

static bool
out_at(const struct pit_counter *c, uint64_t tick)
{
    if (!c->counting)
        return c->mode != 0;
    if (is_periodic(c) && !c->gate)
        return true; /* "If GATE goes low during an output low, OUT is set high at once" */
    return out_of(c, elapsed_at(c, tick));
}

static uint32_t
element_at(const struct pit_counter *c, uint64_t tick)
{
    return c->counting ? element_of(c, elapsed_at(c, tick)) : c->held;
}

/* Takes over the count register, if that is due by `tick`. */
static void
sync(struct pit_counter *c, uint64_t tick)
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

/* ---- OUT of counter 0 drives IRQ 0 ---- */

/* How often has OUT risen, e ticks after the load? */
static uint64_t
rises_until(const struct pit_counter *c, uint64_t e)
{
    if (is_periodic(c))
        return c->n > 1 ? e / c->n : 0;
    return e >= (uint64_t)c->n + (c->mode >= 4);
}

/* When the line changes next after `tick`, without regard to a load: a rise, or in mode 3 a fall.
 * Modes 2, 4 and 5 pull OUT low for one tick only; that pulse is shown as a fall and rise at its
 * end, which saves the run loop every second stop and is the same to an edge-triggered input. */
static uint64_t
next_change(const struct pit_counter *c, uint64_t tick)
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

static bool
line_at(const struct pit_counter *c, uint64_t tick)
{
    return c->mode == 2 || c->mode >= 4 || out_at(c, tick);
}

static void
set_irq(struct pit *pit, bool level)
{
    if (pit->s.level != level)
        line_set(&pit->irq, pit->s.level = level);
}

/* Shows what OUT did in (seen, tick], while no load happened. */
static void
drive_until(struct pit *pit, uint64_t tick)
{
    const struct pit_counter *c = &pit->s.counter[0];

    if (tick > pit->s.seen && c->counting && !stands(c)) {
        uint64_t rises = rises_until(c, tick - c->origin) - rises_until(c, pit->s.seen - c->origin);
        if (rises) {
            set_irq(pit, false);
            set_irq(pit, true);
            pit->s.merged += rises - 1;
        }
    }
    pit->s.seen = tick;
    set_irq(pit, line_at(c, tick));
}

/* Brings all counters to guest time s.now and returns its tick. */
static uint64_t
catch_up(struct pit *pit)
{
    uint64_t tick = ticks_of(pit->s.now);
    struct pit_counter *c = &pit->s.counter[0];

    if (c->load_at <= tick) {
        drive_until(pit, c->load_at); /* a load may fall on the end of a period: that counts */
        sync(c, c->load_at);
    }
    drive_until(pit, tick);
    sync(&pit->s.counter[1], tick);
    sync(&pit->s.counter[2], tick);
    return tick;
}

static void
pit_tick(void *dev, uint64_t now)
{
    struct pit *pit = dev;

    if (now > pit->s.now)
        pit->s.now = now;
    catch_up(pit);
}

static uint64_t
pit_next(void *dev)
{
    struct pit *pit = dev;
    const struct pit_counter *c = &pit->s.counter[0];
    uint64_t change = next_change(c, pit->s.seen);
    uint64_t tick = c->load_at < change ? c->load_at : change;

    return tick == DEVICE_NEVER ? DEVICE_NEVER : ns_of(tick);
}

/* ---- programming ---- */

/* Freezes the element: what a counter shows whose count was taken away. */
static void
stop(struct pit_counter *c, uint64_t tick)
{
    c->held = element_at(c, tick);
    c->counting = 0;
    c->load_at = DEVICE_NEVER;
    c->load_low = 0;
}

static void
latch_count(struct pit_counter *c, uint64_t tick)
{
    uint32_t v = element_at(c, tick) % modulus(c);

    if (c->latched)
        return; /* "The second latch command is ignored" until the first has been read */
    if (is_bcd(c))
        v = v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
    c->latch = (uint16_t)v;
    c->latched = c->access == ACCESS_BOTH ? 2 : 1;
}

static void
latch_status(struct pit_counter *c, uint64_t tick)
{
    if (c->status_latched)
        return;
    c->status = (uint8_t)(c->control | (out_at(c, tick) ? STATUS_OUT : 0) |
                          (c->null_count ? STATUS_NULL : 0));
    c->status_latched = 1;
}

static void
write_control(struct pit *pit, uint64_t tick, uint8_t v)
{
    unsigned which = v >> 6, access = v >> 4 & 3;

    if (which == READ_BACK) {
        for (unsigned i = 0; i < PIT_COUNTERS; i++) {
            if (!(v & 2u << i))
                continue;
            if (!(v & READ_NO_COUNT))
                latch_count(&pit->s.counter[i], tick);
            if (!(v & READ_NO_STATUS))
                latch_status(&pit->s.counter[i], tick);
        }
        return;
    }
    struct pit_counter *c = &pit->s.counter[which];
    if (access == ACCESS_LATCH) {
        latch_count(c, tick);
        return;
    }
    stop(c, tick);
    c->control = v & CONTROL_KEPT;
    c->access = (uint8_t)access;
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

static void
write_count(struct pit_counter *c, uint64_t tick, uint8_t v)
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

static uint8_t
read_count(struct pit_counter *c, uint64_t tick)
{
    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    bool was_latched = c->latched, high = c->access == ACCESS_HIGH;

    if (!was_latched)
        latch_count(c, tick); /* a direct read: the element as it is now */
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
static void
set_gate(struct pit_counter *c, uint64_t tick, bool level)
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
        c->origin = tick -
                    c->elapsed; /* goes on where it stood; may wrap, as the difference does */
    c->gate = 1;
    if ((c->mode == 1 || c->mode == 5 || (is_periodic(c) && c->counting)) && c->written)
        c->load_at = tick + 1, c->load_low = 0;
}

/* ---- ports ---- */

static uint64_t
pit_read(void *dev, uint64_t port, unsigned size)
{
    struct pit *pit = dev;
    uint64_t tick = catch_up(pit);

    (void)size;
    if (port < PIT_PORT + PIT_COUNTERS)
        return read_count(&pit->s.counter[port - PIT_PORT], tick);
    if (port != PIT_PORT_61)
        return 0xff; /* the control word cannot be read */
    return pit->s.port_61 | (tick / REFRESH_TICKS % 2 ? P61_REFRESH : 0) |
           (out_at(&pit->s.counter[2], tick) ? P61_OUT_2 : 0);
}

static void
pit_write(void *dev, uint64_t port, unsigned size, uint64_t value)
{
    struct pit *pit = dev;
    uint64_t tick = catch_up(pit);
    uint8_t v = (uint8_t)value;

    (void)size;
    if (port < PIT_PORT + PIT_COUNTERS) {
        write_count(&pit->s.counter[port - PIT_PORT], tick, v);
    } else if (port == PIT_PORT_61) {
        pit->s.port_61 = v & P61_WRITABLE;
        set_gate(&pit->s.counter[2], tick, v & P61_GATE_2);
    } else {
        write_control(pit, tick, v);
    }
    set_irq(pit, line_at(&pit->s.counter[0], tick)); /* OUT may change at once */
}

/* The 8254 has no reset: its state after power-on is undefined. Ours has idle counters with OUT
 * high, so that programming counter 0 causes no interrupt by itself. Guest time goes on. */
static void
pit_reset(void *dev)
{
    struct pit *pit = dev;

    pit->s = (struct pit_state){.now = pit->s.now, .level = pit->s.level};
    for (unsigned i = 0; i < PIT_COUNTERS; i++)
        pit->s.counter[i] = (struct pit_counter){
            .load_at = DEVICE_NEVER,
            .control = CONTROL_AT_RESET,
            .mode = 3,
            .access = ACCESS_BOTH,
            .null_count = 1,
            .gate = i != 2,
        };
    pit->s.seen = ticks_of(pit->s.now);
    set_irq(pit, true);
}

static void *
pit_state(void *dev, size_t *size)
{
    struct pit *pit = dev;

    *size = sizeof(pit->s);
    return &pit->s;
}

/* A state from a file must not make us divide by zero. */
static void
pit_restored(void *dev)
{
    struct pit *pit = dev;

    for (unsigned i = 0; i < PIT_COUNTERS; i++) {
        struct pit_counter *c = &pit->s.counter[i];
        c->counting = c->counting && c->n >= 1 && c->n <= 0x10000;
        c->mode %= 6;
    }
    line_set(&pit->irq, pit->s.level != 0);
}

static void
pit_describe(void *dev, char *text, size_t size)
{
    static const char *const modes[] = {
        "0 interrupt on terminal count",
        "1 one-shot",
        "2 rate generator",
        "3 square wave",
        "4 software strobe",
        "5 hardware strobe",
    };
    struct pit *pit = dev;
    struct text t;
    uint64_t tick = ticks_of(pit->s.now);

    text_begin(&t, text, size);
    for (unsigned i = 0; i < PIT_COUNTERS; i++) {
        const struct pit_counter *c = &pit->s.counter[i];
        text_add(&t, "counter %u: mode %s%s, ", i, modes[c->mode], is_bcd(c) ? ", BCD" : "");
        if (c->counting)
            text_add(&t, "at %" PRIu32 " of %" PRIu32, element_at(c, tick), c->n);
        else
            text_add(&t, "not counting");
        text_add(&t, ", gate %u, OUT %u\n", c->gate, out_at(c, tick));
    }
    text_add(&t, "port 61: %02x; %" PRIu64 " ticks of IRQ 0 merged with the one before\n",
             pit->s.port_61, pit->s.merged);
}

const struct device_ops pit_ops = {
    .name = "pit",
    .summary = "Intel 8254: three counters, IRQ 0, port 61",
    .width = 1,
    .read = pit_read,
    .write = pit_write,
    .tick = pit_tick,
    .next = pit_next,
    .reset = pit_reset,
    .state = pit_state,
    .restored = pit_restored,
    .describe = pit_describe,
};
