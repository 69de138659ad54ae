/* doctor_node.c - see doctor_node.h. Called by cmd_doctor.c. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/doctor_node.h"

#define READ_WRITE 06 /* r and w of one class of users (inode(7)) */

/* root + path, opened; NULL: there is none. */
static FILE *
open_under(const char *root, const char *path)
{
    char full[PATH_MAX];

    if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
        return NULL;
    return fopen(full, "re");
}

/* --- names and numbers, from root's own files ----------------------------------------------------- */

/* By name, or by number if name is NULL. */
static bool
find_user(const char *root, const char *name, uid_t uid, struct passwd *found, char text[64])
{
    FILE *file = open_under(root, "/etc/passwd");
    bool ok = false;

    for (struct passwd *p; !ok && file && (p = fgetpwent(file));)
        if (name ? !strcmp(p->pw_name, name) : p->pw_uid == uid) {
            *found = *p;
            snprintf(text, 64, "%s", p->pw_name);
            ok = true;
        }
    if (file)
        fclose(file);
    return ok;
}

/* A group's number, and whether it lists `member`. */
static bool
find_group(const char *root, const char *name, gid_t gid, const char *member, gid_t *number,
           bool *lists, char text[64])
{
    FILE *file = open_under(root, "/etc/group");
    bool ok = false;

    *lists = false;
    for (struct group *g; !ok && file && (g = fgetgrent(file));)
        if (name ? !strcmp(g->gr_name, name) : g->gr_gid == gid) {
            *number = g->gr_gid;
            snprintf(text, 64, "%s", g->gr_name);
            for (char **m = g->gr_mem; member && *m; m++)
                *lists = *lists || !strcmp(*m, member);
            ok = true;
        }
    if (file)
        fclose(file);
    return ok;
}

/* --- the node --------------------------------------------------------------------------------------- */

/* "rw-rw----" */
static mode_t
read_mode(const char *text)
{
    mode_t mode = 0;

    for (unsigned i = 0; i < 9 && text[i]; i++)
        mode |= text[i] != '-' ? 0400u >> i : 0;
    return mode;
}

/* A line of ls -l whose last word is `name`. */
static bool
read_line(struct node *node, char *line, const char *name)
{
    char mode[16], links[16];
    size_t length = strcspn(line, "\n");

    line[length] = 0;
    const char *last = strrchr(line, ' ');
    if (!last || strcmp(last + 1, name) ||
        sscanf(line, "%15s %15s %63s %63s", mode, links, node->user, node->group) != 4 ||
        strlen(mode) < 10)
        return false;
    node->mode = read_mode(mode + 1);
    return true;
}

static int
read_listed(struct node *node, FILE *list, const char *root, const char *name)
{
    struct passwd user;
    char text[64], line[512];
    gid_t gid;
    bool found = false, lists;

    while (!found && fgets(line, sizeof(line), list))
        found = read_line(node, line, name);
    fclose(list);
    node->known = found && find_user(root, node->user, 0, &user, text) &&
                  find_group(root, node->group, 0, NULL, &gid, &lists, text);
    return found ? 0 : -ENOENT;
}

int
node_read(struct node *node, const char *root, const char *name)
{
    char full[PATH_MAX];
    struct passwd user;
    struct stat st;
    gid_t gid;
    bool lists;
    FILE *list = root[0] ? open_under(root, "/dev/ls-l") : NULL;

    memset(node, 0, sizeof(*node));
    if (list)
        return read_listed(node, list, root, name);
    if (snprintf(full, sizeof(full), "%s/dev/%s", root, name) >= (int)sizeof(full) ||
        stat(full, &st))
        return -ENOENT;
    node->mode = st.st_mode & 0777;
    snprintf(node->user, sizeof(node->user), "user %u", (unsigned)st.st_uid);
    snprintf(node->group, sizeof(node->group), "group %u", (unsigned)st.st_gid);
    node->known = find_user(root, NULL, st.st_uid, &user, node->user);
    node->known &= find_group(root, NULL, st.st_gid, NULL, &gid, &lists, node->group);
    return 0;
}

/* --- who may open it --------------------------------------------------------------------------------- */

static bool
process_in_group(gid_t gid)
{
    gid_t list[256];
    int count = getgroups(ARRAY_SIZE(list), list);

    for (int i = 0; i < count; i++)
        if (list[i] == gid)
            return true;
    return getegid() == gid;
}

bool
node_member(const char *root, const char *who, const char *group)
{
    struct passwd user;
    char text[64];
    unsigned number;
    gid_t gid;
    bool lists;

    if (!find_group(root, group, 0, who, &gid, &lists, text)) {
        if (sscanf(group, "group %u", &number) != 1)
            return false;
        gid = number;
    }
    if (!who)
        return process_in_group(gid);
    return lists || (find_user(root, who, 0, &user, text) && user.pw_gid == gid);
}

int
node_access(const struct node *node, const char *root, const char *name, const char *who)
{
    char full[PATH_MAX], text[64];
    struct passwd user;
    unsigned bits;

    if (!who) {
        snprintf(full, sizeof(full), "%s/dev/%s", root, name);
        if (!access(full, F_OK))
            return access(full, R_OK | W_OK) ? -EACCES : 0;
    } else if (!find_user(root, who, 0, &user, text)) {
        return -ENOENT;
    }
    if (who ? user.pw_uid == 0 : geteuid() == 0)
        return 0;
    /* The first class that the user belongs to decides, even if the next would allow more. */
    if (who && !strcmp(node->user, who))
        bits = node->mode >> 6;
    else if (node_member(root, who, node->group))
        bits = node->mode >> 3;
    else
        bits = node->mode;
    return (bits & READ_WRITE) == READ_WRITE ? 0 : -EACCES;
}
