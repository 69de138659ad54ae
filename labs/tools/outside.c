/*
 * outside.c - lab 8: stands outside of a container and looks at what gets out of it.
 *
 *   outside attacks BOX     BOX runs the attacks of the containment table (tests/ski/attacks.c)
 *   outside honest BOX      BOX runs a program that means no harm (honest.c)
 *   outside family BOX      BOX is killed while its guest has children: is anybody left?
 *   outside able .          may namespaces be made on this host?
 *
 * BOX is called as BOX PROGRAM WORD...; attacks and honest lie beside this file. A line counts if it
 * was said by a process whose program is that file, which the kernel tells (SCM_CREDENTIALS, /proc/PID/exe):
 * BOX itself cannot say it. What that process may do is read from /proc/PID/status, from out here.
 *
 * Nothing of BOX is left when this ends. Who loops is stopped by RLIMIT_CPU; who waits for ever, by the
 * clock, for which there is no other way, after GUARD seconds. Status 0 if all went
 * as it should, 1 if not. Used by labs/08-ski/tests.sh, and by students.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/ski/bait.h"

#define GUARD 60 /* seconds; or half of HV_LAB_GUARD, at which the grader stops us */

struct outside {
    struct bait bait;
    char program[PATH_MAX]; /* whose words count */
    pid_t box, speaker;     /* 0: ended; nobody has spoken yet */
    int status;             /* of the box */
    int ear;                /* our end of its standard output */
    char line[512];
    size_t length;
    unsigned lines, bad, strangers;
    char facts[512], old_root[64];
    bool late;
    int guard;
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- who speaks? ------------------------------------------------------------------------------ */

static bool
same_file(const char *one, const char *two)
{
    static char a[1 << 16], b[1 << 16];
    int x = open(one, O_RDONLY | O_CLOEXEC), y = open(two, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1, m = 1;
    bool same = x >= 0 && y >= 0;

    while (same && n > 0) {
        n = read(x, a, sizeof(a));
        m = read(y, b, sizeof(b));
        same = n == m && n >= 0 && !memcmp(a, b, (size_t)n);
    }
    if (x >= 0)
        close(x);
    if (y >= 0)
        close(y);
    return same;
}

static void
read_facts(struct outside *o, pid_t pid)
{
    static const char *const wanted[] = {
        "NSpid:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
    char path[64], line[256];
    size_t used = 0;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
            if (!strncmp(line, wanted[i], strlen(wanted[i])) && used < sizeof(o->facts) - 256) {
                line[strcspn(line, "\n")] = 0;
                used += (size_t)snprintf(o->facts + used, 256, "outside: %s\n", line);
            }
    if (file)
        fclose(file);
}

/*
 * Is the host's root still mounted in its mount namespace, behind or over the root of the process? A process
 * that enters that namespace begins at its root, and not at the guest's (setns(2)). Tried by a child.
 */
static void
look_for_root(struct outside *o, pid_t pid)
{
    char path[PATH_MAX];
    struct stat st;
    int status = -1;

    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        int user = open(path, O_RDONLY | O_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
        int mount = open(path, O_RDONLY | O_CLOEXEC);
        if (setns(user, CLONE_NEWUSER) || setns(mount, CLONE_NEWNS))
            _exit(2);
        snprintf(path, sizeof(path), "%s/secret", o->bait.folder);
        _exit(!stat(path, &st));
    }
    waitpid(child, &status, 0);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 2;
    snprintf(o->old_root, sizeof(o->old_root), "outside: Old root:\t%s\n",
             status == 0   ? "gone"
             : status == 1 ? "still mounted"
                           : "cannot be told");
}

/* The first process that runs the right file is believed; pids are not used again that soon. */
static bool
believed(struct outside *o, pid_t pid)
{
    char path[64];

    if (!o->speaker && pid > 0) {
        snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
        if (same_file(path, o->program)) {
            o->speaker = pid;
            read_facts(o, pid);
            look_for_root(o, pid);
            send(o->ear, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* it may go */
        }
    }
    return pid > 0 && pid == o->speaker;
}

/* --- what it says ----------------------------------------------------------------------------- */

static void
take_line(struct outside *o)
{
    struct row row;

    if (!bait_parse(o->line, &row)) {
        printf("%s\n", o->line);
        return;
    }
    bool through = !strcmp(row.verdict, "through") || !strcmp(row.verdict, "broken");
    /* SIGALRM: it was too slow to get to its end, which is no refusal. */
    bool untried = !strcmp(row.verdict, "skipped") || !strcmp(row.detail, "SIGALRM");
    const char *word = untried                           ? "untried"
                       : !strcmp(row.verdict, "through") ? "THROUGH"
                       : !strcmp(row.verdict, "broken")  ? "BROKEN"
                       : !strcmp(row.verdict, "other")   ? "refused"
                                                         : row.verdict;
    o->lines++;
    o->bad += through;
    if (row.number)
        printf("%2d  %-33s %-8s %s\n", row.number, row.name, word, row.detail);
    else
        printf("    %-33s %-8s %s\n", row.name, word, row.detail);
}

static void
hear(struct outside *o, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            o->line[o->length] = 0;
            take_line(o);
            o->length = 0;
        } else if (o->length < sizeof(o->line) - 1) {
            o->line[o->length++] = bytes[i];
        }
    }
}

/* One message, with the pid of who sent it. Returns 0 at the end. */
static int
listen_once(struct outside *o)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    char bytes[4096];
    struct iovec iov = {bytes, sizeof(bytes)};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    struct ucred from = {0};
    ssize_t size = recvmsg(o->ear, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
        memcpy(&from, CMSG_DATA(c), sizeof(from));
    if (size > 0 && believed(o, from.pid))
        hear(o, bytes, (size_t)size);
    else if (size > 0)
        o->strangers++;
    return size > 0;
}

/* --- the box ---------------------------------------------------------------------------------- */

static int
start(struct outside *o, const char *const *argv)
{
    struct rlimit cpu = {10, 10}, core = {0, 0};
    char secret[PATH_MAX];
    int ends[2], on = 1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) ||
        setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)))
        return -1;
    snprintf(secret, sizeof(secret), "%s/secret", o->bait.folder);
    fflush(NULL);
    o->box = fork();
    if (o->box == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setrlimit(RLIMIT_CPU, &cpu);
        setrlimit(RLIMIT_CORE, &core);
        dup2(ends[1], 1);
        dup2(open(secret, O_RDONLY | O_CLOEXEC), 0);
        execv(argv[0], (char *const *)argv);
        fprintf(stderr, "outside: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    o->ear = ends[0];
    return o->box < 0 ? -1 : 0;
}

/* Who lost its parent is our child. */
static void
reap(struct outside *o)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == o->box) {
            o->box = 0;
            o->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
}

