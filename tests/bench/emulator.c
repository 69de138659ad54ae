/*
 * emulator.c - starts hv, Bochs or QEMU on a floppy image and measures the process.
 *
 * Each gets a pseudo-terminal: Bochs' Debian build has a debugger that reads commands and a display
 * that needs a terminal. Nobody may wait for ever: a process that is not done in time is killed.
 * Called by loop.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/emulator.h"

#define FLOPPY_SIZE  1474560 /* Bochs and SeaBIOS know floppies by their size */
#define SECTOR_SIZE  512
#define LOOPS_AT     506 /* where guest.S has its number of rounds */
#define STATUS_DONE  67  /* (DONE << 1) | 1, of the debug-exit port */
#define STATUS_BOCHS 1   /* whatever the reason: its log says which */
#define SECONDS_MAX  300
#define PATH_SIZE    4096

struct child {
    pid_t pid;
    int terminal;    /* our end of it */
    char said[1024]; /* the last of its output */
    size_t used;
};

static void
fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "bench-loop: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(2);
}

/* --- files ------------------------------------------------------------------------------------ */

static void
path_of(char path[PATH_SIZE], const struct emulator_files *files, const char *name)
{
    if (snprintf(path, PATH_SIZE, "%s/%s", files->folder, name) >= PATH_SIZE)
        fail("the name of the folder is too long");
}

static void
write_text(const char *path, const char *format, ...)
{
    FILE *file = fopen(path, "w");
    va_list args;

    if (!file)
        fail("%s: %s", path, strerror(errno));
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    if (fclose(file))
        fail("%s: %s", path, strerror(errno));
}

/* The floppy: the boot sector with its number of rounds, then nothing. */
static void
make_floppy(const struct emulator_files *files, const char *path, unsigned loops)
{
    uint8_t sector[SECTOR_SIZE];
    FILE *in = fopen(files->boot_sector, "rb"), *out = fopen(path, "wb");

    if (!in || fread(sector, 1, sizeof(sector), in) != sizeof(sector))
        fail("%s is no boot sector", files->boot_sector);
    for (unsigned i = 0; i < 4; i++)
        sector[LOOPS_AT + i] = (uint8_t)(loops >> (8 * i));
    if (!out || fwrite(sector, 1, sizeof(sector), out) != sizeof(sector) || fflush(out) ||
        ftruncate(fileno(out), FLOPPY_SIZE))
        fail("%s: %s", path, strerror(errno));
    fclose(in);
    fclose(out);
}

static void
make_bochsrc(const char *path, const char *floppy, const char *log)
{
    write_text(path,
               "megs: 32\n"
               "romimage: file=/usr/share/bochs/BIOS-bochs-latest\n"
               "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest\n"
               "floppya: 1_44=%s, status=inserted\n"
               "boot: floppy\n"
               "log: %s\n"
               "panic: action=fatal\n"
               "display_library: term\n"
               "plugin_ctrl: sb16=0, es1370=0, speaker=0\n"
               "clock: sync=none\n"
               "cpu: ips=100000000\n",
               floppy, log);
}

/* Bochs ends with status 1 after our "Shutdown" and after its own failures alike. */
static bool
bochs_was_asked_to_end(const char *log)
{
    char line[512];
    bool asked = false;
    FILE *file = fopen(log, "r");

    while (file && fgets(line, sizeof(line), file))
        asked |= strstr(line, "Shutdown port: shutdown requested") != NULL;
    if (file)
        fclose(file);
    return asked;
}

/* --- processes -------------------------------------------------------------------------------- */

