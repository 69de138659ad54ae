/*
 * soft.h - inside the soft engine: its virtual CPU and its cache of decoded instructions.
 *
 * soft.c runs the guest, soft_exits.c turns what stops it into exits; soft_cache.c finds the next decoded
 * instruction and keeps the cache true when the guest writes over its own code; soft_debug.c is what
 * a debugger needs: points to stop at, and state to copy.
 */
#ifndef HV_ENGINE_SOFT_H
#define HV_ENGINE_SOFT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/vm.h"
#include "engine/engine.h"
#include "isa/x86/cpu.h"
#include "isa/x86/insn.h"

/*
 * A decoded instruction and what it was decoded from:
 *
 *   63             36  35                    4  3       0
 *   version of page    guest-physical address   code size
 *
 * The version is counted up whenever the page is written, so that everything decoded from it is
 * stale at once. All guest-physical memory lies below 4 GiB. cpu->fetch.tag is the tag of the
 * fetch page's first byte.
 */
struct soft_slot {
    uint64_t tag;
    struct x86_insn insn;
};
#define SOFT_SLOTS         32768u /* direct-mapped by address: 2 MiB */
#define SOFT_TAG_VERSION   36
#define SOFT_TAG_ADDRESS   4
#define SOFT_TAG_NONE      UINT64_C(0) /* no code has the size 0, nor 15: X86_TLB_NONE and on */
#define SOFT_VERSION_LIMIT (1u << 27)

struct soft_cache {
    struct soft_slot *slot; /* SOFT_SLOTS */
    uint32_t *version;      /* of each page of RAM; ROM is always version 0 */
    uint8_t *has_code;      /* of each page of RAM: something was decoded from it since */
    uint64_t pages;
};

/* Where the debugger wants to stop. None of it is state of the machine. */
#define SOFT_EXECUTE_MAX 256
struct soft_stops {
    struct {
        uint64_t address;
        unsigned id;
    } execute[SOFT_EXECUTE_MAX];
    unsigned count;
    unsigned reached;           /* the one that SOFT_STOP is about */
    struct x86_watches watches; /* found by isa/x86/mem.c */
};
/* Beside the values of enum emu_result: an execute point, before its instruction. */
#define SOFT_STOP 0x100

struct engine_vcpu {
    struct x86_cpu cpu;
    struct soft_cache cache;
    struct vm *vm;
    /* From here to `kicked`: state of the machine. */
    uint64_t idle;   /* ns of guest time spent in HLT, jumped over */
    int result;      /* what emulate() left for the next run: an enum emu_result */
    bool completing; /* the last exit was a read: its value goes to the interpreter */
    uint8_t
        hypercall_length; /* the last exit was a hypercall: result and rip are still to be set */
    bool injecting;       /* an interrupt is to be delivered before the next instruction */
    uint8_t vector;
    volatile sig_atomic_t kicked;
    struct soft_stops stops;
};

/* Allocates the cache for vm's RAM. 0 or -ENOMEM. */
int soft_cache_open(struct soft_cache *cache, const struct ram *ram, struct error *err);
void soft_cache_close(struct soft_cache *cache);
/* The memory that the interpreter sees: vcpu's RAM and ROM, watched where code was decoded. */
void soft_cache_connect(struct engine_vcpu *vcpu);

/* Forgets all that was decoded: memory is another, or so is what must be looked at. */
void soft_cache_forget(struct engine_vcpu *vcpu);

/* The decoded instruction at CS:RIP, from the cache, or fresh in cpu->fetched if it cannot be
 * cached. EMU_OK, or how the fetch ended. */
int soft_cache_miss(struct engine_vcpu *vcpu, uint64_t linear, const struct x86_insn **insn);

/* --- soft_debug.c: engine_ops of the same names, and: ----------------------------------------- */

int soft_set_stops(struct vcpu *vcpu, const struct stop_point *points, unsigned count,
                   struct error *err);
unsigned soft_state(struct vcpu *vcpu, struct state_part *parts);
void soft_restored(struct vcpu *vcpu);
/* Is there an execute point in this page of linear memory (number)? At the instruction at this linear
 * address, which is about to begin? */
bool soft_page_stops(const struct engine_vcpu *v, uint64_t page);
bool soft_stops_at(struct engine_vcpu *v, uint64_t linear);
/* The same on the careful path, where an instruction may also go on. */
bool soft_stops_here(struct engine_vcpu *v);
/* An instruction, or the delivery of an event, ended so: drops what it found if it did not commit. */
void soft_watch_result(struct engine_vcpu *v, int result);
/* An exit DEBUG for SOFT_STOP; for a watch point that was hit, if there is one and its instruction is
 * complete. */
void soft_exit_stop(struct vcpu *vcpu);
bool soft_exit_watch(struct vcpu *vcpu);

/* Fills vcpu->exit with what all exits have, and returns it. */
struct vm_exit *soft_begin_exit(struct vcpu *vcpu, enum trace_kind kind);
/* What the interpreter stopped for (an enum emu_result) becomes an exit: true. Or it is dealt with
 * here: false. An exception that nobody intercepts is the guest's own affair. */
bool soft_stopped(struct vcpu *vcpu, int result);

#endif
