/*
 * cgroup.c - limits of memory, processes and CPU for a whole guest, by cgroup v1 or v2.
 *
 * A host may have each controller in a hierarchy of its own (v1), all in one (v2), or some here and
 * some there (hybrid): for each controller we look where it is. The guest's cgroup is made *under
 * the supervisor's own*, so that it stays within what the supervisor itself was given. Its name,
 * "hv-ski-PID-START", says whose it was, so that what a killed supervisor left can be swept.
 *
 * cgroups(7); Linux Documentation/admin-guide/cgroup-v2.rst ("No Internal Process Constraint").
 * Called by the steps "cgroup" and "attach". Next: inside.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "strategy/ski/own.h"

#define PREFIX        "hv-ski-"
#define CPU_PERIOD_US 100000u
#define SWEEP_DEPTH   8u /* folders below the top of a hierarchy */
#define FOREIGN_AGE   60 /* seconds */

static const char *const controllers[SKI_CGROUPS] = {"memory", "pids", "cpu"};
static const char *const words[SKI_CGROUPS] = {"memory", "processes", "CPU time"};

/* Is name one of the words of list, which are separated by commas or blanks? */
static bool
has_word(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = list; (at = strstr(at, name)); at += length)
        if ((at == list || strchr(", ", at[-1])) && strchr(", \n", at[length]))
            return true;
    return false;
}

static bool
read_line(const char *folder, const char *file, char *text, size_t size)
{
    char path[PATH_MAX];
    FILE *f = snprintf(path, sizeof(path), "%s/%s", folder, file) < (int)sizeof(path)
                  ? fopen(path, "re")
                  : NULL;
    bool read = f && fgets(text, (int)size, f);

    if (f)
        fclose(f);
    return read;
}

static int
write_value(const char *folder, const char *file, const char *text)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : write(fd, text, strlen(text));
    int rc = size < 0 ? -errno : 0;

    if (fd >= 0)
        close(fd);
    return rc;
}

/* --- where a controller is -------------------------------------------------------------------- */

/* Our own cgroup in the v1 hierarchy of `controller` ("" : the v2 one): /proc/self/cgroup has lines
 * "ID:CONTROLLER,...:PATH". */
static bool
own_path(const char *controller, char *path, size_t size)
{
    char line[PATH_MAX + 128];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");

    while (file && !found && fgets(line, sizeof(line), file)) {
        char *list = strchr(line, ':'), *at = list ? strchr(list + 1, ':') : NULL;
        if (!at)
            continue;
        *list++ = *at++ = 0;
        at[strcspn(at, "\n")] = 0;
        found = controller[0] ? has_word(list, controller) : !list[0];
        if (found)
            snprintf(path, size, "%s", at);
    }
    if (file)
        fclose(file);
    return found;
}

/*
 * The folder of that hierarchy at which our own cgroup is seen. A line of mountinfo (proc(5)) is
 * "id parent major:minor ROOT MOUNTPOINT options ... - TYPE source SUPEROPTIONS"; a mount shows the
 * cgroups below ROOT.
 */
static bool
own_folder(const char *controller, bool v2, char *folder, size_t size)
{
    char line[2 * PATH_MAX], own[PATH_MAX], root[PATH_MAX], point[PATH_MAX], type[64], super[256];
    bool found = false;
    FILE *file;

    if (!own_path(v2 ? "" : controller, own, sizeof(own)) ||
        !(file = fopen("/proc/self/mountinfo", "re")))
        return false;
    while (!found && fgets(line, sizeof(line), file)) {
        char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 ||
            sscanf(rest, " - %63s %*s %255s", type, super) != 2)
            continue;
        size_t skip = strcmp(root, "/") ? strlen(root) : 0;
        if (strcmp(type, v2 ? "cgroup2" : "cgroup") || (!v2 && !has_word(super, controller)) ||
            strncmp(own, root, skip))
            continue;
        found = snprintf(folder, size, "%s%s", point, strcmp(own + skip, "/") ? own + skip : "") <
                (int)size;
    }
    fclose(file);
    return found;
}

/*
 * v2: a cgroup that has processes cannot give controllers to its children, the root excepted. So
 * we go up from our own one to the first that does or can.
 */
static bool
can_give(char *folder, const char *controller)
{
    char text[512], enable[64];

    for (;;) {
        if (!read_line(folder, "cgroup.controllers", text, sizeof(text)) ||
            !has_word(text, controller))
            return false;
        if (read_line(folder, "cgroup.subtree_control", text, sizeof(text)) &&
            has_word(text, controller))
            return true;
        snprintf(enable, sizeof(enable), "+%s", controller);
        if (!write_value(folder, "cgroup.subtree_control", enable))
            return true;
        char *slash = strrchr(folder, '/');
        if (!slash || slash == folder)
            return false;
        *slash = 0;
    }
}

