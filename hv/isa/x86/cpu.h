/*
 * cpu.h - one interpreted x86 processor: its registers, what is derived from them, and the
 * functions by which the parts of hv/isa/x86 call each other.
 *
 * The soft engine owns a struct x86_cpu and loops over x86_emulate_one(); the trap strategy owns
 * another, the guest's virtual processor, and calls it once for the instruction that trapped.
 * Nothing here knows of devices, events or the VMM: memory is reached through struct x86_memory,
 * and a device access ends the instruction with EMU_IO or EMU_MMIO.
 *
 * The rule that all semantics keep: an instruction commits only if it succeeds. Whatever can
 * fault is done first; registers are written last.
 *
 * Next: insn.h (the decoded form), emulate.c (one instruction), mem.c (segmentation and the TLB).
 */
#ifndef HV_ISA_X86_CPU_H
#define HV_ISA_X86_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/x86/insn.h"
#include "isa/x86/regs.h"

/*
 * How one step ended. EMU_OK, EMU_HALT and a write of EMU_IO or EMU_MMIO come after the instruction
 * has committed, and so does a #DB trap (cpu->fault.trap); everything else leaves the registers as
 * they were before it.
 */
enum emu_result {
    EMU_OK,
    EMU_FAULT,         /* cpu->fault says which exception; it is not delivered yet */
    EMU_IO,            /* cpu->access: a port access is needed before the instruction can go on */
    EMU_MMIO,          /* cpu->access: a device in memory, likewise */
    EMU_HALT,          /* HLT retired: rip is behind it, regs.halted is set */
    EMU_HYPERCALL,     /* VMCALL or VMMCALL; rip still points at it */
    EMU_INTERCEPT,     /* cpu->intercepted says which; nothing was executed */
    EMU_UNIMPLEMENTED, /* cpu->unimplemented names what this interpreter leaves out */
    EMU_SHUTDOWN,      /* triple fault (only from x86_deliver_*) */
};

/* `TRY(call)`: return from this function if the call did not end with EMU_OK. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_result_ = (call);                                                                  \
        if (try_result_)                                                                           \
            return try_result_;                                                                    \
    } while (0)

/* Why the next instruction cannot take the fast path (bits of cpu->attention). */
#define ATTENTION_TF     0x01u /* single step: #DB after the instruction */
#define ATTENTION_RF     0x02u /* RF is to be cleared */
#define ATTENTION_DR     0x04u /* breakpoints in DR0-DR3 are enabled */
#define ATTENTION_SHADOW 0x08u /* an interrupt shadow ends, or begins */
#define ATTENTION_REPLAY 0x10u /* device accesses are under way */
#define ATTENTION_TRAP   0x20u /* a #DB trap is to be reported before the next instruction */
#define ATTENTION_WINDOW 0x40u /* the owner wants to know that interrupts are on: cpu->window */

/* What the processor is doing; from CR0.PE, EFER.LMA, CS.L and RFLAGS.VM (x86_update_mode). */
enum x86_mode { MODE_REAL, MODE_PROTECTED, MODE_COMPAT, MODE_LONG64 };

/* Operations that an engine can be told to turn into exits, as in SVM's intercept vectors
 * (APM vol. 2, 15.9). Exceptions have a bitmap of their own, cpu->intercept_exceptions. */
#define INTERCEPT_CPUID      0x0001u
#define INTERCEPT_MSR        0x0002u
#define INTERCEPT_CR_READ    0x0004u
#define INTERCEPT_CR_WRITE   0x0008u
#define INTERCEPT_DR         0x0010u
#define INTERCEPT_INVLPG     0x0020u
#define INTERCEPT_DTABLE     0x0040u /* SGDT SIDT SLDT STR LGDT LIDT LLDT LTR */
#define INTERCEPT_TSC        0x0080u
#define INTERCEPT_SOFTINT    0x0100u
#define INTERCEPT_IRET       0x0200u
#define INTERCEPT_PUSHF      0x0400u
#define INTERCEPT_POPF       0x0800u
#define INTERCEPT_PAUSE      0x1000u
#define INTERCEPT_WBINVD     0x2000u
#define INTERCEPT_HYPERCALL  0x4000u /* without it VMCALL and VMMCALL are #UD */
#define INTERCEPT_PRIVILEGED 0x8000u /* any privileged instruction, at any CPL: counts them */

