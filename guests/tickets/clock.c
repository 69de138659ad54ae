/*
 * clock.c - ticket 5: keeps a clock while it works, and compares it with the time server.
 *
 *   hz=N          the timer interrupts so often (IRQ 0)
 *   clock=tick    time is the count of these interrupts; clock=counter: it is read from a counter
 *   load=PERCENT  how much of each 10 ms the accounts take
 *   chunk=US      they are done in pieces of so many microseconds, each with interrupts off
 *   slew=PERMILLE each tick counts for so much more
 *   sync=MS       the clock is set by the time server so often
 *   run=MS        how long
 *
 * A line each 20 ms: the time server's time, ours, the difference. At the end the worst difference, the
 * greatest step between two looks that were 1 ms apart, and how much was worked.
 */
#include "kit.h"

#define MS 1000000u

static volatile uint64_t ticks_ns; /* time by ticks */
static uint64_t tick_ns, slew, epoch, sync_offset, worked;
static bool by_counter;

static void
tick(void)
{
    ticks_ns += tick_ns + tick_ns * slew / 1000;
}

static uint64_t
server(void)
{
    return now_ns() - epoch;
}

static uint64_t
clock_ns(void)
{
    return (by_counter ? server() : ticks_ns) + sync_offset;
}

/* With interrupts off. */
static void
work(uint64_t ns)
{
    uint64_t end = now_ns() + ns;

    irq_off();
    while (now_ns() < end)
        ;
    irq_on();
    worked += ns;
}

static uint64_t
distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static int
signed_ms(uint64_t a, uint64_t b)
{
    return a > b ? (int)((a - b + MS / 2) / MS) : -(int)((b - a + MS / 2) / MS);
}

uint8_t
appliance_main(void)
{
    uint64_t run = param("run", 200) * MS, load = param("load", 35) * MS / 10;
    uint64_t chunk = param("chunk", 3500) * 1000, sync = param("sync", 0) * MS, synced = 0;
    uint64_t worst = 0, step = 0, seen = 0, seen_at = 0, report = 20 * MS;
    unsigned hz = (unsigned)param("hz", 1000);

    hz = hz < 19 ? 19 : hz > 5000 ? 5000 : hz;
    tick_ns = 1000000000u / hz;
    slew = param("slew", 0);
    by_counter = param_is("clock", "counter");
    chunk = chunk < 10000 ? 10000 : chunk;
    load = load > 9 * MS ? 9 * MS : load;
    say("clock: %u ticks a second, %u%% load\n", hz, (unsigned)(load / (MS / 10)));
    on_irq(0, tick);
    irq_mask(0xfffe);
    timer_rate(hz);
    epoch = now_ns();
    irq_on();
    for (uint64_t begin = 0; server() < run; begin += 10 * MS) {
        for (uint64_t left = load; left; left -= left < chunk ? left : chunk)
            work(left < chunk ? left : chunk);
        while (server() < begin + 10 * MS) {
            uint64_t look = server();
            while (server() < look + MS)
                irq_wait();
            irq_on();
            if (sync && server() - synced >= sync) {
                synced = server();
                sync_offset += synced - clock_ns();
            }
            uint64_t t = clock_ns(), s = server();
            uint64_t jump = distance(t - seen, s - seen_at);
            step = seen_at && jump > step ? jump : step;
            worst = distance(t, s) > worst ? distance(t, s) : worst;
            seen = t;
            seen_at = s;
        }
        if (server() >= report) {
            report += 20 * MS;
            say("clock: server %3u ms, ours %3u ms: %d\n", (unsigned)(server() / MS),
                (unsigned)(clock_ns() / MS), signed_ms(clock_ns(), server()));
        }
    }
    irq_off();
    say("clock: worst %u us, step %u us, worked %u ms\n", (unsigned)(worst / 1000),
        (unsigned)(step / 1000), (unsigned)(worked / MS));
    return 0;
}
