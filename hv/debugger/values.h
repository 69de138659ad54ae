/*
 * values.h - what the debugger remembers of values: the history of `print` ($1, $2 ...) and the
 * convenience variables ($name).
 *
 * Owned by struct debugger; used by expr.c. Next: values.c.
 */
#ifndef HV_DEBUGGER_VALUES_H
#define HV_DEBUGGER_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "debugger/expr.h"

struct values;

/* 0 or -ENOMEM. */
int values_open(struct values **out, struct error *err);
void values_close(struct values *values);

/* Adds a value to the history and returns its number, from 1; 0: no memory. */
unsigned values_push(struct values *values, const struct value *value);
/* Value `number` of the history. False: there is none. values may be NULL. */
bool values_get(const struct values *values, unsigned number, struct value *value);
/* How many the history has: the number of the last one. */
unsigned values_count(const struct values *values);

/* The variable whose name (without $) are the `length` characters at name. False: not set. */
bool values_find(const struct values *values, const char *name, size_t length, struct value *value);
/* Sets it. 0; -EINVAL: a name that is too long; -ENOSPC, -ENOMEM. */
int values_set(struct values *values, const char *name, size_t length, const struct value *value,
               struct error *err);
/* Variable i in the order of their making, for lists and completion; NULL: there are no more. */
const char *values_name(const struct values *values, unsigned i, struct value *value);

#endif