struct x86_fault {
    uint8_t vector;
    bool has_error;
    uint32_t error;
    uint64_t address; /* #PF: the linear address, for CR2 */
    uint32_t dr6;     /* #DB: the bits to set in DR6 */
    bool trap;        /* reported after the instruction committed: r.rip is the next one */
};

/* A port or device-memory access that the interpreter cannot finish by itself. */
struct x86_access {
    uint64_t address; /* port number or guest-physical address */
    uint64_t value;   /* to write, or (filled by the caller) what was read */
    uint8_t size;     /* bytes: 1, 2, 4 or 8; a port never 8 */
    bool write;
    bool port; /* an I/O port; clear: guest-physical memory */
};

/*
 * Device reads in the middle of an instruction. The first attempt stops at the read with EMU_IO
 * or EMU_MMIO; the caller asks the device and hands the answer to x86_complete_read(); the next
 * attempt finds it here, in the same order, so that a device is asked exactly once per read.
 * Writes are held back until the instruction commits, and then leave one by one.
 */
#define X86_REPLAY_MAX 72 /* FXRSTOR from a device: 64 quadwords; nothing needs more */
struct x86_replay {
    uint64_t value[X86_REPLAY_MAX];
    unsigned filled, next;
    struct x86_access write[X86_REPLAY_MAX];
    unsigned writes, written;
    uint64_t rip; /* of the instruction that wrote */
};

/* A 4 KiB page of guest-physical memory as the interpreter sees it. */
struct x86_page {
    uint8_t *host; /* NULL: no memory here, every access is EMU_MMIO */
    bool writable; /* false: ROM; a write becomes EMU_MMIO */
    bool watched;  /* writes must be told to written(): decoded code, dirty tracking. May change at
                      any time; who sets it calls x86_tlb_slow() */
};

struct x86_memory {
    void *ctx;
    /* The page that holds gpa. Never fails; but for `watched` it must answer the same until
     * x86_tlb_flush_all(). */
    struct x86_page (*page)(void *ctx, uint64_t gpa);
    /* A watched page is about to be written: bytes [gpa, gpa + len), within one page. */
    void (*written)(void *ctx, uint64_t gpa, unsigned len);
    uint64_t a20_mask; /* ~0, or ~(1 << 20) while the A20 gate is closed */
};

/*
 * What the owner looks for in linear memory, for a debugger. The guest cannot tell: this is not DR0-DR3.
 * What is found stays here until the owner takes it; an instruction may not have committed then.
 */
#define X86_WATCH_MAX 256
struct x86_watch {
    uint64_t address, size; /* size is not 0; address + size - 1 does not wrap */
    bool read, write;
    unsigned id; /* the owner's */
};
struct x86_watches {
    struct x86_watch watch[X86_WATCH_MAX];
    unsigned count;
    bool hit;
    unsigned id;      /* of what was hit first */
    uint64_t address; /* the first byte of [address, address + size) that was accessed */
};

/* Transfers inside the guest, told to the tracer (--trace-guest). */
enum x86_transfer { X86_T_SYSCALL, X86_T_SYSRET, X86_T_INTERRUPT, X86_T_EXCEPTION, X86_T_IRET };

struct x86_hooks {
    void *ctx;
    /* After the transfer has committed; from_cpl is where control was. NULL: nobody asks. */
    void (*transfer)(void *ctx, enum x86_transfer what, unsigned vector, unsigned from_cpl);
    /* Guest time in ticks of the TSC: retired instructions on the soft engine. */
    uint64_t (*tsc)(void *ctx);
    /* CPUID may be changed by the owner before the guest sees it; NULL: as x86_cpuid() says. */
    void (*cpuid)(void *ctx, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);
};

