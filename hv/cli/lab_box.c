/*
 * lab_box.c - see lab_all.h. The box in which a submission is built and graded: strategy ski with a root
 * file system made for it, without network, without other submissions, without solutions.
 *
 * Its walls keep a submission from the host and from others; that the grader is another user in it (grade_boxed)
 * keeps it from its own results. What is left is said in docs/TEACHING.md.
 * Called by lab_all.c. Next: strategy/ski/ski.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/guestdir.h"
#include "cli/lab_all.h"
#include "strategy/ski/ski.h"

#define MEMORY    (UINT64_C(768) << 20)
#define PROCESSES 64
#define FILE_MAX  (UINT64_C(24) << 20) /* bytes; /tmp of the box has 32 MiB */

/* $0 is the lab. The grader's JSON is last, behind a mark that the caller looks for. */
static const char script[] =
    "mkdir -p $T/s $T/w $T/g && chmod 700 $T/g && cd $T/s && tar -x --no-same-owner "
    "--no-same-permissions -f - || exit "
    "98\n"
    "rm -rf grade; cd $T\n"
    "\"$HV\" lab grade \"$0\" $T/s --json $T/g/json --work $T/w </dev/null 2>&1 | head -c 200000\n"
    "echo; echo @@json@@; [ -f $T/g/json ] && head -c 200000 $T/g/json\n"
    "[ $T = /tmp ] || rm -rf $T\n";

/* --- the view -------------------------------------------------------------------------------------- */

static int
bind(const struct lab_box *box, const char *from, const char *to, struct error *err)
{
    char target[2 * PATH_MAX];
    struct stat st;

    snprintf(target, sizeof(target), "%s%s", box->view, to);
    if (stat(from, &st))
        return error_set(err, errno, "'%s': %s", from, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        if ((st.st_mode & 05) != 05)
            return error_set(err, EACCES,
                             "'%s' is not open to others, and the box' root is nobody on this "
                             "host: 'chmod -R o+rX' it",
                             from);
        if (mkdir(target, 0755) && errno != EEXIST)
            return error_set(err, errno, "%s: %s", target, strerror(errno));
    } else {
        int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            return error_set(err, errno, "%s: %s", target, strerror(errno));
        close(fd);
    }
    if (mount(from, target, NULL, MS_BIND, NULL))
        return error_set(err, errno, "binding %s at %s: %s", from, target, strerror(errno));
    return 0;
}

/* hv itself is copied: who installs a new one meanwhile removes the file, and a process whose file is
 * removed does not find itself in /proc any more. */
static int
copy_program(const struct lab_box *box, struct error *err)
{
    char target[2 * PATH_MAX];
    ssize_t sent = -1;

    snprintf(target, sizeof(target), "%s/hv/hv", box->view);
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    while (from >= 0 && to >= 0 && (sent = sendfile(to, from, NULL, 1u << 20)) > 0)
        ;
    int rc = sent ? error_set(err, errno, "copying hv to %s: %s", target, strerror(errno)) : 0;
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return rc;
}

