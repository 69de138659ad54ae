/*
 * stops.c - see stops.h: the list of stops, and the question which one holds the machine.
 *
 * Next: commands_stops.c, where the user makes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debugger/expr.h"
#include "debugger/go.h"
#include "debugger/session.h"
#include "debugger/stops.h"

const char *
stops_type_name(enum stop_type type)
{
    static const char *const names[] = {"breakpoint",      "hw breakpoint",  "hw watchpoint",
                                        "read watchpoint", "acc watchpoint", "catch exit",
                                        "catch entry",     "catch inject"};

    return names[type];
}

/* --- the list --------------------------------------------------------------------------------- */

struct stop_entry *
stops_add(struct stops *stops, enum stop_type type, const char *what, struct error *err)
{
    struct stop_entry *entry;

    if (stops->count == STOPS_MAX) {
        error_set(err, ENOSPC, "there are %d stops already: delete some", STOPS_MAX);
        return NULL;
    }
    entry = calloc(1, sizeof(*entry));
    if (!entry || !(entry->what = strdup(what))) {
        free(entry);
        error_set(err, ENOMEM, "no memory for a stop");
        return NULL;
    }
    entry->number = ++stops->last;
    entry->type = type;
    entry->enabled = true;
    stops->entry[stops->count++] = entry;
    stops->changed = true;
    return entry;
}

struct stop_entry *
stops_find(const struct stops *stops, uint64_t number, struct error *err)
{
    for (unsigned i = 0; i < stops->count; i++)
        if (stops->entry[i]->number == number)
            return stops->entry[i];
    error_set(err, ENOENT, "there is no stop %llu; 'info breakpoints' lists them",
              (unsigned long long)number);
    return NULL;
}

static void
free_entry(struct stop_entry *entry)
{
    free(entry->what);
    free(entry->condition);
    free(entry->commands);
    free(entry);
}

void
stops_delete(struct stops *stops, struct stop_entry *entry)
{
    unsigned i = 0;

    while (stops->entry[i] != entry)
        i++;
    stops->count--;
    memmove(&stops->entry[i], &stops->entry[i + 1], (stops->count - i) * sizeof(stops->entry[0]));
    free_entry(entry);
    stops->changed = true;
}

void
stops_free(struct stops *stops)
{
    for (unsigned i = 0; i < stops->count; i++)
        free_entry(stops->entry[i]);
    free(stops);
}

void
stops_used(struct stops *stops, struct stop_entry *entry)
{
    if (!entry->once)
        return;
    if (entry->disable) {
        entry->once = entry->enabled = false;
        stops->changed = true;
    } else {
        stops_delete(stops, entry);
    }
}

/* --- before the machine goes ------------------------------------------------------------------ */

static const enum stop_kind kind_of_type[] = {
    [BREAK_SOFT] = STOP_EXECUTE, [BREAK_HARD] = STOP_EXECUTE,  [WATCH_WRITE] = STOP_WRITE,
    [WATCH_READ] = STOP_READ,    [WATCH_ACCESS] = STOP_ACCESS,
};

/* One point for all stops at one place: processors have four. */
static void
add_point(struct stops *stops, const struct stop_point *point)
{
    unsigned i = 0;

    while (i < stops->points &&
           (stops->point[i].address != point->address || stops->point[i].size != point->size ||
            stops->point[i].kind != point->kind))
        i++;
    if (i == stops->points)
        stops->point[stops->points++] = *point;
}

static int
set_points(struct debugger *debugger, const struct stop_point *place, struct error *err)
{
    struct machine *machine = debugger->machine;
    struct stops *stops = debugger->stops;
    int rc;

    stops->points = 0;
    for (unsigned i = 0; i < stops->count; i++) {
        const struct stop_entry *e = stops->entry[i];
        if (e->enabled && e->type < CATCH_EXIT)
            add_point(stops, &(struct stop_point){e->address, e->size, kind_of_type[e->type]});
    }
    if (place)
        add_point(stops, place);
    rc = machine->ops->set_points(machine, stops->point, stops->points, err);
    stops->changed = rc || place; /* without the place, the next time */
    return rc;
}

int
stops_prepare(struct debugger *debugger, const struct go *go, struct machine_goal *goal,
              struct error *err)
{
    struct stops *stops = debugger->stops;
    int rc;

