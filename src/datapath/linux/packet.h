// A captured IP packet made ready to be sent again.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The two ends a packet should have. Addresses of 16 bytes in network byte order (IPv4 mapped), ports in host order.
struct wall_packet_ends {
    const uint8_t *local_address;  // NULL: keep what the packet has
    const uint8_t *remote_address;
    uint16_t local_port, remote_port;  // 0: keep what the packet has
};

// Puts the ends right (address translation was applied before the capture, and will be again) and recomputes the
// checksums, which the kernel had left to the device. `data` holds exactly one IP packet.
// Returns 0, or -EBADMSG when it is not a packet this can be done for.
int wall_packet_prepare(uint8_t *data, size_t size, const struct wall_packet_ends *ends);

// Destination of the packet: 4 or 16 bytes into `ret_address`. Returns AF_INET, AF_INET6, or 0 for no IP packet.
int wall_packet_destination(const uint8_t *data, size_t size, uint8_t ret_address[16]);
