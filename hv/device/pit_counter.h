/*
 * pit_counter.h - one of the three counters of the Intel 8254, as a function of time.
 *
 * Used by pit8254.c alone. Every `tick` is a number of clock ticks since power-on, and none is
 * before that of the call before.
 */
#ifndef HV_DEVICE_PIT_COUNTER_H
#define HV_DEVICE_PIT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* One counter. Times are in ticks of the 1.193182 MHz clock since power-on. While it counts, the
 * number of ticks since the count was loaded is now - origin; while it stands (gate low), it is
 * `elapsed`. The counting element and OUT follow from that number, the mode and n alone. */
struct pit_counter {
    uint64_t origin;    /* when the count in use was loaded */
    uint64_t elapsed;   /* ticks since then, while standing */
    uint64_t load_at;   /* when the count register is taken over; DEVICE_NEVER: nothing waits */
    uint32_t n;         /* the count in use, 1 to 65536; 0: none was ever loaded */
    uint32_t held;      /* what the counting element shows when nothing counts */
    uint16_t count;     /* the count register, as written */
    uint16_t latch;     /* latched count */
    uint8_t control;    /* the control word as written, bits 5-0 */
    uint8_t mode;       /* 0 to 5 */
    uint8_t access;     /* 1: low byte, 2: high byte, 3: low then high */
    uint8_t counting;   /* a count was loaded, and OUT follows it */
    uint8_t written;    /* the count register is complete */
    uint8_t null_count; /* it has not been loaded yet */
    uint8_t gate;
    uint8_t load_low;              /* mode 3: the load starts a low half of the square wave */
    uint8_t write_high, read_high; /* which byte comes next in access mode 3 */
    uint8_t low_byte;              /* access mode 3: written, the high byte is still to come */
    uint8_t latched;               /* bytes of `latch` not yet read */
    uint8_t status, status_latched;
};

/* The state after power-on: idle, OUT high. */
void counter_reset(struct pit_counter *c, bool gate);
/* Brings a state from a file in range. */
void counter_restored(struct pit_counter *c);
/* Takes over the count register, if that is due by `tick`. Call before all that follows. */
void counter_sync(struct pit_counter *c, uint64_t tick);

/* The pin OUT, and the counting element. */
bool counter_out(const struct pit_counter *c, uint64_t tick);
uint32_t counter_element(const struct pit_counter *c, uint64_t tick);

/* OUT as an interrupt line. Modes 2, 4 and 5 pull OUT low for one tick only; that pulse is shown
 * as a fall and a rise at its end. It is the same to an edge-triggered input, and saves the run
 * loop every second stop. */
bool counter_line(const struct pit_counter *c, uint64_t tick);
/* How often it rises in (from, to], without regard to a load; and when it changes next after
 * `tick`, or DEVICE_NEVER. */
uint64_t counter_rises(const struct pit_counter *c, uint64_t from, uint64_t to);
uint64_t counter_next(const struct pit_counter *c, uint64_t tick);

/* A control word for this counter (bits 5-0; not the latch command), and what reads back of it. */
void counter_control(struct pit_counter *c, uint64_t tick, uint8_t v);
void counter_latch(struct pit_counter *c, uint64_t tick);
void counter_latch_status(struct pit_counter *c, uint64_t tick);
/* Its port. */
void counter_write(struct pit_counter *c, uint64_t tick, uint8_t v);
uint8_t counter_read(struct pit_counter *c, uint64_t tick);
/* Its pin GATE. */
void counter_gate(struct pit_counter *c, uint64_t tick, bool level);

#endif
