/* device_pit.c - tests of hv/device/pit8254.c and pit_counter.c against Intel's 8254 data sheet
 * (231164-005). Waveforms are those of its figures 15 to 20.
 * Long because: six modes, their counts and IRQ 0 are seen through one rig. */
#include <stdio.h>
#include <string.h>

#include "device/pit8254.h"
#include "tests/unit/suites.h"

struct rig {
    struct pit pit;
    int level;
    unsigned rises, falls;
    uint64_t tick; /* guest time, in clock ticks */
};

static void
wire(void *ctx, unsigned number, int level)
{
    struct rig *rig = ctx;

    (void)number;
    rig->rises += level && !rig->level;
    rig->falls += !level && rig->level;
    rig->level = level;
}

/* The first ns of clock tick t. */
static uint64_t
ns(uint64_t t)
{
    return (uint64_t)(((unsigned __int128)t * 1000000000 + PIT_HZ - 1) / PIT_HZ);
}

static void
at(struct rig *rig, uint64_t tick)
{
    rig->tick = tick;
    pit_ops.tick(&rig->pit, ns(tick));
}

static void
set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->pit.irq = (struct line){wire, rig, 0};
    pit_ops.reset(&rig->pit);
    rig->rises = rig->falls = 0;
    at(rig, 1000);
}

static void
out(struct rig *rig, unsigned port, uint8_t v)
{
    pit_ops.write(&rig->pit, port, 1, v);
}

static uint8_t
in(struct rig *rig, unsigned port)
{
    return (uint8_t)pit_ops.read(&rig->pit, port, 1);
}

/* Counter 2 in a mode with a low-byte count, gate as given. */
static void
program(struct rig *rig, unsigned mode, uint8_t count, unsigned gate)
{
    out(rig, 0x61, (uint8_t)gate);
    out(rig, 0x43, (uint8_t)(0x90 | mode << 1));
    out(rig, 0x42, count);
}

static bool
out_2(struct rig *rig)
{
    return in(rig, 0x61) & 0x20;
}

/* OUT of counter 2 at each of the next n ticks, as a string of '0' and '1'. */
static const char *
wave(struct rig *rig, unsigned n)
{
    static char text[64];

    for (unsigned i = 0; i < n; i++) {
        at(rig, rig->tick + 1);
        text[i] = out_2(rig) ? '1' : '0';
    }
    text[n] = 0;
    return text;
}

/* The counting element of counter 2 at each of the next n ticks. */
static const char *
elements(struct rig *rig, unsigned n)
{
    static char text[128];
    int used = 0;

    for (unsigned i = 0; i < n; i++) {
        at(rig, rig->tick + 1);
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%x ", in(rig, 0x42));
    }
    return text;
}

/* Mode 0, figure 15: OUT low for N + 1 clocks after the count is written, then high for good. */
static void
test_mode_0(void)
{
    struct rig rig;

    set_up(&rig);
    CU_ASSERT_TRUE(out_2(&rig));
    program(&rig, 0, 4, 1);
    CU_ASSERT_FALSE(out_2(&rig)); /* with the control word */
    CU_ASSERT_STRING_EQUAL(wave(&rig, 8), "00001111");
    program(&rig, 0, 4, 1);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 8), "4 3 2 1 0 ff fe fd ");
    CU_ASSERT_TRUE(out_2(&rig));
    out(&rig, 0x42, 2); /* a new count sets OUT low and starts again */
    CU_ASSERT_STRING_EQUAL(wave(&rig, 4), "0011");
    /* Gate low stops the counting, and OUT keeps its level. */
    program(&rig, 0, 4, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 2), "00");
    out(&rig, 0x61, 0);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 3), "3 3 3 ");
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 3), "2 1 0 ");
    CU_ASSERT_TRUE(out_2(&rig));
    /* Written with gate low it is loaded, but does not count. */
    program(&rig, 0, 3, 0);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 3), "3 3 3 ");
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 4), "0011");
}