    if ((stops->changed || go->place) && (rc = set_points(debugger, go->place, err)))
        return rc;
    goal->instructions = go->instructions;
    goal->edges = go->edges;
    goal->points = stops->points > 0;
    if (debugger->session->tracing && !go->back)
        goal->edges |= EDGE_OUT;
    for (unsigned i = 0; i < stops->count && !go->own_points_only; i++) {
        const struct stop_entry *e = stops->entry[i];
        if (e->enabled && e->type == CATCH_EXIT)
            goal->edges |= EDGE_OUT;
        else if (e->enabled && e->type == CATCH_ENTRY)
            goal->edges |= EDGE_IN;
        else if (e->enabled && e->type == CATCH_INJECT)
            goal->injects = true;
    }
    return 0;
}

/* --- while it goes ---------------------------------------------------------------------------- */

/* What `catch exit KIND OPERAND` compares. False: such exits have none. */
static bool
operand_of(const struct vm_exit *exit, uint64_t *operand)
{
    switch (exit->kind) {
    case TRACE_IO:
    case TRACE_MMIO: *operand = exit->access.address; return true;
    case TRACE_HYPERCALL: *operand = exit->hypercall.number; return true;
    case TRACE_MSR: *operand = exit->msr.index; return true;
    case TRACE_CPUID: *operand = exit->cpuid.leaf; return true;
    case TRACE_EXCEPTION: *operand = exit->exception.vector; return true;
    case TRACE_CR:
    case TRACE_DR: *operand = exit->reg.number; return true;
    case TRACE_INVLPG: *operand = exit->invlpg.address; return true;
    case TRACE_HOST_CALL:
    case TRACE_DENIED: *operand = exit->call.number; return true;
    case TRACE_SIGNAL:
    case TRACE_HOST_FAULT: *operand = exit->signal.number; return true;
    default: return false;
    }
}

static bool
matches_catch(const struct stop_entry *e, const struct machine *machine, const struct stop *stop)
{
    uint64_t operand;

    if (e->type == CATCH_INJECT)
        return stop->why == STOP_INJECT && (!e->operand_given || e->operand == stop->point);
    if (stop->why != STOP_EDGE || machine->now.edge != (e->type == CATCH_EXIT ? EDGE_OUT : EDGE_IN))
        return false;
    if (!(e->kinds >> machine->exit.kind & 1))
        return false;
    return !e->operand_given || (operand_of(&machine->exit, &operand) && operand == e->operand);
}

/* Does the point that was hit belong to this stop? */
static bool
matches_point(const struct stops *stops, const struct stop_entry *e, const struct stop *stop)
{
    const struct stop_point *point;

    if (stop->why != STOP_POINT || stop->point >= stops->points)
        return false;
    point = &stops->point[stop->point];
    return kind_of_type[e->type] == point->kind && e->address == point->address &&
           e->size == point->size;
}

/* True if the condition holds, and if it cannot be evaluated: then the user is told why. */
static bool
condition_holds(struct debugger *debugger, const struct stop_entry *e)
{
    struct value value;
    struct error why = {""};

    if (!e->condition)
        return true;
    if (!expr_evaluate_all(debugger, e->condition, &value, &why))
        return value.bits != 0;
    error_set(&debugger->stops->note, EINVAL,
              "the condition of %u, '%.128s', has no value here: %.256s", e->number, e->condition,
              why.message);
    return true;
}

struct stop_entry *
stops_hit(struct debugger *debugger, const struct stop *stop, bool back)
{
    struct stops *stops = debugger->stops;
    struct stop_entry *found = NULL;

    stops->note.message[0] = 0;
    for (unsigned i = 0; i < stops->count; i++) {
        struct stop_entry *e = stops->entry[i];
        if (!e->enabled || !(e->type >= CATCH_EXIT ? matches_catch(e, debugger->machine, stop)
                                                   : matches_point(stops, e, stop)))
            continue;
        if (!condition_holds(debugger, e))
            continue;
        if (!back) {
            e->hits++;
            if (e->ignore) {
                e->ignore--;
                continue;
            }
        }
        if (!found)
            found = e;
    }
    return found;
}
