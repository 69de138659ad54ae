/*
 * guest.c - the guest of lab 3: an exit of every kind that the dispatcher is asked about.
 *
 * Words of the command line: count, cpuid, msr, calls, poll, hello. It is given: the tests use this file
 * as it came.
 */
#include "labguest.h"

#define MSR_EXITS 0x4c414200u /* "LAB": how many exits there were so far */
#define HC_COUNT  0x300u      /* hypercall: RBX = kind; how many exits of that kind so far */

static void
cpuid(uint32_t leaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

static void
print_id(const char *what, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t r[3] = {b, c, d};

    print(what);
    print(": ");
    for (unsigned i = 0; i < 12; i++) {
        uint8_t letter = (uint8_t)(r[i / 4] >> 8 * (i % 4));
        out8(0x3f8, letter >= 0x20 && letter < 0x7f ? letter : '.');
    }
    print("\n");
}

static void
ask_cpuid(void)
{
    uint32_t r[4];

    cpuid(0x40000000, r);
    say_hex("highest leaf of the hypervisor", r[0]);
    print_id("hypervisor", r[1], r[2], r[3]);
    cpuid(0, r);
    print("processor: ");
    print(r[0] >= 1 && (r[1] || r[2] || r[3]) && r[0] < 0x100 ? "as ever\n" : "not a processor's answer\n");
}

static uint64_t
read_msr(uint32_t number)
{
    uint64_t low, high; /* all of RAX and RDX: their upper halves are 0 */
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (high << 32) + low;
}

static void
write_msr(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void
ask_msr(void)
{
    uint64_t first = read_msr(MSR_EXITS), efer = read_msr(0xc0000080u);

    in32(0x5f0);
    say("exits between two reads", read_msr(MSR_EXITS) - first);
    write_msr(MSR_EXITS, 0x100000000);
    say_hex("after a write", read_msr(MSR_EXITS));
    say_hex("EFER", efer & 0x500); /* LME and LMA: long mode */
}

static int64_t
hypercall(uint64_t number, uint64_t a)
{
    int64_t result;
    __asm__ volatile("vmcall" : "=a"(result) : "a"(number), "b"(a) : "memory");
    return result;
}

static void
say_signed(const char *what, int64_t value)
{
    print(what);
    print(value < 0 ? ": -" : ": ");
    print_number((uint64_t)(value < 0 ? -value : value));
    print("\n");
}

/* The kinds of exits are hv's own numbers: the command line says CPUID's and RDMSR's, "kind=N,M". */
static void
ask_calls(const struct boot_info *boot)
{
    uint32_t r[4];
    uint64_t kind[2] = {0, 0};
    unsigned n = 0;

    for (const char *at = (const char *)boot->command_line; *at; at++)
        if (*at == '=' || *at == ',')
            n += *at == ',';
        else if (*at >= '0' && *at <= '9')
            kind[n % 2] = 10 * kind[n % 2] + (uint64_t)(*at - '0');
    cpuid(1, r);
    cpuid(1, r);
    cpuid(1, r);
    read_msr(0xc0000080u);
    say_signed("exits by CPUID", hypercall(HC_COUNT, kind[0]));
    say_signed("exits by RDMSR", hypercall(HC_COUNT, kind[1]));
    say_signed("exits of kind 10000", hypercall(HC_COUNT, 10000));
    say_signed("exits of kind -1", hypercall(HC_COUNT, ~0ull));
    say_signed("no such call", hypercall(HC_COUNT + 1, 0));
}

static void
poll(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        in32(0x5f0); /* nobody is there */
}

void
guest_main(struct boot_info *boot)
{
    if (asked(boot, "count")) {
        poll(5);
        (void)*(volatile uint32_t *)0xfe000000; /* no memory, and no device: an exit, too */
    }
    if (asked(boot, "cpuid"))
        ask_cpuid();
    if (asked(boot, "msr"))
        ask_msr();
    if (asked(boot, "calls"))
        ask_calls(boot);
    if (asked(boot, "patient")) {
        poll(99);
        out8(0x80, 0);
        poll(99);
        out32(0x5f0, 0);
        poll(99);
        in32(0x5f4);
        poll(99);
        say("polled", 396);
    }
    if (asked(boot, "poll")) {
        poll(100000);
        say("polled", 100000);
    }
    if (asked(boot, "hello"))
        print("hello\n");
}