/* Mode 0, two bytes: the first one stops the counting and sets OUT low at once. */
static void
test_mode_0_two_bytes(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x61, 1);
    out(&rig, 0x43, 0xb0);
    out(&rig, 0x42, 2);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "00000"); /* nothing counts yet */
    out(&rig, 0x42, 0);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 4), "0011");
    out(&rig, 0x42, 0x34);
    CU_ASSERT_FALSE(out_2(&rig));
    out(&rig, 0x42, 0x12);
    at(&rig, rig.tick + 1);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x34);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x12);
}

/* Mode 1, figure 16: a rise of gate makes a low pulse of N clocks; it can be restarted. */
static void
test_mode_1(void)
{
    struct rig rig;

    set_up(&rig);
    program(&rig, 1, 3, 0);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 3), "111");
    out(&rig, 0x61, 1);
    CU_ASSERT_TRUE(out_2(&rig));
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "00011");
    out(&rig, 0x61, 0);
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 2), "00");
    out(&rig, 0x61, 0); /* gate low does not end it */
    out(&rig, 0x61, 1); /* but its rise starts anew */
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "00011");
    /* A new count waits for the next rise. */
    out(&rig, 0x42, 2);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 3), "111");
    out(&rig, 0x61, 0);
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 4), "0011");
}

/* Mode 2, figure 17: low for one clock in N. */
static void
test_mode_2(void)
{
    struct rig rig;

    set_up(&rig);
    program(&rig, 2, 3, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 9), "110110110");
    program(&rig, 2, 3, 1);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 7), "3 2 1 3 2 1 3 ");
    /* A new count takes effect at the end of the period. */
    out(&rig, 0x42, 4);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 7), "2 1 4 3 2 1 4 ");
    /* Gate low sets OUT high at once; its rise reloads. */
    CU_ASSERT_STRING_EQUAL(wave(&rig, 3), "110");
    out(&rig, 0x61, 0);
    CU_ASSERT_TRUE(out_2(&rig));
    CU_ASSERT_STRING_EQUAL(wave(&rig, 3), "111");
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "11101");
    /* Gate falls while OUT is low: high at once, and no glitch when it rises. */
    CU_ASSERT_STRING_EQUAL(wave(&rig, 3), "110");
    out(&rig, 0x61, 0);
    CU_ASSERT_TRUE(out_2(&rig));
    out(&rig, 0x61, 1);
    CU_ASSERT_TRUE(out_2(&rig));
    /* A new count waits while gate is low, and goes along with a load that is due. */
    program(&rig, 2, 5, 1);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 2), "5 4 ");
    out(&rig, 0x42, 3);
    out(&rig, 0x61, 0);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 7), "4 4 4 4 4 4 4 ");
    out(&rig, 0x61, 1);
    out(&rig, 0x42, 6);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 3), "6 5 4 ");
}

/* Mode 3, figure 18: high for (N + 1) / 2 clocks, low for the rest. */
static void
test_mode_3(void)
{
    struct rig rig;

    set_up(&rig);
    program(&rig, 3, 4, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 9), "110011001");
    program(&rig, 3, 4, 1);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 6), "4 2 4 2 4 2 ");
    program(&rig, 3, 5, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 11), "11100111001");
    program(&rig, 3, 5, 1);
    CU_ASSERT_STRING_EQUAL(elements(&rig, 6), "4 2 0 4 2 4 ");
    /* A new count takes effect at the end of the half. */
    program(&rig, 3, 8, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 2), "11");
    out(&rig, 0x42, 4);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 8), "11001100");
    out(&rig, 0x61, 0);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 3), "111");
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "11001");
    /* 6 and 7 are 2 and 3. */
    program(&rig, 7, 4, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "11001");
}

/* Mode 4, figure 19: the strobe comes N + 1 clocks after the count was written, once. */
static void
test_mode_4(void)
{
    struct rig rig;

    set_up(&rig);
    program(&rig, 4, 3, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 8), "11101111");
    out(&rig, 0x42, 2);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "11011");
    program(&rig, 4, 3, 1);
    wave(&rig, 2);
    out(&rig, 0x61, 0);
    wave(&rig, 5);
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 4), "1011");
}

