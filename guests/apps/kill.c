/*
 * kill.c - starts programs that would never end, and ends them: one computes, one waits for a pipe.
 */
#include "lib.h"

static void
never_ends(bool waits)
{
    int fds[2];
    char byte;

    if (waits && !sys_pipe(fds))
        sys_read(fds[0], &byte, 1); /* we have the other end ourselves: nobody will write */
    for (;;)
        ;
}

int
main(int argc, char **argv, char **envp)
{
    (void)argc, (void)argv, (void)envp;
    for (int waits = 0; waits < 2; waits++) {
        int status;
        int64_t pid = sys_fork();
        if (pid == 0)
            never_ends(waits);
        for (unsigned i = 0; i < 10; i++) /* it gets as far as that */
            sys_call(SYS_SCHED_YIELD, 0, 0, 0);
        int64_t looked = sys_kill(pid, 0), killed = sys_kill(pid, SIGKILL);
        if (sys_wait(pid, &status) != pid)
            return 1;
        say("kill: %s: is there %d, killed %d, status %d, afterwards %d\n",
            waits ? "waits" : "computes", looked, killed, status_of(status), sys_kill(pid, 0));
    }
    return 0;
}
