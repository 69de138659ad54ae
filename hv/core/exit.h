/*
 * exit.h - one exit from the guest, in one form for every engine.
 *
 * The engine fills it; the strategy may handle it; else the exit table (core/dispatch.c) does.
 * Reads are answered through `value`; the engine completes the instruction when it runs again,
 * as KVM does.
 */
#ifndef HV_CORE_EXIT_H
#define HV_CORE_EXIT_H

#include <stdbool.h>
#include <stdint.h>

#include "tracer/event.h"

/* A system call of engine host, and the texts that its arguments point to. */
struct exit_call {
    uint64_t args[6];
    struct {
        bool there, cut; /* cut: there is more of it */
        uint8_t size;
        char bytes[96];
    } text[6];
};

struct vm_exit {
    enum trace_kind kind; /* of class EXIT */
    uint64_t rip;         /* of the instruction that caused it, where the engine can tell */
    bool user;            /* the guest was at CPL 3 */
    bool no_entry;        /* after it no entry is recorded: the host's kernel has the process, or it
                             has ended */
    bool in_kernel; /* it came out, and goes on, in the course of a system call of the host's */
    union {
        /* IO and MMIO: one access; the engine splits REP and straddling ones. */
        struct {
            uint64_t address; /* port or guest-physical */
            uint64_t value;
            uint8_t size; /* bytes: 1, 2, 4, 8 */
            bool write;
        } access;
        struct {
            uint64_t number, args[5];
            uint64_t result;
        } hypercall;
        struct {
            uint32_t index;
            uint64_t value;
            bool write;
            bool refused; /* the handler sets it: the guest gets #GP(0) */
        } msr;
        struct {
            uint32_t leaf, subleaf;
        } cpuid;
        struct {
            uint8_t vector;
            bool has_error;
            uint32_t error;
            uint64_t address; /* #PF */
        } exception;
        struct {
            uint8_t number; /* CR0, CR4, DR7 ... */
            bool write;
            uint64_t value;
        } reg; /* CR, DR */
        struct {
            uint64_t address;
        } invlpg;
        /* DEBUG: the debugger's own; it has no number and is in no recording. */
        struct {
            bool at_point;    /* a stop point was hit; else the step is done */
            unsigned point;   /* which, as set_stops() got them */
            uint64_t address; /* a watch point: what was accessed */
        } debug;
        /* HOST_CALL, DENIED, EXEC (whose only text is the program's path). */
        struct {
            uint64_t number, first;       /* first: argument */
            int64_t result;               /* once it is handled; of DENIED the handler chooses it */
            const struct exit_call *more; /* the engine's, until the next exit; NULL: not known */
            uint16_t filter;              /* DENIED: what the filter returned as its data */
            bool foreign;                 /* not by the table of x86-64: int 80, x32 */
            bool pending;                 /* handled, but the kernel has not answered yet */
        } call;
        /* SIGNAL, HOST_FAULT, PROCESS_END. */
        struct {
            uint32_t number; /* PROCESS_END: 0, it ended by itself */
            int32_t code;    /* si_code (sigaction(2)) */
            uint64_t
                value; /* SIGNAL: the sender's pid; HOST_FAULT: the address; PROCESS_END: status */
        } signal;
        struct {
            uint64_t pid, vcpu; /* FORK: the child's */
        } process;
        struct {
            uint64_t code;    /* hardware's reason, KVM's suberror */
            const char *text; /* one sentence that says more, or NULL; constant or the engine's */
        } failure; /* FAIL_ENTRY, INTERNAL_ERROR, UNIMPLEMENTED, SHUTDOWN, UNKNOWN, INSTRUCTION */
    };
};

#endif
