/* cat.c - copies what it reads, to the end. */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    char buffer[512];
    int64_t n;
    (void)argc, (void)argv, (void)envp;
    while ((n = sys_read(0, buffer, sizeof(buffer))) > 0)
        for (int64_t done = 0, now; done < n; done += now) {
            now = sys_write(1, buffer + done, n - done);
            if (now <= 0)
                return 1;
        }
    return n < 0;
}
