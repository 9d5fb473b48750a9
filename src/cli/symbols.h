// Symbolic names of WFP's numbers.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct wall_symbol {
    uint64_t value;
    const char *name;
};

// Tables end with an entry without a name; those of flags are in ascending order.
extern const struct wall_symbol wall_symbols_action[];
extern const struct wall_symbol wall_symbols_callout_flag[];
extern const struct wall_symbol wall_symbols_data_type[];
extern const struct wall_symbol wall_symbols_direction[];
extern const struct wall_symbol wall_symbols_field_type[];
extern const struct wall_symbol wall_symbols_filter_flag[];
extern const struct wall_symbol wall_symbols_ip_version[];
extern const struct wall_symbol wall_symbols_layer_flag[];
extern const struct wall_symbol wall_symbols_match_type[];
extern const struct wall_symbol wall_symbols_net_event_flag[];
extern const struct wall_symbol wall_symbols_net_event_type[];
extern const struct wall_symbol wall_symbols_provider_flag[];
extern const struct wall_symbol wall_symbols_provider_context_flag[];
extern const struct wall_symbol wall_symbols_provider_context_type[];
extern const struct wall_symbol wall_symbols_session_flag[];
extern const struct wall_symbol wall_symbols_sublayer_flag[];

// The name of `value`, NULL when the table has none.
const char *wall_symbol_find(const struct wall_symbol *table, uint64_t value);
