// The last close of a socket: its flows are over.
#include "hold.bpf.h"

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
