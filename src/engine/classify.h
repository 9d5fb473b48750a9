// The reference classifier: filter arbitration exactly as wfp-reference section 2, slow and obvious on purpose.
//
// It is a state machine, because a callout may live in another process: classify_next() runs until the traffic is
// decided or a callout must be asked; the answer is handed back and the machine goes on. Nothing ever waits in here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpstypes.h"

#include "engine/policy.h"

// Sublayers of one layer that can terminate; more are not kept in the trace (they still count in arbitration).
#define WALL_TRACE_MAX 32

// What one sublayer contributed: shown in net events and by `why`.
struct wall_trace_entry {
    uint16_t sublayer_weight;
    uint64_t filter_id;
    uint32_t action;    // FWP_ACTION_PERMIT or FWP_ACTION_BLOCK
    bool callout;       // the action came from a callout
    bool unregistered;  // … or would have, had the callout been registered
};

struct wall_classify_result {
    uint32_t action;     // FWP_ACTION_PERMIT, FWP_ACTION_BLOCK, or FWP_ACTION_NONE (nothing terminating: permit)
    uint64_t filter_id;  // the highest filter that brought the action which stands; 0 with FWP_ACTION_NONE
    uint32_t rights;     // FWPS_RIGHT_ACTION_WRITE while a lower sublayer may still override
    uint32_t flags;      // FWPS_CLASSIFY_OUT_FLAG_* or-ed from the callouts (ABSORB)
    bool veto;           // a callout block beat a hard permit (audit 5153)
    uint32_t trace_count;
    struct wall_trace_entry trace[WALL_TRACE_MAX];
};

enum wall_classify_step {
    WALL_CLASSIFY_DONE,
    WALL_CLASSIFY_CALLOUT,  // ask `filter`'s callout, then call one of the three below
};

struct wall_classification {
    // For the caller, while the step is WALL_CLASSIFY_CALLOUT:
    const struct wall_filter *filter;  // whose callout must be asked
    FWPS_CLASSIFY_OUT0 out;            // what the callout is given: suggested action, rights
    struct wall_classify_result result;
    // Private:
    struct wall_policy *policy;
    const struct wall_policy_layer *layer;
    const FWPS_INCOMING_VALUES0 *values;
    uint32_t sublayer, position;
};

// Starts a classification at values->layerId. Takes a reference on `policy`; `values` must outlive it.
// Returns false when the layer is unknown or the number of values is not the layer's.
bool wall_classify_begin(struct wall_classification *classification, struct wall_policy *policy,
                         const FWPS_INCOMING_VALUES0 *values);
enum wall_classify_step wall_classify_next(struct wall_classification *classification);
// The callout's answer. An inspection callout's answer is ignored; a terminating callout that answers neither PERMIT
// nor BLOCK counts as BLOCK (wfp-reference 2.3).
void wall_classify_answer(struct wall_classification *classification, const FWPS_CLASSIFY_OUT0 *out);
// The callout is not registered: BLOCK, or PERMIT with PERMIT_IF_CALLOUT_UNREGISTERED; ignored for inspection. The
// block vetoes a hard permit, as the callout could have: a callout that has died must not open what it guarded.
void wall_classify_unregistered(struct wall_classification *classification);
// The callout is not to be asked: it wants connections with a flow context of its own alone
// (FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW). As if its filter did not match.
void wall_classify_skip(struct wall_classification *classification);
// Drops the reference on the policy. The result stays readable.
void wall_classify_end(struct wall_classification *classification);

// True when all conditions of `filter` match `values` (AND across fields, OR inside one, EMPTY rules).
bool wall_filter_matches(const struct wall_filter *filter, const FWPS_INCOMING_VALUES0 *values);

// Asks one callout, synchronously. Returns false when it is not registered.
typedef bool (*wall_callout_ask)(void *context, const struct wall_filter *filter, FWPS_CLASSIFY_OUT0 *out);
// The whole classification in one call, for evaluators and tests whose callouts answer at once.
bool wall_classify(struct wall_policy *policy, const FWPS_INCOMING_VALUES0 *values, wall_callout_ask ask, void *context,
                   struct wall_classify_result *ret_result);
