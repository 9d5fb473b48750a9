#include "datapath/linux/namespace.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "datapath/linux/address.h"
#include "datapath/linux/packet.h"

// Namespaces without a flow that are kept open until the next trim: two or three descriptors each.
#define IDLE_MAX 64u

static const uint64_t map_seed[2];  // cookies come from the kernel: nobody can choose them

static int netns_cookie_of(int socket_fd, uint64_t *ret_cookie)
{
    socklen_t size = sizeof(*ret_cookie);
    return getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &size) ? -errno : 0;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int wall_namespaces_init(struct wall_namespaces *namespaces, int injectors_fd)
{
    wall_map_init(&namespaces->by_cookie, map_seed);
    namespaces->injectors_fd = injectors_fd;
    namespaces->own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (namespaces->own_fd < 0)
        return -errno;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? -errno : netns_cookie_of(fd, &namespaces->own_cookie);
    close_if_open(&fd);
    if (r < 0)
        close_if_open(&namespaces->own_fd);
    return r;
}

static void namespace_close(struct wall_namespaces *namespaces, struct wall_namespace *ns)
{
    int raw[2] = { ns->raw4_fd, ns->raw6_fd };
    for (int i = 0; i < 2; i++) {
        uint64_t cookie;
        socklen_t size = sizeof(cookie);
        if (raw[i] >= 0 && !getsockopt(raw[i], SOL_SOCKET, SO_COOKIE, &cookie, &size))
            bpf_map_delete_elem(namespaces->injectors_fd, &cookie);
        close_if_open(&raw[i]);
    }
    close_if_open(&ns->diag_fd);
    close_if_open(&ns->netns_fd);
    free(ns);
}

void wall_namespaces_done(struct wall_namespaces *namespaces)
{
    size_t cursor = 0;
    for (struct wall_namespace *ns; (ns = wall_map_next(&namespaces->by_cookie, &cursor));)
        namespace_close(namespaces, ns);
    wall_map_done(&namespaces->by_cookie);
    close_if_open(&namespaces->own_fd);
}

static int enter(int netns_fd)
{
    return netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) ? -errno : 0;
}

static void leave(const struct wall_namespaces *namespaces, int netns_fd)
{
    if (netns_fd >= 0 && setns(namespaces->own_fd, CLONE_NEWNET))
        abort();  // going on in a stranger's namespace would be worse than ending
}

// A socket made inside a namespace. The thread is back in its own namespace when this returns.
static int socket_in(const struct wall_namespaces *namespaces, int netns_fd, int family, int type, int protocol)
{
    int r = enter(netns_fd);
    if (r < 0)
        return r;
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    r = fd < 0 ? -errno : fd;
    leave(namespaces, netns_fd);
    return r;
}

int wall_namespace_enter(const struct wall_namespace *ns)
{
    return enter(ns->netns_fd);
}

void wall_namespace_leave(const struct wall_namespaces *namespaces, const struct wall_namespace *ns)
{
    leave(namespaces, ns->netns_fd);
}

static int open_namespace(const struct wall_namespaces *namespaces, uint64_t cookie, const char *path,
                          struct wall_namespace *ns)
{
    int netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (netns_fd < 0)
        return -errno;
    uint64_t found = 0;
    int diag_fd = socket_in(namespaces, netns_fd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (diag_fd >= 0 && !netns_cookie_of(diag_fd, &found) && found == cookie) {
        ns->netns_fd = netns_fd;
        ns->diag_fd = diag_fd;
        return 0;
    }
    close(netns_fd);
    close_if_open(&diag_fd);
    return -ESRCH;
}

// Looks among the namespaces with names, of `ip netns` and of containers: the process may have ended.
static int find_named(const struct wall_namespaces *namespaces, uint64_t cookie, const char *folder,
                      struct wall_namespace *ns)
{
    int r = -ESRCH;
    DIR *names = opendir(folder);
    const struct dirent *entry;
    while (r < 0 && names && (entry = readdir(names))) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        r = entry->d_name[0] == '.' ? -ESRCH : open_namespace(namespaces, cookie, path, ns);
    }
    if (names)
        closedir(names);
    return r;
}

