/* string.c - the few functions on strings and numbers that the programs share. */
#include "lib.h"

int64_t
number(const char *s)
{
    int64_t value = 0;
    while (*s >= '0' && *s <= '9')
        value = value * 10 + (*s++ - '0');
    return value;
}

int64_t
number_at(int argc, char **argv, int index, int64_t otherwise)
{
    return index < argc ? number(argv[index]) : otherwise;
}

bool
equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

size_t
length(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

bool
path_beside(const char *argv0, const char *name, char *path, size_t size)
{
    size_t folder = 0, n;
    for (size_t i = 0; argv0[i]; i++)
        if (argv0[i] == '/')
            folder = i + 1;
    n = length(name);
    if (folder + n + 1 > size)
        return false;
    memcpy(path, argv0, folder);
    memcpy(path + folder, name, n + 1);
    return true;
}

int
status_of(int wait_status)
{
    return wait_status & 0x7f ? 128 + (wait_status & 0x7f) : wait_status >> 8 & 0xff;
}

void *
memcpy(void *to, const void *from, size_t size)
{
    char *t = to;
    const char *f = from;
    while (size--)
        *t++ = *f++;
    return to;
}

void *
memset(void *to, int byte, size_t size)
{
    char *t = to;
    while (size--)
        *t++ = (char)byte;
    return to;
}
