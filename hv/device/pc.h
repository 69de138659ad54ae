/*
 * pc.h - the board: the devices of a PC, their interrupt lines, ports and power switch.
 *
 * The one file of this room that sees the vm; devices get lines and handles from it. Called by
 * hv/cli/launch.c after vm_create() and before engine->open().
 */
#ifndef HV_DEVICE_PC_H
#define HV_DEVICE_PC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct pc;
struct vm;

#define PC_DEBUG_EXIT_PORT 0xf4
/* What the clock shows at power-on unless told otherwise: fixed, so that runs repeat exactly.
 * 2025-01-01 00:00:00 UTC, a Wednesday, in seconds since 1970. */
#define PC_POWER_ON_DATE INT64_C(1735689600)

struct pc_options {
    uint16_t debug_exit_port; /* 0: PC_DEBUG_EXIT_PORT */
    int64_t date;             /* of the real-time clock, seconds since 1970 UTC; 0: the default */
    /* Leave PIC and PIT as a BIOS does (vectors 08 and 70, IRQ 0 at 18.2 Hz) and not as after
     * power-on (all masked, no tick), and answer BIOS services: for boot sectors, which start
     * without firmware. */
    bool as_after_bios;
    /* With as_after_bios: what BIOS services read; not owned, must outlive the board. */
    const uint8_t *disk;
    uint64_t disk_size;
};

/* Creates the devices, puts them on vm->bus and sets vm->irq, vm->input. The UART writes to
 * vm->console, which must be set before, or be NULL. options may be NULL. 0 or -errno. */
int pc_create(struct vm *vm, const struct pc_options *options, struct pc **pc, struct error *err);
/* vm->bus must not be used afterwards. pc may be NULL. */
void pc_destroy(struct pc *pc);

#endif
