/*
 * child.c - diff_child, the throw-away process in which cases run on the processor itself.
 *
 * The signal handler is its whole loop. A case is entered by returning from the handler with the
 * case's registers in the signal frame, and ends with an exception: the fill behind it (INT3), or a
 * fault of its own. The kernel turns that into a signal whose frame holds everything to compare:
 * registers, flags, selectors, vector, error code, CR2. One case costs one exception and one
 * sigreturn, about a microsecond.
 *
 * A program of its own, started by host.c, so that as little as possible is mapped that a case
 * could hit by accident (and never built with a sanitizer, which maps a lot).
 * Read entry.S for what the kernel does not save.
 */
#include "tests/diff/diff.h"

#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* From asm/ucontext.h: the frame's SS is valid, and is to be loaded as it is. */
#define UC_SIGCONTEXT_SS     0x2u
#define UC_STRICT_RESTORE_SS 0x4u

#define TICK_US  20000 /* of the child's own time; a case that sees TICKS of them hangs */
#define TICKS    5u
#define LDT_LAST 8191

/* A handler's only way to its data: the child's globals. Nothing else of the test uses them. */
struct diff_user {
    uint16_t ds, es, fs, gs;
    uint64_t fs_base, gs_base;
};
struct diff_user diff_user;
uint64_t diff_own_fs;
uint32_t diff_fsgsbase;
void diff_entry(int sig, siginfo_t *info, void *context);
void diff_handle(int sig, siginfo_t *info, void *context);

static struct {
    struct diff_arena *arena;
    uint8_t *code, *data;
    int pages_fd;
    uint32_t index; /* the case that is running */
    unsigned ticks;
    bool running;
    gregset_t own;
    struct diff_user own_user;
    struct x87 own_fpu;
} child;

/* Where each general register is in the frame, in the order of their encoding. */
static const uint8_t greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                    REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15};

/* REG_CSGSFS: CS in bits 15-0, SS in bits 63-48. */
#define CSGSFS(cs, ss) ((uint64_t)(cs) | (uint64_t)(ss) << 48)

static void
load_case(ucontext_t *uc)
{
    const struct diff_case *c = &child.arena->cases[child.index];
    greg_t *g = uc->uc_mcontext.gregs;

    memcpy(child.code + c->start, c->code, c->length);
    for (unsigned i = 0; i < 16; i++)
        g[greg_of[i]] = (greg_t)c->in.gpr[i];
    g[REG_RIP] = (greg_t)c->in.rip;
    g[REG_EFL] = (greg_t)c->in.rflags;
    g[REG_CSGSFS] = (greg_t)CSGSFS(c->in.seg[X86_CS], c->in.seg[X86_SS]);
    uc->uc_flags |= UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    memcpy(uc->uc_mcontext.fpregs, &c->in.fpu, sizeof(c->in.fpu)); /* both as FXSAVE has it */
    diff_user = (struct diff_user){c->in.seg[X86_DS], c->in.seg[X86_ES], c->in.seg[X86_FS],
                                   c->in.seg[X86_GS], c->in.fs_base,     c->in.gs_base};
    child.ticks = 0;
}

static void
store_end(const ucontext_t *uc, bool timeout)
{
    const struct diff_case *c = &child.arena->cases[child.index];
    struct diff_end *end = &child.arena->ends[child.index];
    const greg_t *g = uc->uc_mcontext.gregs;

    for (unsigned i = 0; i < 16; i++)
        end->regs.gpr[i] = (uint64_t)g[greg_of[i]];
    end->regs.rip = (uint64_t)g[REG_RIP];
    end->regs.rflags = (uint64_t)g[REG_EFL];
    end->regs.seg[X86_CS] = (uint16_t)g[REG_CSGSFS];
    end->regs.seg[X86_SS] = (uint16_t)((uint64_t)g[REG_CSGSFS] >> 48);
    end->regs.seg[X86_DS] = diff_user.ds;
    end->regs.seg[X86_ES] = diff_user.es;
    end->regs.seg[X86_FS] = diff_user.fs;
    end->regs.seg[X86_GS] = diff_user.gs;
    end->regs.fs_base = diff_user.fs_base;
    end->regs.gs_base = diff_user.gs_base;
    memcpy(&end->regs.fpu, uc->uc_mcontext.fpregs, sizeof(end->regs.fpu));
    end->stop = timeout ? STOP_TIMEOUT : (uint32_t)g[REG_TRAPNO];
    end->error = (uint32_t)g[REG_ERR];
    end->address = (uint64_t)g[REG_CR2];
    end->memory = diff_hash(child.data, DIFF_RW_SIZE);
    memset(child.code + c->start, DIFF_FILL, c->length);
}

