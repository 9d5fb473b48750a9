// The catalogue of layers: their ids, keys and fields. Fixed at compile time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpmtypes.h"
#include "fwpstypes.h"

#include "engine/names.h"

struct wall_catalog_field {
    enum wall_key key;
    FWPM_FIELD_TYPE type;
    FWP_DATA_TYPE data_type;  // of the incoming value
};

// Fields of a layer; 0 for an unknown layer.
uint16_t wall_catalog_field_count(uint16_t layer_id);
// Describes field `field_id` (FWPS_FIELD_<layer>_*). False: there is none.
bool wall_catalog_field(uint16_t layer_id, uint16_t field_id, struct wall_catalog_field *ret_field);
// The id of the field with this condition key in this layer. False: the layer does not have it.
bool wall_catalog_field_find(uint16_t layer_id, const GUID *key, uint16_t *ret_field_id);
// The key of a layer, or NULL for an unknown id.
const GUID *wall_catalog_layer_key(uint16_t layer_id);
// The id of the layer with this key. False: no such layer.
bool wall_catalog_layer_find(const GUID *key, uint16_t *ret_layer_id);
// FWPM_LAYER_FLAG_* of a known layer.
uint32_t wall_catalog_layer_flags(uint16_t layer_id);
// True when the addresses of the layer have 16 bytes.
bool wall_catalog_layer_is_v6(uint16_t layer_id);
