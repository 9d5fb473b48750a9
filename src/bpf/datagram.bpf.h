// Datagram sockets at connect() and sendto(): a flow is a socket and a remote end. It is held when its first packet
// leaves; the calls only refuse what is already known to be blocked, and mark sockets whose packets must be looked at.
#pragma once

#include "binding.bpf.h"
#include "call.bpf.h"

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
static __noinline int known_state(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4)
{
    struct remote remote;
    struct wall_flow_key key;
    if (!at)
        return 0;
    remote_of_call(call, is_ipv4, &remote);
    datagram_key(&key, bpf_get_socket_cookie(call), &remote);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    if (!entry)
        return 0;
    if (entry->state != WALL_FLOW_HELD && !is_fresh(at, entry, policy_read(at), bpf_ktime_get_boot_ns()))
        return 0;
    return (int)entry->state;
}

// Notes where this call sends to, and whether it was permitted. `is_send`: by this thread, with this one packet.
static __noinline int mark_record(struct bpf_sock_addr *call, struct socket_mark *mark,
                                  const struct judgement *judgement, bool is_permitted, bool is_ipv4, bool is_send)
{
    struct remote remote;
    if (!mark || !judgement)
        return 0;
    remote_of_call(call, is_ipv4, &remote);
    uint32_t sender = thread_of(bpf_get_current_task_btf());
    bpf_spin_lock(&mark->lock);
    if (is_send)
        mark->sender = sender;
    __builtin_memcpy(mark->address, remote.address, sizeof(mark->address));
    mark->port = remote.port;
    mark->permitted = is_permitted;
    mark->generation = judgement->generation;
    bpf_spin_unlock(&mark->lock);
    return 0;
}

// Whether the tables in force permitted the call that sends to `remote`.
static __noinline int is_permitted(struct wall_state *at, struct socket_mark *mark, const struct remote *remote)
{
    struct remote recorded = { 0 };
    if (!at || !mark || !remote)
        return 0;
    bpf_spin_lock(&mark->lock);
    __builtin_memcpy(recorded.address, mark->address, sizeof(recorded.address));
    bool permitted = mark->permitted && mark->port == remote->port;
    uint32_t generation = mark->generation;
    bpf_spin_unlock(&mark->lock);
    return permitted && same_address(remote, recorded.address) &&
           generation == (uint32_t)WALL_POLICY_GENERATION(policy_read(at));
}

// Whether a callout may have to say where the socket sends from: one without bind(), with its first call.
static __noinline int is_unbound(struct bpf_sock_addr *call, struct wall_state *at, uint32_t layer)
{
    struct bpf_sock *socket = call->sk;
    return at && socket && policy_mode(at, layer) != WALL_MODE_PERMIT &&
           !bpf_sk_storage_get(&bindings, socket, NULL, 0);
}

static __noinline int begin_unbound(struct bpf_sock_addr *call, enum binding_state state)
{
    struct wall_state *at = state_get();
    struct bpf_sock *socket = call->sk;
    return at && socket && binding_begin(at, socket, bpf_get_socket_cookie(call), state);
}

// Returns an enum wall_verdict, or -1: refuse it.
static __always_inline int ask_binding(struct bpf_sock_addr *call, struct wall_state *at, struct judgement *judgement,
                                       bool is_ipv4)
{
    uint32_t layer = WALL_LAYER_BIND_REDIRECT_V4 + (judgement->layer & 1);
    if (!is_unbound(call, at, layer))
        return WALL_VERDICT_PERMIT;
    int verdict = judge_redirect(call, at, judgement, layer, is_ipv4);
    if (verdict == WALL_VERDICT_PERMIT)
        return begin_unbound(call, BINDING_SETTLED) ? verdict : -1;
    if (verdict == WALL_VERDICT_HOLD)
        return begin_unbound(call, BINDING_IMPLICIT) ? verdict : -1;
    return verdict;
}

static __always_inline int authorize_datagram(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4,
                                              bool is_send)
{
    struct judgement judgement = { .layer = call_layer(call) };
    struct bpf_sock *socket = call->sk;
    if (!socket)
        return refuse_full();
    struct socket_mark *mark = may_hold(at) ? bpf_sk_storage_get(&marks, socket, NULL, 0) : NULL;
    int verdict = ask_binding(call, at, &judgement, is_ipv4);
    int known = mark ? known_state(call, at, is_ipv4) : 0;
    if (known == WALL_FLOW_BLOCKED) {
        count(WALL_COUNTER_BLOCKED);
        return refuse(EACCES);
    }
    if (verdict == WALL_VERDICT_PERMIT && !known)
        verdict = judge_destination(call, at, &judgement, is_ipv4);
    if (verdict < 0)
        return refuse_full();
    if (verdict == WALL_VERDICT_BLOCK)
        return refuse(EACCES);
    if (!mark && verdict == WALL_VERDICT_HOLD) {
        mark = bpf_sk_storage_get(&marks, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (!mark)
            return refuse_full();
    }
    if (mark)
        mark_record(call, mark, &judgement, !known && verdict == WALL_VERDICT_PERMIT, is_ipv4, is_send);
    return CALL_ALLOWED;
}
