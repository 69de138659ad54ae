/*
 * dot.c - see dot.h. No shell is involved: names of files may hold anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/dot.h"

extern char **environ;

const char *
dot_format(const char *path)
{
    static const char *const formats[] = {"svg", "png", "pdf", "dot"};
    const char *suffix = strrchr(path, '.');

    for (size_t i = 0; suffix && i < sizeof(formats) / sizeof(formats[0]); i++)
        if (!strcasecmp(suffix + 1, formats[i]))
            return formats[i];
    return NULL;
}

/* Reads to the end, keeps the first line. */
static void
read_line(int fd, char *text, size_t size)
{
    size_t used = 0;
    char buffer[512];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR))
        for (ssize_t i = 0; i < n && used + 1 < size; i++)
            text[used++] = buffer[i];
    text[used] = 0;
    text[strcspn(text, "\r\n")] = 0;
}

/* Starts the program with the file as standard input and standard error in a pipe. */
static int
spawn_dot(const char *program, const char *dot_path, char *const argv[], int error_fd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc)
        return -rc;
    rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, dot_path, O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, error_fd, STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawnp(pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

static int
wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    /* A shell's convention for a program that could not be run; posix_spawnp may use it. */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return -ENOENT;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int
dot_run(const char *program, const char *dot_path, const char *format, const char *path, char *said,
        size_t size)
{
    char type[16], *output;
    int fds[2], rc;
    pid_t pid;

    said[0] = 0;
    snprintf(type, sizeof(type), "-T%s", format);
    /* In one word: a path that begins with '-' is no option then. */
    if (asprintf(&output, "-o%s", path) < 0)
        return -ENOMEM;
    char *argv[] = {(char *)program, type, output, NULL};
    if (pipe2(fds, O_CLOEXEC)) {
        free(output);
        return -errno;
    }
    rc = spawn_dot(program, dot_path, argv, fds[1], &pid);
    close(fds[1]);
    if (rc == 0) {
        read_line(fds[0], said, size);
        rc = wait_for(pid);
    }
    close(fds[0]);
    free(output);
    return rc;
}

/* The picture's source, in a file. */
static int
write_file(dot_text_fn *write, const void *context, const char *path, char *message, size_t size)
{
    FILE *out = fopen(path, "we");
    int rc;

    if (!out) {
        rc = -errno;
        snprintf(message, size, "cannot create '%s': %s", path, strerror(errno));
        return rc;
    }
    rc = write(context, out, message, size);
    if (fclose(out) && rc == 0) {
        rc = -errno;
        snprintf(message, size, "cannot write '%s': %s", path, strerror(errno));
    }
    return rc;
}

/* dot_write_text(); if `svg` is not NULL, write() may set it: the text is the picture already. */
static int
write_picture(dot_text_fn *write, const void *context, const bool *svg, const char *path,
              char *message, size_t size)
{
    const char *format = dot_format(path);
    char *text_path, said[256];
    int rc;

    if (!strcmp(format, "dot"))
        return write_file(write, context, path, message, size);
    if (asprintf(&text_path, "%s.dot", path) < 0) {
        snprintf(message, size, "no memory for the picture");
        return -ENOMEM;
    }
    rc = write_file(write, context, text_path, message, size);
    if (rc == 0 && svg && *svg) {
        if (rename(text_path, path)) {
            rc = -errno;
            snprintf(message, size, "cannot write '%s': %s", path, strerror(errno));
        }
    } else if (rc == 0) {
        rc = dot_run("dot", text_path, format, path, said, sizeof(said));
        if (rc == 0)
            unlink(text_path);
        else if (rc == -ENOENT)
            snprintf(message, size,
                     "there is no program 'dot': install the package graphviz; its input is kept "
                     "in '%s'",
                     text_path);
        else
            snprintf(message, size,
                     "'dot' of the package graphviz failed%s%s; its input is kept in '%s'",
                     said[0] ? ": " : "", said[0] ? said : "", text_path);
    }
    free(text_path);
    return rc;
}

static int
check_suffix(const char *path, char *message, size_t size)
{
    if (dot_format(path))
        return 0;
    snprintf(message, size, "'%s' has no suffix that names a picture: .svg .png .pdf .dot", path);
    return -EINVAL;
}

int
dot_write_text(dot_text_fn *write, const void *context, const char *path, char *message,
               size_t size)
{
    int rc = check_suffix(path, message, size);

    return rc ? rc : write_picture(write, context, NULL, path, message, size);
}

/* --- a picture of one view ---------------------------------------------------------------------- */

struct one_view {
    const struct view_ops *ops;
    const struct trace *trace;
    const struct view_options *options;
};

static int
write_view(const void *context, FILE *out, char *message, size_t size)
{
    const struct one_view *v = context;
    struct view_options options = *v->options;

    options.out = out;
    return view_run(v->ops, v->trace, &options, message, size);
}

int
dot_write(const struct view_ops *ops, const struct trace *trace, const struct view_options *options,
          const char *path, char *message, size_t size)
{
    bool svg = false;
    struct view_options mine = *options;
    struct one_view v = {ops, trace, &mine};
    const char *format = dot_format(path);
    int rc = check_suffix(path, message, size);

    if (rc == 0)
        rc = trace_check_output(trace, path, message, size);
    if (rc)
        return rc;
    if (ops->form == VIEW_SVG) {
        if (!strcmp(format, "svg"))
            return write_file(write_view, &v, path, message, size);
        snprintf(message, size, "the picture '%s' is always SVG: give its file the suffix .svg",
                 ops->name);
        return -EINVAL;
    }
    mine.svg = strcmp(format, "svg") ? NULL : &svg;
    return write_picture(write_view, &v, &svg, path, message, size);
}
