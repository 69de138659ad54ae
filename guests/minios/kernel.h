/*
 * kernel.h - what each file of minios offers to the others, in the order in which to read them.
 *
 * The kernel runs with interrupts off, except where it idles; so nothing here needs a lock.
 * Functions that can fail return 0 or a negative number of errno.h, as system calls do.
 */
#ifndef MINIOS_KERNEL_H
#define MINIOS_KERNEL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errno.h"
#include "hw.h"
#include <priv.h>

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

/* --- print.c, console.c ----------------------------------------------------------------------- */

/* printf with %s %c %d %u %x %p, `l`, and a width with or without a leading 0. */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kvprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
/* A line about the kernel itself: nothing if `quiet`. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool note_quiet;

void console_init(bool echo);
void console_interrupt(void);
/* The next byte of a line that was typed; waits for it. -1: the end, Ctrl-D. */
int console_get(void);
/* Is there more of the same line? Then console_get() will not wait. */
bool console_has_more(void);

/* --- cpu.c ------------------------------------------------------------------------------------ */

struct cpu {
    bool nx, pge, smep, smap, umip; /* what CPUID reports */
};
extern struct cpu cpu;
/* Own GDT and TSS, and the extensions that the processor has. */
void cpu_init(void);
/* Where the next entry from user mode finds its stack. */
void cpu_set_kernel_stack(uint64_t rsp);
/* Where the processor finds its tables, for holes.c. */
struct priv_table cpu_gdt(void);

/* --- trap.c, timer.c -------------------------------------------------------------------------- */

