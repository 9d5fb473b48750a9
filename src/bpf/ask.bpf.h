// Asks the tables about a flow whose owner was noted earlier: incoming packets, sockets that listen or are bound, and
// all that is judged again.
#pragma once

#include "decide.bpf.h"

// The owner's app, looked up again when there are app ids that were not known before.
static __noinline uint32_t owner_app(struct wall_flow_facts *owner)
{
    struct wall_state *at = state_get();
    if (!at || !owner)
        return WALL_APP_OTHER;
    uint32_t known = *(volatile uint32_t *)&at->apps_known;
    if (owner->app == WALL_APP_OTHER && owner->apps_known != known) {
        owner->app = app_of_path(at, owner);
        owner->apps_known = known;
    }
    return owner->app;
}

static __noinline int question_of_owner(struct wall_question *question, const struct wall_flow_facts *owner,
                                        const struct encounter *with, bool is_v6)
{
    if (!question || !owner || !with)
        return 0;
    if (!with->is_listening)
        question_set_remote(question, &with->remote, is_v6);
    question_set_local(question, &with->local, is_v6);
    question->user = owner->user_id;
    question->cgroup = owner->cgroup_id;
    question->protocol = with->protocol;
    question->interface_index = with->interface_index;
    question->local_port = with->local.port;  // an echo reply has type 0
    question->known |= 1 << WALL_DIMENSION_APP | 1 << WALL_DIMENSION_USER | 1 << WALL_DIMENSION_CGROUP |
                       1 << WALL_DIMENSION_PROTOCOL | 1 << WALL_DIMENSION_LOCAL_PORT;
    if (with->interface_index)
        question->known |= 1 << WALL_DIMENSION_INTERFACE;
    if (with->is_listening) {
        question->flags_known = ~0u;
        question->known |= 1 << WALL_DIMENSION_FLAGS;
    }
    return 1;
}

// Returns an enum wall_verdict, or -1: something is broken, refuse it.
VERIFIED_ALONE int ask_of_owner(struct wall_flow_facts *owner, const struct encounter *with,
                                struct judgement *judgement)
{
    struct wall_evaluation evaluation = { .question = { 0 } };
    struct wall_state *at = state_get();
    if (!at || !owner || !with || !judgement)
        return -1;
    if (policy_mode(at, judgement->layer) == WALL_MODE_PERMIT)
        return WALL_VERDICT_PERMIT;
    evaluation.question.app = owner_app(owner);
    question_of_owner(&evaluation.question, owner, with, judgement->layer & 1);
    return question_ask(at, &evaluation, judgement);
}

static __always_inline bool denial_of_owner(const struct wall_flow_facts *owner, const struct encounter *with,
                                            const struct judgement *judgement, uint64_t now, uint64_t *ret_repeats)
{
    struct wall_denial_key key = {
        .executable_id = owner->executable_id,
        .filter_id = judgement->filter_id,
        .remote_port = with->remote.port,
        .layer = (uint8_t)judgement->layer,
        .protocol = with->protocol,
        .process_id = owner->process_id,
    };
    __builtin_memcpy(key.remote_address, with->remote.address, sizeof(key.remote_address));
    // A peer chooses its port, and in a flood its address as well: one of a network is told.
    bool is_begun_by_peer = judgement->layer == WALL_LAYER_ACCEPT_V4 || judgement->layer == WALL_LAYER_ACCEPT_V6;
    if (is_begun_by_peer) {
        key.remote_port = with->local.port;
        key.remote_address[15] = 0;
        if (judgement->layer == WALL_LAYER_ACCEPT_V6)
            __builtin_memset(key.remote_address + 8, 0, 7);
    }
    return denial_note(&key, (uint64_t)owner->group_id << 32 | owner->user_id, now, ret_repeats);
}

// Tells a decision about it, when it is to be told.
VERIFIED_ALONE int log_of_owner(const struct wall_flow_facts *owner, const struct encounter *with,
                                const struct judgement *judgement, uint32_t verdict)
{
    struct wall_state *at = state_get();
    if (!at || !owner || !with || !judgement)
        return 0;
    uint64_t repeats = 0, now = bpf_ktime_get_ns();
    bool is_told = verdict == WALL_VERDICT_BLOCK ? denial_of_owner(owner, with, judgement, now, &repeats)
                                                 : at->log_permits;
    if (!is_told)
        return 0;
    struct wall_log_decision *decision = log_reserve_decision();
    if (!decision)
        return 0;
    *decision = (struct wall_log_decision){
        .kind = WALL_LOG_DECISION,
        .layer = (uint8_t)judgement->layer,
        .verdict = (uint8_t)verdict,
        .protocol = with->protocol,
        .irql = 2,
        .filter_id = judgement->filter_id,
        .executable_id = owner->executable_id,
        .time_ns = now,
        .cgroup_id = owner->cgroup_id,
        .repeats = repeats,
        .process_id = owner->process_id,
        .thread_id = owner->thread_id,
        .user_id = owner->user_id,
        .group_id = owner->group_id,
        .local_port = with->local.port,
        .remote_port = with->remote.port,
        .interface_index = with->interface_index,
    };
    __builtin_memcpy(decision->local_address, with->local.address, sizeof(decision->local_address));
    __builtin_memcpy(decision->remote_address, with->remote.address, sizeof(decision->remote_address));
    __builtin_memcpy(decision->process_name, owner->process_name, sizeof(decision->process_name));
    bpf_ringbuf_submit(decision, log_wakeup(at));
    return 0;
}

// Judges it by the layer `judgement->layer`. Returns an enum wall_verdict, or -1: refuse it, something is broken.
static __always_inline int judge_owner(struct wall_state *at, struct wall_flow_facts *owner,
                                       const struct encounter *with, struct judgement *judgement)
{
    int verdict = ask_of_owner(owner, with, judgement);
    if (verdict != WALL_VERDICT_BLOCK && verdict != WALL_VERDICT_PERMIT)
        return verdict;
    count(verdict == WALL_VERDICT_BLOCK ? WALL_COUNTER_BLOCKED : WALL_COUNTER_PERMITTED);
    if (verdict == WALL_VERDICT_BLOCK || at->log_permits)
        log_of_owner(owner, with, judgement, (uint32_t)verdict);
    return verdict;
}
