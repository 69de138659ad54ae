/*
 * expr.c - see expr.h: a parser by precedence (Pratt 1973) that computes as it goes.
 *
 * Arithmetic is C's on a machine whose int has 64 bits: a narrower value becomes a signed one of 64
 * bits, and an operation is unsigned if either side is a uint64_t. What stands behind a decided
 * &&, || or ?: is parsed and not computed, so that `$rsp && *(long *)$rsp` never fails.
 *
 * Called by whoever has text from the user. Next: expr_name.c.
 */
#include <errno.h>
#include <string.h>

#include "debugger/expr_parse.h"
#include "debugger/values.h"

/* --- operators ------------------------------------------------------------------------------------ */

/* C's precedence (C11 6.5.5 to 6.5.15): the higher binds tighter; all but ?: group from the left. */
/* clang-format off */
static const struct binary {
    const char *text;
    uint8_t binds;
    enum operation operation;
} binaries[] = {
    {"*", 11, OP_MUL}, {"/", 11, OP_DIV}, {"%", 11, OP_MOD},
    {"+", 10, OP_ADD}, {"-", 10, OP_SUB},
    {"<<", 9, OP_SHL}, {">>", 9, OP_SHR},
    {"<", 8, OP_LT},   {"<=", 8, OP_LE},  {">", 8, OP_GT},   {">=", 8, OP_GE},
    {"==", 7, OP_EQ},  {"!=", 7, OP_NE},
    {"&", 6, OP_AND},
    {"^", 5, OP_XOR},
    {"|", 4, OP_OR},
    {"&&", 3, OP_ANDAND},
    {"||", 2, OP_OROR},
    {"?", 1, OP_COND},
};
/* clang-format on */

static bool
is_operator(const struct parser *p, const char *text)
{
    return p->token.kind == TOKEN_OPERATOR && !strcmp(p->token.text, text);
}

static const struct binary *
binary_here(const struct parser *p)
{
    for (unsigned i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++)
        if (is_operator(p, binaries[i].text))
            return &binaries[i];
    return NULL;
}

/* --- operands ------------------------------------------------------------------------------------- */

static int parse(struct parser *p, unsigned binds, struct term *term);

static int
expect(struct parser *p, const char *text, const char *why)
{
    if (!is_operator(p, text))
        return expr_fail(p, EINVAL, p->token.at, "'%s' is missing here (%s)", text, why);
    return expr_next(p);
}

/* What lies at term's value, as its pointer says; without a type: as many bytes as the guest's code
 * works with. */
static int
fetch(struct parser *p, const char *at, struct term *term)
{
    struct type type = term->type;
    uint64_t address = term->value.bits;
    uint8_t bytes[8] = {0};

    if (!type.pointers) {
        struct x86_regs regs;
        unsigned size = 8;
        if (!p->skip && !p->debugger->machine->ops->get_regs(p->debugger->machine, &regs, NULL))
            size = x86_code_size(&regs);
        type = (struct type){(uint8_t)size, false, 1};
    }
    type.pointers--;
    if (!type.pointers && !type.size)
        return expr_fail(p, EINVAL, at, "a void cannot be read: say (uint8_t *) or such before");
    unsigned size = type.pointers ? 8 : type.size;
    if (!p->skip) {
        struct machine *m = p->debugger->machine;
        int rc = m->ops->read(m, SPACE_LINEAR, address, bytes, size, p->err);
        if (rc)
            return rc;
    }
    uint64_t bits = 0;
    for (unsigned i = size; i-- > 0;)
        bits = bits << 8 | bytes[i];
    bool is_signed = !type.pointers && type.is_signed;
    *term = (struct term){
        .value = {expr_extend(bits, size, is_signed), is_signed, (uint8_t)size},
        .place = PLACE_MEMORY,
        .address = address,
        .type = type.pointers ? type : (struct type){0},
    };
    return 0;
}

