/*
 * pit8254.c - see pit8254.h: guest time becomes clock ticks, OUT of counter 0 becomes IRQ 0, and
 * ports reach the counters. Sections are those of Intel's 8254 data sheet (231164-005).
 *
 * Ticks come from guest time in one exact division from power-on, so nothing drifts.
 *
 * When guest time jumps over several periods at once, IRQ 0 rises once: the 8259's edge latch
 * holds one request, and a guest with interrupts disabled loses ticks on a PC as well. They are
 * counted in `merged`. The run loop avoids it by calling tick() when next() is due.
 *
 * Read pit_counter.c first, then drive_until(). Next: rtc.c.
 */
#include <inttypes.h>
#include <stdbool.h>

#include "device/describe.h"
#include "device/pit8254.h"

/* Control word (port 43)   7 6     | 5 4    | 3 2 1 | 0
 *                          counter | access | mode  | BCD
 * Counter 3: read-back     1 1     | !count | !status | counters 2 1 0 | 0 */
#define CONTROL_BCD    0x01
#define ACCESS_LATCH   0
#define READ_BACK      3
#define READ_NO_COUNT  0x20
#define READ_NO_STATUS 0x10
/* Port 61                  7-6 | 5     | 4       | 3 2          | 1       | 0
 *                          0   | OUT 2 | refresh | NMI disables | speaker | gate 2 */
#define P61_GATE_2    0x01
#define P61_WRITABLE  0x0f
#define P61_REFRESH   0x10
#define P61_OUT_2     0x20
#define REFRESH_TICKS 18 /* counter 1 asks for a refresh each 15 us (IBM PC AT, page 1-22) */

#define NS_PER_SECOND UINT64_C(1000000000)

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

/* ---- OUT of counter 0 drives IRQ 0 ---- */

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

    uint64_t rises = tick > pit->s.seen ? counter_rises(c, pit->s.seen, tick) : 0;

    if (rises) {
        set_irq(pit, false);
        set_irq(pit, true);
        pit->s.merged += rises - 1;
    }
    pit->s.seen = tick;
    set_irq(pit, counter_line(c, tick));
}

/* Brings all counters to guest time s.now and returns its tick. */
static uint64_t
catch_up(struct pit *pit)
{
    uint64_t tick = ticks_of(pit->s.now);
    struct pit_counter *c = &pit->s.counter[0];

    if (c->load_at <= tick) {
        drive_until(pit, c->load_at); /* a load may fall on the end of a period: that counts */
        counter_sync(c, c->load_at);
    }
    drive_until(pit, tick);
    counter_sync(&pit->s.counter[1], tick);
    counter_sync(&pit->s.counter[2], tick);
    return tick;
}

/* When IRQ 0 changes next, in ns. Kept in `due`, so that a tick before it costs one comparison. */
static void
update_due(struct pit *pit)
{
    const struct pit_counter *c = &pit->s.counter[0];
    uint64_t change = counter_next(c, pit->s.seen);
    uint64_t tick = c->load_at < change ? c->load_at : change;

    pit->due = tick == DEVICE_NEVER ? DEVICE_NEVER : ns_of(tick);
}

static void
pit_tick(void *dev, uint64_t now)
{
    struct pit *pit = dev;

    if (now > pit->s.now)
        pit->s.now = now;
    if (pit->s.now < pit->due)
        return;
    catch_up(pit);
    update_due(pit);
}

static uint64_t
pit_next(void *dev)
{
    return ((struct pit *)dev)->due;
}

/* ---- ports ---- */

static void
write_control(struct pit *pit, uint64_t tick, uint8_t v)
{
    unsigned which = v >> 6, access = v >> 4 & 3;

    if (which == READ_BACK) {
        for (unsigned i = 0; i < PIT_COUNTERS; i++) {
            if (!(v & 2u << i))
                continue;
            if (!(v & READ_NO_COUNT))
                counter_latch(&pit->s.counter[i], tick);
            if (!(v & READ_NO_STATUS))
                counter_latch_status(&pit->s.counter[i], tick);
        }
        return;
    }
    struct pit_counter *c = &pit->s.counter[which];
    if (access == ACCESS_LATCH) {
        counter_latch(c, tick);
        return;
    }
    counter_control(c, tick, v);
}

