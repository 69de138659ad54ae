/* printf.h - `printf "FORMAT", EXPRESSION...` of the debugger. Next: printf.c. */
#ifndef HV_DEBUGGER_PRINTF_H
#define HV_DEBUGGER_PRINTF_H

#include "debugger/debugger.h"

/* Prints to debugger->out; arguments: "\"%d\\n\", $rax". 0 or -errno with a sentence: then nothing
 * is printed. */
int debug_printf(struct debugger *debugger, const char *arguments, struct error *err);

#endif
