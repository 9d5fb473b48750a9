// Incoming packets. What a peer begins is judged by the owner of the socket it arrives at: a SYN by the owner of the
// listening socket, a datagram by the owner of the bound one. A flow's first packet decides for both directions.
#include "conversation.bpf.h"
#include "packet.bpf.h"

// A packet that has come in and is being judged: too much for the stack. Packets come in one after the other on a CPU.
struct arrival {
    uint64_t cookie;  // of the socket
    struct judgement judgement;
    struct encounter with;
    struct wall_flow_key key;
    uint32_t transport;  // offset of its header; 0: not in this packet
    uint32_t is_injected;  // by user space: it is not judged
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct arrival);
} arrival_room SEC(".maps");

static __always_inline int accept_refuse(void)
{
    count(WALL_COUNTER_BLOCKED);
    return PACKET_REFUSED;
}

static __always_inline int accept_fail(void)
{
    count(WALL_COUNTER_FAIL_CLOSED);
    return PACKET_REFUSED;
}

// --- Flows that user space decides ---

// The facts of a flow that begins with this packet. Returns 0 when there is no place for them.
static __noinline int accept_facts(struct __sk_buff *packet, struct arrival *arrival, uint64_t flow_id)
{
    struct wall_flow_facts *owner = owner_find(arrival->cookie);
    struct wall_flow_facts *of = owner ? facts_of_owner(owner, flow_id) : NULL;
    if (!of)
        return 0;
    of->key = arrival->key;
    of->layer = (uint8_t)arrival->judgement.layer;
    of->family = arrival->judgement.layer == WALL_LAYER_ACCEPT_V6 ? AF_INET6 : AF_INET;
    of->protocol = arrival->with.protocol;
    of->parent_cookie = of->protocol == IPPROTO_TCP ? arrival->cookie : 0;
    of->irql = 2;  // DISPATCH_LEVEL
    of->inbound = 1;
    facts_set_remote(of, &arrival->with.remote);
    facts_set_local(of, &arrival->with.local, packet->ifindex);
    return 1;
}

static __noinline int accept_hold(struct __sk_buff *packet, struct wall_state *at, struct arrival *arrival)
{
    struct wall_flow_key *key = &arrival->key;
    if (at->inbound_flows >= at->inbound_flows_max) {
        count(WALL_COUNTER_OVERFLOW);
        return PACKET_REFUSED;
    }
    uint64_t flow_id = flow_id_next(at), generation = WALL_POLICY_GENERATION(policy_read(at));
    if (!accept_facts(packet, arrival, flow_id))
        return accept_fail();
    // Another CPU may have begun the same flow meanwhile; then this packet joins that one's queue.
    bool is_first = !flow_insert(key, flow_id, generation, bpf_ktime_get_boot_ns());
    if (!is_first)
        bpf_map_delete_elem(&facts, &flow_id);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, key);
    if (entry && queue_packet(packet, at, entry, entry->flow_id, 0)) {
        if (is_first) {
            __sync_fetch_and_add(&at->inbound_flows, 1);
            count(WALL_COUNTER_SEEN);
        }
        return PACKET_REFUSED;
    }
    if (is_first) {  // nobody would ever hear of it
        bpf_map_delete_elem(&flows, key);
        bpf_map_delete_elem(&facts, &flow_id);
    }
    return accept_fail();
}

// What becomes of a packet whose flow is in the table. Returns -1 when the flow must be judged anew.
static __noinline int accept_known(struct __sk_buff *packet, struct wall_state *at, struct arrival *arrival)
{
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &arrival->key);
    if (!entry)
        return -1;
    uint64_t now = bpf_ktime_get_boot_ns();
    if (entry->state == WALL_FLOW_HELD) {
        entry->last_used_ns = now;
        // Of TCP one SYN is enough, which its peer sends again and again.
        if (arrival->with.protocol != IPPROTO_TCP || !entry->captured_packets)
            queue_packet(packet, at, entry, entry->flow_id, 0);
        return PACKET_REFUSED;
    }
    if (!is_fresh(at, entry, policy_read(at), now)) {
        bpf_map_delete_elem(&flows, &arrival->key);
        return -1;
    }
    entry->last_used_ns = now;
    return entry->state == WALL_FLOW_PERMITTED ? PACKET_PASSED : accept_refuse();
}

// --- Judging ---

