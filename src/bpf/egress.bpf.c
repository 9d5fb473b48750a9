// Outgoing packets of marked sockets: those of held flows are captured and kept back.
#include "decide.bpf.h"
#include "hold.bpf.h"

// Results of an egress program. A kept-back TCP packet is an ordinary send error, which TCP takes as a lost packet. A
// kept-back datagram must look sent: CONGESTION becomes success, or ENOBUFS for sockets that ask for errors
// (IP_RECVERR).
#define PACKET_REFUSED 0
#define PACKET_PASSED 1
#define PACKET_CONGESTION 2

// Copies the packet into the ring. Returns false when the ring is full or the packet cannot be read. The length is
// checked by its last byte: Linux 6.1 learns no lower bound from `length != 0`, and refuses a read of perhaps no byte.
#define CAPTURE(name, room)                                                                                          \
    static __always_inline bool name(struct __sk_buff *packet, uint32_t length, uint64_t flow_id, uint64_t cookie)   \
    {                                                                                                                \
        struct wall_record *record = bpf_ringbuf_reserve(&events, sizeof(*record) + (room), 0);                      \
        if (!record)                                                                                                 \
            return false;                                                                                            \
        *record = (struct wall_record){                                                                              \
            .kind = WALL_RECORD_PACKET,                                                                              \
            .length = length,                                                                                        \
            .flow_id = flow_id,                                                                                      \
            .socket_cookie = cookie,                                                                                 \
            .segment_bytes = packet->gso_size,                                                                       \
        };                                                                                                           \
        uint32_t last = length - 1;                                                                                  \
        forget(last);                                                                                                \
        if (last >= (room) || bpf_skb_load_bytes(packet, 0, record->data, last + 1)) {                               \
            bpf_ringbuf_discard(record, 0);                                                                          \
            return false;                                                                                            \
        }                                                                                                            \
        bpf_ringbuf_submit(record, 0);                                                                               \
        return true;                                                                                                 \
    }

CAPTURE(capture_small, WALL_PACKET_SMALL)
CAPTURE(capture_medium, WALL_PACKET_MEDIUM)
CAPTURE(capture_large, WALL_PACKET_LARGE)

static __noinline int capture(struct __sk_buff *packet, uint64_t flow_id, uint64_t cookie)
{
    uint32_t length = packet->len;
    if (length <= WALL_PACKET_SMALL)
        return capture_small(packet, length, flow_id, cookie);
    if (length <= WALL_PACKET_MEDIUM)
        return capture_medium(packet, length, flow_id, cookie);
    return capture_large(packet, length, flow_id, cookie);
}

// True for a SYN that opens a connection and carries no data. One with data (TCP Fast Open) is refused without capture:
// the kernel then sends a plain one, and data nobody acknowledged stays where it is.
static __always_inline bool is_plain_syn(struct __sk_buff *packet)
{
    uint8_t first = 0;
    uint32_t offset = 0, ip_length = 0;
    if (bpf_skb_load_bytes(packet, 0, &first, 1))
        return false;
    if (first >> 4 == 4) {
        uint16_t total = 0;
        uint8_t protocol = 0;
        if (bpf_skb_load_bytes(packet, 2, &total, 2) || bpf_skb_load_bytes(packet, 9, &protocol, 1) ||
            protocol != IPPROTO_TCP)
            return false;
        offset = (first & 0xf) * 4;
        ip_length = bpf_ntohs(total);
    } else {
        uint16_t payload = 0;
        uint8_t next = 0;
        if (bpf_skb_load_bytes(packet, 4, &payload, 2) || bpf_skb_load_bytes(packet, 6, &next, 1) ||
            next != IPPROTO_TCP)
            return false;
        offset = 40;
        ip_length = 40 + bpf_ntohs(payload);
    }
    uint8_t header[2];  // data offset, flags
    if (bpf_skb_load_bytes(packet, offset + 12, header, sizeof(header)))
        return false;
    return (header[1] & 0x17) == 0x02 && offset + (header[0] >> 4) * 4u == ip_length;
}

static __always_inline int stream_held(struct __sk_buff *packet, struct bpf_sock *socket, struct wall_state *at,
                                       struct wall_flow_entry *entry)
{
    uint64_t flow_id = entry->flow_id;
    if (entry->captured_packets || !is_plain_syn(packet))
        return PACKET_REFUSED;
    struct wall_flow_facts *of = bpf_map_lookup_elem(&facts, &flow_id);
    if (!of)
        return PACKET_REFUSED;
    struct remote local, remote;
    local_of_socket(socket, &local);
    remote_of_socket(socket, &remote);
    facts_set_local(of, &local, packet->ifindex);
    facts_set_remote(of, &remote);  // another program of the cgroup may have changed it after connect()
    if (capture(packet, flow_id, bpf_get_socket_cookie(packet))) {
        entry->captured_packets = 1;
        entry->captured_bytes = packet->len;
        __sync_fetch_and_add(&at->captured_bytes, packet->len);
    } else {
        count(at, WALL_COUNTER_RING_FULL);  // the kernel's next SYN tries again
    }
    return PACKET_REFUSED;
}

static __always_inline int stream_packet(struct __sk_buff *packet, struct bpf_sock *socket, struct wall_state *at,
                                         struct socket_mark *mark)
{
    uint64_t flow_id = mark->flow_id;
    if (!flow_id)
        return PACKET_PASSED;
    struct wall_flow_key key;
    stream_key(&key, flow_id);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    if (!entry)
        return PACKET_REFUSED;
    switch (entry->state) {
    case WALL_FLOW_PERMITTED:
        // From here on the connection pays for one failing lookup.
        bpf_sk_storage_delete(&marks, socket);
        bpf_map_delete_elem(&flows, &key);
        return PACKET_PASSED;
    case WALL_FLOW_HELD:
        return stream_held(packet, socket, at, entry);
    default:
        return PACKET_REFUSED;
    }
}

SEC("cgroup_skb/egress")
int egress_hold(struct __sk_buff *packet)
{
    struct bpf_sock *socket = packet->sk;
    if (!socket)
        return PACKET_PASSED;
    socket = bpf_sk_fullsock(socket);
    if (!socket)
        return PACKET_PASSED;
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    struct wall_state *at = state_get();
    if (!mark)
        return PACKET_PASSED;
    if (!at)
        return PACKET_REFUSED;
    if (socket->type == SOCK_STREAM)
        return stream_packet(packet, socket, at, mark);
    return PACKET_PASSED;
}
