// Packets of redirected connections, at the interfaces of one network namespace: rewritten to where they are to go, and
// the answers to where they are expected from. Loaded once for each namespace with redirected connections.
//
// A connection to another machine that is to go to a program of this one is turned round at the interface: its packet
// comes in there as if the other machine had begun the connection. The host treats it as any packet that arrives.
//
// The packets of a socket whose binding was changed get its new address where they leave; what arrives there is handed
// to the socket as it is.
#include "proxy.bpf.h"
#include "socket.bpf.h"

// Results of a program at an interface.
#define INTERFACE_NEXT (-1)  // the next program, if there is one
#define INTERFACE_DROP 2

#define LOOPBACK 1  // the index of that interface in every namespace
#define ETHER_BYTES 14
#define ETHER_SOURCE 6
#define EXTENSIONS_MAX 6
#define IPV6_BYTES 40
#define TCP_FLAGS 13
#define TCP_SYN 0x02
#define TCP_ACK 0x10
#define TCP_SUM 16  // offsets of checksums in their headers
#define UDP_SUM 6
#define IPV4_SUM 10

volatile const uint64_t netns_cookie;

static __always_inline int drop(void)
{
    count(WALL_COUNTER_FAIL_CLOSED);
    return INTERFACE_DROP;
}

struct segment {
    struct wall_translation_key key;
    uint32_t begin, transport;  // offsets of the IP header and of the next one
    uint8_t is_v6;
    uint8_t flags;  // TCP
};

// NULL: the programs are not attached there.
static __always_inline const struct wall_interface *interface_find(uint64_t cookie, uint32_t interface_index)
{
    struct wall_interface_key key = { .netns_cookie = cookie, .interface_index = interface_index };
    return bpf_map_lookup_elem(&interfaces, &key);
}

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

// `begin`: where the IP header is. Returns 0, or -1 when it is neither a TCP segment nor a UDP datagram.
static __always_inline int read_segment(struct __sk_buff *packet, uint32_t begin, struct segment *segment)
{
    uint8_t ports[4];
    int r = -1;
    if (packet->protocol == bpf_htons(0x0800))
        r = read_header4(packet, begin, segment);
    else if (packet->protocol == bpf_htons(0x86dd))
        r = read_header6(packet, begin, segment);
    bool is_stream = segment->key.protocol == IPPROTO_TCP;
    if (r || (!is_stream && segment->key.protocol != IPPROTO_UDP) ||
        bpf_skb_load_bytes(packet, segment->transport, ports, sizeof(ports)) ||
        (is_stream && bpf_skb_load_bytes(packet, segment->transport + TCP_FLAGS, &segment->flags, 1)))
        return -1;
    segment->key.ends.source_port = (uint16_t)(ports[0] << 8 | ports[1]);
    segment->key.ends.destination_port = (uint16_t)(ports[2] << 8 | ports[3]);
    segment->key.netns_cookie = netns_cookie;
    segment->begin = begin;
    return 0;
}

static __always_inline bool is_same(const uint8_t *address, const uint8_t *other)
{
    struct remote at;
    __builtin_memcpy(at.address, address, sizeof(at.address));
    return same_address(&at, other);
}

// --- Looking up ---

// That of the socket bound to the packet's end here: to its address, or to all of them.
static __noinline struct wall_translation *find_bound(const struct segment *segment)
{
    if (!segment)
        return NULL;
    struct wall_translation_key key = {
        .netns_cookie = segment->key.netns_cookie, .protocol = segment->key.protocol, .inbound = segment->key.inbound,
    };
    const struct wall_endpoints *ends = &segment->key.ends;
    uint8_t *here = key.inbound ? key.ends.destination : key.ends.source;
    __builtin_memcpy(here, key.inbound ? ends->destination : ends->source, 16);
    if (key.inbound)
        key.ends.destination_port = ends->destination_port;
    else
        key.ends.source_port = ends->source_port;
    struct wall_translation *found = bpf_map_lookup_elem(&redirects, &key);
    if (found)
        return found;
    if (segment->is_v6)
        __builtin_memset(here, 0, 16);
    else
        set_address4(here, 0);
    return bpf_map_lookup_elem(&redirects, &key);
}

