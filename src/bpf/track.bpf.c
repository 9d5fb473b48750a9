// To whom a socket sends datagrams, since those may answer it. Also keeps back what is sent by a socket whose bind()
// has no good decision.
#include "conversation.bpf.h"
#include "packet.bpf.h"

extern int ask_of_packet(struct __sk_buff *packet, struct judgement *judgement);  // egress.bpf.c

// Whether a conversation can go on, or else is to be judged: -1.
static __always_inline int track_known(struct wall_state *at, uint64_t cookie, const struct encounter *with)
{
    switch (conversation_find(at, cookie, &with->remote, with->protocol)) {
    case CONVERSATION_GOES_ON:
        return 1;
    case CONVERSATION_ABORTED:
        count(at, WALL_COUNTER_BLOCKED);
        return 0;
    default:
        return -1;
    }
}

static __noinline int call_ends(struct bpf_sock_addr *call, struct encounter *ret_with, bool is_ipv4)
{
    struct bpf_sock *socket = call->sk;
    if (!socket || !ret_with)
        return 0;
    *ret_with = (struct encounter){ .protocol = (uint8_t)call->protocol };
    remote_of_call(call, is_ipv4, &ret_with->remote);
    local_of_socket(socket, &ret_with->local);
    return 1;
}

static __noinline int track_begin_call(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4)
{
    struct encounter with;
    if (at && call_ends(call, &with, is_ipv4))
        conversation_begin(at, bpf_get_socket_cookie(call), &with, false, 0);
    return 0;
}

static __noinline int track_known_call(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4)
{
    struct encounter with;
    return at && call_ends(call, &with, is_ipv4) ? track_known(at, bpf_get_socket_cookie(call), &with) : 0;
}

// sendto() with an address: the one that counts, address translation comes later.
static __always_inline int track_call(struct bpf_sock_addr *call, bool is_ipv4)
{
    struct wall_state *at = state_get();
    struct bpf_sock *socket = call->sk;
    if (!at || !socket)
        return refuse(ENOBUFS);
    int known = track_known_call(call, at, is_ipv4);
    if (known >= 0)
        return known ? CALL_ALLOWED : refuse(EACCES);
    uint64_t cookie = bpf_get_socket_cookie(call);
    if (!owner_find(cookie) && !owner_note(at, kernel_socket(socket), cookie))
        return refuse_full(at);
    // What is held is known by its flow, until it is permitted and answered.
    struct judgement judgement = { .layer = call_layer(call) };
    bool is_permitted = policy_mode(at, judgement.layer) == WALL_MODE_PERMIT;
    if (!is_permitted && executable_find(&judgement.executable))
        is_permitted = (is_ipv4 ? ask_of_call4(call, &judgement) : ask_of_call6(call, &judgement)) == WALL_VERDICT_PERMIT;
    if (is_permitted)
        track_begin_call(call, at, is_ipv4);
    return CALL_ALLOWED;
}

SEC("cgroup/sendmsg4")
int sendmsg4_track(struct bpf_sock_addr *call)
{
    return track_call(call, true);
}

SEC("cgroup/sendmsg6")
int sendmsg6_track(struct bpf_sock_addr *call)
{
    return track_call(call, false);
}

// The same for sockets that have no hook at their calls. Returns -1 when nothing is known of the conversation.
static __noinline int track_known_packet(struct __sk_buff *packet, struct wall_state *at, bool begin)
{
    struct packet_ends ends;
    if (!at || parse_packet(packet, &ends))
        return 1;  // the other hook refuses it
    uint64_t cookie = bpf_get_socket_cookie(packet);
    struct encounter with = { .local = ends.local, .remote = ends.remote, .protocol = ends.protocol };
    return begin ? conversation_begin(at, cookie, &with, false, 0) : track_known(at, cookie, &with);
}

static __always_inline int track_packet(struct __sk_buff *packet, struct bpf_sock *socket, struct wall_state *at,
                                        uint64_t cookie)
{
    int known = track_known_packet(packet, at, false);
    if (known >= 0)
        return known ? PACKET_PASSED : PACKET_REFUSED;
    if (!owner_find(cookie) && !owner_note(at, kernel_socket(socket), cookie)) {
        count(at, WALL_COUNTER_FAIL_CLOSED);
        return PACKET_REFUSED;
    }
    struct judgement judgement = { .layer = WALL_LAYER_CONNECT_V4 + (socket->family == AF_INET6) };
    bool is_permitted = policy_mode(at, judgement.layer) == WALL_MODE_PERMIT;
    if (!is_permitted && executable_find(&judgement.executable))
        is_permitted = ask_of_packet(packet, &judgement) == WALL_VERDICT_PERMIT;
    if (is_permitted)
        track_known_packet(packet, at, true);
    return PACKET_PASSED;
}

SEC("cgroup_skb/egress")
int egress_track(struct __sk_buff *packet)
{
    struct bpf_sock *socket = packet->sk;
    if (!socket)
        return PACKET_PASSED;
    socket = bpf_sk_fullsock(socket);
    if (!socket)
        return PACKET_PASSED;
    struct wall_state *at = state_get();
    if (!at)
        return PACKET_REFUSED;
    uint64_t cookie = bpf_get_socket_cookie(packet);
    if (binding_stops(socket, cookie)) {
        count(at, WALL_COUNTER_BLOCKED);
        return PACKET_REFUSED;
    }
    if (socket->type == SOCK_STREAM)
        return PACKET_PASSED;
    // Of UDP only what is connected, when somebody wants to hear of it: nobody but its peer can answer it.
    if (is_udp(socket->protocol) && (socket->state != SOCKET_CONNECTED || !is_telling(at)))
        return PACKET_PASSED;
    return track_packet(packet, socket, at, cookie);
}
