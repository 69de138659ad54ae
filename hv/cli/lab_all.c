/*
 * lab_all.c - see lab_all.h. A class: each folder in DIR is a submission, graded in a process and a box
 * of its own, so many at a time. The score is the grader's; here it is collected. Ctrl-C ends those that run;
 * what is known by then is written.
 *
 * Called by cmd_lab.c. Next: lab_box.c, lab_table.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/exercise.h"
#include "cli/lab_all.h"
#include "cli/progress.h"
#include "strategy/ski/ski.h"

#define PACKED_MAX (UINT64_C(16) << 20) /* bytes of a submission */
#define SAID_MAX   (UINT64_C(32) << 20)
#define JOBS_MAX   64
#define MARK       "@@json@@\n"

#define INTERRUPTED "stopped: interrupted"

/* A signal that ends all: what has been graded is still written. */
static volatile sig_atomic_t signal_caught;

static void
on_signal(int number)
{
    signal_caught = number;
}

/* Once: whoever is in a hurry sends it twice. Calls go on (SA_RESTART): only run() looks at it. */
static void
catch_signals(bool catch)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = catch ? on_signal : SIG_DFL,
                               .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

/* --- the lab's points, from its tests ---------------------------------------------------------------- */

static int
read_total(const char *lab)
{
    char path[2 * PATH_MAX], *line = NULL;
    size_t room = 0;
    int total = 0, points;
    FILE *file;

    snprintf(path, sizeof(path), "%s/tests.sh", lab);
    if (!(file = fopen(path, "re")))
        return 0;
    while (getline(&line, &room, file) > 0)
        if (sscanf(line, "check %*s %d", &points) == 1)
            total += points;
    free(line);
    fclose(file);
    return total;
}

/* --- one submission ------------------------------------------------------------------------------------ */

/* A file without a name. */
static int
make_file(void)
{
    char path[] = "/tmp/hv-class-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd >= 0)
        unlink(path);
    return fd;
}

