/*
 * string.c - the few functions of <string.h> that we, and the compiler on its own, call.
 * `rep` is fast on a real processor; an interpreter takes a step for each item, so eight bytes at a
 * time, and the rest.
 */
#include "kernel.h"

void *
memcpy(void *to, const void *from, size_t size)
{
    void *result = to;
    size_t words = size / 8, bytes = size % 8;
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
    return result;
}

void *
memset(void *to, int byte, size_t size)
{
    void *result = to;
    size_t words = size / 8, bytes = size % 8;
    uint64_t word = 0x0101010101010101 * (uint8_t)byte;
    asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(word) : "memory");
    asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(word) : "memory");
    return result;
}

size_t
strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

int
strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}
