// The decision of the kernel: what the committed policy says of one flow.
#pragma once

#include "executable.bpf.h"
#include "recent.bpf.h"

#include "wire/evaluate.bpf.h"

#define FLAG_IS_LOOPBACK 1  // FWP_CONDITION_FLAG_IS_LOOPBACK

// Between reading which element of `policy` is in force and reading it, the policy may be switched; thrice in a row
// means that something is broken.
#define SWITCHES_MAX 3

// NL_ADDRESS_TYPE
enum { ADDRESS_UNSPECIFIED, ADDRESS_UNICAST, ADDRESS_ANYCAST, ADDRESS_MULTICAST, ADDRESS_BROADCAST };

// A flow being judged, on the stack of the program. With the evaluation below it and what that needs, it fills the
// 512 bytes that a BPF program has.
struct judgement {
    struct executable executable;
    uint64_t filter_id;
    uint32_t layer;       // enum wall_layer
    uint32_t generation;  // of the policy that judged, its low 32 bits
};

static __always_inline uint64_t policy_read(struct wall_state *at)
{
    return *(volatile uint64_t *)&at->policy;
}

static __always_inline enum wall_layer_mode policy_mode(struct wall_state *at, uint32_t layer)
{
    return WALL_POLICY_MODE(policy_read(at), layer);
}

// What the layer does now, and its tables, which stay as they are whatever is committed meanwhile. Returns an enum
// wall_layer_mode, or -1: no tables can be found.
static __always_inline int policy_tables(uint32_t layer, struct wall_evaluation *ret_evaluation)
{
    for (int i = 0; i < SWITCHES_MAX; i++) {
        struct wall_state *at = state_get();
        if (!at)
            return -1;
        uint64_t word = policy_read(at), generation = WALL_POLICY_GENERATION(word);
        uint32_t element = generation & 1;
        if (WALL_POLICY_MODE(word, layer) == WALL_MODE_PERMIT)
            return WALL_MODE_PERMIT;
        void *tables = bpf_map_lookup_elem(&policy, &element);
        const struct wall_table_head *head = tables ? bpf_map_lookup_elem(tables, &layer) : NULL;
        if (head && head->generation == (uint32_t)generation) {
            ret_evaluation->tables = tables;
            ret_evaluation->head = head;
            return WALL_MODE_TABLES;
        }
    }
    return -1;
}

static __always_inline uint8_t address_type(const struct remote *remote, bool is_v6)
{
    const uint32_t *words = remote->words;
    if (is_v6) {
        if ((words[0] | words[1] | words[2] | words[3]) == 0)
            return ADDRESS_UNSPECIFIED;
        return remote->address[0] == 0xff ? ADDRESS_MULTICAST : ADDRESS_UNICAST;
    }
    uint32_t address = bpf_ntohl(words[3]);
    if (address == 0)
        return ADDRESS_UNSPECIFIED;
    if (address == 0xffffffff)
        return ADDRESS_BROADCAST;
    return address >> 28 == 0xe ? ADDRESS_MULTICAST : ADDRESS_UNICAST;
}

static __always_inline void question_set_address(uint32_t *ret_words, const struct remote *remote, bool is_v6)
{
    if (!is_v6) {
        ret_words[0] = bpf_ntohl(remote->words[3]);
        return;
    }
    for (int i = 0; i < 4; i++)
        ret_words[i] = bpf_ntohl(remote->words[i]);
}

static __always_inline void question_set_remote(struct wall_question *question, const struct remote *remote,
                                                bool is_v6)
{
    question_set_address(question->remote_address, remote, is_v6);
    question->remote_port = remote->port;
    question->destination_address_type = address_type(remote, is_v6);
    question->flags = is_loopback(remote) ? FLAG_IS_LOOPBACK : 0;
    question->flags_known = ~0u;
    question->known |= 1 << WALL_DIMENSION_REMOTE_ADDRESS | 1 << WALL_DIMENSION_REMOTE_PORT |
                       1 << WALL_DIMENSION_DESTINATION_ADDRESS_TYPE | 1 << WALL_DIMENSION_FLAGS;
}