/* Until all ends of its output are closed, or it speaks (if so asked). */
static void
attend(struct outside *o, bool first_word_only)
{
    double end = now() + o->guard;
    struct pollfd ear = {.fd = o->ear, .events = POLLIN};

    while (!o->late) {
        int ready = poll(&ear, 1, 10);
        reap(o);
        if (ready > 0 && !listen_once(o))
            return;
        if (first_word_only && o->speaker)
            return;
        o->late = now() > end;
    }
}

/* All that is left of it, but the victim. */
static void
kill_all(struct outside *o)
{
    bool any = true;

    if (o->box)
        kill(o->box, SIGKILL);
    while (any) {
        FILE *file = fopen("/proc/thread-self/children", "re");
        int child;
        any = false;
        while (file && fscanf(file, "%d", &child) == 1)
            if (child != o->bait.victim) {
                kill(child, SIGKILL);
                any = true;
            }
        if (file)
            fclose(file);
        reap(o);
        poll(NULL, 0, any ? 5 : 0);
    }
}

/* --- the commands ----------------------------------------------------------------------- */

static int
end(struct outside *o)
{
    printf("%s%s", o->facts, o->old_root);
    if (o->late)
        printf("outside: the box did not end within %d seconds\n", o->guard);
    if (!o->speaker)
        printf("outside: nothing was said in there; the box ended with status %d\n", o->status);
    if (o->strangers)
        printf("outside: what others said than the program itself was not listened to\n");
    return o->late || o->bad || !o->speaker;
}

static int
attacks(struct outside *o, const char *box)
{
    const char *argv[6 + BAIT_WORDS] = {box, o->program, "guest"};
    unsigned n = 3;

    for (unsigned i = 0; i < BAIT_WORDS; i++)
        argv[n++] = o->bait.words[i];
    argv[n++] = "forks=100";
    argv[n] = "megabytes=512";
    if (start(o, argv))
        return 2;
    attend(o, false);
    kill_all(o);
    int rc = end(o);
    printf("outside: %u attacks, %u through\n", o->lines, o->bad);
    return rc;
}

