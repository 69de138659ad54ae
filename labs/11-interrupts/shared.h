/*
 * shared.h - what VMM and guest of lab 11 share: a piece of the guest's memory, and four calls. Given.
 *
 * The guest's kernel never executes CLI and STI. It keeps its interrupt flag in `masked`, which costs no exit:
 *
 *     mask:      masked = 1
 *     unmask:    masked = 0; if (waiting) hypercall(HC_EVENTS)
 *
 * The VMM must look there before it hands over an interrupt. (Xen has the same, by the names of
 * evtchn_upcall_mask and evtchn_upcall_pending.)
 */
#ifndef SHARED_H
#define SHARED_H

#include <stdint.h>

struct shared {
    uint8_t masked;  /* not 0: the guest takes no interrupt now */
    uint8_t waiting; /* the VMM sets it: an interrupt has come while masked; call HC_EVENTS */
    uint8_t unused[6];
    uint64_t ticks; /* the VMM sets it at each interrupt: periods since HC_CLOCK */
};

/* RAX = number, RBX = argument; RAX = 0 or a negative errno afterwards. */
#define HC_SHARE 0x200 /* RBX = address of struct shared, a multiple of 8 */
#define HC_EVENTS                                                                                  \
    0x201 /* nothing but an exit: after each, the VMM looks whether an interrupt waits */
#define HC_WAIT  0x202 /* unmask, and sleep until an interrupt has been handled */
#define HC_CLOCK 0x203 /* RBX = the timer's period in ns; ticks is 0 now */

#endif
