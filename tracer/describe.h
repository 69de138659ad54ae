/*
 * describe.h - numbers of a recording in the words that people read.
 */
#ifndef TRACER_DESCRIBE_H
#define TRACER_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/read.h"

#define DESCRIBE_SIZE 96 /* bytes that hold any of these texts */

/* What an event's address is: "port", "msr" ... NULL: an address of this kind has no meaning. */
const char *describe_address_noun(const struct trace *trace, unsigned kind);

/* The operands of an event: "write port 0x3f8 <- 0x48 'H'". "" if there are none. vector_name may
 * be NULL; else it names an exception ("#PF"), or returns NULL. Returns text. */
char *describe_operands(const struct trace *trace, const struct trace_event *event,
                        const char *(*vector_name)(unsigned vector), char *text, size_t size);

/* A time with three digits and its unit: "812 ns", "1.25 us", "3.40 s". Returns text. */
char *describe_time(double ns, char *text, size_t size);
/* A count with separators: "1,234,567". Returns text. */
char *describe_count(uint64_t count, char *text, size_t size);

#endif
