/*
 * honest.c - lab 8: a program that means no harm, run in a student's container. What it does every
 * program does; a container in which it cannot is a wall and no container.
 *
 *   honest works    a line for each thing tried, "0|NAME|honest|works or broken|DETAIL"; status 42
 *   honest family   three children that stay, one line, and then it waits
 *   honest seven    status 7
 *
 * Linked statically: there is no library in there. Called by outside.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define ORPHANS 12

/* Each returns 0, or an errno; -1: a wrong answer. */

static int
be_root(void)
{
    return getuid() || getgid() ? -1 : 0;
}

static int
use_file(void)
{
    char text[6] = "";
    int fd = open("/tmp/honest", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "honest", 6) != 6 || lseek(fd, 0, SEEK_SET) || read(fd, text, 6) != 6)
        return errno ? errno : -1;
    close(fd);
    return memcmp(text, "honest", 6) ? -1 : unlink("/tmp/honest") ? errno : 0;
}

static int
use_fifo(void)
{
    return mkfifo("/tmp/fifo", 0600) || unlink("/tmp/fifo") ? errno : 0;
}

static int
use_devices(void)
{
    char byte;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int random = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    int rc = null < 0 || random < 0 || write(null, "x", 1) != 1 || read(random, &byte, 1) != 1;

    close(null);
    close(random);
    return rc ? errno : 0;
}

static int
use_terminal(void)
{
    struct winsize size = {.ws_row = 3};
    int number = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    int rc = master < 0 || ioctl(master, TIOCGPTN, &number) || ioctl(master, TIOCSWINSZ, &size);

    close(master);
    return rc ? errno : 0;
}

static int
use_memory(void)
{
    char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return errno;
    memset(p, 1, 16 << 20);
    return munmap(p, 16 << 20) ? errno : 0;
}

static void *
add_one(void *number)
{
    ++*(int *)number;
    return NULL;
}

static int
use_thread(void)
{
    pthread_t thread;
    int number = 1, rc = pthread_create(&thread, NULL, add_one, &number);

    return rc ? rc : pthread_join(thread, NULL) || number != 2 ? -1 : 0;
}

static int
use_child(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        execl("/proc/self/exe", "honest", "seven", NULL);
        _exit(8);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : -1;
}

static int
use_signal(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    if (pid < 0 || kill(pid, SIGTERM) || waitpid(pid, &status, 0) != pid)
        return errno;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : -1;
}

/* Children of children, whose parent ends first. They end when the pipe does; whoever is their parent now
 * must wait for them, or they stay as zombies, which kill() still finds. */
static int
leave_orphans(void)
{
    int hold[2], tell[2];
    pid_t orphan[ORPHANS], pid;
    char byte;

    if (pipe(hold) || pipe(tell))
        return errno;
    for (unsigned i = 0; i < ORPHANS; i++) {
        if (!(pid = fork())) {
            if (!fork()) {
                pid = getpid();
                close(hold[1]);
                _exit(write(tell[1], &pid, sizeof(pid)) != sizeof(pid) || read(hold[0], &byte, 1));
            }
            _exit(0);
        }
        if (pid < 0 || waitpid(pid, NULL, 0) != pid ||
            read(tell[0], &orphan[i], sizeof(pid)) != sizeof(pid))
            return errno ? errno : -1;
    }
    close(hold[1]);
    for (unsigned i = 0; i < ORPHANS; i++)
        for (unsigned tries = 0; !kill(orphan[i], 0); tries++) {
            if (tries == 200)
                return ECHILD;
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
    return 0;
}

static int
use_clock(void)
{
    struct timespec a, b;

    clock_gettime(CLOCK_MONOTONIC, &a);
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    return b.tv_sec > a.tv_sec || b.tv_nsec > a.tv_nsec ? 0 : -1;
}

static int
use_loopback(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(at);
    int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);

    if (a < 0 || b < 0 || bind(a, (struct sockaddr *)&at, size) || listen(a, 1) ||
        getsockname(a, (struct sockaddr *)&at, &size) || connect(b, (struct sockaddr *)&at, size))
        return errno;
    return close(a) || close(b) ? errno : 0;
}

static int
use_socketpair(void)
{
    int ends[2];
    char byte = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return errno;
    return write(ends[0], "x", 1) == 1 && read(ends[1], &byte, 1) == 1 && byte == 'x' ? 0 : -1;
}

static const struct {
    const char *name;
    int (*run)(void);
} table[] = {
    {"it is uid 0", be_root},
    {"a file in /tmp", use_file},
    {"a FIFO", use_fifo},
    {"/dev/null, /dev/urandom", use_devices},
    {"a terminal", use_terminal},
    {"16 MiB of memory", use_memory},
    {"a thread", use_thread},
    {"a child runs a program", use_child},
    {"a signal to a child", use_signal},
    {"orphans are waited for", leave_orphans},
    {"the clock", use_clock},
    {"its own 127.0.0.1", use_loopback},
    {"a pair of sockets", use_socketpair},
};

static void __attribute__((noreturn)) family(void)
{
    for (unsigned i = 0; i < 3; i++)
        if (!fork())
            for (;;)
                pause();
    printf("honest: a family of four\n");
    fflush(stdout);
    for (;;)
        pause();
}

int
main(int argc, char **argv)
{
    char seen;

    if (argc > 1 && !strcmp(argv[1], "seven"))
        return 7;
    if (argc > 1 && !strcmp(argv[1], "family"))
        family();
    signal(SIGPIPE, SIG_IGN);
    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        errno = 0;
        int rc = table[i].run();
        printf("0|%s|honest|%s|%s\n", table[i].name, rc ? "broken" : "works",
               rc > 0   ? strerrorname_np(rc)
               : rc < 0 ? "a wrong answer"
                        : "as it should");
        fflush(stdout);
    }
    /* outside.c wants to see who we are before we are gone. */
    alarm(10);
    if (recv(1, &seen, 1, 0) < 0 && errno != ENOTSOCK)
        return 1;
    return 42;
}