/* The folder as a tar, which follows no link; -1: it is too large, or cannot be read. */
static int
pack(const struct class *class, const char *name)
{
    char path[2 * PATH_MAX];
    int fd = make_file(), status = -1;

    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/%s", class->folder, name);
    pid_t pid = fork();
    if (!pid) {
        struct rlimit size = {PACKED_MAX, PACKED_MAX};
        int null = open("/dev/null", O_RDWR);
        setrlimit(RLIMIT_FSIZE, &size);
        setrlimit(RLIMIT_CPU, &(struct rlimit){20, 20});
        dup2(fd, 1);
        dup2(null, 2);
        /* Who owns it here may read and write it there, whatever its modes are. */
        execlp("tar", "tar", "-C", path, "--exclude=./grade", "--mode=u+rwX,go+rX", "-cf", "-", ".",
               (char *)NULL);
        _exit(127);
    }
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (status || lseek(fd, 0, SEEK_SET)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void
finish(struct submission *s, int score, const char *state)
{
    s->score = score;
    s->state = state;
    s->over = true;
    s->pid = 0;
    if (s->out >= 0)
        close(s->out);
    s->out = -1;
}

static void
start(struct class *class, struct submission *s)
{
    int packed = pack(class, s->name);

    s->out = -1;
    if (packed < 0) {
        finish(s, 0, signal_caught ? INTERRUPTED : "too large or unreadable");
        return;
    }
    s->out = make_file();
    s->deadline = now_ns() + class->seconds * UINT64_C(1000000000);
    fflush(NULL);
    s->pid = s->out < 0 ? -1 : fork();
    if (!s->pid) {
        catch_signals(false);
        lab_box_grade(&class->box, class->lab, (unsigned)(s - class->list), packed, s->out);
    }
    close(packed);
    if (s->pid < 0)
        finish(s, 0, "could not be started");
}

/* The last of the marks that the grader's JSON is behind (lab_box.c; an empty line is before it), or
 * NULL. A submission may print some, too; the box prints its own last. */
static char *
find_mark(char *said)
{
    char *mark = NULL;

    for (char *at = said; (at = strstr(at, "\n" MARK)); at++)
        mark = at;
    return mark;
}

/* What the grader said, to --keep FOLDER/NAME.txt. */
static void
keep(const struct class *class, const char *name, const char *said, size_t size)
{
    char path[2 * PATH_MAX];

    if (!class->keep)
        return;
    snprintf(path, sizeof(path), "%s/%s.txt", class->keep, name);
    FILE *file = fopen(path, "we");
    if (file) {
        fwrite(said, 1, size, file);
        fclose(file);
    }
}

/* States of work that has a score, but could not be tried as a whole (labs/lib/grade.sh, unusable). */
static const char *const partly[] = {"does not compile", "lacks a file",
                                     "has a file that cannot be read"};

/* The text that is at `key` in the grader's JSON, in which \\ and \" alone are escapes; it ends where what is
 * there ends. From malloc; NULL: it is not there. */
static char *
find_text(const char *json, const char *key)
{
    const char *at = strstr(json, key);
    char *text = at ? strdup(at + strlen(key)) : NULL, *to = text;

    if (!text)
        return NULL;
    for (const char *from = text; *from && *from != '"'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = 0;
    return text;
}

/* "graded", unless the grader names another state that we know; then s->because is set. */
static const char *
find_state(struct submission *s, const char *json)
{
    char *state = find_text(json, "\"state\": \"");
    const char *found = "graded";

    for (unsigned i = 0; state && i < ARRAY_SIZE(partly); i++)
        if (!strcmp(state, partly[i]))
            found = partly[i];
    free(state);
    if (strcmp(found, "graded"))
        s->because = find_text(json, "\"because\": \"");
    return found;
}

/* The grader has ended. It may have been talked into anything: numbers are taken from it that can be, a state
 * that we know, and one text. */
static void
collect(const struct class *class, struct submission *s, int status, bool late)
{
    char path[64], *said = NULL, *json = NULL;
    size_t size = 0;
    int score = 0, total = 0;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", s->out);
    if (!read_file(path, SAID_MAX, (uint8_t **)&said, &size, NULL)) {
        char *mark = find_mark(said);
        keep(class, s->name, said, mark ? (size_t)(mark - said) : size);
        json = mark ? mark + strlen("\n" MARK) : NULL;
    }
    bool is_there = json && sscanf(json, "{\"lab\": \"%*[^\"]\", \"score\": %d, \"total\": %d",
                                   &score, &total) == 2;
    if (late)
        finish(s, 0, signal_caught ? INTERRUPTED : "stopped: it took too long");
    else if (is_there && total == class->total && score >= 0 && score <= total)
        finish(s, score, find_state(s, json));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 97)
        finish(s, 0, "the box could not be made");
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 98)
        finish(s, 0, "it could not be unpacked");
    else
        finish(s, 0, is_there ? "not believed: not this lab's points" : "the grader did not end");
    free(said);
}

/* --- all of them --------------------------------------------------------------------------------------- */

/* Without a box: what a submission has started is in its session, though not all in one process group, for
 * timeout(1) makes some. Field 6 of /proc/PID/stat (proc(5)), counted from the last ')'. Returns how many
 * were alive. */
static unsigned
kill_session(pid_t session)
{
    char path[PATH_MAX], text[1024], state, *at;
    struct dirent *entry;
    unsigned alive = 0;
    int sid;
    DIR *dir = opendir("/proc");

    while (dir && (entry = readdir(dir))) {
        pid_t pid = atoi(entry->d_name);
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        FILE *file = pid > 1 ? fopen(path, "re") : NULL;
        if (file && fgets(text, sizeof(text), file) && (at = strrchr(text, ')')) &&
            sscanf(at + 1, " %c %*d %*d %d", &state, &sid) == 2 && sid == session && state != 'Z')
            alive += !kill(pid, SIGKILL);
        if (file)
            fclose(file);
    }
    if (dir)
        closedir(dir);
    return alive;
}

/* Ends those that are over their time (all, after a signal), collects those that have ended. Returns how many run still. */
static unsigned
look_after(struct class *class, unsigned *done)
{
    unsigned running = 0;

    for (unsigned i = 0; i < class->count; i++) {
        struct submission *s = &class->list[i];
        int status;
        if (s->over || s->pid <= 0)
            continue;
        bool late = signal_caught || now_ns() > s->deadline;
        if (late) {
            kill(s->pid, SIGKILL);
        }
        if (waitpid(s->pid, &status, late ? 0 : WNOHANG) == s->pid) {
            for (unsigned tries = 0; class->box.plain && tries < 100 && kill_session(s->pid);
                 tries++)
                ; /* one that was about to fork has */
            collect(class, s, status, late);
            (*done)++;
        } else {
            running++;
        }
    }
    return running;
}

static void
run(struct class *class)
{
    struct progress progress;
    unsigned done = 0, next = 0, running = 0;

    progress_begin(&progress, "grading");
    while (done < class->count) {
        while (running < class->jobs && next < class->count) {
            if (signal_caught)
                finish(&class->list[next], 0, "not begun: interrupted");
            else
                start(class, &class->list[next]);
            if (class->list[next++].over)
                done++;
            else
                running++;
        }
        running = look_after(class, &done);
        progress_say(&progress, done, class->count);
        if (running)
            poll(NULL, 0, 20);
    }
    progress_end(&progress);
}

/* Every folder in DIR, sorted; of these only part k of n, dealt out like cards. */
static int
find_submissions(struct class *class, const char *part, struct dirent ***entries, int *found,
                 struct error *err)
{
    unsigned k = 1, n = 1, number = 0;
    char end;

    if (part && (sscanf(part, "%u/%u%c", &k, &n, &end) != 2 || !k || k > n || n > 10000))
        return error_set(err, EINVAL, "option '--part' takes K/N, like 1/4, not '%s'", part);
    *found = scandir(class->folder, entries, NULL, alphasort);
    if (*found < 0)
        return error_set(err, errno, "'%s': %s", class->folder, strerror(errno));
    class->list = calloc((size_t)*found + 1, sizeof(*class->list));
    if (!class->list)
        return error_set(err, ENOMEM, "no memory");
    for (int i = 0; i < *found; i++) {
        char path[2 * PATH_MAX];
        struct stat st;
        const char *name = (*entries)[i]->d_name;
        snprintf(path, sizeof(path), "%s/%s", class->folder, name);
        if (name[0] == '.')
            continue;
        if (lstat(path, &st) || !S_ISDIR(st.st_mode)) {
            class->other = class->other ? class->other : name;
            class->others++;
            continue;
        }
        if (number++ % n == k - 1)
            class->list[class->count++] = (struct submission){.name = name, .out = -1};
    }
    return class->count || part
               ? 0
               : error_set(err, ENOENT, "'%s' has no folders: each is a submission", class->folder);
}

/* --- the command ----------------------------------------------------------------------------------------- */

/* May this file be written? It is as it was, or made empty. */
static int
can_write(const char *path, struct error *err)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666) : -1;

    if (fd >= 0)
        close(fd);
    return !path || fd >= 0 ? 0
                            : error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
}

