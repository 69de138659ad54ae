/*
 * echo.c - repeats each line that is typed, until "quit".
 */
#include "sys.h"

int
main(int argc, char **argv)
{
    char line[80];
    unsigned used = 0;
    char c;
    (void)argc;
    say("%s: type; \"quit\" ends\n", argv[0]);
    while (sys_call(SYS_READ, 0, (uint64_t)&c, 1) == 1) {
        if (c != '\n') {
            if (used < sizeof(line) - 1)
                line[used++] = c;
            continue;
        }
        line[used] = 0;
        if (used == 4 && line[0] == 'q' && line[1] == 'u' && line[2] == 'i' && line[3] == 't')
            break;
        say("%s: %s\n", argv[0], line);
        used = 0;
    }
    return 0;
}
