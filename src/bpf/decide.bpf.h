// The decision of the kernel: what the committed policy says of one flow.
#pragma once

#include "address.bpf.h"
#include "maps.bpf.h"

// Everything a decision may look at.
struct flow_question {
    uint64_t policy;  // the policy word, read once: a decision sees one policy only
    enum wall_layer layer;
    uint8_t protocol;
    struct remote remote;
};

static __always_inline enum wall_layer_mode decide(const struct flow_question *question)
{
    return WALL_POLICY_MODE(question->policy, question->layer);
}

static __always_inline uint64_t policy_read(struct wall_state *at)
{
    return *(volatile uint64_t *)&at->policy;
}

static __always_inline void question_of_call(struct bpf_sock_addr *call, struct wall_state *at, bool is_ipv4,
                                             struct flow_question *ret_question)
{
    ret_question->policy = policy_read(at);
    ret_question->layer = WALL_LAYER_CONNECT_V4 + (call->family == AF_INET6);
    ret_question->protocol = (uint8_t)call->protocol;
    remote_of_call(call, is_ipv4, &ret_question->remote);
}
