// Described structures (base/shape.h) as JSON, with the names that WFP gives its keys, flags and enumerators.
//
// Keys are strings: a symbolic name (FWPM_LAYER_…) or the GUID. Flags are lists of names, unknown bits last as a hex
// string. A FWP_VALUE0 is {"type", "value"}, 64-bit values as hex strings (JSON numbers lose bits there). A blob is
// {"hex", "text"}, the text null when it is not one. Addresses, SIDs and times (UTC) are strings.
#pragma once

#include <jansson.h>

#include "guiddef.h"

#include "base/shape.h"

// Returns a new reference, NULL when memory is short.
json_t *wall_json_from_object(const struct wall_shape *shape, const void *object);

// A key's symbolic name, or its GUID printed into `text`.
#define WALL_KEY_TEXT_SIZE 40
const char *wall_key_text(const GUID *key, char text[WALL_KEY_TEXT_SIZE]);