static int
read_options(struct class *class, const struct args *args, struct error *err)
{
    uint64_t jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    int rc;

    class->seconds = 600;
    class->keep = args_value(args, "keep");
    if ((rc = args_number(args, "jobs", &jobs, err)) ||
        (rc = args_number(args, "seconds", &class->seconds, err)))
        return rc;
    if (!jobs || jobs > JOBS_MAX || !class->seconds || class->seconds > 86400)
        return error_set(err, EINVAL, "--jobs is 1 to %u, --seconds 1 to 86400", JOBS_MAX);
    class->jobs = (unsigned)jobs;
    /* Better now than after an hour. */
    if ((rc = can_write(args_value(args, "json"), err)) ||
        (rc = can_write(args_value(args, "csv"), err)))
        return rc;
    if (class->keep && mkdir(class->keep, 0777) && errno != EEXIST)
        return error_set(err, errno, "folder '%s' cannot be made: %s", class->keep,
                         strerror(errno));
    return 0;
}

int
lab_grade_all(const struct args *args, const char *lab, const char *folder)
{
    struct class class = {.lab = strrchr(lab, '/') + 1, .folder = folder, .total = read_total(lab)};
    char
        kind[32]; /* of box: its submissions may be containers, which make namespaces (lab_box.c) */
    struct dirent **entries = NULL;
    struct error err;
    int found = 0, rc = read_options(&class, args, &err);

    if (!rc)
        rc = find_submissions(&class, args_value(args, "part"), &entries, &found, &err);
    if (!rc)
        rc = lab_box_open(&class.box, args_flag(args, "plain"), &err);
    if (!rc) {
        exercise_key(lab, "box", kind, sizeof(kind));
        class.box.namespaces = !strcmp(kind, "namespaces");
        catch_signals(true);
        run(&class);
        catch_signals(false);
        rc = lab_table_write(&class, args_value(args, "json"), args_value(args, "csv"), &err);
    }
    lab_box_close(&class.box);
    ski_sweep();
    for (int i = 0; i < found; i++)
        free(entries[i]);
    free(entries);
    for (unsigned i = 0; i < class.count; i++)
        free(class.list[i].because);
    free(class.list);
    if (rc)
        return cli_error(STATUS_USER, "%s", err.message);
    return signal_caught ? STATUS_SIGNAL + signal_caught : STATUS_OK;
}