/*
 * One translation. A tag is the linear page number, or X86_TLB_NONE where that kind of access must
 * walk the page tables: no permission, dirty bit still clear, a device, a data breakpoint of the
 * guest's. With X86_TLB_SLOW the translation holds, but the access must be seen: a watched page.
 * A guest can tell a walk from a hit (it may have changed the tables since), and nothing else.
 */
#define X86_TLB_NONE (~UINT64_C(0))
#define X86_TLB_SLOW (UINT64_C(1) << 63)
#define X86_TLB_SIZE 256 /* direct-mapped, per privilege level */
struct x86_tlb_entry {
    uint64_t read, write, exec;
    uint8_t *host; /* of the page's first byte */
    uint64_t gpa;  /* of the page's first byte */
    bool global;
};

/* The page that instructions are being fetched from. */
struct x86_fetch {
    uint64_t page; /* linear page number, X86_TLB_NONE if there is none */
    uint8_t *host; /* NULL: the page is a device's, fetch is not possible */
    uint64_t gpa;
    uint64_t tag; /* free for the owner of a cache; X86_TLB_NONE when the page has just changed */
};

struct x86_cpu {
    struct x86_regs r;

    /* Derived from r by x86_update_mode(); call it after changing CR0, CR4, EFER, DR7, a segment
     * register or RFLAGS.{TF,VM,AC,RF}. */
    enum x86_mode mode;
    uint8_t cpl;
    uint8_t code_size;  /* default operand and address size of CS: 2, 4 or 8 bytes */
    uint8_t stack_size; /* width of the stack pointer: 2, 4 or 8 bytes */
    bool paging;
    bool alignment_check;        /* CR0.AM, RFLAGS.AC and CPL 3 */
    uint32_t attention;          /* ATTENTION_*: the next instruction needs the careful path */
    bool window;                 /* raise ATTENTION_WINDOW while IF is set */
    uint64_t code_last;          /* the last offset in CS that may be executed */
    uint64_t seg_base[X86_NSEG]; /* what is added to an offset; 0 for ES CS SS DS in 64-bit mode */
    uint64_t seg_room[X86_NSEG]; /* offsets below it need no further check; 0: always check */
    uint64_t linear_mask;        /* linear addresses have 32 bits outside 64-bit mode */

    struct x86_memory mem;
    struct x86_hooks hooks;
    struct x86_watches *watches;   /* NULL: none, ever */
    uint32_t intercepts;           /* INTERCEPT_* */
    uint32_t intercept_exceptions; /* bit n: vector n */

    /* What the last step has to say besides its result. */
    struct x86_fault fault;
    struct x86_access access;
    uint32_t intercepted;        /* one bit of INTERCEPT_* */
    const struct x86_insn *insn; /* the instruction of the last step; valid until the next */
    struct x86_insn fetched;     /* where x86_emulate_one() keeps it */
    const char *unimplemented;

    /* While an instruction executes: where control goes if it succeeds. x86_execute() sets it to
     * the address behind the instruction; a branch assigns it. It becomes r.rip on success. */
    uint64_t next_rip;
    uint8_t next_shadow; /* likewise for r.shadow: 0 unless STI, MOV SS or POP SS assign it */

    /* Instructions retired since the start (an iteration of REP counts as one, and so does the
     * delivery of an event): the soft engine's clock. */
    uint64_t retired;
    /* What `retired` was behind the last iteration of a REP that has more to come; 0: none yet. So the
     * fast path has nothing to take back. See x86_between_iterations(). */
    uint64_t rep_retired;
    /* The fast path runs while retired < run_until; x86_call_attention() makes it 0. */
    uint64_t run_until;

