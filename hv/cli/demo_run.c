/*
 * demo_run.c - see demo.h. A demo's commands, executed by the programs that a viewer would use.
 *
 * Nothing here debugs: a session is written down as a script for `hv debug`, with a mark between
 * two commands, and what comes out is cut at the marks. Called by cmd_demo.c. Next: demo_show.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/demo.h"

#define MARK         "@@ next step @@"
#define STATUS_START 127                 /* sh could not be started */
#define CPU_SECONDS  300                 /* one command's; the demos' own bounds are far below */
#define LONGEST      (UINT64_C(4) << 20) /* bytes that a command may print, or a picture has */

static void
in_folder(const struct demo *demo, const char *name, char path[2 * PATH_MAX])
{
    snprintf(path, 2 * PATH_MAX, "%s/%s", demo->folder, name);
}

/* --- one child --------------------------------------------------------------------------------- */

/* In the child: becomes `sh -c text` with the folder as its own, `hv` meaning this program. */
static void
become_shell(const struct demo *demo, const char *text)
{
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS};
    const char *path = getenv("PATH");
    char *longer;
    int in = open("/dev/null", O_RDONLY), out = -1;

    if (!chdir(demo->folder))
        out = open("output", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (in < 0 || out < 0 || dup2(in, 0) || dup2(out, 1) != 1 || dup2(out, 2) != 2)
        _exit(STATUS_START);
    if (asprintf(&longer, "%s/bin:%s", demo->folder, path ? path : "/usr/bin:/bin") > 0)
        setenv("PATH", longer, 1);
    setenv("NO_COLOR", "1", 1);
    setenv("COLUMNS", "100", 1);
    setrlimit(RLIMIT_CPU, &cpu);
    execl("/bin/sh", "sh", "-c", text, (char *)NULL);
    _exit(STATUS_START);
}

/* Executes it; *status as a shell gives it; *output from malloc. */
static int
execute(const struct demo *demo, const char *text, int *status, char **output, struct error *err)
{
    char path[2 * PATH_MAX];
    size_t size;
    int wait_status;

    fflush(NULL);
    pid_t pid = fork();
    if (!pid)
        become_shell(demo, text);
    if (pid < 0 || waitpid(pid, &wait_status, 0) != pid)
        return error_set(err, errno, "no process could be started: %s", strerror(errno));
    *status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
    in_folder(demo, "output", path);
    int rc = read_file(path, LONGEST, (uint8_t **)output, &size, err);
    return rc ? error_prefix(err, rc, "what '%s' printed", text) : 0;
}

/* --- a session of the debugger ------------------------------------------------------------------ */

/* Commands of the session up to step `last`, marked or not, as demo->folder/script. */
static int
write_script(const struct demo *demo, unsigned session, unsigned last, bool marked,
             struct error *err)
{
    char path[2 * PATH_MAX];
    FILE *file;

    in_folder(demo, "script", path);
    if (!(file = fopen(path, "we")))
        return error_set(err, errno, "%s cannot be written: %s", path, strerror(errno));
    for (unsigned i = 0; i <= last && i < demo->steps; i++)
        if (demo->step[i].command && !demo->step[i].shell && demo->step[i].session == session)
            fprintf(file, "%s\n%s", demo->step[i].command, marked ? "echo " MARK "\n" : "");
    if (fclose(file))
        return error_set(err, errno, "%s cannot be written: %s", path, strerror(errno));
    return 0;
}

/* What was printed up to the next mark, from malloc; NULL: there is none. */
static char *
cut(char **rest)
{
    char *begin = *rest, *end = strstr(begin, MARK);

    if (!end)
        return NULL;
    *rest = end + strlen(MARK);
    *rest += **rest == '\n';
    return strndup(begin, (size_t)(end - begin));
}

static int
run_session(struct demo *demo, unsigned session, struct error *err)
{
    char *output = NULL, *rest, *command;
    int status, rc = write_script(demo, session, demo->steps, true, err);

    if (rc)
        return rc;
    if (asprintf(&command, "exec hv debug --nx --batch -x script %s",
                 demo->session_words[session]) < 0)
        return error_set(err, ENOMEM, "no memory");
    rc = execute(demo, command, &status, &output, err);
    free(command);
    rest = output;
    for (unsigned i = 0; !rc && i < demo->steps; i++) {
        struct demo_step *s = &demo->step[i];
        if (!s->command || s->shell || s->session != session)
            continue;
        if (!(s->output = cut(&rest)))
            rc = error_set(err, EINVAL, "line %u: '%.120s' did not go through (status %d):\n%.300s",
                           s->line, s->command, status, rest);
    }
    if (!rc && status)
        rc = error_set(err, EINVAL, "'hv debug %s' ended with status %d: %s",
                       demo->session_words[session], status, rest);
    free(output);
    return rc;
}

