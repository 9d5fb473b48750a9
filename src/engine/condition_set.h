// Conditions as sets of values: which filters an enumeration template asks for (wfp-reference 5.5).
#pragma once

#include <stdbool.h>

#include "engine/policy.h"

// True when some value fulfils both conditions of one field. Where that cannot be told (texts, bits against ranges),
// true.
bool wall_condition_overlaps(const struct wall_condition *a, const struct wall_condition *b);
// True when every value that fulfils `inner` fulfils `outer`. Where that cannot be told, false.
bool wall_condition_contains(const struct wall_condition *outer, const struct wall_condition *inner);