/* An empty folder over one that is not to be seen. */
static int
hide(const struct lab_box *box, const char *what, struct error *err)
{
    char target[2 * PATH_MAX];

    snprintf(target, sizeof(target), "%s%s", box->view, what);
    if (access(target, F_OK))
        return 0;
    if (mount("tmpfs", target, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k"))
        return error_set(err, errno, "hiding %s: %s", what, strerror(errno));
    return 0;
}

/* /bin, /lib and the like are links into /usr on a merged system; else folders of their own. */
static int
copy_top(const struct lab_box *box, const char *name, struct error *err)
{
    char link[PATH_MAX], to[2 * PATH_MAX];
    ssize_t length = readlink(name, link, sizeof(link) - 1);

    if (length <= 0)
        return access(name, F_OK) ? 0 : bind(box, name, name, err);
    link[length] = 0;
    snprintf(to, sizeof(to), "%s%s", box->view, name);
    return symlink(link, to) ? error_set(err, errno, "%s: %s", to, strerror(errno)) : 0;
}

static int
make_view(struct lab_box *box, struct error *err)
{
    static const char *const tops[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    static const char *const folders[] = {"/proc", "/dev", "/tmp", "/etc", "/hv"};
    char path[2 * PATH_MAX], parent[PATH_MAX], *slash;
    int rc = bind(box, "/usr", "/usr", err);

    for (unsigned i = 0; !rc && i < ARRAY_SIZE(tops); i++)
        rc = copy_top(box, tops[i], err);
    for (unsigned i = 0; !rc && i < ARRAY_SIZE(folders); i++) {
        snprintf(path, sizeof(path), "%s%s", box->view, folders[i]);
        if (mkdir(path, 0755))
            rc = error_set(err, errno, "%s: %s", path, strerror(errno));
    }
    if (!rc && !access("/etc/alternatives", F_OK)) /* what cc is on Debian */
        rc = bind(box, "/etc/alternatives", "/etc/alternatives", err);
    if (!rc && !access("/etc/ld.so.cache", F_OK))
        rc = bind(box, "/etc/ld.so.cache", "/etc/ld.so.cache", err);

    /* Lab 7 takes the sources of minios, which are beside the labs that are installed. */
    snprintf(path, sizeof(path), "%s/../minios", box->labs);
    if (!rc && !access(path, F_OK))
        rc = bind(box, path, "/hv/minios", err);

    /* In the source tree, headers of plug-ins include others from the folder above them. */
    snprintf(parent, sizeof(parent), "%s", box->include);
    if ((slash = strrchr(parent, '/')))
        *slash = 0;
    if (rc || (rc = copy_program(box, err)) || (rc = bind(box, box->labs, "/hv/labs", err)) ||
        (rc = hide(box, "/hv/labs/solutions", err)) ||
        (rc = bind(box, box->guests, "/hv/guests", err)) ||
        (rc = bind(box, parent, "/hv/above", err)) || (rc = hide(box, "/hv/above/labs", err)) ||
        (rc = hide(box, "/hv/above/.git", err)))
        return rc;
    snprintf(box->include, sizeof(box->include), "/hv/above/%s", slash ? slash + 1 : "");
    strcpy(box->hv, "/hv/hv");
    strcpy(box->labs, "/hv/labs");
    strcpy(box->guests, "/hv/guests");
    /* An installed tree has the labs below /usr or /usr/local. */
    if ((rc = hide(box, "/usr/share/hv/labs/solutions", err)))
        return rc;
    return hide(box, "/usr/local/share/hv/labs/solutions", err);
}

/* --- the folder of a class ------------------------------------------------------------------------- */

#define CLASS "hv-boxes-" /* and six letters, in /tmp */

static void
remove_all(const char *path)
{
    pid_t pid = fork();

    if (!pid) {
        execlp("rm", "rm", "-rf", "--one-file-system", path, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/*
 * A folder and a lock on it, which the kernel takes back when its owner ends, however that happens, and in
 * whatever pid namespace: who gets the lock of another's folder knows that it was left behind.
 */
static int
take_folder(struct lab_box *box, struct error *err)
{
    struct stat ours, there;

    for (unsigned tries = 0; tries < 100; tries++) {
        strcpy(box->view, "/tmp/" CLASS "XXXXXX");
        if (!mkdtemp(box->view))
            break;
        box->lock = open(box->view, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (box->lock >= 0 && !flock(box->lock, LOCK_EX | LOCK_NB) && !fstat(box->lock, &ours) &&
            !stat(box->view, &there) && ours.st_ino == there.st_ino)
            return 0;
        if (box->lock >= 0) /* swept before it was locked */
            close(box->lock);
    }
    box->lock = -1;
    box->view[0] = 0;
    return error_set(err, errno, "no folder can be made in /tmp: %s", strerror(errno));
}

/* What a class has left whose hv was killed: an empty folder, or, without a box, one with work in it. */
static void
sweep_folders(void)
{
    char path[PATH_MAX];
    struct dirent *entry;
    struct stat st;
    DIR *dir = opendir("/tmp");

    while (dir && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, CLASS, strlen(CLASS)) ||
            snprintf(path, sizeof(path), "/tmp/%s", entry->d_name) >= (int)sizeof(path))
            continue;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid() && !flock(fd, LOCK_EX | LOCK_NB) &&
            rmdir(path))
            remove_all(path);
        if (fd >= 0)
            close(fd);
    }
    if (dir)
        closedir(dir);
}

static bool
resolve(char path[PATH_MAX])
{
    char real[PATH_MAX];

    return realpath(path, real) && strcpy(path, real);
}

int
lab_box_open(struct lab_box *box, bool plain, struct error *err)
{
    *box = (struct lab_box){.plain = plain, .cpu_seconds = 30, .lock = -1};
    strcpy(box->hv, "/proc/self/exe");
    if (!labs_folder_find(box->labs, sizeof(box->labs)) ||
        !guestdir_find(box->guests, sizeof(box->guests)) ||
        !includedir_find(box->include, sizeof(box->include)) || !resolve(box->labs) ||
        !resolve(box->guests) || !resolve(box->include) || !resolve(box->hv))
        return error_set(err, ENOENT,
                         "labs, guests or headers of plug-ins are not there: install hv, or set "
                         "HV_LABS, HV_GUESTS and HV_INCLUDE to their folders");
    if (geteuid() && !plain)
        return error_set(
            err, EPERM,
            "untrusted work is graded in a box of strategy ski, whose root file system "
            "only root can put together: be root, or, if you trust the work, say "
            "--plain");
    sweep_folders();
    int rc = take_folder(box, err);
    if (rc || plain)
        return rc;
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", box->view, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=256m"))
        return error_set(err, errno, "the box' file system: %s", strerror(errno));
    mode_t mask = umask(022); /* others are to see it: the box' root is one of them */
    rc = make_view(box, err);
    umask(mask);
    return rc;
}

void
lab_box_close(struct lab_box *box)
{
    if (!box->view[0])
        return;
    if (box->plain)
        remove_all(box->view);
    else
        umount2(box->view, MNT_DETACH);
    rmdir(box->view);
    close(box->lock);
    box->view[0] = 0;
}

/* --- one submission -------------------------------------------------------------------------------- */

static void
limit(int what, rlim_t value)
{
    setrlimit(what, &(struct rlimit){value, value});
}

/* Without a box: a folder of its own, this user's rights, limits. */
static void
grade_plain(char *const *argv, char *const *envp)
{
    limit(RLIMIT_AS, 8 * MEMORY);
    setsid();
    execve("/bin/sh", argv, envp);
    _exit(97);
}

/*
 * Two users are in a box. The grader is its uid 0, with the capabilities to become another and to end what that
 * one has started, and no others. What the student wrote runs as uid 1000, which can neither write what the
 * grader writes nor signal, trace or read the grader: labs/lib/grade.sh puts these words before it.
 */
#define WORK "HV_LAB_AS=setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all"
static const char *const grader[] = {"setpriv", "--inh-caps=-all",
                                     "--bounding-set=-all,+setuid,+setgid,+kill", "--no-new-privs"};

/*
 * For work that makes namespaces itself. The filter refuses that; a /proc may not be mounted anew where there
 * are covers on one (mount_namespaces(7)); and the box' own uptime would be as short as that of what is made
 * in it. Who maps uid 0 into a user namespace needs CAP_SETFCAP for it (user_namespaces(7), since Linux 5.12):
 * so the grader keeps its capabilities for a moment, and becomes a user of the box without any. It is the
 * same user as the work's: who looks at a container from outside must be able to.
 */
static const char *const user[] = {"setpriv",        "--reuid=1000",    "--regid=1000",
                                   "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
                                   "--no-new-privs"};

/* first: words that become whoever grades; then those of argv, four: sh -c SCRIPT LAB. */
static void
become(struct process_spec *spec, const char *const *first, unsigned count, char *const *argv,
       const char *words[ARRAY_SIZE(user) + 5])
{
    unsigned n = 0;

    for (; n < count; n++)
        words[n] = first[n];
    for (unsigned i = 0; i < 4; i++)
        words[n++] = argv[i];
    words[n] = NULL;
    spec->path = "/usr/bin/setpriv";
    spec->argv = (char *const *)(uintptr_t)words;
}

static void
grade_boxed(const struct lab_box *box, char *const *argv, char *const *envp)
{
    struct ski_options options;
    struct process_spec spec = {.envp = envp};
    const char *words[ARRAY_SIZE(user) + 5];
    struct error err;
    struct ski *ski;
    int status = 97;

    ski_options_init(&options);
    options.rootfs = box->view;
    options.mem = MEMORY;
    options.pids = PROCESSES;
    options.cpu = 100;
    options.hostname = "box";
    options.without = SKI_LAYER_CAPS; /* setpriv takes them */
    if (box->namespaces)
        options.without |= SKI_LAYER_SECCOMP | SKI_LAYER_MASK | SKI_LAYER_TIME;
    if (box->namespaces)
        become(&spec, user, ARRAY_SIZE(user), argv, words);
    else
        become(&spec, grader, ARRAY_SIZE(grader), argv, words);
    ski = ski_open(&options);
    if (!ski || ski_start(ski, &spec, NULL, NULL, &err) || ski_wait(ski, &status, &err)) {
        dprintf(1, "the box: %s\n", ski ? err.message : "no memory");
        status = 97;
    }
    ski_close(ski);
    _exit(status);
}

void
lab_box_grade(const struct lab_box *box, const char *lab, unsigned number, int packed, int out)
{
    char env[5][PATH_MAX + 32], work[] = WORK;
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)script, (char *)(uintptr_t)lab, NULL};
    char *const envp[] = {env[0],       env[1],
                          env[2],       env[3],
                          env[4],       "PATH=/usr/bin:/bin",
                          "HOME=/tmp",  "LC_ALL=C",
                          "NO_COLOR=1", box->plain || box->namespaces ? NULL : work,
                          NULL};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(packed, 0) || dup2(out, 1) != 1 || dup2(out, 2) != 2)
        _exit(97);
    snprintf(env[0], sizeof(env[0]), "HV=%s", box->hv);
    snprintf(env[1], sizeof(env[1]), "HV_LABS=%s", box->labs);
    snprintf(env[2], sizeof(env[2]), "HV_GUESTS=%s", box->guests);
    snprintf(env[3], sizeof(env[3]), "HV_INCLUDE=%s", box->include);
    strcpy(env[4], "T=/tmp");
    if (box->plain)
        snprintf(env[4], sizeof(env[4]), "T=%s/%u", box->view, number);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, FILE_MAX);
    limit(RLIMIT_CPU, box->cpu_seconds);
    if (box->plain)
        grade_plain(argv, envp);
    umask(022); /* what the grader unpacks and builds, the other user in there reads */
    grade_boxed(box, argv, envp);
    _exit(97);
}
