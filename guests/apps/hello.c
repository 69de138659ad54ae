/* hello.c - the smallest program that can be seen. */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    say("hello, world\n");
    return 0;
}