/* Called by diff_entry. Any signal but the timer's means: the case has ended, take the next. */
void
diff_handle(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    struct diff_arena *arena = child.arena;

    (void)info;
    if (sig == SIGVTALRM && (!child.running || ++child.ticks < TICKS))
        return;
    if (child.running) {
        store_end(uc, sig == SIGVTALRM);
        arena->done = ++child.index;
    } else {
        memcpy(child.own, uc->uc_mcontext.gregs, sizeof(child.own));
        child.own_user = diff_user;
        memcpy(&child.own_fpu, uc->uc_mcontext.fpregs, sizeof(child.own_fpu));
        child.running = true;
    }
    if (child.index < arena->count) {
        load_case(uc);
        return;
    }
    memcpy(uc->uc_mcontext.gregs, child.own, sizeof(child.own));
    uc->uc_flags |= UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
    memcpy(uc->uc_mcontext.fpregs, &child.own_fpu, sizeof(child.own_fpu));
    diff_user = child.own_user;
    child.running = false;
}

static void
child_map(uint64_t at, off_t offset, size_t size, int prot)
{
    void *want = (void *)(uintptr_t)at;

    /* MAP_POPULATE: a page that the kernel has yet to map shows as "not present" in error codes. */
    if (mmap(want, size, prot, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, child.pages_fd,
             offset) != want) {
        perror("diff: mapping the child's pages");
        _exit(2);
    }
}

static void
child_map_pages(uint64_t base)
{
    child_map(base + DIFF_CODE, 0, DIFF_CODE_SIZE, PROT_READ | PROT_EXEC);
    child_map(base + DIFF_DATA, DIFF_CODE_SIZE, DIFF_RW_SIZE, PROT_READ | PROT_WRITE);
    child_map(base + DIFF_DATA + DIFF_RW_SIZE, DIFF_CODE_SIZE + DIFF_RW_SIZE,
              DIFF_DATA_SIZE - DIFF_RW_SIZE, PROT_READ);
}

/* 0, or -1 if this kernel has no modify_ldt. */
static int
child_set_ldt(void)
{
    for (unsigned i = 0; i < DIFF_LDT_COUNT; i++) {
        const struct diff_segment *s = &diff_ldt[i];
        struct user_desc d = {
            .entry_number = i,
            .base_addr = s->base,
            .limit = s->limit,
            .seg_32bit = !!(s->attr & SEG_DB),
            .contents = (s->attr & (SEG_CODE | SEG_EXPAND)) >> 2,
            .read_exec_only = !(s->attr & SEG_WRITABLE),
            .seg_not_present = !(s->attr & SEG_P),
            .useable = !!(s->attr & SEG_AVL),
        };
        if (syscall(SYS_modify_ldt, 0x11, &d, sizeof(d)))
            return -1;
    }
    /* An empty entry at the end, so that all others exist and are zero, whatever lies behind a
     * shorter table: a hypervisor below us may round its limit up. */
    struct user_desc last = {.entry_number = LDT_LAST, .read_exec_only = 1, .seg_not_present = 1};
    return syscall(SYS_modify_ldt, 0x11, &last, sizeof(last)) ? -1 : 0;
}

/* Maps a file of the parent's anywhere. */
static void *
child_share(int fd, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED) {
        perror("diff_child: mmap");
        _exit(2);
    }
    return at;
}

static void
child_catch_signals(void)
{
    static const int signals[] = {SIGUSR1, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGVTALRM};
    static uint8_t stack[65536] __attribute__((aligned(16)));
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    struct sigaction action = {.sa_sigaction = diff_entry,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

    sigaltstack(&alternate, NULL);
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    setitimer(ITIMER_VIRTUAL, &tick, NULL);
}

/* diff_child FSGSBASE LDT: the rest is at the file descriptors of diff.h. Each byte that comes in means
 * "run the arena's cases" and is answered by one; the first answer says whether there is an LDT. */
int
main(int argc, char **argv)
{
    uint8_t byte = 0;

    if (argc != 2)
        return 2;
    diff_fsgsbase = argv[1][0] == '1';
    if (diff_fsgsbase)
        __asm__("rdfsbase %0" : "=r"(diff_own_fs));
    child.pages_fd = CHILD_PAGES;
    child.arena = child_share(CHILD_ARENA, sizeof(*child.arena));
    child.code = child_share(CHILD_PAGES, DIFF_CODE_SIZE + DIFF_DATA_SIZE);
    child.data = child.code + DIFF_CODE_SIZE;
    child_map_pages(0);
    child_map_pages(DIFF_HIGH);
    byte = child_set_ldt() == 0;
    child_catch_signals();
    while (write(CHILD_ANSWERS, &byte, 1) == 1 && read(CHILD_COMMANDS, &byte, 1) == 1) {
        child.index = 0;
        kill(getpid(), SIGUSR1); /* returns when all cases have run */
    }
    return 0;
}
