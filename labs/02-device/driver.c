/*
 * driver.c - the guest of lab 2: drivers for a device that adds numbers up, by three roads.
 *
 * Words of the command line say which: id, port, again, size, mmio, call, none, many, wild. It is given: the
 * tests use this file as it came.
 */
#include "labguest.h"

#define PORT_BASE 0x2e0
#define MMIO_BASE 0xfe000000u
#define REG_ID    0 /* read: FOLD_ID */
#define REG_DATA  4 /* write: this number is added to the sum */
#define REG_SUM   8 /* read: the sum; a new one begins with 0 */

#define HC_FOLD 0x100 /* hypercall: RBX = address of numbers, RCX = how many */

#define MANY       (UINT64_C(64) << 20) /* where nothing else is */
#define MANY_WORDS (UINT64_C(4) << 20)

#define WORDS 8
static uint32_t numbers[WORDS] = {1, 2, 3, 4, 5, 6, 7, 8};

static volatile uint32_t *
mmio(unsigned reg)
{
    return (volatile uint32_t *)(uint64_t)(MMIO_BASE + reg);
}

static int64_t
hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    int64_t result;
    __asm__ volatile("vmcall" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory");
    return result;
}

static void
by_port(void)
{
    for (unsigned i = 0; i < WORDS; i++)
        out32(PORT_BASE + REG_DATA, numbers[i]);
    say("port sum", in32(PORT_BASE + REG_SUM));
}

static void
by_mmio(void)
{
    for (unsigned i = 0; i < WORDS; i++)
        *mmio(REG_DATA) = numbers[i];
    say("mmio sum", *mmio(REG_SUM));
}

static void
by_call(uint64_t address, uint64_t count)
{
    int64_t result = hypercall(HC_FOLD, address, count);

    print("call sum: ");
    if (result < 0)
        print("-");
    print_number((uint64_t)(result < 0 ? -result : result));
    print("\n");
}

void
guest_main(struct boot_info *boot)
{
    if (asked(boot, "id"))
        say_hex("id", in32(PORT_BASE + REG_ID));
    if (asked(boot, "port"))
        by_port();
    if (asked(boot, "again"))
        by_port();
    if (asked(boot, "size")) { /* half a number: the device has only whole ones */
        out32(PORT_BASE + REG_DATA, 5);
        __asm__ volatile("outw %w0, %w1" : : "a"(7), "Nd"(PORT_BASE + REG_DATA));
        uint16_t half;
        __asm__ volatile("inw %w1, %w0" : "=a"(half) : "Nd"(PORT_BASE + REG_SUM));
        say_hex("half a sum", half);
        out32(PORT_BASE + REG_ID, 9); /* nobody takes it */
        say_hex("data, read", in32(PORT_BASE + REG_DATA));
        say("size sum", in32(PORT_BASE + REG_SUM));
    }
    if (asked(boot, "mmio"))
        by_mmio();
    if (asked(boot, "call"))
        by_call((uint64_t)numbers, WORDS);
    if (asked(boot, "none"))
        by_call((uint64_t)numbers, 0);
    if (asked(boot, "many")) { /* 16 MiB of numbers: all 0 but the first and the last */
        volatile uint32_t *many = (volatile uint32_t *)MANY;
        many[0] = many[MANY_WORDS - 1] = 0xffffffff;
        by_call(MANY, MANY_WORDS);
    }
    if (asked(boot, "wild")) {
        by_call(boot->memory_size - 4, 2);              /* the second number is behind the end */
        by_call(0xd0000000, 1);                         /* no memory of the guest's */
        by_call((uint64_t)numbers, 0x4000000000000002); /* times 4 it is 8 in 64 bits */
    }
}
