// How a commit makes the run-time policy (private to the room).
//
// A policy is one part per layer; parts are shared by all policies between which the layer did not change, and filters
// by all parts that hold them. A changed part is merged from the old one and the sorted additions.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/object.h"
#include "engine/policy.h"
#include "engine/state.h"

// A run-time filter and the management object it was made from.
struct wall_filter_entry {
    atomic_uint reference_count;  // policies may be released by any thread
    uint16_t layer_id;
    bool active;  // part of the policy: neither boot-time nor disabled
    bool gone;    // deleted: the next build leaves it out
    uint64_t memo;  // where the filter's points to
    struct wall_filter filter;
};

// Makes the run-time form of a filter object, whose conditions are valid in its layer. On success *ret_entry owns
// `data`; the caller fills in the ids of what the filter refers to. Returns 0 or -ENOMEM.
int wall_filter_entry_new(const FWPM_FILTER0 *data, uint16_t layer_id, struct wall_filter_entry **ret_entry);
void wall_filter_entry_unref(struct wall_filter_entry *entry);

// Arbitration order: sublayer weight and weight descending; ties: the filter added first, which has the smaller id.
int wall_filter_compare(const struct wall_filter *a, const struct wall_filter *b);

// The empty policy, generation 0, or NULL.
struct wall_policy *wall_policy_new(void);

// The policy after the `added` and `deleted` objects: a new one, or another reference to the engine's when the filters
// of no layer changed. Marks the deleted filters as gone. Returns 0 or -ENOMEM.
// Cost: linear in the filters of the changed layers, and n log n in the added ones.
int wall_policy_build(const struct wall_engine *engine, const struct wall_object_list *added,
                      const struct wall_object_list *deleted, struct wall_policy **ret_policy);