// What is not chosen yet stays missing.
static __always_inline void question_set_local(struct wall_question *question, const struct remote *local, bool is_v6)
{
    uint8_t type = address_type(local, is_v6);
    if (type != ADDRESS_UNSPECIFIED) {
        question_set_address(question->local_address, local, is_v6);
        question->local_address_type = type;
        question->known |= 1 << WALL_DIMENSION_LOCAL_ADDRESS | 1 << WALL_DIMENSION_LOCAL_ADDRESS_TYPE;
    }
    if (local->port) {
        question->local_port = local->port;
        question->known |= 1 << WALL_DIMENSION_LOCAL_PORT;
    }
}

// Makes the verifier forget which way the question was made: it would follow the evaluator for each of the ways.
static __always_inline void question_forget(struct wall_evaluation *evaluation)
{
    uint64_t zero = evaluation->head->zero, *words = (uint64_t *)&evaluation->question;
    _Static_assert(sizeof(evaluation->question) == 10 * sizeof(*words), "all of it");
    for (uint32_t i = 0; i < 10; i++)
        words[i] ^= zero;
}

// What `judgement->layer` answered to the question lately, by the policy in force. Returns an enum wall_verdict, or -1:
// it is not known.
static __always_inline int question_recall(struct wall_state *at, const struct wall_question *question,
                                           struct judgement *judgement)
{
    uint32_t generation = (uint32_t)WALL_POLICY_GENERATION(policy_read(at));
    int verdict = recent_read(question, judgement->layer, generation, &judgement->filter_id);
    if (verdict >= 0)
        judgement->generation = generation;
    return verdict;
}

// Asks the tables in force what `judgement->layer` says to the question. Returns an enum wall_verdict, or -1: no tables
// can be found.
static __always_inline int question_evaluate(struct wall_evaluation *evaluation, struct judgement *judgement)
{
    int mode = policy_tables(judgement->layer, evaluation);
    if (mode != WALL_MODE_TABLES)
        return mode == WALL_MODE_PERMIT ? WALL_VERDICT_PERMIT : -1;
    uint32_t place = recent_begin(evaluation, judgement->layer) ^ (uint32_t)evaluation->head->zero;
    question_forget(evaluation);
    wall_evaluate(evaluation->tables, judgement->layer, evaluation);
    recent_end(place, evaluation);
    judgement->filter_id = evaluation->decision.filter_id;
    judgement->generation = evaluation->decision.generation;
    return (int)evaluation->decision.verdict;
}

// In a frame of its own: the evaluator needs the room.
static __noinline int question_recall_apart(struct wall_state *at, const struct wall_question *question,
                                            struct judgement *judgement)
{
    return at && question && judgement ? question_recall(at, question, judgement) : -1;
}

// What is remembered, or else what the tables say. Returns as question_evaluate().
static __always_inline int question_ask(struct wall_state *at, struct wall_evaluation *evaluation,
                                        struct judgement *judgement)
{
    int verdict = question_recall_apart(at, &evaluation->question, judgement);
    return verdict >= 0 ? verdict : question_evaluate(evaluation, judgement);
}

static __always_inline void question_set_owner(struct wall_question *question, const struct executable *executable,
                                               uint8_t protocol)
{
    const struct task_struct *task = bpf_get_current_task_btf();
    question->app = executable->app;
    question->user = user_of(task);
    question->cgroup = cgroup_of(task);
    question->protocol = protocol;
    question->known |= 1 << WALL_DIMENSION_APP | 1 << WALL_DIMENSION_USER | 1 << WALL_DIMENSION_CGROUP |
                       1 << WALL_DIMENSION_PROTOCOL;
}
