// Random conditions of a layer's fields, such as the engine would accept; and what the makers of random things share.
#pragma once

#include "support/policy_maker.h"

// A condition on this field, of any kind that its type allows.
struct wall_condition maker_random_condition(struct maker *maker, uint16_t field_id);

// A copy that lives as long as the layer.
FWP_VALUE0 maker_copy(struct maker *maker, const FWP_VALUE0 *value);
// Memory that lives as long as the layer.
void *maker_take(struct maker *maker, size_t size);
// True in `chance` of 100 calls.
bool maker_percent(struct maker *maker, uint32_t chance);
// Random facts of a flow.
void maker_facts(struct maker *maker, struct maker_facts *facts);
// The values of a flow's facts.
void maker_values(struct maker *maker, struct maker_flow *flow);
