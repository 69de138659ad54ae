/* false.c - does nothing, and fails. */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    return 1;
}
