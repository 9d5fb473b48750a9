#include "engine/classify.h"

#include <string.h>

#include "engine/catalog.h"

bool wall_classify_begin(struct wall_classification *classification, struct wall_policy *policy,
                         const FWPS_INCOMING_VALUES0 *values)
{
    const struct wall_policy_layer *layer = wall_policy_layer(policy, values->layerId);
    if (!layer || values->valueCount != wall_catalog_field_count(values->layerId))
        return false;
    *classification = (struct wall_classification){
        .result = { .action = FWP_ACTION_NONE, .rights = FWPS_RIGHT_ACTION_WRITE },
        .policy = wall_policy_ref(policy),
        .layer = layer,
        .values = values,
    };
    return true;
}

void wall_classify_end(struct wall_classification *classification)
{
    wall_policy_unref(classification->policy);
    classification->policy = NULL;
    classification->layer = NULL;
    classification->filter = NULL;
}

static void add_trace(struct wall_classify_result *result, const struct wall_filter *filter, uint32_t action,
                      bool callout, bool unregistered)
{
    if (result->trace_count == WALL_TRACE_MAX)
        return;
    result->trace[result->trace_count++] = (struct wall_trace_entry){
        .sublayer_weight = filter->sublayer_weight,
        .filter_id = filter->id,
        .action = action,
        .callout = callout,
        .unregistered = unregistered,
    };
}

// Takes the answer of one sublayer into the result: the fold table of wfp-reference 2.2. `writable`: a lower sublayer
// may still override it. `may_veto`: it comes from a callout. The filter that first brought the action which stands
// keeps it: a lower one that agrees can only make it final.
static void fold(struct wall_classify_result *result, uint64_t filter_id, uint32_t action, bool writable, bool may_veto)
{
    bool is_final = result->action != FWP_ACTION_NONE && !(result->rights & FWPS_RIGHT_ACTION_WRITE);
    if (is_final) {
        if (result->action != FWP_ACTION_PERMIT || action != FWP_ACTION_BLOCK || !may_veto)
            return;
        result->veto = true;
    }
    if (result->action != action) {
        result->filter_id = filter_id;
        result->action = action;
    }
    if (!writable)
        result->rights &= ~(uint32_t)FWPS_RIGHT_ACTION_WRITE;
}

static bool is_stream(const struct wall_policy_layer *layer)
{
    return layer->layer_id >= FWPS_LAYER_STREAM_V4 && layer->layer_id <= FWPS_LAYER_STREAM_V6_DISCARD;
}

// One sublayer has its answer. The stream layers are a plain waterfall: rights mean nothing there, and what is blocked
// is not shown to anybody below.
static void take(struct wall_classification *classification, uint32_t action, bool writable, bool may_veto)
{
    const struct wall_filter *filter = classification->layer->sublayers[classification->sublayer]
                                           .filters[classification->position - 1];
    bool stream = is_stream(classification->layer);
    fold(&classification->result, filter->id, action, writable || stream, may_veto);
    classification->sublayer = stream && action == FWP_ACTION_BLOCK ? classification->layer->sublayer_count
                                                                   : classification->sublayer + 1;
    classification->position = 0;
}

static void decide(struct wall_classification *classification, const struct wall_filter *filter)
{
    bool writable = filter->action == FWP_ACTION_PERMIT && !(filter->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT);
    add_trace(&classification->result, filter, filter->action, false, false);
    take(classification, filter->action, writable, false);
}

// What the callout is given: the suggestion is the action so far.
static void prepare(struct wall_classification *classification, const struct wall_filter *filter)
{
    const struct wall_classify_result *result = &classification->result;
    classification->filter = filter;
    classification->out = (FWPS_CLASSIFY_OUT0){
        .actionType = result->action == FWP_ACTION_NONE ? FWP_ACTION_CONTINUE : result->action,
        .filterId = filter->id,
        .rights = result->rights,
    };
}

enum wall_classify_step wall_classify_next(struct wall_classification *classification)
{
    classification->filter = NULL;
    const struct wall_policy_layer *layer = classification->layer;
    while (classification->sublayer < layer->sublayer_count) {
        const struct wall_policy_sublayer *sublayer = &layer->sublayers[classification->sublayer];
        if (classification->position == sublayer->filter_count) {
            classification->sublayer++;
            classification->position = 0;
            continue;
        }

        const struct wall_filter *filter = sublayer->filters[classification->position++];
        if (!wall_filter_matches(filter, classification->values))
            continue;
        if (filter->action & FWP_ACTION_FLAG_CALLOUT) {
            prepare(classification, filter);
            return WALL_CLASSIFY_CALLOUT;
        }
        decide(classification, filter);
    }
    return WALL_CLASSIFY_DONE;
}

void wall_classify_answer(struct wall_classification *classification, const FWPS_CLASSIFY_OUT0 *out)
{
    const struct wall_filter *filter = classification->filter;
    struct wall_classify_result *result = &classification->result;
    classification->filter = NULL;
    result->flags |= out->flags;
    if (filter->action == FWP_ACTION_CALLOUT_INSPECTION)
        return;

    uint32_t action = out->actionType;
    bool writable = (out->rights & FWPS_RIGHT_ACTION_WRITE) != 0;
    if (action != FWP_ACTION_PERMIT && action != FWP_ACTION_BLOCK) {
        if (filter->action != FWP_ACTION_CALLOUT_TERMINATING)
            return;
        // It had to answer and did not: nothing below may turn that into a permit.
        action = FWP_ACTION_BLOCK;
        writable = false;
    }
    add_trace(result, filter, action, true, false);
    take(classification, action, writable, true);
}

void wall_classify_skip(struct wall_classification *classification)
{
    classification->filter = NULL;
}

void wall_classify_unregistered(struct wall_classification *classification)
{
    const struct wall_filter *filter = classification->filter;
    struct wall_classify_result *result = &classification->result;
    classification->filter = NULL;
    if (filter->action == FWP_ACTION_CALLOUT_INSPECTION)
        return;

    bool permit = filter->flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
    bool writable = permit && !(filter->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT);
    uint32_t action = permit ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK;
    add_trace(result, filter, action, true, true);
    // It may veto, as the callout might have: a callout that has died must not open what it guarded.
    take(classification, action, writable, true);
}

bool wall_classify(struct wall_policy *policy, const FWPS_INCOMING_VALUES0 *values, wall_callout_ask ask, void *context,
                   struct wall_classify_result *ret_result)
{
    struct wall_classification classification;
    if (!wall_classify_begin(&classification, policy, values))
        return false;
    while (wall_classify_next(&classification) == WALL_CLASSIFY_CALLOUT) {
        FWPS_CLASSIFY_OUT0 out = classification.out;
        if (ask && ask(context, classification.filter, &out))
            wall_classify_answer(&classification, &out);
        else
            wall_classify_unregistered(&classification);
    }
    *ret_result = classification.result;
    wall_classify_end(&classification);
    return true;
}
