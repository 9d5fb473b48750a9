// Flow events: a decision as the net event WFP would record for it (FWPM_NET_EVENT_TYPE_CLASSIFY_DROP or _ALLOW).
#pragma once

#include <stdint.h>

#include "datapath/datapath.h"

struct wall_engine;

// Offers the decision to the engine's net events, whose options tell whether it is kept.
// `time_us`: since 1970. `decision` came from `filter_id` (0: none).
void wall_flow_event_add(struct wall_engine *engine, const struct wall_flow *flow, enum wall_flow_decision decision,
                         uint64_t filter_id, uint64_t time_us);
