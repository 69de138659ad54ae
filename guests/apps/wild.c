/*
 * wild.c - does what a kernel ends a program for, and goes on. `wild nowhere|kernel|code|...`
 */
#include "lib.h"

#define NOWHERE 0xdead000          /* nothing is mapped here, neither by Linux nor by minios */
#define KERNEL  0xffffffff80000000 /* something is, but not for us */

static void
follow(const char *what)
{
    /* The first byte of the page that the stack is in; lower than anything we have pushed. */
    volatile unsigned char *on_stack = (void *)((uint64_t)&what & ~UINT64_C(0xfff));

    switch (what[0]) {
    case 'n': *(volatile int *)NOWHERE = 1; break;
    case 'k': *(volatile int *)KERNEL; break;
    case 'c': *(volatile unsigned char *)0x401000 = 1; break; /* our own code, read-only */
    case 's':
        *on_stack = 0xc3;             /* RET */
        ((void (*)(void))on_stack)(); /* our stack, not executable */
        break;
    case 'p': asm volatile("cli"); break;
    case 'd': asm volatile("divl %0" ::"r"(0), "a"(1), "d"(0)); break;
    case 'b': asm volatile("int3"); break;
    case 'u': asm volatile("ud2"); break;
    case 'f': asm volatile("fninit"); break; /* ends it on minios only */
    }
}

int
main(int argc, char **argv, char **envp)
{
    const char *what = argc > 1 ? argv[1] : "nowhere";
    (void)envp;
    say("%s: %s\n", argv[0], what);
    follow(what);
    say("%s: still here\n", argv[0]);
    return 1;
}
