/*
 * expr_lex.c - an expression's text as tokens, as C has them.
 *
 * Called by expr.c. Next: expr.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debugger/expr_parse.h"

int
expr_fail(struct parser *p, int code, const char *at, const char *format, ...)
{
    char sentence[384];
    va_list list;

    va_start(list, format);
    vsnprintf(sentence, sizeof(sentence), format, list);
    va_end(list);
    return error_set(p->err, code, "column %zu: %s", (size_t)(at - p->start) + 1, sentence);
}

/* Of the C locale, and safe for a char that is negative. */
static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static unsigned
digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 99;
}

/* 10, 0x1f, 017, 0b101, with u, l, ul, ll ...; unsigned if it says so or does not fit otherwise. */
static int
read_number(struct parser *p, const char *at)
{
    unsigned base = 10;
    uint64_t bits = 0;
    bool is_unsigned = false, any = false;

    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
        base = 16, at += 2;
    else if (at[0] == '0' && (at[1] == 'b' || at[1] == 'B'))
        base = 2, at += 2;
    else if (at[0] == '0')
        base = 8;
    for (; digit_value(*at) < base; at++, any = true)
        if (__builtin_mul_overflow(bits, (uint64_t)base, &bits) ||
            __builtin_add_overflow(bits, (uint64_t)digit_value(*at), &bits))
            return expr_fail(p, EINVAL, p->token.at, "this number needs more than 64 bits");
    for (unsigned i = 0; i < 3 && *at && strchr("uUlL", *at); i++)
        is_unsigned |= *at == 'u' || *at == 'U', at++;
    if (!any || is_digit(*at) || is_letter(*at) || *at == '.')
        return expr_fail(p, EINVAL, p->token.at,
                         "this is no whole number (10, 0x1f, 017 and 0b101 are)");
    p->token.kind = TOKEN_NUMBER;
    p->token.value = (struct value){bits, !is_unsigned && !(bits >> 63), 8};
    p->at = at;
    return 0;
}

/* 'a' and '\n' are numbers, 'file.c' is a file. */
static int
read_quoted(struct parser *p, const char *at)
{
    static const char escapes[] = "n\nt\tr\rb\bf\fv\va\ae\33"
                                  "0\0";
    const char *first = at + 1, *end;
    char c = *first;

    if (c == '\\' && first[1] && first[2] == '\'') {
        c = first[1];
        for (const char *e = escapes; e + 1 < escapes + sizeof(escapes); e += 2)
            if (*e == first[1])
                c = e[1];
        end = first + 2;
    } else if (c && c != '\'' && first[1] == '\'') {
        end = first + 1;
    } else {
        end = strchr(first, '\'');
        if (!end || end == first)
            return expr_fail(p, EINVAL, at, "the closing quote is missing ('a' or 'file.c':12)");
        p->token.kind = TOKEN_FILE;
        p->token.text = first;
        p->token.length = (size_t)(end - first);
        p->at = end + 1;
        return 0;
    }
    p->token.kind = TOKEN_NUMBER;
    p->token.value = (struct value){(uint64_t)(int64_t)(signed char)c, true, 1};
    p->at = end + 1;
    return 0;
}

static void
read_name(struct parser *p, const char *at, enum token_kind kind)
{
    p->token.kind = kind;
    p->token.text = at;
    while (is_letter(*at) || is_digit(*at) || (*at == '.' && kind == TOKEN_DOLLAR) ||
           (*at == '$' && at == p->token.text && kind == TOKEN_DOLLAR))
        at++;
    p->token.length = (size_t)(at - p->token.text);
    p->at = at;
}

int
expr_next(struct parser *p)
{
    static const char *const operators[] = {
        "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "&", "|", "^",
        "~",  "!",  "<",  ">",  "=",  "?",  ":",  "(",  ")", "[", "]", "{", "}", ".", "@",
    };
    const char *at = p->at;

    while (is_space(*at))
        at++;
    p->token = (struct token){.kind = TOKEN_OTHER, .at = at};
    p->at = at;
    if ((size_t)(at - p->start) >= EXPR_LENGTH_MAX)
        return expr_fail(p, EINVAL, at, "the expression is longer than %u characters",
                         EXPR_LENGTH_MAX);
    if (is_digit(*at))
        return read_number(p, at);
    if (*at == '\'')
        return read_quoted(p, at);
    if (*at == '$') {
        read_name(p, at + 1, TOKEN_DOLLAR);
        return 0;
    }
    if (is_letter(*at)) {
        read_name(p, at, TOKEN_NAME);
        return 0;
    }
    if (!*at) {
        p->token.kind = TOKEN_END;
        return 0;
    }
    for (unsigned i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t length = strlen(operators[i]);
        if (!strncmp(at, operators[i], length)) {
            p->token.kind = TOKEN_OPERATOR;
            p->token.text = operators[i];
            p->token.length = length;
            p->at = at + length;
            return 0;
        }
    }
    return 0;
}
