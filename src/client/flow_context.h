// Flow contexts: what drivers attached to flows. The service knows that there is one; this process knows which.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wall_client_callout;

// Contexts of one process; further ones are refused with STATUS_INSUFFICIENT_RESOURCES.
#define WALL_FLOW_CONTEXTS_MAX (1u << 20)

// Takes the context out of the table. Returns false when there is none.
bool wall_flow_context_take(uint64_t flow_handle, struct wall_client_callout *callout, uint16_t layer_id,
                            uint64_t *ret_context);
// The service is gone: runs flowDeleteFn for every context.
void wall_flow_contexts_disconnected(void);
