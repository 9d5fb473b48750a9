// bind(): the local address and port are taken, and known, when these hooks run. A raw socket takes all of its protocol
// when it is made.
#include "endpoint.bpf.h"

static __always_inline int hold_binding(struct bpf_sock *socket, struct wall_state *at, uint64_t cookie,
                                        const struct remote *local, uint32_t layer)
{
    struct binding_mark *mark = bpf_sk_storage_get(&bindings, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!mark || !endpoint_stop(at, cookie, local, layer, WALL_FLOW_HELD))
        return refuse_full(at);
    mark->is_undecided = 1;
    count(at, WALL_COUNTER_SEEN);
    return CALL_ALLOWED;
}

static __always_inline int authorize(struct bpf_sock *socket, const struct remote *local)
{
    struct wall_state *at = state_get();
    if (!at)
        return refuse(ENOBUFS);
    uint64_t cookie = bpf_get_socket_cookie(socket);
    uint32_t layer = WALL_LAYER_ASSIGNMENT_V4 + (socket->family == AF_INET6);
    bool is_judged = policy_mode(at, layer) != WALL_MODE_PERMIT;
    if (!is_judged && socket->type == SOCK_STREAM)
        return CALL_ALLOWED;
    if (!owner_note(at, kernel_socket(socket), cookie))
        return refuse_full(at);
    if (!is_judged)
        return CALL_ALLOWED;
    int verdict = endpoint_enter(cookie, local, socket->protocol, layer);
    if (!verdict)
        verdict = endpoint_judge(at, cookie);
    switch (verdict) {
    case WALL_VERDICT_PERMIT:
        return CALL_ALLOWED;
    case WALL_VERDICT_BLOCK:
        return refuse(EACCES);
    case WALL_VERDICT_HOLD:
        return hold_binding(socket, at, cookie, local, layer);
    default:
        return refuse_full(at);
    }
}

SEC("cgroup/post_bind4")
int bind4_authorize(struct bpf_sock *socket)
{
    struct remote local;
    remote_set4(&local, field(socket, src_ip4));
    local.port = (uint16_t)socket->src_port;
    return authorize(socket, &local);
}

SEC("cgroup/post_bind6")
int bind6_authorize(struct bpf_sock *socket)
{
    struct remote local = {
        .words = { field(socket, src_ip6[0]), field(socket, src_ip6[1]), field(socket, src_ip6[2]),
                   field(socket, src_ip6[3]) },
        .port = (uint16_t)socket->src_port,
    };
    return authorize(socket, &local);
}

SEC("cgroup/sock_create")
int create_authorize(struct bpf_sock *socket)
{
    struct remote none = { 0 };
    bool is_ping = socket->type == SOCK_DGRAM && !is_udp(socket->protocol);
    return socket->type == SOCK_RAW || is_ping ? authorize(socket, &none) : CALL_ALLOWED;
}
