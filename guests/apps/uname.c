/* uname.c - whose kernel is it? The one program that prints something else on Linux. */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } names;
    (void)argc, (void)argv, (void)envp;
    if (sys_call(SYS_UNAME, (uint64_t)&names, 0, 0))
        return 1;
    say("%s %s %s\n", names.system, names.release, names.machine);
    return 0;
}
