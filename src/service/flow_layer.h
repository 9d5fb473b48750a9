// What the ALE layers differ in (wfp-reference 3.1, 3.4, 3.5, 4.4). The V4 and V6 layers of a pair are alike.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/messages.h"

struct wall_flow;

// The function a callout may pend with on the first classification; WALL_PENDED_NOT: none.
enum wall_pended wall_flow_layer_pends(uint16_t layer_id);
// ALE_AUTH_RECV_ACCEPT: the verdict of a pended operation is whether its packet is injected.
bool wall_flow_layer_accepts(uint16_t layer_id);
bool wall_flow_layer_establishes(uint16_t layer_id);
// Whether callouts there say where the connection goes, or where its socket is bound; what they leave is authorized
// afterwards.
bool wall_flow_layer_redirects(uint16_t layer_id);
// The latter only.
bool wall_flow_layer_binds(uint16_t layer_id);
// FWPS_METADATA_FIELD_* that exist at the layer, whether or not a flow has them.
uint32_t wall_flow_layer_metadata(uint16_t layer_id);
// Sizes of the headers of a flow's packet; 0 where there is none. False: the packet is too short for them.
bool wall_flow_packet_headers(const struct wall_flow *flow, uint32_t *ret_ip_size, uint32_t *ret_transport_size);
// Whether the packet is layer data at its layer, and where its NET_BUFFER begins.
bool wall_flow_layer_data(const struct wall_flow *flow, uint32_t *ret_offset);
