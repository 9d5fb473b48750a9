// The last close of a socket: its flows are over.
#include "established.bpf.h"

SEC("cgroup/sock_release")
int release_announce(struct bpf_sock *socket)
{
    struct wall_state *at = state_get();
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    if (!mark || !at)
        return CALL_ALLOWED;
    uint64_t flow_id = mark->flow_id;
    if (flow_id || socket->type != SOCK_STREAM)
        announce_release(at, bpf_get_socket_cookie(socket), flow_id);
    return CALL_ALLOWED;
}

// A bound or listening socket, or one that has sent datagrams, gives up its address.
static __always_inline void tell_resource(struct bpf_sock *socket, struct wall_state *at, uint64_t cookie)
{
    struct sock *kernel = kernel_socket(socket);
    struct wall_flow_facts *of = told_new(at, owner_find(cookie), flow_id_next(at));
    if (!of)
        return;
    struct remote local;
    if (of->family == AF_INET)
        remote_set4(&local, BPF_CORE_READ(kernel, __sk_common.skc_rcv_saddr));
    else
        BPF_CORE_READ_INTO(&local.address, kernel, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
    local.port = BPF_CORE_READ(kernel, __sk_common.skc_num);
    facts_set_local(of, &local, 0);
    of->layer = WALL_LAYER_RELEASE_V4 + (of->family == AF_INET6);
    tell(at, cookie, of->flow_id);
}

SEC("cgroup/sock_release")
int endpoint_release(struct bpf_sock *socket)
{
    struct wall_state *at = state_get();
    uint64_t cookie = bpf_get_socket_cookie(socket);
    if (!at || !bpf_map_lookup_elem(&owners, &cookie))
        return CALL_ALLOWED;
    if (WALL_POLICY_MODE(policy_read(at), WALL_LAYER_RELEASE_V4) ||
        WALL_POLICY_MODE(policy_read(at), WALL_LAYER_RELEASE_V6))
        tell_resource(socket, at, cookie);
    bpf_map_delete_elem(&owners, &cookie);
    announce_release(at, cookie, 0);
    return CALL_ALLOWED;
}
