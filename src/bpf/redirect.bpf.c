// Packets of redirected connections, at the interfaces of one network namespace: rewritten to where they are to go, and
// the answers to where they are expected from. Loaded once for each namespace with redirected connections.
//
// A connection to another machine that is to go to a program of this one is turned round at the interface: its packet
// comes in there as if the other machine had begun the connection. The host treats it as any packet that arrives.
#include "address.bpf.h"
#include "shared_maps.bpf.h"
#include "socket.bpf.h"

// Results of a program at an interface.
#define INTERFACE_NEXT (-1)  // the next program, if there is one
#define INTERFACE_DROP 2

#define ETHER_BYTES 14
#define ETHER_SOURCE 6
#define EXTENSIONS_MAX 6
#define IPV6_BYTES 40
#define TCP_FLAGS 13
#define TCP_SYN 0x02
#define TCP_ACK 0x10

volatile const uint64_t netns_cookie;

static __always_inline void count_refused(void)
{
    struct wall_state *at = state_get();
    if (at)
        count(at, WALL_COUNTER_FAIL_CLOSED);
}

static __always_inline int drop(void)
{
    count_refused();
    return INTERFACE_DROP;
}

struct segment {
    struct wall_translation_key key;
    uint32_t transport;  // offset from the packet's beginning
    uint8_t is_v6;
    uint8_t flags;  // TCP
};

static __always_inline void set_address4(uint8_t *address, uint32_t value)
{
    uint32_t words[4] = { 0, 0, bpf_htonl(0xffff), value };
    __builtin_memcpy(address, words, sizeof(words));
}

static __noinline int read_header4(struct __sk_buff *packet, uint32_t begin, struct segment *segment)
{
    uint8_t header[20];
    uint32_t source, destination;
    if (!segment || bpf_skb_load_bytes(packet, begin, header, sizeof(header)))
        return -1;
    __builtin_memcpy(&source, header + 12, 4);
    __builtin_memcpy(&destination, header + 16, 4);
    set_address4(segment->key.ends.source, source);
    set_address4(segment->key.ends.destination, destination);
    segment->key.protocol = header[9];
    bool is_fragment = (header[6] & 0x3f) || header[7];
    segment->transport = begin + (header[0] & 0xf) * 4;
    return is_fragment ? -1 : 0;
}

static __noinline int read_header6(struct __sk_buff *packet, uint32_t begin, struct segment *segment)
{
    uint8_t header[IPV6_BYTES];
    if (!segment || bpf_skb_load_bytes(packet, begin, header, sizeof(header)))
        return -1;
    __builtin_memcpy(segment->key.ends.source, header + 8, 16);
    __builtin_memcpy(segment->key.ends.destination, header + 24, 16);
    uint8_t next = header[6];
    uint32_t offset = begin + IPV6_BYTES;
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        uint8_t extension[2];
        if (next != 0 && next != 43 && next != 60)  // hop by hop, routing, destination options
            break;
        if (bpf_skb_load_bytes(packet, offset, extension, sizeof(extension)))
            return -1;
        offset += 8 + (uint32_t)extension[1] * 8;
        next = extension[0];
    }
    segment->key.protocol = next;
    segment->transport = offset;
    segment->is_v6 = 1;
    return 0;
}

// `begin`: where the IP header is. Returns 0, or -1 when it is no TCP segment.
static __always_inline int read_segment(struct __sk_buff *packet, uint32_t begin, struct segment *segment)
{
    uint8_t header[14];
    int r = -1;
    if (packet->protocol == bpf_htons(0x0800))
        r = read_header4(packet, begin, segment);
    else if (packet->protocol == bpf_htons(0x86dd))
        r = read_header6(packet, begin, segment);
    if (r || segment->key.protocol != IPPROTO_TCP ||
        bpf_skb_load_bytes(packet, segment->transport, header, sizeof(header)))
        return -1;
    segment->key.ends.source_port = (uint16_t)(header[0] << 8 | header[1]);
    segment->key.ends.destination_port = (uint16_t)(header[2] << 8 | header[3]);
    segment->flags = header[TCP_FLAGS];
    segment->key.netns_cookie = netns_cookie;
    return 0;
}

static __always_inline long put_address(struct __sk_buff *packet, const struct segment *segment,
                                        const struct wall_endpoints *to)
{
    long r;
    if (segment->is_v6) {
        r = bpf_skb_store_bytes(packet, ETHER_BYTES + 8, to->source, 16, BPF_F_INVALIDATE_HASH);
        return r ? r : bpf_skb_store_bytes(packet, ETHER_BYTES + 24, to->destination, 16, BPF_F_INVALIDATE_HASH);
    }
    r = bpf_skb_store_bytes(packet, ETHER_BYTES + 12, to->source + 12, 4, BPF_F_INVALIDATE_HASH);
    return r ? r : bpf_skb_store_bytes(packet, ETHER_BYTES + 16, to->destination + 12, 4, BPF_F_INVALIDATE_HASH);
}

