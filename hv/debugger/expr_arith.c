/*
 * expr_arith.c - one operation of an expression on two values.
 *
 * As in C, where C says what happens; where it does not (a division by zero, a shift by 64), a
 * sentence; a signed overflow wraps.
 *
 * Called by expr.c. Next: expr_name.c.
 */
#include <errno.h>

#include "debugger/expr_parse.h"

/* Cuts bits to a type of `size` bytes and extends them to 64 again. */
uint64_t
expr_extend(uint64_t bits, unsigned size, bool is_signed)
{
    unsigned unused = 64 - 8 * size;

    if (!size || size >= 8)
        return bits;
    return is_signed ? (uint64_t)((int64_t)(bits << unused) >> unused) : bits << unused >> unused;
}

struct term
expr_plain(uint64_t bits, bool is_signed)
{
    return (struct term){.value = {bits, is_signed, 8}};
}

/* How far apart two neighbours are to which a pointer of this type points. */
static uint64_t
stride(const struct type *type)
{
    return type->pointers > 1 ? 8 : type->size ? type->size : 1;
}

/* + and - with a pointer count elements. */
void
expr_add_pointers(enum operation operation, const struct term *a, const struct term *b,
                  struct term *out)
{
    uint64_t x = a->value.bits, y = b->value.bits;

    if (a->type.pointers && b->type.pointers && operation == OP_SUB) {
        *out = expr_plain((uint64_t)((int64_t)(x - y) / (int64_t)stride(&a->type)), true);
        return;
    }
    const struct type type = a->type.pointers ? a->type : b->type;
    *(a->type.pointers ? &y : &x) *= stride(&type);
    *out = expr_plain(operation == OP_ADD ? x + y : x - y, false);
    out->type = type;
}

static int
divide(struct parser *p, const char *at, enum operation operation, bool is_signed, uint64_t x,
       uint64_t y, uint64_t *bits)
{
    *bits = 0;
    if (!y)
        return p->skip ? 0 : expr_fail(p, EINVAL, at, "division by zero");
    if (is_signed && y == UINT64_MAX) /* INT64_MIN / -1 would trap */
        *bits = operation == OP_DIV ? -x : 0;
    else if (is_signed)
        *bits = (uint64_t)(operation == OP_DIV ? (int64_t)x / (int64_t)y : (int64_t)x % (int64_t)y);
    else
        *bits = operation == OP_DIV ? x / y : x % y;
    return 0;
}

static int
shift(struct parser *p, const char *at, enum operation operation, bool is_signed, uint64_t x,
      uint64_t y, uint64_t *bits)
{
    *bits = 0;
    if (y > 63)
        return p->skip ? 0 : expr_fail(p, EINVAL, at, "a shift is by 0 to 63 bits");
    *bits = operation == OP_SHL ? x << y : is_signed ? (uint64_t)((int64_t)x >> y) : x >> y;
    return 0;
}

static bool
compare(enum operation operation, bool is_signed, uint64_t x, uint64_t y)
{
    bool below = is_signed ? (int64_t)x < (int64_t)y : x < y;

    switch (operation) {
    case OP_LT: return below;
    case OP_LE: return below || x == y;
    case OP_GT: return !below && x != y;
    case OP_GE: return !below;
    case OP_EQ: return x == y;
    default: return x != y;
    }
}

bool
expr_is_signed(const struct term *t)
{
    return t->value.is_signed || t->value.size < 8;
}

/* a OPERATION b, both known; at: the operator. */
int
expr_compute(struct parser *p, const char *at, enum operation operation, const struct term *a,
             const struct term *b, struct term *out)
{
    uint64_t x = a->value.bits, y = b->value.bits, bits = 0;
    bool is_signed = expr_is_signed(a) && expr_is_signed(b);
    int rc = 0;

    if ((operation == OP_ADD || operation == OP_SUB) && (a->type.pointers || b->type.pointers)) {
        expr_add_pointers(operation, a, b, out);
        return 0;
    }
    switch (operation) {
    case OP_MUL: bits = x * y; break;
    case OP_DIV:
    case OP_MOD: rc = divide(p, at, operation, is_signed, x, y, &bits); break;
    case OP_ADD: bits = x + y; break;
    case OP_SUB: bits = x - y; break;
    case OP_SHL:
    case OP_SHR: /* the type is the left one's (C11 6.5.7) */
        is_signed = expr_is_signed(a);
        rc = shift(p, at, operation, is_signed, x, y, &bits);
        break;
    case OP_AND: bits = x & y; break;
    case OP_XOR: bits = x ^ y; break;
    case OP_OR: bits = x | y; break;
    default:
        bits = compare(operation, is_signed, x, y);
        is_signed = true;
        break;
    }
    *out = expr_plain(bits, is_signed);
    return rc;
}