static __always_inline struct wall_translation *find(const struct segment *segment)
{
    struct wall_translation *found = bpf_map_lookup_elem(&redirects, &segment->key);
    return found ? found : find_bound(segment);
}

static __always_inline void flow_key(struct wall_flow_key *ret_key, uint64_t cookie, const struct wall_endpoints *ends)
{
    *ret_key = (struct wall_flow_key){ .number = cookie, .port = ends->destination_port, .kind = WALL_FLOW_DATAGRAM };
    __builtin_memcpy(ret_key->address, ends->destination, sizeof(ret_key->address));
}

// Whether a datagram from one end to the other is of a flow that goes elsewhere. It does as long as the flow's entry
// says so: a flow that is judged again, by another policy or after a rest, is not what the translation was made for.
static __noinline int is_redirected(uint64_t cookie, const struct wall_endpoints *ends)
{
    struct wall_flow_key key;
    if (!ends)
        return 0;
    flow_key(&key, cookie, ends);
    const struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    return entry && entry->is_redirected;
}

// --- Rewriting ---

static __always_inline long put_address(struct __sk_buff *packet, const struct segment *segment,
                                        const struct wall_endpoints *to)
{
    long r;
    uint32_t begin = segment->begin;
    if (segment->is_v6) {
        r = bpf_skb_store_bytes(packet, begin + 8, to->source, 16, BPF_F_INVALIDATE_HASH);
        return r ? r : bpf_skb_store_bytes(packet, begin + 24, to->destination, 16, BPF_F_INVALIDATE_HASH);
    }
    r = bpf_skb_store_bytes(packet, begin + 12, to->source + 12, 4, BPF_F_INVALIDATE_HASH);
    return r ? r : bpf_skb_store_bytes(packet, begin + 16, to->destination + 12, 4, BPF_F_INVALIDATE_HASH);
}

static __noinline long rewrite(struct __sk_buff *packet, const struct segment *segment, struct wall_endpoints *to)
{
    if (!segment || !to)
        return -1;
    const struct wall_endpoints *from = &segment->key.ends;
    bool is_stream = segment->key.protocol == IPPROTO_TCP;
    uint32_t transport = segment->transport, at = transport + (is_stream ? TCP_SUM : UDP_SUM);
    uint64_t flags = is_stream ? 0 : BPF_F_MARK_MANGLED_0;  // a datagram without a sum stays without
    uint16_t ports[2] = { bpf_htons(to->source_port), bpf_htons(to->destination_port) };
    int64_t sum = bpf_csum_diff((void *)from->source, 16, (void *)to->source, 16, 0);
    sum = bpf_csum_diff((void *)from->destination, 16, (void *)to->destination, 16, (uint32_t)sum);
    long r = bpf_l4_csum_replace(packet, at, 0, (uint64_t)sum, BPF_F_PSEUDO_HDR | flags);
    if (r == 0 && !segment->is_v6)
        r = bpf_l3_csum_replace(packet, segment->begin + IPV4_SUM, 0, (uint64_t)sum, 0);
    r = r ? r : bpf_l4_csum_replace(packet, at, bpf_htons(from->source_port), ports[0], 2 | flags);
    r = r ? r : bpf_l4_csum_replace(packet, at, bpf_htons(from->destination_port), ports[1], 2 | flags);
    r = r ? r : bpf_skb_store_bytes(packet, transport, ports, sizeof(ports), BPF_F_INVALIDATE_HASH);
    return r ? r : put_address(packet, segment, to);
}

// Turned round, a frame is for the address it came from.
static __always_inline int come_in(struct __sk_buff *packet, const struct segment *segment)
{
    uint8_t mac[6];
    if (segment->begin && (bpf_skb_load_bytes(packet, ETHER_SOURCE, mac, sizeof(mac)) ||
                           bpf_skb_store_bytes(packet, 0, mac, sizeof(mac), 0)))
        return drop();
    return (int)bpf_redirect(packet->ifindex, BPF_F_INGRESS);
}