static bool
find_parent(const char *controller, char *folder, size_t size, bool *v2)
{
    *v2 = false;
    if (own_folder(controller, false, folder, size))
        return true;
    *v2 = true;
    return own_folder(controller, true, folder, size) && can_give(folder, controller);
}

/* --- the guest's cgroups ---------------------------------------------------------------------- */

/* When a process started, in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)); the name
 * before it may contain anything, so fields are counted from its last ')'. 0: there is none. */
static uint64_t
start_time(pid_t pid)
{
    char folder[32], text[1024], *at;
    uint64_t start = 0;

    snprintf(folder, sizeof(folder), "/proc/%d", (int)pid);
    if (!read_line(folder, "stat", text, sizeof(text)) || !(at = strrchr(text, ')')))
        return 0;
    for (unsigned field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at)
        sscanf(at, "%" SCNu64, &start);
    return start;
}

/* The number of the pid namespace that we are in: a pid means something there alone. */
static uint64_t
pid_namespace(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) ? 0 : st.st_ino;
}

static int
set_limit(const struct ski *ski, const struct ski_cgroup *group, unsigned controller)
{
    const struct ski_options *o = &ski->options;
    char text[64];
    int rc = 0;

    switch (controller) {
    case 0:
        snprintf(text, sizeof(text), "%" PRIu64, o->mem);
        rc = write_value(group->path, group->v2 ? "memory.max" : "memory.limit_in_bytes", text);
        /* No swap beyond it; absent where the kernel does not account for swap. */
        write_value(group->path, group->v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
                    group->v2 ? "0" : text);
        break;
    case 1:
        snprintf(text, sizeof(text), "%" PRIu64, o->pids);
        rc = write_value(group->path, "pids.max", text);
        break;
    case 2:
        if (group->v2) {
            snprintf(text, sizeof(text), "%u %u", o->cpu * CPU_PERIOD_US / 100, CPU_PERIOD_US);
            return write_value(group->path, "cpu.max", text);
        }
        snprintf(text, sizeof(text), "%u", CPU_PERIOD_US);
        rc = write_value(group->path, "cpu.cfs_period_us", text);
        snprintf(text, sizeof(text), "%u", o->cpu * CPU_PERIOD_US / 100);
        if (!rc)
            rc = write_value(group->path, "cpu.cfs_quota_us", text);
        break;
    }
    return rc;
}

/* The guest's cgroup with this path: made now, or already there for another controller. */
static struct ski_cgroup *
group_at(struct ski *ski, const char *path, bool v2)
{
    for (unsigned i = 0; i < SKI_CGROUPS; i++) {
        struct ski_cgroup *group = &ski->cgroup[i];
        if (!strcmp(group->path, path))
            return group;
        if (group->path[0])
            continue;
        if (mkdir(path, 0755))
            return NULL;
        snprintf(group->path, sizeof(group->path), "%s", path);
        group->v2 = v2;
        group->controllers = 0;
        return group;
    }
    return NULL;
}

void
ski_cgroup_create(struct ski *ski)
{
    char folder[PATH_MAX], path[PATH_MAX];
    bool v2;

    ski->limited = 0;
    for (unsigned c = 0; ski->root && c < SKI_CGROUPS; c++) {
        /* The address tells this guest from others of the same supervisor. */
        if (!find_parent(controllers[c], folder, sizeof(folder), &v2) ||
            snprintf(path, sizeof(path), "%s/" PREFIX "%d-%" PRIu64 "-%" PRIu64 "-%" PRIxPTR,
                     folder, (int)getpid(), start_time(getpid()), pid_namespace(),
                     (uintptr_t)ski) >= (int)sizeof(path))
            continue;
        struct ski_cgroup *group = group_at(ski, path, v2);
        if (!group || set_limit(ski, group, c))
            continue;
        group->controllers |= 1u << c;
        ski->limited |= 1u << c;
    }
    if (ski->limited == (1u << SKI_CGROUPS) - 1)
        return;
    size_t used = (size_t)snprintf(ski->degraded, sizeof(ski->degraded), "limits degraded, %s:",
                                   ski->root ? "a cgroup controller is missing" : "not root");
    static const char *const by_rlimit[] = {"by RLIMIT_AS, each process alone", "by RLIMIT_NPROC",
                                            "not limited"};
    for (unsigned c = 0; c < SKI_CGROUPS; c++)
        if (!(ski->limited & 1u << c) && used < sizeof(ski->degraded))
            used += (size_t)snprintf(ski->degraded + used, sizeof(ski->degraded) - used, " %s %s;",
                                     words[c],
                                     ski_has(ski, SKI_LAYER_RLIMITS) ? by_rlimit[c] : by_rlimit[2]);
    ski->degraded[strlen(ski->degraded) - 1] = 0;
}

