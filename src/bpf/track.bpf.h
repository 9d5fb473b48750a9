// To whom a socket sends datagrams, since those may answer it.
#pragma once

#include "conversation.bpf.h"
#include "packet.bpf.h"

// Whether anybody wants to know: answers are told from what peers begin, or flows are told of.
static __always_inline bool is_tracking(struct wall_state *at)
{
    return policy_mode(at, WALL_LAYER_ACCEPT_V4) != WALL_MODE_PERMIT ||
           policy_mode(at, WALL_LAYER_ACCEPT_V6) != WALL_MODE_PERMIT || is_telling(at);
}

// The socket's owner is noted when it sends first, if it has not been before.
static __always_inline bool track_owner(struct wall_state *at, struct bpf_sock *socket, uint64_t cookie)
{
    return owner_find(cookie) || owner_note(at, kernel_socket(socket), cookie);
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

// Returns an enum conversation_state.
static __noinline int track_find_call(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4)
{
    struct encounter with;
    if (!at || !call_ends(call, &with, is_ipv4))
        return CONVERSATION_NONE;
    return conversation_find(at, bpf_get_socket_cookie(call), &with.remote, with.protocol);
}

// A call that has been permitted. `mark`: NULL, or of the socket; what is held is not permitted yet, it is known by its
// flow until it is answered.
static __noinline int track_begin_call(struct bpf_sock_addr *call, struct wall_state *at, struct socket_mark *mark,
                                       bool is_ipv4)
{
    struct encounter with;
    if (!at || !call_ends(call, &with, is_ipv4))
        return 0;
    if (!mark || is_permitted(at, mark, &with.remote))
        conversation_begin(at, bpf_get_socket_cookie(call), &with, false, 0);
    return 0;
}

// A packet that has been permitted, of a socket without a hook at its calls, or a connected one. Returns 0 when it must
// not pass.
static __noinline int track_packet(struct __sk_buff *packet, struct wall_state *at)
{
    struct packet_ends ends;
    struct bpf_sock *socket = packet->sk;
    if (!at || !is_tracking(at))
        return 1;
    if (!socket || parse_packet(packet, &ends))
        return 0;
    uint64_t cookie = bpf_get_socket_cookie(packet);
    struct encounter with = { .local = ends.local, .remote = ends.remote, .protocol = ends.protocol };
    int state = conversation_find(at, cookie, &with.remote, with.protocol);
    if (state != CONVERSATION_NONE)
        return state == CONVERSATION_GOES_ON;
    socket = bpf_sk_fullsock(socket);
    if (!socket || !track_owner(at, socket, cookie))
        return 0;
    conversation_begin(at, cookie, &with, false, 0);
    return 1;
}
