// The network namespaces of held flows: to send packets there, and to look at what is there.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct wall_packet_ends;

// One namespace, kept open while a flow is held in it, and a little longer: the next one is likely near.
struct wall_namespace {
    uint64_t cookie;
    uint32_t references;
    int raw4_fd, raw6_fd;  // IP_HDRINCL; -1: not opened yet
    int diag_fd;           // NETLINK_SOCK_DIAG
    int netns_fd;          // -1: our own
};

struct wall_namespaces {
    struct wall_map by_cookie;
    uint32_t idle_count;  // without references
    uint64_t own_cookie;
    int own_fd;
    int injectors_fd;  // the map of sockets whose packets the programs let pass; borrowed
};

// Returns 0 or -errno.
int wall_namespaces_init(struct wall_namespaces *namespaces, int injectors_fd);
void wall_namespaces_done(struct wall_namespaces *namespaces);

// The namespace with this cookie, found through a task that is in it. Release with wall_namespace_unref().
// Returns NULL when the task is gone or has left the namespace.
struct wall_namespace *wall_namespace_get(struct wall_namespaces *namespaces, uint64_t cookie, uint32_t process_id,
                                          uint32_t thread_id);
// The same, without a task: NULL also when the namespace has not been used lately.
struct wall_namespace *wall_namespace_find(struct wall_namespaces *namespaces, uint64_t cookie);
void wall_namespace_unref(struct wall_namespaces *namespaces, struct wall_namespace *ns);
// Closes those without references. To be called from time to time.
void wall_namespaces_trim(struct wall_namespaces *namespaces);

// Goes into the namespace, and back to the own one. Returns 0 or -errno; then nothing is to be left.
int wall_namespace_enter(const struct wall_namespace *ns);
void wall_namespace_leave(const struct wall_namespaces *namespaces, const struct wall_namespace *ns);
// Whether an address (16 bytes, IPv4 mapped) is one of the namespace's own.
bool wall_namespace_has_address(const struct wall_namespaces *namespaces, const struct wall_namespace *ns,
                                const uint8_t *address);

// Of an interface of the namespace the thread is in: how many bytes its packets have before their IP header, and how
// many from there on they may have. Returns 0, -ENODEV (it is gone), or -EOPNOTSUPP: what they begin with is not known.
int wall_interface_read(uint32_t interface_index, uint32_t *ret_header_bytes, uint32_t *ret_mtu);
// Whether packets from one of its addresses find a way to another one.
bool wall_namespace_has_route(const struct wall_namespaces *namespaces, const struct wall_namespace *ns,
                              const uint8_t *from, const uint8_t *to);

// The interface that has an address of the namespace and leads to others by it. Returns 0 when none does: the loopback
// interface, and those that lead nowhere, do not.
uint32_t wall_namespace_interface_of(const struct wall_namespaces *namespaces, const struct wall_namespace *ns,
                                     const uint8_t *address);

// How a packet leaves.
struct wall_route {
    uint32_t bound_interface, interface_index, mark;
};

// Sends one prepared IP packet. Returns 0 or -errno.
int wall_packet_send(struct wall_namespaces *namespaces, struct wall_namespace *ns, const uint8_t *data, size_t size,
                     const struct wall_route *route);
