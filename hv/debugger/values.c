/*
 * values.c - see values.h: two small arrays.
 *
 * A script can loop, so both are bounded: the history forgets its oldest values, and a variable
 * too many is refused. Next: expr.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "debugger/values.h"

#define HISTORY     4096u /* values of `print` that are kept */
#define VARIABLES   1024u
#define NAME_LENGTH 63u

struct variable {
    char name[NAME_LENGTH + 1];
    struct value value;
};

struct values {
    struct value history[HISTORY]; /* value n lies at (n - 1) % HISTORY */
    unsigned count;
    struct variable *variable;
    unsigned variables;
};

int
values_open(struct values **out, struct error *err)
{
    *out = calloc(1, sizeof(**out));
    return *out ? 0 : error_set(err, ENOMEM, "no memory for the history of values");
}

void
values_close(struct values *values)
{
    if (!values)
        return;
    free(values->variable);
    free(values);
}

unsigned
values_push(struct values *values, const struct value *value)
{
    if (!values)
        return 0;
    values->history[values->count % HISTORY] = *value;
    return ++values->count;
}

bool
values_get(const struct values *values, unsigned number, struct value *value)
{
    if (!values || !number || number > values->count || values->count - number >= HISTORY)
        return false;
    *value = values->history[(number - 1) % HISTORY];
    return true;
}

unsigned
values_count(const struct values *values)
{
    return values ? values->count : 0;
}

static struct variable *
find(const struct values *values, const char *name, size_t length)
{
    for (unsigned i = 0; values && i < values->variables; i++)
        if (!strncmp(values->variable[i].name, name, length) && !values->variable[i].name[length])
            return &values->variable[i];
    return NULL;
}

bool
values_find(const struct values *values, const char *name, size_t length, struct value *value)
{
    const struct variable *variable = length <= NAME_LENGTH ? find(values, name, length) : NULL;

    if (variable)
        *value = variable->value;
    return variable;
}

int
values_set(struct values *values, const char *name, size_t length, const struct value *value,
           struct error *err)
{
    if (!values)
        return error_set(err, ENOTSUP, "this session keeps no variables");
    if (!length || length > NAME_LENGTH)
        return error_set(err, EINVAL, "a variable's name has 1 to %u characters", NAME_LENGTH);
    struct variable *variable = find(values, name, length);
    if (!variable) {
        if (values->variables == VARIABLES)
            return error_set(err, ENOSPC, "there are %u variables already; set one of them",
                             VARIABLES);
        struct variable *more = realloc(values->variable,
                                        (values->variables + 1) * sizeof(*values->variable));
        if (!more)
            return error_set(err, ENOMEM, "no memory for the variable");
        values->variable = more;
        variable = &more[values->variables++];
        memset(variable, 0, sizeof(*variable));
        memcpy(variable->name, name, length);
    }
    variable->value = *value;
    return 0;
}

const char *
values_name(const struct values *values, unsigned i, struct value *value)
{
    if (!values || i >= values->variables)
        return NULL;
    if (value)
        *value = values->variable[i].value;
    return values->variable[i].name;
}
