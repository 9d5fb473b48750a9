// Conversations: datagram flows that the kernel has permitted by itself, begun here or by a peer. The first packet
// decides for both directions, as WFP has it.
#pragma once

#include "datagram.bpf.h"
#include "established.bpf.h"

// Not written more often than this: packets of one flow may be handled by several CPUs.
#define CONVERSATION_TOUCH_NS 1000000000ull

static __always_inline void conversation_key(struct wall_flow_key *ret_key, uint64_t cookie,
                                             const struct remote *remote, uint8_t protocol)
{
    *ret_key = (struct wall_flow_key){ .number = cookie, .kind = WALL_FLOW_DATAGRAM, .protocol = protocol };
    __builtin_memcpy(ret_key->address, remote->address, sizeof(ret_key->address));
    if (is_udp(protocol))
        ret_key->port = remote->port;
}

// Tells of a conversation that begins. Returns its handle, or 0 when nobody hears of it.
static __always_inline uint64_t conversation_tell(struct wall_state *at, const struct wall_flow_key *key,
                                                  const struct encounter *ends, bool is_inbound, uint64_t handle)
{
    if (!handle)
        handle = flow_id_next(at);
    struct wall_flow_facts *of = told_new(at, owner_find(key->number), handle);
    if (!of)
        return 0;
    of->key = *key;
    of->inbound = is_inbound;
    of->irql = 2;  // DISPATCH_LEVEL
    of->family = is_mapped(ends->remote.words) ? AF_INET : AF_INET6;
    of->protocol = ends->protocol;
    of->layer = WALL_LAYER_ESTABLISHED_V4 + (of->family == AF_INET6);
    facts_set_remote(of, &ends->remote);
    facts_set_local(of, &ends->local, 0);
    return tell(at, key->number, handle) ? handle : 0;
}

// A conversation that is permitted begins, or is permitted again. `handle`: what it was held by; 0: it was not.
static __noinline int conversation_begin(struct wall_state *at, uint64_t cookie, const struct encounter *ends,
                                         bool is_inbound, uint64_t handle)
{
    struct wall_flow_key key;
    struct wall_conversation conversation = {
        .generation = WALL_POLICY_GENERATION(policy_read(at)),
        .last_used_ns = bpf_ktime_get_boot_ns(),
    };
    conversation_key(&key, cookie, &ends->remote, ends->protocol);
    struct wall_conversation *earlier = is_inbound ? bpf_map_lookup_elem(&heard, &key)
                                                    : bpf_map_lookup_elem(&spoken, &key);
    if (earlier && earlier->handle)
        conversation.handle = earlier->handle;
    else if (is_telling(at))
        conversation.handle = conversation_tell(at, &key, ends, is_inbound, handle);
    if (is_inbound)
        bpf_map_update_elem(&heard, &key, &conversation, BPF_ANY);
    else
        bpf_map_update_elem(&spoken, &key, &conversation, BPF_ANY);
    return 0;
}

enum conversation_state { CONVERSATION_NONE, CONVERSATION_GOES_ON, CONVERSATION_ABORTED };

static __always_inline enum conversation_state conversation_use(struct wall_conversation *found, struct wall_state *at)
{
    if (found->is_aborted)
        return CONVERSATION_ABORTED;
    if (found->generation != WALL_POLICY_GENERATION(policy_read(at)))
        return CONVERSATION_NONE;
    uint64_t now = bpf_ktime_get_boot_ns();
    int64_t idle = (int64_t)(now - found->last_used_ns);  // signed: another CPU's clock may be ahead
    if (idle >= (int64_t)at->idle_ns)
        return CONVERSATION_NONE;
    if (idle > (int64_t)CONVERSATION_TOUCH_NS || at->idle_ns < 2 * CONVERSATION_TOUCH_NS)
        found->last_used_ns = now;
    return CONVERSATION_GOES_ON;
}

// Whether a packet belongs to a conversation that is permitted and not idle.
static __noinline int conversation_find(struct wall_state *at, uint64_t cookie, const struct remote *remote,
                                        uint8_t protocol)
{
    struct wall_flow_key key;
    conversation_key(&key, cookie, remote, protocol);
    struct wall_conversation *found = bpf_map_lookup_elem(&spoken, &key);
    enum conversation_state state = found ? conversation_use(found, at) : CONVERSATION_NONE;
    if (state != CONVERSATION_NONE)
        return state;
    found = bpf_map_lookup_elem(&heard, &key);
    return found ? conversation_use(found, at) : CONVERSATION_NONE;
}

// Whether a connection is held or blocked by a reauthorization.
static __noinline int is_stream_stopped(uint64_t flow_id)
{
    struct wall_flow_key key;
    stream_key(&key, flow_id);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    return entry && entry->state != WALL_FLOW_PERMITTED;
}

static __always_inline bool stream_stops(struct bpf_sock *socket)
{
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    if (!mark || !mark->flow_id)
        return false;
    return is_stream_stopped(mark->flow_id);
}
