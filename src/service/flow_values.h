// From a flow as the kernel saw it to the values a WFP layer is classified with.
#pragma once

#include <stdint.h>

#include "fwpstypes.h"
#include "fwptypes.h"

#include "datapath/datapath.h"

// The only compartment: network namespaces are told by Ringwall's own conditions.
#define WALL_COMPARTMENT_DEFAULT 1u

// The values of one flow at its layer; they point into this structure, which must not move.
struct wall_flow_values {
    FWPS_INCOMING_VALUES0 incoming;
    FWPS_INCOMING_VALUE0 values[64];
    FWP_BYTE_BLOB app_id;  // UTF-16 path, terminator counted; also the metadata's processPath
    FWP_BYTE_BLOB token;
    FWP_BYTE_ARRAY16 local_address, remote_address;
    UINT64 local_interface;
};

// Builds the values of `flow`, which is only read during the call. Returns 0, -ENOMEM, or -ENOTSUP for a layer
// whose values this service does not know, or of another family.
int wall_flow_values_init(struct wall_flow_values *values, const struct wall_flow *flow);
// Makes them those of a reauthorization: FWP_CONDITION_FLAG_IS_REAUTHORIZE, and the reason where the layer tells it.
void wall_flow_values_reauthorize(struct wall_flow_values *values, uint32_t reason);
void wall_flow_values_done(struct wall_flow_values *values);
