/* error.c - see error.h. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"

int
error_set(struct error *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
    }
    return -code;
}

int
error_prefix(struct error *err, int code, const char *format, ...)
{
    if (err) {
        char rest[sizeof(err->message)];
        memcpy(rest, err->message, sizeof(rest));
        va_list args;
        va_start(args, format);
        int n = vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < sizeof(err->message))
            snprintf(err->message + n, sizeof(err->message) - (size_t)n, ": %s", rest);
    }
    return code;
}