static const struct named_type {
    const char *name;
    uint8_t size;
    bool is_signed;
} types[] = {
    {"void", 0, false},      {"char", 1, true},      {"short", 2, true},   {"int", 4, true},
    {"long", 8, true},       {"unsigned", 4, false}, {"signed", 4, true},  {"uint8_t", 1, false},
    {"int8_t", 1, true},     {"uint16_t", 2, false}, {"int16_t", 2, true}, {"uint32_t", 4, false},
    {"int32_t", 4, true},    {"uint64_t", 8, false}, {"int64_t", 8, true}, {"size_t", 8, false},
    {"uintptr_t", 8, false},
};

static const struct named_type *
type_here(const struct parser *p)
{
    for (unsigned i = 0; p->token.kind == TOKEN_NAME && i < sizeof(types) / sizeof(types[0]); i++)
        if (strlen(types[i].name) == p->token.length &&
            !memcmp(types[i].name, p->token.text, p->token.length))
            return &types[i];
    return NULL;
}

/* "unsigned long", "uint8_t *": at least one word of type_here(). */
static int
parse_type(struct parser *p, struct type *type)
{
    const struct named_type *named = type_here(p);
    bool is_unsigned = false, is_signed = false;
    int rc;

    *type = (struct type){named->size, named->is_signed, 0};
    for (unsigned words = 0; (named = type_here(p)); words++) {
        if (words == 4)
            return expr_fail(p, EINVAL, p->token.at, "this type has too many words");
        is_unsigned |= !strcmp(named->name, "unsigned");
        is_signed |= !strcmp(named->name, "signed");
        /* The narrowing or widening word decides: "short int", "long unsigned int". */
        if (strcmp(named->name, "unsigned") && strcmp(named->name, "signed") &&
            (strcmp(named->name, "int") || !words || (type->size == 4)))
            *type = (struct type){named->size, named->is_signed, 0};
        if ((rc = expr_next(p)))
            return rc;
    }
    if (is_unsigned || is_signed)
        type->is_signed = is_signed;
    while (is_operator(p, "*")) {
        if (++type->pointers > 8)
            return expr_fail(p, EINVAL, p->token.at, "this type has too many stars");
        if ((rc = expr_next(p)))
            return rc;
    }
    return 0;
}

/* (TYPE)OPERAND, the parenthesis is read. */
static int
parse_cast(struct parser *p, struct term *term)
{
    const char *at = p->token.at;
    struct type type;
    int rc = parse_type(p, &type);

    if (!rc)
        rc = expect(p, ")", "behind the type");
    if (!rc)
        rc = parse(p, 12, term);
    if (rc)
        return rc;
    if (!type.pointers && !type.size)
        return expr_fail(p, EINVAL, at, "there are no values of type void");
    uint64_t bits = term->value.bits;
    *term = (struct term){0};
    if (type.pointers)
        *term = (struct term){.value = {bits, false, 8}, .type = type};
    else
        term->value = (struct value){expr_extend(bits, type.size, type.is_signed), type.is_signed,
                                     type.size};
    return 0;
}

/* {TYPE}ADDRESS: the same as *(TYPE *)ADDRESS. */
static int
parse_braces(struct parser *p, struct term *term)
{
    const char *at = p->token.at;
    struct type type;
    int rc = expr_next(p);

    if (!rc && !type_here(p))
        rc = expr_fail(p, EINVAL, p->token.at,
                       "a type belongs in the braces, as in {uint32_t}$rsp");
    if (!rc)
        rc = parse_type(p, &type);
    if (!rc)
        rc = expect(p, "}", "behind the type");
    if (!rc)
        rc = parse(p, 12, term);
    if (rc)
        return rc;
    type.pointers++;
    term->type = type;
    return fetch(p, at, term);
}

/* - + ~ ! * & before an operand. */
static int
parse_unary(struct parser *p, struct term *term)
{
    const char *at = p->token.at;
    char c = *p->token.text;
    int rc = expr_next(p);

    if (!rc)
        rc = parse(p, 12, term);
    if (rc)
        return rc;
    uint64_t bits = term->value.bits;
    bool is_signed = expr_is_signed(term);
    switch (c) {
    case '-': *term = expr_plain(-bits, is_signed); return 0;
    case '+': *term = expr_plain(bits, is_signed); return 0;
    case '~': *term = expr_plain(~bits, is_signed); return 0;
    case '!': *term = expr_plain(!bits, true); return 0;
    case '*': return fetch(p, at, term);
    default: break;
    }
    if (term->place != PLACE_MEMORY && term->place != PLACE_SYMBOL)
        return expr_fail(p, EINVAL, at,
                         "& gives the address of a symbol or of memory, of nothing "
                         "else");
    *term = expr_plain(term->address, false);
    return 0;
}

