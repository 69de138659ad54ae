/*
 * picture.c - see picture.h: colours, boxes and words that the pictures share.
 */
#include <inttypes.h>
#include <string.h>

#include "tracer/describe.h"
#include "tracer/picture.h"

const struct picture_group_look picture_groups[GROUP_COUNT] = {
    [GROUP_OTHER] = {"#555555", "other"},
    [GROUP_DEVICE] = {"#0060a8", "the guest touches a device"},
    [GROUP_PROCESSOR] = {"#a03a80", "a sensitive instruction"},
    [GROUP_SERVICE] = {"#7a5200", "a call for a service"},
    [GROUP_INTERRUPT] = {"#c05000", "an interrupt"},
    [GROUP_IDLE] = {"#777777", "the guest waits"},
    [GROUP_FAULT] = {"#c01515", "an exception or a failure"},
    [GROUP_ENTRY] = {"#007a50", "the VMM resumes the guest"},
    [GROUP_CALL] = {"#2a7f96", "the VMM asks one of its parts, and gets an answer"},
};

static const uint8_t kind_group[TRACE_KIND_COUNT] = {
    [TRACE_IO] = GROUP_DEVICE,
    [TRACE_MMIO] = GROUP_DEVICE,
    [TRACE_HLT] = GROUP_IDLE,
    [TRACE_HYPERCALL] = GROUP_SERVICE,
    [TRACE_MSR] = GROUP_PROCESSOR,
    [TRACE_CPUID] = GROUP_PROCESSOR,
    [TRACE_EXCEPTION] = GROUP_FAULT,
    [TRACE_CR] = GROUP_PROCESSOR,
    [TRACE_DR] = GROUP_PROCESSOR,
    [TRACE_INVLPG] = GROUP_PROCESSOR,
    [TRACE_DTABLE] = GROUP_PROCESSOR,
    [TRACE_TSC] = GROUP_PROCESSOR,
    [TRACE_INSTRUCTION] = GROUP_PROCESSOR,
    [TRACE_INTR_WINDOW] = GROUP_INTERRUPT,
    [TRACE_KICK] = GROUP_INTERRUPT,
    [TRACE_SHUTDOWN] = GROUP_FAULT,
    [TRACE_UNIMPLEMENTED] = GROUP_FAULT,
    [TRACE_FAIL_ENTRY] = GROUP_FAULT,
    [TRACE_INTERNAL_ERROR] = GROUP_FAULT,
    [TRACE_SYSTEM_EVENT] = GROUP_SERVICE,
    [TRACE_ENTRY] = GROUP_ENTRY,
    [TRACE_INJECT] = GROUP_INTERRUPT,
    [TRACE_CALL] = GROUP_CALL,
    [TRACE_RETURN] = GROUP_CALL,
    [TRACE_SYSCALL] = GROUP_SERVICE,
    [TRACE_SYSRET] = GROUP_SERVICE,
    [TRACE_INTERRUPT] = GROUP_INTERRUPT,
    [TRACE_GUEST_FAULT] = GROUP_FAULT,
    [TRACE_IRET] = GROUP_INTERRUPT,
    [TRACE_IRQ] = GROUP_INTERRUPT,
    [TRACE_HOST_CALL] = GROUP_SERVICE,
    [TRACE_HOST_RETURN] = GROUP_ENTRY,
    [TRACE_DENIED] = GROUP_FAULT,
    [TRACE_SIGNAL] = GROUP_INTERRUPT,
    [TRACE_HOST_FAULT] = GROUP_FAULT,
    [TRACE_FORK] = GROUP_OTHER,
    [TRACE_EXEC] = GROUP_OTHER,
    [TRACE_PROCESS_END] = GROUP_OTHER,
};

