// Live flows: those that a notice told of, with the contexts that drivers associated with them. A context ends exactly
// once: with its flow, with its callout, or taken back by its driver.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "datapath/datapath.h"

// Live flows with a context, or that may get one; further ones get none (counted in `refused`).
#define WALL_LIVE_FLOWS_MAX (1u << 20)

struct wall_flow_context {
    struct wall_flow_context *next;
    uint32_t callout_id;
    uint16_t layer_id;
    uint64_t context;
};

struct wall_live_flow {
    uint64_t handle;
    uint64_t socket_cookie, netns_cookie;
    struct wall_flow_context *contexts;
};

struct wall_live_flows {
    struct wall_map by_handle;
    uint64_t refused;
};

// A context has ended: flowDeleteFn has to run.
typedef void (*wall_flow_context_ended)(void *context, uint64_t handle, const struct wall_flow_context *ended);

// No flow is live yet.
void wall_live_flows_init(struct wall_live_flows *flows);
// Forgets all flows and contexts without telling anybody.
void wall_live_flows_done(struct wall_live_flows *flows);
// FLOW_ESTABLISHED told of it. A flow known already stays as it is.
void wall_live_flows_add(struct wall_live_flows *flows, const struct wall_flow *flow);
// The true end.
void wall_live_flows_end(struct wall_live_flows *flows, uint64_t handle, wall_flow_context_ended ended, void *context);

// Returns 0; -ENOENT (no such live flow), -EEXIST (the callout has a context there), -ENOMEM.
int wall_flow_context_add(struct wall_live_flows *flows, uint64_t handle, const struct wall_flow_context *fresh);
// Returns the context, 0 when there is none.
uint64_t wall_flow_context_find(const struct wall_live_flows *flows, uint64_t handle, uint32_t callout_id,
                                uint16_t layer_id);
// Takes it out without telling anybody. Returns it, 0 when there is none.
uint64_t wall_flow_context_remove(struct wall_live_flows *flows, uint64_t handle, uint32_t callout_id,
                                  uint16_t layer_id);
// The callout is gone, and its process with it: its contexts are forgotten.
void wall_flow_contexts_drop(struct wall_live_flows *flows, uint32_t callout_id);
// The namespace of a live flow's socket; 0: unknown.
uint64_t wall_live_flows_netns(const struct wall_live_flows *flows, uint64_t socket_cookie);
