/*
 * timer.c - the clock: channel 0 of the 8254 raises interrupt 0 timer_hz times a second.
 *
 * All of the kernel's time is this count of ticks. Intel 8254 data sheet.
 */
#include "kernel.h"

#define PIT_CHANNEL0 0x40
#define PIT_CONTROL  0x43
#define PIT_RATE     0x34    /* channel 0, low byte then high byte, mode 2: rate generator */
#define PIT_HZ       1193182 /* 14.31818 MHz / 12, since the first PC */

unsigned timer_hz;
static uint64_t ticks;

void
timer_init(unsigned hz)
{
    unsigned divisor;
    timer_hz = hz < TIMER_HZ_MIN ? TIMER_HZ_MIN : hz > TIMER_HZ_MAX ? TIMER_HZ_MAX : hz;
    divisor = (PIT_HZ + timer_hz / 2) / timer_hz; /* 16 bits: TIMER_HZ_MIN follows from that */
    priv_out8(PIT_CONTROL, PIT_RATE);
    priv_out8(PIT_CHANNEL0, divisor & 0xff);
    priv_out8(PIT_CHANNEL0, divisor >> 8);
}

void
timer_interrupt(void)
{
    ticks++;
    proc_wake(TASK_SLEEPING);
}

uint64_t
timer_ticks(void)
{
    return *(volatile uint64_t *)&ticks; /* main.c waits for it to change */
}
