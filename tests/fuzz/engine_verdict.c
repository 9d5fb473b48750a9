// The model's classifier: the reference's tables, looked up.
#include "fuzz/engine_model.h"

#include <assert.h>
#include <string.h>

static bool number_matches(const struct model_condition *condition, uint32_t number)
{
    uint32_t asked = condition->value;
    if (condition->bits > 0) {
        bool same = number >> (32 - condition->bits) == asked >> (32 - condition->bits);
        return condition->match == FWP_MATCH_EQUAL ? same : !same;
    }
    switch (condition->match) {
    case FWP_MATCH_EQUAL:
        return number == asked;
    case FWP_MATCH_NOT_EQUAL:
        return number != asked;
    case FWP_MATCH_GREATER:
        return number > asked;
    case FWP_MATCH_GREATER_OR_EQUAL:
        return number >= asked;
    case FWP_MATCH_LESS:
        return number < asked;
    case FWP_MATCH_LESS_OR_EQUAL:
        return number <= asked;
    case FWP_MATCH_RANGE:
        return asked <= number && number <= condition->high;
    case FWP_MATCH_FLAGS_ALL_SET:
        return (number | asked) == number;
    case FWP_MATCH_FLAGS_ANY_SET:
        return (number & asked) > 0;
    default:
        return (number & asked) == 0;
    }
}

static bool filter_matches(const struct model_filter *filter, const struct model_traffic *traffic)
{
    for (int field = 0; field < MODEL_FIELD_COUNT; field++) {
        bool asked = false, matched = false;
        for (uint32_t i = 0; i < filter->condition_count; i++) {
            if (filter->conditions[i].field != (enum model_field)field)
                continue;
            asked = true;
            if (!(traffic->absent >> field & 1) && number_matches(&filter->conditions[i], traffic->numbers[field]))
                matched = true;
        }
        if (asked && !matched)
            return false;
    }
    return true;
}

static uint16_t weight_of(const struct model_state *state, const GUID *sublayer_key)
{
    for (uint32_t i = 0; i < state->sublayer_count; i++) {
        if (memcmp(&state->sublayers[i].key, sublayer_key, sizeof(*sublayer_key)) == 0)
            return state->sublayers[i].weight;
    }
    assert(!"a filter without its sublayer");
    return 0;
}

// States of an arbitration, and what a sublayer says. The last two rows of words are the columns of the table.
enum stance { NOTHING, PERMIT_SOFT, PERMIT_HARD, BLOCK_SOFT, BLOCK_HARD, VETO };
enum word { SAYS_PERMIT, SAYS_PERMIT_HARD, SAYS_BLOCK, CALLOUT_BLOCKS_SOFT, CALLOUT_BLOCKS_HARD, SAYS_NOTHING };

static const enum stance fold_table[5][5] = {
    [NOTHING] = { PERMIT_SOFT, PERMIT_HARD, BLOCK_HARD, BLOCK_SOFT, BLOCK_HARD },
    [PERMIT_SOFT] = { PERMIT_SOFT, PERMIT_HARD, BLOCK_HARD, BLOCK_SOFT, BLOCK_HARD },
    [PERMIT_HARD] = { PERMIT_HARD, PERMIT_HARD, PERMIT_HARD, VETO, VETO },
    [BLOCK_SOFT] = { PERMIT_SOFT, PERMIT_HARD, BLOCK_HARD, BLOCK_SOFT, BLOCK_HARD },
    [BLOCK_HARD] = { BLOCK_HARD, BLOCK_HARD, BLOCK_HARD, BLOCK_HARD, BLOCK_HARD },
};

static uint32_t action_of(enum stance stance)
{
    switch (stance) {
    case NOTHING:
        return FWP_ACTION_NONE;
    case PERMIT_SOFT:
    case PERMIT_HARD:
        return FWP_ACTION_PERMIT;
    default:
        return FWP_ACTION_BLOCK;
    }
}

static enum word word_of(const struct model_filter *filter, bool registered)
{
    static const enum word answers[] = { SAYS_PERMIT, SAYS_PERMIT_HARD, CALLOUT_BLOCKS_SOFT, CALLOUT_BLOCKS_HARD,
                                         SAYS_NOTHING };
    switch (filter->kind) {
    case MODEL_PERMIT:
        return SAYS_PERMIT;
    case MODEL_PERMIT_HARD:
        return SAYS_PERMIT_HARD;
    case MODEL_BLOCK:
        return SAYS_BLOCK;
    case MODEL_CALLOUT_INSPECTION:
        return SAYS_NOTHING;
    case MODEL_CALLOUT_TERMINATING_OPEN:
        if (!registered)
            return SAYS_PERMIT;
        break;
    default:
        if (!registered)
            return CALLOUT_BLOCKS_HARD;
        break;
    }
    enum word answer = answers[filter->answer];
    return answer == SAYS_NOTHING && filter->kind != MODEL_CALLOUT_UNKNOWN ? CALLOUT_BLOCKS_HARD : answer;
}

// The best filter of what is left: the greatest (sublayer weight, weight), the oldest of equals. NULL: none is left.
static const struct model_filter *best(const struct model_state *state, const bool *done)
{
    const struct model_filter *found = NULL;
    for (uint32_t i = 0; i < state->filter_count; i++) {
        const struct model_filter *filter = &state->filters[i];
        if (done[i])
            continue;
        int order = 1;
        if (found) {
            int sublayers = weight_of(state, &filter->sublayer_key) - weight_of(state, &found->sublayer_key);
            order = sublayers != 0 ? sublayers
                : filter->weight != found->weight ? (filter->weight > found->weight ? 1 : -1)
                                                  : (filter->id < found->id ? 1 : -1);
        }
        if (order > 0)
            found = filter;
    }
    return found;
}

struct model_verdict model_classify(const struct model *model, const struct model_traffic *traffic)
{
    const struct model_state *state = &model->committed;
    bool done[MODEL_FILTER_MAX] = { false };
    enum stance stance = NOTHING;
    struct model_verdict verdict = { 0 };
    for (const struct model_filter *filter; (filter = best(state, done));) {
        done[filter - state->filters] = true;
        if (!filter_matches(filter, traffic))
            continue;
        enum word word = word_of(filter, model->callout_registered);
        if (word == SAYS_NOTHING)
            continue;
        enum stance next = fold_table[stance][word];
        if (next == VETO) {
            verdict.veto = true;
            next = BLOCK_HARD;
        }
        if (action_of(next) != action_of(stance))
            verdict.filter_id = filter->id;
        stance = next;
        // The rest of the sublayer is not asked.
        for (uint32_t i = 0; i < state->filter_count; i++)
            done[i] |= memcmp(&state->filters[i].sublayer_key, &filter->sublayer_key, sizeof(GUID)) == 0;
    }
    verdict.action = action_of(stance);
    verdict.soft = stance == NOTHING || stance == PERMIT_SOFT || stance == BLOCK_SOFT;
    return verdict;
}
