/*
 * explain_where.c - where in the VMM an exit is dealt with: functions and their lines.
 *
 * The table is where.def, which the build makes from the sources (where.awk, where.list): it cannot
 * name a function that is gone, nor an old line.
 *
 * Called by explain*.c.
 */
#include <stdio.h>

#include "debugger/explain.h"
#include "strategy/paravirt/paravirt.h"

#define WHERE(id, function, file, line)
#define WHERE_EXIT(kind, function, file, line)
#define WHERE_HYPERCALL(number, function, file, line)

static const struct where functions[AT_COUNT] = {
#undef WHERE
#define WHERE(id, function, file, line) [AT_##id] = {function, file, line},
#include "where.def"
#undef WHERE
#define WHERE(id, function, file, line)
};

static const struct where exits[TRACE_KIND_COUNT] = {
#undef WHERE_EXIT
#define WHERE_EXIT(kind, function, file, line) [kind] = {function, file, line},
#include "where.def"
#undef WHERE_EXIT
#define WHERE_EXIT(kind, function, file, line)
};

static const struct where hypercalls[HC_COUNT] = {
#undef WHERE_HYPERCALL
#define WHERE_HYPERCALL(number, function, file, line) [number] = {function, file, line},
#include "where.def"
};

char *
where_text(const struct where *where, char *text, size_t size)
{
    if (where)
        snprintf(text, size, "%s (%s:%d)", where->function, where->file, where->line);
    else
        text[0] = 0;
    return text;
}

const struct where *
where_is(enum where_id id)
{
    return &functions[id];
}

const struct where *
where_exit(enum trace_kind kind)
{
    return kind < TRACE_KIND_COUNT && exits[kind].function ? &exits[kind] : NULL;
}

const struct where *
where_hypercall(uint64_t number)
{
    return number < HC_COUNT && hypercalls[number].function ? &hypercalls[number] : NULL;
}