static int
honest(struct outside *o, const char *box)
{
    if (start(o, (const char *const[]){box, o->program, "works", NULL}))
        return 2;
    attend(o, false);
    kill_all(o);
    int rc = end(o);
    printf("outside: its status is %d\n", o->status);
    return rc || o->status != 42;
}

static int
family(struct outside *o, const char *box)
{
    if (start(o, (const char *const[]){box, o->program, "family", NULL}))
        return 2;
    attend(o, true);
    if (o->box)
        kill(o->box, SIGKILL);
    /* Its output has an end when nobody holds it any more. A guest whose pid 1 took all along is gone in
     * a millisecond. */
    bool gone = false;
    for (double until = now() + 3; !gone && now() < until; reap(o)) {
        poll(NULL, 0, 5);
        gone = !listen_once(o);
    }
    kill_all(o);
    int rc = end(o);
    printf("outside: the box was killed, and its guest %s\n", gone ? "is gone" : "goes on");
    return rc || !gone;
}

/* Does this host let a user make namespaces, map himself, and mount in there? A kernel that refuses would
 * look like a bad box. Tried by a child; its status says how far it came. */
static void __attribute__((noreturn)) try_namespaces(void)
{
    char path[64], map[64];
    int uid = (int)geteuid();
    static const char *const kinds[] = {"uid", "setgroups"}; /* the second first */

    if (!setgroups(0, NULL) && !uid) { /* as box does: root becomes nobody */
        uid = 65534;
        if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
            prctl(PR_SET_DUMPABLE, 1))
            _exit(1);
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET))
        _exit(1);
    for (unsigned i = 2; i-- > 0;) {
        snprintf(path, sizeof(path), i ? "/proc/self/%s" : "/proc/self/%s_map", kinds[i]);
        snprintf(map, sizeof(map), i ? "deny" : "0 %d 1", uid);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, map, strlen(map)) < 0)
            _exit(2);
        close(fd);
    }
    pid_t first = fork(); /* pid 1 there */
    if (first == 0)
        _exit(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
              mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    int status = 1;
    waitpid(first, &status, 0);
    _exit(status ? 3 : 0);
}

static int
able(struct outside *o, const char *box)
{
    static const char *const why[] = {"", "user namespaces cannot be made",
                                      "a user namespace gets no uid", "/proc cannot be mounted"};
    int status = 1 << 8;

    (void)o;
    (void)box;
    pid_t pid = fork();
    if (pid == 0)
        try_namespaces();
    waitpid(pid, &status, 0);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    if (status)
        printf("%s here\n", why[status & 3]);
    return status;
}

static const struct {
    const char *name, *program;
    int (*run)(struct outside *o, const char *box);
} commands[] = {{"attacks", "attacks", attacks},
                {"honest", "honest", honest},
                {"family", "honest", family},
                {"able", "", able}};

static void
rmdir_all(const char *place)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *dir = opendir(place);

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", place, entry->d_name);
            rmdir(path);
        }
    if (dir)
        closedir(dir);
    rmdir(place);
}

int
main(int argc, char **argv)
{
    static struct outside o = {.ear = -1};
    char folder[] = "/tmp/outside-XXXXXX", place[64], self[PATH_MAX - 16], box[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int rc = 2;

    self[length > 0 ? length : 0] = 0;
    if (strrchr(self, '/'))
        *strrchr(self, '/') = 0;
    if (argc != 3 || !realpath(argv[2], box)) {
        fprintf(stderr, "usage: outside attacks|honest|family BOX\n");
        return 2;
    }
    /* A box that makes a folder of its own for its root leaves it when it is killed: in here. */
    if (!mkdtemp(folder) || chmod(folder, 0755) ||
        snprintf(place, sizeof(place), "%s/tmp", folder) < 0 || mkdir(place, 0700) ||
        chmod(place, 01777) || setenv("TMPDIR", place, 1)) {
        fprintf(stderr, "outside: no folder can be made in /tmp: %s\n", strerror(errno));
        return 2;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    const char *guard = getenv("HV_LAB_GUARD");
    o.guard = guard ? (atoi(guard) + 1) / 2 : GUARD;
    o.bait.folder = folder;
    bait_set_up(&o.bait);
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(argv[1], commands[i].name)) {
            snprintf(o.program, sizeof(o.program), "%s/%s", self, commands[i].program);
            rc = commands[i].run(&o, box);
        }
    bait_tear_down(&o.bait);
    rmdir_all(place);
    rmdir(folder);
    return rc;
}
