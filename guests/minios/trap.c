/*
 * trap.c - what comes through the IDT: exceptions and the 8259s' interrupts.
 *
 * entry.S calls trap() with interrupts off, on the kernel's stack. A fault of a process is mended
 * (space.c) or ends it; a fault of the kernel ends the kernel.
 */
#include "kernel.h"

/*
 * Interrupt gate (SDM vol. 3, 6.14.1):
 *  second word:  127-96 0      95-64 offset 63-32
 *  first word:   63-48 offset 31-16   47 P  46-45 DPL  44 0  43-40 type  34-32 IST
 *                31-16 selector       15-0 offset 15-0
 */
struct gate {
    uint64_t low, high;
};
#define GATE_INTERRUPT 0x00008e0000000000 /* P, DPL 0, type e: interrupts are off inside */
#define GATE_IST1      0x0000000100000000
#define GATE_DPL3      0x0000600000000000

static struct gate idt[VECTORS];

/* The processor's exceptions, and what the parent of a process hears that is ended by one: the
 * number that Linux gives its signal. */
/* clang-format off */
static const struct {
    const char *name;
    int signal;
} exceptions[32] = {
    {"divide error", SIGFPE},          {"debug", SIGTRAP},             {"NMI", 0},
    {"breakpoint", SIGTRAP},           {"overflow", SIGSEGV},          {"bound range", SIGSEGV},
    {"invalid opcode", SIGILL},        {"no FPU", SIGFPE},             {"double fault", 0},
    {"coprocessor overrun", SIGFPE},   {"invalid TSS", SIGSEGV},       {"segment not present", SIGBUS},
    {"stack fault", SIGBUS},           {"general protection", SIGSEGV}, {"page fault", SIGSEGV},
    {"reserved", SIGSEGV},             {"x87 error", SIGFPE},          {"alignment check", SIGBUS},
    {"machine check", 0},              {"SIMD error", SIGFPE},
    {"virtualization exception", SIGSEGV}, {"control protection", SIGSEGV},
};
/* clang-format on */

void
trap_init(void)
{
    for (unsigned v = 0; v < VECTORS; v++) {
        uint64_t offset = (uint64_t)trap_stubs + 16 * v;
        idt[v].low = GATE_INTERRUPT | (offset & 0xffff) | KERNEL_CS << 16 |
                     (offset >> 16 & 0xffff) << 48;
        idt[v].high = offset >> 32;
        /* These may come when the stack is the user's or not sound: they get their own. */
        if (v == VECTOR_NMI || v == VECTOR_DF || v == VECTOR_MC)
            idt[v].low |= GATE_IST1;
        if (v == VECTOR_BP) /* INT3 is for users, too: else it is a general protection fault */
            idt[v].low |= GATE_DPL3;
    }
    priv_lidt(idt, sizeof(idt) - 1);
    note("traps: 32 exceptions, 16 interrupts of the 8259 pair");
}

struct priv_table
trap_idt(void)
{
    return (struct priv_table){sizeof(idt) - 1, (uint64_t)idt};
}

static void
page_fault(const struct trap_frame *f)
{
    uint64_t address = priv_read_cr2();
    int error = space_fault(&current->space, address, f->error);
    if (!error)
        return;
    if (error == -ENOMEM)
        proc_kill(SIGKILL, "no memory");
    proc_kill(SIGSEGV, "page fault: %s %p, %s",
              f->error & PF_FETCH   ? "executing"
              : f->error & PF_WRITE ? "writing"
                                    : "reading",
              (void *)address, f->error & PF_PRESENT ? "not permitted" : "not mapped");
}

static void
exception(struct trap_frame *f, bool user)
{
    const char *name = exceptions[f->vector].name ? exceptions[f->vector].name : "reserved";
    int signal = exceptions[f->vector].signal;
    if (!user && nano_fault(f))
        return;
    if (!user || f->vector == VECTOR_NMI || f->vector == VECTOR_DF || f->vector == VECTOR_MC)
        panic(f, "%s", name);
    if (f->vector == VECTOR_PF)
        page_fault(f);
    else
        proc_kill(signal ? signal : SIGSEGV, "%s", name);
}

static void
interrupt(unsigned irq, bool user)
{
    if (!priv_irq_ack(irq))
        return;
    /* Acknowledged first: proc_tick() may come back only after other processes' turns. */
    if (irq == IRQ_CONSOLE)
        console_interrupt();
    if (irq == IRQ_TIMER) {
        timer_interrupt();
        proc_tick(user);
    }
}

void
trap(struct trap_frame *f)
{
    bool user = (f->cs & 3) == 3;
    if (f->vector < VECTOR_IRQ)
        exception(f, user);
    else
        interrupt(f->vector - VECTOR_IRQ, user);
}