static uint64_t
pit_read(void *dev, uint64_t port, unsigned size)
{
    struct pit *pit = dev;
    uint64_t tick = catch_up(pit);

    (void)size;
    if (port < PIT_PORT + PIT_COUNTERS)
        return counter_read(&pit->s.counter[port - PIT_PORT], tick);
    if (port != PIT_PORT_61)
        return 0xff; /* the control word cannot be read */
    return pit->s.port_61 | (tick / REFRESH_TICKS % 2 ? P61_REFRESH : 0) |
           (counter_out(&pit->s.counter[2], tick) ? P61_OUT_2 : 0);
}

static void
pit_write(void *dev, uint64_t port, unsigned size, uint64_t value)
{
    struct pit *pit = dev;
    uint64_t tick = catch_up(pit);
    uint8_t v = (uint8_t)value;

    (void)size;
    if (port < PIT_PORT + PIT_COUNTERS) {
        counter_write(&pit->s.counter[port - PIT_PORT], tick, v);
    } else if (port == PIT_PORT_61) {
        pit->s.port_61 = v & P61_WRITABLE;
        counter_gate(&pit->s.counter[2], tick, v & P61_GATE_2);
    } else {
        write_control(pit, tick, v);
    }
    set_irq(pit, counter_line(&pit->s.counter[0], tick)); /* OUT may change at once */
    update_due(pit);
}

/* The 8254 has no reset: its state after power-on is undefined. Ours has idle counters with OUT
 * high, so that programming counter 0 causes no interrupt by itself. Guest time goes on. */
static void
pit_reset(void *dev)
{
    struct pit *pit = dev;

    pit->s = (struct pit_state){.now = pit->s.now, .level = pit->s.level};
    for (unsigned i = 0; i < PIT_COUNTERS; i++)
        counter_reset(&pit->s.counter[i], i != 2);
    pit->s.seen = ticks_of(pit->s.now);
    pit->due = DEVICE_NEVER;
    set_irq(pit, true);
}

static void *
pit_state(void *dev, size_t *size)
{
    struct pit *pit = dev;

    *size = sizeof(pit->s);
    return &pit->s;
}

static void
pit_restored(void *dev)
{
    struct pit *pit = dev;

    for (unsigned i = 0; i < PIT_COUNTERS; i++)
        counter_restored(&pit->s.counter[i]);
    update_due(pit);
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
        text_add(&t, "counter %u: mode %s%s, ", i, modes[c->mode],
                 c->control & CONTROL_BCD ? ", BCD" : "");
        if (c->counting)
            text_add(&t, "at %" PRIu32 " of %" PRIu32, counter_element(c, tick), c->n);
        else
            text_add(&t, "not counting");
        text_add(&t, ", gate %u, OUT %u\n", c->gate, counter_out(c, tick));
    }
    text_add(&t, "port 61: %02x; %" PRIu64 " ticks of IRQ 0 merged with the one before\n",
             pit->s.port_61, pit->s.merged);
}

static const char *
pit_register_name(void *dev, uint64_t port, bool write, uint64_t value)
{
    (void)dev;
    switch (port) {
    case PIT_PORT: return "counter 0 (IRQ 0)";
    case PIT_PORT + 1: return "counter 1 (memory refresh)";
    case PIT_PORT + 2: return "counter 2 (speaker)";
    case PIT_PORT_61: return "port 61 (gate of counter 2, speaker, refresh)";
    default: break;
    }
    if (!write)
        return NULL; /* the control word cannot be read */
    if ((value >> 6 & 3) == READ_BACK)
        return "control word: read back";
    return (value >> 4 & 3) == ACCESS_LATCH ? "control word: latch a count"
                                            : "control word: mode of a counter";
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
    .register_name = pit_register_name,
    .manual = "Intel 8254 data sheet, programming the 8254",
};
