// The run-time policy: what the kernel filter engine holds on Windows. Immutable; made by a commit.
//
// Everything an evaluator needs and nothing else: ids instead of GUIDs, sublayers in descending weight, filters of a
// sublayer in arbitration order (descending effective weight; ties: the filter added first).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fwpstypes.h"
#include "fwptypes.h"

#include "engine/engine.h"

// One condition with its field resolved. Conditions of one filter are sorted by field: equal fields are OR-ed.
struct wall_condition {
    uint16_t field_id;  // FWPS_FIELD_<layer>_*
    FWP_MATCH_TYPE match_type;
    FWP_CONDITION_VALUE0 value;  // owned by the policy
};

struct wall_filter {
    // What is asked of each filter, in one place.
    uint64_t id;
    uint64_t weight;        // the effective weight
    uint32_t action;        // FWP_ACTION_*
    uint32_t flags;         // FWPM_FILTER_FLAG_*
    uint32_t callout_id;    // when action has FWP_ACTION_FLAG_CALLOUT
    uint16_t sublayer_weight;
    uint32_t condition_count;
    const struct wall_condition *conditions;

    GUID key;
    uint64_t context;       // rawContext
    uint64_t provider_context_id;  // 0: none
    const FWPM_FILTER0 *object;  // as the management API shows it
    uint64_t *memo;  // for whoever compiles the filter, 0 in the beginning; NULL: nothing can be noted
};

struct wall_policy_sublayer {
    GUID key;
    uint16_t weight;
    uint32_t filter_count;
    const struct wall_filter *const *filters;
};

struct wall_policy_layer {
    uint16_t layer_id;
    uint64_t generation;      // of the policy in which the layer last changed; an unchanged layer is the same object
    uint32_t sublayer_count;  // only sublayers that have filters in this layer
    const struct wall_policy_sublayer *sublayers;
    uint32_t filter_count;
    uint32_t callout_filter_count;
};

// The layer's part of a policy; never NULL for a known layer (it may hold no filters), NULL for an unknown id.
const struct wall_policy_layer *wall_policy_layer(const struct wall_policy *policy, uint16_t layer_id);