static int find_namespace(const struct wall_namespaces *namespaces, uint64_t cookie, uint32_t process_id,
                          uint32_t thread_id, struct wall_namespace *ns)
{
    if (cookie == namespaces->own_cookie) {
        ns->diag_fd = socket_in(namespaces, -1, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
        return ns->diag_fd < 0 ? ns->diag_fd : 0;
    }
    char path[64];
    snprintf(path, sizeof(path), "/proc/%u/task/%u/ns/net", process_id, thread_id);
    if (open_namespace(namespaces, cookie, path, ns) == 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%u/ns/net", process_id);
    if (open_namespace(namespaces, cookie, path, ns) == 0 || find_named(namespaces, cookie, "/run/netns", ns) == 0)
        return 0;
    return find_named(namespaces, cookie, "/run/docker/netns", ns);
}

static struct wall_namespace *reference(struct wall_namespaces *namespaces, uint64_t cookie)
{
    struct wall_namespace *ns = wall_map_get(&namespaces->by_cookie, &cookie, sizeof(cookie));
    if (ns && ns->references++ == 0)
        namespaces->idle_count--;
    return ns;
}

struct wall_namespace *wall_namespace_get(struct wall_namespaces *namespaces, uint64_t cookie, uint32_t process_id,
                                          uint32_t thread_id)
{
    struct wall_namespace *ns = reference(namespaces, cookie);
    if (ns)
        return ns;
    ns = malloc(sizeof(*ns));
    if (!ns)
        return NULL;
    *ns = (struct wall_namespace){
        .cookie = cookie, .references = 1, .raw4_fd = -1, .raw6_fd = -1, .diag_fd = -1, .netns_fd = -1,
    };
    if (find_namespace(namespaces, cookie, process_id, thread_id, ns) < 0 ||
        wall_map_put(&namespaces->by_cookie, &ns->cookie, sizeof(ns->cookie), ns) < 0) {
        namespace_close(namespaces, ns);
        return NULL;
    }
    return ns;
}

struct wall_namespace *wall_namespace_find(struct wall_namespaces *namespaces, uint64_t cookie)
{
    if (cookie == namespaces->own_cookie)
        return wall_namespace_get(namespaces, cookie, 0, 0);
    return reference(namespaces, cookie);
}

static void forget(struct wall_namespaces *namespaces, struct wall_namespace *ns)
{
    wall_map_remove(&namespaces->by_cookie, &ns->cookie, sizeof(ns->cookie));
    namespace_close(namespaces, ns);
}

void wall_namespace_unref(struct wall_namespaces *namespaces, struct wall_namespace *ns)
{
    if (!ns || --ns->references > 0)
        return;
    if (namespaces->idle_count < IDLE_MAX)
        namespaces->idle_count++;
    else
        forget(namespaces, ns);
}

void wall_namespaces_trim(struct wall_namespaces *namespaces)
{
    size_t cursor = 0;
    for (struct wall_namespace *ns; (ns = wall_map_next(&namespaces->by_cookie, &cursor));)
        if (ns->references == 0)
            forget(namespaces, ns);
    namespaces->idle_count = 0;
}

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// Returns its size.
static socklen_t set_address(const uint8_t *address, uint16_t port, union socket_address *ret_at)
{
    *ret_at = (union socket_address){ 0 };
    if (wall_address_is_mapped(address)) {
        ret_at->v4.sin_family = AF_INET;
        ret_at->v4.sin_port = htons(port);
        memcpy(&ret_at->v4.sin_addr, address + 12, 4);
        return sizeof(ret_at->v4);
    }
    ret_at->v6.sin6_family = AF_INET6;
    ret_at->v6.sin6_port = htons(port);
    memcpy(&ret_at->v6.sin6_addr, address, 16);
    return sizeof(ret_at->v6);
}

// A socket with this address: the kernel gives the host's own addresses only. Returns -errno for others.
static int socket_at(const struct wall_namespaces *namespaces, const struct wall_namespace *ns, const uint8_t *address)
{
    union socket_address at;
    socklen_t size = set_address(address, 0, &at);
    int fd = socket_in(namespaces, ns->netns_fd, at.any.sa_family, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, &at.any, size) == 0)
        return fd;
    int r = -errno;
    close(fd);
    return r;
}

bool wall_namespace_has_address(const struct wall_namespaces *namespaces, const struct wall_namespace *ns,
                                const uint8_t *address)
{
    int fd = socket_at(namespaces, ns, address);
    bool has = fd >= 0;
    close_if_open(&fd);
    return has;
}

bool wall_namespace_has_route(const struct wall_namespaces *namespaces, const struct wall_namespace *ns,
                              const uint8_t *from, const uint8_t *to)
{
    const uint16_t any_port = 9;
    union socket_address at;
    socklen_t size = set_address(to, any_port, &at);
    int fd = socket_at(namespaces, ns, from);
    bool has = fd >= 0 && !connect(fd, &at.any, size);  // sends nothing
    close_if_open(&fd);
    return has;
}

// Its kind (ARPHRD_*) and MTU.
static int interface_facts(uint32_t interface_index, uint16_t *ret_kind, uint32_t *ret_mtu)
{
    struct ifreq request = { .ifr_ifindex = (int)interface_index };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = fd < 0 || ioctl(fd, SIOCGIFNAME, &request) || ioctl(fd, SIOCGIFHWADDR, &request) ? -errno : 0;
    *ret_kind = request.ifr_hwaddr.sa_family;
    r = r || !ioctl(fd, SIOCGIFMTU, &request) ? r : -errno;
    *ret_mtu = (uint32_t)request.ifr_mtu;
    close_if_open(&fd);
    return r;
}

int wall_interface_read(uint32_t interface_index, uint32_t *ret_header_bytes, uint32_t *ret_mtu)
{
    uint16_t kind;
    int r = interface_facts(interface_index, &kind, ret_mtu);
    if (r < 0)
        return r;
    bool has_ethernet = kind == ARPHRD_ETHER || kind == ARPHRD_LOOPBACK;
    *ret_header_bytes = has_ethernet ? ETHER_HDR_LEN : 0;
    return has_ethernet || kind == ARPHRD_NONE ? 0 : -EOPNOTSUPP;  // NONE: tun, WireGuard
}

static bool has_address(const struct ifaddrs *of, const uint8_t *address)
{
    union socket_address at;
    set_address(address, 0, &at);
    if (!of->ifa_addr || of->ifa_addr->sa_family != at.any.sa_family)
        return false;
    if (at.any.sa_family == AF_INET)
        return !memcmp(&((const struct sockaddr_in *)of->ifa_addr)->sin_addr, &at.v4.sin_addr, sizeof(at.v4.sin_addr));
    return !memcmp(&((const struct sockaddr_in6 *)of->ifa_addr)->sin6_addr, &at.v6.sin6_addr, sizeof(at.v6.sin6_addr));
}

// A dummy interface has Ethernet headers and no neighbours.
static bool leads_somewhere(const struct ifaddrs *of)
{
    uint16_t kind;
    uint32_t mtu, interface_index = if_nametoindex(of->ifa_name);
    if (of->ifa_flags & IFF_LOOPBACK || !interface_index || interface_facts(interface_index, &kind, &mtu) < 0)
        return false;
    return kind != ARPHRD_ETHER || !(of->ifa_flags & IFF_NOARP);
}

uint32_t wall_namespace_interface_of(const struct wall_namespaces *namespaces, const struct wall_namespace *ns,
                                     const uint8_t *address)
{
    struct ifaddrs *all = NULL;
    uint32_t found = 0;
    if (wall_namespace_enter(ns) < 0)
        return 0;
    if (getifaddrs(&all) == 0)
        for (const struct ifaddrs *at = all; at && !found; at = at->ifa_next)
            if (has_address(at, address) && leads_somewhere(at))
                found = if_nametoindex(at->ifa_name);
    freeifaddrs(all);
    wall_namespace_leave(namespaces, ns);
    return found;
}

static int open_raw(struct wall_namespaces *namespaces, struct wall_namespace *ns, int family)
{
    int *fd = family == AF_INET ? &ns->raw4_fd : &ns->raw6_fd;
    if (*fd >= 0)
        return *fd;
    // A socket of IPPROTO_RAW sends complete packets; it receives none.
    int raw = socket_in(namespaces, ns->netns_fd, family, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
    if (raw < 0)
        return raw;
    uint64_t cookie, one = 1;
    socklen_t size = sizeof(cookie);
    if (getsockopt(raw, SOL_SOCKET, SO_COOKIE, &cookie, &size) ||
        bpf_map_update_elem(namespaces->injectors_fd, &cookie, &one, BPF_ANY)) {
        int r = -errno;
        close(raw);
        return r;
    }
    return *fd = raw;
}

static void set_interface(struct msghdr *message, struct cmsghdr *control, int family, uint32_t interface_index)
{
    if (family == AF_INET) {
        struct in_pktinfo info = { .ipi_ifindex = (int)interface_index };
        *control = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO,
        };
        memcpy(CMSG_DATA(control), &info, sizeof(info));
        message->msg_controllen = CMSG_SPACE(sizeof(info));
    } else {
        struct in6_pktinfo info = { .ipi6_ifindex = interface_index };
        *control = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO,
        };
        memcpy(CMSG_DATA(control), &info, sizeof(info));
        message->msg_controllen = CMSG_SPACE(sizeof(info));
    }
    message->msg_control = control;
}

