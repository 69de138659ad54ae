/* guestdir.c - see guestdir.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/guestdir.h"

/* The first of two places, seen from hv itself, that is there: the build tree's, or an installed one. */
static bool
find(const char *variable, const char *built, const char *installed, char *path, size_t size)
{
    const char *const places[] = {built, installed};
    const char *set = getenv(variable);
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (set && *set)
        return snprintf(path, size, "%s", set) < (int)size;
    if (length <= 0)
        return false;
    self[length] = 0;
    *strrchr(self, '/') = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        char folder[2 * PATH_MAX], real[PATH_MAX];
        snprintf(folder, sizeof(folder), "%s/%s", self, places[i]);
        if (realpath(folder, real))
            return snprintf(path, size, "%s", real) < (int)size;
    }
    return false;
}

bool
guestdir_find(char *path, size_t size)
{
    return find("HV_GUESTS", "../guests", "../share/hv/guests", path, size);
}

bool
labs_folder_find(char *path, size_t size)
{
    return find("HV_LABS", "../../labs", "../share/hv/labs", path, size);
}

bool
includedir_find(char *path, size_t size)
{
    return find("HV_INCLUDE", "../include/hv", "../../hv", path, size);
}

void
guestdir_resolve(const char *guest, char *path, size_t size)
{
    char folder[PATH_MAX];

    if (!strchr(guest, '/') && access(guest, F_OK) && guestdir_find(folder, sizeof(folder)) &&
        snprintf(path, size, "%s/%s", folder, guest) < (int)size && !access(path, F_OK))
        return;
    snprintf(path, size, "%s", guest);
}
