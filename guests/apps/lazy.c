/*
 * lazy.c - has 64 KiB of memory and touches three pages of it: the kernel needs to find no more.
 */
#include "lib.h"

#define PAGE  4096
#define PAGES 16

static volatile unsigned char memory[PAGES * PAGE] __attribute__((aligned(PAGE)));

int
main(int argc, char **argv, char **envp)
{
    static const int touched[] = {0, 7, PAGES - 1};
    (void)argc, (void)envp;
    for (unsigned i = 0; i < 3; i++) {
        volatile unsigned char *page = memory + touched[i] * PAGE;
        if (page[0] || page[PAGE - 1]) {
            say("%s: page %d was not zero\n", argv[0], (int64_t)touched[i]);
            return 1;
        }
        page[0] = 1;
    }
    say("%s: touched 3 of %d pages, all were zero\n", argv[0], (int64_t)PAGES);
    return 0;
}