int wall_packet_send(struct wall_namespaces *namespaces, struct wall_namespace *ns, const uint8_t *data, size_t size,
                     const struct wall_route *route)
{
    uint8_t destination[16];
    int family = wall_packet_destination(data, size, destination);
    if (!family)
        return -EBADMSG;
    int fd = open_raw(namespaces, ns, family);
    if (fd < 0)
        return fd;
    if (setsockopt(fd, SOL_SOCKET, SO_MARK, &route->mark, sizeof(route->mark)))
        return -errno;

    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to = { 0 };
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = { 0 };
    struct iovec part = { .iov_base = (void *)data, .iov_len = size };
    struct msghdr message = { .msg_name = &to, .msg_iov = &part, .msg_iovlen = 1 };
    if (family == AF_INET) {
        to.v4.sin_family = AF_INET;
        memcpy(&to.v4.sin_addr, destination, 4);
        message.msg_namelen = sizeof(to.v4);
    } else {
        to.v6.sin6_family = AF_INET6;
        memcpy(&to.v6.sin6_addr, destination, 16);
        if (IN6_IS_ADDR_LINKLOCAL(&to.v6.sin6_addr) || IN6_IS_ADDR_MULTICAST(&to.v6.sin6_addr))
            to.v6.sin6_scope_id = route->interface_index;
        message.msg_namelen = sizeof(to.v6);
    }
    if (route->bound_interface)
        set_interface(&message, &control.header, family, route->bound_interface);
    return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}
