/*
 * brk.c - a heap that grows and shrinks: new pages are zero, those given back come back as zero.
 * `brk [PAGES]`: more than there are, and the kernel has to end it.
 */
#include "lib.h"

#define PAGE 4096

static uint8_t *
set_end(uint8_t *end)
{
    return (uint8_t *)sys_call(SYS_BRK, (uint64_t)end, 0, 0);
}

int
main(int argc, char **argv, char **envp)
{
    uint8_t *start = set_end(NULL), *end;
    int64_t pages = number_at(argc, argv, 1, 64);
    (void)envp;
    for (int round = 0; round < 2; round++) {
        end = set_end(start + pages * PAGE);
        if (end != start + pages * PAGE) {
            say("brk: did not grow\n");
            return 1;
        }
        for (uint8_t *p = start; p < end; p += PAGE / 2) {
            if (*p) {
                say("brk: not zero\n");
                return 1;
            }
            *p = 1;
        }
        if (set_end(start) != start) {
            say("brk: did not shrink\n");
            return 1;
        }
    }
    if (set_end((uint8_t *)0x1000) != start || set_end((uint8_t *)-1) != start) {
        say("brk: went where it must not\n");
        return 1;
    }
    say("brk: %d pages, twice\n", pages);
    return 0;
}
