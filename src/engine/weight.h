// Effective weights of filters (wfp-reference 2.4).
#pragma once

#include <stdint.h>

#include "fwpmtypes.h"

#include "engine/engine.h"

// The effective weight of a filter whose conditions are valid in `layer_id`: its own 64 bits, or a range in the top
// four bits and a generated part that grows with the specificity of the conditions.
// Returns 0, FWP_E_INVALID_WEIGHT or FWP_E_NULL_POINTER.
wall_status wall_weight_of(uint16_t layer_id, const FWPM_FILTER0 *filter, uint64_t *ret_weight);
