/*
 * report.c - the service of ticket 8: forty workers at once, each a process, add up the figures.
 *
 * It is done when all have come back. Each waits for the others, so forty processes are needed, and
 * 32 are not enough. Read next: look.c.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 40

int
main(void)
{
    int done[2], go[2];
    unsigned started = 0, sum = 0;
    uint8_t figure;

    if (pipe(done) || pipe(go))
        return 2;
    for (; started < WORKERS; started++) {
        pid_t child = fork();
        if (child < 0) {
            printf("report: worker %u cannot be started: %s\n", started + 1, strerror(errno));
            break;
        }
        if (!child) {
            close(go[1]);
            figure = (uint8_t)(started * 37 % 100);
            if (write(done[1], &figure, 1) != 1 || read(go[0], &figure, 1) < 0)
                _exit(1);
            _exit(0);
        }
    }
    for (unsigned n = 0; n < started && read(done[0], &figure, 1) == 1; n++)
        sum += figure;
    close(go[1]); /* all are there: they may go */
    while (wait(NULL) > 0)
        ;
    printf("report: %u of %u workers, sum %u\n", started, WORKERS, sum);
    return started == WORKERS ? 0 : 1;
}
