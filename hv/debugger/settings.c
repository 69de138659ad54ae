/*
 * settings.c - see settings.h: the table of settings, `set` and `show`.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "debugger/command.h"
#include "debugger/session.h"
#include "debugger/settings.h"

/* --- reading values --------------------------------------------------------------------------- */

static int
parse_switch(const char *text, bool *value, struct error *err)
{
    if (!strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "1") || !text[0])
        *value = true;
    else if (!strcmp(text, "off") || !strcmp(text, "no") || !strcmp(text, "0"))
        *value = false;
    else
        return error_set(err, EINVAL, "it is on or off");
    return 0;
}

unsigned
parse_kind(const char *text, size_t length)
{
    for (unsigned k = 1; k < TRACE_KIND_COUNT; k++)
        if (trace_kinds[k].class == TRACE_CLASS_EXIT && strlen(trace_kinds[k].name) == length &&
            !strncasecmp(trace_kinds[k].name, text, length))
            return k;
    return 0;
}

int
parse_kinds(const char *text, uint64_t *kinds, struct error *err)
{
    uint64_t bits = 0;

    while (*(text += strspn(text, " \t,|"))) {
        size_t n = strcspn(text, " \t,|");
        unsigned kind = parse_kind(text, n);
        if (!kind)
            return error_set(err, EINVAL,
                             "there is no reason '%.*s' for an exit; 'hv run --list-exits' shows "
                             "them",
                             n > 32 ? 32 : (int)n, text);
        bits |= UINT64_C(1) << kind;
        text += n;
    }
    *kinds = bits;
    return 0;
}

/* --- the settings ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned edges;
} edges[] = {{"out", EDGE_OUT}, {"in", EDGE_IN}, {"both", EDGE_OUT | EDGE_IN}};

static int
set_exit_edge(struct settings *settings, const char *text, struct error *err)
{
    for (unsigned i = 0; i < ARRAY_SIZE(edges); i++)
        if (!strcmp(text, edges[i].name)) {
            settings->exit_edge = edges[i].edges;
            return 0;
        }
    return error_set(err, EINVAL, "it is out, in or both");
}

static void
show_exit_edge(const struct settings *settings, FILE *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(edges); i++)
        if (settings->exit_edge == edges[i].edges)
            fputs(edges[i].name, out);
}

static int
set_skip(struct settings *settings, const char *text, struct error *err)
{
    return parse_kinds(text, &settings->skip_kinds, err);
}

static void
show_skip(const struct settings *settings, FILE *out)
{
    bool any = false;

    for (unsigned k = 0; k < TRACE_KIND_COUNT; k++)
        if (settings->skip_kinds >> k & 1) {
            fprintf(out, "%s%s", any ? " " : "", trace_kinds[k].name);
            any = true;
        }
    if (!any)
        fputs("(none)", out);
}

static int
set_color(struct settings *settings, const char *text, struct error *err)
{
    return parse_switch(text, &settings->color, err);
}

static void
show_color(const struct settings *settings, FILE *out)
{
    fputs(settings->color ? "on" : "off", out);
}

static int
set_confirm(struct settings *settings, const char *text, struct error *err)
{
    return parse_switch(text, &settings->confirm, err);
}

static void
show_confirm(const struct settings *settings, FILE *out)
{
    fputs(settings->confirm ? "on" : "off", out);
}

static int
set_listsize(struct settings *settings, const char *text, struct error *err)
{
    uint64_t size;
    int rc = parse_number(text, &size, err);

    if (rc)
        return rc;
    if (!size || size > 1000)
        return error_set(err, EINVAL, "it is 1 to 1000 lines");
    settings->listsize = (unsigned)size;
    return 0;
}

static void
show_listsize(const struct settings *settings, FILE *out)
{
    fprintf(out, "%u", settings->listsize);
}

static int
set_viewer(struct settings *settings, const char *text, struct error *err)
{
    if (strlen(text) >= sizeof(settings->graph_viewer))
        return error_set(err, E2BIG, "a command of at most %zu bytes",
                         sizeof(settings->graph_viewer) - 1);
    strcpy(settings->graph_viewer, text);
    return 0;
}

static void
show_viewer(const struct settings *settings, FILE *out)
{
    fputs(settings->graph_viewer[0] ? settings->graph_viewer : "(none)", out);
}

/* clang-format off */
const struct setting setting_table[] = {
    {"exit-edge", "out|in|both", "Where stepexit stops: before the VMM deals with an exit, after it, or at both", set_exit_edge, show_exit_edge},
    {"skip-exits", "[REASON]...", "Reasons that nextexit goes past", set_skip, show_skip},
    {"color", "on|off", "Colours on the terminal; off if NO_COLOR is in the environment", set_color, show_color},
    {"confirm", "on|off", "Ask before what cannot be undone, on a terminal", set_confirm, show_confirm},
    {"listsize", "N", "Lines that list prints", set_listsize, show_listsize},
    {"graph-viewer", "[COMMAND]", "Shows the pictures that graph draws; its last word is the file", set_viewer, show_viewer},
    {NULL, NULL, NULL, NULL, NULL},
};
/* clang-format on */

