/*
 * expr_parse.h - what the files of the expression parser share.
 *
 *   expr_lex.c   text to tokens
 *   expr.c       tokens to a value, by precedence
 *   expr_arith.c one operation
 *   expr_name.c  what a name stands for: registers, the exit, symbols, variables
 */
#ifndef HV_DEBUGGER_EXPR_PARSE_H
#define HV_DEBUGGER_EXPR_PARSE_H

#include <stddef.h>

#include "debugger/debugger.h"
#include "debugger/expr.h"

#define EXPR_LENGTH_MAX 4096u /* characters */
#define EXPR_DEPTH_MAX  64u   /* parentheses, operators before an operand, ?: within ?: */

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER, /* also 'c' */
    TOKEN_NAME,
    TOKEN_DOLLAR, /* text: the name behind $, perhaps empty; dots belong to it */
    TOKEN_FILE,   /* text: between the quotes */
    TOKEN_OPERATOR,
    TOKEN_OTHER, /* belongs to no expression */
};

struct token {
    enum token_kind kind;
    const char *at;     /* its first character */
    const char *text;   /* TOKEN_NAME, _DOLLAR, _FILE, _OPERATOR */
    size_t length;      /* of text */
    struct value value; /* TOKEN_NUMBER */
};

/* What a value is that stands on the left of =, or behind &. */
enum place_kind { PLACE_NONE, PLACE_MEMORY, PLACE_REGISTER, PLACE_VARIABLE, PLACE_SYMBOL };

struct type {
    uint8_t size; /* 1, 2, 4, 8; 0: void */
    bool is_signed;
    uint8_t pointers; /* stars behind it; then a value of this type has 8 bytes */
};

struct term {
    struct value value;
    struct type type; /* of what the value points to, with pointers >= 1; else pointers is 0 */
    enum place_kind place;
    uint64_t address; /* PLACE_MEMORY, PLACE_SYMBOL */
    const char *name; /* PLACE_REGISTER, PLACE_VARIABLE: in the text */
    size_t length;
};

enum operation {
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_ADD,
    OP_SUB,
    OP_SHL,
    OP_SHR,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_EQ,
    OP_NE,
    OP_AND,
    OP_XOR,
    OP_OR,
    OP_ANDAND,
    OP_OROR,
    OP_COND,
};

struct parser {
    struct debugger *debugger;
    const char *start; /* columns count from here */
    const char *at;    /* behind the token */
    struct token token;
    unsigned depth;
    unsigned skip; /* > 0: behind a && that is decided: nothing is read, nothing fails */
    struct error *err;
};

/* Reads the next token. 0 or -EINVAL with a sentence. */
int expr_next(struct parser *p);
/* -code with "column N: " and a sentence; at: in the text. */
int expr_fail(struct parser *p, int code, const char *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Cuts bits to a type of `size` bytes (0: 8) and extends them to 64 again. */
uint64_t expr_extend(uint64_t bits, unsigned size, bool is_signed);
/* A value of 64 bits that is no place. */
struct term expr_plain(uint64_t bits, bool is_signed);
/* Is it signed in arithmetic? All that is narrower than 64 bits is. */
bool expr_is_signed(const struct term *t);
/* a + b or a - b of which one is a pointer: counts elements. */
void expr_add_pointers(enum operation operation, const struct term *a, const struct term *b,
                       struct term *out);
/* a OPERATION b; at: the operator. 0, or -EINVAL for what has no result. */
int expr_compute(struct parser *p, const char *at, enum operation operation, const struct term *a,
                 const struct term *b, struct term *out);

/* The token is TOKEN_DOLLAR, TOKEN_FILE or a TOKEN_NAME: what it stands for. Reads on behind it. */
int expr_name(struct parser *p, struct term *term);
/* The names of the exit's fields, for completion; NULL behind the last; some come twice. */
const char *expr_exit_field(unsigned i);
/* Puts a value into a register or a variable. */
int expr_set_place(struct parser *p, const struct term *to, const struct value *value);

#endif
