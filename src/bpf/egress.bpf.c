// Outgoing packets: those of held flows are captured and kept back. Here flows of datagrams begin, in the context of
// the thread that sends.
#include "track.bpf.h"
#include "packet.bpf.h"
#include "place.bpf.h"

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

static __noinline int stream_packet(struct __sk_buff *packet, struct wall_state *at, struct socket_mark *mark)
{
    struct bpf_sock *socket = packet->sk;
    uint64_t flow_id = mark ? mark->flow_id : 0;
    if (!at || !flow_id)
        return PACKET_PASSED;
    if (!socket)
        return PACKET_REFUSED;
    socket = bpf_sk_fullsock(socket);
    if (!socket)
        return PACKET_REFUSED;
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
        if (sender == thread_of(bpf_get_current_task_btf()))
            *ret_remote = recorded;
        return;
    }
    if (!sender)  // it has never been given an address
        remote_of_socket(socket, ret_remote);
}

// A flow whose packet is at hand.
struct judged {
    struct remote remote;
    uint8_t protocol;
    uint8_t layer;
    uint32_t flags;  // of the record: enum wall_record_flag
    struct wall_flow_key key;
    struct packet_ends ends;
};

// In a frame of its own: its room is not needed any more when the flow is held.
static __noinline int judged_parse(struct __sk_buff *packet, struct judged *judged)
{
    return judged ? parse_packet(packet, &judged->ends) : -1;
}

// The facts of a flow that begins with this packet.
static __noinline int datagram_facts(struct __sk_buff *packet, const struct judged *judged, uint64_t flow_id)
{
    struct bpf_sock *socket = packet->sk;
    if (!socket || !judged)
        return 0;
    socket = bpf_sk_fullsock(socket);
    struct wall_flow_facts *of = socket ? facts_new(flow_id) : NULL;
    if (!of)
        return 0;
    struct remote local;
    local_of_socket(socket, &local);
    bool is_packets =  // a redirected flow is translated by what its packets have
        judged->layer == WALL_LAYER_REDIRECT_V4 || judged->layer == WALL_LAYER_REDIRECT_V6;
    if (judged->key.kind == WALL_FLOW_PACKET || local.words[3] == 0 || is_packets)
        local = judged->ends.local;
    of->key = judged->key;
    of->flow_id = flow_id;
    of->time_ns = bpf_ktime_get_boot_ns();
    of->socket_cookie = judged->key.number;
    of->netns_cookie = netns_cookie_of(socket);
    of->layer = judged->layer;
    of->irql = 2;  // DISPATCH_LEVEL
    facts_set_socket(of, socket);
    of->protocol = judged->protocol;
    facts_set_remote(of, &judged->remote);
    facts_set_local(of, &local, packet->ifindex);
    owner_read(of);
    return 1;
}

static __noinline int datagram_hold(struct __sk_buff *packet, struct wall_state *at, struct judged *judged)
{
    if (!at || !judged)
        return PACKET_REFUSED;
    struct wall_flow_key *key = &judged->key;
    uint64_t flow_id = flow_id_next(at);
    if (!datagram_facts(packet, judged, flow_id)) {
        count(WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    // Another thread may have begun the same flow meanwhile; then this packet joins that one's queue.
    bool is_first =
        !flow_insert(key, flow_id, WALL_POLICY_GENERATION(policy_read(at)), bpf_ktime_get_boot_ns());
    if (!is_first)
        bpf_map_delete_elem(&facts, &flow_id);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, key);
    if (entry && queue_packet(packet, at, entry, entry->flow_id, judged->flags)) {
        if (is_first)
            count(WALL_COUNTER_SEEN);
        return PACKET_CONGESTION;
    }
    if (is_first) {  // nobody would ever hear of it
        bpf_map_delete_elem(&flows, key);
        bpf_map_delete_elem(&facts, &flow_id);
    }
    count(WALL_COUNTER_FAIL_CLOSED);
    return PACKET_REFUSED;
}

// What becomes of a packet whose flow is in the table. Returns -1 when the flow must be judged anew.
static __always_inline int datagram_known(struct __sk_buff *packet, struct wall_state *at, struct judged *judged)
{
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &judged->key);
    if (!entry)
        return -1;
    if (entry->state == WALL_FLOW_HELD) {
        queue_packet(packet, at, entry, entry->flow_id, judged->flags);
        return PACKET_CONGESTION;
    }
    uint64_t now = bpf_ktime_get_boot_ns();
    if (!is_fresh(at, entry, policy_read(at), now)) {
        bpf_map_delete_elem(&flows, &judged->key);
        return -1;
    }
    entry->last_used_ns = now;
    if (entry->state == WALL_FLOW_PERMITTED)
        return PACKET_PASSED;
    count(WALL_COUNTER_BLOCKED);
    return PACKET_REFUSED;
}

