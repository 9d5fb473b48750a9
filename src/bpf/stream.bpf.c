// What the kernel tells of TCP sockets while they live: they listen, connect, are connected, are closed.
#include "established.bpf.h"
#include "listen.bpf.h"

static __always_inline void stream_watch(struct bpf_sock_ops *ops, struct bpf_sock *socket, struct wall_state *at)
{
    switch (ops->op) {
    case BPF_SOCK_OPS_TCP_LISTEN_CB:
        listen_authorize(ops, socket, at);
        break;
    case BPF_SOCK_OPS_TCP_CONNECT_CB:
        stream_begin(ops, socket, at);
        break;
    case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
        stream_established(socket, at, bpf_get_socket_cookie(ops));
        break;
    case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
        stream_accepted(ops, socket, at);
        break;
    case BPF_SOCK_OPS_STATE_CB:
        if (ops->args[1] == SOCKET_CLOSED)
            stream_ended(socket, at, bpf_get_socket_cookie(ops));
    }
}

SEC("sockops")
int endpoint_watch(struct bpf_sock_ops *ops)
{
    struct bpf_sock *socket = ops->sk;
    struct wall_state *at = state_get();
    if (socket && at)
        stream_watch(ops, socket, at);
    return 1;
}
