/*
 * exits.c - what does a port exit cost through our run loop, next to a bare KVM_RUN loop?
 *
 * The same guest, `out %al, %dx; jmp` in real mode, leaves some ten thousand times:
 *   bare    ioctl(KVM_RUN) and a look at exit_reason, nothing else: what any VMM must pay
 *   hv      vm_run() with the whole board: the port is the UART's scratch register
 *   traced  the same with a recording
 * Short rounds of the three take turns, and the fastest of each is compared: whatever else the
 * machine does only adds to a round. Called by `make bench` and, where KVM works, by tests/kvm/inside.sh.
 *
 * Usage: bench-exits [EXITS [ROUNDS]]. Status 1: a ratio is above its target; 77: no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "core/vm.h"
#include "device/pc.h"
#include "engine/engine.h"
#include "engine/engines.h"
#include "isa/x86/regs.h"
#include "strategy/strategy.h"
#include "tracer/record.h"

#define CODE 0x1000u
#define PORT 0x3ffu

/* mov $3ff, %dx; again: out %al, (%dx); jmp again */
static const uint8_t guest[] = {0xba, PORT & 0xff, PORT >> 8, 0xee, 0xeb, 0xfd};

/* --- bare ------------------------------------------------------------------------------------- */

struct bare {
    int kvm, vm, vcpu;
    struct kvm_run *run;
    uint8_t *ram;
};

