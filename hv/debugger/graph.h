/* graph.h - pictures from the prompt. Next: commands_graph.c. */
#ifndef HV_DEBUGGER_GRAPH_H
#define HV_DEBUGGER_GRAPH_H

#include "debugger/command.h"
#include "tracer/view.h"

/* The subcommands of `graph`. */
extern const struct debug_command commands_graph[];

/* "[RANGE] [FILE]" of a view: draws it and prints the file's name. 0 or -errno. */
int debug_graph(struct debugger *debugger, const struct view_ops *view, const char *arguments,
                struct error *err);

#endif
