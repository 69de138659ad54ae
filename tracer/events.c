/*
 * events.c - the names that events.def and event.h give to kinds, domains and fixed actors.
 */
#include "tracer/event.h"

const struct trace_kind_info trace_kinds[TRACE_KIND_COUNT] = {
#define EVENT(id, name, class, text) {name, text, TRACE_CLASS_##class},
#include "tracer/events.def"
#undef EVENT
};

const char *const trace_domain_names[TRACE_DOMAIN_COUNT] = {
    [TRACE_GUEST_USER] = "guest user", [TRACE_GUEST_KERNEL] = "guest kernel", [TRACE_VMM] = "VMM",
    [TRACE_DEVICE] = "device",         [TRACE_HOST_KERNEL] = "host kernel",
};

const struct trace_actor_info trace_fixed_actors[TRACE_ACTOR_FIRST_FREE] = {
    [TRACE_ACTOR_GUEST_USER] = {"guest user", TRACE_GUEST_USER},
    [TRACE_ACTOR_GUEST_KERNEL] = {"guest kernel", TRACE_GUEST_KERNEL},
    [TRACE_ACTOR_DISPATCHER] = {"dispatcher", TRACE_VMM},
    [TRACE_ACTOR_INTERPRETER] = {"interpreter", TRACE_VMM},
    [TRACE_ACTOR_ALLOCATOR] = {"allocator", TRACE_VMM},
    [TRACE_ACTOR_HOST_KERNEL] = {"host kernel", TRACE_HOST_KERNEL},
};

const char *const trace_class_names[TRACE_CLASS_NOTE + 1] = {
    [TRACE_CLASS_EXIT] = "exit",   [TRACE_CLASS_ENTRY] = "entry", [TRACE_CLASS_CALL] = "call",
    [TRACE_CLASS_GUEST] = "guest", [TRACE_CLASS_NOTE] = "note",
};