    struct x86_replay replay;
    struct x86_fetch fetch;
    uint32_t pending_dr6; /* data breakpoints that this instruction has hit so far */
    uint32_t trap_dr6;    /* DR6 bits of the #DB trap to report (ATTENTION_TRAP) */
    bool step_trap;       /* TF was set when this instruction began; delivering an event, SYSCALL
                             and SYSENTER cancel it */
    uint8_t delivering;   /* x86_deliver_* waits for a device, and x86_deliver_fault() goes on: 1 +
                             the enum x86_event; cpu->fault says which. 0: nothing waits */

    struct x86_tlb_entry *tlb_now;             /* for explicit accesses at the present CPL */
    struct x86_tlb_entry tlb[2][X86_TLB_SIZE]; /* [0] supervisor, [1] user accesses */
};

/* --- emulate.c ------------------------------------------------------------------------------ */

/* Puts the processor into the state after RESET, with no memory: set mem and hooks, then run. */
void x86_cpu_init(struct x86_cpu *cpu);

/*
 * Executes the instruction at CS:RIP. Returns an enum emu_result. EMU_FAULT does not deliver the
 * exception: the soft engine calls x86_deliver_fault(), the trap strategy injects it.
 */
int x86_emulate_one(struct x86_cpu *cpu);

/* The two halves of it: fetch and decode what is at CS:RIP into *insn (faults as a fetch does) ... */
int x86_fetch_insn(struct x86_cpu *cpu, struct x86_insn *insn);
/* ... and carry it out, with breakpoints, single step and the interrupt shadow. */
int x86_execute(struct x86_cpu *cpu, const struct x86_insn *insn);
/* Makes cpu->fetch the page that holds the linear address; EMU_OK or EMU_FAULT. */
int x86_fetch_page(struct x86_cpu *cpu, uint64_t linear);

/* Hands over what a device answered to the read in cpu->access; then execute again. */
void x86_complete_read(struct x86_cpu *cpu, uint64_t value);

/* Drops answers and held-back writes: the instruction will not be executed again. */
void x86_replay_reset(struct x86_cpu *cpu);

/* Recomputes mode, cpl, code_size, stack_size, paging, alignment_check. */
void x86_update_mode(struct x86_cpu *cpu);

/* --- faults --------------------------------------------------------------------------------- */

/* Record an exception in cpu->fault and return EMU_FAULT, to be returned up the chain. */
int x86_raise(struct x86_cpu *cpu, enum x86_vector vector);
int x86_raise_error(struct x86_cpu *cpu, enum x86_vector vector, uint32_t error);
/* #GP(0) / #UD, the two that are raised everywhere. */
int x86_gp0(struct x86_cpu *cpu);
int x86_ud(struct x86_cpu *cpu);
/* Something that this interpreter leaves out; what is a constant string. */
int x86_unimplemented(struct x86_cpu *cpu, const char *what);

/* --- mem.c ---------------------------------------------------------------------------------- */

/* Who asks: bits of `how` for the linear-address functions. */
#define ACCESS_WRITE  0x1u
#define ACCESS_FETCH  0x2u
#define ACCESS_SYSTEM 0x4u /* implicit supervisor access: descriptor tables, TSS, delivery */
#define ACCESS_RMW    0x8u /* a read that will be written back: checked as a write */

/*
 * Memory by segment and offset: checks the segment (limit, type, canonical form), translates,
 * and reads or writes size bytes (1 to 8, little-endian). An access across two pages is checked on
 * both before a byte is written. EMU_OK, EMU_FAULT or EMU_MMIO.
 */
int x86_read(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t *value);
int x86_read_rmw(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size,
                 uint64_t *value);
int x86_write(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, uint64_t value);

/* The check alone: where in linear memory `size` bytes at sreg:offset are. */
int x86_linear(struct x86_cpu *cpu, unsigned sreg, uint64_t offset, unsigned size, unsigned how,
               uint64_t *linear);

/* Memory by linear address; `how` is ACCESS_*. */
int x86_read_linear(struct x86_cpu *cpu, uint64_t linear, unsigned size, unsigned how,
                    uint64_t *value);
int x86_write_linear(struct x86_cpu *cpu, uint64_t linear, unsigned size, unsigned how,
                     uint64_t value);
