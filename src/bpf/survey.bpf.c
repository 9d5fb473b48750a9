// A look at all sockets that tasks have open, in the cgroup the other programs are attached to: to learn the owners of
// those that were there before the hooks, and to judge live flows again after the policy has changed. It costs nothing
// until it is run, and leaves alone what is permitted.
#include "conversation.bpf.h"

struct seq_file;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct bpf_iter_meta {
    struct seq_file *seq;
    uint64_t session_id;
};

struct bpf_iter__task_file {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
    uint32_t fd;
    struct file *file;
};
#pragma clang attribute pop

#define STATE_TIME_WAIT 6
#define REASON_POLICY_CHANGE 1  // FWP_CONDITION_REAUTHORIZE_REASON_POLICY_CHANGE

// What is being looked at: too much for the stack. One survey runs at a time, and user space runs it.
struct found {
    uint64_t cookie;
    uint64_t session;  // of the survey that filled in `owner`
    struct judgement judgement;
    struct encounter with;
    uint8_t type, state, family, is_inbound;
    struct remote named;  // where the program wanted to go
    struct wall_flow_facts owner;  // of the task
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct found);
} found_room SEC(".maps");

struct scope_walk {
    struct cgroup *cgroup;
    uint64_t id;
    bool is_inside;
};

static long scope_step(uint32_t level, void *context)
{
    struct scope_walk *walk = context;
    struct cgroup *above = NULL;
    uint64_t at = (uint64_t)walk->cgroup + bpf_core_field_offset(struct cgroup, ancestors) + 8ull * level;
    bpf_probe_read_kernel(&above, sizeof(above), (void *)at);
    walk->is_inside = above && BPF_CORE_READ(above, kn, id) == walk->id;
    return walk->is_inside;
}

// Whether the socket is one of those the programs see.
static __noinline int is_in_scope(struct sock *sk, uint64_t scope)
{
    struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;
    struct scope_walk walk = { .cgroup = cgroup, .id = scope };
    int level = cgroup ? cgroup->level : -1;
    if (level < 0)
        return false;
    bpf_loop((uint32_t)level + 1, scope_step, &walk, 0);
    return walk.is_inside;
}

