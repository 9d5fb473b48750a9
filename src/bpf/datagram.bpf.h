// Datagram sockets at connect() and sendto(): a flow is a socket and a remote end. It is held when its first packet
// leaves; the calls only refuse what is already known to be blocked, and mark sockets whose packets must be looked at.
#pragma once

#include "decide.bpf.h"
#include "hold.bpf.h"

static __always_inline void datagram_key(struct wall_flow_key *ret_key, uint64_t cookie, const struct remote *remote)
{
    *ret_key = (struct wall_flow_key){ .number = cookie, .port = remote->port, .kind = WALL_FLOW_DATAGRAM };
    __builtin_memcpy(ret_key->address, remote->address, sizeof(ret_key->address));
}

// True while a decision still counts: made under the present policy, and not idle for too long. WFP judges a flow anew
// after either.
static __always_inline bool is_fresh(struct wall_state *at, const struct wall_flow_entry *entry, uint64_t policy,
                                     uint64_t now)
{
    // Signed: another CPU may have written a later time than this one has read.
    return entry->generation == WALL_POLICY_GENERATION(policy) &&
           (int64_t)(now - entry->last_used_ns) < (int64_t)at->idle_ns;
}

// What is decided of this flow already. Returns 0 when nothing is.
static __always_inline uint32_t known_state(struct wall_state *at, const struct flow_question *question,
                                            uint64_t cookie)
{
    struct wall_flow_key key;
    datagram_key(&key, cookie, &question->remote);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    if (!entry)
        return 0;
    if (entry->state != WALL_FLOW_HELD && !is_fresh(at, entry, question->policy, bpf_ktime_get_boot_ns()))
        return 0;
    return entry->state;
}

// Notes where this thread sends to.
static __always_inline void mark_record(struct socket_mark *mark, const struct remote *remote)
{
    uint32_t sender = current_thread();
    bpf_spin_lock(&mark->lock);
    mark->sender = sender;
    __builtin_memcpy(mark->address, remote->address, sizeof(mark->address));
    mark->port = remote->port;
    bpf_spin_unlock(&mark->lock);
}

static __always_inline int authorize_datagram(struct bpf_sock_addr *call, struct wall_state *at,
                                              const struct flow_question *question, bool is_send)
{
    struct bpf_sock *socket = call->sk;
    if (!socket)
        return refuse_full(at);
    struct socket_mark *mark = bpf_sk_storage_get(&marks, socket, NULL, 0);
    uint32_t known = mark ? known_state(at, question, bpf_get_socket_cookie(call)) : 0;
    enum wall_layer_mode decision = WALL_MODE_HOLD;
    if (!known)
        decision = decide(question);
    if (known == WALL_FLOW_BLOCKED || decision == WALL_MODE_BLOCK) {
        count(at, WALL_COUNTER_BLOCKED);
        return refuse(EACCES);
    }
    if (!mark && decision == WALL_MODE_HOLD) {
        mark = bpf_sk_storage_get(&marks, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (!mark)
            return refuse_full(at);
    }
    if (mark && is_send)
        mark_record(mark, &question->remote);
    return CALL_ALLOWED;
}
