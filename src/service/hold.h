// Holds: flows that wait for a decision. Runs the reference classification of each, asking callouts one after another
// in arbitration order, and answers the datapath when it is done. Any number of flows are under way at once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "datapath/datapath.h"
#include "engine/classify.h"
#include "service/flow_values.h"

struct wall_engine;
struct wall_policy;

// Flows undecided at once. A flow beyond it is refused (counted in `refused`): never a silent permit.
#define WALL_HOLDS_MAX 131072u

struct wall_hold {
    struct wall_flow flow;  // what it points to is owned by the hold
    struct wall_flow_values values;
    struct wall_classification classification;
    uint64_t ask_id;  // the question under way; 0: none
};

struct wall_holds;

struct wall_holds_events {
    void *context;
    // Ask hold->classification.filter's callout; the answer comes with wall_holds_answer(). Returns false when the
    // callout is not registered.
    bool (*ask)(void *context, const struct wall_hold *hold);
    // The question `ask_id` needs no answer any more (the flow is gone).
    void (*ask_cancelled)(void *context, uint64_t ask_id);
    // Decided: tell the datapath, the log, the net events. Called before the hold is freed.
    void (*decided)(void *context, const struct wall_hold *hold, enum wall_flow_decision decision);
};

struct wall_holds {
    struct wall_map by_flow;  // flow id → struct wall_hold
    struct wall_map by_ask;   // ask id → struct wall_hold
    uint64_t next_ask;
    uint64_t refused;  // flows blocked because memory or the limit did not allow to hold them
    struct wall_holds_events events;
};

// No flow is held yet.
void wall_holds_init(struct wall_holds *holds, const struct wall_holds_events *events);
// Forgets every hold without a decision: the flows stay held in the kernel.
void wall_holds_done(struct wall_holds *holds);

// Starts the classification of a flow (borrowed) under `policy`.
// Returns 0, or -ENOMEM / -ENOSPC / -ENOTSUP when the flow cannot be judged; the caller must block it then.
int wall_holds_add(struct wall_holds *holds, struct wall_policy *policy, const struct wall_flow *flow);
// The flow is gone by itself.
void wall_holds_remove(struct wall_holds *holds, uint64_t flow_id);
// A callout's answer. Returns -ENOENT for a question that is not open (answered twice, or cancelled).
int wall_holds_answer(struct wall_holds *holds, uint64_t ask_id, const FWPS_CLASSIFY_OUT0 *out);
// The callout asked by `ask_id` is gone: the rule for unregistered callouts applies.
int wall_holds_unregistered(struct wall_holds *holds, uint64_t ask_id);
size_t wall_holds_count(const struct wall_holds *holds);
