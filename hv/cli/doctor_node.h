/*
 * doctor_node.h - a device's node and who may open it, on this machine or on the picture of another.
 *
 * A picture (`hv doctor --root DIR`) is made of plain files, and who is not root can neither make a
 * device node nor give one away. So it may have DIR/dev/ls-l, the nodes of its /dev as `ls -l`
 * prints them; what is listed there counts instead of files:
 *
 *     crw-rw---- 1 root kvm 10, 232 Nov 22 10:00 kvm
 */
#ifndef HV_CLI_DOCTOR_NODE_H
#define HV_CLI_DOCTOR_NODE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct node {
    mode_t mode;   /* permission bits */
    char user[64]; /* the owner's name */
    char group[64];
    bool known; /* both names are in /etc/passwd and /etc/group: "group 12" is not */
};

/* Node /dev/NAME below root ("" for this machine). 0; -ENOENT: there is none. */
int node_read(struct node *node, const char *root, const char *name);
/* Is the user in that group, by root's /etc/passwd and /etc/group? who NULL: is this process? */
bool node_member(const char *root, const char *who, const char *group);
/* May the user read and write it? 0; -EACCES: no; -ENOENT: there is no such user. who NULL: this
 * process, asked of the kernel where the node is a real file. */
int node_access(const struct node *node, const char *root, const char *name, const char *who);

#endif
