/*
 * exercise.c - see exercise.h. Called by cmd_ticket.c, cmd_lab.c and lab_all.c.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exercise.h"
#include "cli/guestdir.h"

/* a/b; too long a path names nothing. */
static const char *
join(char path[PATH_MAX], const char *a, const char *b)
{
    if (snprintf(path, PATH_MAX, "%s/%s", a, b) >= PATH_MAX)
        path[0] = 0;
    return path;
}

/* --- where they are ----------------------------------------------------------------------------- */

/* "NN-name": two digits, a dash. */
static int
is_exercise(const struct dirent *entry)
{
    const char *n = entry->d_name;

    return isdigit((unsigned char)n[0]) && isdigit((unsigned char)n[1]) && n[2] == '-' && n[3];
}

static int
no_labs(struct error *err)
{
    return error_set(err, ENOENT,
                     "the labs are not there: install hv, or set HV_LABS to their folder");
}

/* The folders of one kind, sorted: their number, or -errno. The caller frees each and the list. */
static int
scan(const char *kind, char folder[PATH_MAX], struct dirent ***list, struct error *err)
{
    char labs[PATH_MAX];

    if (!labs_folder_find(labs, sizeof(labs)))
        return no_labs(err);
    int count = scandir(join(folder, labs, kind), list, is_exercise, alphasort);
    if (count < 0)
        return error_set(err, errno, "%s cannot be read: %s", folder, strerror(errno));
    return count;
}

static void
release(struct dirent **list, int count)
{
    for (int i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

/* Is "03-storm" meant by `which`? */
static bool
is_meant(const char *name, const char *which)
{
    char *end;
    long number = strtol(which, &end, 10);

    if (*which && !*end)
        return number == strtol(name, NULL, 10);
    return !strcmp(name, which) || !strcmp(name + 3, which);
}

int
exercise_find(const char *kind, const char *which, char *path, size_t size, struct error *err)
{
    char folder[PATH_MAX];
    struct dirent **list = NULL;
    int count = scan(kind, folder, &list, err), rc = -ENOENT;

    if (count < 0)
        return count;
    for (int i = 0; rc && i < count; i++)
        if (is_meant(list[i]->d_name, which) &&
            snprintf(path, size, "%s/%s", folder, list[i]->d_name) < (int)size)
            rc = 0;
    release(list, count);
    return rc ? error_set(err, ENOENT, "there is none '%s' among the %d in %s", which, count,
                          folder)
              : 0;
}

int
exercise_each(const char *kind, void (*print)(const char *folder, const char *name),
              struct error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct dirent **list = NULL;
    int count = scan(kind, folder, &list, err);

    if (count < 0)
        return count;
    for (int i = 0; i < count; i++)
        print(join(path, folder, list[i]->d_name), list[i]->d_name);
    release(list, count);
    return 0;
}

bool
exercise_key(const char *folder, const char *key, char *value, size_t size)
{
    char path[PATH_MAX], *line = NULL;
    size_t room = 0, length = strlen(key);
    FILE *file = fopen(join(path, folder, "lab.txt"), "re");
    bool found = false;

    *value = 0;
    while (file && !found && getline(&line, &room, file) > 0)
        if (!strncmp(line, key, length) && line[length] == ':') {
            line[strcspn(line, "\n")] = 0;
            snprintf(value, size, "%s", line + length + 1 + strspn(line + length + 1, " "));
            found = true;
        }
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* --- handing one out ----------------------------------------------------------------------------- */

static int
copy_file(const char *from, const char *to, mode_t mode, struct error *err)
{
    char buffer[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC), rc = 0;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode & 0777) | S_IWUSR);
    ssize_t got = in < 0 || out < 0 ? -1 : 1;

    while (got > 0 && (got = read(in, buffer, sizeof(buffer))) > 0)
        if (write(out, buffer, (size_t)got) != got)
            got = -1;
    if (got < 0)
        rc = error_set(err, errno ? errno : EIO, "%s could not be copied to %s: %s", from, to,
                       strerror(errno));
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) && !rc)
        rc = error_set(err, errno, "%s could not be written: %s", to, strerror(errno));
    return rc;
}

static bool
is_skipped(const char *name, const char *skip)
{
    return !strcmp(name, ".") || !strcmp(name, "..") || (skip && !strcmp(name, skip));
}

int
exercise_copy(const char *from, const char *to, bool fresh, const char *skip, struct error *err)
{
    char source[PATH_MAX], target[PATH_MAX];
    struct stat st;
    int rc = 0;

    if (mkdir(to, 0777) && (fresh || errno != EEXIST))
        return error_set(err, errno, "folder '%s' cannot be made: %s", to, strerror(errno));
    DIR *folder = opendir(from);
    if (!folder)
        return error_set(err, errno, "%s cannot be read: %s", from, strerror(errno));
    for (struct dirent *entry; !rc && (entry = readdir(folder));) {
        if (is_skipped(entry->d_name, skip))
            continue;
        if (!join(source, from, entry->d_name)[0] || !join(target, to, entry->d_name)[0])
            rc = error_set(err, ENAMETOOLONG, "%s/%s: too long a path", to, entry->d_name);
        else if (lstat(source, &st))
            rc = error_set(err, errno, "%s: %s", source, strerror(errno));
        else if (S_ISDIR(st.st_mode))
            rc = exercise_copy(source, target, fresh, NULL, err);
        else if (S_ISREG(st.st_mode))
            rc = copy_file(source, target, st.st_mode, err);
    }
    closedir(folder);
    return rc;
}

/* --- the scripts beside them ---------------------------------------------------------------------- */

int
exercise_become(const char *script, const char *folder, const char *dir, const char *test,
                struct error *err)
{
    char labs[PATH_MAX], guests[PATH_MAX], path[PATH_MAX], self[PATH_MAX] = "";

    if (!labs_folder_find(labs, sizeof(labs)) ||
        readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return no_labs(err);
    setenv("HV", self, 1);
    setenv("HV_LABS", labs, 1);
    if (guestdir_find(guests, sizeof(guests)))
        setenv("HV_GUESTS", guests, 1);
    fflush(NULL);
    join(path, labs, script);
    execl("/bin/sh", "sh", path, folder, dir, test, (char *)NULL);
    return error_set(err, errno, "%s cannot be started: %s", path, strerror(errno));
}
