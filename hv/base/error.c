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
        /* What does not fit is cut, on purpose. */
        int room = n < 0 ? 0 : (int)sizeof(err->message) - n;
        if (room > 3)
            snprintf(err->message + n, (size_t)room, ": %.*s", room - 3, rest);
    }
    return code;
}