const struct picture_box_look picture_boxes[BOX_COUNT] = {
    [BOX_GUEST] = {"guest", "Guest: the virtual machine", "#eef7f1", "#8fbfa5"},
    [BOX_VMM] = {"vmm", "VMM: the hypervisor", "#eef3fa", "#93afd0"},
    [BOX_DEVICE] = {"device", "Devices, imitated by the VMM", "#faf5ea", "#cdb88a"},
    [BOX_HOST] = {"host", "Host", "#f3f3f3", "#b0b0b0"},
};

const uint8_t picture_domain_box[TRACE_DOMAIN_COUNT] = {
    [TRACE_GUEST_USER] = BOX_GUEST, [TRACE_GUEST_KERNEL] = BOX_GUEST, [TRACE_VMM] = BOX_VMM,
    [TRACE_DEVICE] = BOX_DEVICE,    [TRACE_HOST_KERNEL] = BOX_HOST,
};

const char *const picture_actor_text[TRACE_ACTOR_FIRST_FREE] = {
    [TRACE_ACTOR_GUEST_USER] = "programs",
    [TRACE_ACTOR_GUEST_KERNEL] = "the guest's operating system",
    [TRACE_ACTOR_DISPATCHER] = "decides who handles an exit",
    [TRACE_ACTOR_INTERPRETER] = "carries out one instruction",
    [TRACE_ACTOR_ALLOCATOR] = "owns the map of resources",
    [TRACE_ACTOR_HOST_KERNEL] = "Linux, below the VMM",
};

enum picture_group
picture_group_of(const struct trace *trace, unsigned kind)
{
    return kind < trace->kinds && kind < TRACE_KIND_COUNT ? kind_group[kind] : GROUP_OTHER;
}

/* --- text ------------------------------------------------------------------------------------- */

void
picture_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\\': fputs("&#92;", out); break;
        default: fputc(*text, out);
        }
    }
}

double
picture_share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

char *
picture_share_text(double part, char *text, size_t size)
{
    if (part > 0 && part < 0.0005)
        snprintf(text, size, "&lt;0.1 %%");
    else
        snprintf(text, size,
                 part < 0.0995 || (part >= 0.9905 && part < 0.9995) ? "%.1f %%" : "%.0f %%",
                 100 * part);
    return text;
}

static const char *const prepositions[] = {
    [VIEW_BY_REASON] = " ",
    [VIEW_BY_RIP] = " at ",
    [VIEW_BY_SYMBOL] = " in ",
    [VIEW_BY_DEVICE] = " for ",
};

void
picture_edge_name(FILE *out, const struct graph *g, const struct graph_edge *e)
{
    char place[64];

    if (e->merged) {
        fprintf(out, "%" PRIu32 " more", e->merged);
        return;
    }
    picture_text(out, g->trace->kind[e->kind].name);
    if (!e->place)
        return;
    fprintf(out, "%s", prepositions[g->places.by]);
    picture_text(out, describe_clean(places_name(&g->places, e->place, place, sizeof(place))));
}

const char *
picture_edge_color(const struct graph *g, const struct graph_edge *e)
{
    return picture_groups[e->merged ? GROUP_OTHER : picture_group_of(g->trace, e->kind)].color;
}

uint64_t
picture_edge_count(const struct graph_edge *e)
{
    return e->count ? e->count : e->returns;
}

const char *
picture_edge_width(double part)
{
    return part >= 0.3    ? "4"
           : part >= 0.1  ? "3"
           : part >= 0.03 ? "2.2"
           : part >= 0.01 ? "1.6"
                          : "1";
}

void
picture_title(FILE *out, const struct view *view, const char *what)
{
    const struct trace *t = view->trace;
    const char *slash = strrchr(t->guest, '/');

    if (view->options->title) {
        picture_text(out, view->options->title);
        return;
    }
    fprintf(out, "%s: ", what);
    picture_text(out, t->guest[0] ? (slash && slash[1] ? slash + 1 : t->guest) : "a guest");
    if (t->engine[0]) {
        fprintf(out, " on engine ");
        picture_text(out, t->engine);
    }
    if (t->strategy[0]) {
        fprintf(out, ", strategy ");
        picture_text(out, t->strategy);
    }
}
