/*
 * forkwait.c - makes a process and waits for its end, N times. `forkwait [N]`
 *
 * The macrobenchmark of Adams and Agesen (ASPLOS 2006): nearly all of it is page tables and
 * switches of address spaces, where strategies differ most.
 */
#include "lib.h"

int
main(int argc, char **argv, char **envp)
{
    int64_t count = number_at(argc, argv, 1, 100), sum = 0;
    (void)envp;
    for (int64_t i = 0; i < count; i++) {
        int status;
        int64_t pid = sys_fork();
        if (pid == 0)
            sys_exit((int)(i & 0x7f));
        if (pid < 0 || sys_wait(pid, &status) != pid || status_of(status) != (i & 0x7f)) {
            say("forkwait: number %d went wrong\n", i);
            return 1;
        }
        sum += status_of(status);
    }
    say("forkwait: %d processes, their statuses sum up to %d\n", count, sum);
    return 0;
}
