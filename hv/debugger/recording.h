/*
 * recording.h - a recording in words that the tracer cannot know: the processor's names, the
 * guest's symbols, the instruction at an exit.
 *
 * Called by hv trace, hv graph and the debugger, which all give recording_view() to tracer/.
 * Next: tracer/view.h.
 */
#ifndef HV_DEBUGGER_RECORDING_H
#define HV_DEBUGGER_RECORDING_H

#include "base/error.h"
#include "loader/symbols.h"
#include "tracer/view.h"

/* Fills what options need to say names: resolve, name, card, and context, which is symbols (it may
 * be NULL: no symbols). All other members stay. trace: for the strategy it was recorded under. */
void recording_view(struct view_options *options, const struct trace *trace,
                    struct symbols *symbols);

/* Opens the symbols of the guest's file, or of `path` if it is not NULL. A guest's file that is not
 * there, or is another build than the recorded one, is no error: *symbols is NULL then, and err
 * says why (its text is "" if there is nothing to say). 0, or -errno: path cannot be read. */
int recording_symbols(struct symbols **symbols, const struct trace *trace, const char *path,
                      struct error *err);

#endif
