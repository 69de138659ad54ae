/* core_console.c - tests of hv/core/console.c: nothing is lost in silence, nothing blocks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/util.h"
#include "core/console.h"
#include "tests/unit/suites.h"

static void
put_text(struct console *con, const char *text)
{
    while (*text)
        console_put(con, (uint8_t)*text++);
}

/* How many bytes can be read from fd now. */
static size_t
waiting(int fd, char *text, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    memset(text, 0, size);
    if (poll(&p, 1, 0) <= 0)
        return 0;
    ssize_t n = read(fd, text, size - 1);
    return n > 0 ? (size_t)n : 0;
}

static void
test_names(void)
{
    struct console con;
    struct error err;

    CU_ASSERT_EQUAL(console_open(&con, "teapot", &err), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "file:PATH"));
    CU_ASSERT_EQUAL(console_open(&con, "file:", &err), -EINVAL);
    CU_ASSERT_EQUAL(console_open(&con, "file:/nonexistent/x", &err), -ENOENT);
    CU_ASSERT_EQUAL(console_open(&con, "null", &err), 0);
    con.keep = true;
    put_text(&con, "hello\n");
    CU_ASSERT_EQUAL(con.kept_size, 6);
    CU_ASSERT_EQUAL(memcmp(con.kept, "hello\n", 6), 0);
    CU_ASSERT_EQUAL(console_get(&con), -1);
    console_close(&con);
    CU_ASSERT_EQUAL(console_status(&con, &err), 0);
    console_free(&con);
}

static void
test_gathering(void)
{
    struct console con;
    int fd[2];
    char text[CONSOLE_BUFFER + 10];

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    console_open(&con, "null", NULL);
    con.out = fd[1];
    put_text(&con, "login: ");
    CU_ASSERT_EQUAL(waiting(fd[0], text, sizeof(text)), 0); /* no system call per byte */
    CU_ASSERT_EQUAL(console_get(&con), -1);                 /* but before input is looked for */
    CU_ASSERT_EQUAL(waiting(fd[0], text, sizeof(text)), 7);
    put_text(&con, "a\nb");
    CU_ASSERT_EQUAL(waiting(fd[0], text, sizeof(text)), 2); /* at a newline */
    console_wait(&con, 0);
    CU_ASSERT_EQUAL(waiting(fd[0], text, sizeof(text)), 1); /* before sleeping */
    for (unsigned i = 0; i < CONSOLE_BUFFER; i++)
        console_put(&con, 'x');
    CU_ASSERT_EQUAL(waiting(fd[0], text, sizeof(text)), CONSOLE_BUFFER); /* when full */
    put_text(&con, "end");
    console_close(&con);
    CU_ASSERT_EQUAL(waiting(fd[0], text, sizeof(text)), 3); /* at the end */
    CU_ASSERT_EQUAL(con.bytes_out, 7 + 3 + CONSOLE_BUFFER + 3);
    CU_ASSERT_EQUAL(console_status(&con, NULL), 0);
    close(fd[0]);
    close(fd[1]);
}

static void
test_full_disk(void)
{
    struct console con;
    struct error err;

    CU_ASSERT_EQUAL_FATAL(console_open(&con, "file:/dev/full", &err), 0);
    put_text(&con, "12345\n");
    put_text(&con, "678");
    console_close(&con);
    CU_ASSERT_EQUAL(con.write_errors, 2);
    CU_ASSERT_EQUAL(con.bytes_lost, 9);
    CU_ASSERT_EQUAL(console_status(&con, &err), -ENOSPC);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.message, "9 of 9 bytes"));
}

