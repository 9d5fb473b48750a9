// connect(): TCP is decided here; a connected datagram socket is marked, and its flow held when it sends.
#include "datagram.bpf.h"

static __noinline int hold_stream(struct bpf_sock_addr *call, struct wall_state *at, uint32_t layer, bool is_ipv4)
{
    struct bpf_sock *socket = call->sk;
    if (!at || !socket)
        return refuse(ENOBUFS);
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!mark)
        return refuse_full();

    uint64_t flow_id = flow_id_next(at);
    struct wall_flow_facts *of = facts_new(flow_id);
    if (!of)
        return refuse_full();
    struct remote remote;
    remote_of_call(call, is_ipv4, &remote);
    stream_key(&of->key, flow_id);
    of->flow_id = flow_id;
    of->time_ns = bpf_ktime_get_boot_ns();
    of->socket_cookie = bpf_get_socket_cookie(call);
    of->netns_cookie = bpf_get_netns_cookie(call);
    of->layer = (uint8_t)layer;
    facts_set_socket(of, socket);
    facts_set_remote(of, &remote);
    owner_read(of);

    struct wall_flow_key key;
    stream_key(&key, flow_id);
    if (flow_insert(&key, flow_id, WALL_POLICY_GENERATION(policy_read(at)), of->time_ns)) {
        bpf_map_delete_elem(&facts, &flow_id);
        return refuse_full();
    }
    mark->flow_id = flow_id;
    count(WALL_COUNTER_SEEN);
    return CALL_ALLOWED;
}

// The flow of an earlier connect() of the same socket: that attempt is over.
static __noinline int drop_earlier(struct wall_state *at, struct socket_mark *mark, uint64_t cookie)
{
    uint64_t earlier = mark ? mark->flow_id : 0;
    if (!at || !earlier)
        return 0;
    mark->flow_id = 0;
    stream_forget(earlier);
    announce_release(at, cookie, earlier);
    return 0;
}

// Whether bind() still waits for its decision: then the connection waits with it.
static __noinline int is_binding_undecided(struct bpf_sock_addr *call)
{
    struct bpf_sock *socket = call->sk;
    return socket && binding_state(socket, bpf_get_socket_cookie(call)) == BINDING_UNDECIDED;
}

// Whether a callout is to say where the connection comes from.
static __always_inline int ask_source(struct bpf_sock_addr *call, struct wall_state *at, struct judgement *judgement,
                                      bool is_ipv4)
{
    struct bpf_sock *socket = call->sk;
    if (!socket || socket->src_port)  // it has its address from bind()
        return WALL_VERDICT_PERMIT;
    return judge_redirect(call, at, judgement, WALL_LAYER_BIND_REDIRECT_V4 + (judgement->layer & 1), is_ipv4);
}

static __always_inline int connect_stream(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4)
{
    struct judgement judgement = { .layer = call_layer(call) };
    struct bpf_sock *socket = call->sk;
    struct socket_mark *mark = NULL;
    if (socket && may_hold(at))
        mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    if (mark)
        drop_earlier(at, mark, bpf_get_socket_cookie(call));
    if (bindings_begun(at) && is_binding_undecided(call))
        return hold_stream(call, at, WALL_LAYER_REDIRECT_V4 + (judgement.layer & 1), is_ipv4);
    int verdict = ask_source(call, at, &judgement, is_ipv4);
    if (verdict == WALL_VERDICT_PERMIT)
        verdict = judge_destination(call, at, &judgement, is_ipv4);
    switch (verdict) {
    case WALL_VERDICT_PERMIT:
        return CALL_ALLOWED;
    case WALL_VERDICT_BLOCK:
        return refuse(EACCES);
    case WALL_VERDICT_HOLD:
        return hold_stream(call, at, judgement.layer, is_ipv4);
    default:
        return refuse_full();
    }
}

// The answer is looked for after the executable, which takes long: until then it has been fetched.
static __always_inline void expect_answer(struct bpf_sock_addr *call, bool is_ipv4)
{
    uint32_t address[4] = { 0 };
    if (is_ipv4) {
        address[0] = bpf_ntohl(field(call, user_ip4));
    } else {
        address[0] = bpf_ntohl(field(call, user_ip6[0]));
        address[1] = bpf_ntohl(field(call, user_ip6[1]));
        address[2] = bpf_ntohl(field(call, user_ip6[2]));
        address[3] = bpf_ntohl(field(call, user_ip6[3]));
    }
    recent_expect(recent_place(address, bpf_ntohs((uint16_t)call->user_port), call_layer(call)));
}

static __always_inline int authorize(struct bpf_sock_addr *call, bool is_ipv4)
{
    struct wall_state *at = state_get();
    if (!at)
        return refuse(ENOBUFS);
    expect_answer(call, is_ipv4);
    if (call->type == SOCK_STREAM)
        return connect_stream(call, at, is_ipv4);
    if (is_udp_socket(call->type, call->protocol))
        return authorize_datagram(call, at, is_ipv4, false);
    return CALL_ALLOWED;  // ping and raw sockets are judged by what they send
}

SEC("cgroup/connect4")
int connect4_authorize(struct bpf_sock_addr *call)
{
    return authorize(call, true);
}

SEC("cgroup/connect6")
int connect6_authorize(struct bpf_sock_addr *call)
{
    return authorize(call, false);
}
