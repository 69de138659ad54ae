/*
 * guest_file.c - see guest_file.h: random bytes in four formats, and the kernels of kernels.c.
 */
#include <string.h>

#include "base/util.h"
#include "tests/fuzz/guest_file.h"
#include "tests/random.h"

#define GUEST_SIZE 4096u

/* Seeds take turns. */
enum shape { SHAPE_RAW, SHAPE_BOOT_SECTOR, SHAPE_ELF32, SHAPE_ELF64, SHAPE_KERNEL, SHAPES };

/* Every other guest is rich in what matters to a VMM: prefixes, two-byte opcodes, ports, INT,
 * flags, segment loads, far transfers, HLT. Equally likely bytes mostly are arithmetic. */
static void
fill(uint8_t *data, uint64_t seed)
{
    static const uint8_t rich[] = {
        0x0f, 0x0f, 0x0f, 0x01, 0x20, 0x22, 0x30, 0x32, 0xa2, 0x00, 0x66, 0x67, 0xf0, 0xf3,
        0x2e, 0x64, 0x8e, 0x8c, 0xcd, 0xcc, 0xcf, 0xce, 0xcb, 0xca, 0xea, 0x9a, 0xff, 0xe4,
        0xe6, 0xec, 0xee, 0x6c, 0x6e, 0xf4, 0xfa, 0xfb, 0x9c, 0x9d, 0x07, 0x17, 0xa4, 0xa5,
        0xab, 0xc4, 0xc5, 0x62, 0x63, 0xc8, 0xc9, 0x05, 0x07, 0x34, 0x35, 0xc7, 0x48, 0x4c,
    };
    uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < GUEST_SIZE; i++) {
        uint64_t r = random_next(&state) >> 16;
        data[i] = seed / SHAPES % 2 && r & 0x300 ? rich[r % ARRAY_SIZE(rich)] : (uint8_t)(r >> 20);
    }
}

static void
put(uint8_t *at, uint64_t value, unsigned size)
{
    memcpy(at, &value, size);
}

/* An ELF header and one program header that loads the whole file at 1 MiB and starts at
 * `entry`, or behind them; the rest stays as it is. (System V ABI, "Object Files"; fields as in <elf.h>) */
static void
make_elf(uint8_t *data, uint64_t size, bool is64, uint64_t entry)
{
    unsigned word = is64 ? 8 : 4, header = is64 ? 64 : 52, program = is64 ? 56 : 32;
    uint64_t base = 0x100000;
    uint8_t *p = data + header;

    memset(data, 0, header + program);
    memcpy(data, "\177ELF", 4);
    data[4] = is64 ? 2 : 1;
    data[5] = data[6] = 1;
    put(data + 16, 2, 2);             /* ET_EXEC */
    put(data + 18, is64 ? 62 : 3, 2); /* EM_X86_64, EM_386 */
    put(data + 20, 1, 4);
    put(data + 24, entry ? entry : base + header + program, word);
    put(data + 24 + word, header, word); /* e_phoff */
    put(data + header - 12, header, 2);
    put(data + header - 10, program, 2);
    put(data + header - 8, 1, 2);
    put(p, 1, 4); /* PT_LOAD; offset 0 */
    put(p + (is64 ? 4 : 24), 7, 4);
    put(p + 8 + (is64 ? 8 : 0), base, word);
    put(p + (is64 ? 24 : 12), base, word);
    put(p + (is64 ? 32 : 16), size, word);
    put(p + (is64 ? 40 : 20), size + GUEST_SIZE, word);
}

uint64_t
guest_file_make(uint8_t data[KERNEL_SIZE], uint64_t seed, const char *strategy)
{
    bool only64 = strcmp(strategy, "hardware") != 0;
    enum shape shape = seed % SHAPES;

    if (only64)
        shape = seed % 4 ? SHAPE_KERNEL : SHAPE_ELF64;
    if (shape == SHAPE_KERNEL) {
        memset(data, 0, KERNEL_SIZE);
        kernel_make(data, seed, !strcmp(strategy, "paravirt"));
        make_elf(data, KERNEL_SIZE, true, KERNEL_ENTRY);
        return KERNEL_SIZE;
    }
    fill(data, seed);
    switch (shape) {
    case SHAPE_BOOT_SECTOR: data[510] = 0x55, data[511] = 0xaa; break;
    case SHAPE_ELF32: make_elf(data, GUEST_SIZE, false, 0); break;
    case SHAPE_ELF64: make_elf(data, GUEST_SIZE, true, 0); break;
    default: break;
    }
    return GUEST_SIZE;
}