static __noinline int read_ends(struct found *found, struct sock *sk)
{
    if (!found)
        return 0;
    found->with = (struct encounter){ .protocol = (uint8_t)sk->sk_protocol };
    if (found->family == AF_INET) {
        remote_set4(&found->with.local, sk->__sk_common.skc_rcv_saddr);
        remote_set4(&found->with.remote, sk->__sk_common.skc_daddr);
    } else {
        BPF_CORE_READ_INTO(&found->with.local.address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
        BPF_CORE_READ_INTO(&found->with.remote.address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
    }
    found->with.local.port = sk->__sk_common.skc_num;
    found->with.remote.port = bpf_ntohs(sk->__sk_common.skc_dport);
    return 0;
}

// The owner: the program of the task that has the socket open. Found out once for a task.
static __noinline int read_owner(struct found *found, struct task_struct *task, uint64_t session)
{
    struct wall_state *at = state_get();
    struct wall_flow_facts *owner = &found->owner;
    uint32_t zero = 0;
    struct wall_flow_facts *empty = bpf_map_lookup_elem(&blank, &zero);
    if (!at || !empty)
        return 0;
    if (found->session == session && owner->thread_id == (uint32_t)BPF_CORE_READ(task, pid))
        return 1;
    bpf_probe_read_kernel(owner, sizeof(*owner), empty);
    owner->apps_known = *(volatile uint32_t *)&at->apps_known;
    owner_read_task(owner, task);
    owner->app = app_of_path(at, owner);
    owner->executable_id = __sync_fetch_and_add(&at->last_executable_id, 1) + 1;
    found->session = session;
    log_executable(at, owner, owner->executable_id);
    return 1;
}

// What differs from one socket of the owner to the next.
static __noinline int read_socket(struct found *found, struct sock *sk)
{
    struct wall_flow_facts *owner = &found->owner;
    owner->socket_cookie = found->cookie;
    owner->time_ns = bpf_ktime_get_boot_ns();
    owner_set_socket(owner, sk);
    return 0;
}

// Whether the connection is held already; an older decision that no packet has used up goes.
static __noinline int is_held(struct socket_mark *mark)
{
    struct wall_flow_key key;
    uint64_t earlier = mark->flow_id;
    if (!earlier)
        return false;
    stream_key(&key, earlier);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    if (entry && entry->state != WALL_FLOW_PERMITTED)
        return true;
    bpf_map_delete_elem(&flows, &key);
    return false;
}

// A flow that waits for user space, which decides it by the policy that is then in force.
static __noinline int is_undecided(struct found *found, struct sock *sk)
{
    struct wall_flow_key key;
    if (found->type == SOCK_STREAM && found->state == SOCKET_LISTENING)
        return endpoint_state(found->cookie, WALL_FLOW_LISTENER) == WALL_FLOW_HELD;
    struct socket_mark *mark = bpf_sk_storage_get(&marks, sk, NULL, 0);
    if (!mark)
        return false;
    if (found->type == SOCK_STREAM)
        return is_held(mark);
    datagram_key(&key, found->cookie, &found->with.remote);
    struct wall_flow_entry *entry = bpf_map_lookup_elem(&flows, &key);
    return entry && entry->state == WALL_FLOW_HELD;
}

// A flow that user space must decide about again: until then its packets are kept back.
static __noinline int hold_again(struct wall_state *at, struct found *found, struct socket_mark *mark)
{
    struct wall_flow_key key;
    uint64_t flow_id = flow_id_next(at);
    if (mark)
        stream_key(&key, flow_id);
    else
        endpoint_key(&key, found->cookie, WALL_FLOW_LISTENER);
    struct wall_flow_facts *of = facts_of_owner(&found->owner, flow_id);
    if (!of)
        return 0;
    of->key = key;
    of->layer = (uint8_t)found->judgement.layer;
    of->reauthorize_reason = REASON_POLICY_CHANGE;
    of->inbound = found->is_inbound;
    facts_set_remote(of, &found->with.remote);
    facts_set_local(of, &found->with.local, of->bound_interface);
    if (flow_insert(&key, flow_id, WALL_POLICY_GENERATION(policy_read(at)), of->time_ns)) {
        bpf_map_delete_elem(&facts, &flow_id);
        return 0;
    }
    if (mark)
        mark->flow_id = flow_id;
    count(WALL_COUNTER_SEEN);
    announce(at, WALL_RECORD_HELD, found->cookie, flow_id);
    return 1;
}

static __noinline int report_blocked(struct bpf_iter__task_file *context, struct found *found)
{
    struct wall_flow_facts *owner = &found->owner;
    struct wall_survey_socket blocked = {
        .cookie = found->cookie,
        .netns_cookie = owner->netns_cookie,
        .process_id = owner->process_id,
        .thread_id = owner->thread_id,
        .bound_interface = owner->bound_interface,
        .local_port = found->with.local.port,
        .remote_port = found->with.remote.port,
        .family = found->family,
        .protocol = found->with.protocol,
    };
    __builtin_memcpy(blocked.local_address, found->with.local.address, sizeof(blocked.local_address));
    __builtin_memcpy(blocked.remote_address, found->with.remote.address, sizeof(blocked.remote_address));
    struct bpf_iter_meta *meta = context->meta;
    bpf_seq_write(meta->seq, &blocked, sizeof(blocked));
    return 0;
}

// The layer at which the socket's flow was authorized. Returns false when it has none to judge.
static __noinline int choose_layer(struct found *found, struct sock *sk)
{
    bool is_v6 = found->family == AF_INET6;
    found->is_inbound = 0;
    found->judgement.layer = WALL_LAYER_CONNECT_V4 + is_v6;
    if (found->type != SOCK_STREAM || found->with.protocol != IPPROTO_TCP)
        // What other datagram sockets send and get is judged packet by packet.
        return is_udp(found->with.protocol) && found->state == SOCKET_CONNECTED;
    if (found->state == SOCKET_CLOSED || found->state == STATE_TIME_WAIT)
        return false;
    // A connection keeps the length of the queue of the listening socket it came from.
    if (found->state == SOCKET_LISTENING) {
        found->with.is_listening = 1;
        found->judgement.layer = WALL_LAYER_LISTEN_V4 + is_v6;
    } else if (sk->sk_max_ack_backlog) {
        found->is_inbound = 1;
        found->judgement.layer = WALL_LAYER_ACCEPT_V4 + !is_mapped(found->with.remote.words);
    }
    return true;
}

// A redirected connection is judged by where it goes.
static __noinline int follow_redirect(struct found *found)
{
    struct wall_translation_key key = {
        .netns_cookie = found->owner.netns_cookie,
        .ends = { .source_port = found->with.local.port, .destination_port = found->with.remote.port },
        .protocol = found->with.protocol,
    };
    __builtin_memcpy(key.ends.source, found->with.local.address, 16);
    __builtin_memcpy(key.ends.destination, found->with.remote.address, 16);
    const struct wall_translation *translation = bpf_map_lookup_elem(&redirects, &key);
    if (!translation || translation->socket_cookie != found->cookie)
        return 0;
    __builtin_memcpy(found->with.remote.address, translation->address, 16);
    found->with.remote.port = translation->ends.destination_port;
    return 1;
}

// Returns an enum wall_verdict; what cannot be judged is blocked.
static __noinline int judge_again(struct wall_state *at, struct found *found)
{
    if (policy_mode(at, found->judgement.layer) == WALL_MODE_PERMIT)
        return WALL_VERDICT_PERMIT;
    found->named = found->with.remote;
    follow_redirect(found);
    int verdict = ask_of_owner(&found->owner, &found->with, &found->judgement);
    found->with.remote = found->named;
    if (verdict == WALL_VERDICT_PERMIT)
        return verdict;
    if (verdict == WALL_VERDICT_HOLD && may_hold(at))
        return verdict;
    if (verdict != WALL_VERDICT_BLOCK)
        count(WALL_COUNTER_FAIL_CLOSED);
    log_of_owner(&found->owner, &found->with, &found->judgement, WALL_VERDICT_BLOCK);
    return WALL_VERDICT_BLOCK;
}

static __noinline int learn_owner(struct found *found)
{
    // Known already, or full: then what peers send is refused.
    bpf_map_update_elem(&owners, &found->cookie, &found->owner, BPF_NOEXIST);
    return 0;
}

SEC("iter/task_file")
int survey_sockets(struct bpf_iter__task_file *context)
{
    uint32_t zero = 0;
    struct file *file = context->file;
    struct task_struct *task = context->task;
    if (!file || !task)
        return 0;
    struct socket *socket = bpf_sock_from_file(file);
    struct wall_state *at = state_get();
    struct found *found = bpf_map_lookup_elem(&found_room, &zero);
    if (!socket || !at || !found)
        return 0;
    struct sock *sk = socket->sk;
    if (!sk)
        return 0;
    found->family = (uint8_t)sk->__sk_common.skc_family;
    if ((found->family != AF_INET && found->family != AF_INET6) || !is_in_scope(sk, at->scope_cgroup))
        return 0;
    found->type = (uint8_t)sk->sk_type;
    found->state = sk->__sk_common.skc_state;
    found->cookie = bpf_get_socket_cookie(sk);
    read_ends(found, sk);
    struct bpf_iter_meta *meta = context->meta;
    if (!read_owner(found, task, meta->session_id))
        return 0;
    read_socket(found, sk);
    if (at->survey & WALL_SURVEY_OWNERS && (found->type != SOCK_STREAM || found->state == SOCKET_LISTENING))
        learn_owner(found);
    if (!(at->survey & WALL_SURVEY_FLOWS) || !choose_layer(found, sk))
        return 0;
    if (is_undecided(found, sk))
        return 0;
    int verdict = judge_again(at, found);
    if (verdict == WALL_VERDICT_PERMIT)
        return 0;
    if (verdict == WALL_VERDICT_BLOCK)
        return report_blocked(context, found);
    struct socket_mark *mark = NULL;
    if (found->state != SOCKET_LISTENING) {
        mark = bpf_sk_storage_get(&marks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        // What a connected datagram socket sends next is looked at.
        if (mark && (found->type != SOCK_STREAM || is_held(mark)))
            return 0;
    }
    if ((!mark && found->state != SOCKET_LISTENING) || !hold_again(at, found, mark)) {
        count(WALL_COUNTER_FAIL_CLOSED);
        report_blocked(context, found);
    }
    return 0;
}