static int
bare_open(struct bare *b)
{
    struct kvm_regs regs = {.rip = CODE, .rflags = 2};
    struct kvm_sregs sregs;

    b->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (b->kvm < 0)
        return -1;
    b->vm = ioctl(b->kvm, KVM_CREATE_VM, 0);
    b->ram = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->vm < 0 || b->ram == MAP_FAILED)
        return -1;
    memcpy(b->ram + CODE, guest, sizeof(guest));
    ioctl(b->vm, KVM_SET_TSS_ADDR, 0xfeffd000ul);
    struct kvm_userspace_memory_region region = {.memory_size = 0x10000,
                                                 .userspace_addr = (uintptr_t)b->ram};
    if (ioctl(b->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -1;
    b->vcpu = ioctl(b->vm, KVM_CREATE_VCPU, 0);
    b->run = mmap(NULL, (size_t)ioctl(b->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
                  MAP_SHARED, b->vcpu, 0);
    if (b->run == MAP_FAILED || ioctl(b->vcpu, KVM_GET_SREGS, &sregs) < 0)
        return -1;
    sregs.cs.base = sregs.cs.selector = 0;
    return ioctl(b->vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(b->vcpu, KVM_SET_REGS, &regs) < 0;
}

/* Nanoseconds an exit. */
static double
bare_round(struct bare *b, unsigned exits)
{
    uint64_t start = now_ns();

    for (unsigned i = 0; i < exits; i++)
        if (ioctl(b->vcpu, KVM_RUN, 0) < 0 || b->run->exit_reason != KVM_EXIT_IO) {
            fprintf(stderr, "bench-exits: the bare loop left with reason %u\n",
                    b->run->exit_reason);
            exit(2);
        }
    return (double)(now_ns() - start) / exits;
}

/* --- through vm_run() ------------------------------------------------------------------------- */

struct ours {
    struct vm vm;
    struct pc *pc;
    char path[64]; /* of the recording; empty: none */
};

static void
check(int rc, const struct error *err)
{
    if (!rc)
        return;
    fprintf(stderr, "bench-exits: %s\n", err->message);
    exit(rc == -ENOENT || rc == -EACCES || rc == -ENODEV ? 77 : 2);
}

static void
ours_open(struct ours *o, bool traced)
{
    struct trace_about about = {.engine = "kvm",
                                .strategy = "hardware",
                                .guest = "out loop",
                                .build_id = "",
                                .command = "bench-exits"};
    struct error err;
    struct x86_regs regs;
    struct vm *vm = &o->vm;

    memset(o, 0, sizeof(*o));
    vm->engine_ops = &engine_kvm;
    vm->strategy = strategy_find("hardware");
    check(vm_create(vm, RAM_MIN, &err), &err);
    check(pc_create(vm, NULL, &o->pc, &err), &err);
    memcpy(vm->ram.host + CODE, guest, sizeof(guest));
    check(engine_kvm.open(vm, &err), &err);
    x86_regs_reset(&regs);
    regs.seg[X86_CS].base = regs.seg[X86_CS].selector = 0;
    regs.rip = CODE;
    check(engine_kvm.set_regs(&vm->vcpu[0], &regs, &err), &err);
    if (traced) {
        snprintf(o->path, sizeof(o->path), "/tmp/bench-exits-%d.hvt", (int)getpid());
        check(recorder_open(&vm->recorder, o->path, &about, err.message, sizeof(err.message)),
              &err);
        vm_name_actors(vm);
    }
    check(vm->strategy->attach(&vm->vcpu[0], &err), &err);
}

static void
ours_close(struct ours *o)
{
    recorder_close(o->vm.recorder);
    if (o->path[0])
        unlink(o->path);
    engine_kvm.close(&o->vm);
    pc_destroy(o->pc);
    vm_destroy(&o->vm);
}

static double
ours_round(struct ours *o, unsigned exits)
{
    struct run_limits limits = {.exits = o->vm.exits + exits};
    struct run_result result;
    uint64_t start = now_ns();

    vm_run(&o->vm, &limits, &result);
    uint64_t end = now_ns();
    if (result.end != RUN_LIMIT || o->vm.exits_by_kind[TRACE_IO] + 2 < o->vm.exits) {
        fprintf(stderr, "bench-exits: the run ended otherwise: %s %s\n", run_end_text(result.end),
                result.message.message);
        exit(2);
    }
    return (double)(end - start) / exits;
}

/* --- the comparison --------------------------------------------------------------------------- */

static void
keep_least(double *least, double value)
{
    if (!*least || value < *least)
        *least = value;
}

/* Prints a line; true if the ratio is within its target. */
static bool
report(const char *what, double ns, double bare, double target)
{
    printf("  %-34s %9.0f ns an exit   %5.2f x bare   target: at most %.2f   %s\n", what, ns,
           ns / bare, target, ns / bare <= target ? "met" : "MISSED");
    return ns / bare <= target;
}

int
main(int argc, char **argv)
{
    unsigned exits = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 100;
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 500;
    double bare_ns = 0, ours_ns = 0, traced_ns = 0;
    struct bare bare;
    static struct ours ours, traced;

    if (!exits || !rounds) {
        fprintf(stderr, "usage: bench-exits [EXITS [ROUNDS]]\n");
        return 2;
    }
    if (bare_open(&bare)) {
        fprintf(stderr, "bench-exits: no KVM here: %s\n", strerror(errno));
        return 77;
    }
    ours_open(&ours, false);
    ours_open(&traced, true);
    bare_round(&bare, exits / 10 + 1); /* once before it counts */
    ours_round(&ours, exits / 10 + 1);
    ours_round(&traced, exits / 10 + 1);
    for (unsigned i = 0; i < rounds; i++) {
        keep_least(&bare_ns, bare_round(&bare, exits));
        keep_least(&ours_ns, ours_round(&ours, exits));
        keep_least(&traced_ns, ours_round(&traced, exits));
    }
    ours_close(&ours);
    ours_close(&traced);

    printf("A port exit on KVM, the fastest of %u rounds of %u exits:\n", rounds, exits);
    printf("  %-34s %9.0f ns an exit\n", "ioctl(KVM_RUN) and nothing else", bare_ns);
    bool met = report("hv, tracing off", ours_ns, bare_ns, 1.10);
    met &= report("hv, tracing on", traced_ns, bare_ns, 1.25);
    return !met;
}
