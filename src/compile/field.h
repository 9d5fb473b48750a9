// Fields: which fields of a layer the kernel knows, and as which dimension of a question.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwptypes.h"

#include "wire/question.bpf.h"

struct wall_compile_field {
    enum wall_dimension dimension;
    FWP_DATA_TYPE data_type;  // of the field's value
    unsigned bits;            // of the dimension's values
};

// Describes field `field_id` (FWPS_FIELD_<layer>_*). False: the kernel does not know it.
bool wall_compile_field(uint16_t layer_id, uint16_t field_id, struct wall_compile_field *ret_field);

// Bits of the values of a dimension at this layer.
unsigned wall_compile_dimension_bits(uint16_t layer_id, enum wall_dimension dimension);
