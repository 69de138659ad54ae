/*
 * stack.h - the guest's stack of calls: which function called which, across interrupts.
 *
 * By the call frame information of the guest's file where there is some, else by the chain of frame
 * pointers. Called by commands_source.c and source_step.c. Next: stack.c.
 */
#ifndef HV_DEBUGGER_STACK_H
#define HV_DEBUGGER_STACK_H

#include "debugger/debugger.h"
#include "loader/symbols.h"

/* The innermost function: where the guest is. 0, or -ENODATA for a recording. */
int stack_first(struct debugger *debugger, struct symbols_frame *frame, struct error *err);
/* The one that called it, or was interrupted by it. False: there is none, or it cannot be told. */
bool stack_caller(struct debugger *debugger, const struct symbols_frame *frame,
                  struct symbols_frame *caller);
/* "0x10c000 in kmain () at guests/minios/main.c:40", "0x401000 in ?? ()". Returns text. */
char *stack_format(struct debugger *debugger, const struct symbols_frame *frame, char *text,
                   size_t size);
/* `backtrace`: up to `count` frames. */
int stack_print(struct debugger *debugger, uint64_t count, struct error *err);

#endif
