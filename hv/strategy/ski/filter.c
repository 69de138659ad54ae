/*
 * filter.c - the filter of system calls, written by hand for the kernel's BPF machine.
 *
 * The program sees struct seccomp_data: the number, the architecture, six arguments (seccomp(2)). It
 * must look at the architecture first, because number 16 is ioctl for one and lchown for another;
 * `int 0x80` enters as i386 and is killed. It loads 32 bits at a time; of an argument that the
 * kernel takes as an int only the low half is compared, or 1 << 32 | TIOCSTI would pass.
 *
 * A library (libseccomp) would do as well, but for two things: x32, whose numbers it takes for a
 * foreign architecture and we answer with ENOSYS, and that here the whole filter can be read.
 *
 * Layout: architecture, x32, newer than the list; a pair of instructions for each plain denial; a
 * few lines for each that looks at arguments; allow. A straight row costs little: for calls that are
 * allowed whatever their arguments are, the kernel works the answer out once and keeps it.
 *
 * Called by the step "filter". Next: docs/SKI.md.
 */
#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "strategy/ski/own.h"

#define X32_BIT 0x40000000u
/* The newest system call that this filter was written for; what a newer kernel has is not there. */
#define NEWEST SYS_set_mempolicy_home_node

#define ARGUMENT(n) (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (n))

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

struct program {
    struct sock_filter *at;
    unsigned length;
    enum ski_deny deny;
};

static void
put(struct program *p, uint16_t code, uint32_t k, unsigned yes, unsigned no)
{
    assert(p->length < SKI_FILTER_MAX && yes < 0x100 && no < 0x100);
    p->at[p->length++] = (struct sock_filter){code, (uint8_t)yes, (uint8_t)no, k};
}

static void
load(struct program *p, uint32_t offset)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void
answer(struct program *p, uint32_t action)
{
    put(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The tracer is told the row; without one the kernel answers ENOSYS to RET_TRACE. */
static uint32_t
action_of(const struct program *p, const struct ski_denial *denial)
{
    if (p->deny == SKI_DENY_TRACE)
        return SECCOMP_RET_TRACE | (uint32_t)(denial - ski_denials + 1);
    return SECCOMP_RET_ERRNO | (uint32_t)denial->error;
}

/* How an argument decides. */
enum decide {
    DENY_ANY_BIT, /* of the values */
    DENY_EQUAL,   /* to one of the values, after the mask */
    DENY_OTHER,   /* than all of the values, after the mask */
};

static const struct argument_rule {
    int number;
    unsigned argument;
    enum decide decide;
    uint32_t mask;
    uint32_t value[3];
    unsigned values;
} argument_rules[] = {
    {SYS_clone, 0, DENY_ANY_BIT, 0, {NAMESPACES}, 1},
    {SYS_mknod, 1, DENY_EQUAL, S_IFMT, {S_IFCHR, S_IFBLK}, 2},
    {SYS_mknodat, 2, DENY_EQUAL, S_IFMT, {S_IFCHR, S_IFBLK}, 2},
    {SYS_ioctl, 1, DENY_EQUAL, ~0u, {TIOCSTI, TIOCLINUX}, 2},
    {SYS_socket, 0, DENY_OTHER, ~0u, {AF_UNIX, AF_INET, AF_INET6}, 3},
    {SYS_socketpair, 0, DENY_OTHER, ~0u, {AF_UNIX, AF_INET, AF_INET6}, 3},
    {SYS_personality, 0, DENY_OTHER, ~0u, {0, 0xffffffffu}, 2},
};

/*
 * if number != rule's: jump behind; load the argument; one comparison a value; two answers.
 * All ends with an answer, so the number need not be loaded again behind it.
 */
static void
put_rule(struct program *p, const struct argument_rule *rule)
{
    const struct ski_denial *denial = ski_denial_find(rule->number);
    bool masked = rule->decide != DENY_ANY_BIT && rule->mask != ~0u;
    unsigned body = 1 + masked + rule->values + 2;

    assert(denial && denial->when);
    put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->number, 0, body);
    load(p, ARGUMENT(rule->argument));
    if (masked)
        put(p, BPF_ALU | BPF_AND | BPF_K, rule->mask, 0, 0);
    /* A hit jumps over the other comparisons and the answer for "none of them". */
    for (unsigned i = 0; i < rule->values; i++)
        put(p, BPF_JMP | (rule->decide == DENY_ANY_BIT ? BPF_JSET : BPF_JEQ) | BPF_K,
            rule->value[i], rule->values - i, 0);
    answer(p, rule->decide == DENY_OTHER ? action_of(p, denial) : SECCOMP_RET_ALLOW);
    answer(p, rule->decide == DENY_OTHER ? SECCOMP_RET_ALLOW : action_of(p, denial));
}

unsigned
ski_filter_build(struct sock_filter *filter, enum ski_deny deny)
{
    struct program p = {.at = filter, .deny = deny};

    load(&p, offsetof(struct seccomp_data, arch));
    put(&p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    answer(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
    /* x32 numbers have the bit, and lie above all others: one comparison for both. -1 is what a
     * tracer sets to skip a call, and is above, too. */
    _Static_assert(X32_BIT > NEWEST, "x32 is above");
    put(&p, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 0, 1);
    answer(&p, SECCOMP_RET_ERRNO | ENOSYS);
    for (const struct ski_denial *d = ski_denials; d->name; d++) {
        if (d->when)
            continue;
        put(&p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)d->number, 0, 1);
        answer(&p, action_of(&p, d));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(argument_rules); i++)
        put_rule(&p, &argument_rules[i]);
    answer(&p, SECCOMP_RET_ALLOW);
    return p.length;
}
