// connect(): TCP is held here; a connected datagram socket is marked, and its flow held when it sends.
#include "datagram.bpf.h"
#include "decide.bpf.h"
#include "hold.bpf.h"



static __always_inline int hold_stream(struct bpf_sock_addr *call, struct wall_state *at,
                                       const struct flow_question *question)
{
    struct bpf_sock *socket = call->sk;
    if (!socket)
        return refuse_full(at);
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!mark)
        return refuse_full(at);

    uint64_t flow_id = flow_id_next(at);
    struct wall_flow_facts *of = facts_new(flow_id);
    if (!of)
        return refuse_full(at);
    stream_key(&of->key, flow_id);
    of->flow_id = flow_id;
    of->time_ns = bpf_ktime_get_boot_ns();
    of->socket_cookie = bpf_get_socket_cookie(call);
    of->netns_cookie = bpf_get_netns_cookie(call);
    facts_set_socket(of, socket);
    facts_set_remote(of, &question->remote);
    owner_read(of);

    struct wall_flow_key key;
    stream_key(&key, flow_id);
    if (flow_insert(&key, flow_id, WALL_POLICY_GENERATION(question->policy), of->time_ns)) {
        bpf_map_delete_elem(&facts, &flow_id);
        return refuse_full(at);
    }
    mark->flow_id = flow_id;
    count(at, WALL_COUNTER_SEEN);
    return CALL_ALLOWED;
}

// The flow of an earlier connect() of the same socket: that attempt is over.
static __always_inline void drop_earlier(struct wall_state *at, struct socket_mark *mark, uint64_t cookie)
{
    uint64_t earlier = mark->flow_id;
    if (!earlier)
        return;
    mark->flow_id = 0;
    stream_forget(earlier);
    announce_release(at, cookie, earlier);
}

static __always_inline int connect_stream(struct bpf_sock_addr *call, struct wall_state *at,
                                          const struct flow_question *question)
{
    struct bpf_sock *socket = call->sk;
    struct socket_mark *mark = socket ? bpf_sk_storage_get(&marks, socket, NULL, 0) : NULL;
    enum wall_layer_mode decision = decide(question);
    if (mark)
        drop_earlier(at, mark, bpf_get_socket_cookie(call));
    if (decision == WALL_MODE_PERMIT)
        return CALL_ALLOWED;
    if (decision == WALL_MODE_HOLD)
        return hold_stream(call, at, question);
    count(at, WALL_COUNTER_BLOCKED);
    return refuse(EACCES);
}

static __always_inline int authorize(struct bpf_sock_addr *call, bool is_ipv4)
{
    struct wall_state *at = state_get();
    if (!at)
        return refuse(ENOBUFS);
    struct flow_question question;
    question_of_call(call, at, is_ipv4, &question);
    if (call->type == SOCK_STREAM)
        return connect_stream(call, at, &question);
    if (call->type == SOCK_DGRAM && is_udp(call->protocol))
        return authorize_datagram(call, at, &question, false);
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
