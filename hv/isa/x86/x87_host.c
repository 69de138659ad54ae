/*
 * x87_host.c - one x87 operation on the host's own processor: see x87_host.h.
 *
 * The only inline assembly of the interpreter. Each function loads the unit whole with FRSTOR,
 * executes one instruction and takes the unit back with FNSAVE, which neither waits for an
 * unmasked exception nor leaves one behind. So the guest's masks can be in force: an unmasked
 * exception ends the operation as SDM vol. 1, 8.5 says and no signal comes of it.
 *
 * Called by x87_compute() (x87.c).
 */
#include <string.h>

#include "isa/x86/x87_host.h"

/* What FRSTOR and FNSAVE use in 64-bit mode: the 32-bit protected-mode format (SDM vol. 1,
 * figure 8-9), then ST(0) to ST(7) in ten bytes each. */
struct image {
    uint32_t fcw, fsw, ftw, fip, fcs, fdp, fds;
    uint8_t st[8][10];
};
_Static_assert(sizeof(struct image) == 108, "FNSAVE writes 108 bytes");

#define TOP_SHIFT 11
#define TOP       4u
#define TAGS      0xf0ffu /* physical registers 4 and 5 valid, the others empty */

struct memory {
    uint8_t bytes[16];
};

#define X87_OP(name, text)                                                                         \
    static void run_##name(struct image *image, struct memory *memory)                             \
    {                                                                                              \
        __asm__ volatile("frstor %0\n\t" text "\n\tfnsave %0"                                      \
                         : "+m"(*image), "+m"(*memory)                                             \
                         :                                                                         \
                         : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");   \
    }
#include "isa/x86/x87_host.def"
#undef X87_OP

typedef void (*run_fn)(struct image *image, struct memory *memory);

static const run_fn run[X87_OP_COUNT] = {
#define X87_OP(name, text) run_##name,
#include "isa/x86/x87_host.def"
#undef X87_OP
};

void
x87_host_run(enum x87_op op, struct x87_host *h)
{
    struct image image = {.fcw = h->fcw, .fsw = h->fsw | TOP << TOP_SHIFT, .ftw = TAGS};
    struct memory memory;
    uint16_t saved;

    memcpy(image.st[0], &h->st[0], 10);
    memcpy(image.st[1], &h->st[1], 10);
    memcpy(&memory, h->memory, sizeof(memory));
    __asm__ volatile("fnstcw %0" : "=m"(saved));
    run[op](&image, &memory);
    __asm__ volatile("fldcw %0" : : "m"(saved)); /* FNSAVE has left the state of FNINIT */
    memcpy(h->memory, &memory, sizeof(memory));
    h->fsw = (uint16_t)image.fsw;
    h->pushed = (int)TOP - (int)(image.fsw >> TOP_SHIFT & 7);
    for (unsigned i = 0; i < 2; i++) {
        h->st[i] = (struct x87_reg){0};
        memcpy(&h->st[i], image.st[i], 10);
    }
}
