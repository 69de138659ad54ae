/*
 * meter.c - ticket 3: reads a meter at fixed times and sends a record of each reading.
 *
 *   samples=N    how many readings
 *   period=US    microseconds from one to the next
 *   wait=poll    asks the timer again and again (port 61, bit 5: OUT of counter 2)
 *   wait=irq     has itself woken by the timer's interrupt (IRQ 0)
 *   pause=N      poll: loops N times between two questions
 *   uart=byte    asks the UART before each byte; uart=fifo: before each 16
 *   records=off  sends no records
 *
 * The last line has a sum over all readings, and how late the latest was.
 */
#include "kit.h"

#define PORT_61   0x61
#define GATE_2    0x01
#define OUT_2     0x20
#define METER     0x71 /* the byte of CMOS memory that stands for the meter */
#define PIT_HZ    1193182
#define COUNTER_2 0xb0 /* counter 2, both bytes, mode 0: OUT rises at the end */

static volatile bool rang;

static void
ring(void)
{
    rang = true;
}

static void
wait_poll(uint64_t ns, uint64_t pause)
{
    uint64_t count = ns * PIT_HZ / 1000000000;

    out8(PORT_61, GATE_2);
    out8(0x43, COUNTER_2);
    out8(0x42, (uint8_t)count);
    out8(0x42, (uint8_t)(count >> 8));
    while (!(in8(PORT_61) & OUT_2))
        for (uint64_t i = 0; i < pause; i++)
            asm volatile("pause");
}

static void
wait_irq(uint64_t ns)
{
    rang = false;
    timer_once(ns);
    while (!rang)
        irq_wait();
    irq_off();
}

uint8_t
appliance_main(void)
{
    unsigned samples = (unsigned)param("samples", 100), sum = 0;
    uint64_t period = param("period", 50) * 1000, pause = param("pause", 0), late = 0;
    bool irq = param_is("wait", "irq"), records = !param_is("records", "off");

    if (param_is("uart", "fifo"))
        console_fifo();
    on_irq(0, ring);
    irq_mask(irq ? 0xfffe : 0xffff);
    say("meter: %u readings, one each %u us\n", samples, (unsigned)(period / 1000));
    uint64_t due = now_ns();
    for (unsigned n = 0; n < samples; n++) {
        uint64_t now = now_ns();
        due = (n ? due : now) + period;
        if (due > now + 2000 && irq)
            wait_irq(due - now);
        else if (due > now + 2000 && param_is("wait", "poll"))
            wait_poll(due - now, pause);
        now = now_ns();
        uint64_t off = now > due ? now - due : due - now;
        late = off > late ? off : late;
        out8(0x70, METER);
        unsigned value = (in8(0x71) + n * 7) % 100;
        sum = sum * 31 + value;
        if (records)
            say("r%03u %02u\n", n, value);
    }
    say("meter: %u readings, sum %08x, at worst %u us off\n", samples, sum,
        (unsigned)(late / 1000));
    return 0;
}
