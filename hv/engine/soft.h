/*
 * soft.h - inside the soft engine: its virtual CPU and its cache of decoded instructions.
 *
 * soft.c runs the guest, soft_exits.c turns what stops it into exits; soft_cache.c finds the next decoded
 * instruction and keeps the cache true when the guest writes over its own code.
 */
#ifndef HV_ENGINE_SOFT_H
#define HV_ENGINE_SOFT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/vm.h"
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

/* Fills vcpu->exit with what all exits have, and returns it. */
struct vm_exit *soft_begin_exit(struct vcpu *vcpu, enum trace_kind kind);
/* What the interpreter stopped for (an enum emu_result) becomes an exit: true. Or it is dealt with
 * here: false. An exception that nobody intercepts is the guest's own affair. */
bool soft_stopped(struct vcpu *vcpu, int result);

#endif
