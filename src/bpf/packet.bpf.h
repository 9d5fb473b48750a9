// Outgoing packets: their ends, and copies of them in the ring.
#pragma once

#include "address.bpf.h"
#include "maps.bpf.h"

// Extension headers looked through for the transport header; ordinary sockets send none or one.
#define EXTENSIONS_MAX 6
#define IP_HEADER_MIN 20
#define IPPROTO_HOPOPTS 0
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS 60

struct packet_ends {
    struct remote local, remote;  // ports 0 when the packet shows none
    uint32_t transport;           // offset of the transport header; 0: not in this packet
    uint32_t length;              // of the packet, as its IP header says
    uint8_t protocol;
};

static __always_inline int parse4(struct __sk_buff *packet, struct packet_ends *ret_ends)
{
    uint8_t header[20];
    if (bpf_skb_load_bytes(packet, 0, header, sizeof(header)))
        return -1;
    uint32_t source, destination;
    __builtin_memcpy(&source, header + 12, 4);
    __builtin_memcpy(&destination, header + 16, 4);
    remote_set4(&ret_ends->local, source);
    remote_set4(&ret_ends->remote, destination);
    ret_ends->protocol = header[9];
    ret_ends->length = (uint32_t)header[2] << 8 | header[3];
    bool is_later_fragment = (header[6] & 0x1f) || header[7];
    ret_ends->transport = is_later_fragment ? 0 : (header[0] & 0xf) * 4;
    return 0;
}

static __always_inline int parse6(struct __sk_buff *packet, struct packet_ends *ret_ends)
{
    uint8_t header[40];
    if (bpf_skb_load_bytes(packet, 0, header, sizeof(header)))
        return -1;
    __builtin_memcpy(ret_ends->local.address, header + 8, 16);
    __builtin_memcpy(ret_ends->remote.address, header + 24, 16);
    ret_ends->length = sizeof(header) + ((uint32_t)header[4] << 8 | header[5]);
    uint8_t next = header[6];
    uint32_t offset = sizeof(header);
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        uint8_t extension[4];
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_FRAGMENT && next != IPPROTO_DSTOPTS)
            break;
        if (bpf_skb_load_bytes(packet, offset, extension, sizeof(extension)))
            return -1;
        if (next == IPPROTO_FRAGMENT && (extension[2] || extension[3] & 0xf8)) {
            ret_ends->protocol = extension[0];
            ret_ends->transport = 0;
            return 0;
        }
        offset += next == IPPROTO_FRAGMENT ? 8 : 8 + (uint32_t)extension[1] * 8;
        next = extension[0];
    }
    ret_ends->protocol = next;
    ret_ends->transport = offset;
    return 0;
}

// Returns 0, or -1 when it is no IP packet that can be read.
static __always_inline int parse_packet(struct __sk_buff *packet, struct packet_ends *ret_ends)
{
    uint8_t first;
    *ret_ends = (struct packet_ends){ 0 };
    if (bpf_skb_load_bytes(packet, 0, &first, 1))
        return -1;
    int r = first >> 4 == 4 ? parse4(packet, ret_ends) : parse6(packet, ret_ends);
    if (r || !ret_ends->transport)
        return r;
    uint8_t ports[4];
    bool has_ports = ret_ends->protocol == IPPROTO_TCP || is_udp(ret_ends->protocol);
    bool has_type = ret_ends->protocol == IPPROTO_ICMP || ret_ends->protocol == IPPROTO_ICMPV6;
    if ((!has_ports && !has_type) || bpf_skb_load_bytes(packet, ret_ends->transport, ports, sizeof(ports)))
        return 0;
    ret_ends->local.port = has_type ? ports[0] : (uint16_t)(ports[0] << 8 | ports[1]);
    ret_ends->remote.port = has_type ? ports[1] : (uint16_t)(ports[2] << 8 | ports[3]);
    return 0;
}

// True for a SYN that opens a connection and carries no data. One with data (TCP Fast Open) is refused without capture:
// the kernel then sends a plain one, and data nobody acknowledged stays where it is.
static __always_inline bool is_plain_syn(struct __sk_buff *packet)
{
    struct packet_ends ends;
    uint8_t header[2];  // data offset, flags
    if (parse_packet(packet, &ends) || ends.protocol != IPPROTO_TCP || !ends.transport ||
        bpf_skb_load_bytes(packet, ends.transport + 12, header, sizeof(header)))
        return false;
    return (header[1] & 0x17) == 0x02 && ends.transport + (header[0] >> 4) * 4u == ends.length;
}

// Copies the packet into the ring. Returns false when the ring is full or the packet cannot be read.
#define CAPTURE(name, room)                                                                                        \
    static __always_inline bool name(struct __sk_buff *packet, uint32_t length, uint64_t flow_id, uint32_t flags)  \
    {                                                                                                              \
        struct wall_record *record = bpf_ringbuf_reserve(&events, sizeof(*record) + (room), 0);                    \
        if (!record)                                                                                               \
            return false;                                                                                          \
        *record = (struct wall_record){                                                                            \
            .kind = WALL_RECORD_PACKET,                                                                            \
            .length = length,                                                                                      \
            .flow_id = flow_id,                                                                                    \
            .segment_bytes = packet->gso_size,                                                                     \
            .flags = flags,                                                                                        \
        };                                                                                                         \
        forget(length);                                                                                            \
        if (length < IP_HEADER_MIN || length > (room) || bpf_skb_load_bytes(packet, 0, record->data, length)) {    \
            bpf_ringbuf_discard(record, 0);                                                                        \
            return false;                                                                                          \
        }                                                                                                          \
        bpf_ringbuf_submit(record, 0);                                                                             \
        return true;                                                                                               \
    }

CAPTURE(capture_small, WALL_PACKET_SMALL)
CAPTURE(capture_medium, WALL_PACKET_MEDIUM)
CAPTURE(capture_large, WALL_PACKET_LARGE)

static __noinline int capture(struct __sk_buff *packet, uint64_t flow_id, uint32_t flags)
{
    uint32_t length = packet->len;
    if (length <= WALL_PACKET_SMALL)
        return capture_small(packet, length, flow_id, flags);
    if (length <= WALL_PACKET_MEDIUM)
        return capture_medium(packet, length, flow_id, flags);
    return capture_large(packet, length, flow_id, flags);
}

// Captures a packet of a held flow, within the limits. `entry` counts what the flow has.
static __always_inline bool queue_packet(struct __sk_buff *packet, struct wall_state *at, struct wall_flow_entry *entry,
                                         uint64_t flow_id, uint32_t flags)
{
    uint32_t length = packet->len;
    if (entry->captured_packets >= at->queue_packets_max || entry->captured_bytes + length > at->queue_bytes_max ||
        at->captured_bytes + length > at->captured_bytes_max) {
        count(WALL_COUNTER_OVERFLOW);
        return false;
    }
    // Counted before: user space may let go of the packet before this program ends.
    __sync_fetch_and_add(&at->captured_bytes, length);
    if (!capture(packet, flow_id, flags)) {
        __sync_fetch_and_add(&at->captured_bytes, -(uint64_t)length);
        count(WALL_COUNTER_RING_FULL);
        return false;
    }
    __sync_fetch_and_add(&entry->captured_packets, 1);
    __sync_fetch_and_add(&entry->captured_bytes, length);
    return true;
}