// Offsets are those of TCP: the ports begin its header, the checksum is at 16.
static __noinline long rewrite(struct __sk_buff *packet, const struct segment *segment, struct wall_endpoints *to)
{
    if (!segment || !to)
        return -1;
    const struct wall_endpoints *from = &segment->key.ends;
    uint32_t transport = segment->transport;
    uint16_t ports[2] = { bpf_htons(to->source_port), bpf_htons(to->destination_port) };
    int64_t sum = bpf_csum_diff((void *)from->source, 16, (void *)to->source, 16, 0);
    sum = bpf_csum_diff((void *)from->destination, 16, (void *)to->destination, 16, (uint32_t)sum);
    long r = bpf_l4_csum_replace(packet, transport + 16, 0, (uint64_t)sum, BPF_F_PSEUDO_HDR);
    if (r == 0 && !segment->is_v6)
        r = bpf_l3_csum_replace(packet, ETHER_BYTES + 10, 0, (uint64_t)sum, 0);
    r = r ? r : bpf_l4_csum_replace(packet, transport + 16, bpf_htons(from->source_port), ports[0], 2);
    r = r ? r : bpf_l4_csum_replace(packet, transport + 16, bpf_htons(from->destination_port), ports[1], 2);
    r = r ? r : bpf_skb_store_bytes(packet, transport, ports, sizeof(ports), BPF_F_INVALIDATE_HASH);
    return r ? r : put_address(packet, segment, to);
}

// Turned round, a frame is for the address it came from.
static __always_inline int come_in(struct __sk_buff *packet)
{
    uint8_t mac[6];
    if (bpf_skb_load_bytes(packet, ETHER_SOURCE, mac, sizeof(mac)) ||
        bpf_skb_store_bytes(packet, 0, mac, sizeof(mac), 0))
        return drop();
    return (int)bpf_redirect(packet->ifindex, BPF_F_INGRESS);
}

