// Holding a flow: its facts and its entry, written in this order, so that an entry always has complete facts.
#pragma once

#include "address.bpf.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

// In a frame of its own, which is gone when it returns: what calls it has little room.
static __noinline struct wall_flow_facts *facts_blank(void)
{
    uint32_t zero = 0;
    return bpf_map_lookup_elem(&blank, &zero);
}

static __always_inline struct wall_flow_facts *facts_new(uint64_t flow_id)
{
    struct wall_flow_facts *empty = facts_blank();
    if (!empty || bpf_map_update_elem(&facts, &flow_id, empty, BPF_NOEXIST))
        return NULL;
    return bpf_map_lookup_elem(&facts, &flow_id);
}

static __always_inline uint64_t flow_id_next(struct wall_state *at)
{
    return __sync_fetch_and_add(&at->last_flow_id, 1) + 1;
}

static __always_inline void facts_set_remote(struct wall_flow_facts *of, const struct remote *remote)
{
    __builtin_memcpy(of->remote_address, remote->address, sizeof(of->remote_address));
    of->remote_port = remote->port;
}

static __always_inline void facts_set_local(struct wall_flow_facts *of, const struct remote *local,
                                            uint32_t interface_index)
{
    __builtin_memcpy(of->local_address, local->address, sizeof(of->local_address));
    of->local_port = local->port;
    of->interface_index = interface_index;
    of->flags |= WALL_FACTS_LOCAL_KNOWN;
}

static __always_inline void facts_set_socket(struct wall_flow_facts *of, struct bpf_sock *socket)
{
    of->family = (uint8_t)socket->family;
    of->protocol = (uint8_t)socket->protocol;
    of->bound_interface = socket->bound_dev_if;
    of->mark = socket->mark;
}

static __always_inline long flow_insert(const struct wall_flow_key *key, uint64_t flow_id, uint64_t generation,
                                        uint64_t now)
{
    struct wall_flow_entry entry = {
        .flow_id = flow_id,
        .generation = generation,
        .last_used_ns = now,
        .state = WALL_FLOW_HELD,
    };
    return bpf_map_update_elem(&flows, key, &entry, BPF_NOEXIST);
}

static __always_inline void stream_key(struct wall_flow_key *ret_key, uint64_t flow_id)
{
    *ret_key = (struct wall_flow_key){ .number = flow_id, .kind = WALL_FLOW_STREAM };
}

// Forgets a stream flow whose connect() is over.
static __always_inline void stream_forget(uint64_t flow_id)
{
    struct wall_flow_key key;
    stream_key(&key, flow_id);
    bpf_map_delete_elem(&flows, &key);
    bpf_map_delete_elem(&facts, &flow_id);
}

// Tells user space that a socket is closed; the ring being full, leaves word in `releases`.
static __always_inline void announce_release(struct wall_state *at, uint64_t cookie, uint64_t flow_id)
{
    struct wall_record *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);
    if (!record) {
        count(WALL_COUNTER_RING_FULL);
        bpf_map_update_elem(&releases, &cookie, &flow_id, BPF_ANY);
        count(WALL_COUNTER_RELEASES);
        return;
    }
    *record = (struct wall_record){ .kind = WALL_RECORD_RELEASED, .flow_id = flow_id, .socket_cookie = cookie };
    bpf_ringbuf_submit(record, 0);
}
