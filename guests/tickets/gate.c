/*
 * gate.c - ticket 4: a gate that opens only while it hears the heartbeat of its real-time clock.
 *
 *   pic=MASK     the interrupt lines that are masked, a bit each (line 0 is bit 0)
 *   beats=N      heartbeats to hear (IRQ 8, about 1024 a second)
 *   timeout=N    ticks (IRQ 0, 100 a second) to wait for one
 *   poll=1       asks the clock at each tick instead of waiting for its interrupt
 *   ignore=1     opens the gate without heartbeats
 */
#include "kit.h"

#define RTC_A   0x0a
#define RTC_B   0x0b
#define RTC_C   0x0c
#define RATE_1K 0x26 /* A: 32768 Hz base, 1024 a second */
#define B_PIE   0x42 /* B: periodic interrupt, 24 hours */
#define C_PF    0x40

static volatile unsigned beats, ticks;

static uint8_t
rtc(uint8_t index)
{
    out8(0x70, index);
    return in8(0x71);
}

static void
tick(void)
{
    ticks++;
    if (param("poll", 0) && rtc(RTC_C) & C_PF)
        beats++;
}

/* The line stays up until register C is read (MC146818A data sheet, "interrupts"). */
static void
beat(void)
{
    if (rtc(RTC_C) & C_PF)
        beats++;
}

uint8_t
appliance_main(void)
{
    unsigned wanted = (unsigned)param("beats", 20), timeout = (unsigned)param("timeout", 20);

    on_irq(0, tick);
    on_irq(8, beat);
    on_irq(2, 0);
    say("gate: waiting for %u heartbeats\n", wanted);
    out8(0x70, RTC_A);
    out8(0x71, RATE_1K);
    out8(0x70, RTC_B);
    out8(0x71, B_PIE);
    rtc(RTC_C);
    timer_rate(100);
    irq_mask((uint16_t)param("pic", 0xfffe));
    while (beats < wanted && ticks < timeout)
        irq_wait();
    irq_off();
    say("gate: %u heartbeats in %u ticks\n", beats, ticks);
    if (beats < wanted && !param("ignore", 0))
        stop(2, "gate: no heartbeat, the gate stays closed");
    say("gate: open\n");
    return 0;
}
