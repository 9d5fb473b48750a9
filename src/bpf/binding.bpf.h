// What is decided of sockets themselves, and what became of their bindings.
#pragma once

#include "hold.bpf.h"

static __always_inline void endpoint_key(struct wall_flow_key *ret_key, uint64_t cookie, enum wall_flow_kind kind)
{
    *ret_key = (struct wall_flow_key){ .number = cookie, .kind = (uint8_t)kind };
}

// What is decided of the socket itself. Returns 0 when nothing stands against it.
static __noinline uint32_t endpoint_state(uint64_t cookie, enum wall_flow_kind kind)
{
    struct wall_flow_key key;
    endpoint_key(&key, cookie, kind);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    return entry && entry->state != WALL_FLOW_PERMITTED ? entry->state : 0;
}

// What has become of it meanwhile. Returns an enum binding_state.
static __noinline uint32_t binding_settle(struct binding_mark *mark, uint64_t cookie)
{
    if (!mark)
        return BINDING_SETTLED;
    uint32_t held = mark->state == BINDING_UNDECIDED ? endpoint_state(cookie, WALL_FLOW_BINDING) : 0;
    if (held)
        return held == WALL_FLOW_HELD ? BINDING_UNDECIDED : BINDING_REFUSED;
    const struct wall_rebinding *to = bpf_map_lookup_elem(&rebound, &cookie);
    if (mark->state == BINDING_IMPLICIT && !to)
        return BINDING_IMPLICIT;
    mark->state = to && to->is_changed ? BINDING_CHANGED : BINDING_SETTLED;
    return (uint32_t)mark->state;
}

// Sockets are asked only once any of them has a mark: most machines have no callout that changes bindings.
static __always_inline bool bindings_begun(struct wall_state *at)
{
    return *(volatile uint32_t *)&at->bindings_begun;
}

static __always_inline uint32_t binding_state(struct bpf_sock *socket, uint64_t cookie)
{
    struct binding_mark *mark = bpf_sk_storage_get(&bindings, socket, NULL, 0);
    if (!mark || mark->state == BINDING_SETTLED)
        return BINDING_SETTLED;
    return mark->state == BINDING_CHANGED ? BINDING_CHANGED : binding_settle(mark, cookie);
}

static __always_inline bool binding_begin(struct wall_state *at, struct bpf_sock *socket, uint64_t cookie,
                                          enum binding_state state)
{
    if (!bindings_begun(at))
        __sync_lock_test_and_set(&at->bindings_begun, 1);
    struct binding_mark *mark = bpf_sk_storage_get(&bindings, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
    if (!mark)
        return false;
    mark->cookie = cookie;
    mark->state = state;
    return true;
}
