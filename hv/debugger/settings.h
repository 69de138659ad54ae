/* settings.h - what `set` changes and `show` prints: one row each. Next: settings.c. */
#ifndef HV_DEBUGGER_SETTINGS_H
#define HV_DEBUGGER_SETTINGS_H

#include <stdio.h>

#include "debugger/debugger.h"

struct setting {
    const char *name, *values; /* "exit-edge", "out|in|both" */
    const char *summary;       /* without a full stop at the end */
    int (*set)(struct settings *settings, const char *text, struct error *err);
    void (*show)(const struct settings *settings, FILE *out);
};
extern const struct setting setting_table[]; /* ends with a NULL name */

void settings_default(struct settings *settings);

/* `set ...`, `show ...`. */
int settings_set(struct debugger *debugger, const char *arguments, struct error *err);
int settings_show(struct debugger *debugger, const char *arguments, struct error *err);

/* "io,hlt" or "io hlt" -> bits of enum trace_kind. 0 or -EINVAL with a sentence. */
int parse_kinds(const char *text, uint64_t *kinds, struct error *err);
/* The kind of exits whose name that is, or 0. */
unsigned parse_kind(const char *text, size_t length);

#endif
