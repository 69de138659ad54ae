/*
 * error.h - how library code reports what went wrong.
 *
 * A function that can fail for a reason outside our code returns 0 or a negative errno and fills
 * a struct error with one sentence that says what to do. Only hv/cli prints it and exits.
 */
#ifndef HV_BASE_ERROR_H
#define HV_BASE_ERROR_H

#include <stdarg.h>

struct error {
    char message[512];
};

/* Writes the sentence and returns -code, so that `return error_set(err, ENOMEM, "...")` works.
 * err may be NULL: then only the code is returned. code is a positive errno. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "what: " before a sentence that a callee wrote; returns code unchanged. */
int error_prefix(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