/* Mode 5, figure 20: the same, started by a rise of gate. */
static void
test_mode_5(void)
{
    struct rig rig;

    set_up(&rig);
    program(&rig, 5, 3, 0);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 5), "11111");
    out(&rig, 0x61, 1);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 2), "11");
    out(&rig, 0x61, 0);
    CU_ASSERT_STRING_EQUAL(wave(&rig, 4), "1011");
}

static void
test_latch(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x61, 1);
    out(&rig, 0x43, 0xb4); /* counter 2, both bytes, mode 2 */
    out(&rig, 0x42, 0x00);
    out(&rig, 0x42, 0x10);
    at(&rig, rig.tick + 1 + 0x123);
    out(&rig, 0x43, 0x80); /* latch */
    at(&rig, rig.tick + 10);
    out(&rig, 0x43, 0x80); /* ignored: the first has not been read */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0xdd);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x0e);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0xd3); /* now the element itself */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x0e);
    CU_ASSERT_EQUAL(in(&rig, 0x43), 0xff); /* the control word cannot be read */
}

static void
test_read_back(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x61, 1);
    out(&rig, 0x43, 0xb0);                 /* counter 2, both bytes, mode 0 */
    out(&rig, 0x43, 0xe8);                 /* status only, of counter 2 */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x70); /* OUT low, null count, the control word */
    out(&rig, 0x42, 3);
    out(&rig, 0x42, 0);
    out(&rig, 0x43, 0xe8);
    at(&rig, rig.tick + 1);
    out(&rig, 0x43, 0xc8); /* both: the status that is latched stays */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x70);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 3); /* then the count */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0);
    at(&rig, rig.tick + 5);
    out(&rig, 0x43, 0xe8);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0xb0); /* OUT high, loaded */
    /* Several counters at once. */
    out(&rig, 0x43, 0x36), out(&rig, 0x40, 0), out(&rig, 0x40, 0x80);
    out(&rig, 0x43, 0x74), out(&rig, 0x41, 0), out(&rig, 0x41, 0x40);
    at(&rig, rig.tick + 3);
    out(&rig, 0x43, 0xd6); /* counts of 0 and 1 */
    at(&rig, rig.tick + 100);
    CU_ASSERT_EQUAL(in(&rig, 0x40), 0xfc); /* mode 3 counts by two */
    CU_ASSERT_EQUAL(in(&rig, 0x40), 0x7f);
    CU_ASSERT_EQUAL(in(&rig, 0x41), 0xfe);
    CU_ASSERT_EQUAL(in(&rig, 0x41), 0x3f);
}

static void
test_bcd(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x61, 1);
    out(&rig, 0x43, 0xb1); /* both bytes, mode 0, BCD */
    out(&rig, 0x42, 0x02);
    out(&rig, 0x42, 0x10); /* 1002 */
    at(&rig, rig.tick + 1 + 3);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x99); /* 0999 */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x09);
    at(&rig, rig.tick + 1000);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x99); /* wraps to 9999 */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x99);
    out(&rig, 0x43, 0xb5); /* mode 2; a count of 0 is 10000 */
    out(&rig, 0x42, 0);
    out(&rig, 0x42, 0);
    at(&rig, rig.tick + 1);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0);
    at(&rig, rig.tick + 10000 + 1);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x99);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x99);
}

static void
test_byte_access(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x61, 1);
    out(&rig, 0x43, 0xa4); /* high byte only, mode 2 */
    out(&rig, 0x42, 0x02); /* 512 */
    at(&rig, rig.tick + 1 + 256);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x01);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x01);
    out(&rig, 0x43, 0x94); /* low byte only: 0 is 65536 */
    out(&rig, 0x42, 0);
    at(&rig, rig.tick + 1 + 1);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0xff);
    /* Reads and writes of two bytes may be interleaved. */
    out(&rig, 0x43, 0xb4);
    out(&rig, 0x42, 0x34), out(&rig, 0x42, 0x12);
    at(&rig, rig.tick + 1);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x34);
    out(&rig, 0x42, 0x78);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x12);
    at(&rig, rig.tick + 0x1234); /* half a count written: it is not taken over */
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x34);
    CU_ASSERT_EQUAL(in(&rig, 0x42), 0x12);
}