void
settings_default(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    settings->exit_edge = EDGE_OUT;
    settings->confirm = true;
    settings->listsize = 10;
    settings->skip_kinds = UINT64_C(1) << TRACE_KICK | UINT64_C(1) << TRACE_INTR_WINDOW;
}

/* --- set, show -------------------------------------------------------------------------------- */

/* By its name or an unambiguous beginning; NULL with a sentence. */
static const struct setting *
find_setting(const char *word, size_t length, struct error *err)
{
    const struct setting *found = NULL;
    const char *names[16], *near;
    unsigned count = 0, fits = 0;
    char typed[33];

    for (const struct setting *s = setting_table; s->name; s++) {
        if (strlen(s->name) == length && !memcmp(s->name, word, length))
            return s;
        if (!strncmp(s->name, word, length))
            found = s, fits++;
        if (count < ARRAY_SIZE(names))
            names[count++] = s->name;
    }
    if (fits == 1 && length)
        return found;
    snprintf(typed, sizeof(typed), "%.*s", length > 32 ? 32 : (int)length, word);
    near = length > 32 ? NULL : nearest_name(typed, names, count);
    if (fits > 1)
        error_set(err, EINVAL, "'%s' is ambiguous; 'show' lists the settings", typed);
    else if (near)
        error_set(err, EINVAL, "there is no setting '%s'; did you mean '%s'?", typed, near);
    else
        error_set(err, EINVAL, "there is no setting '%s'; 'show' lists them", typed);
    return NULL;
}

static size_t
name_length(const char *text)
{
    size_t n = 0;

    while (isalnum((unsigned char)text[n]) || text[n] == '-')
        n++;
    return n;
}

int
settings_set(struct debugger *debugger, const char *arguments, struct error *err)
{
    size_t n = name_length(arguments);
    const struct setting *setting;
    struct value value;
    int rc;

    if (!*arguments)
        return error_set(err, EINVAL,
                         "set what? 'set SETTING VALUE' ('show' lists the settings), or "
                         "'set $rax = 1'");
    if (!n || !strncmp(arguments, "var ", 4)) {
        bool assigned;
        rc = expr_assign(debugger, arguments + (n ? 4 : 0), &value, &assigned, err);
        if (!rc && !assigned)
            rc = error_set(err, EINVAL, "set is 'set PLACE = EXPRESSION'");
        return rc;
    }
    setting = find_setting(arguments, n, err);
    if (!setting)
        return -EINVAL;
    arguments += n;
    arguments += strspn(arguments, " \t=");
    rc = setting->set(&debugger->settings, arguments, err);
    return rc ? error_prefix(err, rc, "set %s", setting->name) : 0;
}

int
settings_show(struct debugger *debugger, const char *arguments, struct error *err)
{
    size_t n = name_length(arguments);
    const struct setting *one = NULL;

    if (n && !(one = find_setting(arguments, n, err)))
        return -EINVAL;
    for (const struct setting *s = setting_table; s->name; s++) {
        if (one && s != one)
            continue;
        fprintf(debugger->out, "%-13s ", s->name);
        s->show(&debugger->settings, debugger->out);
        fputc('\n', debugger->out);
    }
    return 0;
}
