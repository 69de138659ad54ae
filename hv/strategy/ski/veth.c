/*
 * veth.c - --net veth: a virtual cable between guest and host, for root.
 *
 * A pair of interfaces is made by one netlink message (rtnetlink(7)): one end, hvPID, stays here,
 * the other, eth0, is born in the guest's network namespace. Each gets an address of a network of
 * four: 10.77.x.y/30, x and y of the guest's pid. There is no route beyond the host and no NAT.
 * Nothing need be taken away: the kernel removes a pair with the namespace that one end is in.
 *
 * Called by the step "veth" in the supervisor, and by the step "lo" in the guest. Next: inside.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "strategy/ski/own.h"

#define INSIDE "eth0"

/* The host's address; the guest's is the next one. Networks of 4 addresses, 0x4000 of them. */
static uint32_t
address_of(pid_t first)
{
    return 0x0a4d0000u | ((uint32_t)first & 0x3fff) << 2 | 1;
}

struct message {
    struct nlmsghdr head;
    char body[512];
};

/* Appends an attribute (NLA_ALIGN is 4) and returns it; a nested one has no data and is closed. */
static struct rtattr *
add(struct message *m, unsigned short type, const void *data, size_t size)
{
    struct rtattr *attr = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

    attr->rta_type = type;
    attr->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size)
        memcpy(RTA_DATA(attr), data, size);
    m->head.nlmsg_len = NLMSG_ALIGN(m->head.nlmsg_len) + RTA_ALIGN(attr->rta_len);
    return attr;
}

static void
close_nested(struct message *m, struct rtattr *attr)
{
    attr->rta_len = (unsigned short)((char *)m + m->head.nlmsg_len - (char *)attr);
}

static void *
begin(struct message *m, unsigned short type, unsigned short flags, size_t size)
{
    memset(m, 0, sizeof(*m));
    m->head.nlmsg_type = type;
    m->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    m->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
    return NLMSG_DATA(&m->head);
}

/* Sends it and waits for the acknowledgement, an NLMSG_ERROR with a negative errno or 0. */
static int
ask_kernel(struct message *m, const char *what, struct error *err)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[1024];
    } reply = {.head = {.nlmsg_type = 0}};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), rc = 0;

    if (fd < 0 || send(fd, m, m->head.nlmsg_len, 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0)
        rc = -errno;
    else if (reply.head.nlmsg_type == NLMSG_ERROR)
        rc = reply.error.error;
    if (fd >= 0)
        close(fd);
    return rc ? error_set(err, -rc, "%s: %s", what, strerror(-rc)) : 0;
}

static int
set_address(const char *name, uint32_t address, struct error *err)
{
    uint32_t network = htonl(address);
    struct message m;
    unsigned index = if_nametoindex(name);
    int rc;

    if (!index)
        return error_set(err, errno, "interface %s: %m", name);
    struct ifaddrmsg *body = begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*body));
    *body = (struct ifaddrmsg){.ifa_family = AF_INET, .ifa_prefixlen = 30, .ifa_index = index};
    add(&m, IFA_LOCAL, &network, sizeof(network));
    add(&m, IFA_ADDRESS, &network, sizeof(network));
    if ((rc = ask_kernel(&m, "an address for the virtual cable", err)))
        return rc;
    struct ifinfomsg *link = begin(&m, RTM_NEWLINK, 0, sizeof(*link));
    *link = (struct ifinfomsg){.ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    return ask_kernel(&m, "switching the virtual cable on", err);
}

SKI_STEP(ski_step_veth)
{
    struct ifinfomsg none = {.ifi_family = AF_UNSPEC};
    struct message m;
    uint32_t pid = (uint32_t)ski->first;
    char name[IFNAMSIZ];
    int rc;

    if (ski->options.net != SKI_NET_VETH)
        return 0;
    snprintf(name, sizeof(name), "hv%u", pid);
    begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(none));
    add(&m, IFLA_IFNAME, name, strlen(name) + 1);
    struct rtattr *info = add(&m, IFLA_LINKINFO, NULL, 0);
    add(&m, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = add(&m, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *peer = add(&m, VETH_INFO_PEER, &none, sizeof(none));
    add(&m, IFLA_IFNAME, INSIDE, sizeof(INSIDE));
    add(&m, IFLA_NET_NS_PID, &pid, sizeof(pid));
    close_nested(&m, peer);
    close_nested(&m, data);
    close_nested(&m, info);
    rc = ask_kernel(&m, "making the virtual cable", err);
    return rc ? rc : set_address(name, address_of(ski->first), err);
}

/* The guest does not know its pid on the host: the supervisor has sent it when it released it. */
int
ski_veth_inside(struct ski *ski, struct error *err)
{
    return set_address(INSIDE, address_of(ski->first) + 1, err);
}
