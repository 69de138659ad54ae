/*
 * watch.c - what a watchpoint watches: an address and how many bytes, from what the user typed.
 *
 * Called by commands_stops.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "debugger/catch.h"

static const struct {
    const char *name;
    unsigned size;
} types[] = {
    {"char", 1},      {"unsigned char", 1},  {"int8_t", 1},  {"uint8_t", 1},  {"bool", 1},
    {"short", 2},     {"unsigned short", 2}, {"int16_t", 2}, {"uint16_t", 2}, {"int", 4},
    {"unsigned", 4},  {"unsigned int", 4},   {"int32_t", 4}, {"uint32_t", 4}, {"long", 8},
    {"long long", 8}, {"unsigned long", 8},  {"int64_t", 8}, {"uint64_t", 8},
};

/* The size of the type that begins at *text and ends before `end`; 0: it is none. Moves *text
 * behind it. */
static unsigned
type_size(const char **text, const char *end)
{
    const char *stop = strstr(*text, end);

    for (unsigned i = 0; stop && i < ARRAY_SIZE(types); i++) {
        size_t n = strlen(types[i].name);
        const char *at = *text + strspn(*text, " ");
        if (strncmp(at, types[i].name, n))
            continue;
        at += n;
        at += strspn(at, " ");
        if (at != stop)
            continue;
        *text = stop + strlen(end);
        return types[i].size;
    }
    return 0;
}

int
stops_parse_object(struct debugger *debugger, const char *text, uint64_t *address, uint64_t *size,
                   struct error *err)
{
    struct value value;
    unsigned known = 0;
    const char *at = text;
    int rc;

    if (*at == '{') {
        at++;
        known = type_size(&at, "}");
    } else if (*at == '*') {
        at++;
        at += strspn(at, " ");
        if (*at == '(') {
            const char *inside = at + 1;
            known = type_size(&inside, "*)");
            if (!known)
                known = type_size(&inside, "* )");
            at = known ? inside : at;
        }
    }
    if (*text == '{' && !known)
        return error_set(err, EINVAL, "'%.64s' begins with no type: {uint32_t}ADDRESS", text);
    if ((rc = expr_evaluate(debugger, &at, &value, err)))
        return rc;
    *address = value.bits;
    *size = known ? known : 8;
    if (*at == ',') {
        at++;
        if ((rc = expr_evaluate_all(debugger, at + strspn(at, " "), &value, err)))
            return rc;
        *size = value.bits;
    } else if (*at) {
        return error_set(err, EINVAL, "watch cannot read '%.64s'", at);
    }
    if (!*size || *size > 4096 || *address + *size - 1 < *address)
        return error_set(err, EINVAL, "a watchpoint has 1 to 4096 bytes");
    return 0;
}

/* The watched bytes as a number. False: they are not there, or too many. */
static bool
read_watched(struct debugger *debugger, const struct stop_entry *entry, uint64_t *value)
{
    struct machine *machine = debugger->machine;

    *value = 0;
    return entry->size <= sizeof(*value) &&
           !machine->ops->read(machine, SPACE_LINEAR, entry->address, value, entry->size, NULL);
}

void
stops_remember_watched(struct debugger *debugger, struct stop_entry *entry)
{
    entry->seen_known = read_watched(debugger, entry, &entry->seen);
}

void
stops_show_watched(struct debugger *debugger, struct stop_entry *entry)
{
    uint64_t value;

    if (!read_watched(debugger, entry, &value))
        return;
    fprintf(debugger->out, "  %s: ", entry->what);
    if (entry->seen_known)
        fprintf(debugger->out, "0x%" PRIx64 " -> ", entry->seen);
    fprintf(debugger->out, "0x%" PRIx64 "\n", value);
    entry->seen = value;
    entry->seen_known = true;
}
