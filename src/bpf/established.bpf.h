// Flows that are told of: established, and over. Only while the policy has filters at the layers that tell.
#pragma once

#include "endpoint.bpf.h"

// Whether anybody wants to know.
static __always_inline bool is_telling(struct wall_state *at)
{
    uint64_t modes = policy_read(at) >> WALL_LAYER_ESTABLISHED_V4;
    return modes & ((1u << (WALL_LAYER_COUNT_ - WALL_LAYER_ESTABLISHED_V4)) - 1);
}

// New facts of a flow to be told of, with what is known of the owner. Returns NULL when there is no place.
static __always_inline struct wall_flow_facts *told_new(struct wall_state *at, const struct wall_flow_facts *owner,
                                                        uint64_t handle)
{
    struct wall_flow_facts *of = NULL;
    if (owner && !bpf_map_update_elem(&told, &handle, owner, BPF_NOEXIST))
        of = bpf_map_lookup_elem(&told, &handle);
    if (!of) {
        count(WALL_COUNTER_UNNOTICED);
        return NULL;
    }
    of->flow_id = handle;
    of->time_ns = bpf_ktime_get_boot_ns();
    return of;
}

// Tells user space, which takes the facts away. Returns false when the ring is full: then nobody will ever hear of it.
static __always_inline bool tell(struct wall_state *at, uint64_t cookie, uint64_t handle)
{
    if (announce(at, WALL_RECORD_TOLD, cookie, handle))
        return true;
    bpf_map_delete_elem(&told, &handle);
    count(WALL_COUNTER_UNNOTICED);
    return false;
}

// A connection begins, in the context of connect(). It keeps the number it has been held by.
static __noinline int stream_begin(struct bpf_sock_ops *ops, struct bpf_sock *socket, struct wall_state *at)
{
    uint32_t zero = 0;
    if (!is_telling(at))
        return 0;
    struct stream_track *track = bpf_sk_storage_get(&tracks, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!track) {
        count(WALL_COUNTER_UNNOTICED);
        return 0;
    }
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    uint64_t handle = mark ? mark->flow_id : 0;
    if (!handle)
        handle = flow_id_next(at);
    struct wall_flow_facts *of = told_new(at, bpf_map_lookup_elem(&blank, &zero), handle);
    if (!of)
        return 0;
    of->socket_cookie = bpf_get_socket_cookie(ops);
    owner_set_socket(of, kernel_socket(socket));
    owner_read(of);
    stream_key(&of->key, handle);
    track->handle = handle;
    track->is_told = 0;
    bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
    return 0;
}

static __noinline int stream_established(struct bpf_sock *socket, struct wall_state *at, uint64_t cookie)
{
    struct stream_track *track = bpf_sk_storage_get(&tracks, socket, NULL, 0);
    uint64_t handle = track ? track->handle : 0;
    struct wall_flow_facts *of = handle ? bpf_map_lookup_elem(&told, &handle) : NULL;
    if (!track || !of)
        return 0;
    struct remote local, remote;
    local_of_socket(socket, &local);
    remote_of_socket(socket, &remote);
    of->layer = WALL_LAYER_ESTABLISHED_V4 + (of->family == AF_INET6);
    of->irql = 2;  // DISPATCH_LEVEL
    facts_set_remote(of, &remote);
    facts_set_local(of, &local, 0);
    track->is_told = tell(at, cookie, handle);
    if (!track->is_told)
        track->handle = 0;
    return 0;
}

static __always_inline void arriving_key(struct arriving_key *ret_key, uint64_t netns_cookie,
                                         const struct remote *local, const struct remote *remote)
{
    *ret_key = (struct arriving_key){
        .netns_cookie = netns_cookie, .local_port = local->port, .remote_port = remote->port,
    };
    __builtin_memcpy(ret_key->local_address, local->address, sizeof(ret_key->local_address));
    __builtin_memcpy(ret_key->remote_address, remote->address, sizeof(ret_key->remote_address));
}

// A connection made from a listening socket. Its SYN has left word of which.
static __noinline int stream_accepted(struct bpf_sock_ops *ops, struct bpf_sock *socket, struct wall_state *at)
{
    if (!is_telling(at))
        return 0;
    struct arriving_key key;
    struct remote local, remote;
    local_of_socket(socket, &local);
    remote_of_socket(socket, &remote);
    arriving_key(&key, netns_cookie_of(socket), &local, &remote);
    struct arriving *arriving = bpf_map_lookup_elem(&arrivals, &key);
    struct stream_track *track = bpf_sk_storage_get(&tracks, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!arriving || !track) {
        count(WALL_COUNTER_UNNOTICED);
        return 0;
    }
    uint64_t parent = arriving->listener, handle = arriving->handle;
    bpf_map_delete_elem(&arrivals, &key);
    struct wall_flow_facts *of = told_new(at, owner_find(parent), handle);
    if (!of)
        return 0;
    of->socket_cookie = bpf_get_socket_cookie(ops);
    of->parent_cookie = parent;
    of->inbound = 1;
    of->family = is_mapped(remote.words) ? AF_INET : AF_INET6;
    stream_key(&of->key, handle);
    track->handle = handle;
    bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
    stream_established(socket, at, of->socket_cookie);
    return 0;
}

static __noinline int stream_ended(struct bpf_sock *socket, struct wall_state *at, uint64_t cookie)
{
    struct stream_track *track = bpf_sk_storage_get(&tracks, socket, NULL, 0);
    uint64_t handle = track ? track->handle : 0;
    if (!track || !handle)
        return 0;
    track->handle = 0;
    if (track->is_told)
        announce_release(at, cookie, handle);
    else
        bpf_map_delete_elem(&told, &handle);
    return 0;
}