static int
parse_operand(struct parser *p, struct term *term)
{
    const char *at = p->token.at;
    int rc;

    switch (p->token.kind) {
    case TOKEN_NUMBER: *term = (struct term){.value = p->token.value}; return expr_next(p);
    case TOKEN_NAME:
        if (type_here(p))
            return expr_fail(p, EINVAL, at, "a type stands in parentheses: (uint8_t)$rax");
        return expr_name(p, term);
    case TOKEN_DOLLAR:
    case TOKEN_FILE: return expr_name(p, term);
    case TOKEN_END: return expr_fail(p, EINVAL, at, "a value is missing at the end");
    default: break;
    }
    if (is_operator(p, "(")) {
        rc = expr_next(p);
        if (!rc && type_here(p))
            return parse_cast(p, term);
        if (!rc)
            rc = parse(p, 1, term);
        return rc ? rc : expect(p, ")", "one was opened");
    }
    if (is_operator(p, "{"))
        return parse_braces(p, term);
    if (p->token.kind == TOKEN_OPERATOR && p->token.length == 1 && strchr("-+~!*&", *p->token.text))
        return parse_unary(p, term);
    if (is_operator(p, "&&"))
        return expr_fail(p, EINVAL, at, "&& stands between two values");
    return expr_fail(p, EINVAL, at, "a value belongs here: a number, $register, symbol or (...)");
}

/* OPERAND[INDEX]... */
static int
parse_postfix(struct parser *p, struct term *term)
{
    int rc = parse_operand(p, term);

    while (!rc && is_operator(p, "[")) {
        const char *at = p->token.at;
        struct term base = *term, index;
        if (!base.type.pointers)
            return expr_fail(p, EINVAL, at, "[ ] needs a pointer: ((uint32_t *)ADDRESS)[1]");
        rc = expr_next(p);
        if (!rc)
            rc = parse(p, 1, &index);
        if (!rc)
            rc = expect(p, "]", "one was opened");
        if (rc)
            return rc;
        index.type = (struct type){0};
        expr_add_pointers(OP_ADD, &base, &index, term);
        rc = fetch(p, at, term);
    }
    return rc;
}

/* --- by precedence -------------------------------------------------------------------------------- */

/* a && b, a || b: b is computed only if a does not decide. */
static int
parse_logical(struct parser *p, const struct binary *op, struct term *term)
{
    bool a = term->value.bits, decided = op->operation == OP_ANDAND ? !a : a;
    struct term right;

    p->skip += decided;
    int rc = parse(p, op->binds + 1u, &right);
    p->skip -= decided;
    *term = expr_plain(decided ? a : right.value.bits != 0, true);
    return rc;
}

/* a ? b : c; the type is that of b + c. */
static int
parse_conditional(struct parser *p, struct term *term)
{
    bool first = term->value.bits;
    struct term yes, no;

    p->skip += !first;
    int rc = parse(p, 1, &yes);
    p->skip -= !first;
    if (!rc)
        rc = expect(p, ":", "as in a ? b : c");
    if (rc)
        return rc;
    p->skip += first;
    rc = parse(p, 1, &no);
    p->skip -= first;
    if (rc)
        return rc;
    struct type type = (first ? &yes : &no)->type;
    *term = expr_plain((first ? &yes : &no)->value.bits,
                       expr_is_signed(&yes) && expr_is_signed(&no));
    term->type = type;
    return 0;
}

