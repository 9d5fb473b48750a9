// Socket calls: connect() and sendto(), judged before they take effect.
#pragma once

#include "decide.bpf.h"

static __always_inline uint32_t call_layer(struct bpf_sock_addr *call)
{
    return WALL_LAYER_CONNECT_V4 + (call->family == AF_INET6);
}

static __always_inline void question_of_call(struct bpf_sock_addr *call, struct wall_question *question,
                                             const struct judgement *judgement, bool is_ipv4)
{
    bool is_v6 = judgement->layer & 1;
    struct bpf_sock *socket = call->sk;
    struct remote end;
    remote_of_call(call, is_ipv4, &end);
    question_set_remote(question, &end, is_v6);
    if (socket) {
        local_of_socket(socket, &end);
        question_set_local(question, &end, is_v6);
    }
    question_set_owner(question, &judgement->executable, (uint8_t)call->protocol);
}

// In a frame of its own: the evaluator needs the room.
static __noinline int question_of_call_apart(struct bpf_sock_addr *call, struct wall_question *question,
                                             const struct judgement *judgement, bool is_ipv4)
{
    if (question && judgement)
        question_of_call(call, question, judgement, is_ipv4);
    return 0;
}

// Counts what is decided, and tells it when it is to be told. `is_last`: what is permitted now is permitted.
static __always_inline void conclude_call(struct bpf_sock_addr *call, struct wall_state *at,
                                          const struct judgement *judgement, uint32_t verdict, bool is_last,
                                          bool is_ipv4)
{
    if (verdict != WALL_VERDICT_BLOCK && !is_last)
        return;
    count_here(verdict == WALL_VERDICT_BLOCK ? WALL_COUNTER_BLOCKED : WALL_COUNTER_PERMITTED);
    if (verdict != WALL_VERDICT_BLOCK && !at->log_permits)
        return;
    struct bpf_sock *socket = call->sk;
    struct logged logged = {
        .executable_id = judgement->executable.id,
        .filter_id = judgement->filter_id,
        .layer = (uint8_t)judgement->layer,
        .verdict = (uint8_t)verdict,
        .protocol = (uint8_t)call->protocol,
    };
    remote_of_call(call, is_ipv4, &logged.remote);
    if (socket)
        local_of_socket(socket, &logged.local);
    log_decision(at, &logged);
}

// Decides what was asked lately: all of it in one function, as a call costs more than most of what is done here.
// Returns an enum wall_verdict, or -1: it is not known.
static __always_inline int recall_of_call(struct bpf_sock_addr *call, struct judgement *judgement, bool is_last,
                                          bool is_ipv4)
{
    struct wall_question question = { 0 };
    struct wall_state *at = state_get();
    if (!at || !judgement || !executable_near(&judgement->executable))
        return -1;
    question_of_call(call, &question, judgement, is_ipv4);
    int verdict = question_recall(at, &question, judgement);
    if (verdict >= 0)
        conclude_call(call, at, judgement, (uint32_t)verdict, is_last, is_ipv4);
    return verdict;
}

// Asks the tables. Returns an enum wall_verdict, or -1: there are none.
static __always_inline int ask_of_call(struct bpf_sock_addr *call, struct judgement *judgement, bool is_ipv4)
{
    struct wall_evaluation evaluation = { .question = { 0 } };
    if (!judgement)
        return -1;
    question_of_call_apart(call, &evaluation.question, judgement, is_ipv4);
    return question_evaluate(&evaluation, judgement);
}

// The verifier lets each kind of hook read only the addresses of its family.
VERIFIED_ALONE int recall_of_call4(struct bpf_sock_addr *call, struct judgement *judgement, int is_last)
{
    return recall_of_call(call, judgement, is_last, true);
}

VERIFIED_ALONE int recall_of_call6(struct bpf_sock_addr *call, struct judgement *judgement, int is_last)
{
    return recall_of_call(call, judgement, is_last, false);
}

VERIFIED_ALONE int ask_of_call4(struct bpf_sock_addr *call, struct judgement *judgement)
{
    return ask_of_call(call, judgement, true);
}

VERIFIED_ALONE int ask_of_call6(struct bpf_sock_addr *call, struct judgement *judgement)
{
    return ask_of_call(call, judgement, false);
}

VERIFIED_ALONE int conclude_call4(struct bpf_sock_addr *call, const struct judgement *judgement, uint32_t verdict,
                                  int is_last)
{
    struct wall_state *at = state_get();
    if (at && judgement)
        conclude_call(call, at, judgement, verdict, is_last, true);
    return 0;
}

VERIFIED_ALONE int conclude_call6(struct bpf_sock_addr *call, const struct judgement *judgement, uint32_t verdict,
                                  int is_last)
{
    struct wall_state *at = state_get();
    if (at && judgement)
        conclude_call(call, at, judgement, verdict, is_last, false);
    return 0;
}

// Judges a call by the layer `judgement->layer`. `is_last`: what it permits is permitted; else another layer is asked
// after it. Returns an enum wall_verdict, or -1: refuse it, something is full or broken.
static __always_inline int judge_call(struct bpf_sock_addr *call, struct judgement *judgement, bool is_ipv4,
                                      bool is_last)
{
    int verdict = is_ipv4 ? recall_of_call4(call, judgement, is_last) : recall_of_call6(call, judgement, is_last);
    if (verdict >= 0)
        return verdict;
    if (!executable_find(&judgement->executable))
        return -1;
    verdict = is_ipv4 ? ask_of_call4(call, judgement) : ask_of_call6(call, judgement);
    if (verdict == WALL_VERDICT_HOLD) {
        struct wall_state *at = state_get();
        return at && may_hold(at) ? verdict : -1;
    }
    if (verdict == WALL_VERDICT_BLOCK || verdict == WALL_VERDICT_PERMIT)
        is_ipv4 ? conclude_call4(call, judgement, (uint32_t)verdict, is_last)
                : conclude_call6(call, judgement, (uint32_t)verdict, is_last);
    return verdict;
}

// Judges a call by a layer where callouts redirect. `judgement` is lent: a second one has no room on the stack. Blocked
// as well when the callout is gone.
static __always_inline int judge_redirect(struct bpf_sock_addr *call, struct wall_state *at,
                                          struct judgement *judgement, uint32_t layer, bool is_ipv4)
{
    if (policy_mode(at, layer) == WALL_MODE_PERMIT)
        return WALL_VERDICT_PERMIT;
    judgement->layer = layer;
    return judge_call(call, judgement, is_ipv4, false);
}

// Judges where a call goes: a callout that says where has the word before the layer that authorizes, which user space
// asks afterwards. `judgement->layer` becomes the layer the verdict is of. Returns as judge_call().
static __always_inline int judge_destination(struct bpf_sock_addr *call, struct wall_state *at,
                                             struct judgement *judgement, bool is_ipv4)
{
    uint32_t layer = call_layer(call) - WALL_LAYER_CONNECT_V4 + WALL_LAYER_REDIRECT_V4;
    int verdict = judge_redirect(call, at, judgement, layer, is_ipv4);
    if (verdict != WALL_VERDICT_PERMIT)
        return verdict;
    judgement->layer = call_layer(call);
    judgement->filter_id = 0;
    if (policy_mode(at, judgement->layer) == WALL_MODE_PERMIT)
        return WALL_VERDICT_PERMIT;
    return judge_call(call, judgement, is_ipv4, true);
}