// Returns an enum wall_verdict, or -1: refuse it.
static __always_inline int accept_ask(struct wall_state *at, struct arrival *arrival)
{
    struct wall_flow_facts *owner = owner_find(arrival->cookie);
    return owner ? judge_owner(at, owner, &arrival->with, &arrival->judgement) : -1;
}

// A packet that begins a flow, if it is let.
static __always_inline int accept_judge(struct __sk_buff *packet, struct wall_state *at, struct arrival *arrival)
{
    int known = accept_known(packet, at, arrival);
    if (known >= 0)
        return known;
    if (policy_mode(at, arrival->judgement.layer) == WALL_MODE_PERMIT)
        return PACKET_PASSED;
    switch (accept_ask(at, arrival)) {
    case WALL_VERDICT_PERMIT:
        return PACKET_PASSED;
    case WALL_VERDICT_BLOCK:
        return PACKET_REFUSED;
    case WALL_VERDICT_HOLD:
        return accept_hold(packet, at, arrival);
    default:
        return accept_fail();
    }
}

// --- SYNs at listening sockets ---

#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

// Leaves word for the connection this SYN will become.
static __noinline int syn_note(struct wall_state *at, struct arrival *arrival)
{
    struct arriving_key key;
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &arrival->key);
    struct arriving arriving = { .listener = arrival->cookie, .handle = entry ? entry->flow_id : 0 };
    struct wall_flow_facts *owner = owner_find(arrival->cookie);
    if (!owner)
        return 0;
    if (!arriving.handle)
        arriving.handle = flow_id_next(at);
    arriving_key(&key, owner->netns_cookie, &arrival->with.local, &arrival->with.remote);
    bpf_map_update_elem(&arrivals, &key, &arriving, BPF_ANY);
    return 0;
}

static __always_inline int listener_packet(struct __sk_buff *packet, struct wall_state *at, struct arrival *arrival)
{
    uint8_t flags = 0;
    if (!arrival->transport || bpf_skb_load_bytes(packet, arrival->transport + 13, &flags, 1))
        return accept_fail();
    if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN) {
        // The handshake ends: what was decided of this SYN is used up.
        struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &arrival->key);
        if (entry && entry->state == WALL_FLOW_PERMITTED)
            bpf_map_delete_elem(&flows, &arrival->key);
        return PACKET_PASSED;
    }
    if (!arrival->is_injected && endpoint_state(arrival->cookie, WALL_FLOW_LISTENER))
        return accept_refuse();
    int result = arrival->is_injected ? PACKET_PASSED : accept_judge(packet, at, arrival);
    if (result == PACKET_PASSED && is_telling(at))
        syn_note(at, arrival);
    return result;
}

// --- Datagrams ---

#define ECHO4 0x0800  // type and code of an echo request
#define ECHO6 0x8000

// The flow this packet would be an answer to.
static __always_inline void answered_key(struct wall_flow_key *ret_key, const struct arrival *arrival)
{
    datagram_key(ret_key, arrival->cookie, &arrival->with.remote);
    if (is_udp(arrival->with.protocol))
        return;
    ret_key->kind = WALL_FLOW_PACKET;
    ret_key->protocol = arrival->with.protocol;
    ret_key->port = 0;
    if (ret_key->protocol == IPPROTO_ICMP)
        ret_key->port = ECHO4;
    else if (ret_key->protocol == IPPROTO_ICMPV6)
        ret_key->port = ECHO6;
}

// What was decided of a flow that the socket began towards this peer. Returns -1 when nothing was.
static __noinline int answer_arrived(struct wall_state *at, struct arrival *arrival, bool is_connected)
{
    struct wall_flow_key key;
    answered_key(&key, arrival);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    if (!entry)
        return -1;
    if (entry->state != WALL_FLOW_PERMITTED)
        return accept_refuse();
    if (!is_fresh(at, entry, policy_read(at), bpf_ktime_get_boot_ns()))
        return -1;
    if (!is_connected)
        conversation_begin(at, arrival->cookie, &arrival->with, false, entry->flow_id);
    return PACKET_PASSED;
}

// A datagram at a socket that is connected: it belongs to what was begun here.
static __always_inline int connected_packet(struct bpf_sock *socket, struct wall_state *at, struct arrival *arrival)
{
    if (!bpf_sk_storage_get(&marks, socket, NULL, 0))
        return PACKET_PASSED;
    return answer_arrived(at, arrival, true) == PACKET_REFUSED ? PACKET_REFUSED : PACKET_PASSED;
}