/* Everything from here on that binds at least so tightly. */
static int
parse(struct parser *p, unsigned binds, struct term *term)
{
    const struct binary *op;

    *term = expr_plain(0, true);
    if (++p->depth > EXPR_DEPTH_MAX)
        return expr_fail(p, EINVAL, p->token.at, "more than %u levels of nesting", EXPR_DEPTH_MAX);
    int rc = parse_postfix(p, term);
    while (!rc && (op = binary_here(p)) && op->binds >= binds) {
        const char *at = p->token.at;
        struct term left = *term, right;
        rc = expr_next(p);
        if (rc)
            break;
        if (op->operation == OP_ANDAND || op->operation == OP_OROR) {
            rc = parse_logical(p, op, term);
        } else if (op->operation == OP_COND) {
            rc = parse_conditional(p, term);
        } else {
            rc = parse(p, op->binds + 1u, &right);
            if (!rc)
                rc = expr_compute(p, at, op->operation, &left, &right, term);
        }
    }
    p->depth--;
    return rc;
}

/* --- the four ways in ----------------------------------------------------------------------------- */

static int
begin(struct parser *p, struct debugger *debugger, const char *text, struct error *err)
{
    *p = (struct parser){.debugger = debugger, .start = text, .at = text, .err = err};
    return expr_next(p);
}

static int
nothing_behind(struct parser *p)
{
    if (p->token.kind == TOKEN_END)
        return 0;
    if (is_operator(p, "="))
        return expr_fail(p, EINVAL, p->token.at,
                         "only `set` and `print` assign, and only to a register, memory or "
                         "$variable; == compares");
    return expr_fail(p, EINVAL, p->token.at, "the expression ends before this");
}

int
expr_evaluate(struct debugger *debugger, const char **text, struct value *value, struct error *err)
{
    struct parser p;
    struct term term;
    int rc = begin(&p, debugger, *text, err);

    if (!rc)
        rc = parse(&p, 1, &term);
    if (rc)
        return rc;
    *value = term.value;
    *text = p.token.at;
    return 0;
}

int
expr_evaluate_all(struct debugger *debugger, const char *text, struct value *value,
                  struct error *err)
{
    struct parser p;
    struct term term;
    int rc = begin(&p, debugger, text, err);

    if (!rc)
        rc = parse(&p, 1, &term);
    if (!rc)
        rc = nothing_behind(&p);
    if (!rc)
        *value = term.value;
    return rc;
}

static int
assign(struct parser *p, const struct term *to, struct value *value)
{
    uint8_t bytes[8];

    if (to->place != PLACE_MEMORY)
        return expr_set_place(p, to, value);
    unsigned size = to->value.size;
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value->bits >> (8 * i));
    struct machine *m = p->debugger->machine;
    int rc = m->ops->write(m, SPACE_LINEAR, to->address, bytes, size, p->err);
    *value = (struct value){expr_extend(value->bits, size, to->value.is_signed),
                            to->value.is_signed, (uint8_t)size};
    return rc;
}

/* The place on the left of =. A variable need not exist yet. */
static int
parse_place(struct parser *p, struct term *term)
{
    struct parser before = *p;

    if (p->token.kind != TOKEN_DOLLAR)
        return parse(p, 1, term);
    int rc = expr_next(p);
    if (rc || !is_operator(p, "=")) {
        *p = before;
        return parse(p, 1, term);
    }
    struct token end = p->token;
    const char *at = p->at;
    *p = before;
    p->skip++; /* an unknown name is no mistake here */
    rc = expr_name(p, term);
    p->skip--;
    if (!rc)
        p->token = end, p->at = at;
    return rc;
}

int
expr_assign(struct debugger *debugger, const char *text, struct value *value, bool *assigned,
            struct error *err)
{
    struct parser p;
    struct term to, from;
    int rc = begin(&p, debugger, text, err);

    *assigned = false;
    if (!rc)
        rc = parse_place(&p, &to);
    if (!rc && !is_operator(&p, "=")) {
        *value = to.value;
        return nothing_behind(&p);
    }
    const char *at = p.token.at;
    if (!rc && (to.place == PLACE_NONE || to.place == PLACE_SYMBOL))
        rc = expr_fail(&p, EINVAL, at, "only a register, memory or a $variable can be set%s",
                       to.place == PLACE_SYMBOL ? "; of a symbol, as in *(int *)symbol" : "");
    if (!rc)
        rc = expr_next(&p);
    if (!rc)
        rc = parse(&p, 1, &from);
    if (!rc)
        rc = nothing_behind(&p);
    if (rc)
        return rc;
    *value = from.value;
    *assigned = true;
    return assign(&p, &to, value);
}