// Whether the packet begins another connection between the same ends as one that is over.
static __always_inline bool is_strange(struct __sk_buff *packet, const struct segment *segment,
                                       const struct wall_translation *translation)
{
    if (!translation->is_begun_here || (segment->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    uint64_t cookie = bpf_get_socket_cookie(packet);
    return cookie != translation->socket_cookie && !bpf_map_lookup_elem(&injectors, &cookie);
}

SEC("tc")
int redirect_leaving(struct __sk_buff *packet)
{
    struct segment segment = { .key = { 0 } };
    if (read_segment(packet, ETHER_BYTES, &segment))
        return INTERFACE_NEXT;
    struct wall_translation *translation = bpf_map_lookup_elem(&redirects, &segment.key);
    if (!translation)
        return INTERFACE_NEXT;
    if (is_strange(packet, &segment, translation)) {
        bpf_map_delete_elem(&redirects, &segment.key);
        return INTERFACE_NEXT;
    }
    translation->last_used_ns = bpf_ktime_get_boot_ns();
    struct wall_endpoints to = translation->ends;
    uint8_t action = translation->action;
    if (rewrite(packet, &segment, &to))
        return drop();
    if (action == WALL_TRANSLATION_FORWARD)  // with the address of another neighbour
        return (int)bpf_redirect_neigh(packet->ifindex, NULL, 0, 0);
    return action == WALL_TRANSLATION_RETURN ? come_in(packet) : INTERFACE_NEXT;
}

// Gives the segment to the socket that listens at the translation's destination, unless its connection has a socket
// already.
static __always_inline int deliver(struct __sk_buff *packet, const struct segment *segment,
                                   const struct wall_endpoints *to)
{
    struct bpf_sock_tuple tuple = { 0 };
    uint32_t size = segment->is_v6 ? sizeof(tuple.ipv6) : sizeof(tuple.ipv4);
    if (segment->is_v6) {
        __builtin_memcpy(tuple.ipv6.saddr, to->source, 16);
        __builtin_memcpy(tuple.ipv6.daddr, to->destination, 16);
        tuple.ipv6.sport = bpf_htons(to->source_port);
        tuple.ipv6.dport = bpf_htons(to->destination_port);
    } else {
        __builtin_memcpy(&tuple.ipv4.saddr, to->source + 12, 4);
        __builtin_memcpy(&tuple.ipv4.daddr, to->destination + 12, 4);
        tuple.ipv4.sport = bpf_htons(to->source_port);
        tuple.ipv4.dport = bpf_htons(to->destination_port);
    }
    struct bpf_sock *socket = bpf_skc_lookup_tcp(packet, &tuple, size, BPF_F_CURRENT_NETNS, 0);
    if (!socket)
        return INTERFACE_NEXT;
    long r = socket->state == SOCKET_LISTENING ? bpf_sk_assign(packet, socket, 0) : 0;
    bpf_sk_release(socket);
    return r ? drop() : INTERFACE_NEXT;
}

SEC("tc")
int redirect_arriving(struct __sk_buff *packet)
{
    struct segment segment = { .key = { 0 } };
    if (read_segment(packet, ETHER_BYTES, &segment))
        return INTERFACE_NEXT;
    segment.key.inbound = 1;
    struct wall_translation *translation = bpf_map_lookup_elem(&redirects, &segment.key);
    if (!translation)
        return INTERFACE_NEXT;
    struct wall_endpoints to = translation->ends;
    if (translation->action != WALL_TRANSLATION_DELIVER)
        return rewrite(packet, &segment, &to) ? drop() : INTERFACE_NEXT;
    bool begins = (segment.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return begins ? deliver(packet, &segment, &to) : INTERFACE_NEXT;
}

// --- Packets on another way ---

// A packet of a redirected program is about to leave by an interface where nothing would translate it: the routes have
// changed since. It must not get to where the program wanted to go.
SEC("cgroup_skb/egress")
int redirect_guard(struct __sk_buff *packet)
{
    struct segment segment = { .key = { 0 } };
    struct bpf_sock *socket = packet->sk;
    socket = socket ? bpf_sk_fullsock(socket) : NULL;
    if (!socket || read_segment(packet, 0, &segment))
        return PACKET_PASSED;
    segment.key.netns_cookie = netns_cookie_of(socket);
    const struct wall_translation *translation = bpf_map_lookup_elem(&redirects, &segment.key);
    if (!translation || !translation->is_begun_here || translation->interface_index == packet->ifindex)
        return PACKET_PASSED;
    count_refused();
    return PACKET_REFUSED;
}

// --- What proxies ask ---

#define SOL_IP 0
#define SOL_IPV6 41
#define ORIGINAL_DST 80  // SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST, known from netfilter's REDIRECT

static __always_inline int answer4(struct bpf_sockopt *call, const struct wall_endpoints *ends)
{
    struct {
        uint16_t family, port;
        uint32_t address;
        uint64_t zero;
    } *answer = call->optval;
    if ((void *)(answer + 1) > call->optval_end)
        return CALL_ALLOWED;
    uint32_t address;
    __builtin_memcpy(&address, ends->source + 12, 4);
    answer->family = AF_INET;
    answer->port = bpf_htons(ends->source_port);
    answer->address = address;
    answer->zero = 0;
    call->optlen = sizeof(*answer);
    call->retval = 0;
    return CALL_ALLOWED;
}

static __always_inline int answer6(struct bpf_sockopt *call, const struct wall_endpoints *ends)
{
    struct {
        uint16_t family, port;
        uint32_t flow;
        uint32_t address[4];
        uint32_t scope;
    } *answer = call->optval;
    if ((void *)(answer + 1) > call->optval_end)
        return CALL_ALLOWED;
    answer->family = AF_INET6;
    answer->port = bpf_htons(ends->source_port);
    answer->flow = 0;
    __builtin_memcpy(answer->address, ends->source, 16);
    answer->scope = 0;
    call->optlen = sizeof(*answer);
    call->retval = 0;
    return CALL_ALLOWED;
}

// What comes back on a redirected connection is made to come from where its program wanted to go.
SEC("cgroup/getsockopt")
int redirect_original(struct bpf_sockopt *call)
{
    struct bpf_sock *socket = call->sk;
    if (call->optname != ORIGINAL_DST || (call->level != SOL_IP && call->level != SOL_IPV6) || !socket)
        return CALL_ALLOWED;
    struct remote local, remote;
    local_of_socket(socket, &local);
    remote_of_socket(socket, &remote);
    struct wall_translation_key key = {
        .netns_cookie = bpf_get_netns_cookie(call),
        .ends = { .source_port = local.port, .destination_port = remote.port },
        .protocol = (uint8_t)socket->protocol,
    };
    __builtin_memcpy(key.ends.source, local.address, 16);
    __builtin_memcpy(key.ends.destination, remote.address, 16);
    struct wall_translation *translation = bpf_map_lookup_elem(&redirects, &key);
    if (!translation || translation->is_begun_here)
        return CALL_ALLOWED;
    struct wall_endpoints ends = translation->ends;
    return call->level == SOL_IP ? answer4(call, &ends) : answer6(call, &ends);
}