/* Would `len` bytes (up to a few pages) be accessible? Faults as the access would. */
int x86_probe_linear(struct x86_cpu *cpu, uint64_t linear, unsigned len, unsigned how);

/* Ends the instruction with EMU_IO until the port has answered (x86_complete_read). */
int x86_port_read(struct x86_cpu *cpu, uint16_t port, unsigned size, uint64_t *value);
int x86_port_write(struct x86_cpu *cpu, uint16_t port, unsigned size, uint64_t value);

void x86_tlb_flush_all(struct x86_cpu *cpu);
void x86_tlb_flush_nonglobal(struct x86_cpu *cpu);
void x86_tlb_flush_page(struct x86_cpu *cpu, uint64_t linear);
/* No translation is forgotten, but the next write to each page (with `reads`: access) is seen: a page
 * has become watched. */
void x86_tlb_slow(struct x86_cpu *cpu, bool reads);

/* --- paging.c ------------------------------------------------------------------------------- */

/* One level of a page walk, for the debugger's picture of it. */
struct x86_walk_step {
    uint64_t entry_gpa, entry;
    uint8_t level; /* 4 = PML4 ... 1 = page table */
};
struct x86_walk {
    uint64_t gpa;       /* of the byte asked for */
    uint64_t page_size; /* 4 KiB, 2 MiB, 4 MiB or 1 GiB */
    bool writable, user, executable, global, dirty;
    unsigned steps;
    struct x86_walk_step step[4];
};

/*
 * Translates a linear address for an access `how` by a program at `cpl`. Sets accessed and dirty
 * bits. EMU_OK, EMU_FAULT (a #PF in cpu->fault) or EMU_UNIMPLEMENTED (a page table in a device).
 */
int x86_page_walk(struct x86_cpu *cpu, uint64_t linear, unsigned how, unsigned cpl,
                  struct x86_walk *walk);
/* The same for an observer: changes nothing, checks no permission. False: not mapped;
 * walk->steps tells how far it came. */
bool x86_page_look(struct x86_cpu *cpu, uint64_t linear, struct x86_walk *walk);
/* Loads the four PDPTEs from CR3 when PAE paging is on; #GP if one has a reserved bit. */
int x86_load_pdptes(struct x86_cpu *cpu, uint64_t cr3);

/* --- segment.c: descriptors ------------------------------------------------------------------ */

/* The two (four, in long mode) words of a descriptor, unpacked. */
struct x86_descriptor {
    uint64_t base;     /* or a gate's offset */
    uint32_t limit;    /* in bytes */
    uint16_t attr;     /* SEG_*; zero type S for gates as for segments */
    uint16_t selector; /* a gate's target */
    uint8_t count;     /* a call gate's parameter count; an interrupt gate's IST index */
    uint64_t linear;   /* where its first word is, for setting accessed and busy bits */
};

/* Reads the descriptor of `selector` from GDT or LDT. #GP(selector) outside the table's limit;
 * `vector` names the exception to raise instead (#TS, #NP ...). */
int x86_fetch_descriptor(struct x86_cpu *cpu, uint16_t selector, enum x86_vector vector,
                         struct x86_descriptor *d);
/* Loads a data segment register with all checks; SS by the rules for SS. Real mode too. */
int x86_load_segment(struct x86_cpu *cpu, unsigned sreg, uint16_t selector);
/* The part of a loaded segment register that a descriptor gives; sets the accessed bit. */
int x86_descriptor_use(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d,
                       struct x86_segment *seg);
int x86_load_ldtr(struct x86_cpu *cpu, uint16_t selector);
int x86_load_tr(struct x86_cpu *cpu, uint16_t selector);

/* --- far.c, iret.c, fastcall.c, interrupt.c ---------------------------------------------------- */

/* Far JMP / CALL to selector:offset (gates, rings), RETF with `release` bytes to drop. */
int x86_far_jump(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size);
int x86_far_call(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size,
                 uint64_t return_rip);
