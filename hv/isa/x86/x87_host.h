/*
 * x87_host.h - one x87 operation on the host's own processor, under the guest's control word.
 *
 * The host computes with the same 80 bits, so the result is exact to the last bit and so are the
 * exception flags, unmasked exceptions included. Only the operation is the host's: the guest's
 * register stack, its faults and its tags are kept in C (x87.h), and the host's unit is left as
 * it was found.
 *
 * Called by x87_arith.c and x87_move.c through x87_compute(). Next: x87_host.def, x87_host.c.
 */
#ifndef HV_ISA_X86_X87_HOST_H
#define HV_ISA_X86_X87_HOST_H

#include <stdint.h>

/* A register of 80 bits as FXSAVE lays it out: 64 bits with the leading one, then 15 bits of
 * exponent below the sign (SDM vol. 1, 4.2.2). */
struct x87_reg {
    uint64_t significand;
    uint16_t sign_exponent;
    uint16_t reserved[3]; /* zero */
};

enum x87_op {
#define X87_OP(name, text) X87_##name,
#include "isa/x86/x87_host.def"
#undef X87_OP
    X87_OP_COUNT
};

struct x87_host {
    uint16_t fcw;         /* in: rounding, precision, masks */
    uint16_t fsw;         /* in: C0-C3; out: C0-C3, the exceptions of this operation, ES */
    struct x87_reg st[2]; /* in: ST(0), ST(1); out: the two on top of the stack */
    int pushed;           /* out: 1 if the operation has pushed, -1 if it has popped */
    uint8_t memory[16];   /* the memory operand, in or out */
};

void x87_host_run(enum x87_op op, struct x87_host *h);

#endif
