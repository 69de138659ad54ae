/* describe.c - see describe.h. Called by the describe() functions of the devices. */
#include <stdarg.h>
#include <stdio.h>

#include "device/describe.h"

void
text_begin(struct text *text, char *buffer, size_t size)
{
    text->at = buffer;
    text->left = size;
    if (size)
        *buffer = 0;
}

void
text_add(struct text *text, const char *format, ...)
{
    va_list args;

    if (text->left <= 1)
        return;
    va_start(args, format);
    int n = vsnprintf(text->at, text->left, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < text->left ? (size_t)n : text->left - 1;
    text->at += used;
    text->left -= used;
}