/* --- what must be true -------------------------------------------------------------------------- */

/* Does the text occur? Blanks count as one and a line's end as a blank, wherever they are. */
static bool
says(const char *output, const char *text)
{
    for (const char *from = output; *from; from++) {
        const char *a = from, *b = text;
        while (*b && *a) {
            if (*b == ' ' && (*a == ' ' || *a == '\n' || *a == '\t')) {
                a += strspn(a, " \n\t");
                b += strspn(b, " ");
            } else if (*a++ != *b++) {
                b = "no";
                break;
            }
        }
        if (!*b)
            return true;
    }
    return false;
}

static int
check(const struct demo_step *step, struct error *err)
{
    for (unsigned i = 0; i < step->checks; i++) {
        const struct demo_check *c = &step->check[i];
        if (says(step->output, c->text) == c->absent)
            return error_set(err, EINVAL, "line %u: what '%.120s' printed %s '%.100s':\n%.200s",
                             step->line, step->command, c->absent ? "has" : "has no", c->text,
                             step->output);
    }
    return 0;
}

static int
load_picture(const struct demo *demo, struct demo_step *step, struct error *err)
{
    char path[2 * PATH_MAX];

    if (!step->picture)
        return 0;
    in_folder(demo, step->picture, path);
    int rc = read_file(path, LONGEST, (uint8_t **)&step->image, &step->image_size, err);
    return rc ? error_prefix(err, rc, "line %u", step->line) : 0;
}

static int
run_step(struct demo *demo, struct demo_step *step, struct error *err)
{
    int status = 0, rc = 0;

    if (!step->command)
        return 0;
    if (step->shell)
        rc = execute(demo, step->command, &status, &step->output, err);
    else if (!step->output)
        rc = run_session(demo, step->session, err);
    if (!rc && step->shell && status != step->status)
        rc = error_set(err, EINVAL, "line %u: '%.120s' ended with status %d, not %d:\n%.200s",
                       step->line, step->command, status, step->status, step->output);
    if (!rc)
        rc = check(step, err);
    return rc ? rc : load_picture(demo, step, err);
}

/* demo->folder/bin/hv is this program, so that the commands can be typed as they are shown. */
static int
link_program(const struct demo *demo, struct error *err)
{
    char self[PATH_MAX], path[2 * PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (length <= 0)
        return error_set(err, errno, "/proc/self/exe cannot be read: %s", strerror(errno));
    self[length] = 0;
    in_folder(demo, "bin", path);
    if (mkdir(path, 0755) && errno != EEXIST)
        return error_set(err, errno, "%s cannot be made: %s", path, strerror(errno));
    in_folder(demo, "bin/hv", path);
    unlink(path);
    if (symlink(self, path))
        return error_set(err, errno, "%s cannot be made: %s", path, strerror(errno));
    return 0;
}

int
demo_execute(struct demo *demo, struct error *err)
{
    int rc = link_program(demo, err);

    for (unsigned i = 0; !rc && i < demo->steps; i++)
        rc = run_step(demo, &demo->step[i], err);
    return rc;
}

int
demo_take_over(const struct demo *demo, unsigned step, struct error *err)
{
    const struct demo_step *s = &demo->step[step];
    char *command;

    if (!s->command || s->shell)
        return error_set(err, EINVAL, "this step is not the debugger's");
    int rc = write_script(demo, s->session, step, false, err);
    if (rc)
        return rc;
    if (setenv("DEMO", demo->folder, 1) ||
        asprintf(&command, "cd \"$DEMO\" && exec bin/hv debug --nx -x script %s",
                 demo->session_words[s->session]) < 0)
        return error_set(err, ENOMEM, "no memory");
    rc = system(command);
    free(command);
    return rc == -1 ? error_set(err, errno, "sh cannot be started: %s", strerror(errno)) : 0;
}