/* A reader that goes away must neither kill us by SIGPIPE nor change the signal's settings. */
static void
test_broken_pipe(void)
{
    struct console con;
    struct error err;
    struct sigaction before, after;
    sigset_t pending;
    int fd[2];

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    close(fd[0]);
    sigaction(SIGPIPE, NULL, &before);
    console_open(&con, "null", NULL);
    con.out = fd[1];
    put_text(&con, "x\n");
    CU_ASSERT_EQUAL(con.write_errors, 1);
    sigaction(SIGPIPE, NULL, &after);
    CU_ASSERT_PTR_EQUAL(before.sa_handler, after.sa_handler);
    sigpending(&pending);
    CU_ASSERT_FALSE(sigismember(&pending, SIGPIPE));
    console_close(&con);
    CU_ASSERT_EQUAL(console_status(&con, &err), -EPIPE);
    close(fd[1]);
}

static void
test_input(void)
{
    struct console con;
    int fd[2];

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    console_open(&con, "null", NULL);
    con.in = fd[0];
    CU_ASSERT_EQUAL(console_get(&con), -1);
    CU_ASSERT_FALSE(con.eof);
    CU_ASSERT_FALSE(console_wait(&con, 1000));
    CU_ASSERT_EQUAL(write(fd[1], "\x01x\xff", 3), 3);
    CU_ASSERT_TRUE(console_wait(&con, UINT64_MAX));
    /* No terminal: Ctrl-A is a byte like any other, and so is ff. */
    CU_ASSERT_EQUAL(console_get(&con), 1);
    CU_ASSERT_TRUE(console_wait(&con, 0)); /* more was read already */
    CU_ASSERT_EQUAL(console_get(&con), 'x');
    CU_ASSERT_EQUAL(console_get(&con), 0xff);
    CU_ASSERT_EQUAL(console_get(&con), -1);
    CU_ASSERT_FALSE(con.quit);
    CU_ASSERT_EQUAL(con.bytes_in, 3);
    close(fd[1]);
    CU_ASSERT_EQUAL(console_get(&con), -1);
    CU_ASSERT_TRUE(con.eof);
    uint64_t start = now_ns();
    CU_ASSERT_FALSE(console_wait(&con, 2000000)); /* sleeps, and does not spin at the end */
    CU_ASSERT_TRUE(now_ns() - start >= 2000000);
    console_close(&con);
    close(fd[0]);
}

static void
test_keys(void)
{
    struct console con;
    int fd[2];

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    console_open(&con, "null", NULL);
    con.in = fd[0];
    con.raw = true; /* as for a terminal */
    CU_ASSERT_EQUAL(write(fd[1], "a\x01\x01z\x01", 5), 5);
    CU_ASSERT_EQUAL(console_get(&con), 'a');
    CU_ASSERT_EQUAL(console_get(&con), 1); /* Ctrl-A Ctrl-A sends one */
    CU_ASSERT_EQUAL(console_get(&con), 'z');
    CU_ASSERT_EQUAL(console_get(&con), -1);
    CU_ASSERT_FALSE(con.quit);
    CU_ASSERT_EQUAL(write(fd[1], "xb", 2), 2); /* the prefix was the end of the last read */
    CU_ASSERT_EQUAL(console_get(&con), 'b');
    CU_ASSERT_TRUE(con.quit);
    con.raw = false;
    console_close(&con);
    close(fd[0]);
    close(fd[1]);
}

static void
test_pty(void)
{
    struct console con;
    struct error err;
    char text[64];

    CU_ASSERT_EQUAL_FATAL(console_open(&con, "pty", &err), 0);
    CU_ASSERT_EQUAL(strncmp(con.name, "/dev/", 5), 0);
    put_text(&con, "hi\n");
    CU_ASSERT_EQUAL(console_get(&con), -1); /* output is not echoed back as input */
    int user = open(con.name, O_RDWR | O_NOCTTY);
    CU_ASSERT_TRUE_FATAL(user >= 0);
    CU_ASSERT_EQUAL(waiting(user, text, sizeof(text)), 3);
    CU_ASSERT_STRING_EQUAL(text, "hi\n");
    CU_ASSERT_EQUAL(write(user, "\x03q", 2), 2); /* raw: Ctrl-C too */
    CU_ASSERT_EQUAL(console_get(&con), 3);
    CU_ASSERT_EQUAL(console_get(&con), 'q');
    close(user);
    CU_ASSERT_EQUAL(console_get(&con), -1);
    CU_ASSERT_FALSE(con.eof); /* the user may come back */
    /* Nobody reads: the VMM goes on, and counts what is lost. */
    for (unsigned i = 0; i < 100 * CONSOLE_BUFFER; i++)
        console_put(&con, 'x');
    CU_ASSERT_TRUE(con.bytes_lost > 0);
    CU_ASSERT_EQUAL(console_status(&con, &err), -EAGAIN);
    console_close(&con);
    CU_ASSERT_EQUAL(con.in, -1);
}

