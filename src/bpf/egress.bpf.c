// Outgoing packets: those of held flows are captured and kept back. Here flows of datagrams begin, in the context of
// the thread that sends.
#include "datagram.bpf.h"
#include "decide.bpf.h"
#include "hold.bpf.h"
#include "packet.bpf.h"

// Results of an egress program. A kept-back TCP packet is an ordinary send error, which TCP takes as a lost packet. A
// kept-back datagram must look sent: CONGESTION becomes success, or ENOBUFS for sockets that ask for errors
// (IP_RECVERR).
#define PACKET_REFUSED 0
#define PACKET_PASSED 1
#define PACKET_CONGESTION 2

#define SOCKET_CONNECTED 1  // bpf_sock.state of a connected datagram socket: TCP_ESTABLISHED

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
    queue_packet(packet, at, entry, flow_id, 0);  // without a place, the kernel's next SYN tries again
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

// The kernel's own view of a socket: an address as a number, since the verifier permits only the documented members.
static __always_inline struct sock *kernel_socket(struct bpf_sock *socket)
{
    struct sock *at = NULL;
    bpf_probe_read_kernel(&at, sizeof(at), &socket);
    return at;
}

// Where a datagram goes as its sender sees it. Address translation has been applied to the packet already, so the
// packet is believed only where the socket and the last sendto() do not tell.
static __always_inline void datagram_remote(struct bpf_sock *socket, struct socket_mark *mark,
                                            const struct packet_ends *ends, struct remote *ret_remote)
{
    struct remote recorded = { 0 };
    bpf_spin_lock(&mark->lock);
    uint32_t sender = mark->sender;
    __builtin_memcpy(recorded.address, mark->address, sizeof(recorded.address));
    recorded.port = mark->port;
    bpf_spin_unlock(&mark->lock);

    *ret_remote = ends->remote;
    if (socket->state != SOCKET_CONNECTED) {
        if (sender == current_thread())
            *ret_remote = recorded;
        return;
    }
    if (!sender)  // it has never been given an address
        remote_of_socket(socket, ret_remote);
}

// A packet that is being judged.
struct judged {
    struct __sk_buff *packet;
    struct bpf_sock *socket;
    struct wall_state *at;
    struct flow_question question;
    struct wall_flow_key key;
    struct packet_ends ends;
    uint32_t flags;  // of the record: enum wall_record_flag
};

// The facts of a flow that begins with this packet.
static __always_inline struct wall_flow_facts *datagram_facts(struct judged *judged, uint64_t flow_id)
{
    struct bpf_sock *socket = judged->socket;
    struct wall_flow_facts *of = facts_new(flow_id);
    if (!of)
        return NULL;
    struct sock *kernel = kernel_socket(socket);
    struct remote local;
    local_of_socket(socket, &local);
    if (judged->key.kind == WALL_FLOW_PACKET || local.words[3] == 0)
        local = judged->ends.local;
    of->key = judged->key;
    of->flow_id = flow_id;
    of->time_ns = bpf_ktime_get_boot_ns();
    of->socket_cookie = judged->key.number;
    of->netns_cookie = BPF_CORE_READ(kernel, __sk_common.skc_net.net, net_cookie);
    of->irql = 2;  // DISPATCH_LEVEL
    facts_set_socket(of, socket);
    of->protocol = judged->question.protocol;
    facts_set_remote(of, &judged->question.remote);
    facts_set_local(of, &local, judged->packet->ifindex);
    owner_read(of);
    return of;
}

