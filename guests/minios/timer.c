/*
 * timer.c - all of the kernel's time: the count of the timer's ticks, timer_hz in a second.
 */
#include "kernel.h"

unsigned timer_hz;
static uint64_t ticks;

void
timer_init(unsigned hz)
{
    timer_hz = hz < TIMER_HZ_MIN ? TIMER_HZ_MIN : hz > TIMER_HZ_MAX ? TIMER_HZ_MAX : hz;
    priv_timer_init(timer_hz);
    priv_irq_enable(IRQ_TIMER);
}

void
timer_interrupt(void)
{
    ticks++;
    proc_wake(&ticks);
}

uint64_t
timer_ticks(void)
{
    return *(volatile uint64_t *)&ticks; /* some wait for it to change */
}

void
timer_sleep(uint64_t until)
{
    while (timer_ticks() < until)
        proc_sleep(&ticks);
}
