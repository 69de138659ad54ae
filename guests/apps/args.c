/*
 * args.c - prints what a program is given at its start: arguments, and of the auxiliary vector
 * what is the same everywhere.
 */
#include "lib.h"

#define AT_PHDR   3
#define AT_PHNUM  5
#define AT_PAGESZ 6
#define AT_ENTRY  9

void _start(void);

/* The value of the pair whose first word is `key`, or 0. */
static uint64_t
find(const uint64_t *pairs, uint64_t key)
{
    for (; pairs[0]; pairs += 2)
        if (pairs[0] == key)
            return pairs[1];
    return 0;
}

int
main(int argc, char **argv, char **envp)
{
    const uint64_t *pairs;
    const uint32_t *headers; /* each begins with its kind, which is not 0 */
    say("args: %d\n", (int64_t)argc);
    for (int i = 1; i < argc; i++)
        say("  %s\n", argv[i]);
    if (argv[argc] || (uint64_t)&argv[-1] % 16)
        return 1;
    while (*envp)
        envp++;
    pairs = (const uint64_t *)(envp + 1);
    say("page size: %d\n", find(pairs, AT_PAGESZ));
    say("entry: %s\n", find(pairs, AT_ENTRY) == (uint64_t)_start ? "right" : "wrong");
    headers = (const uint32_t *)find(pairs, AT_PHDR);
    say("program headers: %s\n", headers && *headers && find(pairs, AT_PHNUM) ? "there" : "none");
    return 0;
}
