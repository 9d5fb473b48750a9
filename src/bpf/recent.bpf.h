// What this CPU has asked the tables lately. Their answer depends on the policy and the question alone, so the same
// question under the same policy has the same answer; programs that connect to the same few places need not search.
#pragma once

#include "shared_maps.bpf.h"
#include "turn.bpf.h"

#include "wire/evaluation.bpf.h"

#define RECENT_WORDS 10  // of a question
#define RECENT_NO_LAYER 0xffffffffu
#define RECENT_NOWHERE 0xffffffffu

_Static_assert(RECENT_WORDS == WALL_QUESTION_WORDS, "all of the question is compared");

// Where what a layer says of a remote end is kept: known before anything else of the question. The words of the address
// as in the question.
static __always_inline uint32_t recent_place(const uint32_t *address, uint16_t port, uint32_t layer)
{
    uint64_t mixed = (uint64_t)port << 32 | layer;
    for (int i = 0; i < 4; i++)
        mixed = (mixed ^ address[i]) * 0x9e3779b97f4a7c15ull;
    return mixed >> (64 - WALL_ANSWER_BITS);
}

static __always_inline struct wall_answer *recent_at(uint32_t place)
{
    struct wall_cpu *cpu = cpu_get();
    if (!cpu)
        return NULL;
    forget(cpu);
    return &cpu->answers[place & ((1u << WALL_ANSWER_BITS) - 1)];
}

// Lets the CPU fetch what recent_read() will look at.
static __always_inline void recent_expect(uint32_t place)
{
    const struct wall_answer *at = recent_at(place);
    if (!at)
        return;
    (void)*(const volatile uint64_t *)&at->turn;
    (void)*(const volatile uint64_t *)&at->verdict;
}

// What the policy of this generation answers to the question. Returns an enum wall_verdict, or -1: it is not known.
static __always_inline int recent_read(const struct wall_question *of, uint32_t layer, uint32_t generation,
                                       uint64_t *ret_filter_id)
{
    const struct wall_answer *at = recent_at(recent_place(of->remote_address, of->remote_port, layer));
    if (!at)
        return -1;
    const uint64_t *question = (const uint64_t *)of;
    uint64_t turn = turn_read(&at->turn);
    uint64_t differs = (at->generation ^ generation) | (at->layer ^ layer);
    for (int i = 0; i < RECENT_WORDS; i++)
        differs |= at->question[i] ^ question[i];
    uint64_t filter_id = at->filter_id, verdict = at->verdict;
    if (differs || !turn_is_sound(&at->turn, turn))
        return -1;
    *ret_filter_id = filter_id;
    return (int)verdict;
}

// Takes the place for e->question, which the evaluator will overwrite. Returns the place, or RECENT_NOWHERE when
// another program is at it.
static __noinline uint32_t recent_begin(const struct wall_evaluation *e, uint32_t layer)
{
    if (!e)
        return RECENT_NOWHERE;
    uint32_t place = recent_place(e->question.remote_address, e->question.remote_port, layer);
    struct wall_answer *at = recent_at(place);
    if (!at)
        return RECENT_NOWHERE;
    const uint64_t *question = (const uint64_t *)&e->question;
    if (!turn_begin(&at->turn))
        return RECENT_NOWHERE;
    at->layer = layer;
    for (int i = 0; i < RECENT_WORDS; i++)
        at->question[i] = question[i];
    return place;
}

// Gives it back with the answer. What user space has to decide is not kept.
static __noinline int recent_end(uint32_t place, const struct wall_evaluation *e)
{
    if (place == RECENT_NOWHERE || !e)
        return 0;
    struct wall_answer *at = recent_at(place);
    if (!at)
        return 0;
    at->generation = e->decision.generation;
    at->filter_id = e->decision.filter_id;
    at->verdict = e->decision.verdict;
    if (e->decision.verdict == WALL_VERDICT_HOLD)
        at->layer = RECENT_NO_LAYER;
    turn_end(&at->turn);
    return 0;
}
