// Endpoints: sockets that peers can reach, their owners, and what is decided of the sockets themselves.
#pragma once

#include "ask.bpf.h"
#include "binding.bpf.h"

// An endpoint that is being judged at bind() or listen().
struct endpoint {
    struct encounter with;
    struct judgement judgement;
};

// By the socket's cookie; deleted before the hook ends. Full: the call is refused.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 4096);
    __type(key, uint64_t);
    __type(value, struct endpoint);
} endpoints SEC(".maps") __weak;

// The hooks at bind() do not show these to a program.
static __always_inline void owner_set_socket(struct wall_flow_facts *owner, struct sock *kernel)
{
    owner->netns_cookie = BPF_CORE_READ(kernel, __sk_common.skc_net.net, net_cookie);
    owner->family = (uint8_t)BPF_CORE_READ(kernel, __sk_common.skc_family);
    owner->protocol = (uint8_t)BPF_CORE_READ(kernel, sk_protocol);
    owner->bound_interface = (uint32_t)BPF_CORE_READ(kernel, __sk_common.skc_bound_dev_if);
    owner->mark = BPF_CORE_READ(kernel, sk_mark);
}

// Who runs now, as the log and the tables know it.
static __always_inline bool owner_identify(struct wall_state *at, struct wall_flow_facts *owner)
{
    struct executable executable = { 0 };
    owner->apps_known = *(volatile uint32_t *)&at->apps_known;
    owner_read(owner);
    if (!executable_find(&executable))
        return false;
    owner->app = executable.app;
    owner->executable_id = executable.id;
    return true;
}

// Notes the current task as the owner of a socket. Returns 0 when there is no place.
static __noinline int owner_note(struct wall_state *at, struct sock *kernel, uint64_t cookie)
{
    struct wall_flow_facts *empty = facts_blank();
    bpf_map_delete_elem(&owners, &cookie);
    if (!at || !empty || bpf_map_update_elem(&owners, &cookie, empty, BPF_NOEXIST))
        return 0;
    struct wall_flow_facts *owner = bpf_map_lookup_elem(&owners, &cookie);
    if (!owner)
        return 0;
    owner->socket_cookie = cookie;
    owner_set_socket(owner, kernel);
    if (!owner_identify(at, owner)) {
        bpf_map_delete_elem(&owners, &cookie);
        return 0;
    }
    owner->time_ns = bpf_ktime_get_boot_ns();  // last: an owner without it is not complete
    return 1;
}

static __always_inline struct wall_flow_facts *owner_find(uint64_t cookie)
{
    struct wall_flow_facts *owner = bpf_map_lookup_elem(&owners, &cookie);
    return owner && *(volatile uint64_t *)&owner->time_ns ? owner : NULL;
}

// New facts with everything that is known of the owner. Returns NULL when `facts` is full.
static __always_inline struct wall_flow_facts *facts_of_owner(const struct wall_flow_facts *owner, uint64_t flow_id)
{
    if (bpf_map_update_elem(&facts, &flow_id, owner, BPF_NOEXIST))
        return NULL;
    struct wall_flow_facts *of = bpf_map_lookup_elem(&facts, &flow_id);
    if (of) {
        of->flow_id = flow_id;
        of->time_ns = bpf_ktime_get_boot_ns();
    }
    return of;
}

// Tells user space of a flow without a packet. Returns false when the ring is full.
static __always_inline bool announce(struct wall_state *at, enum wall_record_kind kind, uint64_t cookie,
                                     uint64_t flow_id)
{
    struct wall_record *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count(WALL_COUNTER_RING_FULL);
        return false;
    }
    *record = (struct wall_record){ .kind = kind, .flow_id = flow_id, .socket_cookie = cookie };
    bpf_ringbuf_submit(record, 0);
    return true;
}

// Puts a socket itself into the table of flows: undecided, or blocked and to be destroyed. Until user space has
// answered, the hooks at its packets refuse them. Returns 0 when there is no place.
static __noinline int endpoint_stop(struct wall_state *at, uint64_t cookie, const struct remote *local,
                                    uint32_t layer, enum wall_flow_state to)
{
    struct wall_flow_facts *owner = owner_find(cookie);
    if (!at || !local || !owner)
        return 0;
    uint64_t flow_id = flow_id_next(at);
    struct wall_flow_facts *of = facts_of_owner(owner, flow_id);
    if (!of)
        return 0;
    struct wall_flow_key key;
    endpoint_key(&key, cookie, layer < WALL_LAYER_ASSIGNMENT_V4 ? WALL_FLOW_LISTENER : WALL_FLOW_BINDING);
    of->key = key;
    of->layer = (uint8_t)layer;
    facts_set_local(of, local, 0);
    struct wall_flow_entry entry = {
        .flow_id = flow_id,
        .generation = WALL_POLICY_GENERATION(policy_read(at)),
        .last_used_ns = of->time_ns,
        .state = to,
    };
    if (bpf_map_update_elem(&flows, &key, &entry, BPF_ANY)) {
        bpf_map_delete_elem(&facts, &flow_id);
        return 0;
    }
    // Without a place in the ring: what is held is found by user space when it looks through the table, and nothing of
    // what is blocked passes anyway.
    announce(at, to == WALL_FLOW_HELD ? WALL_RECORD_HELD : WALL_RECORD_CUT, cookie, flow_id);
    return 1;
}

// Begins to judge a socket. Returns 0, or -1 when there is no place.
static __noinline int endpoint_enter(uint64_t cookie, const struct remote *local, uint32_t protocol, uint32_t layer)
{
    struct endpoint endpoint = {
        .with = { .protocol = (uint8_t)protocol, .is_listening = 1 },
        .judgement = { .layer = layer },
    };
    if (!local)
        return -1;
    endpoint.with.local = *local;
    return bpf_map_update_elem(&endpoints, &cookie, &endpoint, BPF_ANY) ? -1 : 0;
}

// Judges it, its owner having been noted, and ends. Returns an enum wall_verdict, or -1: refuse it.
static __always_inline int endpoint_judge(struct wall_state *at, uint64_t cookie)
{
    struct wall_flow_facts *owner = owner_find(cookie);
    struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &cookie);
    int verdict = owner && endpoint ? judge_owner(at, owner, &endpoint->with, &endpoint->judgement) : -1;
    bpf_map_delete_elem(&endpoints, &cookie);
    return verdict;
}