static __noinline int datagram_hold(struct judged *judged)
{
    struct wall_state *at = judged->at;
    struct wall_flow_key *key = &judged->key;
    uint64_t flow_id = flow_id_next(at), generation = WALL_POLICY_GENERATION(judged->question.policy);
    struct wall_flow_facts *of = datagram_facts(judged, flow_id);
    if (!of) {
        count(at, WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    // Another thread may have begun the same flow meanwhile; then this packet joins that one's queue.
    bool is_first = !flow_insert(key, flow_id, generation, of->time_ns);
    if (!is_first)
        bpf_map_delete_elem(&facts, &flow_id);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, key);
    if (entry && queue_packet(judged->packet, at, entry, entry->flow_id, judged->flags)) {
        if (is_first)
            count(at, WALL_COUNTER_SEEN);
        return PACKET_CONGESTION;
    }
    if (is_first) {  // nobody would ever hear of it
        bpf_map_delete_elem(&flows, key);
        bpf_map_delete_elem(&facts, &flow_id);
    }
    count(at, WALL_COUNTER_FAIL_CLOSED);
    return PACKET_REFUSED;
}

// What becomes of a packet whose flow is in the table. Returns -1 when the flow must be judged anew.
static __always_inline int datagram_known(struct judged *judged)
{
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &judged->key);
    if (!entry)
        return -1;
    if (entry->state == WALL_FLOW_HELD) {
        queue_packet(judged->packet, judged->at, entry, entry->flow_id, judged->flags);
        return PACKET_CONGESTION;
    }
    uint64_t now = bpf_ktime_get_boot_ns();
    if (!is_fresh(judged->at, entry, judged->question.policy, now)) {
        bpf_map_delete_elem(&flows, &judged->key);
        return -1;
    }
    entry->last_used_ns = now;
    if (entry->state == WALL_FLOW_PERMITTED)
        return PACKET_PASSED;
    count(judged->at, WALL_COUNTER_BLOCKED);
    return PACKET_REFUSED;
}

static __noinline int judge(struct judged *judged)
{
    int known = datagram_known(judged);
    if (known >= 0)
        return known;
    switch (decide(&judged->question)) {
    case WALL_MODE_PERMIT:
        return PACKET_PASSED;
    case WALL_MODE_HOLD:
        return datagram_hold(judged);
    default:
        count(judged->at, WALL_COUNTER_BLOCKED);
        return PACKET_REFUSED;
    }
}

static __always_inline int datagram_packet(struct judged *judged, struct socket_mark *mark)
{
    judged->question.protocol = (uint8_t)judged->socket->protocol;
    datagram_remote(judged->socket, mark, &judged->ends, &judged->question.remote);
    datagram_key(&judged->key, bpf_get_socket_cookie(judged->packet), &judged->question.remote);
    return judge(judged);
}

// Ping and raw sockets, and whatever has no hook at its calls.
static __always_inline int other_packet(struct judged *judged)
{
    struct sock *kernel = kernel_socket(judged->socket);
    const struct packet_ends *ends = &judged->ends;
    uint64_t cookie = bpf_get_socket_cookie(judged->packet);
    // The kernel's own (ICMP errors, neighbour discovery, TCP resets), and the packets user space sends again.
    if (BPF_CORE_READ_BITFIELD_PROBED(kernel, sk_kern_sock) || bpf_map_lookup_elem(&injectors, &cookie))
        return PACKET_PASSED;
    judged->question.protocol = ends->protocol;
    judged->question.remote = ends->remote;
    judged->key =
        (struct wall_flow_key){ .number = cookie, .kind = WALL_FLOW_PACKET, .protocol = ends->protocol };
    __builtin_memcpy(judged->key.address, ends->remote.address, sizeof(judged->key.address));
    bool is_icmp = ends->protocol == IPPROTO_ICMP || ends->protocol == IPPROTO_ICMPV6;
    // An IPv4 ping socket reports CONGESTION as ENOBUFS, whatever its options; `ping` then tries again.
    if (judged->socket->type == SOCK_DGRAM && judged->socket->family == AF_INET)
        judged->flags = WALL_RECORD_SENDER_TOLD;
    judged->key.port = is_icmp ? (uint16_t)(ends->local.port << 8 | ends->remote.port) : ends->remote.port;
    return judge(judged);
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
    bool is_stream = socket->type == SOCK_STREAM && socket->protocol == IPPROTO_TCP;
    bool is_datagram = socket->type == SOCK_DGRAM && is_udp(socket->protocol);
    struct socket_mark *mark = NULL;
    if (is_stream || is_datagram) {
        mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
        if (!mark)
            return PACKET_PASSED;
    }
    struct wall_state *at = state_get();
    if (!at)
        return PACKET_REFUSED;
    if (mark && is_stream)
        return stream_packet(packet, socket, at, mark);

    struct judged judged = { .packet = packet, .socket = socket, .at = at };
    judged.question.policy = policy_read(at);
    judged.question.layer = WALL_LAYER_CONNECT_V4 + (socket->family == AF_INET6);
    if (parse_packet(packet, &judged.ends)) {
        count(at, WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    return mark ? datagram_packet(&judged, mark) : other_packet(&judged);
}