static __noinline int datagram_packet(struct __sk_buff *packet, struct wall_state *at, struct socket_mark *mark,
                                      uint32_t binding)
{
    struct bpf_sock *socket = packet->sk;
    struct judged judged = { .remote = { 0 } };
    if (!at || !mark || !socket)
        return PACKET_REFUSED;
    socket = bpf_sk_fullsock(socket);
    if (!socket || judged_parse(packet, &judged)) {
        count(WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    judged.protocol = (uint8_t)socket->protocol;
    datagram_remote(socket, mark, &judged.ends, &judged.remote);
    datagram_key(&judged.key, bpf_get_socket_cookie(packet), &judged.remote);
    int known = datagram_known(packet, at, &judged);
    if (known >= 0)
        return binding == BINDING_UNDECIDED && known == PACKET_PASSED ? PACKET_REFUSED : known;
    bool is_v6 = socket->family == AF_INET6;
    if (binding == BINDING_IMPLICIT) {
        judged.layer = WALL_LAYER_BIND_REDIRECT_V4 + is_v6;
        return datagram_hold(packet, at, &judged);
    }
    judged.layer = WALL_LAYER_CONNECT_V4 + is_v6;
    if (policy_mode(at, WALL_LAYER_REDIRECT_V4 + is_v6) != WALL_MODE_PERMIT)  // callouts there are asked first
        judged.layer = WALL_LAYER_REDIRECT_V4 + is_v6;
    if (binding == BINDING_UNDECIDED)  // it waits with bind(), which user space decides first
        return datagram_hold(packet, at, &judged);
    if (policy_mode(at, judged.layer) == WALL_MODE_PERMIT || is_permitted(at, mark, &judged.remote))
        return PACKET_PASSED;
    return datagram_hold(packet, at, &judged);
}

// --- Ping and raw sockets, and whatever has no hook at its calls ---

static __noinline int other_ends(struct __sk_buff *packet, struct judged *judged)
{
    struct bpf_sock *socket = packet->sk;
    if (!judged || !socket || judged_parse(packet, judged))
        return 0;
    socket = bpf_sk_fullsock(socket);
    if (!socket)
        return 0;
    const struct packet_ends *ends = &judged->ends;
    judged->layer = WALL_LAYER_CONNECT_V4 + (socket->family == AF_INET6);
    judged->protocol = ends->protocol;
    judged->remote = ends->remote;
    judged->key = (struct wall_flow_key){
        .number = bpf_get_socket_cookie(packet),
        .kind = WALL_FLOW_PACKET,
        .protocol = ends->protocol,
    };
    __builtin_memcpy(judged->key.address, ends->remote.address, sizeof(judged->key.address));
    bool is_icmp = ends->protocol == IPPROTO_ICMP || ends->protocol == IPPROTO_ICMPV6;
    judged->key.port = is_icmp ? (uint16_t)(ends->local.port << 8 | ends->remote.port) : ends->remote.port;
    // An IPv4 ping socket reports CONGESTION as ENOBUFS, whatever its options; `ping` then tries again.
    if (socket->type == SOCK_DGRAM && socket->family == AF_INET)
        judged->flags = WALL_RECORD_SENDER_TOLD;
    return 1;
}

static __noinline int question_of_packet(struct __sk_buff *packet, struct wall_question *question,
                                         const struct judgement *judgement)
{
    struct packet_ends ends;
    if (!question || !judgement || parse_packet(packet, &ends))
        return 0;
    bool is_v6 = judgement->layer & 1;
    question_set_remote(question, &ends.remote, is_v6);
    question_set_local(question, &ends.local, is_v6);
    question_set_owner(question, &judgement->executable, ends.protocol);
    question->local_port = ends.local.port;  // an echo reply has type 0
    question->interface_index = packet->ifindex;
    question->known |= 1 << WALL_DIMENSION_LOCAL_PORT | 1 << WALL_DIMENSION_INTERFACE;
    return 1;
}

VERIFIED_ALONE int ask_of_packet(struct __sk_buff *packet, struct judgement *judgement)
{
    struct wall_evaluation evaluation = { .question = { 0 } };
    struct wall_state *at = state_get();
    if (!at || !judgement)
        return -1;
    if (!question_of_packet(packet, &evaluation.question, judgement))
        return -1;
    return question_ask(at, &evaluation, judgement);
}

VERIFIED_ALONE int log_packet(struct __sk_buff *packet, const struct judgement *judgement, uint32_t verdict)
{
    struct packet_ends ends;
    struct wall_state *at = state_get();
    if (!at || !judgement || parse_packet(packet, &ends))
        return 0;
    struct logged logged = {
        .local = ends.local,
        .remote = ends.remote,
        .executable_id = judgement->executable.id,
        .filter_id = judgement->filter_id,
        .interface_index = packet->ifindex,
        .layer = (uint8_t)judgement->layer,
        .verdict = (uint8_t)verdict,
        .protocol = ends.protocol,
        .irql = 2,
    };
    log_decision(at, &logged);
    return 0;
}

static __noinline int other_known(struct __sk_buff *packet, struct wall_state *at, bool is_held)
{
    struct judged judged = { .remote = { 0 } };
    if (!at || !other_ends(packet, &judged)) {
        count(WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    return is_held ? datagram_hold(packet, at, &judged) : datagram_known(packet, at, &judged);
}

// The kernel's own packets (ICMP errors, neighbour discovery, TCP resets), and those that user space sends again.
static __noinline int is_exempt(struct __sk_buff *packet)
{
    struct bpf_sock *socket = packet->sk;
    if (!socket)
        return 1;
    struct sock *kernel = kernel_socket(socket);
    uint64_t cookie = bpf_get_socket_cookie(packet);
    return BPF_CORE_READ_BITFIELD_PROBED(kernel, sk_kern_sock) || bpf_map_lookup_elem(&injectors, &cookie);
}

static __always_inline int other_packet(struct __sk_buff *packet, struct bpf_sock *socket, struct wall_state *at)
{
    struct judgement judgement = { .layer = WALL_LAYER_CONNECT_V4 + (socket->family == AF_INET6) };
    if (is_exempt(packet))
        return PACKET_PASSED;
    int known = other_known(packet, at, false);
    if (known >= 0)
        return known;
    if (policy_mode(at, judgement.layer) == WALL_MODE_PERMIT)
        return track_packet(packet, at) ? PACKET_PASSED : PACKET_REFUSED;
    int verdict = executable_find(&judgement.executable) ? ask_of_packet(packet, &judgement) : -1;
    if (verdict == WALL_VERDICT_HOLD && may_hold(at))
        return other_known(packet, at, true);
    if (verdict != WALL_VERDICT_PERMIT && verdict != WALL_VERDICT_BLOCK) {
        count(WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    bool is_blocked = verdict == WALL_VERDICT_BLOCK || !track_packet(packet, at);
    count(is_blocked ? WALL_COUNTER_BLOCKED : WALL_COUNTER_PERMITTED);
    if (is_blocked || at->log_permits)
        log_packet(packet, &judgement, (uint32_t)verdict);
    return is_blocked ? PACKET_REFUSED : PACKET_PASSED;
}

// A datagram of a socket that has nothing held. What it sends with an address was looked at then.
static __always_inline int plain_datagram(struct __sk_buff *packet, struct bpf_sock *socket, struct wall_state *at)
{
    if (socket->state != SOCKET_CONNECTED || !is_telling(at))
        return PACKET_PASSED;
    return track_packet(packet, at) ? PACKET_PASSED : PACKET_REFUSED;
}

// Whether the socket's calls are judged, as far as that can be told without a helper, which would cost as much as all
// the rest. This hook sees full sockets alone, whose type the kernel's own structure has.
static __always_inline bool is_judged_at_calls(struct bpf_sock *socket)
{
    if (!bpf_rdonly_cast)
        return false;
    const struct sock *kernel = bpf_rdonly_cast(socket, bpf_core_type_id_kernel(struct sock));
    uint32_t type = kernel->sk_type, protocol = kernel->sk_protocol;
    return is_tcp_socket(type, protocol) || is_udp_socket(type, protocol);
}

SEC("cgroup_skb/egress")
int egress_hold(struct __sk_buff *packet)
{
    struct bpf_sock *socket = packet->sk;
    if (!socket)
        return PACKET_PASSED;
    struct wall_state *at = state_get();
    if (!at)
        return PACKET_REFUSED;
    if (!may_hold(at) && is_judged_at_calls(socket))
        return PACKET_PASSED;
    socket = bpf_sk_fullsock(socket);
    if (!socket)
        return PACKET_PASSED;
    bool is_stream = is_tcp_socket(socket->type, socket->protocol);
    bool is_datagram = is_udp_socket(socket->type, socket->protocol);
    if ((is_stream || is_datagram) && !may_hold(at))
        return PACKET_PASSED;
    uint32_t binding =
        bindings_begun(at) ? binding_state(socket, bpf_get_socket_cookie(packet)) : (uint32_t)BINDING_SETTLED;
    if (binding == BINDING_REFUSED || (binding == BINDING_UNDECIDED && !is_stream && !is_datagram)) {
        count(WALL_COUNTER_BLOCKED);
        return PACKET_REFUSED;
    }
    if (!is_stream && !is_datagram)
        return other_packet(packet, socket, at);
    uint64_t create = binding == BINDING_UNDECIDED && is_datagram ? BPF_SK_STORAGE_GET_F_CREATE : 0;
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, create);
    if (!mark)
        return is_stream ? PACKET_PASSED : plain_datagram(packet, socket, at);
    return is_stream ? stream_packet(packet, at, mark) : datagram_packet(packet, at, mark, binding);
}
