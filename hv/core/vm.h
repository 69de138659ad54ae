/*
 * vm.h - a virtual machine: memory, bus, clock, one virtual CPU (more later), and who runs it.
 *
 * The machine knows its engine, strategy and devices by their tables of functions only.
 * Built by hv/cli/launch.c; run by vm_run() in run.c. Next: run.c, then dispatch.c.
 */
#ifndef HV_CORE_VM_H
#define HV_CORE_VM_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bus.h"
#include "core/console.h"
#include "core/exit.h"
#include "core/line.h"
#include "core/process.h"
#include "core/ram.h"

struct engine_ops;
struct engine_vm;
struct engine_vcpu;
struct strategy_ops;
struct recorder;
struct journal;
struct process_spec;
struct process_start_ops;
struct x86_watches;
struct vm;

struct vcpu {
    struct vm *vm;
    unsigned id;
    struct engine_vcpu *engine;  /* the engine's own */
    void *strategy_state;        /* the strategy's own */
    struct vm_exit exit;         /* the last one */
    bool halted;                 /* HLT: resume only with an interrupt */
    bool resuming;               /* an exit was handled: the next entry is worth a record */
    bool handled;                /* ... and it was the strategy that handled it */
    bool unhandled;              /* an exit has happened and is still to be handled */
    bool window_requested;       /* engine: exit INTR_WINDOW as soon as an interrupt can go in */
    bool offered;                /* a pending interrupt was offered since the last exit */
    struct x86_watches *watches; /* the engine's: what a strategy that interprets looks for, too.
                                    NULL: the engine cannot say. No part of the machine's state */
};

struct vm {
    struct ram ram; /* of engine host: none, ram.host is NULL */
    struct bus bus;
    struct console *console; /* may be NULL */
    struct irq_source irq;   /* pending == NULL: none */
    struct byte_sink input;  /* room == NULL: the guest has no serial port */
    const struct engine_ops *engine_ops;
    struct engine_vm *engine;
    const struct strategy_ops *strategy;
    struct recorder *recorder; /* NULL: not recording */
    bool trace_guest;
    struct journal *journal; /* what comes in from outside; NULL: nobody will repeat the run */
    struct vcpu vcpu[1];

    enum power_request power; /* a device asked; the run loop ends after this exit */
    int power_status;         /* POWER_OFF: the guest's exit status, 0 to 255 */
    uint64_t next_device;     /* guest time when a device is due, ns */
    bool next_known;          /* no device that keeps time was touched since that was asked */
    uint64_t next_input;      /* guest time when the console is asked again, ns */
    uint64_t waits;           /* in HLT, each until the next device was due */
    bool paced;               /* these waits take their time, though the engine could jump */
    uint64_t exits;           /* numbered as in the recording */
    uint64_t exits_by_kind[TRACE_KIND_COUNT];
    volatile sig_atomic_t stop; /* set by a signal handler: leave the run loop */
    /* Set before stop: it is the user who wants that. It stays when the loop was left, until the user
     * was told so. */
    volatile sig_atomic_t asked;

    /* Engine host (core/process.h): the program, and who starts it (NULL: the engine itself). */
    const struct process_spec *program;
    const struct process_start_ops *process;
    void *process_context; /* the starter's own */
    enum process_trace process_trace;
    int process_input, process_output; /* its standard input, its output and errors; -1: hv's own */
};

/* A budget: 0 means without limit. */
struct run_limits {
    uint64_t exits, instructions;
    bool step;    /* one instruction at most: then the run ends with RUN_DEBUG */
    bool injects; /* end with RUN_INJECT where an interrupt is about to be handed to the guest */
};

/* Why vm_run() returned. */
enum run_end {
    RUN_POWER_OFF, /* the guest ended by itself; status is its own */
    RUN_RESET,     /* the guest asked for reset */
    RUN_HALTED,    /* HLT with nothing that could ever wake it */
    RUN_SHUTDOWN,  /* triple fault */
    RUN_LIMIT,     /* the budget is used up */
    RUN_STOPPED,   /* the user, by a signal */
    RUN_FAILED,    /* the engine cannot go on: message says why */
    RUN_DEBUG,     /* a step is done or a stop point was hit: vcpu->exit.debug; it can go on */
    RUN_INJECT,    /* an interrupt would be handed over next (run_limits.injects); it can go on */
    RUN_REFUSED,   /* the guest did what its strategy cannot go on with: message says what */
};

struct run_result {
    enum run_end end;
    int status;
    struct error message; /* one sentence for the user; empty for POWER_OFF */
};

/* Sets up an empty machine with `mem_size` bytes of RAM. 0 or -errno. */
int vm_create(struct vm *vm, uint64_t mem_size, struct error *err);
void vm_destroy(struct vm *vm);

/* Runs until the guest ends, the budget is used up, or vm->stop is set. */
void vm_run(struct vm *vm, const struct run_limits *limits, struct run_result *result);

/* One exit, in two halves: the guest runs until it, and it is recorded (vcpu->exit; `unhandled` is
 * set); it is handled (and `unhandled` is cleared). The entry is recorded when the next run begins.
 * True: go on; false: *result says how it ended. */
bool vm_run_to_exit(struct vm *vm, struct vcpu *vcpu, const struct run_limits *limits,
                    struct run_result *result);
bool vm_handle_exit(struct vm *vm, struct vcpu *vcpu, struct run_result *result);
/* The run has ended so: the last event of the recording, the last output. vm_run() does it itself. */
void vm_end(struct vm *vm, const struct run_result *result);

/* Handles vcpu->exit by the exit table, as the run loop does with what the strategy passes on. */
bool vm_dispatch_exit(struct vm *vm, struct vcpu *vcpu, struct run_result *result);

/* One access to a device, by the allocator's map, recorded: what the exit table does for IO and MMIO,
 * and what a strategy does for a device instruction that it emulates. Returns what was read. */
uint64_t vm_access(struct vm *vm, struct vcpu *vcpu, enum bus_space space, uint64_t address,
                   unsigned size, bool write, uint64_t value);

/* Records a transfer from the dispatcher to another part of the VMM (TRACE_CALL) or back
 * (TRACE_RETURN), with the data it carries. Only while vm->recorder is there. */
void vm_record_call(struct vm *vm, struct vcpu *vcpu, enum trace_kind kind, uint8_t other,
                    uint64_t address, uint64_t value, unsigned size, bool write);

/* Engine host: the host's kernel has answered system call `number` of vcpu; foreign: of another table
 * than x86-64's. */
void vm_record_answer(struct vm *vm, struct vcpu *vcpu, uint64_t number, bool foreign,
                      int64_t result);

/* Names run_end for people: "the guest powered off". */
const char *run_end_text(enum run_end end);

/* Puts an actor in the recording for each device; call after the bus is complete. */
void vm_name_actors(struct vm *vm);

#endif
