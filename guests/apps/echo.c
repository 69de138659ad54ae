/* echo.c - prints its arguments. `echo WORD...` */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    (void)envp;
    for (int i = 1; i < argc; i++)
        say("%s%s", argv[i], i + 1 < argc ? " " : "");
    say("\n");
    return 0;
}