static void
test_port_61(void)
{
    struct rig rig;

    set_up(&rig);
    out(&rig, 0x61, 0xff);
    CU_ASSERT_EQUAL(in(&rig, 0x61) & 0xcf, 0x0f);
    out(&rig, 0x61, 0);
    CU_ASSERT_EQUAL(in(&rig, 0x61) & 0x0f, 0);
    /* The refresh bit toggles every 15 us. */
    unsigned toggles = 0, last = in(&rig, 0x61) & 0x10;
    for (unsigned i = 0; i < 1800; i++) {
        at(&rig, rig.tick + 1);
        unsigned now = in(&rig, 0x61) & 0x10;
        toggles += now != last;
        last = now;
    }
    CU_ASSERT_EQUAL(toggles, 100);
}

/* IRQ 0 as a kernel programs it: mode 2, one rise a period, next() says when. */
static void
test_irq(void)
{
    struct rig rig;

    set_up(&rig);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), DEVICE_NEVER);
    out(&rig, 0x43, 0x34);
    out(&rig, 0x40, 0xe8);
    out(&rig, 0x40, 0x03); /* 1000 */
    CU_ASSERT_EQUAL(rig.rises, 0);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001)); /* the load */
    for (unsigned i = 1; i <= 50; i++) {
        while (rig.rises < i)
            pit_ops.tick(&rig.pit, pit_ops.next(&rig.pit));
        CU_ASSERT_EQUAL(rig.pit.s.now, ns(1001 + 1000 * i));
        CU_ASSERT_EQUAL(rig.rises, i);
        CU_ASSERT_EQUAL(rig.level, 1);
    }
    CU_ASSERT_EQUAL(rig.pit.s.merged, 0);
    /* A reload at the very end of a period must not swallow its rise. */
    out(&rig, 0x40, 0xf4);
    out(&rig, 0x40, 0x01); /* 500 from the next period on */
    pit_ops.tick(&rig.pit, ns(1001 + 51000));
    CU_ASSERT_EQUAL(rig.rises, 51);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001 + 51500));
    /* Guest time jumps over many periods: one rise, the others counted, and on in phase. */
    pit_ops.tick(&rig.pit, ns(1001 + 51000 + 500 * 1000000 + 3));
    CU_ASSERT_EQUAL(rig.rises, 52);
    CU_ASSERT_EQUAL(rig.pit.s.merged, 999999);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001 + 51000 + 500 * 1000001));
    /* A reset of the machine does not turn time back. */
    pit_ops.reset(&rig.pit);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), DEVICE_NEVER);
    out(&rig, 0x43, 0x34), out(&rig, 0x40, 0xe8), out(&rig, 0x40, 0x03);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001 + 51000 + 500 * 1000000 + 4));
}

static void
test_irq_modes(void)
{
    struct rig rig;

    /* Mode 3: both edges, on time. */
    set_up(&rig);
    out(&rig, 0x43, 0x36), out(&rig, 0x40, 9), out(&rig, 0x40, 0);
    at(&rig, 1001);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001 + 5));
    at(&rig, 1001 + 5);
    CU_ASSERT_EQUAL(rig.level, 0);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001 + 9));
    at(&rig, 1001 + 9);
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(rig.rises, 1);
    /* Mode 0: once. */
    set_up(&rig);
    out(&rig, 0x43, 0x30);
    CU_ASSERT_EQUAL(rig.level, 0); /* "OUT is initially low" after the control word */
    out(&rig, 0x40, 5), out(&rig, 0x40, 0);
    CU_ASSERT_EQUAL(rig.level, 0);
    at(&rig, 1006);
    CU_ASSERT_EQUAL(rig.level, 1);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), DEVICE_NEVER);
    at(&rig, 1000000);
    CU_ASSERT_EQUAL(rig.rises, 1);
    /* Mode 4: a strobe that ends N + 1 clocks after the load. */
    set_up(&rig);
    out(&rig, 0x43, 0x38), out(&rig, 0x40, 5), out(&rig, 0x40, 0);
    at(&rig, 1001);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), ns(1001 + 6));
    at(&rig, 1001 + 6);
    CU_ASSERT_EQUAL(rig.rises, 1);
    CU_ASSERT_EQUAL(rig.falls, 1);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), DEVICE_NEVER);
    /* A count of 1 is illegal in modes 2 and 3: no storm, no loop. */
    for (unsigned mode = 2; mode <= 3; mode++) {
        set_up(&rig);
        out(&rig, 0x43, (uint8_t)(0x30 | mode << 1)), out(&rig, 0x40, 1), out(&rig, 0x40, 0);
        at(&rig, 1000000);
        CU_ASSERT_EQUAL(rig.rises, 0);
        CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), DEVICE_NEVER);
    }
}

