// The sockets of programs, by the kernel's interface for their diagnosis: to abort them, and to know whether they are.
#pragma once

#include <stdint.h>

struct wall_namespace;

// A socket as that interface names it. Addresses of 16 bytes, IPv4 mapped.
struct wall_socket_name {
    uint8_t family, protocol;
    uint8_t local_address[16], remote_address[16];
    uint16_t local_port, remote_port;
    uint32_t bound_interface;
    uint64_t cookie;
};

// Aborts a socket of the namespace: its pending connect() fails with ECONNABORTED. Returns 0, -ENOENT (it is gone) or
// -errno.
int wall_socket_destroy(const struct wall_namespace *ns, const struct wall_socket_name *name);
// Aborts several, by few calls. Returns how many. Threads may do so at once in one namespace: what the kernel could not
// abort is then taken off the sum of what they return, modulo 2^32, and not off each.
uint32_t wall_sockets_destroy(const struct wall_namespace *ns, const struct wall_socket_name *names, uint32_t count);
// Returns 0, -ENOENT (it is gone) or -errno.
int wall_socket_exists(const struct wall_namespace *ns, const struct wall_socket_name *name);
