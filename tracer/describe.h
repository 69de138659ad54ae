/*
 * describe.h - numbers of a recording in the words that people read.
 */
#ifndef TRACER_DESCRIBE_H
#define TRACER_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tracer/read.h"
#include "tracer/syscall.h"

#define DESCRIBE_SIZE 96 /* bytes that hold any of these texts */

/* Names the address of an event: "#PF page fault" for vector 14, "IA32_EFER" for an MSR. NULL: it
 * has no name. Who knows the processor provides it; the tracer does not. */
typedef const char *describe_name_fn(unsigned kind, uint64_t address);

/* What an event's address is: "port", "msr" ... NULL: an address of this kind has no meaning. */
const char *describe_address_noun(const struct trace *trace, unsigned kind);

/* The operands of an event: "write port 0x3f8 <- 0x48 'H'". "" if there are none. name may be NULL.
 * Returns text. */
char *describe_operands(const struct trace *trace, const struct trace_event *event,
                        describe_name_fn *name, char *text, size_t size);

/* The same, but for the pictures: what is asked of the VMM's own parts is no access to memory. It is
 * said in words, or as two numbers and a result. Returns text. */
char *describe_transfer(const struct trace *trace, const struct trace_event *event,
                        describe_name_fn *name, char *text, size_t size);

/* ARGUMENTS and TEXT are parts of the event before them: from icount to value, their fields are not
 * what they are called (event.h). */
bool describe_is_part(const struct trace_event *event);
/* What one holds: "0x1, 0x7ffc00000000, 0x2, 0x0", or a text in quotes, escaped. Returns text. */
#define DESCRIBE_PART_SIZE 160
char *describe_part(const struct trace_event *event, char *text, size_t size);

/* What a recording holds of a call: event is a HOST_CALL, DENIED or EXEC of trace; if it is a copy
 * from elsewhere the first argument alone is known. */
void describe_call_values(struct syscall_values *values, const struct trace *trace,
                          const struct trace_event *event);

/* A time with three digits and its unit: "812 ns", "1.25 us", "3.40 s". Returns text. */
char *describe_time(double ns, char *text, size_t size);
/* A count with separators: "1,234,567". Returns text. */
char *describe_count(uint64_t count, char *text, size_t size);

/* Masks what a terminal might obey, or what is not UTF-8, with '?'. For every text that comes from
 * a file. Returns text. */
char *describe_clean(char *text);

/* Bytes of the UTF-8 character that text begins with, if it is fit to print; else 0. */
unsigned describe_utf8(const char *text);

#endif
