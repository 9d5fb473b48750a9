// What people write to select traffic: addresses with a prefix, ports, protocols.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct wall_network {
    bool is_v6;
    uint8_t address[16];    // network byte order, IPv4 in the first 4 bytes; bits behind the prefix are 0
    uint8_t prefix_length;  // 0..32 or 0..128
};

struct wall_port_range {
    uint16_t first, last;
};

// An IPv4 network as sockets of IPv6 write it (::ffff:192.0.2.0/120), and back: any other network as it is.
struct wall_network wall_network_mapped(const struct wall_network *network);
struct wall_network wall_network_unmapped(const struct wall_network *network);

// All read the whole of `text` and return 0, or -EINVAL with `err` telling what would have been right.

// "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "[2001:db8::1]"
int wall_network_parse(const char *text, struct wall_network *ret_network, struct wall_error *err);
// "443", "1000-2000"; from 1 to 65535
int wall_port_range_parse(const char *text, struct wall_port_range *ret_range, struct wall_error *err);
// "tcp", "udp", "icmp", "icmpv6" and some more by name, or a number from 0 to 255
int wall_protocol_parse(const char *text, uint8_t *ret_protocol, struct wall_error *err);
// A whole decimal number of at most `maximum`.
int wall_count_parse(const char *text, uint64_t maximum, uint64_t *ret_count, struct wall_error *err);

// The name in capital letters, NULL when there is none.
const char *wall_protocol_name(uint8_t protocol);