// Sends it on, from its new address by that one's interface. `has_neighbour`: of the way it would go.
static __always_inline int go_on(struct __sk_buff *packet, const struct segment *segment, uint32_t to_interface,
                                 bool has_neighbour)
{
    bool has_ethernet = segment->begin;
    if (!to_interface || packet->ifindex == LOOPBACK)
        to_interface = packet->ifindex;
    if (to_interface == packet->ifindex && (has_neighbour || !has_ethernet))
        return INTERFACE_NEXT;
    // By an interface without these programs what comes back would not be translated.
    if (!interface_find(netns_cookie, to_interface))
        return drop();
    if (!has_ethernet && bpf_skb_change_head(packet, ETHER_BYTES, 0))  // room for the header it gets
        return drop();
    return (int)bpf_redirect_neigh(to_interface, NULL, 0, 0);
}

// Whether the packet is of another socket, which is bound there, or was, and whose binding was not changed.
static __noinline int is_of_another(struct __sk_buff *packet, uint64_t cookie)
{
    struct bpf_sock *socket = packet->sk;
    uint64_t own = bpf_get_socket_cookie(packet);
    socket = socket ? bpf_sk_fullsock(socket) : NULL;
    if (!socket || own == cookie || bpf_map_lookup_elem(&injectors, &own))
        return 0;
    const struct binding_mark *mark = bpf_sk_storage_get(&bindings, socket, NULL, 0);
    return !mark || mark->state == BINDING_SETTLED;
}

// What the socket sends from the address it took.
static __always_inline int leave_bound(struct __sk_buff *packet, struct segment *segment,
                                       struct wall_translation *translation)
{
    uint64_t cookie = translation->socket_cookie;
    if (is_of_another(packet, cookie))
        return INTERFACE_NEXT;
    if (translation->action == WALL_TRANSLATION_DROP)
        return drop();
    translation->last_used_ns = bpf_ktime_get_boot_ns();
    struct wall_endpoints to = segment->key.ends;
    if (to.source_port == translation->ends.source_port && is_same(to.source, translation->ends.source))
        return INTERFACE_NEXT;  // it was translated where it left before, or needs not be
    struct wall_rebinding *rebinding = bpf_map_lookup_elem(&rebound, &cookie);
    if (rebinding)
        __builtin_memcpy(rebinding->used, to.source, 16);
    if (!is_any_address(translation->ends.source))
        __builtin_memcpy(to.source, translation->ends.source, 16);
    to.source_port = translation->ends.source_port;
    return rewrite(packet, segment, &to) ? drop() : go_on(packet, segment, translation->to_interface, true);
}

