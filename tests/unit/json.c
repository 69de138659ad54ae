/*
 * json.c - see json.h. Each function returns where its part ends, or NULL.
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "tests/unit/json.h"

static const char *value(const char *p, unsigned depth);

static const char *
blank(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* One character of UTF-8 beyond ASCII (RFC 3629, section 4). */
static const char *
wide(const unsigned char *p)
{
    unsigned more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
    unsigned long code = p[0] & (0x3fu >> more);

    if (p[0] < 0xc2 || p[0] > 0xf4)
        return NULL;
    for (unsigned i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return NULL;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < (more == 1   ? 0x80ul
                : more == 2 ? 0x800ul
                            : 0x10000ul) ||
        code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return NULL;
    return (const char *)p + more + 1;
}

static const char *
string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    while (*p != '"') {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20)
            return NULL;
        if (c >= 0x80) {
            if (!(p = wide((const unsigned char *)p)))
                return NULL;
        } else if (c != '\\') {
            p++;
        } else if (p[1] == 'u') {
            for (int i = 2; i < 6; i++)
                if (!isxdigit((unsigned char)p[i]))
                    return NULL;
            p += 6;
        } else if (p[1] && strchr("\"\\/bfnrt", p[1])) {
            p += 2;
        } else {
            return NULL;
        }
    }
    return p + 1;
}

static const char *
digits(const char *p)
{
    size_t n = strspn(p, "0123456789");

    return n ? p + n : NULL;
}

static const char *
number(const char *p)
{
    p += *p == '-';
    p = *p == '0' ? p + 1 : digits(p);
    if (p && *p == '.')
        p = digits(p + 1);
    if (p && (*p == 'e' || *p == 'E'))
        p = digits(p + 1 + (p[1] == '+' || p[1] == '-'));
    return p;
}

/* An object or an array. */
static const char *
several(const char *p, unsigned depth)
{
    char end = *p == '{' ? '}' : ']';

    p = blank(p + 1);
    if (*p == end)
        return p + 1;
    for (;;) {
        if (end == '}') {
            p = string(p);
            if (!p || *(p = blank(p)) != ':')
                return NULL;
            p = blank(p + 1);
        }
        if (!(p = value(p, depth + 1)))
            return NULL;
        p = blank(p);
        if (*p == end)
            return p + 1;
        if (*p != ',')
            return NULL;
        p = blank(p + 1);
    }
}

static const char *
value(const char *p, unsigned depth)
{
    static const char *const words[] = {"true", "false", "null"};

    if (depth > 64)
        return NULL;
    if (*p == '{' || *p == '[')
        return several(p, depth);
    if (*p == '"')
        return string(p);
    for (unsigned i = 0; i < 3; i++)
        if (!strncmp(p, words[i], strlen(words[i])))
            return p + strlen(words[i]);
    return number(p);
}

bool
json_is_valid(const char *text)
{
    const char *end = value(blank(text), 0);

    return end && !*blank(end);
}