int
ski_cgroup_attach(struct ski *ski, struct error *err)
{
    char text[32];

    snprintf(text, sizeof(text), "%d", (int)ski->first);
    for (unsigned i = 0; i < SKI_CGROUPS; i++) {
        int rc = ski->cgroup[i].path[0] ? write_value(ski->cgroup[i].path, "cgroup.procs", text)
                                        : 0;
        if (rc)
            return error_set(err, -rc, "putting the guest into %.300s: %s", ski->cgroup[i].path,
                             strerror(-rc));
    }
    return 0;
}

const char *
ski_cgroup(const struct ski *ski, const char *controller)
{
    for (unsigned i = 0; i < SKI_CGROUPS; i++)
        for (unsigned c = 0; c < SKI_CGROUPS; c++)
            if ((ski->cgroup[i].controllers & 1u << c) && !strcmp(controllers[c], controller))
                return ski->cgroup[i].path;
    return NULL;
}

uint64_t
ski_cgroup_number(const struct ski *ski, const char *controller, const char *file, const char *key)
{
    const char *folder = ski_cgroup(ski, controller);
    char path[PATH_MAX], word[64];
    uint64_t value = 0;
    FILE *f = folder && snprintf(path, sizeof(path), "%s/%s", folder, file) < (int)sizeof(path)
                  ? fopen(path, "re")
                  : NULL;

    if (f && !key && fscanf(f, "%" SCNu64, &value) != 1)
        value = 0;
    while (f && key && fscanf(f, "%63s %" SCNu64, word, &value) == 2 && strcmp(word, key))
        value = 0;
    if (f)
        fclose(f);
    return value;
}

uint64_t
ski_oom_kills(const struct ski *ski)
{
    uint64_t v2 = ski_cgroup_number(ski, "memory", "memory.events", "oom_kill");

    return v2 ? v2 : ski_cgroup_number(ski, "memory", "memory.oom_control", "oom_kill");
}

/* --- taking them away ------------------------------------------------------------------------- */

static void
kill_all_in(const char *folder)
{
    char path[PATH_MAX];
    int pid;
    FILE *file = snprintf(path, sizeof(path), "%s/cgroup.procs", folder) < (int)sizeof(path)
                     ? fopen(path, "re")
                     : NULL;

    while (file && fscanf(file, "%d", &pid) == 1)
        if (pid > 1)
            kill(pid, SIGKILL);
    if (file)
        fclose(file);
}

/* A cgroup is busy for a moment after its last process was waited for. */
static bool
remove_group(const char *folder, bool ours)
{
    for (unsigned tries = 0; tries < (ours ? 200 : 10); tries++) {
        if (!rmdir(folder) || errno == ENOENT)
            return true;
        if (errno != EBUSY)
            return false;
        if (ours)
            kill_all_in(folder);
        sleep_ns(5000000);
    }
    return false;
}

void
ski_cgroup_remove(struct ski *ski)
{
    for (unsigned i = 0; i < SKI_CGROUPS; i++) {
        if (ski->cgroup[i].path[0])
            remove_group(ski->cgroup[i].path, true);
        ski->cgroup[i].path[0] = 0;
        ski->cgroup[i].controllers = 0;
    }
}

/*
 * Is this a cgroup of ours whose supervisor is gone? Its pid may be another process' by now: the time
 * of its start tells. A supervisor in another pid namespace cannot be looked for. Its cgroup is empty
 * until the guest is put into it, and after the guest's end: only one that is old can be stale.
 */
static bool
is_stale(const char *path, const char *name)
{
    uint64_t space, start;
    struct stat st;
    int pid;

    if (sscanf(name, PREFIX "%d-%" SCNu64 "-%" SCNu64, &pid, &start, &space) != 3 || pid <= 0)
        return false;
    if (space == pid_namespace())
        return start_time(pid) != start;
    return !stat(path, &st) && time(NULL) - st.st_ctime > FOREIGN_AGE;
}

/* Nothing is killed: the guest of a dead supervisor dies by itself, and a cgroup with processes stays. */
static unsigned
sweep_folder(const char *folder, unsigned depth)
{
    char path[PATH_MAX];
    unsigned swept = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);

    while (dir && (entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            continue;
        if (is_stale(path, entry->d_name))
            swept += remove_group(path, false);
        else if (depth)
            swept += sweep_folder(path, depth - 1);
    }
    if (dir)
        closedir(dir);
    return swept;
}

/* From the top of each hierarchy: the supervisor may have been in another session's cgroup. */
unsigned
ski_sweep(void)
{
    char line[2 * PATH_MAX], point[PATH_MAX], type[64];
    unsigned swept = 0;
    FILE *file = geteuid() == 0 ? fopen("/proc/self/mountinfo", "re") : NULL;

    while (file && fgets(line, sizeof(line), file)) {
        char *rest = strstr(line, " - ");
        if (rest && sscanf(line, "%*s %*s %*s %*s %4095s", point) == 1 &&
            sscanf(rest, " - %63s", type) == 1 && !strncmp(type, "cgroup", 6))
            swept += sweep_folder(point, SWEEP_DEPTH);
    }
    if (file)
        fclose(file);
    return swept;
}
