// bind(): the local address and port are taken, and known, when these hooks run. A raw socket takes all of its protocol
// when it is made.
#include "endpoint.bpf.h"

enum at_call { AT_BIND4, AT_BIND6, AT_CREATE };

// The verifier lets each hook read only the address of its family.
static __always_inline void read_local(struct bpf_sock *socket, enum at_call call, struct remote *ret_local)
{
    *ret_local = (struct remote){ 0 };
    if (call == AT_CREATE)
        return;
    if (call == AT_BIND4) {
        remote_set4(ret_local, field(socket, src_ip4));
    } else {
        ret_local->words[0] = field(socket, src_ip6[0]);
        ret_local->words[1] = field(socket, src_ip6[1]);
        ret_local->words[2] = field(socket, src_ip6[2]);
        ret_local->words[3] = field(socket, src_ip6[3]);
    }
    ret_local->port = (uint16_t)socket->src_port;
}

// Frames of their own: there is no room for addresses above the evaluator.
static __noinline int enter(struct bpf_sock *socket, uint64_t cookie, uint32_t layer, enum at_call call)
{
    struct remote local;
    read_local(socket, call, &local);
    return endpoint_enter(cookie, &local, socket->protocol, layer);
}

static __noinline int hold_binding(struct bpf_sock *socket, uint64_t cookie, uint32_t layer, enum at_call call)
{
    struct remote local;
    struct wall_state *at = state_get();
    if (!at)
        return refuse(ENOBUFS);
    read_local(socket, call, &local);
    if (!binding_begin(at, socket, cookie, BINDING_SETTLED) ||
        !endpoint_stop(at, cookie, &local, layer, WALL_FLOW_HELD))
        return refuse_full();
    binding_begin(at, socket, cookie, BINDING_UNDECIDED);
    count(WALL_COUNTER_SEEN);
    return CALL_ALLOWED;
}

// Returns an enum wall_verdict, or -1: refuse it.
static __always_inline int judge(struct bpf_sock *socket, struct wall_state *at, uint64_t cookie, uint32_t layer,
                                 enum at_call call)
{
    if (policy_mode(at, layer) == WALL_MODE_PERMIT)
        return WALL_VERDICT_PERMIT;
    return enter(socket, cookie, layer, call) ? -1 : endpoint_judge(at, cookie);
}

// A callout that may change the address has the word before the layer that authorizes; user space asks that afterwards.
static __always_inline int authorize(struct bpf_sock *socket, enum at_call call)
{
    struct wall_state *at = state_get();
    if (!at)
        return refuse(ENOBUFS);
    uint64_t cookie = bpf_get_socket_cookie(socket);
    uint32_t is_v6 = socket->family == AF_INET6, layer = WALL_LAYER_BIND_REDIRECT_V4 + is_v6;
    bool may_change = call != AT_CREATE && policy_mode(at, layer) != WALL_MODE_PERMIT;
    bool is_judged = may_change || policy_mode(at, WALL_LAYER_ASSIGNMENT_V4 + is_v6) != WALL_MODE_PERMIT;
    if (!is_judged && socket->type == SOCK_STREAM)
        return CALL_ALLOWED;
    if (!owner_note(at, kernel_socket(socket), cookie) ||
        (may_change && !binding_begin(at, socket, cookie, BINDING_SETTLED)))
        return refuse_full();
    if (!is_judged)
        return CALL_ALLOWED;
    int verdict = may_change ? judge(socket, at, cookie, layer, call) : WALL_VERDICT_PERMIT;
    if (verdict == WALL_VERDICT_PERMIT) {
        layer = WALL_LAYER_ASSIGNMENT_V4 + is_v6;
        verdict = judge(socket, at, cookie, layer, call);
    }
    switch (verdict) {
    case WALL_VERDICT_PERMIT:
        return CALL_ALLOWED;
    case WALL_VERDICT_BLOCK:
        return refuse(EACCES);
    case WALL_VERDICT_HOLD:
        return hold_binding(socket, cookie, layer, call);
    default:
        return refuse_full();
    }
}

SEC("cgroup/post_bind4")
int bind4_authorize(struct bpf_sock *socket)
{
    return authorize(socket, AT_BIND4);
}

SEC("cgroup/post_bind6")
int bind6_authorize(struct bpf_sock *socket)
{
    return authorize(socket, AT_BIND6);
}

SEC("cgroup/sock_create")
int create_authorize(struct bpf_sock *socket)
{
    bool is_ping = socket->type == SOCK_DGRAM && !is_udp(socket->protocol);
    return socket->type == SOCK_RAW || is_ping ? authorize(socket, AT_CREATE) : CALL_ALLOWED;
}
