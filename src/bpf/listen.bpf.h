// listen(): the program that calls it owns every connection made from the socket. The hook cannot make the call fail:
// a socket that must not listen gets no connections from here on, and is destroyed by user space.
#pragma once

#include "endpoint.bpf.h"

static __noinline int listen_enter(struct bpf_sock *socket, uint64_t cookie, uint32_t layer)
{
    struct remote local;
    local_of_socket(socket, &local);
    return endpoint_enter(cookie, &local, IPPROTO_TCP, layer);
}

static __noinline int listen_stop(struct wall_state *at, struct bpf_sock *socket, uint64_t cookie, uint32_t layer,
                                  bool is_held)
{
    struct remote local;
    local_of_socket(socket, &local);
    return endpoint_stop(at, cookie, &local, layer, is_held ? WALL_FLOW_HELD : WALL_FLOW_BLOCKED);
}

static __always_inline void listen_authorize(struct bpf_sock_ops *ops, struct bpf_sock *socket, struct wall_state *at)
{
    uint64_t cookie = bpf_get_socket_cookie(ops);
    uint32_t layer = WALL_LAYER_LISTEN_V4 + (socket->family == AF_INET6);
    if (!owner_note(at, kernel_socket(socket), cookie)) {
        count(WALL_COUNTER_FAIL_CLOSED);
        return;  // without an owner nothing is accepted
    }
    if (policy_mode(at, layer) == WALL_MODE_PERMIT)
        return;
    int verdict = listen_enter(socket, cookie, layer);
    if (!verdict)
        verdict = endpoint_judge(at, cookie);
    if (verdict == WALL_VERDICT_PERMIT)
        return;
    bool is_held = verdict == WALL_VERDICT_HOLD;
    if (is_held)
        count(WALL_COUNTER_SEEN);
    if (listen_stop(at, socket, cookie, layer, is_held))
        return;
    bpf_map_delete_elem(&owners, &cookie);
    count(WALL_COUNTER_FAIL_CLOSED);
}
