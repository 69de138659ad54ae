/* describe.h - text for `info devices`: appends to a buffer that never overflows. */
#ifndef HV_DEVICE_DESCRIBE_H
#define HV_DEVICE_DESCRIBE_H

#include <stddef.h>

struct text {
    char *at;
    size_t left; /* with the final zero; 1: full */
};

/* size may be 0: then nothing is ever written. */
void text_begin(struct text *text, char *buffer, size_t size);
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
