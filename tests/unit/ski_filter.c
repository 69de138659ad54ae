/*
 * ski_filter.c - tests of the filter of system calls: the BPF program is run here, on numbers and
 * arguments that a guest could give.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "strategy/ski/own.h"
#include "tests/unit/unit.h"
#include "tests/unit/suites.h"

#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

/* What seccomp(2) says the machine does, for the instructions that filter.c uses. */
static uint32_t
run_filter(const struct sock_filter *filter, unsigned length, const struct seccomp_data *data)
{
    uint32_t a = 0;

    for (unsigned pc = 0; pc < length; pc++) {
        const struct sock_filter *f = &filter[pc];
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            CU_ASSERT_FATAL(f->k + 4 <= sizeof(*data));
            memcpy(&a, (const char *)data + f->k, 4);
            break;
        case BPF_ALU | BPF_AND | BPF_K: a &= f->k; break;
        case BPF_JMP | BPF_JEQ | BPF_K: pc += a == f->k ? f->jt : f->jf; break;
        case BPF_JMP | BPF_JGT | BPF_K: pc += a > f->k ? f->jt : f->jf; break;
        case BPF_JMP | BPF_JSET | BPF_K: pc += a & f->k ? f->jt : f->jf; break;
        case BPF_RET | BPF_K: return f->k;
        default: CU_FAIL_FATAL("an instruction that the test does not know");
        }
    }
    CU_FAIL_FATAL("the filter ends without an answer");
    return 0;
}

static uint32_t
ask(enum ski_deny deny, uint32_t arch, int number, unsigned index, uint64_t value)
{
    struct sock_filter filter[SKI_FILTER_MAX];
    struct seccomp_data data = {.nr = number, .arch = arch};

    data.args[index] = value;
    return run_filter(filter, ski_filter_build(filter, deny), &data);
}

static uint32_t
answer(int number, unsigned index, uint64_t value)
{
    return ask(SKI_DENY_ERRNO, AUDIT_ARCH_X86_64, number, index, value);
}

static void
test_denied(void)
{
    for (const struct ski_denial *d = ski_denials; d->name; d++) {
        uint32_t index = (uint32_t)(d - ski_denials);
        if (d->when)
            continue;
        CU_ASSERT_EQUAL(answer(d->number, 0, 0), ERRNO((uint32_t)d->error));
        CU_ASSERT_EQUAL(ask(SKI_DENY_TRACE, AUDIT_ARCH_X86_64, d->number, 0, 0),
                        SECCOMP_RET_TRACE | (index + 1));
    }
}

/* No row is hidden by another one, and each says why. */
static void
test_table(void)
{
    for (const struct ski_denial *d = ski_denials; d->name; d++) {
        CU_ASSERT_PTR_EQUAL(ski_denial_find(d->number), d);
        CU_ASSERT(strlen(d->reason) > 5);
    }
    CU_ASSERT_PTR_NULL(ski_denial_find(SYS_read));
}

static void
test_allowed(void)
{
    static const int numbers[] = {SYS_read,
                                  SYS_write,
                                  SYS_openat,
                                  SYS_execve,
                                  SYS_mmap,
                                  SYS_fork,
                                  SYS_exit_group,
                                  SYS_futex,
                                  SYS_prctl,
                                  SYS_seccomp,
                                  SYS_set_mempolicy_home_node};

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        CU_ASSERT_EQUAL(answer(numbers[i], 0, 0), SECCOMP_RET_ALLOW);
}

/* seccomp(2), CAVEATS: the architecture first; x32 has bit 30; a tracer skips a call with -1. */
static void
test_numbers(void)
{
    CU_ASSERT_EQUAL(ask(SKI_DENY_ERRNO, AUDIT_ARCH_I386, 20, 0, 0), SECCOMP_RET_KILL_PROCESS);
    CU_ASSERT_EQUAL(ask(SKI_DENY_TRACE, AUDIT_ARCH_I386, 20, 0, 0), SECCOMP_RET_KILL_PROCESS);
    CU_ASSERT_EQUAL(ask(SKI_DENY_ERRNO, AUDIT_ARCH_AARCH64, 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
    CU_ASSERT_EQUAL(answer(0x40000000 | SYS_getpid, 0, 0), ERRNO(ENOSYS));
    CU_ASSERT_EQUAL(answer(0x40000000 | SYS_ptrace, 0, 0), ERRNO(ENOSYS));
    CU_ASSERT_EQUAL(answer(SYS_set_mempolicy_home_node + 1, 0, 0), ERRNO(ENOSYS));
    CU_ASSERT_EQUAL(answer(-1, 0, 0), ERRNO(ENOSYS));
    CU_ASSERT_EQUAL(answer(SYS_clone3, 0, 0), ERRNO(ENOSYS));
}

/* The kernel takes these as ints: what stands above bit 31 must not matter. */
static void
test_arguments(void)
{
    const uint64_t high = UINT64_C(1) << 32;
    static const uint64_t news[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                    CLONE_NEWUTS,  CLONE_NEWIPC, CLONE_NEWCGROUP};

    for (unsigned i = 0; i < ARRAY_SIZE(news); i++)
        CU_ASSERT_EQUAL(answer(SYS_clone, 0, news[i] | CLONE_VM), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_clone, 0, CLONE_VM | CLONE_FS | CLONE_THREAD), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_ioctl, 1, TIOCSTI), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_ioctl, 1, TIOCSTI | high), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_ioctl, 1, TIOCLINUX | high), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_ioctl, 1, TCGETS), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_socket, 0, AF_UNIX), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_socket, 0, AF_INET), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_socket, 0, AF_INET6), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_socket, 0, AF_NETLINK), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_socket, 0, AF_VSOCK), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_socket, 0, AF_PACKET | high), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_mknod, 1, S_IFCHR | 0600), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_mknodat, 2, S_IFBLK | 0600), ERRNO(EPERM));
    CU_ASSERT_EQUAL(answer(SYS_mknod, 1, S_IFIFO | 0600), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_personality, 0, 0xffffffff), SECCOMP_RET_ALLOW);
    CU_ASSERT_EQUAL(answer(SYS_personality, 0, 0x0040000 /* ADDR_NO_RANDOMIZE */), ERRNO(EPERM));
}

/* Each layer can be left out by name, and some step belongs to it or to its place in the table. */
static void
test_steps(void)
{
    unsigned chapter = 1;

    for (const struct ski_step *s = ski_steps; s->name; s++) {
        CU_ASSERT(s->chapter == chapter || s->chapter == chapter + 1);
        chapter = s->chapter;
        CU_ASSERT_PTR_NOT_NULL(s->run);
    }
    CU_ASSERT_EQUAL(chapter, 7);
    for (const struct ski_layer *l = ski_layers; l->name; l++) {
        unsigned steps = 0;
        for (const struct ski_step *s = ski_steps; s->name; s++)
            steps += s->layer == l->bit;
        CU_ASSERT(steps > 0);
    }
}

static const struct unit_test tests[] = {
    {"every plain denial is denied, or told to the tracer with its row", test_denied},
    {"one row a system call, each with a reason", test_table},
    {"what programs need is allowed", test_allowed},
    {"other architectures, x32, numbers of the future", test_numbers},
    {"arguments, by their low 32 bits", test_arguments},
    {"steps in the order of their chapters, a step for each layer", test_steps},
    {NULL, NULL},
};
const struct unit_suite suite_ski_filter = {"ski_filter", tests};
