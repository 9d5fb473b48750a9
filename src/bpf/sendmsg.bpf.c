// sendto() of UDP with an address: the one that counts, address translation comes later.
#include "track.bpf.h"

// What is permitted already, in either direction, is not judged again. Returns CALL_ALLOWED, or CALL_REFUSED when it
// must be judged.
static __noinline int go_on(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4)
{
    struct bpf_sock *socket = call->sk;
    if (!at || !socket || track_find_call(call, at, is_ipv4) != CONVERSATION_GOES_ON)
        return CALL_REFUSED;
    struct judgement judgement = { .generation = (uint32_t)WALL_POLICY_GENERATION(policy_read(at)) };
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    if (mark)
        mark_record(call, mark, &judgement, true, is_ipv4, true);
    return CALL_ALLOWED;
}

static __always_inline int authorize(struct bpf_sock_addr *call, bool is_ipv4)
{
    struct wall_state *at = state_get();
    struct bpf_sock *socket = call->sk;
    if (!at || !socket)
        return refuse(ENOBUFS);
    if (!is_tracking(at))
        return authorize_datagram(call, at, is_ipv4, true);
    if (go_on(call, at, is_ipv4) == CALL_ALLOWED)
        return CALL_ALLOWED;
    if (track_find_call(call, at, is_ipv4) == CONVERSATION_ABORTED) {
        count(WALL_COUNTER_BLOCKED);
        return refuse(EACCES);
    }
    if (!track_owner(at, socket, bpf_get_socket_cookie(call)))
        return refuse_full();
    int result = authorize_datagram(call, at, is_ipv4, true);
    if (result == CALL_ALLOWED)
        track_begin_call(call, at, bpf_sk_storage_get(&marks, socket, NULL, 0), is_ipv4);
    return result;
}

SEC("cgroup/sendmsg4")
int sendmsg4_authorize(struct bpf_sock_addr *call)
{
    return authorize(call, true);
}

SEC("cgroup/sendmsg6")
int sendmsg6_authorize(struct bpf_sock_addr *call)
{
    return authorize(call, false);
}
