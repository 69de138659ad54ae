/*
 * decode.h - bits, descriptors, gates and page-table entries in the words of the manuals.
 *
 * Nothing here changes the machine, and all of it may be hostile: a wild CR3, a table that ends
 * outside memory, a loop. Whoever must look through the guest's own tables does so on an observer,
 * a second processor with the guest's registers and copies of the pages that it touches.
 *
 * Called by context.c, explain*.c and info_*.c. Next: decode_bits.c.
 */
#ifndef HV_DEBUGGER_DECODE_H
#define HV_DEBUGGER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "isa/x86/cpu.h"

struct ram;
struct machine;

#define DECODE_SIZE 256 /* bytes that hold any of these texts; longer ones are cut */

/* Appends to text, which holds size bytes and always stays a string. */
void decode_add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- decode_bits.c ------------------------------------------------------------------------------ */

/* A list ends with mask 0. */
struct bit_name {
    uint64_t mask;
    const char *name;
};
extern const struct bit_name decode_cr0[], decode_cr4[], decode_efer[], decode_rflags[],
    decode_dr6[], decode_pte[];

/* The bits of CRn; NULL: it has no named ones. */
const struct bit_name *decode_cr_bits(unsigned number);
/* "PE ET PG", bits without a name as a number at the end; "-" for none. Returns text. */
char *decode_bits(const struct bit_name *names, uint64_t value, char *text, size_t size);
/* What differs: "+PG -TS"; "" for nothing. Returns text. */
char *decode_bit_changes(const struct bit_name *names, uint64_t before, uint64_t after, char *text,
                         size_t size);
/* RFLAGS with IOPL, if that is not 0: "PF ZF IF IOPL=3". Returns text. */
char *decode_flags(uint64_t rflags, char *text, size_t size);
/* An exception's error code (SDM vol. 3, 4.7 and 6.13): "not present, write, by user", "gate 0x82 of the
 * IDT", "selector 0x10 of the GDT". "" if this vector's says nothing. Returns text. */
char *decode_error_code(unsigned vector, uint32_t error, char *text, size_t size);

/* --- decode_segment.c --------------------------------------------------------------------------- */

/* SEG_* of a descriptor or segment register: "64-bit code, readable, accessed". Returns text. */
char *decode_attr(uint16_t attr, bool long_mode, char *text, size_t size);
/* "interrupt gate"; NULL: this type of system descriptor is no gate in this mode. */
const char *decode_gate_type(unsigned type, bool long_mode);

/* --- decode_observer.c -------------------------------------------------------------------------- */

/*
 * A processor that looks. It has the guest's registers and reads its memory through copies, so even a
 * whole instruction or the delivery of an exception can be tried on it, and the guest keeps its
 * accessed bits and its stack. What a device would have to answer stays unanswered.
 */
#define OBSERVER_PAGES 128
struct observer {
    struct x86_cpu cpu;
    const struct ram *ram;
    bool private_too; /* the VMM's own memory, too: for shadow page tables */
    unsigned pages;
    struct observed_page {
        uint64_t gpa;
        uint8_t *copy;
        bool writable;
    } page[OBSERVER_PAGES];
};

/* NULL: no memory. Free with observer_close(). */
struct observer *observer_open(const struct ram *ram, const struct x86_regs *regs,
                               bool private_too);
/* The same for a machine that runs, with the registers as its guest believes to have them. NULL with
 * a sentence. */
struct observer *observer_of(struct machine *machine, struct error *err);
void observer_close(struct observer *observer);
/* Linear memory, without a look at permissions. 0, or -EFAULT and the first address that is not there
 * (*bad may be NULL). */
int observer_read(struct observer *observer, uint64_t linear, void *to, size_t size, uint64_t *bad);

/* --- decode_gate.c ------------------------------------------------------------------------------ */

/* Reads the gate of a vector, in protected or long mode. 0, -ERANGE: behind the IDT's limit, -EFAULT:
 * the IDT is not in memory there. */
int decode_gate(struct observer *observer, unsigned vector, struct x86_descriptor *gate);
/*
 * The first thing in IDT and GDT that keeps this event from its handler, in the order in which the
 * processor looks (SDM vol. 3, 6.12 and 6.14): "gate 14 of the IDT at 0x...: P (bit 47) is clear".
 * False: nothing there does; the stack may still.
 */
bool decode_gate_problem(struct observer *observer, unsigned vector, enum x86_event type,
                         char *text, size_t size);
/* What is wrong with the event's way that ended in cpu->fault (of the observer, after
 * x86_deliver_event()): gate, code segment, TSS or stack. Always says something. */
void decode_delivery_problem(struct observer *observer, unsigned vector, enum x86_event type,
                             const struct x86_fault *fault, char *text, size_t size);

/* --- decode_walk.c ------------------------------------------------------------------------------ */

/* Where a walk ended, as a sentence: "level 2 (PD): the entry at 0x1008 is 0: P is clear". */
void decode_walk_end(struct observer *observer, uint64_t linear, char *text, size_t size);
/* "PML4", "PDPT", "PD", "PT" */
const char *decode_table_name(unsigned level);
/* An entry: "P W U A D PS -> 0x200000". Returns text. */
char *decode_entry(uint64_t entry, unsigned level, bool long_entries, char *text, size_t size);

#endif