void trap_init(void);
struct priv_table trap_idt(void);
/* Every interrupt and exception: called by entry.S. */
void trap(struct trap_frame *frame);
/* Prints why, and the registers if frame is not NULL; ends the machine. */
void panic(const struct trap_frame *frame, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

extern unsigned timer_hz; /* ticks in a second */
void timer_init(unsigned hz);
void timer_interrupt(void);
uint64_t timer_ticks(void); /* since the first timer_init() */
/* Lets the others run until that tick. */
void timer_sleep(uint64_t until);

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

/* RAM ends at `end`; all of it from `start` on is free, but for what is reserved next. */
void pmm_init(uint64_t start, uint64_t end);
void pmm_reserve(uint64_t start, uint64_t end);
/* A page full of zeros with one user, or NULL. */
void *pmm_alloc(void);
/* One user more; one less, and the last one's leaving frees it. */
void pmm_share(void *page);
void pmm_free(void *page);
bool pmm_is_shared(const void *page);
uint64_t pmm_free_pages(void);

/* --- vm.c: page tables ------------------------------------------------------------------------- */

void vm_init(uint64_t memory_end);
/* The top level of a new address space, the kernel's half in it; or NULL. */
uint64_t *vm_create(void);
/* Frees the tables and gives up the pages; it is not the one in use. */
void vm_destroy(uint64_t *pml4);
/* Makes it the one in use; NULL: the kernel's own, without a user half. */
void vm_use(uint64_t *pml4);
/* The entry for the page at `address`. Missing tables on the way are made if `make`. NULL: not
 * there, or no memory. */
uint64_t *vm_entry(uint64_t *pml4, uint64_t address, bool make);
/* The same in the kernel's own half. */
uint64_t *vm_kernel_entry(uint64_t address);
/* An entry for a user's page with these rights. */
uint64_t vm_user_pte(const void *page, bool write, bool execute);
/* Where the kernel finds what an entry leads to. */
void *vm_target(uint64_t entry);
/* Writes an entry, together with others: by vm_flush() at the latest. */
void vm_set_later(uint64_t *entry, uint64_t value);
void vm_flush(void);

/* --- space.c: address spaces ------------------------------------------------------------------- */

#define MAX_REGIONS 16

/* A range of user addresses that may be used. Its pages come when they are touched. */
struct region {
    uint64_t start, end; /* multiples of PAGE; start == end: not in use */
    bool write, execute;
};

struct space {
    uint64_t *pml4;
    struct region regions[MAX_REGIONS]; /* the first is the heap, which may be empty */
    uint64_t brk;                       /* the heap's end, to the byte */
};

int space_create(struct space *space);
/* A copy: pages are shared until one of the two writes. */
int space_clone(struct space *to, struct space *from);
void space_destroy(struct space *space); /* it is not the one in use */
/* -ENOMEM: no room for it, not in the user's half, or it overlaps another. */
int space_add(struct space *space, uint64_t start, uint64_t end, bool write, bool execute);
/* Where the heap ends, after moving it to `end` if that is possible. */
uint64_t space_brk(struct space *space, uint64_t end);
/* A page fault in user mode at `address`. 0: mended, go on. */
int space_fault(struct space *space, uint64_t address, uint64_t error);
/* Between kernel and user; the user's pages are found by the page tables, never by the user's
 * address. -EFAULT: the user has no right to a part of the range. space_load ignores write
 * protection: it is for loading programs. */
int space_copy_in(struct space *space, void *to, uint64_t from, size_t size);
int space_copy_out(struct space *space, uint64_t to, const void *from, size_t size);
int space_load(struct space *space, uint64_t to, const void *from, size_t size);

/* --- file.c: the console and pipes, by number -------------------------------------------------- */

#define MAX_FILES 16 /* of a process */

struct file;
void file_open_console(struct file *table[MAX_FILES]); /* 0, 1 and 2 */
void file_share_all(struct file *to[MAX_FILES], struct file *const from[MAX_FILES]);
void file_close_all(struct file *table[MAX_FILES]);
int file_close(struct file *table[MAX_FILES], uint64_t fd);
int file_dup2(struct file *table[MAX_FILES], uint64_t from, uint64_t to);
int file_pipe(struct file *table[MAX_FILES], int fds[2]);
int64_t file_read(struct file *const table[MAX_FILES], uint64_t fd, uint64_t to, uint64_t size);
int64_t file_write(struct file *const table[MAX_FILES], uint64_t fd, uint64_t from, uint64_t size);

/* --- proc.c: processes ------------------------------------------------------------------------- */

enum process_state { PROCESS_FREE, PROCESS_READY, PROCESS_RUNNING, PROCESS_WAITING, PROCESS_DONE };

struct process {
    enum process_state state;
    int pid;
    struct process *parent; /* NULL: nobody will wait for it */
    char name[16];
    struct space space;
    struct file *files[MAX_FILES];
    char *stack;         /* the kernel's stack for this process, one page */
    uint64_t rsp;        /* while it does not run: where proc_switch() left it */
    const void *channel; /* WAITING: until proc_wake() with the same */
    int status;          /* DONE: as wait4() gives it */
};
extern struct process *current; /* NULL: the scheduler runs */

#define SIGILL  4
#define SIGTRAP 5
#define SIGBUS  7
#define SIGFPE  8
#define SIGKILL 9
#define SIGSEGV 11
#define SIGPIPE 13

struct args;
/* Makes process 1 run a program, and returns its status when it ends. All others end with it. */
int proc_run(const struct args *args);
int proc_fork(const struct trap_frame *frame);
int proc_execve(struct trap_frame *frame, const struct args *args, const char *path);
/* pid -1: any child. The child's pid, 0 if none has ended and `wait` is false, or an error. */
int proc_wait(int pid, bool wait, int *status);
void proc_exit(int status) __attribute__((noreturn)); /* as wait4() gives it */
void proc_kill(int signal, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* Ends a process with SIGKILL, or all that it may (pid -1); signal 0 only looks. 0 or -ESRCH. */
int proc_signal(int pid, int signal);
void proc_yield(void); /* the others' turn */
void proc_sleep(const void *channel);
void proc_wake(const void *channel);
void proc_tick(bool user); /* the timer's interrupt came, in user mode? */

/* --- exec.c, programs.S ------------------------------------------------------------------------ */

struct program {
    const char *name; /* NULL: end of the table */
    const char *start, *end;
};
extern const struct program programs[];
extern struct program exec_initrd; /* one more, called "initrd" */

/* The strings that a program gets: arguments, then environment, each with its final 0. One page. */
struct args {
    unsigned argc, envc, used;
    char bytes[PAGE - 3 * sizeof(unsigned)];
};
#define MAX_STRINGS 64
/* Appends a string; the caller counts it in argc or envc. */
int exec_add(struct args *args, const char *string);
int exec_add_user(struct args *args, struct space *space, uint64_t string);
/* Loads an ELF file and a stack with its arguments into a new space. */
int exec_load(struct space *space, const char *path, const struct args *args, uint64_t *rip,
              uint64_t *rsp);

/* --- syscall.c --------------------------------------------------------------------------------- */

void syscall_init(void);
void syscall(struct trap_frame *frame); /* called by entry.S */

/* --- experiments: nano.c, holes.c --------------------------------------------------------------- */

/* Measures one operation, or "all". False: there is none of this name. */
bool nano_run(const char *name, uint64_t count);
/* A fault in the kernel: true if nano.c made it on purpose; go on. */
bool nano_fault(struct trap_frame *frame);
/* How many of the answers are wrong. */
unsigned holes_run(void);

/* --- string.c ---------------------------------------------------------------------------------- */

void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#endif
