/*
 * look.c - the eyes of ticket 8: what can a process reach from where it is? Harmless: it looks, and
 * takes back what worked.
 *
 *   look NAME        in the container: each line says "reached" or "stopped"
 *   look serve NAME  on the host: a service, at the abstract socket NAME, for a minute
 *   look with NAME COMMAND...  the service, and the command while it is there
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 300 /* more than any guest of ours may have */
#define HOG      (UINT64_C(192) << 20)

static int
say(const char *what, int reached, const char *how)
{
    printf("look: %-38s %s (%s)\n", what, reached ? "REACHED" : "stopped", how);
    fflush(stdout);
    return reached;
}

static int
payroll(const char *name, int serve)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strncpy(at.sun_path + 1, name, sizeof(at.sun_path) - 2); /* a zero first: an abstract name */
    if (serve)
        return bind(s, (struct sockaddr *)&at, size) || listen(s, 5) ? -1 : s;
    int rc = connect(s, (struct sockaddr *)&at, size);
    int error = errno;
    close(s);
    errno = error;
    return rc;
}

static int
try_payroll(const char *name)
{
    int reached = !payroll(name, 0);

    return say("the host's payroll service", reached, reached ? "connected" : strerror(errno));
}

/* In a child: it would be in that namespace for good. */
static int
try_namespace(void)
{
    int status = 0;
    pid_t child = fork();

    if (!child)
        _exit(unshare(CLONE_NEWUSER) ? 1 : 0);
    waitpid(child, &status, 0);
    return say("a user namespace of its own", child > 0 && !status,
               status ? "the kernel's code behind it is out of reach"
                      : "all of that code can be called");
}

static int
try_processes(void)
{
    static pid_t children[CHILDREN];
    unsigned count = 0;
    char how[64];

    for (; count < CHILDREN; count++) {
        children[count] = fork();
        if (children[count] < 0)
            break;
        if (!children[count]) {
            pause();
            _exit(0);
        }
    }
    for (unsigned i = 0; i < count; i++)
        kill(children[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    snprintf(how, sizeof(how), count == CHILDREN ? "%u started" : "ended at %u", count);
    return say("processes without end", count == CHILDREN, how);
}

static int
try_memory(void)
{
    int status = 0;
    pid_t child = fork();

    if (!child) {
        char *hog = mmap(NULL, HOG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (hog == MAP_FAILED)
            _exit(1);
        for (size_t at = 0; at < HOG; at += 4096)
            hog[at] = 1;
        _exit(0);
    }
    waitpid(child, &status, 0);
    return say("192 MiB of memory", child > 0 && !status,
               status ? "refused or killed" : "all of it");
}

static int
with(const char *name, char **command)
{
    int status = 0;

    if (payroll(name, 1) < 0) {
        perror("look: serve");
        return 2;
    }
    if (!command) {
        alarm(60);
        pause();
        return 0;
    }
    pid_t child = fork();
    if (!child) {
        execvp(command[0], command);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "serve"))
        return with(argv[2], NULL);
    if (argc > 3 && !strcmp(argv[1], "with"))
        return with(argv[2], argv + 3);
    if (argc != 2) {
        fputs("usage: look NAME | look serve NAME | look with NAME COMMAND...\n", stderr);
        return 2;
    }
    int reached = try_payroll(argv[1]);
    reached += try_namespace();
    reached += try_processes();
    reached += try_memory();
    printf("look: %d of 4 reached\n", reached);
    return reached != 0;
}
