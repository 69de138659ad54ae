/*
 * hypercall.h - what a paravirtual kernel and its VMM agree on: the second header that host and
 * guest share (abi.h is the first). docs/HYPERCALLS.md is the same as a page to read.
 *
 * The kernel runs at CPL 3, as its user programs do, and executes no privileged instruction: what
 * it would need one for it asks the VMM for. Xen's x86-64 interface is the model (xen/include/
 * public), much reduced.
 *
 * How to call: number in RAX, arguments in RDI, RSI, RDX; INT 82h. The result is in RAX: 0 or more,
 * or a negative error. All other registers and the flags stay. (As there is no gate for vector 82h,
 * the processor raises #GP with error code 82h * 8 + 2, which nothing else can: so the VMM knows a
 * hypercall without reading the guest's code, on every engine alike. 32-bit Xen used 82h too.)
 * In user mode INT 82h is what it is without a VMM: a general protection fault.
 *
 * Addresses: "linear" is an address as the kernel uses it; "frame" and "entry" are guest-physical.
 */
#ifndef HV_GUESTS_HYPERCALL_H
#define HV_GUESTS_HYPERCALL_H

#define HC_VECTOR  0x82
#define HC_VERSION 1

/* --- numbers ---------------------------------------------------------------------------------- */

#define HC_GET_INFO      0  /* (linear of struct hc_info) */
#define HC_SHUTDOWN      1  /* (status): ends the machine; the low 8 bits are its exit status */
#define HC_CONSOLE_WRITE 2  /* (linear, bytes): how many were written */
#define HC_CONSOLE_READ  3  /* (linear, bytes): how many had been typed; 0: none */
#define HC_SET_SHARED    4  /* (frame): struct hc_shared lies there from now on */
#define HC_SET_TRAPS     5  /* (linear of struct hc_trap[], count): replaces the whole table */
#define HC_SET_SYSCALL   6  /* (linear): where SYSCALL in user mode enters the kernel */
#define HC_SET_STACK     7  /* (linear): the stack's top for every entry from user mode */
#define HC_SET_BASE      8  /* (HC_BASE_*, linear): the base of FS or GS */
#define HC_IRET          9  /* (): back to the frame at RSP; returns only if the frame is no good */
#define HC_EVENTS        10 /* (): delivers what is pending, if events are not masked */
#define HC_BLOCK         11 /* (): unmasks events and sleeps until one comes */
#define HC_YIELD         12 /* (): the kernel has nothing urgent to do */
#define HC_SET_TIMER     13 /* (first, period): ns; period 0: once; first 0: never */
#define HC_SET_ROOT      14 /* (frame): the page tables in use */
#define HC_UPDATE        15 /* (entry, value): writes one entry of a page table */
#define HC_UPDATE_LINEAR 16 /* (linear, value): the same, for the 4 KiB page at that address */
#define HC_PIN           17 /* (frame, level): it is a table of that level until unpinned */
#define HC_UNPIN         18 /* (frame) */
#define HC_MULTICALL     19 /* (linear of struct hc_call[], count): calls in order, one exit */
#define HC_COUNT         20

/* --- errors, as results: Linux' numbers, negative ----------------------------------------------- */

#define HC_EPERM  1  /* not yours: a frame outside your RAM, a writable mapping of a table */
#define HC_EFAULT 14 /* a linear address that is not mapped, or not for this */
#define HC_EBUSY  16 /* the frame is in use as something else */
#define HC_EINVAL 22 /* no such thing: a reserved bit, a level, a size, not aligned */
#define HC_ENOSYS 38 /* no such hypercall */

/* --- limits -------------------------------------------------------------------------------------- */

#define HC_TRAPS         256
#define HC_CALLS_MAX     512   /* in a multicall */
#define HC_CONSOLE_MAX   65536 /* bytes at a time */
#define HC_TIMER_MIN     1000  /* ns */
#define HC_RESERVED_SLOT 496   /* of every root: the VMM's; must be 0 */

/* At the start RAM is mapped one to one at address 0, and its first 2 GiB again here; all of it is
 * writable. The first HC_SET_ROOT ends that. */
#define HC_BOOT_BASE 0xffffffff80000000

/* Selectors in frames are names: their low two bits say who runs, the kernel (0) or the user (3). */
#define HC_KERNEL_CS 0x08
#define HC_KERNEL_SS 0x10
#define HC_USER_SS   0x1b
#define HC_USER_CS   0x23

#define HC_BASE_FS      0
#define HC_BASE_GS      1 /* while the kernel runs; the VMM exchanges the two at each change of mode */
#define HC_BASE_GS_USER 2 /* while the user runs */

/* Events: number n enters by trap HC_EVENT_TRAP + n. The numbers are a PC's interrupt lines. */
#define HC_EVENT_TRAP    32
#define HC_EVENT_TIMER   0
#define HC_EVENT_CONSOLE 4 /* something was typed */

/* Flags of a trap handler. */
#define HC_TRAP_USER   1 /* INT n in user mode may come here; else it is #GP */
#define HC_TRAP_MASKED 2 /* events are masked on entry; for events always */

#ifndef __ASSEMBLER__

#include <stdint.h>

struct hc_info {
    uint32_t version;     /* HC_VERSION */
    uint32_t calls;       /* HC_COUNT of this VMM */
    uint64_t memory_size; /* bytes of RAM from frame 0 */
};

/* One trap handler. An entry with address 0: none; the trap ends the machine. */
struct hc_trap {
    uint64_t address; /* linear */
    uint32_t flags;   /* HC_TRAP_* */
    uint32_t reserved;
};

/*
 * What every trap leaves on the kernel's stack, like the processor itself; the lowest word is
 * `error`, for the exceptions that have one, else `rip`. A system call's frame has no error; RCX
 * and R11 are rip and rflags, as SYSCALL leaves them. In rflags bit 9 (IF) says that events were
 * not masked, and HC_IRET takes it as that.
 */
struct hc_frame {
    uint64_t rip, cs, rflags, rsp, ss;
};

/* What lies below that frame for HC_IRET, because the call itself needs RAX. */
struct hc_iret {
    uint64_t rax;
    struct hc_frame frame;
};

/* One page of the kernel's RAM, which both sides read and write. Nothing here costs an exit. */
struct hc_shared {
    volatile uint8_t masked;  /* the kernel's: not 0: no events now */
    volatile uint8_t pending; /* the VMM's: an event waits; unmask, then HC_EVENTS */
    uint16_t reserved;
    volatile uint32_t version;       /* changes with the three that follow: read again then */
    volatile uint64_t time;          /* ns since the machine's start, at the last exit */
    volatile uint64_t tsc;           /* ... and the time-stamp counter then */
    volatile uint64_t tsc_scale;     /* ns in a tick of it, times 2^32; 0: not known */
    volatile uint64_t fault_address; /* of the last page fault: CR2 */
};

struct hc_call {
    uint64_t number, argument[3];
    int64_t result;
};

#endif
#endif