int x86_far_return(struct x86_cpu *cpu, unsigned size, unsigned release);
int x86_iret(struct x86_cpu *cpu, unsigned size, uint64_t next_rip);

/* How an event comes to be delivered (SDM vol. 3, 6.8 and 6.12). */
enum x86_event { X86_EVENT_EXTERNAL, X86_EVENT_EXCEPTION, X86_EVENT_SOFTWARE, X86_EVENT_NMI };

/* Does the processor stand within a repeated string instruction, behind an iteration that is not the
 * last? An interrupt or a trap that comes there pushes RF set (SDM vol. 3, 17.3.1.1). */
static inline bool
x86_between_iterations(const struct x86_cpu *cpu)
{
    return cpu->rep_retired && cpu->rep_retired == cpu->retired;
}

/*
 * Delivers through the IVT or IDT of the present mode: checks, stack switch, frame, new CS:RIP.
 * `next_rip` is the return address to push (of the faulting instruction, or of the next one).
 * EMU_OK; EMU_FAULT: delivering faulted, cpu->fault has the new exception and nothing changed.
 */
int x86_deliver_event(struct x86_cpu *cpu, enum x86_event type, const struct x86_fault *what,
                      uint64_t next_rip);
/*
 * Delivers cpu->fault, and whatever faults on the way: contributory pairs become #DF, a fault
 * in #DF is EMU_SHUTDOWN (SDM vol. 3, 6.15). EMU_OK, EMU_MMIO, EMU_UNIMPLEMENTED or EMU_SHUTDOWN.
 * EMU_MMIO: a table or stack is in a device; x86_complete_read(), then call this again. (A write
 * that an earlier instruction still holds back leaves first, as EMU_IO or EMU_MMIO.)
 */
int x86_deliver_fault(struct x86_cpu *cpu);
/* Delivers an external interrupt (regs.halted is cleared). Results as above; if it has to wait for
 * a device, x86_deliver_fault() goes on with it. */
int x86_deliver_interrupt(struct x86_cpu *cpu, uint8_t vector);

/* --- system registers: control.c, msr.c, cpuid.c ---------------------------------------------- */

int x86_write_cr(struct x86_cpu *cpu, unsigned cr, uint64_t value);
int x86_read_msr(struct x86_cpu *cpu, uint32_t index, uint64_t *value);
int x86_write_msr(struct x86_cpu *cpu, uint32_t index, uint64_t value);
/* "IA32_LSTAR" ...; NULL where this processor has no such MSR. */
const char *x86_msr_name(uint32_t index);
/* What this processor claims: eax, ebx, ecx, edx in regs[0..3]. `r` gives OSXSAVE and the like. */
void x86_cpuid(const struct x86_regs *r, uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);
/* vectors.c: "#PF page fault"; NULL: the vector is no exception. */
const char *x86_vector_name(unsigned vector);

/* --- helpers used everywhere ------------------------------------------------------------------ */

static inline bool
x86_is_64bit(const struct x86_cpu *cpu)
{
    return cpu->mode == MODE_LONG64;
}

/* The next instruction takes the careful path. */
static inline void
x86_call_attention(struct x86_cpu *cpu, uint32_t why)
{
    cpu->attention |= why;
    cpu->run_until = 0;
}

/* EFER.LMA: long mode, be it 64-bit or compatibility. */
static inline bool
x86_long_mode(const struct x86_cpu *cpu)
{
    return cpu->r.efer & EFER_LMA;
}

/* 48-bit canonical form: bits 63..47 are all equal (SDM vol. 1, 3.3.7.1). */
static inline bool
x86_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* The instruction came to nothing: nor has it accessed what the owner looks for. */
static inline void
x86_watch_forget(struct x86_cpu *cpu)
{
    if (cpu->watches)
        cpu->watches->hit = false;
}

/* All ones in the low `size` bytes. */
static inline uint64_t
x86_size_mask(unsigned size)
{
    return size == 8 ? ~UINT64_C(0) : (UINT64_C(1) << (size * 8)) - 1;
}

#endif
