/*
 * line.h - the wires of the machine: interrupt lines, the A20 gate, INTR, power.
 *
 * A device is given lines, never the machine that they lead to. `level` is 0 or 1; who holds the
 * line keeps it at a level until told otherwise, as a wire does.
 */
#ifndef HV_CORE_LINE_H
#define HV_CORE_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct line {
    void (*set)(void *ctx, unsigned number, int level);
    void *ctx;
    unsigned number;
};

static inline void
line_set(const struct line *line, int level)
{
    if (line->set)
        line->set(line->ctx, line->number, level);
}

/* Where interrupts come from: the 8259 pair, seen by the run loop. */
struct irq_source {
    void *ctx;
    /* Is INTR asserted? */
    bool (*pending)(void *ctx);
    /* INTA: which vector, and the request becomes "in service". */
    uint8_t (*acknowledge)(void *ctx);
    /* The vector that acknowledge() would give, for who looks on. NULL: it cannot be told. */
    uint8_t (*vector)(void *ctx);
};

/* Where console input goes: the UART's receiver, fed by the run loop, which records every byte. */
struct byte_sink {
    void *ctx;
    /* Would put() take a byte now? Ask before console_get(), which cannot be undone. */
    bool (*room)(void *ctx);
    /* False: there was no room, and the byte is not taken. */
    bool (*put)(void *ctx, uint8_t byte);
};

/* The other way: who wants console input but is not the sink takes it from here. The BIOS takes its
 * keys from the UART's receiver, as firmware with a serial console does. */
struct byte_source {
    void *ctx;
    /* The next byte, or -1 if there is none now. */
    int (*get)(void *ctx);
};

/* What a device may ask of the machine as a whole; status is the guest's, for POWER_OFF. */
enum power_request { POWER_NONE, POWER_OFF, POWER_RESET };

struct power_switch {
    void *ctx;
    void (*request)(void *ctx, enum power_request what, int status);
};

#endif
