/*
 * calls.c - what priv.h asks a VMM for, seen without one: a program of this host. Given; the tests `console` and
 * `flag` build it with your priv.h.
 *
 * Linux has no gate for INT 82h: it faults, as at CPL 3 under the VMM. The handler of that fault plays the VMM: it
 * notes the call, answers, and goes on behind the instruction.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "priv.h"

struct priv_state priv_state;
struct hc_shared priv_shared;

static unsigned calls;      /* since begin() */
static uint64_t last;       /* the number of the last one */
static uint8_t masked_then; /* what `masked` was when it came */
static int typed = -1;      /* what HC_CONSOLE_READ gives; -1: nothing was typed */

static void
on_fault(int signal_number, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const uint8_t call[2] = {0xcd, HC_VECTOR};

    (void)info;
    if (memcmp((const void *)regs[REG_RIP], call, sizeof(call)) != 0) {
        signal(signal_number, SIG_DFL); /* a fault of another kind: it comes again, and ends us */
        return;
    }
    calls++;
    last = (uint64_t)regs[REG_RAX];
    masked_then = priv_shared.masked;
    regs[REG_RIP] += sizeof(call);
    regs[REG_RAX] = 0;
    if (last == HC_CONSOLE_READ && typed >= 0) {
        *(uint8_t *)regs[REG_RDI] = (uint8_t)typed;
        regs[REG_RAX] = 1;
    }
    if (last == HC_EVENTS)
        priv_shared.pending = 0;
    if (last == HC_BLOCK)
        priv_shared.masked = priv_shared.pending =
            0; /* an event came, was handled, and the kernel goes on */
}

static void
begin(uint8_t masked, uint8_t pending)
{
    calls = 0;
    last = HC_COUNT;
    priv_shared.masked = masked;
    priv_shared.pending = pending;
}

static void
try_console(void)
{
    typed = -1;
    printf("read, nothing was typed: %d\n", priv_console_read());
    typed = 'A';
    printf("read, an A was typed: %d\n", priv_console_read());
    typed = 0xff;
    printf("read, byte 255 was typed: %d\n", priv_console_read());
}

static void
try_flag(void)
{
    begin(0, 0);
    priv_cli();
    printf("masking: %u calls, masked %u\n", calls, priv_shared.masked != 0);
    begin(1, 0);
    priv_sti();
    printf("unmasking, nothing is pending: %u calls, masked %u\n", calls, priv_shared.masked);
    begin(1, 1);
    priv_sti();
    printf("unmasking, an event is pending: %s, masked then %u\n",
           calls == 1 && last == HC_EVENTS ? "HC_EVENTS" : "no HC_EVENTS", masked_then);
    begin(1, 0);
    priv_idle();
    printf("sleeping: %s, masked then %u, masked afterwards %u\n",
           calls == 1 && last == HC_BLOCK ? "HC_BLOCK" : "not HC_BLOCK alone", masked_then != 0,
           priv_shared.masked != 0);
}

int
main(int argc, char **argv)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    sigaction(SIGSEGV, &action, NULL);
    if (argc > 1 && strcmp(argv[1], "console") == 0)
        try_console();
    if (argc > 1 && strcmp(argv[1], "flag") == 0)
        try_flag();
    return 0;
}
