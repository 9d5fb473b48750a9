// Packets: the NET_BUFFER_LISTs that callouts are given as layerData, and the clones drivers make of them.
//
// What came with a classification is remembered with every clone, so that an injected packet is known by its origin:
// the datapath itself sends what it held of a flow, and it must not be sent twice. Needs libntos, which has NDIS.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwpsk.h"

#include "wire/messages.h"

// The packet of a classification; NULL: it has none, or there is no NDIS, or no memory (*ret_failed).
NET_BUFFER_LIST *wall_packet_new(const struct wall_classify_request *request, bool *ret_failed);
// The classification has ended: the packet stays while a driver holds clones of it or references.
// Returns false when the driver left its data elsewhere than it found it (which is put right).
bool wall_packet_end(NET_BUFFER_LIST *packet);
// The operation that began with this classification is complete. Returns whether the packet or a clone of it is left;
// the service is told when the last of them goes without having been injected.
bool wall_packet_follows(uint64_t classify_id);

// What is known of an injected packet. `ret_bytes` is one block to free(): the packet from its IP header on.
struct wall_packet_bytes {
    uint8_t *bytes;
    size_t size;
    uint64_t origin_id;  // 0: the driver made it
    uint64_t netns_cookie;
    bool unmodified;
};

// `with_header`: the data begins with an IP header; otherwise with the transport header, and the IP header is that of
// the packet's origin. Returns 0, -EINVAL (several packets, no header, too long), or -ENOMEM.
int wall_packet_read(const NET_BUFFER_LIST *packet, bool with_header, struct wall_packet_bytes *ret_bytes);
// The packet is injected: its origin needs no PACKET_DROPPED.
void wall_packet_injected(const NET_BUFFER_LIST *packet);