// Whether the packet is not of the connection or flow that the translation is for, but between the same ends. Where a
// connection begins, the one before it is over.
static __always_inline bool is_foreign(struct __sk_buff *packet, const struct segment *segment,
                                       const struct wall_translation *translation)
{
    if (!translation->is_begun_here)
        return false;
    uint64_t cookie = translation->socket_cookie, own = bpf_get_socket_cookie(packet);
    bool is_of_another_socket = own != cookie && !bpf_map_lookup_elem(&injectors, &own);
    if (segment->key.protocol == IPPROTO_UDP)
        return is_of_another_socket || !is_redirected(cookie, &segment->key.ends);
    if (!is_of_another_socket || (segment->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return false;
    uint64_t flow_id = translation->flow_id;
    bpf_map_delete_elem(&contexts, &flow_id);
    bpf_map_delete_elem(&redirects, &segment->key);
    return true;
}

SEC("tc")
int redirect_leaving(struct __sk_buff *packet)
{
    struct segment segment = { .key = { 0 } };
    const struct wall_interface *at = interface_find(netns_cookie, packet->ifindex);
    if (!at || read_segment(packet, at->header_bytes, &segment))
        return INTERFACE_NEXT;
    struct wall_translation *translation = find(&segment);
    if (!translation)
        return INTERFACE_NEXT;
    if (translation->action >= WALL_TRANSLATION_BOUND)
        return leave_bound(packet, &segment, translation);
    if (is_foreign(packet, &segment, translation))
        return INTERFACE_NEXT;
    translation->last_used_ns = bpf_ktime_get_boot_ns();
    struct wall_endpoints to = translation->ends;
    uint8_t action = translation->action;
    uint32_t to_interface = translation->to_interface;
    if (rewrite(packet, &segment, &to))
        return drop();
    if (action == WALL_TRANSLATION_FORWARD)  // with the address of another neighbour
        return go_on(packet, &segment, to_interface, false);
    return action == WALL_TRANSLATION_RETURN ? come_in(packet, &segment) : INTERFACE_NEXT;
}

// --- Finding the socket ---

static __always_inline uint32_t tuple_of(const struct wall_endpoints *ends, bool is_v6,
                                         struct bpf_sock_tuple *ret_tuple)
{
    *ret_tuple = (struct bpf_sock_tuple){ 0 };
    if (is_v6) {
        __builtin_memcpy(ret_tuple->ipv6.saddr, ends->source, 16);
        __builtin_memcpy(ret_tuple->ipv6.daddr, ends->destination, 16);
        ret_tuple->ipv6.sport = bpf_htons(ends->source_port);
        ret_tuple->ipv6.dport = bpf_htons(ends->destination_port);
        return sizeof(ret_tuple->ipv6);
    }
    __builtin_memcpy(&ret_tuple->ipv4.saddr, ends->source + 12, 4);
    __builtin_memcpy(&ret_tuple->ipv4.daddr, ends->destination + 12, 4);
    ret_tuple->ipv4.sport = bpf_htons(ends->source_port);
    ret_tuple->ipv4.dport = bpf_htons(ends->destination_port);
    return sizeof(ret_tuple->ipv4);
}

// What was found for a packet; as bits.
#define NO_SOCKET 0
#define CONNECTED 1
#define LISTENING 2

// Gives the segment to the socket of `ends`, if it is one of these `kinds`. Returns its kind, NO_SOCKET, or -1: it
// cannot be given.
static __noinline int give_stream(struct __sk_buff *packet, const struct wall_endpoints *ends, bool is_v6,
                                  int kinds)
{
    struct bpf_sock_tuple tuple;
    if (!ends)
        return -1;
    uint32_t size = tuple_of(ends, is_v6, &tuple);
    struct bpf_sock *socket = bpf_skc_lookup_tcp(packet, &tuple, size, BPF_F_CURRENT_NETNS, 0);
    if (!socket)
        return NO_SOCKET;
    int kind = socket->state == SOCKET_LISTENING ? LISTENING : CONNECTED;
    long r = kind & kinds ? bpf_sk_assign(packet, socket, 0) : 0;
    bpf_sk_release(socket);
    return r ? -1 : kind;
}

// Gives the datagram to the socket of `ends`, if it is the one with this cookie; 0: whichever it is. Returns as
// give_stream().
static __noinline int give_datagram(struct __sk_buff *packet, const struct wall_endpoints *ends, bool is_v6,
                                    uint64_t cookie)
{
    struct bpf_sock_tuple tuple;
    if (!ends)
        return -1;
    uint32_t size = tuple_of(ends, is_v6, &tuple);
    struct bpf_sock *socket = bpf_sk_lookup_udp(packet, &tuple, size, BPF_F_CURRENT_NETNS, 0);
    if (!socket)
        return NO_SOCKET;
    const struct binding_mark *mark = bpf_sk_storage_get(&bindings, socket, NULL, 0);
    bool is_it = !cookie || (mark && mark->cookie == cookie);
    long r = is_it ? bpf_sk_assign(packet, socket, 0) : 0;
    bpf_sk_release(socket);
    if (!is_it)
        return NO_SOCKET;
    return r ? -1 : CONNECTED;
}

static __always_inline int give(struct __sk_buff *packet, const struct segment *segment,
                                const struct wall_endpoints *ends, uint64_t cookie)
{
    return segment->key.protocol == IPPROTO_TCP ? give_stream(packet, ends, segment->is_v6, CONNECTED | LISTENING)
                                                : give_datagram(packet, ends, segment->is_v6, cookie);
}

// What arrives at the address that a socket got: for the connection made of it, or the socket itself.
static __always_inline int arrive_bound(struct __sk_buff *packet, const struct segment *segment,
                                        const struct wall_translation *translation)
{
    uint64_t cookie = translation->socket_cookie;
    struct wall_endpoints ends = segment->key.ends;
    const struct wall_rebinding *rebinding = bpf_map_lookup_elem(&rebound, &cookie);
    if (!rebinding)
        return INTERFACE_NEXT;
    if (segment->key.protocol == IPPROTO_TCP && give_stream(packet, &ends, segment->is_v6, 0) == CONNECTED)
        return INTERFACE_NEXT;
    bool is_open = is_any_address(translation->ends.destination);
    if (!is_open)
        __builtin_memcpy(ends.destination, translation->ends.destination, 16);
    ends.destination_port = translation->ends.destination_port;
    int r = give(packet, segment, &ends, cookie);
    if (r == NO_SOCKET && is_open && !is_any_address(rebinding->used)) {  // connected from the address the kernel chose
        __builtin_memcpy(ends.destination, rebinding->used, 16);
        r = give(packet, segment, &ends, cookie);
    }
    return r < 0 ? drop() : INTERFACE_NEXT;
}

// For a proxy of this host. A datagram that nobody takes is dropped here: the kernel would send it, in its complaint,
// to where the program wanted to go. What it would answer to a segment is translated.
static __always_inline int deliver(struct __sk_buff *packet, const struct segment *segment,
                                   const struct wall_endpoints *to)
{
    if (segment->key.protocol == IPPROTO_UDP)
        return give_datagram(packet, to, segment->is_v6, 0) == CONNECTED ? INTERFACE_NEXT : drop();
    bool begins = (segment->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return begins && give_stream(packet, to, segment->is_v6, LISTENING) < 0 ? drop() : INTERFACE_NEXT;
}

SEC("tc")
int redirect_arriving(struct __sk_buff *packet)
{
    struct segment segment = { .key = { 0 } };
    const struct wall_interface *at = interface_find(netns_cookie, packet->ifindex);
    if (!at || read_segment(packet, at->header_bytes, &segment))
        return INTERFACE_NEXT;
    segment.key.inbound = WALL_TRANSLATION_IN;
    struct wall_translation *translation = find(&segment);
    if (!translation)
        return INTERFACE_NEXT;
    if (translation->action == WALL_TRANSLATION_BOUND)
        return arrive_bound(packet, &segment, translation);
    struct wall_endpoints to = translation->ends;
    if (translation->action == WALL_TRANSLATION_DELIVER)
        return deliver(packet, &segment, &to);
    translation->last_used_ns = bpf_ktime_get_boot_ns();
    return rewrite(packet, &segment, &to) ? drop() : INTERFACE_NEXT;
}

// --- Packets on another way ---

// Whether it will be translated: not cut into fragments either, of which only the first could be.
static __always_inline bool is_translated(struct __sk_buff *packet, const struct segment *segment)
{
    const struct wall_interface *by = interface_find(segment->key.netns_cookie, packet->ifindex);
    if (!by)
        return false;
    return packet->gso_size || packet->len <= by->mtu;
}

enum course { COURSE_FREE, COURSE_TRANSLATED, COURSE_ASTRAY };

// A datagram of a redirected flow may have no translation: its socket has sent from another address, or another socket
// of the same place has taken the translation over. The next one of the flow is asked about again. `is_own`: there is
// one, of its socket.
static __noinline int datagram_course(struct __sk_buff *packet, const struct segment *segment, bool is_own)
{
    if (!segment)
        return COURSE_ASTRAY;
    uint64_t own = bpf_get_socket_cookie(packet);
    if (!is_redirected(own, &segment->key.ends))
        return COURSE_FREE;
    if (is_own)
        return COURSE_TRANSLATED;
    struct wall_flow_key key;
    flow_key(&key, own, &segment->key.ends);
    bpf_map_delete_elem(&flows, &key);
    return COURSE_ASTRAY;
}

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
    const struct wall_translation *translation = find(&segment);
    bool is_bound = translation && translation->action >= WALL_TRANSLATION_BOUND;
    int course = COURSE_TRANSLATED;
    if (segment.key.protocol == IPPROTO_UDP && !is_bound)
        course = datagram_course(packet, &segment,
                                 translation && translation->socket_cookie == bpf_get_socket_cookie(packet));
    if (course == COURSE_FREE)
        return PACKET_PASSED;
    if (course == COURSE_TRANSLATED) {
        if (!translation || !translation->is_begun_here)
            return PACKET_PASSED;
        bool is_its_way = is_bound || translation->interface_index == packet->ifindex;
        if (is_its_way && is_translated(packet, &segment))
            return PACKET_PASSED;
    }
    count(WALL_COUNTER_FAIL_CLOSED);
    return PACKET_REFUSED;
}
