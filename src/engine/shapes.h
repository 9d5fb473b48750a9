// Shapes of the WFP structures: what copies, encodes, stores and prints them (base/shape.h).
//
// Refused because nothing here produces or keeps them: provider contexts other than GENERAL, CLASSIFY_OPTIONS and
// NETWORK_CONNECTION_POLICY; net events of IPsec and IKE.
#pragma once

#include "base/shape.h"
#include "engine/engine.h"

// Values
extern const struct wall_shape wall_shape_guid;             // GUID
extern const struct wall_shape wall_shape_blob;             // FWP_BYTE_BLOB
extern const struct wall_shape wall_shape_value;            // FWP_VALUE0
extern const struct wall_shape wall_shape_condition_value;  // FWP_CONDITION_VALUE0
extern const struct wall_shape wall_shape_display_data;     // FWPM_DISPLAY_DATA0

// Objects
extern const struct wall_shape wall_shape_session;           // FWPM_SESSION0
extern const struct wall_shape wall_shape_provider;          // FWPM_PROVIDER0
extern const struct wall_shape wall_shape_provider_context;  // FWPM_PROVIDER_CONTEXT3; 0 to 2 have the same layout
extern const struct wall_shape wall_shape_sublayer;          // FWPM_SUBLAYER0
extern const struct wall_shape wall_shape_field;             // FWPM_FIELD0
extern const struct wall_shape wall_shape_layer;             // FWPM_LAYER0
extern const struct wall_shape wall_shape_callout;           // FWPM_CALLOUT0
extern const struct wall_shape wall_shape_condition;         // FWPM_FILTER_CONDITION0
extern const struct wall_shape wall_shape_filter;            // FWPM_FILTER0

// Enumeration templates, subscriptions, changes
extern const struct wall_shape wall_shape_provider_template;              // FWPM_PROVIDER_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_provider_context_template;      // FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_sublayer_template;              // FWPM_SUBLAYER_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_layer_template;                 // FWPM_LAYER_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_callout_template;               // FWPM_CALLOUT_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_filter_template;                // FWPM_FILTER_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_session_template;               // FWPM_SESSION_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_provider_subscription;          // FWPM_PROVIDER_SUBSCRIPTION0
extern const struct wall_shape wall_shape_provider_context_subscription;  // FWPM_PROVIDER_CONTEXT_SUBSCRIPTION0
extern const struct wall_shape wall_shape_sublayer_subscription;          // FWPM_SUBLAYER_SUBSCRIPTION0
extern const struct wall_shape wall_shape_callout_subscription;           // FWPM_CALLOUT_SUBSCRIPTION0
extern const struct wall_shape wall_shape_filter_subscription;            // FWPM_FILTER_SUBSCRIPTION0
extern const struct wall_shape wall_shape_provider_change;                // FWPM_PROVIDER_CHANGE0
extern const struct wall_shape wall_shape_provider_context_change;        // FWPM_PROVIDER_CONTEXT_CHANGE0
extern const struct wall_shape wall_shape_sublayer_change;                // FWPM_SUBLAYER_CHANGE0
extern const struct wall_shape wall_shape_callout_change;                 // FWPM_CALLOUT_CHANGE0
extern const struct wall_shape wall_shape_filter_change;                  // FWPM_FILTER_CHANGE0

// Net events
extern const struct wall_shape wall_shape_net_event;               // FWPM_NET_EVENT5; 3 and 4 have the same layout
extern const struct wall_shape wall_shape_net_event_template;      // FWPM_NET_EVENT_ENUM_TEMPLATE0
extern const struct wall_shape wall_shape_net_event_subscription;  // FWPM_NET_EVENT_SUBSCRIPTION0

// Run time
extern const struct wall_shape wall_shape_fwps_condition;  // FWPS_FILTER_CONDITION0
extern const struct wall_shape wall_shape_fwps_filter;     // FWPS_FILTER3; 0 to 2 have the same layout
extern const struct wall_shape wall_shape_fwps_values;     // FWPS_INCOMING_VALUES0
extern const struct wall_shape wall_shape_classify_out;    // FWPS_CLASSIFY_OUT0

// The structure of each object type, and of its enumeration template. NULL for an unknown type.
const struct wall_shape *wall_shape_of_object(enum wall_object_type type);
const struct wall_shape *wall_shape_of_template(enum wall_object_type type);