static __always_inline int datagram_arrived(struct __sk_buff *packet, struct wall_state *at, struct arrival *arrival)
{
    switch (conversation_find(at, arrival->cookie, &arrival->with.remote, arrival->with.protocol)) {
    case CONVERSATION_GOES_ON:
        return PACKET_PASSED;
    case CONVERSATION_ABORTED:
        return accept_refuse();
    default:
        break;
    }
    int result = answer_arrived(at, arrival, false);
    if (result >= 0)
        return result;
    result = arrival->is_injected ? PACKET_PASSED : accept_judge(packet, at, arrival);
    if (result != PACKET_PASSED)
        return result;
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &arrival->key);
    conversation_begin(at, arrival->cookie, &arrival->with, true, entry ? entry->flow_id : 0);
    return PACKET_PASSED;
}

// --- The hook ---

// Whether the socket is not to be reached where the packet goes: its binding is undecided, or was changed.
static __noinline int is_elsewhere(struct bpf_sock *socket, struct arrival *arrival)
{
    if (!socket || !arrival)
        return 1;
    uint64_t cookie = arrival->cookie;
    uint32_t state = binding_state(socket, cookie);
    if (state != BINDING_CHANGED)
        return state != BINDING_SETTLED;
    const struct wall_rebinding *to = bpf_map_lookup_elem(&rebound, &cookie);
    const struct remote *local = &arrival->with.local;
    return !to || to->to_port != local->port || (!is_any_address(to->to) && !same_address(local, to->to));
}

// What is known of a packet that comes in. Returns NULL when it cannot be read.
static __noinline struct arrival *arrival_read(struct __sk_buff *packet, struct wall_state *at)
{
    uint32_t zero = 0;
    struct packet_ends ends;
    struct arrival *arrival = bpf_map_lookup_elem(&arrival_room, &zero);
    if (!arrival || parse_packet(packet, &ends))
        return NULL;
    arrival->cookie = bpf_get_socket_cookie(packet);
    arrival->judgement.layer = WALL_LAYER_ACCEPT_V4 + !is_mapped(ends.remote.words);
    arrival->transport = ends.transport;
    arrival->is_injected = at->pass_mark && packet->mark == at->pass_mark;
    arrival->with = (struct encounter){
        .local = ends.remote, .remote = ends.local, .interface_index = packet->ifindex, .protocol = ends.protocol,
    };
    if (ends.protocol == IPPROTO_ICMP || ends.protocol == IPPROTO_ICMPV6) {
        // Type and code, as WFP has them: local port, remote port.
        arrival->with.local.port = ends.local.port;
        arrival->with.remote.port = ends.remote.port;
    }
    arrival->key = (struct wall_flow_key){
        .number = arrival->cookie,
        .port = arrival->with.remote.port,
        .kind = WALL_FLOW_ACCEPT,
        .protocol = ends.protocol,
    };
    __builtin_memcpy(arrival->key.address, arrival->with.remote.address, sizeof(arrival->key.address));
    return arrival;
}

SEC("cgroup_skb/ingress")
int ingress_accept(struct __sk_buff *packet)
{
    struct bpf_sock *socket = packet->sk;
    if (!socket)
        return PACKET_PASSED;
    socket = bpf_sk_fullsock(socket);
    if (!socket)
        return PACKET_PASSED;
    bool is_stream = is_tcp_socket(socket->type, socket->protocol);
    if (is_stream && socket->state != SOCKET_LISTENING)
        return stream_stops(socket) ? PACKET_REFUSED : PACKET_PASSED;
    struct wall_state *at = state_get();
    if (!at)
        return PACKET_REFUSED;
    struct arrival *arrival = arrival_read(packet, at);
    if (!arrival)
        return accept_fail();
    if (!arrival->is_injected && bindings_begun(at) && is_elsewhere(socket, arrival))
        return accept_refuse();
    if (is_stream)
        return listener_packet(packet, at, arrival);
    if (!arrival->is_injected && is_udp(socket->protocol) && socket->state == SOCKET_CONNECTED)
        return connected_packet(socket, at, arrival);
    return datagram_arrived(packet, at, arrival);
}
