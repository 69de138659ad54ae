/*
 * forkbomb.c - makes processes until there are no more, `forkbomb [MAX]` at most; then lets them end.
 *
 * All wait for one pipe to be closed, so all are alive at the same time. A kernel has to refuse
 * at some point and survive.
 */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    int64_t max = number_at(argc, argv, 1, 1000), made = 0, ended = 0, error = 0;
    int fds[2], status;
    char byte;
    (void)envp;
    if (sys_pipe(fds))
        return 1;
    while (made < max) {
        int64_t pid = sys_fork();
        if (pid == 0) {
            sys_close(fds[1]);
            sys_exit(sys_read(fds[0], &byte, 1) != 0);
        }
        if (pid < 0) {
            error = -pid;
            break;
        }
        made++;
    }
    sys_close(fds[1]);
    while (sys_wait(-1, &status) > 0)
        ended += status == 0;
    if (error && error != EAGAIN && error != ENOMEM)
        say("forkbomb: refused with error %d\n", error);
    say("forkbomb: %s, all that were made have ended: %s\n", error ? "refused" : "not refused",
        made == ended ? "yes" : "no");
    return made != ended;
}
