/*
 * kernel.h - what each file of minios offers to the others, in the order in which to read them.
 *
 * The kernel runs with interrupts off, except where it idles; so nothing here needs a lock.
 */
#ifndef MINIOS_KERNEL_H
#define MINIOS_KERNEL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw.h"
#include <priv.h>

/* --- main.c ----------------------------------------------------------------------------------- */

struct options { /* from the command line; main.c explains them */
    bool serial, echo, faults, panic, verbose;
    unsigned ticks, hz;
};

/* --- entry.S ---------------------------------------------------------------------------------- */

/* What every entry into the kernel leaves on the stack; the last five are the processor's. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
extern char trap_stubs[]; /* VECTORS of them, 16 bytes each */
void trap_return(void);
void syscall_entry(void);
void proc_switch(uint64_t *save, uint64_t load);
extern uint64_t syscall_kernel_rsp;

/* --- print.c, console.c -------------------------------------------------------------------------- */

/* printf with %s %c %d %u %x %p, `l`, and a width with or without a leading 0. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

void console_interrupt(void);
/* The next byte that was typed, or -1. */
int console_get(void);

/* --- cpu.c ------------------------------------------------------------------------------------ */

struct cpu {
    bool nx, pge, smep, smap, umip; /* what CPUID reports */
};
extern struct cpu cpu;
/* Own GDT and TSS, and the extensions that the processor has. */
void cpu_init(void);
/* Where the next entry from user mode finds its stack. */
void cpu_set_kernel_stack(uint64_t rsp);

/* --- trap.c, timer.c ------------------------------------------------------------------- */

void trap_init(void);
/* Every interrupt and exception: called by entry.S. */
void trap(struct trap_frame *frame);
/* Prints why, and the registers if frame is not NULL; ends with the status of a failure. */
void panic(const struct trap_frame *frame, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#define TIMER_HZ_MIN 20
#define TIMER_HZ_MAX 10000
extern unsigned timer_hz; /* ticks in a second */
void timer_init(unsigned hz);
void timer_interrupt(void);
uint64_t timer_ticks(void); /* since timer_init() */

/* --- pmm.c: physical memory, in pages ---------------------------------------------------------- */

static inline void *
phys_to_virt(uint64_t physical)
{
    return (void *)(physical + KERNEL_BASE);
}

static inline uint64_t
virt_to_phys(const void *virtual)
{
    return (uint64_t) virtual - KERNEL_BASE;
}

/* All RAM from `start` to `end` is free. */
void pmm_init(uint64_t start, uint64_t end);
/* A page full of zeros, or NULL. */
void *pmm_alloc(void);
void pmm_free(void *page);
uint64_t pmm_free_pages(void);

/* --- vm.c: virtual memory ---------------------------------------------------------------------- */

#define MAX_REGIONS 8

/* A range of user addresses that may be used. Its pages come when they are touched. */
struct region {
    uint64_t start, end; /* multiples of PAGE */
    bool write, execute;
};

struct space {
    uint64_t *pml4;
    struct region regions[MAX_REGIONS];
    unsigned region_count;
    unsigned demand_pages; /* pages that a fault brought */
};

void vm_init(uint64_t memory_end);
bool vm_create(struct space *space);
void vm_destroy(struct space *space);
/* Makes it the one in use; NULL: the kernel's own, without a user half. */
void vm_use(const struct space *space);
/* False: no room for it, not in the user's half, or it overlaps another. */
bool vm_add_region(struct space *space, uint64_t start, uint64_t end, bool write, bool execute);
/* A page fault in user mode at `address`. True: mended, go on. */
bool vm_fault(struct space *space, uint64_t address, uint64_t error);
/* Between kernel and user; the user's pages are found by the page tables, never by the user's
 * address. False: the user has no right to a part of the range. vm_load ignores write protection:
 * it is for loading programs. */
bool vm_copy_in(struct space *space, void *to, uint64_t from, size_t size);
bool vm_copy_out(struct space *space, uint64_t to, const void *from, size_t size);
bool vm_load(struct space *space, uint64_t to, const void *from, size_t size);

/* --- proc.c: tasks ----------------------------------------------------------------------------- */

enum task_state { TASK_FREE, TASK_READY, TASK_RUNNING, TASK_SLEEPING, TASK_READING, TASK_DONE };

struct task {
    enum task_state state;
    int pid;
    const char *name;
    struct space space;
    char *stack;        /* the kernel's stack for this task, one page */
    uint64_t rsp;       /* while it does not run: where proc_switch() left it */
    uint64_t wake_tick; /* TASK_SLEEPING: until then */
    bool killed;
    int status; /* TASK_DONE: as given to exit() */
    unsigned syscalls;
};
extern struct task *current; /* NULL: the scheduler runs */

/* A new task that runs a program of programs.S; it sees argv = { name, argument }. */
struct task *proc_spawn(const char *program, const char *name, const char *argument);
/* Runs tasks until all are done. serial: each to its end before the next one starts. */
void proc_run(bool serial);
void proc_yield(void);                 /* the others' turn */
void proc_wait(enum task_state state); /* SLEEPING or READING */
void proc_wake(enum task_state state); /* READING: all; SLEEPING: those that are due */
void proc_tick(bool user);             /* the timer's interrupt came, in user mode? */
void proc_exit(int status) __attribute__((noreturn));
void proc_kill(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void proc_summary(void);

/* --- exec.c, programs.S ------------------------------------------------------------------------ */

struct program {
    const char *name; /* NULL: end of the table */
    const char *start, *end;
};
extern const struct program programs[];
/* Loads an ELF file and a stack with argv into space. False: no such program, or not sound. */
bool exec_load(struct space *space, const char *program, const char *const argv[], uint64_t *rip,
               uint64_t *rsp);

/* --- syscall.c --------------------------------------------------------------------------------- */

void syscall_init(void);
void syscall(struct trap_frame *frame); /* called by entry.S */

/* --- string.c ---------------------------------------------------------------------------------- */

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#endif
