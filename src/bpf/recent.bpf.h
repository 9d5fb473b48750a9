// What this CPU has asked the tables lately. Their answer depends on the policy and the question alone, so the same
// question under the same policy has the same answer; programs that connect to the same few places need not search.
#pragma once

#include "turn.bpf.h"

#include "wire/evaluation.bpf.h"

#define RECENT_BITS 6
#define RECENT_WORDS 10  // of a question
#define RECENT_NO_LAYER 0xffffffffu
#define RECENT_NOWHERE 0xffffffffu

struct recent_key {
    uint32_t generation, layer;
    uint64_t question[RECENT_WORDS];
};

struct recent {
    uint64_t turn;
    struct recent_key key;
    uint64_t filter_id;
    uint64_t verdict;  // enum wall_verdict
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1 << RECENT_BITS);
    __type(key, uint32_t);
    __type(value, struct recent);
} recent SEC(".maps") __weak;

_Static_assert(sizeof(struct wall_question) == RECENT_WORDS * sizeof(uint64_t), "all of the question is compared");

static __always_inline uint32_t recent_place(const struct wall_evaluation *e)
{
    const uint64_t *question = (const uint64_t *)&e->question;
    uint64_t mixed = 0;
    for (int i = 0; i < RECENT_WORDS; i++)
        mixed = (mixed ^ question[i]) * 0x9e3779b97f4a7c15ull;
    return mixed >> (64 - RECENT_BITS);
}

// Puts the answer to e->question by the policy of this generation into e->decision. Returns 0 when it is not known.
static __noinline int recent_read(uint32_t place, struct wall_evaluation *e, uint32_t layer, uint32_t generation)
{
    const struct recent *at = bpf_map_lookup_elem(&recent, &place);
    if (!at || !e)
        return 0;
    const uint64_t *question = (const uint64_t *)&e->question;
    uint64_t turn = turn_read(&at->turn);
    uint64_t differs = (at->key.generation ^ generation) | (at->key.layer ^ layer);
    for (int i = 0; i < RECENT_WORDS; i++)
        differs |= at->key.question[i] ^ question[i];
    uint64_t filter_id = at->filter_id, verdict = at->verdict;
    if (differs || !turn_is_sound(&at->turn, turn))
        return 0;
    e->decision.filter_id = filter_id;
    e->decision.verdict = (uint32_t)verdict;
    e->decision.generation = generation;
    return 1;
}

// Takes the place for e->question, which the evaluator will overwrite. Returns the place, or RECENT_NOWHERE when
// another program is at it.
static __noinline uint32_t recent_begin(uint32_t place, const struct wall_evaluation *e, uint32_t layer)
{
    struct recent *at = bpf_map_lookup_elem(&recent, &place);
    if (!at || !e)
        return RECENT_NOWHERE;
    const uint64_t *question = (const uint64_t *)&e->question;
    if (!turn_begin(&at->turn))
        return RECENT_NOWHERE;
    at->key.layer = layer;
    for (int i = 0; i < RECENT_WORDS; i++)
        at->key.question[i] = question[i];
    return place;
}

// Gives it back with the answer. What user space has to decide is not kept.
static __always_inline void recent_end(uint32_t place, const struct wall_evaluation *e)
{
    struct recent *at = bpf_map_lookup_elem(&recent, &place);
    if (!at)
        return;
    at->key.generation = e->decision.generation;
    at->filter_id = e->decision.filter_id;
    at->verdict = e->decision.verdict;
    if (e->decision.verdict == WALL_VERDICT_HOLD)
        at->key.layer = RECENT_NO_LAYER;
    turn_end(&at->turn);
}
