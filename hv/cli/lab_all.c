/*
 * lab_all.c - see lab_all.h. A class: each folder in DIR is a submission, graded in a process and a box
 * of its own, so many at a time. The score is the grader's; here it is collected.
 *
 * Called by cmd_lab.c. Next: lab_box.c.
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
#include "tracer/describe.h"
#include "tracer/put.h"

#define PACKED_MAX (UINT64_C(16) << 20) /* bytes of a submission */
#define SAID_MAX   (UINT64_C(32) << 20)
#define JOBS_MAX   64
#define MARK       "@@json@@\n"

struct submission {
    const char *name;
    pid_t pid; /* 0: not started, or ended */
    int out;   /* what the grader says */
    uint64_t deadline;
    int score;
    bool over;
    const char *state; /* "graded", what its work lacks, or why there is no score */
    char *because;     /* the grader's word on that; NULL: none. From malloc */
};

struct class
{
    struct lab_box box;
    const char *lab, *folder, *keep;
    int total; /* points of the lab */
    struct submission *list;
    unsigned count, jobs;
    uint64_t seconds;
};

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
        execlp("tar", "tar", "-C", path, "--exclude=./grade", "-cf", "-", ".", (char *)NULL);
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
        finish(s, 0, "too large or unreadable");
        return;
    }
    s->out = make_file();
    s->deadline = now_ns() + class->seconds * UINT64_C(1000000000);
    fflush(NULL);
    s->pid = s->out < 0 ? -1 : fork();
    if (!s->pid)
        lab_box_grade(&class->box, class->lab, packed, s->out);
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

/* The grader has ended. What it says is the submission's, too: numbers are taken from it that can be, a state
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
        finish(s, 0, "stopped: it took too long");
    else if (is_there && total == class->total && score >= 0 && score <= total)
        finish(s, score, find_state(s, json));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 97)
        finish(s, 0, "the box could not be made");
    else
        finish(s, 0, is_there ? "not believed: not this lab's points" : "the grader did not end");
    free(said);
}

/* --- all of them --------------------------------------------------------------------------------------- */

/* Ends those that are over their time, collects those that have ended. Returns how many run still. */
static unsigned
look_after(struct class *class, unsigned *done)
{
    unsigned running = 0;

    for (unsigned i = 0; i < class->count; i++) {
        struct submission *s = &class->list[i];
        int status;
        if (s->over || s->pid <= 0)
            continue;
        bool late = now_ns() > s->deadline;
        if (late) {
            if (class->box.plain)
                kill(-s->pid, SIGKILL);
            kill(s->pid, SIGKILL);
        }
        if (waitpid(s->pid, &status, late ? 0 : WNOHANG) == s->pid) {
            if (class->box.plain)
                kill(-s->pid, SIGKILL); /* what it has left in its session */
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
        if (name[0] == '.' || lstat(path, &st) || !S_ISDIR(st.st_mode))
            continue;
        if (number++ % n == k - 1)
            class->list[class->count++] = (struct submission){.name = name, .out = -1};
    }
    return class->count || part
               ? 0
               : error_set(err, ENOENT, "'%s' has no folders: each is a submission", class->folder);
}

/* --- what came of it ----------------------------------------------------------------------------------- */

/* A name is the student's, and may be any bytes. As it can be printed: '?' for what a terminal obeys and
 * for what is no UTF-8. From malloc; NULL: no memory. */
static char *
printable(const char *name, const char *before)
{
    char *text;

    return asprintf(&text, "%s%s", before, name) < 0 ? NULL : describe_clean(text);
}

static void
put_json_row(struct put *put, const struct class *class, const struct submission *s)
{
    put_json_text(put, s == class->list ? "\n {\"name\": " : ",\n {\"name\": ", s->name);
    put_json_text(put, ", \"lab\": ", class->lab);
    put_json_number(put, ", \"score\": ", (uint64_t)s->score);
    put_json_number(put, ", \"total\": ", (uint64_t) class->total);
    put_json_text(put, ", \"state\": ", s->state);
    if (s->because)
        put_json_text(put, ", \"because\": ", s->because);
    put_char(put, '}');
}

/* A spreadsheet would take a text that begins with '=' for a formula and compute it: an apostrophe before
 * it says, as for one who types there, that it is text. RFC 4180 has no control characters. */
static void
put_csv_words(struct put *put, const char *words)
{
    char *text = printable(words, words[0] && strchr("=+-@", words[0]) ? "'" : "");

    put_csv(put, text ? text : "");
    free(text);
}

static void
put_csv_row(struct put *put, const struct class *class, const struct submission *s)
{
    put_csv_words(put, s->name);
    put_char(put, ',');
    put_csv(put, class->lab);
    put_char(put, ',');
    put_number(put, (uint64_t)s->score);
    put_char(put, ',');
    put_number(put, (uint64_t) class->total);
    put_char(put, ',');
    put_csv(put, s->state);
    put_char(put, ',');
    put_csv_words(put, s->because ? s->because : "");
    put_text(put, "\r\n");
}

static int
write_all(const struct class *class, const char *path, bool json, struct error *err)
{
    FILE *file = path ? fopen(path, "we") : NULL;
    struct put put;

    if (!path)
        return 0;
    if (!file)
        return error_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
    put_begin(&put, file);
    put_text(&put, json ? "[" : "name,lab,score,total,state,because\r\n");
    for (unsigned i = 0; i < class->count; i++)
        (json ? put_json_row : put_csv_row)(&put, class, &class->list[i]);
    put_text(&put, json ? "\n]\n" : "");
    if (put_end(&put) | fclose(file))
        return error_set(err, EIO, "cannot write '%s' to its end", path);
    return 0;
}

static void
print_table(const struct class *class)
{
    unsigned full = 0, graded = 0, some = 0;

    for (unsigned i = 0; i < class->count; i++) {
        const struct submission *s = &class->list[i];
        char *name = printable(s->name, ""), *because = printable(s->because ? s->because : "", "");
        printf("  %-24s %3d/%d  %s%s%s\n", name ? name : "", s->score, class->total, s->state,
               s->because ? ": " : "", because ? because : "");
        free(name);
        free(because);
        full += s->score == class->total;
        graded += !strcmp(s->state, "graded");
        some += s->because != NULL;
    }
    printf("%s: %u graded, %u full, %u without a score", class->lab, graded, full,
           class->count - graded - some);
    if (some)
        printf(", %u that could not be tried as a whole", some);
    putchar('\n');
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
        run(&class);
        print_table(&class);
        rc = write_all(&class, args_value(args, "json"), true, &err);
    }
    if (!rc)
        rc = write_all(&class, args_value(args, "csv"), false, &err);
    lab_box_close(&class.box);
    ski_sweep();
    for (int i = 0; i < found; i++)
        free(entries[i]);
    free(entries);
    for (unsigned i = 0; i < class.count; i++)
        free(class.list[i].because);
    free(class.list);
    return rc ? cli_error(STATUS_USER, "%s", err.message) : STATUS_OK;
}
