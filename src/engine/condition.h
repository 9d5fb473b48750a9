// Conditions: what may be asked of a field, and whether a value answers it (wfp-reference 2.5).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpmtypes.h"

#include "engine/engine.h"
#include "engine/policy.h"

// Judges a condition against the layer's schema. `in_template`: of an enumeration template, which may ask a token
// field for one SID. Returns 0 and the field's id, or CONDITION_NOT_FOUND, INVALID_ENUMERATOR, TYPE_MISMATCH,
// MATCH_TYPE_MISMATCH, NULL_POINTER, ZERO_LENGTH_ARRAY, INVALID_RANGE, INVALID_NET_MASK, INVALID_PARAMETER or
// ERROR_INVALID_SECURITY_DESCR.
wall_status wall_condition_check(uint16_t layer_id, const FWPM_FILTER_CONDITION0 *condition, bool in_template,
                                 uint16_t *ret_field_id);
// The same for a field of a given type, outside of any layer.
wall_status wall_condition_check_type(FWP_DATA_TYPE type, FWPM_FIELD_TYPE field_type,
                                      const FWPM_FILTER_CONDITION0 *condition, bool in_template);

// Whether `value` fulfils the condition. An absent value (FWP_EMPTY) fulfils only "EQUAL FWP_EMPTY"; a value whose
// type is not the field's fulfils nothing.
bool wall_condition_matches(const struct wall_condition *condition, const FWP_VALUE0 *value);

// Orders two whole values of one type; used for ranges, too. Negative, 0 or positive; types without an order compare
// by their bytes.
int wall_value_compare(const FWP_VALUE0 *a, const FWP_VALUE0 *b);
// True when the value is of a known type and no pointer it needs is missing.
bool wall_value_is_whole(const FWP_VALUE0 *value);
