/*
 * monitor.h - the real machine under a guest kernel that runs deprivileged, at CPL 3.
 *
 * The guest's own descriptor tables are data to it; the processor needs real ones, in a window of
 * linear memory that every page-table root maps, for CPL 0 alone. The strategy builds the window
 * (strategy/deprivilege.c); an engine that cannot intercept exceptions by itself (kvm) fills in the
 * IDT and the code of a ring-0 stub that turns each exception into an exit (engine.h,
 * open_monitor). The window takes one slot of the guest's address space away from it.
 *
 * An interface, as engine.h is. Offsets are from RAM_PRIVATE and from MONITOR_LINEAR alike:
 *
 *   00000  GDT, 64 KiB: only its last descriptors are there, so that no selector of a guest's
 *          means anything to the processor, and loading one faults
 *   10000  IDT, 4 KiB: empty on soft
 *   11000  TSS: RSP0 is the top of the stack
 *   12000  stack, 4 KiB
 *   13000  the stub's code
 *   14000  the window's own page tables: PDPT, PD, PT
 *   20000  free for the strategy: its page-table pages
 */
#ifndef HV_ENGINE_MONITOR_H
#define HV_ENGINE_MONITOR_H

#define MONITOR_GDT    0x00000u
#define MONITOR_IDT    0x10000u
#define MONITOR_TSS    0x11000u
#define MONITOR_STACK  0x12000u
#define MONITOR_STUB   0x13000u
#define MONITOR_TABLES 0x14000u
#define MONITOR_END    0x20000u

/* Slot 496 of the PML4. */
#define MONITOR_SLOT   496u
#define MONITOR_LINEAR 0xfffff80000000000u

/* Selectors in the real GDT. */
#define MONITOR_CS   0xffd0u /* CPL 0, 64-bit: the stub */
#define MONITOR_SS   0xffd8u /* CPL 0 */
#define MONITOR_TR   0xffe0u /* 16 bytes */
#define MONITOR_CS64 0xfff3u /* CPL 3, 64-bit: the guest, kernel and user */
#define MONITOR_DS   0xfffbu /* CPL 3 */

#endif
