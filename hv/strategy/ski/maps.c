/*
 * maps.c - who the guest's uid 0 is outside: the maps of its user namespace; and why a host may
 * refuse one.
 *
 * user_namespaces(7). Root gives the guest a range of uids that nobody has on the host: what a guest
 * process does outside it does as nobody. Anyone else may map exactly one uid, his own, and must
 * give up setgroups first: dropping a group can open a file that the group is denied.
 *
 * Called by the step "maps" in the supervisor. Next: cgroup.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "strategy/ski/own.h"

static int
write_proc(pid_t pid, const char *name, const char *text, struct error *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : write(fd, text, strlen(text));
    int code = errno;

    if (fd >= 0)
        close(fd);
    if (size < 0)
        return error_set(err, code, "writing '%s' to %s: %s", text, path, strerror(code));
    return 0;
}

SKI_STEP(ski_step_maps)
{
    char uids[64], gids[64];
    int rc;

    if (ski->range) {
        snprintf(uids, sizeof(uids), "0 %u %u", ski->options.uid_first, ski->options.uid_count);
        snprintf(gids, sizeof(gids), "%s", uids);
    } else {
        snprintf(uids, sizeof(uids), "0 %u 1", (unsigned)geteuid());
        snprintf(gids, sizeof(gids), "0 %u 1", (unsigned)getegid());
        rc = write_proc(ski->first, "setgroups", "deny", err);
        if (rc)
            return rc;
    }
    rc = write_proc(ski->first, "uid_map", uids, err);
    return rc ? rc : write_proc(ski->first, "gid_map", gids, err);
}

/* The first number in a file of /proc/sys; -1: there is no such file. */
static long
setting(const char *path)
{
    long value = -1;
    FILE *file = fopen(path, "re");

    if (file && fscanf(file, "%ld", &value) != 1)
        value = -1;
    if (file)
        fclose(file);
    return value;
}

const char *
ski_user_mend(void)
{
    if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return ". AppArmor keeps user namespaces from users here (Ubuntu): as root, sysctl -w "
               "kernel.apparmor_restrict_unprivileged_userns=0, or give hv a profile with "
               "'userns,'";
    if (setting("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return ". User namespaces are switched off for users here: as root, sysctl -w "
               "kernel.unprivileged_userns_clone=1";
    if (setting("/proc/sys/user/max_user_namespaces") == 0)
        return ". User namespaces are switched off here: as root, sysctl -w "
               "user.max_user_namespaces=10000";
    return "";
}