/* In a process of its own that has the terminal as its own: what `hv run` sees in a shell. Returns
 * the number of the check that failed, or 0. */
static int
on_a_terminal(const char *name)
{
    struct console con;
    struct termios before, during, after;

    setsid();
    int fd = open(name, O_RDWR); /* becomes the controlling terminal */
    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || tcgetattr(fd, &before))
        return 1;
    if (console_open(&con, "stdio", NULL) || !con.raw || tcgetattr(fd, &during))
        return 2;
    con.out = -1;
    if (during.c_lflag & (ICANON | ECHO | ISIG) || !(during.c_oflag & OPOST))
        return 3;
    if (write(fd, "!", 1) != 1) /* tells the user to type */
        return 4;
    while (!con.quit)
        if (console_wait(&con, 100000000) && console_get(&con) > 0 && con.bytes_in > 1)
            return 5; /* only Ctrl-C is for the guest */
    console_close(&con);
    if (tcgetattr(fd, &after) || before.c_lflag != after.c_lflag ||
        before.c_iflag != after.c_iflag || before.c_oflag != after.c_oflag)
        return 6;
    return con.bytes_in == 1 ? 0 : 7;
}

static void
test_terminal(void)
{
    char name[64], byte = 0;
    int status = -1, user = posix_openpt(O_RDWR | O_NOCTTY);

    CU_ASSERT_TRUE_FATAL(user >= 0 && !grantpt(user) && !unlockpt(user) &&
                         !ptsname_r(user, name, sizeof(name)));
    pid_t child = fork();
    if (child == 0)
        _exit(on_a_terminal(name));
    struct pollfd p = {.fd = user, .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&p, 1, 60000), 1);
    CU_ASSERT_EQUAL(read(user, &byte, 1), 1);
    CU_ASSERT_EQUAL(write(user, "\x03\x01x", 3), 3);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
    close(user);
}

static volatile sig_atomic_t asked, alarms;

static void
on_alarm(int number)
{
    (void)number;
    asked = 1;
    if (++alarms == 50)
        _exit(99); /* it waits still */
}

/* In a process of its own: nobody reads the pipe, and somebody wants to stop. */
static int
to_nobody(int out)
{
    const struct itimerval often = {{0, 10000}, {0, 10000}};
    struct sigaction action = {.sa_handler = on_alarm};
    struct console con;

    console_open(&con, "null", NULL);
    con.out = out;
    con.stop = &asked;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (!con.write_errors)
        console_put(&con, 'x');
    return console_status(&con, NULL) != -EINTR;
}

static void
test_stop(void)
{
    int fd[2], status = -1;

    CU_ASSERT_EQUAL_FATAL(pipe(fd), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(to_nobody(fd[1]));
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
    close(fd[0]);
    close(fd[1]);
}

static const struct unit_test tests[] = {
    {"names of consoles, and the buffer for tests", test_names},
    {"output is gathered", test_gathering},
    {"a full disk is reported", test_full_disk},
    {"a reader that went away is reported", test_broken_pipe},
    {"a reader that pauses, and a user who stops", test_stop},
    {"input from a pipe", test_input},
    {"the Ctrl-A prefix", test_keys},
    {"a pty", test_pty},
    {"a terminal: raw, Ctrl-A x, restored", test_terminal},
    {NULL, NULL},
};
const struct unit_suite suite_core_console = {"core_console", tests};
