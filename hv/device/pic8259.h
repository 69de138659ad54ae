/*
 * pic8259.h - the pair of Intel 8259A interrupt controllers, as a PC wires them.
 *
 *   IRQ 0,1,3-7 -> master (ports 20, 21) -> INTR of the processor
 *   IRQ 8-15    -> slave  (ports a0, a1) -> IR2 of the master
 *   4d0, 4d1: edge or level, a bit a line (a chip set's addition: ELCR)
 *
 * Offsets of this device are port numbers.
 */
#ifndef HV_DEVICE_PIC8259_H
#define HV_DEVICE_PIC8259_H

#include <stdbool.h>
#include <stdint.h>

#include "device/device.h"

#define PIC_MASTER_PORT 0x20
#define PIC_SLAVE_PORT  0xa0
#define PIC_ELCR_PORT   0x4d0
#define PIC_CASCADE     2 /* the master's input that the slave drives */

/* One chip. Bit n of a byte is input IRn. */
struct pic_chip {
    uint8_t lines;  /* levels of the inputs now */
    uint8_t edges;  /* rose, still high, not yet acknowledged: the edge sense latch */
    uint8_t isr;    /* in service */
    uint8_t imr;    /* masked */
    uint8_t elcr;   /* level-triggered */
    uint8_t base;   /* vector of IR0 */
    uint8_t icw3;   /* master: inputs with slaves; slave: its number */
    uint8_t lowest; /* the input with the lowest priority: rotation moves it */
    uint8_t expect; /* the ICW that port 1 takes next: 2, 3, 4; 0: initialized */
    uint8_t has_icw4, single;
    uint8_t level_triggered; /* ICW1.LTIM: every input */
    uint8_t auto_eoi, rotate_on_auto_eoi, special_fully_nested;
    uint8_t special_mask, read_isr, poll;
};

struct pic_state {
    struct pic_chip chip[2]; /* master, slave */
};

struct pic {
    struct pic_state s;
};

extern const struct device_ops pic_ops;

/* IRQ 0 to 15 is at level 0 or 1 from now on. IRQ 2 does not exist: the slave is there. */
void pic_set_irq(struct pic *pic, unsigned irq, int level);
/* Is INTR asserted? */
bool pic_pending(const struct pic *pic);
/* INTA: the vector; the request is in service. Without a request: vector of IR7, "spurious". */
uint8_t pic_acknowledge(struct pic *pic);

#endif