static void
start_child(struct child *child, const char *const argv[])
{
    struct winsize size = {.ws_row = 25, .ws_col = 80};

    child->used = 0;
    child->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (child->terminal < 0 || grantpt(child->terminal) || unlockpt(child->terminal))
        fail("there is no pseudo-terminal: %s", strerror(errno));
    ioctl(child->terminal, TIOCSWINSZ, &size);
    child->pid = fork();
    if (child->pid < 0)
        fail("no new process: %s", strerror(errno));
    if (child->pid)
        return;
    setsid();
    int fd = open(ptsname(child->terminal), O_RDWR); /* becomes its controlling terminal */
    setenv("TERM", "vt100", 1);
    dup2(fd, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(argv[0], (char *const *)argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Reads what it says until it has closed the terminal. False: it took too long and was killed. */
static bool
listen_to(struct child *child)
{
    struct pollfd wait = {.fd = child->terminal, .events = POLLIN};
    time_t end = time(NULL) + SECONDS_MAX;
    size_t half = sizeof(child->said) / 2;

    while (time(NULL) < end) {
        if (poll(&wait, 1, 1000) <= 0)
            continue;
        if (child->used > half) { /* keep the second half */
            memmove(child->said, child->said + child->used - half, half);
            child->used = half;
        }
        ssize_t n = read(child->terminal, child->said + child->used, half);
        if (n <= 0)
            return true; /* EIO: nobody has the other end open */
        child->used += (size_t)n;
    }
    kill(-child->pid, SIGKILL);
    return false;
}

static double
seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Runs it; the CPU time it took. `good` is the status that it must end with. */
static double
run_child(const char *const argv[], int good, const char *log)
{
    struct child child;
    struct rusage used;
    int status;

    start_child(&child, argv);
    bool in_time = listen_to(&child);
    while (wait4(child.pid, &status, 0, &used) < 0 && errno == EINTR)
        ;
    close(child.terminal);
    bool done = WIFEXITED(status) && WEXITSTATUS(status) == good;
    if (!in_time || !done || (log && !bochs_was_asked_to_end(log)))
        fail("%s %s; the last it said:\n%.*s", argv[0],
             in_time ? "did not end as it should" : "took too long", (int)child.used, child.said);
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/* --- command lines ------------------------------------------------------------------------------ */

static double
run_soft(const struct emulator_files *files, const char *floppy)
{
    const char *argv[] = {files->hv, "run",       "--engine", "soft", "--mem",
                          "32M",     "--console", "null",     floppy, NULL};

    return run_child(argv, STATUS_DONE, NULL);
}

/* -q: no menu. -rc: the debugger's commands; it stops at a prompt without them. */
static double
run_bochs(const struct emulator_files *files, const char *floppy)
{
    char rc[PATH_SIZE], log[PATH_SIZE], commands[PATH_SIZE];

    path_of(rc, files, "bochsrc");
    path_of(log, files, "bochs.log");
    path_of(commands, files, "bochs.commands");
    make_bochsrc(rc, floppy, log);
    write_text(commands, "c\n");
    const char *argv[] = {"bochs", "-q", "-f", rc, "-rc", commands, NULL};
    return run_child(argv, STATUS_BOCHS, log);
}

static double
run_qemu(const char *floppy)
{
    char drive[PATH_SIZE + 32];

    snprintf(drive, sizeof(drive), "file=%s,format=raw,if=floppy", floppy);
    const char *argv[] = {"qemu-system-x86_64",
                          "-accel",
                          "tcg",
                          "-m",
                          "32",
                          "-display",
                          "none",
                          "-nodefaults",
                          "-no-reboot",
                          "-boot",
                          "a",
                          "-device",
                          "isa-debug-exit,iobase=0xf4,iosize=4",
                          "-drive",
                          drive,
                          NULL};
    return run_child(argv, STATUS_DONE, NULL);
}

double
emulator_run(const struct emulator_files *files, enum emulator which, unsigned loops)
{
    char floppy[PATH_SIZE];

    path_of(floppy, files, "floppy.img");
    make_floppy(files, floppy, loops);
    switch (which) {
    case EMULATOR_SOFT: return run_soft(files, floppy);
    case EMULATOR_BOCHS: return run_bochs(files, floppy);
    default: return run_qemu(floppy);
    }
}