/* 1193182 ticks are a second, for ever: a day of 18.2 Hz ticks is exact to one tick. */
static void
test_no_drift(void)
{
    struct rig rig;
    const uint64_t day = UINT64_C(86400) * 1000000000;

    set_up(&rig);
    out(&rig, 0x43, 0x34), out(&rig, 0x40, 0), out(&rig, 0x40, 0);
    pit_ops.tick(&rig.pit, day);
    CU_ASSERT_EQUAL(rig.pit.s.merged + rig.rises, (UINT64_C(86400) * PIT_HZ - 1001) / 65536);
    /* The end of time does not overflow. */
    pit_ops.tick(&rig.pit, UINT64_MAX - 1);
    CU_ASSERT_TRUE(pit_ops.next(&rig.pit) > UINT64_MAX - 1);
    pit_ops.tick(&rig.pit, 5); /* time never goes back */
    CU_ASSERT_EQUAL(rig.pit.s.now, UINT64_MAX - 1);
}

static void
test_snapshot(void)
{
    struct rig rig;
    struct pit_state saved;
    size_t size;

    set_up(&rig);
    out(&rig, 0x43, 0x34), out(&rig, 0x40, 100), out(&rig, 0x40, 0);
    at(&rig, 1050);
    memcpy(&saved, pit_ops.state(&rig.pit, &size), sizeof(saved));
    CU_ASSERT_EQUAL(size, sizeof(saved));
    uint64_t next = pit_ops.next(&rig.pit);
    pit_ops.reset(&rig.pit);
    memcpy(pit_ops.state(&rig.pit, &size), &saved, sizeof(saved));
    pit_ops.restored(&rig.pit);
    CU_ASSERT_EQUAL(pit_ops.next(&rig.pit), next);
    /* Hostile ones must not divide by zero or loop. */
    rig.pit.s.counter[0].n = 0;
    pit_ops.restored(&rig.pit);
    at(&rig, 5000);
    in(&rig, 0x40);
    for (unsigned fill = 0; fill < 256; fill++) {
        char text[512];
        memset(&rig.pit.s, (int)fill, sizeof(rig.pit.s));
        pit_ops.restored(&rig.pit);
        for (unsigned port = 0x40; port < 0x44; port++)
            out(&rig, port, in(&rig, port));
        pit_ops.tick(&rig.pit, UINT64_MAX);
        pit_ops.describe(&rig.pit, text, sizeof(text));
        CU_ASSERT_TRUE(strlen(text) > 0);
    }
}

static const struct unit_test tests[] = {
    {"mode 0, terminal count", test_mode_0},
    {"mode 0, two bytes", test_mode_0_two_bytes},
    {"mode 1, one-shot", test_mode_1},
    {"mode 2, rate generator", test_mode_2},
    {"mode 3, square wave", test_mode_3},
    {"mode 4, software strobe", test_mode_4},
    {"mode 5, hardware strobe", test_mode_5},
    {"latch command", test_latch},
    {"read-back command", test_read_back},
    {"BCD", test_bcd},
    {"single bytes", test_byte_access},
    {"port 61", test_port_61},
    {"IRQ 0 in mode 2, missed periods", test_irq},
    {"IRQ 0 in other modes", test_irq_modes},
    {"no drift, no overflow", test_no_drift},
    {"snapshots, also hostile", test_snapshot},
    {NULL, NULL},
};
const struct unit_suite suite_device_pit = {"device_pit", tests};
